package stage

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// waiting starts a stage that says that it is there and then waits for end of
// file, and gives its process; it ends with the test.
func waiting(t *testing.T, fd int, namespaces uintptr) Process {
	t.Helper()
	gate, gateW := pipe(t)
	out, outW := pipe(t)
	defer unix.Close(out)
	pr, err := Start(fd, []string{"a name"}, []uintptr{uintptr(gate), uintptr(outW)}, namespaces, -1)
	if err != nil {
		t.Fatal(err)
	}
	unix.Close(gate)
	unix.Close(outW)
	t.Cleanup(func() {
		unix.Close(gateW)
		unix.Close(pr.PIDFD)
		wait(t, pr.PID)
	})
	if n, err := unix.Read(out, make([]byte, 1)); n != 1 {
		t.Fatalf("the stage did not begin: %v", err)
	}
	return pr
}

// waits is a plan of steps steps for it.
func waits(steps int) *plan.Plan {
	p := newPlan()
	b := p.Buffer("byte", []byte{0})
	for range steps {
		p.Do(plan.Openat2, 99, "some/place/or/other", p.How(unix.O_PATH, 0, 0), plan.HowSize).Tolerate(unix.EBADF)
	}
	p.Do(plan.Write, 1, "!", 1)
	p.Do(plan.Read, 0, b, 1)
	p.Do(plan.ExitGroup, 0)
	return p
}

func procfile(t *testing.T, pr Process, name string) string {
	t.Helper()
	b, err := os.ReadFile("/proc/" + strconv.Itoa(pr.PID) + "/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestAWaitingStageHoldsAFewPages(t *testing.T) {
	for _, steps := range []int{0, 300} {
		pr := waiting(t, sealed(t, image(t, waits(steps))), 0)
		pss := -1
		for _, l := range strings.Split(procfile(t, pr, "smaps_rollup"), "\n") {
			if f := strings.Fields(l); len(f) == 3 && f[0] == "Pss:" {
				pss, _ = strconv.Atoi(f[1])
			}
		}
		t.Logf("after %d steps a waiting stage holds %d KiB", steps, pss)
		if pss < 0 || pss > 64*os.Getpagesize()/4096 {
			t.Errorf("after %d steps a waiting stage holds %d KiB", steps, pss)
		}
	}
}

func TestAStageHasOneThreadNoEnvironmentAndItsNameInPs(t *testing.T) {
	t.Setenv("SECRET", "1")
	pr := waiting(t, sealed(t, image(t, waits(0))), 0)
	if e := procfile(t, pr, "environ"); e != "" {
		t.Errorf("environment %q", e)
	}
	if c := procfile(t, pr, "cmdline"); c != "a name\x00" {
		t.Errorf("command line %q", c)
	}
	if s := procfile(t, pr, "status"); !strings.Contains(s, "Threads:\t1\n") {
		t.Error(s)
	}
}

func TestAStageHasTheDescriptorsGivenAndNoOthers(t *testing.T) {
	if err := unix.CloseRange(3, 1<<31, unix.CLOSE_RANGE_CLOEXEC); err != nil { // what the caller of this test leaks
		t.Fatal(err)
	}
	pr := waiting(t, sealed(t, image(t, waits(0))), 0)
	list, err := os.ReadDir("/proc/" + strconv.Itoa(pr.PID) + "/fd")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	if d := cmp.Diff([]string{"0", "1"}, names); d != "" {
		t.Error(d)
	}
}

func TestNobodyCanChangeASealedImage(t *testing.T) {
	b := image(t, waits(0))
	fd := sealed(t, b)
	pr := waiting(t, fd, 0)
	for _, name := range []string{path(fd), "/proc/" + strconv.Itoa(pr.PID) + "/exe"} {
		if w, err := unix.Open(name, unix.O_WRONLY|unix.O_TRUNC|unix.O_CLOEXEC, 0); err == nil {
			unix.Close(w)
			t.Errorf("%s was truncated", name)
		}
		w, err := unix.Open(name, unix.O_WRONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			continue // busy: being executed
		}
		if _, err := unix.Write(w, []byte("x")); err != unix.EPERM {
			t.Errorf("a write to %s: %v", name, err)
		}
		unix.Close(w)
	}
	for _, size := range []int64{0, int64(len(b)) + 1} {
		if err := unix.Ftruncate(fd, size); err != unix.EPERM {
			t.Errorf("its size was set to %d: %v", size, err)
		}
	}
	if _, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, 0); err != unix.EPERM {
		t.Errorf("seals can still be added: %v", err)
	}
	if _, err := unix.Mmap(fd, 0, len(b), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err == nil {
		t.Error("it was mapped for writing")
	}
	now, err := os.ReadFile(path(fd))
	if err != nil || !bytes.Equal(now, b) {
		t.Errorf("the image has changed, error %v", err)
	}
}

func TestANamelessFileServesInPlaceOfAMemfd(t *testing.T) {
	dir := t.TempDir()
	old := unix.Umask(0o777)
	fd, err := nameless(image(t, smallest()), dir)
	unix.Umask(old)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if d := cmp.Diff(ran{Status: 5}, runImage(t, fd)); d != "" {
		t.Error(d)
	}
	if _, err := unix.Write(fd, []byte("x")); err != unix.EBADF {
		t.Errorf("the descriptor can be written: %v", err)
	}
	if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil || flags != unix.FD_CLOEXEC {
		t.Errorf("descriptor flags %#x, error %v", flags, err)
	}
	if list, _ := os.ReadDir(dir); len(list) != 0 {
		t.Errorf("it left %v", list)
	}
}

func TestANamelessFileThatCantServeNamesTheSysctl(t *testing.T) {
	for _, dir := range []string{"/proc", filepath.Join(t.TempDir(), "missing")} {
		fd, err := nameless(image(t, smallest()), dir)
		if err == nil {
			unix.Close(fd)
		}
		if err == nil || !strings.Contains(err.Error(), "vm.memfd_noexec") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: got %v", dir, err)
		}
	}
}

// The sysctl is one of the pid namespace, and only ever grows: so the test runs itself again in one of its own.
func TestAStageRunsWhateverMemfdNoexecSays(t *testing.T) {
	const sysctl = "/proc/sys/vm/memfd_noexec"
	if level := os.Getenv("STAGE_TEST_NOEXEC"); level != "" {
		if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(sysctl, []byte(level), 0); err != nil {
			t.Fatal(err)
		}
		fd := sealed(t, image(t, smallest()))
		if d := cmp.Diff(ran{Status: 5}, runImage(t, fd)); d != "" {
			t.Error(d)
		}
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0); (err == nil) != (level != "2") {
			t.Errorf("the image's seals: %v", err)
		}
		return
	}
	if _, err := os.Stat(sysctl); err != nil {
		t.Skip("this kernel has no vm.memfd_noexec (Linux 6.3)")
	}
	if os.Geteuid() != 0 {
		t.Skip("needs root for a pid namespace")
	}
	for _, level := range []string{"0", "1", "2"} {
		c := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
		c.Env = append(os.Environ(), "STAGE_TEST_NOEXEC="+level)
		c.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWPID | unix.CLONE_NEWNS, Unshareflags: unix.CLONE_NEWNS}
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("vm.memfd_noexec=%s: %v\n%s", level, err, out)
		}
	}
}

func TestAStageIsBornInNewNamespaces(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	pr := waiting(t, sealed(t, image(t, waits(0))), unix.CLONE_NEWPID|unix.CLONE_NEWUTS|unix.CLONE_NEWNS)
	for _, ns := range []string{"pid", "uts", "mnt", "ipc"} {
		own, err1 := os.Readlink("/proc/self/ns/" + ns)
		its, err2 := os.Readlink("/proc/" + strconv.Itoa(pr.PID) + "/ns/" + ns)
		if err1 != nil || err2 != nil || (own == its) != (ns == "ipc") {
			t.Errorf("%s: %s and %s, errors %v, %v", ns, own, its, err1, err2)
		}
	}
}

func TestThePidfdRefersToTheStage(t *testing.T) {
	pr := waiting(t, sealed(t, image(t, waits(0))), 0)
	fds := []unix.PollFd{{Fd: int32(pr.PIDFD), Events: unix.POLLIN}}
	if n, err := unix.Poll(fds, 0); n != 0 || err != nil {
		t.Fatalf("it ended: %v", err)
	}
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(pr.PIDFD))
	if err != nil || !strings.Contains(string(info), "Pid:\t"+strconv.Itoa(pr.PID)+"\n") {
		t.Errorf("%s, error %v", info, err)
	}
}

// ForkExec makes the stage's descriptors before it executes the image by its number.
func TestAnImageRunsWhateverNumberItsDescriptorHas(t *testing.T) {
	fd := sealed(t, image(t, smallest()))
	for n := range 24 {
		low, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, n)
		if err != nil {
			t.Fatal(err)
		}
		for _, more := range [][]uintptr{nil, {0, 1, 2, 0, 1, 2, 0, 1}} { // low numbers in high places are moved
			if d := cmp.Diff(ran{Status: 5}, runImage(t, low, more...)); d != "" {
				t.Errorf("descriptor %d: %s", low, d)
			}
		}
		unix.Close(low)
	}
}

func TestAnImageThatCantBeExecutedIsAnError(t *testing.T) {
	before := descriptors(t)
	fd := sealed(t, []byte("no program"))
	if _, err := Start(fd, []string{"stage"}, []uintptr{0, 1, 2}, 0, -1); err != syscall.ENOEXEC {
		t.Errorf("got %v", err)
	}
	unix.Close(fd)
	if d := cmp.Diff(before, descriptors(t)); d != "" {
		t.Errorf("descriptors leak: %s", d)
	}
}

// descriptors lists what is open, but for what the runtime polls with.
func descriptors(t *testing.T) (open []string) {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if l, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil && !strings.Contains(l, "anon_inode:[event") {
			open = append(open, e.Name()+" "+l)
		}
	}
	return slices.Sorted(slices.Values(open))
}
