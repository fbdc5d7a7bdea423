package security

import (
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A user is the numbers of the config, with the groups and capabilities of the
// config, and no others.
func TestAUserIsWhatTheConfigSays(t *testing.T) {
	attacks := []attack{
		{
			sec: "SEC-01", is: "the image's passwd has the uid for a name",
			bundle: func(b *box) {
				b.write("/etc/passwd", "1000:x:0:0::/:/bin/sh\n", 0o644)
				b.user(1000, 1000)
				b.sh("id -u; id -g")
			},
			says: "1000\n1000\n",
		},
		{
			sec: "SEC-02", is: "an ordinary user, and capabilities that aren't ambient",
			bundle: func(b *box) {
				b.user(1000, 1000)
				b.capable("CAP_CHOWN")
				b.sh("grep -E 'Cap(Inh|Prm|Eff|Amb)' /proc/self/status | grep -v 0000000000000000; echo none")
			},
			says: "none", never: "Cap",
		},
		{
			sec: "SEC-43", is: "the caller has groups, the config one",
			bundle: func(b *box) {
				b.groups(4, 24, 27)
				b.user(1000, 1000)
				b.spec.Process.User.AdditionalGids = []uint32{5}
				b.sh("grep Groups /proc/self/status")
			},
			says: "Groups:\t5 \n",
		},
		{
			sec: "SEC-43", is: "the caller has groups, the config none",
			bundle: func(b *box) {
				b.groups(4, 24, 27)
				b.user(1000, 1000)
				b.sh("grep Groups /proc/self/status")
			},
			says: "Groups:\t \n",
		},
		{
			sec: "SEC-43", is: "the caller has groups, the config none, and the user is root",
			bundle: func(b *box) {
				b.groups(4, 24, 27)
				b.sh("grep Groups /proc/self/status")
			},
			says: "Groups:\t \n",
		},
		{
			sec: "SEC-46", is: "HOME has a line for the image's passwd",
			bundle: func(b *box) {
				b.write("/etc/passwd", "root:x:0:0::/root:/bin/sh\n", 0o644)
				b.spec.Process.Env = append(b.spec.Process.Env, "HOME=/x\nroot2::0:0")
				b.sh(`cat /etc/passwd; echo "$HOME"`)
			},
			says: "root:x:0:0::/root:/bin/sh\n/x\nroot2::0:0\n",
		},
		{
			sec: "SEC-52", is: "a program in a directory of root's",
			bundle: func(b *box) {
				b.write("/root-only/x", "#!/bin/sh\necho RAN\n", 0o755)
				must(b, os.Chmod(b.root+"/root-only", 0o700))
				b.user(1000, 1000)
				b.spec.Process.Args = []string{"/root-only/x"}
			},
			refused: "permission denied", never: "RAN",
		},
		{
			sec: "SEC-52", is: "a working directory of root's is entered, and can't be read",
			bundle: func(b *box) {
				b.write("/root-only/secret", "SECRET", 0o644)
				must(b, os.Chmod(b.root+"/root-only", 0o700))
				b.user(1000, 1000)
				b.spec.Process.Cwd = "/root-only"
				b.sh("ls .; cat secret; cat ./secret; true")
			},
			either: true, says: "ermission denied", never: "SECRET",
		},
	}
	for _, uid := range []string{"4294967296", "4294967295", "-1", "1e3", `"0"`, "1.5", "null"} {
		attacks = append(attacks, attack{
			sec: "SEC-44", is: "uid " + uid,
			bundle: func(b *box) {
				b.config = func(text string) string { return strings.Replace(text, `"uid": 0`, `"uid": `+uid, 1) }
			},
			refused: "process.user.uid",
		})
	}
	withstand(t, attacks)
}

// groups gives the runtime's caller supplementary groups.
func (b *box) groups(list ...uint32) {
	b.caller = func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Groups: list}}
	}
}

// SEC-45: whatever the image's passwd is, a container starts at once, without much memory.
func TestSEC45TheImagesPasswdCantHinder(t *testing.T) {
	large := func(size int64, head string) func(b *box, path string) {
		return func(b *box, path string) {
			b.write("/etc/passwd", head, 0o644)
			must(b, os.Truncate(path, size))
		}
	}
	for name, make := range map[string]func(b *box, path string){
		"a FIFO":                   func(b *box, path string) { must(b, unix.Mkfifo(path, 0o644)) },
		"4 GiB":                    large(4<<30, ""),
		"one line of 1 GiB":        large(1<<30, "root:x:0:0::/"),
		"a link to /dev/zero":      func(b *box, path string) { must(b, os.Symlink("/dev/zero", path)) },
		"a link to the host's":     func(b *box, path string) { must(b, os.Symlink(b.canary+"/passwd", path)) },
		"a directory":              func(b *box, path string) { must(b, os.Mkdir(path, 0o755)) },
		"a device that never ends": func(b *box, path string) { must(b, unix.Mknod(path, unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5)))) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBox(t)
			must(t, os.WriteFile(b.canary+"/passwd", []byte("root:x:0:0::/canary:/bin/sh\n"), 0o600))
			make(b, b.root+"/etc/passwd")
			b.sh("echo home is $HOME.")
			b.caller = func(c *exec.Cmd) { // busybox is small: its child's greatest memory is the runtime's own
				busybox, _ := exec.LookPath("busybox")
				c.Path, c.Args = busybox, append([]string{"busybox", "time", "-v"}, c.Args...)
			}
			b.save()
			o := b.call("run", b.making("run")...)
			if !strings.Contains(o.stdout, "home is /.\n") {
				t.Errorf("HOME is not /: %v", o)
			}
			if o.took > 2*time.Second { // one, on a machine that has nothing else to do
				t.Errorf("took %v", o.took)
			}
			m := regexp.MustCompile(`Maximum resident set size \(kbytes\): (\d+)`).FindStringSubmatch(o.stderr)
			if m == nil {
				t.Fatalf("busybox told nothing of memory: %v", o)
			}
			if kib, _ := strconv.Atoi(m[1]); kib > 30<<10 {
				t.Errorf("took %d KiB", kib)
			}
		})
	}
}

// controlled gives a command a session of its own with a controlling terminal, its standard input.
func controlled(t *testing.T, c *exec.Cmd) {
	t.Helper()
	ptmx, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { ptmx.Close() })
	must(t, unix.IoctlSetPointerInt(int(ptmx.Fd()), unix.TIOCSPTLCK, 0))
	n, err := unix.IoctlGetInt(int(ptmx.Fd()), unix.TIOCGPTN)
	must(t, err)
	tty, err := os.OpenFile(fmt.Sprint("/dev/pts/", n), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	t.Cleanup(func() { tty.Close() })
	c.Stdin = tty
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
}

// SEC-35: the caller's terminal is out of reach without a terminal of the container's own.
func TestSEC35TheCallersTerminalIsOutOfReach(t *testing.T) {
	b := newBox(t)
	// Without a runtime the program does reach it: the test can fail.
	self := exec.Command("/proc/self/exe")
	self.Env = append(os.Environ(), inside+"=terminal")
	controlled(t, self)
	if out, err := self.Output(); err != nil || !strings.Contains(string(out), "/dev/tty opened") {
		t.Skipf("this machine has no controlling terminals: %s %v", out, err)
	}
	b.hostile("terminal")
	for _, way := range ways {
		b.caller = func(c *exec.Cmd) {
			if c.SysProcAttr == nil {
				controlled(t, c)
			}
		}
		o := b.run(way)
		if !strings.Contains(o.stdout, "session true\n/dev/tty: ") || strings.Contains(o.stdout, "pushed") || strings.Contains(o.stdout, "opened") {
			t.Errorf("the terminal was reached: %v", o)
		}
	}
}

// SEC-36: the runtime refuses to be a setuid program.
func TestSEC36ASetuidRuntimeRefuses(t *testing.T) {
	b := newBox(t)
	text, err := os.ReadFile(runtime)
	must(t, err)
	b.program = b.dir + "/minirt"
	must(t, os.WriteFile(b.program, text, 0o755))
	must(t, os.Chmod(b.program, 0o755|os.ModeSetuid))
	b.states = b.dir + "/s/states"
	must(t, os.Mkdir(b.dir+"/s", 0o777))
	must(t, os.Chmod(b.dir+"/s", 0o777))
	b.caller = func(c *exec.Cmd) {
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	}
	b.sh("id -u")
	before := b.census()
	for _, way := range ways {
		b.closed(before, b.run(way), "setuid")
	}
}

// SEC-36: nobody with the container's uid can trace its process before the program runs.
func TestSEC36TheStageCantBeTraced(t *testing.T) {
	b := newBox(t)
	b.user(1000, 1000)
	b.spec.Process.Capabilities = nil
	attach := func(pid int) string {
		c := exec.Command("/proc/self/exe", strconv.Itoa(pid))
		c.Env = append(os.Environ(), inside+"=attach")
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
		out, err := c.Output()
		must(t, err)
		return string(out)
	}
	sleeper := exec.Command("sleep", "20")
	sleeper.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 1000, Gid: 1000}}
	must(t, sleeper.Start())
	defer func() { sleeper.Process.Kill(); sleeper.Wait() }()
	if got := attach(sleeper.Process.Pid); got != "attach: <nil>\n" {
		t.Skipf("processes of one user can't trace each other here: %s", got)
	}
	if o := b.create(); o.refused {
		t.Fatalf("refused: %v", o)
	}
	if got := attach(b.pid()); got != "attach: operation not permitted\n" {
		t.Errorf("attach to the created container's process: %s", got)
	}
	b.call("delete", "delete", "--force", "c")
}

// SEC-47: hooks on the host have nothing of the container's environment.
func TestSEC47HooksHaveNothingOfTheContainers(t *testing.T) {
	b := newBox(t)
	b.spec.Process.Env = append(b.spec.Process.Env, "LD_PRELOAD=./x.so", "PATH=.")
	must(t, os.WriteFile(b.bundle+"/x.so", nil, 0o755))
	b.spec.Process.Args = []string{"/bin/true"}
	hook := func(name string) []specs.Hook {
		return []specs.Hook{{Path: "/bin/sh", Args: []string{"sh", "-c", "tr '\\0' '\\n' </proc/self/environ >" + b.dir + "/" + name + "; pwd >>" + b.dir + "/" + name}}}
	}
	b.spec.Hooks = &specs.Hooks{
		Prestart: hook("prestart"), CreateRuntime: hook("createRuntime"), CreateContainer: hook("createContainer"), //nolint:staticcheck // deprecated, and still a MUST
		Poststart: hook("poststart"), Poststop: hook("poststop"),
	}
	for _, way := range ways {
		if o := b.run(way); o.refused {
			t.Fatalf("refused: %v", o)
		}
		for _, name := range []string{"prestart", "createRuntime", "createContainer", "poststart", "poststop"} {
			text, err := os.ReadFile(b.dir + "/" + name)
			if err != nil {
				t.Errorf("%s: the %s hook did not run: %v", way, name, err)
				continue
			}
			if strings.Contains(string(text), "LD_PRELOAD") || strings.Contains(string(text), "PATH=.") {
				t.Errorf("%s: the %s hook has the container's environment: %q", way, name, text)
			}
			if !strings.HasSuffix(string(text), b.bundle+"\n") {
				t.Errorf("%s: the %s hook's directory is not the bundle: %q", way, name, text)
			}
			os.Remove(b.dir + "/" + name)
		}
	}
}

// Seccomp filters mean what their rules say, in the kernel.
func TestAFilterMeansWhatItSays(t *testing.T) {
	one := uint(1)
	filter := func(b *box, args ...specs.LinuxSeccompArg) {
		b.spec.Linux.Seccomp = &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls: []specs.LinuxSyscall{{
				Names: []string{"personality"}, Action: specs.ActErrno, ErrnoRet: &one, Args: args,
			}},
		}
	}
	arg := func(index uint, op specs.LinuxSeccompOperator, value uint64) specs.LinuxSeccompArg {
		return specs.LinuxSeccompArg{Index: index, Value: value, Op: op}
	}
	attacks := []attack{{
		sec: "SEC-53", is: "conditions of one rule are all to hold",
		bundle: func(b *box) {
			filter(b, arg(0, specs.OpEqualTo, 0xffffffff), arg(1, specs.OpEqualTo, 0))
			b.hostile("personality", "0xffffffff", "0", "0xffffffff", "1")
		},
		says: "personality(0xffffffff, 0) = 1\npersonality(0xffffffff, 1) = 0\n",
	}, {
		sec: "SEC-55", is: "a filter that is too large",
		bundle: func(b *box) {
			f := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
			for i := range uint64(500 * 20) {
				f.Syscalls = append(f.Syscalls, specs.LinuxSyscall{Names: []string{"personality", "sync"}, Action: specs.ActErrno,
					Args: []specs.LinuxSeccompArg{arg(0, specs.OpEqualTo, i<<32|i)}})
			}
			b.spec.Linux.Seccomp = f
		},
		refused: "instructions",
	}}
	edges := []uint64{0, 1, 2, 1 << 31, 1<<32 - 1, 1 << 32, 1<<32 + 1, 1 << 63, 1<<64 - 1}
	for _, op := range []struct {
		op    specs.LinuxSeccompOperator
		holds func(a, b uint64) bool
	}{
		{specs.OpLessThan, func(a, b uint64) bool { return a < b }},
		{specs.OpLessEqual, func(a, b uint64) bool { return a <= b }},
		{specs.OpGreaterThan, func(a, b uint64) bool { return a > b }},
		{specs.OpGreaterEqual, func(a, b uint64) bool { return a >= b }},
	} {
		for _, limit := range []uint64{1, 1 << 32} {
			var args []string
			want := ""
			for _, v := range edges { // the second argument, which the call ignores, is what is compared
				a, errno := "0x"+strconv.FormatUint(v, 16), 0
				if op.holds(v, limit) {
					errno = 1
				}
				args = append(args, "0xffffffff", a)
				want += fmt.Sprintf("personality(0xffffffff, %s) = %d\n", a, errno)
			}
			attacks = append(attacks, attack{
				sec: "SEC-54", is: fmt.Sprintf("%s %#x", op.op, limit),
				bundle: func(b *box) {
					filter(b, arg(1, op.op, limit))
					b.hostile("personality", args...)
				},
				says: want,
			})
		}
	}
	withstand(t, attacks)
}
