package plan_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/internal/stage"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares text with a file of testdata.
func golden(t *testing.T, name, text string) {
	t.Helper()
	name = filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(want), text); d != "" {
		t.Errorf("%s (go test -update writes it anew): %s", name, d)
	}
}

// grammar is a plan with each thing in it that docs/plan.md tells of.
func grammar(arch plan.Arch) *plan.Plan {
	p := plan.New(arch, 3)
	root, context, mount, target := p.Register("root"), p.Register("context"), p.Register("mount"), p.Register("target")
	child, why := p.Register("child"), p.Register("why")
	how := p.How(unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0, unix.RESOLVE_IN_ROOT)
	p.At("root.path")
	p.Do(plan.Openat, unix.AT_FDCWD, "/srv/web", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC).To(root)
	p.At("mounts[0]")
	p.Do(plan.Fsopen, "proc", unix.FSOPEN_CLOEXEC).To(context).Tolerate(unix.EPERM, unix.ENODEV)
	p.Do(plan.Fsconfig, context, unix.FSCONFIG_CMD_CREATE, nil, nil, 0)
	p.Do(plan.Fsmount, context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID).To(mount)
	p.Do(plan.Openat2, root, "proc", how, plan.HowSize).To(target)
	p.Do(plan.MoveMount, mount, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	p.JumpOnTolerated(1)
	p.Do(plan.Mount, "proc", "/srv/web/proc", "proc", unix.MS_NOSUID, nil)
	p.JumpOnSuccess(5)
	p.At("runtime.md lifecycle 6")
	answer := p.Buffer("answer", make([]byte, 1))
	p.Do(plan.Read, 4, answer, 1).Set(plan.ZeroFails)
	p.Do(plan.Clone, unix.CLONE_PARENT|int(unix.SIGCHLD), nil, nil, nil, nil).To(child).Set(plan.IfZero)
	iov := p.Buffer("iov", append(make([]byte, 8), 8, 0, 0, 0, 0, 0, 0, 0))
	p.Point(iov, 0, plan.Cell(child))
	message := p.Buffer("message", append(make([]byte, 24), append([]byte{1}, make([]byte, 31)...)...))
	p.Point(message, 16, iov)
	p.Do(plan.Sendmsg, 4, message, unix.MSG_NOSIGNAL)
	p.Do(plan.ExitGroup, 0)
	p.JumpOnSuccess(8)
	p.At("process.args")
	argv, env := p.Strings([]string{"web", "-v"}), p.Strings([]string{"PATH=/bin"})
	p.Do(plan.Execve, "/usr/bin/web", argv, env).Tolerate(unix.ENOENT)
	p.Do(plan.Execve, "/bin/web", argv, env).To(why).Tolerate(unix.ENOENT, unix.EACCES).Set(plan.KeepErrno)
	p.Do(plan.Write, 4, plan.Cell(why), 8)
	p.Fail(unix.ENOENT)
	return p
}

func TestTheExampleOfTheManualIsWhatIsPrinted(t *testing.T) {
	manual, err := os.ReadFile("../../docs/plan.md")
	if err != nil {
		t.Skipf("the manual is not here: %v", err)
	}
	if example := grammar(plan.AMD64).Text(); !strings.Contains(string(manual), "```\n"+example+"```\n") {
		t.Errorf("docs/plan.md does not show this plan:\n%s", example)
	}
}

func TestPlansPrintAsTheirGoldenFiles(t *testing.T) {
	for _, arch := range []plan.Arch{plan.AMD64, plan.ARM64} {
		p := plan.New(arch, 3)
		for _, f := range forms {
			f(p)
		}
		golden(t, "forms-"+arch.String()+".txt", p.Text())
		p = grammar(arch)
		golden(t, "grammar-"+arch.String()+".txt", p.Text())
		golden(t, "grammar-"+arch.String()+".json", string(p.JSON(strconv.AppendQuote)))
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}

func TestThePlansJSONIsJSON(t *testing.T) {
	var steps []map[string]any
	if err := json.Unmarshal(grammar(plan.AMD64).JSON(strconv.AppendQuote), &steps); err != nil {
		t.Fatal(err)
	}
	if len(steps) != 15 || steps[0]["call"] != "openat" || steps[0]["origin"] != "root.path" {
		t.Errorf("%v", steps)
	}
}

func TestEachCallIsPrintedOnce(t *testing.T) {
	p := plan.New(plan.AMD64, 3)
	for _, f := range forms {
		f(p)
	}
	seen := map[plan.Call]bool{plan.Fail: true} // which grammar has
	for _, s := range p.Steps {
		seen[s.Call] = true
	}
	for c := plan.Test; c <= plan.Write; c++ {
		if !seen[c] {
			t.Errorf("no form has %s", c.Name())
		}
	}
}

// otherwise are the steps, by how they begin, that are not printed as strace
// 6.1 prints them, on purpose.
var otherwise = []struct{ step, why string }{
	{"capset({version=_LINUX_CAPABILITY_VERSION_3, pid=0}, {effective=permitted=~", "of most capabilities, those that lack"},
	{"mount_setattr(99, \"\", AT_EMPTY_PATH, {attr_set=MOUNT_ATTR_IDMAP", "MOUNT_ATTR__ATIME is the mask of three bits, no propagation is left out"},
	{"ioctl(99, TIOCGPTPEER, ", "its argument is open's flags"},
	{"prctl(PR_SET_DUMPABLE, 0)", "a number says it"},
	{"landlock_create_ruleset({handled_access_net=", "it doesn't know the ABI's versions from 4 on"},
	{"landlock_add_rule(99, LANDLOCK_RULE_NET_PORT, ", "the same"},
}

var kernelName = regexp.MustCompile(`\b_?[A-Z][A-Z0-9_]{2,}\b`)

func TestStracePrintsTheSameNames(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root for namespaces of its own")
	}
	arch, _ := plan.ArchOf(runtime.GOARCH)
	for _, f := range forms {
		p := plan.New(arch, 3)
		s := f(p)
		if s.Call == plan.Test {
			continue // no system call
		}
		p.Do(plan.ExitGroup, 0)
		image, err := stage.Image(p)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		name, out := filepath.Join(dir, "stage"), filepath.Join(dir, "out")
		if err := os.WriteFile(name, image, 0o755); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(strace, "-v", "-s", "4096", "-e", "signal=none", "-o", out, name)
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUTS | unix.CLONE_NEWNS | unix.CLONE_NEWPID | unix.CLONE_NEWIPC}
		var exit *exec.ExitError
		if err := c.Run(); err != nil && !errors.As(err, &exit) {
			t.Skipf("strace: %v", err)
		}
		text, err := os.ReadFile(out)
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(string(text), "\n")
		if len(lines) < 2 {
			t.Skipf("strace can't trace here: %s", text)
		}
		their, ours := lines[1], p.Sentence(0)
		if strings.HasPrefix(their, "syscall_0x") {
			t.Logf("strace does not know %s", s.Call.Name())
			continue
		}
		if call, _, _ := strings.Cut(their, "("); call != s.Call.Name() {
			t.Errorf("strace saw %s\n    for %s", their, ours)
			continue
		}
		their = their[:max(strings.LastIndex(their, " = "), 0)]
		if slices.ContainsFunc(otherwise, func(o struct{ step, why string }) bool { return strings.HasPrefix(ours, o.step) }) {
			continue
		}
		if d := cmp.Diff(names(their), names(ours)); d != "" {
			t.Errorf("%s\n%s\n%s", their, ours, d)
		}
	}
}

// names are the kernel's names in a line, each once; but O_RDONLY, which says nothing beside O_PATH.
func names(line string) []string {
	all := kernelName.FindAllString(line, -1)
	slices.Sort(all)
	return slices.DeleteFunc(slices.Compact(all), func(s string) bool { return s == "O_RDONLY" })
}

// What compares two plans sees no difference where a step has only been shifted.
func TestUnnumberedKnowsNoPlaces(t *testing.T) {
	t.Parallel()
	print := func(more bool) []string {
		p := plan.New(plan.AMD64, 3)
		p.At("root.path")
		if more {
			p.Do(plan.Chdir, "/more skip to 9")
		}
		p.Do(plan.Chdir, "/a skip to 2").Tolerate(unix.ENOENT)
		p.Do(plan.Setsid)
		p.JumpOnTolerated(p.Last() - 1)
		p.Do(plan.ExitGroup, 0)
		return strings.SplitAfter(p.Unnumbered(), "\n")
	}
	want := []string{"chdir(\"/a skip to 2\")  or ENOENT then skip 1 steps  root.path\n", "setsid()  root.path\n", "exit_group(0)  root.path\n", ""}
	if d := cmp.Diff(want, print(false)); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, print(true)[1:]); d != "" {
		t.Error(d)
	}
}
