package lifecycle

import (
	"bytes"
	"errors"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// newLogged makes a place whose container runs a shell's command and has a log.
func newLogged(t *testing.T, command string, options ...string) (p *proof, log string) {
	t.Helper()
	p = newTerminalPlace(t, process(map[string]any{"terminal": false, "args": []string{"sh", "-c", command}}))
	os.Symlink("busybox", filepath.Join(p.bundle, "rootfs/bin/seq"))
	log = filepath.Join(t.TempDir(), "web.log")
	p.flags = append([]string{"--log-driver", "file:" + log}, options...)
	return p, log
}

// runs runs the container detached.
func (p *proof) runs(flags ...string) {
	p.t.Helper()
	command := append(append(p.minirt(), "run", "-d"), flags...)
	if c := start(p.t, append(command, p.arguments()...)...).wait(p.t); c.status != 0 {
		p.t.Fatal(c.stderr)
	}
}

// ofWeb runs minirt on the container.
func (p *proof) ofWeb(args ...string) call {
	p.t.Helper()
	return start(p.t, append(append(p.minirt(), args...), "web")...).wait(p.t)
}

// ofLog reads all files of a log.
func ofLog(t *testing.T, log string) (names []string) {
	t.Helper()
	names, err := filepath.Glob(log + "*")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func TestRotationUnderLoadLosesNothing(t *testing.T) {
	const lines = 60_000
	p, log := newLogged(t, "seq "+strconv.Itoa(lines)+"; seq 300 >&2", "--log-opt", "max-size=100k,max-file=1000")
	p.minirt()
	before := p.census()
	p.runs()
	follow := p.ofWeb("logs", "-f")
	after := p.ofWeb("logs")
	var want, wantErr strings.Builder
	for i := range lines {
		want.WriteString(strconv.Itoa(i+1) + "\n")
	}
	for i := range 300 {
		wantErr.WriteString(strconv.Itoa(i+1) + "\n")
	}
	for name, got := range map[string]call{"while it runs": follow, "afterwards": after} {
		if got.stdout != want.String() || got.stderr != wantErr.String() {
			t.Errorf("%s: %d and %d bytes, want %d and %d", name, len(got.stdout), len(got.stderr), want.Len(), wantErr.Len())
		}
	}
	files := ofLog(t, log)
	if len(files) < 20 {
		t.Errorf("there are only %d files", len(files))
	}
	for _, name := range files {
		if st, err := os.Stat(name); err != nil || st.Size() > 100_000 || st.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v %v", name, st, err)
		}
	}
	if c := p.ofWeb("delete"); c.status != 0 {
		t.Error(c.stderr)
	}
	p.nothingLeft(before, "run with a log")
}

func TestALogHoldsEachByteThatWasSaid(t *testing.T) {
	p, _ := newLogged(t, "cat /data; cat /data >&2")
	data := make([]byte, 300_000)
	rand.New(rand.NewSource(1)).Read(data)
	copy(data[1000:], bytes.Repeat([]byte("a long line "), 8000))
	copy(data[200_000:], strings.Repeat("\n", 2000))
	if err := os.WriteFile(filepath.Join(p.bundle, "rootfs/data"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	p.runs()
	p.ends("web")
	c := p.ofWeb("logs")
	if c.stdout != string(data) || c.stderr != string(data) {
		t.Errorf("%d and %d bytes, want %d", len(c.stdout), len(c.stderr), len(data))
	}
}

// writer waits for the container's writer.
func (p *proof) writer() int {
	p.t.Helper()
	c, err := p.load("web")
	if err != nil {
		p.t.Fatal(err)
	}
	c.close()
	return c.Log.Writer.PID
}

func TestTheWriterIsSmallAndHasNothingOfTheCallers(t *testing.T) {
	p, log := newLogged(t, "echo hello; sleep 1000", "--preserve-fds", "1")
	before := p.census()
	command := append([]string{"sh", "-c", `exec 3</etc/passwd 9</etc/group; exec "$@"`, "sh"}, append(append(p.minirt(), "run", "-d"), p.arguments()...)...)
	if c := start(t, command...).wait(t); c.status != 0 {
		t.Fatal(c.stderr)
	}
	proc := "/proc/" + strconv.Itoa(p.writer())
	time.Sleep(300 * time.Millisecond)
	var got []string
	for _, e := range entries(proc + "/fd") {
		target, _ := os.Readlink(proc + "/fd/" + e)
		kind, _, _ := strings.Cut(target, ":")
		got = append(got, kind)
	}
	dir := filepath.Dir(log)
	want := []string{"pipe", "pipe", log, dir, "anon_inode", filepath.Join(p.Root, "web", exitFile)}
	if got[4] == "pidfd" {
		want[4] = got[4]
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("its descriptors (-want +got):\n%s", diff)
	}
	if cwd, _ := os.Readlink(proc + "/cwd"); cwd != "/" {
		t.Errorf("it is in %q", cwd)
	}
	if b, _ := os.ReadFile(proc + "/environ"); len(b) > 0 {
		t.Errorf("its environment is %q", b)
	}
	if b, _ := os.ReadFile(proc + "/cgroup"); bytes.Contains(b, []byte(p.cgroup)) {
		t.Errorf("it is in the container's cgroup:\n%s", b)
	}
	stat, _ := os.ReadFile(proc + "/stat")
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	if fields[3] != strconv.Itoa(p.writer()) || fields[17] != "1" {
		t.Errorf("it is in session %s, with %s threads", fields[3], fields[17])
	}
	memory, _ := os.ReadFile(proc + "/smaps_rollup")
	for line := range strings.Lines(string(memory)) {
		if f := strings.Fields(line); f[0] == "Anonymous:" || f[0] == "Pss:" {
			t.Log(strings.TrimSpace(line))
			if kib, _ := strconv.Atoi(f[1]); f[0] == "Anonymous:" && kib > 64 {
				t.Errorf("it has %d KiB of its own", kib)
			}
		}
	}
	if c := p.ofWeb("delete", "--force"); c.status != 0 {
		t.Error(c.stderr)
	}
	p.nothingLeft(before, "delete --force")
}

func TestAContainerWhoseWriterIsKilledIsTold(t *testing.T) {
	p, log := newLogged(t, "while echo tick; do sleep 0.02; done; exit 5")
	before := p.census()
	p.runs()
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if b, _ := os.ReadFile(log); bytes.Contains(b, []byte("tick\n")) || time.Now().After(end) {
			break
		}
	}
	follow := start(t, append(p.minirt(), "logs", "-f", "web")...)
	time.Sleep(100 * time.Millisecond)
	e, err := p.Await("web")
	if err != nil {
		t.Fatal(err)
	}
	defer e.Close()
	unix.Kill(p.writer(), unix.SIGKILL)
	if c := follow.wait(t); !strings.HasPrefix(c.stdout, "tick\n") || c.status != 0 {
		t.Errorf("%+v", c)
	}
	if status, err := e.Wait(); status != 5 || err != nil {
		t.Errorf("status %d, %v, want 5: a write that fails with EPIPE", status, err)
	}
	f, err := os.OpenFile(log, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString("2026-11-25T03:44:29.123456789Z stdout F half a li")
	f.Close()
	e.Close()
	if c := p.ofWeb("delete"); c.status != 0 {
		t.Error(c.stderr)
	}
	p.nothingLeft(before, "a killed writer")
	p.runs()
	time.Sleep(100 * time.Millisecond)
	if b, _ := os.ReadFile(log); !bytes.Contains(b, []byte("half a li\n20")) {
		t.Error("the next container goes on in the line that wasn't ended")
	}
}

func TestTwoContainersCantHaveOneLog(t *testing.T) {
	p, log := newLogged(t, "sleep 1000")
	p.runs()
	before := p.census()
	command := append(append(append(p.minirt(), "create"), p.flags...), "-b", p.bundle, "db")
	if c := start(t, command...).wait(t); !strings.Contains(c.stderr, log+`": it is the log of another container that runs`) {
		t.Errorf("%+v", c)
	}
	p.nothingLeft(before, "a log that is taken")
}

// What a disk has no room for is lost, and the log tells: the container goes on.
func TestAFullDiskStopsNobody(t *testing.T) {
	p, _ := newLogged(t, "seq 100000; echo full >&2; while [ ! -e /go ]; do sleep 0.02; done; echo room; sleep 0.1; echo again")
	disk := t.TempDir()
	p.flags = []string{"--log-driver", "file:" + disk + "/web.log"}
	command := []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs -o size=256k none "$0" && head -c 128k /dev/zero >"$0/filler" && exec "$@"`, disk}
	if c := start(t, append(append(append(command, p.minirt()...), "run", "-d"), p.arguments()...)...).wait(t); c.status != 0 {
		t.Skip(c.stderr)
	}
	proc := "/proc/" + strconv.Itoa(p.writer())
	room := proc + "/root" + disk
	log, err := os.Open(room + "/web.log")
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	rchar := func() string { b, _ := os.ReadFile(proc + "/io"); s, _, _ := strings.Cut(string(b), "\n"); return s }
	for last := ""; last != rchar(); time.Sleep(200 * time.Millisecond) {
		last = rchar()
	}
	if err := os.Remove(room + "/filler"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.bundle, "rootfs/go"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	p.ends("web")
	time.Sleep(100 * time.Millisecond)
	var said []string
	b := make([]byte, 1<<20)
	n, _ := log.ReadAt(b, 0)
	for line := range strings.Lines(string(b[:n])) {
		if _, text, ok := strings.Cut(line, "Z std"); !ok || !strings.HasPrefix(text, "out F ") && !strings.HasPrefix(text, "err F ") {
			t.Fatalf("no whole line: %q", line)
		}
		said = append(said, strings.TrimSpace(line[31:]))
	}
	const notice, why = "stderr F minirt: ", " lines are missing here, which could not be written: no space left on device"
	lost, kept := 0, 0
	for _, line := range said {
		if number, ok := strings.CutPrefix(line, notice); ok {
			n, err := strconv.Atoi(strings.TrimSuffix(number, why))
			if err != nil {
				t.Errorf("the notice is %q", line)
			}
			lost += n
		} else {
			kept++
		}
	}
	if lost < 10_000 || lost+kept != 100_003 {
		t.Errorf("%d lines are there, and %d are told to be lost, of 100003", kept, lost)
	}
	if n := len(said); !strings.HasPrefix(said[n-3], notice) || said[n-2] != "stdout F room" || said[n-1] != "stdout F again" {
		t.Errorf("the last lines are %q", said[n-3:])
	}
}

// A program that isn't root opens its output by name, as nginx and others do.
func TestTheContainersUserMayOpenItsOutput(t *testing.T) {
	for name, mapped := range map[string]bool{"of the host": false, "mapped": true} {
		t.Run(name, func(t *testing.T) {
			p := newTerminalPlace(t, func(config map[string]any) {
				process(map[string]any{"terminal": false, "args": []string{"sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr"},
					"user": map[string]any{"uid": 1000, "gid": 1000}})(config)
				if mapped {
					linux := config["linux"].(map[string]any)
					ids := []any{map[string]any{"containerID": 0, "hostID": 100000, "size": 65536}}
					linux["uidMappings"], linux["gidMappings"] = ids, ids
					linux["namespaces"] = append(linux["namespaces"].([]any), map[string]any{"type": "user"})
				}
			})
			p.flags = []string{"--log-driver", "file:" + filepath.Join(t.TempDir(), "web.log")}
			p.runs()
			p.ends("web")
			if c := p.ofWeb("logs"); c.stdout != "out\n" || c.stderr != "err\n" {
				t.Errorf("%+v", c)
			}
		})
	}
}

// TestMinirtKilledWhileItMakesALogLeavesWhatDeleteClears is TestKilledAnywhere…
// for a container with a log: its writer ends when nobody can say anything any more.
func TestMinirtKilledWhileItMakesALogLeavesWhatDeleteClears(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is not installed")
	}
	p, _ := newLogged(t, "echo hello; sleep 1000")
	p.minirt()
	p.before = p.census()
	points := p.points(strace, "create")
	stride := 9
	if long {
		stride = 1
	}
	for i := 3; i < len(points) && !t.Failed(); i += stride {
		p.killedAt(strace, "create", points[i])
	}
	if len(points) < 50 {
		t.Errorf("only %d system calls", len(points))
	}
}

func TestTheStatusIsKeptByAWriterAndByNobodyElse(t *testing.T) {
	for _, logged := range []bool{true, false} {
		p, _ := newLogged(t, "exit 7")
		if !logged {
			p.flags = nil
		}
		p.runs()
		p.ends("web") // and reaps it
		e, err := p.Await("web")
		if err != nil {
			t.Fatal(err)
		}
		status, err := e.Wait()
		if logged && (status != 7 || err != nil) || !logged && !errors.Is(err, ErrStatusUnknown) {
			t.Errorf("with a log %v: %d, %v", logged, status, err)
		}
		e.Close()
		p.Delete("web", true)
	}
}

// The end is told of a zombie, and of who has been reaped since.
func TestAnEndIsToldBeforeAndAfterItIsReaped(t *testing.T) {
	for _, reapedBefore := range []bool{false, true} {
		p, _ := newLogged(t, "exit 7")
		p.flags = nil
		if err := p.Create("web", p.options()); err != nil {
			t.Fatal(err)
		}
		e, err := p.Await("web")
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		if err := p.Start("web"); err != nil {
			t.Fatal(err)
		}
		if reapedBefore {
			p.ends("web")
			if err := p.Delete("web", false); err != nil {
				t.Fatal(err)
			}
		}
		if status, err := e.Wait(); status != 7 || err != nil {
			t.Errorf("reaped before %v: %d, %v", reapedBefore, status, err)
		}
		p.Delete("web", true)
	}
}
