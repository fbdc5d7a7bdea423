package security

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// A container has the descriptors 0, 1 and 2, and its working directory lies inside.
func TestNoDescriptorOfTheHostGetsInside(t *testing.T) {
	var attacks []attack
	for n := 3; n <= 40; n++ {
		fd := fmt.Sprint("/proc/self/fd/", n)
		attacks = append(attacks, attack{
			sec: "SEC-15", is: "cwd " + fd,
			bundle: func(b *box) {
				b.leak(n)
				b.spec.Process.Cwd = fd
			},
			refused: "process.cwd",
		}, attack{
			sec: "SEC-15", is: "cwd is a link to " + fd,
			bundle: func(b *box) {
				b.leak(n)
				b.link("/w", fd)
				b.spec.Process.Cwd = "/w"
			},
			refused: "process.cwd",
		})
		if n == 12 && os.Getenv("MINIRT_LONG") == "" {
			break
		}
	}
	withstand(t, append(attacks, attack{
		sec: "SEC-15 SEC-34", is: "the caller leaks descriptors",
		bundle: func(b *box) {
			b.leak(23)
			b.sh("exec ls /proc/self/fd")
		},
		says: "0\n1\n2\n3\n", never: "4", // 3 is what ls reads
	}))
}

// leak lets the runtime's caller leave descriptors 3 to last open, all of the canary.
func (b *box) leak(last int) {
	canary, err := os.Open(b.canary)
	must(b, err)
	b.Cleanup(func() { canary.Close() })
	b.caller = func(c *exec.Cmd) {
		for range last - 2 {
			c.ExtraFiles = append(c.ExtraFiles, canary)
		}
	}
}

// SEC-04: a program that is the runtime's own process gets no hold of its binary.
func TestSEC04TheRuntimesBinaryIsOutOfReach(t *testing.T) {
	hash := func() string {
		text, err := os.ReadFile(runtime)
		must(t, err)
		return sum(text)
	}
	before := hash()
	withstand(t, []attack{{
		sec: "SEC-04", is: "the program is a script of /proc/self/exe",
		bundle: func(b *box) {
			b.write("/bin/evil", "#!/proc/self/exe\n", 0o755)
			b.spec.Process.Args = []string{"/bin/evil"}
		},
		either: true,
	}, {
		sec: "SEC-04", is: "the program is /proc/self/exe",
		bundle: func(b *box) { b.spec.Process.Args = []string{"/proc/self/exe"} },
		either: true,
	}})
	if hash() != before {
		t.Error("the runtime's binary has changed")
	}
}

// SEC-03, SEC-04: who lives in a pid namespace that a container joins sees
// nothing of the host through it, at no instant.
func TestSEC03SEC04ASharedPIDNamespaceShowsNothingOfTheHost(t *testing.T) {
	a := newBox(t)
	var st unix.Stat_t
	must(t, unix.Stat(runtime, &st))
	a.hostile("poke", a.canary[1:]+"/secret", identity(&st))
	a.capable("CAP_SYS_PTRACE", "CAP_DAC_OVERRIDE", "CAP_DAC_READ_SEARCH")
	if o := a.create(); o.refused {
		t.Fatalf("refused: %v", o)
	}
	holder := a.pid()
	if o := a.call("start", "start", "c"); o.status != 0 {
		t.Fatalf("start: %v", o)
	}
	for i := range rounds() {
		b := newBox(t)
		b.namespace(specs.PIDNamespace, "/proc/"+strconv.Itoa(holder)+"/ns/pid")
		b.sh("for i in 1 2 3 4 5 6 7 8 9 10; do true; done")
		b.spec.Hooks = &specs.Hooks{StartContainer: []specs.Hook{{Path: "/bin/true"}}}
		if o := b.run(ways[i%2]); o.refused || o.status != 0 {
			t.Fatalf("refused: %v", o)
		}
		b.clearFiles()
	}
	a.call("delete", "delete", "--force", "c")
	a.leaked()
}

// clearFiles removes the box's files early.
func (b *box) clearFiles() { os.RemoveAll(b.dir) }

// SEC-33: the state root is the caller's own directory, and nobody else writes to it.
func TestSEC33AStateRootOfOthersIsRefused(t *testing.T) {
	for name, spoil := range map[string]func(b *box){
		"is a link":         func(b *box) { must(b, os.Symlink(b.volume("real"), b.states)) },
		"all may write to":  func(b *box) { must(b, os.Mkdir(b.states, 0o700)); must(b, os.Chmod(b.states, 0o777)) },
		"a group writes to": func(b *box) { must(b, os.Mkdir(b.states, 0o700)); must(b, os.Chmod(b.states, 0o770)) },
		"is another's":      func(b *box) { must(b, os.Mkdir(b.states, 0o700)); must(b, os.Chown(b.states, 1234, 1234)) },
		"is a file":         func(b *box) { must(b, os.WriteFile(b.states, nil, 0o600)) },
	} {
		withstand(t, []attack{{sec: "SEC-33", is: name, bundle: spoil, refused: "--root"}})
	}
}

// SEC-37: nothing below /tmp is looked at, whatever others have put there.
func TestSEC37NothingInTmpIsTouched(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Skip("needs strace")
	}
	b := newBox(t)
	copied, err := os.ReadFile(runtime)
	must(t, err)
	must(t, os.WriteFile(b.dir+"/runtime", copied, 0o755)) // the one that is built here lies in /tmp
	b.program = b.dir + "/runtime"
	trace := b.dir + "/trace"
	b.caller = func(c *exec.Cmd) {
		strace, _ := exec.LookPath("strace")
		c.Path, c.Args = strace, append([]string{"strace", "-f", "-qq", "-s", "300", "-e", "trace=%file", "-o", trace}, c.Args...)
		c.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=/"}
	}
	b.save()
	if o := b.call("run", b.making("run")...); o.status != 0 {
		t.Fatalf("%v", o)
	}
	text, err := os.ReadFile(trace)
	must(t, err)
	if !strings.Contains(string(text), b.states) {
		t.Errorf("the trace doesn't show the state root:\n%s", text)
	}
	for l := range strings.SplitSeq(string(text), "\n") {
		if strings.Contains(l, `"/tmp`) || strings.Contains(l, `"/var/tmp"`) {
			t.Error(l)
		}
	}
}

// SEC-38: no socket of the runtime's has an abstract name.
func TestSEC38NoSocketHasAnAbstractName(t *testing.T) {
	names := func() (list []string) {
		text, _ := os.ReadFile("/proc/net/unix")
		for l := range strings.SplitSeq(string(text), "\n") {
			if f := strings.Fields(l); len(f) > 7 && strings.HasPrefix(f[7], "@") {
				list = append(list, f[7])
			}
		}
		return list
	}
	b := newBox(t)
	b.without(specs.NetworkNamespace)
	before := names()
	b.before = func() { same(b, before, names()) }
	b.sh("cat /proc/net/unix")
	for _, way := range ways {
		o := b.run(way)
		if o.refused || !strings.Contains(o.stdout, "RefCount") {
			t.Errorf("%v", o)
		}
		var list []string
		for l := range strings.SplitSeq(o.stdout, "\n") {
			if f := strings.Fields(l); len(f) > 7 && strings.HasPrefix(f[7], "@") {
				list = append(list, f[7])
			}
		}
		same(b, before, list)
	}
}

// SEC-39: what the runtime makes below its state root is for its owner alone, whatever the umask.
func TestSEC39StatesAreTheOwnersAlone(t *testing.T) {
	b := newBox(t)
	before := unix.Umask(0)
	defer unix.Umask(before)
	if o := b.create(); o.refused {
		t.Fatalf("%v", o)
	}
	count := 0
	must(t, filepath.WalkDir(b.states, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		// A link's own mode means nothing (symlink(7)): the directory's counts.
		if err == nil && info.Mode().Perm()&0o077 != 0 && info.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s has mode %v", path, info.Mode())
		}
		count++
		return err
	}))
	if count < 2 {
		t.Errorf("only %d files below the state root", count)
	}
	b.call("delete", "delete", "--force", "c")
}

// SEC-59: an ID is the name of one directory below the state root.
func TestSEC59AnIDLeadsNowhereElse(t *testing.T) {
	b := newBox(t)
	b.save()
	must(t, os.Mkdir(b.states, 0o700))
	must(t, os.Mkdir(b.dir+"/x", 0o700))
	must(t, os.WriteFile(b.dir+"/x/state.json", []byte("{}"), 0o600))
	before, states := b.census(), listing(t, b.dir)
	_ = states
	for _, id := range []string{"../x", "a/b", ".", "..", "", "/", "x/", "a b", "ä", strings.Repeat("a", 300)} {
		for _, args := range [][]string{{"create", "--bundle", b.bundle}, {"run", "--bundle", b.bundle}, {"start"}, {"state"}, {"kill"}, {"delete"}, {"delete", "--force"}, {"pause"}, {"resume"}, {"ps"}} {
			o := b.call(args[0], append(args, id)...)
			if o.status == 0 {
				t.Errorf("%q as ID: %v", id, o)
			}
			b.unharmed(before, o)
		}
	}
	if _, err := os.Stat(b.dir + "/x/state.json"); err != nil {
		t.Error(err)
	}
}

// SEC-10: what is too long or too much is refused by its name, and no namespace is lost.
func TestSEC10NothingIsCutOff(t *testing.T) {
	withstand(t, []attack{{
		sec: "SEC-10", is: "a namespace path of 70,000 bytes",
		bundle:  func(b *box) { b.namespace(specs.NetworkNamespace, "/"+strings.Repeat("a", 70_000)) },
		refused: "linux.namespaces",
	}, {
		sec: "SEC-10", is: "10,000 mappings",
		bundle: func(b *box) {
			b.users()
			var m []specs.LinuxIDMapping
			for i := range uint32(10_000) {
				m = append(m, specs.LinuxIDMapping{ContainerID: 2 * i, HostID: 100_000 + 2*i, Size: 1})
			}
			b.spec.Linux.UIDMappings = m
		},
		refused: "linux.uidMappings",
	}, {
		sec: "SEC-10", is: "a hostname of 70,000 bytes",
		bundle:  func(b *box) { b.spec.Hostname = strings.Repeat("a", 70_000) },
		refused: "hostname",
	}})
}

// SEC-49: an option of a bind is one of the table, or is spoken of.
func TestSEC49OptionsOfABindAreKnown(t *testing.T) {
	withstand(t, []attack{{
		sec: "SEC-49", is: "an option that smuggles another",
		bundle: func(b *box) {
			b.mount(specs.Mount{Destination: "/mnt", Source: b.volume("v"), Options: []string{"rbind", "ro,upperdir=/x"}})
		},
		refused: "mounts[7].options[1]",
	}, {
		sec: "SEC-49", is: "an option that doesn't exist",
		bundle: func(b *box) { b.bind(b.volume("v"), "/mnt", "nosuchopt") },
		says:   "nosuchopt",
	}})
}

// SEC-51: ps runs nothing of the image's.
func TestSEC51PsRunsNothingOfTheImages(t *testing.T) {
	b := newBox(t)
	must(t, os.Chmod(b.canary, 0o777))
	must(t, os.Remove(b.root+"/bin/cat"))
	b.write("/bin/ps", "#!/bin/sh\necho >"+b.canary+"/ran\ntouch /tmp/ran\n", 0o755)
	b.spec.Root.Readonly = false
	if o := b.create(); o.refused {
		t.Fatalf("%v", o)
	}
	before := listing(b, b.canary)
	o := b.call("ps", "ps", "c")
	if ours && (o.status != 0 || !strings.Contains(o.stdout, strconv.Itoa(b.pid()))) {
		t.Errorf("ps does not list the container's process: %v", o)
	}
	same(b, before, listing(b, b.canary))
	if _, err := os.Stat(b.root + "/tmp/ran"); err == nil {
		t.Error("the image's ps was run")
	}
	b.call("delete", "delete", "--force", "c")
}

// SEC-11, SEC-31: the config that spec writes has no inheritable
// capabilities, and hides what the newest engines hide.
func TestSEC11SEC31TheDefaultConfigIsTight(t *testing.T) {
	b := newBox(t)
	dir := b.volume("made")
	b.caller = func(c *exec.Cmd) { c.Dir = dir }
	if o := b.call("spec", "spec"); o.status != 0 {
		t.Fatalf("%v", o)
	}
	text, err := os.ReadFile(dir + "/config.json")
	must(t, err)
	for _, want := range []string{
		"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
		"/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
		"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
	} {
		if !strings.Contains(string(text), `"`+want+`"`) {
			t.Errorf("%s is neither masked nor read-only", want)
		}
	}
	for _, never := range []string{`"inheritable"`, `"ambient"`} {
		if strings.Contains(string(text), never) {
			t.Errorf("the config has %s capabilities", never)
		}
	}
}
