package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// limits are the files of the container's cgroups that are written to, and what
// they say; devices.list is as the kernel keeps it.
func (b *box) limits() map[string]string {
	b.Helper()
	got := map[string]string{}
	for _, h := range hierarchies() {
		list, _ := os.ReadDir(h + b.cgroup)
		for _, f := range list {
			if file := h + b.cgroup + "/" + f.Name(); isLimit(file) || f.Name() == "devices.list" {
				got[f.Name()] = strings.TrimSpace(contents(file))
			}
		}
	}
	return got
}

// The same configuration leaves the same values in all files of the cgroups as
// runc's does, but for the differences that docs/cgroups.md gives reasons for:
// what minirt's file says, then runc's.
func TestLimitsAreTheSameAsAnotherRuntimes(t *testing.T) {
	runc, err := exec.LookPath("runc")
	if err != nil {
		t.Skip("runc is missing")
	}
	_, err = os.Stat("/sys/fs/cgroup/cgroup.controllers")
	memory := `{"memory":{"limit":67108864,"reservation":33554432,"swap":134217728,"swappiness":17,"disableOOMKiller":true}}`
	if err == nil { // what version 2 hasn't is refused
		memory = `{"memory":{"limit":67108864,"reservation":33554432,"swap":134217728}}`
	}
	type difference map[string][2]string
	zero := difference{"memory.soft_limit_in_bytes": {"0", "9223372036854771712"}}  // zero is a limit
	weight := difference{"cpu.weight": {"59", "20"}, "cpu.weight.nice": {"2", "7"}} // runcs before 1.3 convert shares in a straight line
	for name, c := range map[string]struct {
		resources string
		but       difference
	}{
		"nothing":          {`{}`, nil},
		"memory":           {memory, nil},
		"no memory limit":  {`{"memory":{"limit":-1,"swap":-1}}`, nil},
		"reservation of 0": {`{"memory":{"reservation":0}}`, zero},
		"cpu":              {`{"cpu":{"shares":512,"quota":25000,"period":50000,"cpus":"0","mems":"0"}}`, weight},
		"no quota":         {`{"cpu":{"quota":-1,"period":20000}}`, nil},
		"pids":             {`{"pids":{"limit":32}}`, nil},
		"no pids limit":    {`{"pids":{"limit":-1}}`, nil},
		"pids 0":           {`{"pids":{"limit":0}}`, difference{"pids.max": {"0", "max"}}}, // no forks at all; older runcs take 0 for unset
		"zeros of engines": {`{"memory":{"swap":0,"kernel":0},"cpu":{"shares":0,"quota":0,"period":0,"cpus":"","mems":""},"blockIO":{"weight":0}}`, nil},
		"weight":           {`{"blockIO":{"weight":300}}`, nil},
		"devices":          {`{"devices":[{"allow":false,"access":"rwm"},{"allow":true,"type":"c","major":10,"minor":229,"access":"rw"},{"allow":true,"type":"b","major":7,"access":"r"}]}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := map[string]map[string]string{}
			for _, runtime := range []string{program, runc} {
				b := newBox(t, shell(waiting), set("linux.resources", raw(c.resources)))
				other := *b
				call := exec.Command(runtime, "--root", b.root, "create", "--bundle", b.dir, b.id)
				if said, err := quiet(call, filepath.Dir(b.dir)); err != nil {
					t.Fatalf("%s: %v: %s", runtime, err, said)
				}
				got[runtime] = other.limits()
				exec.Command(runtime, "--root", b.root, "delete", "--force", b.id).Run()
			}
			ours, theirs := got[program], got[runc]
			if len(ours) < 10 {
				t.Fatalf("few files: %v", ours)
			}
			ours["devices.list"], theirs["devices.list"] = sorted(ours["devices.list"]), without(theirs["devices.list"])
			for file, want := range c.but {
				if _, here := ours[file]; here && (ours[file] != want[0] || theirs[file] != want[1]) {
					t.Errorf("%s: %q and %q, want %q and %q", file, ours[file], theirs[file], want[0], want[1])
				}
				delete(ours, file)
				delete(theirs, file)
			}
			if d := cmp.Diff(theirs, ours); d != "" {
				t.Errorf("(-runc +minirt):\n%s", d)
			}
		})
	}
}

// quiet runs a call whose container keeps its output: a file, for no pipe ends
// before that.
func quiet(c *exec.Cmd, dir string) (said string, err error) {
	f, err := os.CreateTemp(dir, "said")
	if err != nil {
		return "", err
	}
	defer f.Close()
	c.Stdout, c.Stderr = f, f
	err = c.Run()
	return contents(f.Name()), err
}

func sorted(lines string) string {
	list := strings.Split(lines, "\n")
	slices.Sort(list)
	return strings.Join(list, "\n")
}

// without leaves out what runc adds to each list (D-29).
func without(lines string) string {
	var list []string
	for _, l := range strings.Split(lines, "\n") {
		if !slices.Contains([]string{"c *:* m", "b *:* m", "c 10:200 rwm"}, l) {
			list = append(list, l)
		}
	}
	return sorted(strings.Join(list, "\n"))
}
