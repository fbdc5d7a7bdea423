package conformance

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/minirt/minirt/hack/conformance/probe/sight"
)

// links are the names of namespaces in /proc/PID/ns by the spec's types.
var links = map[string]string{"pid": "pid", "network": "net", "mount": "mnt", "ipc": "ipc", "uts": "uts", "user": "user", "cgroup": "cgroup", "time": "time"}

func hostNamespace(t *testing.T, kind string) string {
	l, err := os.Readlink("/proc/self/ns/" + links[kind])
	if err != nil {
		t.Skip(err)
	}
	return l
}

// listed gives the container a mount namespace, without which there is no root
// to be safe in, and these.
func listed(namespaces ...any) edit {
	list := []any{map[string]any{"type": "mount"}}
	return all(set("linux.namespaces", append(list, namespaces...)), drop("hostname"))
}

// NS-01, NS-03, NS-07
func TestANamespaceThatIsListedIsNewAndAnyOtherIsTheRuntimes(t *testing.T) {
	for kind := range links {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			for _, path := range []any{nil, ""} {
				n := map[string]any{"type": kind}
				if path != nil {
					n["path"] = path
				}
				e := listed(n)
				switch kind {
				case "mount":
					e = listed()
				case "user":
					e = all(e, set("linux.uidMappings", raw(`[{"containerID":0,"hostID":0,"size":65536}]`)), set("linux.gidMappings", raw(`[{"containerID":0,"hostID":0,"size":65536}]`)))
				}
				if kind == "user" { // its root may mount a new procfs only in a pid namespace of its own
					e = all(e, set("mounts[0]", raw(`{"destination":"/proc","type":"bind","source":"/proc","options":["rbind"]}`)))
				}
				s := newBox(t, e).see()
				for other := range links {
					host := hostNamespace(t, other)
					if got := s.Namespaces[links[other]]; (got == host) == (other == kind || other == "mount") {
						t.Errorf("with a new %s namespace, the %s one is %q, the runtime's %q", kind, other, got, host)
					}
				}
			}
		})
	}
}

// NS-04
func TestANamespaceWithAPathIsJoined(t *testing.T) {
	for kind, link := range links {
		if kind == "mount" {
			continue // the root would have to be there: TestAMountNamespaceWithAPathIsJoined
		}
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			holder := newBox(t, shell(waiting), set("linux.namespaces[+].type", kind))
			switch kind {
			case "pid", "network", "ipc", "uts":
				holder.edit(drop("linux.namespaces[5]"))
			case "user":
				holder.edit(user("linux.namespaces[5]"))
			}
			holder.create()
			holder.start()
			path := fmt.Sprintf("/proc/%d/ns/%s", holder.state().Pid, link)
			want, _ := os.Readlink(path)
			e := listed(map[string]any{"type": kind, "path": path})
			if kind == "user" {
				e = all(e, set("mounts", []any{}), set("linux.namespaces[+].type", "pid"), set("mounts[+]", raw(`{"destination":"/proc","type":"proc","source":"proc"}`)))
			}
			b := newBox(t, e)
			if got := b.see().Namespaces[link]; got != want || got == hostNamespace(t, kind) {
				t.Errorf("the program is in %q, the path is %q, the runtime's %q", got, want, hostNamespace(t, kind))
			}
			b.create()
			b.start()
			b.ends()
			same(t, "create and start: the namespace", b.sight(contents(b.output)).Namespaces[link], want)
		})
	}
}

// NS-04
func TestAMountNamespaceWithAPathIsJoined(t *testing.T) {
	t.Parallel()
	holder := newBox(t, shell(waiting))
	path := fmt.Sprintf("/proc/%d/ns/mnt", holder.other())
	want, _ := os.Readlink(path)
	b := newBox(t, set(mountNS+".path", path))
	if got := b.see().Namespaces["mnt"]; got != want {
		t.Errorf("the program is in %q, the path is %q", got, want)
	}
}

// NS-04, NS-07: several at once, of another container's, as in a pod.
func TestAContainerJoinsAnothersNamespaces(t *testing.T) {
	t.Parallel()
	holder := newBox(t, shell(waiting))
	holder.create()
	pid := holder.state().Pid
	at := func(link string) string { return fmt.Sprintf("/proc/%d/ns/%s", pid, link) }
	s := newBox(t, drop("hostname"), set(pidNS+".path", at("pid")), set(ipcNS+".path", at("ipc")), set(utsNS+".path", at("uts")), set(netNS+".path", at("net"))).see()
	for _, link := range []string{"pid", "ipc", "uts", "net"} {
		want, _ := os.Readlink(at(link))
		same(t, link, s.Namespaces[link], want)
	}
	if s.Hostname != "box" || s.PID == 1 {
		t.Errorf("hostname %q, pid %d", s.Hostname, s.PID)
	}
}

// US-01, US-02, PR-08
func TestTheMappingsAreThoseOfConfig(t *testing.T) {
	t.Parallel()
	b := newBox(t, user(oneMore),
		set("linux.uidMappings", raw(`[{"containerID":0,"hostID":100000,"size":1000},{"containerID":2000,"hostID":300000,"size":5}]`)),
		set("linux.gidMappings", raw(`[{"containerID":0,"hostID":200000,"size":1001}]`)),
		set("process.user", raw(`{"uid":2001,"gid":1000,"additionalGids":[7]}`)))
	owners := func() (all []string) {
		filepath.WalkDir(b.path("rootfs"), func(path string, d os.DirEntry, err error) error {
			if i, e := d.Info(); err == nil && e == nil {
				s := i.Sys().(*syscall.Stat_t)
				if name := strings.TrimPrefix(path, b.dir); !strings.HasPrefix(name, "/rootfs/proc") && !strings.HasPrefix(name, "/rootfs/dev") { // mount points that were made
					all = append(all, fmt.Sprint(name, s.Uid, s.Gid))
				}
			}
			return nil
		})
		return all
	}
	before := owners()
	s := b.see()
	lines := func(text string) (list []string) {
		for line := range strings.Lines(text) {
			list = append(list, strings.Join(strings.Fields(line), " "))
		}
		return list
	}
	same(t, "uid_map", lines(s.UIDMap), []string{"0 100000 1000", "2000 300000 5"})
	same(t, "gid_map", lines(s.GIDMap), []string{"0 200000 1001"})
	if s.UID != 2001 || s.GID != 1000 || fmt.Sprint(s.Groups) != "[7]" {
		t.Errorf("uid %d, gid %d, groups %d", s.UID, s.GID, s.Groups)
	}
	same(t, "owners of the root file system", owners(), before)
}

// US-01: the names of the container's and the host's side can't be confused.
func TestTheHostsSideOfAUserNamespaceIsMapped(t *testing.T) {
	t.Parallel()
	b := newBox(t, user(oneMore), shell("id -u; "+waiting))
	b.create()
	b.start()
	b.printed("0\n")
	if status := contents(fmt.Sprintf("/proc/%d/status", b.state().Pid)); !strings.Contains(status, "Uid:\t100000\t") {
		t.Error(status)
	}
}

// US-04: what engines send, and the texts are silent of.
func TestMappingsBesideAPathAndAUserNamespaceWithoutMappingsAreWarnedOf(t *testing.T) {
	t.Parallel()
	holder := newBox(t, shell(waiting), user(oneMore))
	holder.create()
	path := fmt.Sprintf("/proc/%d/ns/user", holder.state().Pid)
	b := newBox(t, user(oneMore), set(oneMore[:len(oneMore)-3]+"[5].path", path))
	r := b.call("run", "--bundle", b.dir, b.id)
	if r.status != 0 || ours && !strings.Contains(r.stderr, "linux.uidMappings") {
		t.Fatal(r)
	}
	want, _ := os.Readlink(path)
	same(t, "the user namespace", b.sight(r.stdout).Namespaces["user"], want)

	b = newBox(t, set(oneMore+".type", "user"))
	if r = b.call("run", "--bundle", b.dir, b.id); r.status != 0 || ours && !strings.Contains(r.stderr, "linux.uidMappings") {
		t.Fatal(r)
	}
	if s := b.sight(r.stdout); s.UID != 0 || len(strings.Fields(s.UIDMap)) != 3 {
		t.Errorf("uid %d, uid_map %q", s.UID, s.UIDMap)
	}
}

// TM-01
func TestTheClocksAreOffset(t *testing.T) {
	for _, c := range []struct {
		name, offsets       string
		monotonic, boottime int64
	}{
		{"both", `{"monotonic":{"secs":86400,"nanosecs":5},"boottime":{"secs":604800}}`, 86400, 604800},
		{"backwards", `{"monotonic":{"secs":-20}}`, -20, 0},
		{"only nanoseconds", `{"boottime":{"nanosecs":999999999}}`, 0, 0},
		{"none", `{}`, 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newBox(t, set(oneMore+".type", "time"), set("linux.timeOffsets", raw(c.offsets)))
			host := newBox(t).see()
			check := func(s *sight.Sight) {
				t.Helper()
				for _, clock := range []struct {
					name            string
					got, host, want int64
				}{{"monotonic", s.Monotonic, host.Monotonic, c.monotonic}, {"boottime", s.Boottime, host.Boottime, c.boottime}} {
					if d := clock.got - clock.host - clock.want; d < 0 || d > 60 {
						t.Errorf("%s is %d, the host's was %d, the offset is %d", clock.name, clock.got, clock.host, clock.want)
					}
				}
			}
			check(b.see())
			b.create()
			b.start()
			b.ends()
			check(b.sight(contents(b.output)))
		})
	}
}
