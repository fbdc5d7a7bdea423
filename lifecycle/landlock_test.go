package lifecycle

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/landlock"
	"github.com/minirt/minirt/internal/stage/stagetest"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
)

const landlockConfig = `{
  "ociVersion": "1.3.0",
  "root": {"path": "rootfs"},
  "process": {"cwd": "/", "user": {"uid": 0, "gid": 0}, "args": ["sh", "-c", ":"], "env": ["PATH=/bin"], "noNewPrivileges": true},
  "mounts": [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs"}],
  "annotations": {
    "org.minirt.landlock.fs.read": "/bin:/bin/busybox:/tmp",
    "org.minirt.landlock.fs.write": "/tmp",
    "org.minirt.landlock.fs.execute": "/bin",
    "org.minirt.landlock.net.bind": "8080",
    "org.minirt.landlock.net.connect": "443,8081",
    "org.minirt.landlock.scope": "abstract-unix,signal"
  },
  "linux": {
    "cgroupsPath": "/landlock",
    "namespaces": [{"type": "mount"}, {"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "network"}],
    "seccomp": {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self", "openat2"], "action": "SCMP_ACT_ERRNO"}]}
  }
}
`

// needLandlock skips where the kernel hasn't all that the tests ask for.
func needLandlock(t *testing.T) {
	t.Helper()
	const whole = 6
	asks := &specs.Spec{Annotations: map[string]string{landlock.Prefix + "scope": "signal"}}
	if abi := landlockABI(asks); abi < whole {
		t.Skipf("version %d of Landlock's ABI, and not %d, of Linux 6.12", abi, whole)
	}
}

// newLandlock makes a running container with annotations below landlock.Prefix, as
// newHost does, and with files, each of which holds its own name.
func newLandlock(t *testing.T, notes map[string]string, args []string, process string, files ...string) *proof {
	t.Helper()
	p := newProof(t, changed(t, []byte(landlockConfig), func(c map[string]any) {
		all := map[string]any{}
		for name, value := range notes {
			all[landlock.Prefix+name] = value
		}
		c["annotations"] = all
		c["mounts"] = append(c["mounts"].([]any), map[string]any{"destination": "/proc", "type": "proc", "source": "proc"},
			map[string]any{"destination": "/dev", "type": "tmpfs", "source": "tmpfs"})
		delete(c["linux"].(map[string]any), "seccomp")
		var more map[string]any
		if err := json.Unmarshal([]byte(process), &more); err != nil {
			t.Fatal(err)
		}
		more["args"] = args
		maps.Copy(c["process"].(map[string]any), more)
	}))
	for _, name := range files {
		full := filepath.Join(p.bundle, "rootfs", name)
		if err := os.MkdirAll(filepath.Dir(full), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(name+"\n"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if c := p.verb("run", "--detach", "--bundle", p.bundle, "web"); c.status != 0 {
		t.Fatal(c.stderr)
	}
	return p
}

func TestGoldenPlanOfLandlock(t *testing.T) {
	s, _, err := spec.Load([]byte(landlockConfig))
	if err != nil {
		t.Fatal(err)
	}
	for _, arch := range arches {
		h := fixedHost(s, arch)
		h.Landlock = 7
		c, err := Compile(s, h)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(); err != nil {
			t.Error(err)
		}
		golden(t, "testdata/landlock/plan-"+arch.String()+".txt", c.Text())
	}
}

// Where nothing asks for Landlock, nobody asks the kernel for it.
func TestWithoutAnnotationsThereIsNoLandlock(t *testing.T) {
	if abi := landlockABI(&specs.Spec{Annotations: map[string]string{"org.example": ""}}); abi != 0 {
		t.Errorf("the kernel was asked: version %d", abi)
	}
}

func TestTheStageIsConfinedAsItsPlanSays(t *testing.T) {
	needLandlock(t)
	p := newProof(t, []byte(landlockConfig))
	if err := os.Mkdir(filepath.Join(p.bundle, "rootfs/tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	plans := p.record()
	var walks []stagetest.Walk
	t.Run("the kernel saw the plan", func(t *testing.T) { walks = p.follow(t, plans) })
	t.Run("each step fails once", func(t *testing.T) { p.breakAll(t, plans, walks) })
}

func TestLandlockConfinesTheProgramAndExec(t *testing.T) {
	needLandlock(t)
	p := newLandlock(t, map[string]string{
		"fs.read":     "/bin:/tmp:/dev:/etc/open",
		"fs.write":    "/tmp:/dev/null",
		"fs.execute":  "/bin",
		"net.bind":    "8080",
		"net.connect": "8081",
		"scope":       "signal",
	}, []string{"sh", "-c", "exec 2>/tmp/said; echo x >/etc/x; cat /etc/hidden; cat /etc/open; echo x >/tmp/done; exec sleep 1000"}, "{}", "etc/open", "etc/hidden", "srv/program")
	const denied = ": Permission denied\n"
	for _, c := range []struct {
		name, command string
		want          call
	}{
		{"the program itself", "busybox timeout 9 sh -c 'while [ ! -s /tmp/done ]; do :; done'; cat /tmp/said", call{0, "sh: can't create /etc/x" + denied + "cat: can't open '/etc/hidden'" + denied, ""}},
		{"read what is allowed", "cat /etc/open", call{0, "etc/open\n", ""}},
		{"read what isn't", "cat /etc/hidden", call{1, "", "cat: can't open '/etc/hidden'" + denied}},
		{"list what isn't", "ls /etc", call{1, "", "ls: can't open '/etc'" + denied}},
		{"write what is allowed", "mkdir /tmp/d && echo x >/tmp/f && busybox mv /tmp/f /tmp/d/f && cat /tmp/d/f", call{0, "x\n", ""}},
		{"write what isn't", "echo x >/etc/open", call{1, "", "sh: can't create /etc/open" + denied}},
		{"make what isn't", "mkdir /etc/d", call{1, "", "mkdir: can't create directory '/etc/d'" + denied}},
		{"remove what isn't", "busybox rm -f /etc/open", call{1, "", "rm: can't remove '/etc/open'" + denied}},
		{"execute what isn't allowed", "/srv/program true", call{126, "", "sh: /srv/program" + denied}},
		{"bind what is allowed", "busybox timeout 1 busybox nc -l -p 8080", call{143, "", ""}},
		{"bind what isn't", "busybox timeout 5 busybox nc -l -p 8082", call{1, "", "nc: bind" + denied}},
		{"connect to what is allowed", "busybox nc 127.0.0.1 8081", call{1, "", "nc: can't connect to remote host (127.0.0.1): Connection refused\n"}},
		{"connect to what isn't", "busybox nc 127.0.0.1 8082", call{1, "", "nc: can't connect to remote host (127.0.0.1)" + denied}},
		{"signal a process of one's own", "sleep 9 & kill -9 $!", call{0, "", ""}},
		{"signal another's", "kill -0 1", call{1, "", "sh: can't kill pid 1: Operation not permitted\n"}},
	} {
		got := p.in("web", "sh", "-c", c.command)
		if d := cmp.Diff(c.want, got, cmp.AllowUnexported(call{})); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, d)
		}
	}
	if got := p.in("web", "/srv/program", "true"); got.status != 255 || !strings.Contains(got.stderr, `exec: "/srv/program": permission denied`) {
		t.Errorf("exec of what may not be executed: %+v", got)
	}
}

// Without an annotation that restricts writing, files can be moved from one
// directory to another, which any rule set refuses by itself.
func TestWhatNoAnnotationNamesIsFree(t *testing.T) {
	needLandlock(t)
	p := newLandlock(t, map[string]string{"fs.execute": "/bin"}, []string{"sleep", "1000"}, `{"capabilities": {"bounding": ["CAP_KILL"]}}`, "etc/open")
	if got := p.in("web", "sh", "-c", "busybox mv /etc/open /open && echo x >>/open && cat /open && kill -0 1"); got != (call{0, "etc/open\nx\n", ""}) {
		t.Errorf("%+v", got)
	}
}

func TestAnOrdinaryUserIsConfinedWithoutNoNewPrivileges(t *testing.T) {
	needLandlock(t)
	p := newLandlock(t, map[string]string{"fs.read": "/bin", "fs.write": ""}, []string{"sleep", "1000"},
		`{"user": {"uid": 1000, "gid": 1000}, "noNewPrivileges": false}`, "etc/hidden")
	want := call{1, "", "cat: can't open '/etc/hidden': Permission denied\n"}
	if got := p.in("web", "cat", "/etc/hidden"); got != want {
		t.Errorf("%+v", got)
	}
}

func TestWrongAnnotationsForLandlockAreRefusedWithTheirPlace(t *testing.T) {
	needLandlock(t)
	p := newProof(t, []byte(landlockConfig))
	if err := os.Mkdir(filepath.Join(p.bundle, "rootfs/tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	p.minirt()
	for _, c := range []struct{ name, value, want string }{
		{"fs.read", "/bin:/nowhere", `annotations["org.minirt.landlock.fs.read"]: openat2(AT_FDCWD, "/nowhere", {flags=O_PATH|O_CLOEXEC, resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_IN_ROOT}, 24): no such file or directory (config.json:3:`},
		{"fs.read", "bin", `annotations["org.minirt.landlock.fs.read"]: "bin" is not an absolute path (paths are separated by colons) (config.json:3:`},
		{"fs.reed", "/", `annotations["org.minirt.landlock.fs.reed"]: no such annotation: want one of fs.read, fs.write`},
		{"net.bind", "http", `annotations["org.minirt.landlock.net.bind"]: "http" is not a port`},
	} {
		p.configure(changed(t, []byte(landlockConfig), func(config map[string]any) {
			config["annotations"] = map[string]any{landlock.Prefix + c.name: c.value}
		}))
		before := p.census()
		got := p.verb("create", "--bundle", p.bundle, "web")
		if got.status != 1 || !strings.Contains(got.stderr, c.want) || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%s %q: want %s\n got %+v", c.name, c.value, c.want, got)
		}
		p.nothingLeft(before, c.name)
	}
}
