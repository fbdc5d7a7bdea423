package conformance

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// LC-12
func TestKillOfAStoppedContainerFails(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"))
	b.create()
	b.start()
	b.ends()
	b.fails("kill", b.id, "TERM")
	b.fails("kill", b.id, "KILL")
	b.is(specs.StateStopped)
}

// LC-13
func TestKillDeliversThatVerySignal(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(`for i in $(busybox seq 64); do case $i in 9|17|19|32|33) ;; *) trap "echo got $i." $i ;; esac; done
echo ready.; while :; do sleep 1000 & wait; done`))
	b.create()
	b.start()
	b.printed("ready.")
	for i := 1; i <= 64; i++ {
		switch i {
		case 9, 19, 17: // can't be caught; comes from the shell's own children
		case 32, 33: // the C library's
		default:
			b.must("kill", b.id, strconv.Itoa(i))
			b.printed(fmt.Sprintf("got %d.", i))
		}
	}
	if got := strings.Count(contents(b.output), "got"); got != 59 {
		t.Errorf("%d signals were received, 59 sent", got)
	}
	b.must("kill", b.id, "SIGUSR1")
	b.until("a second USR1", func() bool { return strings.Count(contents(b.output), "got 10.") == 2 })
	b.fails("kill", b.id, "65")
	b.fails("kill", b.id, "SIGNOPE")
	b.is(specs.StateRunning)
	b.must("kill", b.id, "9")
	b.ends()
}

// LC-13
func TestKillEndsACreatedContainer(t *testing.T) {
	for _, signal := range []string{"TERM", "INT", "KILL", "RTMIN", "64"} {
		t.Run(signal, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(counting))
			b.create()
			b.must("kill", b.id, signal)
			b.ends()
			b.fails("start", b.id)
			if b.starts() != 0 {
				t.Error("the program has run")
			}
			b.must("delete", b.id)
			b.unknown()
		})
	}
}

// LC-14
func TestASignalThatDoesNotEndACreatedContainerLeavesItStartable(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(counting))
	b.create()
	for _, signal := range []string{"CONT", "WINCH", "CHLD", "URG"} {
		b.must("kill", b.id, signal)
		b.is(specs.StateCreated)
	}
	b.start()
	b.printed("started")
}

// LC-15
func TestDeleteOfALivingContainerFailsAndDoesNothing(t *testing.T) {
	for _, state := range []specs.ContainerState{specs.StateRunning, "paused"} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			b := newBox(t, shell(counting))
			b.in(state)
			b.fails("delete", b.id)
			b.is(state)
		})
	}
	t.Run("created, when strict", func(t *testing.T) {
		t.Parallel()
		if !ours {
			t.Skip("--strict is minirt's")
		}
		b := newBox(t, shell(counting))
		b.in(specs.StateCreated)
		b.flags = []string{"--strict"}
		b.fails("delete", b.id)
		b.is(specs.StateCreated)
		b.start()
		b.printed("started")
	})
	t.Run("created, as engines rely on", func(t *testing.T) {
		t.Parallel()
		b := newBox(t, shell(counting))
		b.in(specs.StateCreated)
		b.must("delete", b.id)
		b.unknown()
	})
}

// LC-16, LC-17
func TestDeleteRemovesAllThatCreateMadeAndNothingElse(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell(waiting))
	pause := b.other()
	b.edit(set(netNS+".path", fmt.Sprintf("/proc/%d/ns/net", pause)))
	parents := b.cgroup
	b.cgroup += "/below"
	b.edit(set("linux.cgroupsPath", b.cgroup))
	for _, h := range hierarchies() {
		if err := os.Mkdir(h+parents, 0o755); err != nil {
			t.Fatal(err)
		}
		defer syscall.Rmdir(h + parents)
	}
	socket, err := net.Listen("unix", b.path("socket"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	var dev [2]string
	dev[0], _ = os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pause))
	before := b.files()
	for range 2 { // the same id is free again
		b.create()
		b.start()
		b.must("kill", b.id, "KILL")
		b.ends()
		b.must("delete", b.id)
		b.unknown()
	}
	dev[1], _ = os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pause))
	if dev[0] != dev[1] || dev[0] == "" {
		t.Errorf("the joined network namespace was %q, is %q", dev[0], dev[1])
	}
	for _, h := range hierarchies() {
		if _, err := os.Stat(h + parents); err != nil {
			t.Error("a cgroup that was there before:", err)
		}
	}
	for _, name := range []string{"config.json", "rootfs/bin/probe", "socket"} {
		if _, err := os.Lstat(b.path(name)); err != nil {
			t.Error(err)
		}
	}
	if ours {
		same(t, "files of the root file system", b.files(), before)
	}
}

// LC-16: the smallest container shares the host's mounts; those of its config
// are made below the root, and go with it.
func TestMountsOfAContainerWithoutAMountNamespaceGoWithIt(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell("cat /proc/self/status >/dev/null && echo proc; "+waiting), set("linux.namespaces", []any{}), drop("hostname"), set("mounts", raw(`[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/tmp","type":"tmpfs","source":"t"}]`)))
	if r := b.call("create", "--bundle", b.dir, b.id); r.status != 0 && !ours {
		t.Skip(r)
	}
	b.start()
	b.printed("proc")
	b.must("kill", b.id, "KILL")
	b.ends()
	b.must("delete", b.id)
	b.unknown()
	b.must("run", "--bundle", b.dir, "--detach", b.id)
	b.must("delete", "--force", b.id)
	b.unknown()
}

// other starts a process in namespaces of its own, for the test's time, and gives its pid.
func (b *box) other() int {
	b.Helper()
	c := exec.Command("sleep", "1000")
	c.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC | syscall.CLONE_NEWPID | syscall.CLONE_NEWNS | syscall.CLONE_NEWCGROUP,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c.Process.Pid
}
