package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// BN-04, BN-05
func TestEveryVersionOfTheMajorIsAccepted(t *testing.T) {
	for _, v := range []string{"1.0.0", "1.0.2-dev", "1.0.0-rc5", "1.1.0", "1.2.1", "1.3.0", "1.3.0+build.5", "1.9.0"} {
		t.Run(v, func(t *testing.T) {
			t.Parallel()
			newBox(t, args("/bin/true"), set("ociVersion", v)).run()
		})
	}
}

// BN-08
func TestTheOrderOfMembersMeansNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t, set("process.env", []string{"A=1"}))
	backwards := func(v any) string { return string(reversed(v)) }
	b.write(backwards(b.config))
	s := b.sight(b.must("run", "--bundle", b.dir, b.id))
	same(t, "env", s.Env, []string{"A=1", "HOME=/"})
	same(t, "hostname", s.Hostname, "box")
}

// reversed writes JSON with the members of objects from z to a.
func reversed(v any) []byte {
	switch v := v.(type) {
	case map[string]any:
		var members []string
		for key, value := range v {
			name, _ := json.Marshal(key)
			members = append(members, string(name)+":"+string(reversed(value)))
		}
		sortBackwards(members)
		return []byte("{" + strings.Join(members, ",") + "}")
	case []any:
		var elements []string
		for _, e := range v {
			elements = append(elements, string(reversed(e)))
		}
		return []byte("[" + strings.Join(elements, ",") + "]")
	}
	b, _ := json.Marshal(v)
	return b
}

func sortBackwards(list []string) {
	for i := range list {
		for j := i; j > 0 && list[j] > list[j-1]; j-- {
			list[j], list[j-1] = list[j-1], list[j]
		}
	}
}

// EX-01
func TestUnknownPropertiesAreIgnored(t *testing.T) {
	t.Parallel()
	b := newBox(t, args("/bin/true"), set("process.user.uid", 0), set("hooks.poststop", []any{map[string]any{"path": probe}}),
		set("linux.resources.devices", raw(`[{"allow":true}]`)), set("annotations.unknown.key", "x"))
	b.edit(func(_ *testing.T, config any) any { return sprinkled(config) },
		set("annotations", map[string]string{"unknown.key": "x"}), set("linux.enableCMT", true))
	b.run()
}

// sprinkled is a value with a member that nobody knows in every object.
func sprinkled(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key := range v {
			v[key] = sprinkled(v[key])
		}
		v["x-nobody-knows"] = map[string]any{"a": []any{1, nil, "b"}}
	case []any:
		for i := range v {
			v[i] = sprinkled(v[i])
		}
	}
	return v
}

// EX-02
func TestNamesOfPropertiesMatchByCase(t *testing.T) {
	t.Parallel()
	b := newBox(t, set("HOSTNAME", "loud"), set("process.Rlimits", raw(`[{"type":"RLIMIT_BOGUS","soft":1,"hard":1}]`)), set("process.CWD", "nowhere"))
	if s := b.see(); s.Hostname != "box" || s.Cwd != "/" {
		t.Errorf("hostname %q, cwd %q", s.Hostname, s.Cwd)
	}
}

// EX-03
func TestBlocksOfOtherPlatformsMeanNothing(t *testing.T) {
	t.Parallel()
	b := newBox(t, set("windows", raw(`{"layerFolders":["c:\\"]}`)), set("solaris.milestone", "x"), set("vm.kernel.path", "/nowhere"),
		set("zos.namespaces", []any{}), set("freebsd", map[string]any{}), set("process.commandLine", "/bin/false"))
	same(t, "argv", b.see().Args, []string{"/bin/probe"})
}

// AN-01, AN-03
func TestAnnotationsAreKeptAndReservedOnesMeanNothing(t *testing.T) {
	t.Parallel()
	notes := map[string]string{"empty": "", "org.opencontainers.nobody.knows": "x", "org.opencontainers.runtime-spec.hostname": "y"}
	b := newBox(t, set("annotations", notes))
	b.create()
	same(t, "annotations", b.state().Annotations, notes)
	b.start()
	b.ends()
	if got := b.sight(contents(b.output)).Hostname; got != "box" {
		t.Errorf("hostname %q", got)
	}
}

// AN-04; what is no signal is warned of, and TERM takes its place.
func TestKillWithoutASignalSendsTheOneOfTheAnnotation(t *testing.T) {
	t.Parallel()
	for signal, want := range map[string]string{"USR1": "usr1", "SIGUSR1": "usr1", "10": "usr1", "": "term", "SIGNOPE": "term", "0": "term"} {
		b := newBox(t, shell(`trap "echo term; exit" TERM; trap "echo usr1; exit" USR1; echo ready; while :; do sleep 1000 & wait; done`),
			set("annotations", map[string]string{"org.opencontainers.image.stopSignal": signal}))
		b.create()
		b.start()
		b.printed("ready")
		b.must("kill", b.id)
		b.ends()
		same(t, signal, strings.Fields(contents(b.output)), []string{"ready", want})
	}
}

// RT-02
func TestARelativeRootIsRelativeToTheBundle(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	b.prepare = func(c *exec.Cmd) { c.Dir = "/" }
	b.see()
	b.see(set("root.path", b.path("rootfs")))
	b.see(set("root.path", "./rootfs/../rootfs/"))
}

// RT-03
func TestARootMayBeASymlinkToADirectory(t *testing.T) {
	t.Parallel()
	b := newBox(t, set("root.path", "link"))
	if err := os.Symlink("rootfs", b.path("link")); err != nil {
		t.Fatal(err)
	}
	b.see()
}

// RT-04
func TestAReadonlyRootIsReadOnlyAndNothingElseIs(t *testing.T) {
	t.Parallel()
	b := newBox(t, shell("touch /x; touch /tmp/x && echo writable"), set("root.readonly", true),
		set("mounts[+]", map[string]any{"destination": "/tmp", "type": "tmpfs", "source": "t"}))
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.stdout != "writable\n" || !strings.Contains(r.stderr, "Read-only file system") {
		t.Error(r)
	}
	b.edit(set("root.readonly", false))
	if r := b.call("run", "--bundle", b.dir, b.id); r.stderr != "" {
		t.Error(r)
	}
	if _, err := os.Stat(b.path("rootfs/x")); err != nil {
		t.Error(err)
	}
}

// BN-06: blocks that the texts make optional may be absent.
func TestOptionalBlocksMayBeAbsent(t *testing.T) {
	for _, path := range []string{"mounts", "hostname", "process.env", "process.capabilities", "linux.cgroupsPath", "linux.namespaces"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, args("/bin/true"), drop(path))
			if path == "linux.namespaces" {
				b.edit(drop("hostname"), drop("mounts"), set("linux.namespaces[0].type", "mount"))
			}
			b.run()
		})
	}
}
