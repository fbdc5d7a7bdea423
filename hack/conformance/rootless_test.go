package conformance

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// somebody is the id of an ordinary user and his group, whom nobody but the
// mount namespace of one call knows.
const somebody = 23517

// newUser makes a box whose runtime is called by an ordinary user, with the
// config that `spec --rootless` writes for him and a program instead of a
// terminal. subuid and subgid are what /etc/subuid and /etc/subgid say; the
// host's own files aren't touched.
func newUser(t *testing.T, subuid, subgid string, edits ...edit) *box {
	t.Helper()
	b := newBox(t)
	for _, program := range []string{"unshare", "setpriv", "newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(program); err != nil {
			t.Skip(program + " is missing (Debian: util-linux, uidmap)")
		}
	}
	if n, _ := strconv.Atoi(strings.TrimSpace(contents("/proc/sys/user/max_user_namespaces"))); n == 0 {
		t.Skip("user namespaces are switched off here")
	}
	etc := filepath.Join(filepath.Dir(b.dir), "etc")
	b.make(etc, 0o755)
	id := strconv.Itoa(somebody)
	script := "set -e\n"
	for name, more := range map[string]string{"passwd": "somebody:x:" + id + ":" + id + "::/:/bin/sh\n", "group": "somebody:x:" + id + ":\n", "subuid": subuid, "subgid": subgid} {
		text := more
		if name == "passwd" || name == "group" {
			text = contents("/etc/"+name) + more
		} else if _, err := os.Stat("/etc/" + name); err != nil {
			t.Skip("there is no /etc/" + name + " to cover")
		}
		if err := os.WriteFile(etc+"/"+name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		script += "mount --bind '" + etc + "/" + name + "' /etc/" + name + "\n"
	}
	script += "exec setpriv --reuid " + id + " --regid " + id + " --clear-groups -- \"$@\""
	b.prepare = wrapped("unshare", "--mount", "sh", "-c", script, "sh")
	b.make(b.root, 0o700)
	for _, dir := range []string{"proc", "dev", "sys"} {
		b.make(b.path("rootfs/"+dir), 0o755)
	}
	b.own(b.root)
	b.own(b.dir)
	var config any
	if err := json.Unmarshal([]byte(b.must("spec", "--rootless", "--file", "-")), &config); err != nil {
		t.Fatal(err)
	}
	b.config = config
	b.edit(append([]edit{set("process.terminal", false), args("/bin/id")}, edits...)...)
	return b
}

func (b *box) make(dir string, mode os.FileMode) {
	b.Helper()
	if err := os.Mkdir(dir, mode); err != nil {
		b.Fatal(err)
	}
}

// own gives a directory with all that is in it to the user.
func (b *box) own(dir string) {
	b.Helper()
	if err := filepath.WalkDir(dir, func(name string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if i, e := os.Lstat(name); e == nil && i.Mode().IsRegular() {
			return nil // programs are linked into many bundles
		}
		return os.Lchown(name, somebody, somebody)
	}); err != nil {
		b.Fatal(err)
	}
}

// ranges maps the user to root, and a range of subordinate ids behind that.
func ranges(first uint32) edit {
	maps := []specs.LinuxIDMapping{{ContainerID: 0, HostID: somebody, Size: 1}, {ContainerID: 1, HostID: first, Size: 65536}}
	return all(set("linux.uidMappings", maps), set("linux.gidMappings", maps))
}

const subordinate = "somebody:700000:65536\n"

func TestWhatSpecRootlessWritesWorksForAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := newUser(t, "", "")
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.status != 0 || r.stdout != "uid=0 gid=0\n" {
		t.Fatal(r)
	}
	if r.stderr != "" && !strings.Contains(r.stderr, "stays in the caller's cgroup") {
		t.Errorf("said %q", r.stderr)
	}
	b.edit(args("/bin/sleep", "1000"))
	b.create()
	b.is(specs.StateCreated)
	b.start()
	b.is(specs.StateRunning)
	if got := b.must("exec", b.id, "/bin/sh", "-c", "id; cat /proc/self/setgroups"); got != "uid=0 gid=0\ndeny\n" {
		t.Errorf("exec printed %q", got)
	}
	b.must("kill", b.id, "KILL")
	b.ends()
	b.must("delete", b.id)
	b.fails("state", b.id)
}

func TestSeveralRangesOfIDsAreMappedForAnOrdinaryUser(t *testing.T) {
	t.Parallel()
	b := newUser(t, subordinate, subordinate, ranges(700000), shell("id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups"),
		set("process.user", map[string]any{"uid": 5, "gid": 6, "additionalGids": []int{7, 8}}))
	id := strconv.Itoa(somebody)
	text := strings.Join(strings.Fields(b.run()), " ")
	same(t, "ids and maps", text, "uid=5 gid=6 groups=7,8 0 "+id+" 1 1 700000 65536 0 "+id+" 1 1 700000 65536 allow")
	b.edit(args("/bin/sleep", "1000"))
	b.create()
	b.start()
	same(t, "ids of an exec", b.must("exec", "--user", "65536:65536", "-g", "3", b.id, "/bin/id"), "uid=65536 gid=65536 groups=3,7,8\n")
	b.must("delete", "--force", b.id)
}

// What the kernel and newuidmap refuse is told with what an administrator must
// do, and leaves nothing.
func TestWhatAnOrdinaryUserMayNotIsExplained(t *testing.T) {
	for _, c := range []struct {
		name, subuid, subgid, say string
		edits                     []edit
		by                        []string
	}{
		{name: "no line in subuid", subgid: subordinate, edits: []edit{ranges(700000)},
			say: `linux.uidMappings: .*newuidmap: .*not allowed.*: /etc/subuid must have a line such as "somebody:700000:65536" \(config.json:`},
		{name: "a line too small in subgid", subuid: subordinate, subgid: "somebody:700000:65535\n", edits: []edit{ranges(700000)},
			say: `linux.gidMappings: .*newgidmap: .*: /etc/subgid must have a line such as "somebody:700000:65536"`},
		{name: "the host's root", edits: []edit{set("linux.uidMappings[0].hostID", 0)}, say: "the config maps the host's id 0"},
		{name: "no_new_privs", subuid: subordinate, subgid: subordinate, edits: []edit{ranges(700000)}, by: []string{"setpriv", "--no-new-privs"}, say: "the caller has no_new_privs set"},
		{name: "no newuidmap", subuid: subordinate, subgid: subordinate, edits: []edit{ranges(700000)}, by: []string{"env", "PATH=/nosuch"},
			say: `newuidmap, which is not in \$PATH \(Debian: package "uidmap"`},
		{name: "groups", edits: []edit{set("process.user.additionalGids", []int{0})}, say: `process.user.additionalGids: setgroups.*operation not permitted: .* map a range of /etc/subgid`},
		{name: "an unmapped group", edits: []edit{set("process.user.additionalGids", []int{5})}, say: "5 is not mapped by linux.gidMappings"},
		{name: "an unmapped group of devpts", edits: []edit{set("mounts[2].options[+]", "gid=5")}, say: `mounts\[2\].options\[5\]: "gid=5": 5 is not mapped`},
		{name: "no user namespace", edits: []edit{set("linux.namespaces", []map[string]string{{"type": "mount"}, {"type": "pid"}, {"type": "uts"}, {"type": "ipc"}}), drop("linux.uidMappings"), drop("linux.gidMappings")},
			say: "an ordinary user's container takes a user namespace in linux.namespaces: see minirt spec --rootless"},
		{name: "proc of the host's pid namespace", edits: []edit{set("linux.namespaces", []map[string]string{{"type": "mount"}, {"type": "user"}, {"type": "uts"}, {"type": "ipc"}})},
			say: `mounts\[0\]: mount "proc" onto "/proc": operation not permitted: .*bind /proc instead`},
		{name: "sysfs of the host's network", edits: []edit{set("mounts[5]", specs.Mount{Destination: "/sys", Type: "sysfs", Source: "sysfs"})}, say: "bind /sys instead"},
		{name: "a limit", edits: []edit{set("linux.resources.pids.limit", 5)}, say: "permission denied: the config asks for limits or a place"},
		{name: "a device that the host lacks", edits: []edit{set("linux.devices", []specs.LinuxDevice{{Path: "/dev/x", Type: "c", Major: 4, Minor: 1 << 19}})}, say: "must be bound from the host"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newUser(t, c.subuid, c.subgid, c.edits...)
			if c.by != nil {
				b.calledBy(c.by...)
			}
			r := b.fails("run", "--bundle", b.dir, b.id)
			if !regexp.MustCompile(c.say).MatchString(r.stderr) || strings.Count(r.stderr, "\n") != 1 {
				t.Errorf("%v\nwant %s, in one line", r, c.say)
			}
			if left, _ := os.ReadDir(b.root); len(left) > 0 {
				t.Errorf("left in the state root: %v", left)
			}
		})
	}
}

// calledBy puts a program between the user and the runtime.
func (b *box) calledBy(by ...string) {
	before := b.prepare
	b.prepare = func(c *exec.Cmd) {
		before(c)
		at := len(c.Args) - 1
		for c.Args[at] != program {
			at--
		}
		path, _ := exec.LookPath(by[0])
		c.Args = append(c.Args[:at:at], append(append([]string{path}, by[1:]...), c.Args[at:]...)...)
	}
}

// A namespace of the host's and what is bound from there for it.
func TestAnOrdinaryUserShowsTheHostsProcAndSysWhereTheirNamespacesAreTheHosts(t *testing.T) {
	t.Parallel()
	b := newUser(t, "", "", set("linux.namespaces", []map[string]string{{"type": "mount"}, {"type": "user"}, {"type": "uts"}, {"type": "ipc"}}),
		set("mounts[0]", specs.Mount{Destination: "/proc", Source: "/proc", Options: []string{"rbind"}}),
		shell("echo $$; ls -d /proc/1 /sys/kernel"))
	lines := strings.Fields(b.run())
	if pid, _ := strconv.Atoi(lines[0]); pid < 10 || strings.Join(lines[1:], " ") != "/proc/1 /sys/kernel" {
		t.Errorf("printed %q", lines)
	}
}

// Who is root in a user namespace of one id, as in rootless Podman without
// subordinate ids, can't drop groups and needs not.
func TestRootOfAnotherUserNamespaceOfOneIDRunsContainers(t *testing.T) {
	t.Parallel()
	b := newUser(t, "", "")
	b.calledBy("unshare", "--user", "--map-root-user")
	b.flags = []string{"--cgroup-manager", "disabled"}
	b.edit(set("linux.uidMappings[0].hostID", 0), set("linux.gidMappings[0].hostID", 0))
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.status != 0 || r.stdout != "uid=0 gid=0\n" || r.stderr != "" {
		t.Error(r)
	}
	b.edit(set("linux.namespaces", []map[string]string{{"type": "mount"}, {"type": "pid"}, {"type": "uts"}, {"type": "ipc"}}), drop("linux.uidMappings"), drop("linux.gidMappings"))
	if r := b.call("run", "--bundle", b.dir, b.id); r.status != 0 || r.stdout != "uid=0 gid=0\n" || r.stderr != "" {
		t.Errorf("without a user namespace of the container's own: %v", r)
	}
}
