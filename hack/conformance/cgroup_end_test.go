package conformance

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// below makes a cgroup below the container's in each hierarchy, and moves a
// process of the host into it, as tools do that look into a container.
func (b *box) below(name string) *exec.Cmd {
	b.Helper()
	c := exec.Command("sleep", "1000")
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	for _, h := range hierarchies() {
		dir := h + b.cgroup
		if _, err := os.Stat(dir); err != nil {
			continue
		}
		sub := dir
		for part := range strings.SplitSeq(name, "/") {
			sub += "/" + part
			if err := os.Mkdir(sub, 0o755); err != nil && !os.IsExist(err) {
				b.Fatal(err)
			}
			if _, err := os.Stat(sub + "/cgroup.type"); err != nil { // a cpuset of version 1 is empty at first
				os.WriteFile(sub+"/cpuset.cpus", []byte(contents(dir+"/cpuset.cpus")), 0)
				os.WriteFile(sub+"/cpuset.mems", []byte(contents(dir+"/cpuset.mems")), 0)
			}
		}
		if err := os.WriteFile(dir+"/"+name+"/cgroup.procs", []byte(strconv.Itoa(c.Process.Pid)), 0); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

// freeze freezes a cgroup below the container's.
func (b *box) freeze(name string) {
	b.Helper()
	dir, v2 := b.controlled("freezer")
	file, on := "/freezer.state", "FROZEN"
	if v2 {
		file, on = "/cgroup.freeze", "1"
	}
	if err := os.WriteFile(dir+b.cgroup+"/"+name+file, []byte(on), 0); err != nil {
		b.Fatal(err)
	}
}

// Frozen, with a frozen cgroup below that the container's own processes are in.
func TestAFrozenContainerIsDeletedWithinASecond(t *testing.T) {
	for name, edit := range map[string]edit{"pid namespace": all(), "no pid namespace": drop(pidNS)} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t, edit, shell(`(while :; do sleep 1000; done) & sleep 1000 & echo ready; wait`))
			b.create()
			b.start()
			b.printed("ready")
			pids := strings.Fields(b.must("ps", "--format", "json", b.id))
			dir, _ := b.controlled("freezer")
			if err := os.Mkdir(dir+b.cgroup+"/ice", 0o755); err != nil {
				t.Fatal(err)
			}
			moved := 0
			for _, p := range strings.FieldsFunc(strings.Join(pids, ""), func(r rune) bool { return r < '0' || r > '9' }) {
				if p != strconv.Itoa(b.state().Pid) && os.WriteFile(dir+b.cgroup+"/ice/cgroup.procs", []byte(p), 0) == nil {
					moved++
				}
			}
			if moved == 0 {
				t.Fatalf("no process of %q could be moved", pids)
			}
			b.freeze("ice")
			b.must("pause", b.id)
			b.is("paused")
			if r := b.call("delete", "--force", b.id); r.status != 0 || r.took > time.Second {
				t.Errorf("%v took %v", r, r.took)
			}
			b.unknown()
		})
	}
}

// 500 of them with MINIRT_LONG=1.
func TestOfManyContainersWithProcessesInCgroupsBelowNoneIsLeft(t *testing.T) {
	rounds := 5
	if os.Getenv("MINIRT_LONG") != "" {
		rounds = 500
	}
	b := newBox(t, drop(pidNS), shell(waiting))
	for range rounds {
		b.create()
		b.start()
		c := b.below("a/b/c")
		b.must("delete", "--force", b.id)
		c.Wait()
		b.unknown()
	}
}

// Somebody else's process in a cgroup of a container that has a pid namespace
// isn't killed: delete waits, and says who it is; when he has gone, it works.
func TestDeleteSaysWhoKeepsACgroupAlive(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	b.create()
	b.start()
	c := b.below("guest/room")
	r := b.fails("delete", "--force", b.id)
	if ours && !strings.Contains(r.stderr, "/guest/room: process "+strconv.Itoa(c.Process.Pid)+` ("sleep") is still inside: device or resource busy`) {
		t.Error(r)
	}
	if r.took > 10*time.Second {
		t.Errorf("it took %v", r.took)
	}
	b.is("stopped")
	c.Process.Signal(syscall.SIGKILL)
	c.Wait()
	b.must("delete", "--force", b.id)
	b.unknown()
}

// A cgroup file system that can't be written refuses the container by name.
func TestAReadOnlyCgroupFileSystemIsAnErrorThatSaysSo(t *testing.T) {
	t.Parallel()
	b := newBox(t, set("linux.resources.pids.limit", 7))
	script := ""
	for _, h := range hierarchies() {
		script += "mount -o remount,bind,ro '" + h + "' && "
	}
	b.prepare = wrapped("unshare", "-m", "sh", "-c", script+`exec "$0" "$@"`)
	r := b.fails("create", "--bundle", b.dir, b.id)
	if ours && !strings.Contains(r.stderr, "mkdir ") && !strings.Contains(r.stderr, "read-only file system") {
		t.Error(r)
	}
	b.prepare = nil
	b.unknown()
}

// CG-04
func TestACgroupsPathThatLeadsOutIsRefused(t *testing.T) {
	for name, c := range map[string]struct{ path, say string }{
		"up":           {"..", `".." has a ".." in it`},
		"up and up":    {"/../..", `"/../.." has a ".." in it`},
		"up within":    {parent + "/a/../../../b", `has a ".." in it`},
		"the top":      {"/", `"/" is no place for a container`},
		"dots":         {"/./.", "is no place for a container"},
		"a NUL":        {"/a\x00b", `"/a\x00b" has a NUL`},
		"a newline":    {"/a\nb", `"/a\nb" has a newline`},
		"a long path":  {parent + strings.Repeat("/"+strings.Repeat("x", 200), 25), "file name too long"},
		"another file": {"/cgroup.procs", "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set("linux.cgroupsPath", c.path))
			b.refused(c.say)
		})
	}
}

// An update of which one value is refused changes nothing, and names the file.
func TestAnUpdateIsDoneAsAWholeOrNotAtAll(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting), set("linux.resources", raw(`{"memory":{"limit":67108864},"cpu":{"quota":50000,"shares":512},"pids":{"limit":50}}`)))
	b.controlled("memory")
	b.create()
	b.start()
	files := func() map[string]string {
		got := map[string]string{}
		for _, h := range hierarchies() {
			list, _ := os.ReadDir(h + b.cgroup)
			for _, f := range list {
				if isLimit(h + b.cgroup + "/" + f.Name()) {
					got[h+"/"+f.Name()] = contents(h + b.cgroup + "/" + f.Name())
				}
			}
		}
		return got
	}
	before := files()
	for name, c := range map[string]struct{ update, say string }{
		"CPUs":   {`{"memory":{"limit":33554432,"swap":67108864,"reservation":16777216},"cpu":{"quota":20000,"period":40000,"shares":100,"cpus":"0-4095"},"pids":{"limit":7}}`, "/cpuset.cpus: "},
		"a disk": {`{"memory":{"limit":134217728},"cpu":{"idle":1},"blockIO":{"throttleReadBpsDevice":[{"major":4000,"minor":7,"rate":9}]}}`, "no such device"},
	} {
		document := b.path(name + ".json")
		if err := os.WriteFile(document, []byte(c.update), 0o644); err != nil {
			t.Fatal(err)
		}
		r := b.fails("update", "-r", document, b.id)
		if ours && !strings.Contains(r.stderr, c.say) {
			t.Error(r)
		}
		same(t, name, files(), before)
	}
}

// isLimit tells files that are written to from those that only count.
func isLimit(file string) bool {
	info, err := os.Stat(file)
	if err != nil || !info.Mode().IsRegular() || info.Mode()&0o200 == 0 {
		return false
	}
	name := filepath.Base(file)
	for _, word := range []string{"pressure", "peak", "usage", "failcnt", "reset_stats", "tasks", "procs", "threads"} {
		if strings.Contains(name, word) {
			return false
		}
	}
	return true
}
