package conformance

import (
	"fmt"
	"math/rand/v2"
	"os"
	"sort"
	"strings"
	"testing"
)

// NS-01, NS-03, NS-04, NS-07: each type absent, new or joined, in random
// mixtures (a few; many with MINIRT_LONG=1). The seed is printed.
func TestEveryMixtureOfNamespacesIsWhatItSays(t *testing.T) {
	t.Parallel()
	holder := newBox(t, shell(waiting), user(oneMore), set("linux.namespaces[+].type", "cgroup"), set("linux.namespaces[+].type", "time"))
	holder.create()
	outside := holder.other() // namespaces that belong to the host's user namespace
	within := holder.state().Pid
	seed, rounds := rand.Uint64(), 12
	if os.Getenv("MINIRT_LONG") != "" {
		rounds = 1000
	}
	random := rand.New(rand.NewPCG(seed, 0))
	kinds := []string{"cgroup", "ipc", "network", "pid", "time", "user", "uts"}
	for range rounds {
		want := map[string]string{}
		var list []any
		how := map[string]int{}
		for _, kind := range kinds {
			how[kind] = random.IntN(3)
		}
		var name []string
		for _, kind := range kinds {
			path := fmt.Sprintf("/proc/%d/ns/%s", outside, links[kind])
			if kind == "user" || kind == "time" || how["user"] == 2 && random.IntN(2) == 0 {
				path = fmt.Sprintf("/proc/%d/ns/%s", within, links[kind])
			}
			n := map[string]any{"type": kind}
			switch how[kind] {
			case 0:
				want[links[kind]] = hostNamespace(t, kind)
				continue
			case 1:
				name = append(name, "new "+kind)
			case 2:
				name = append(name, path)
				n["path"] = path
				want[links[kind]], _ = os.Readlink(path)
			}
			list = append(list, n)
		}
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		e := listed(list...)
		if how["user"] == 1 {
			e = all(e, user("linux.namespaces[0]"), set("linux.namespaces[0].type", "mount"))
		}
		if how["user"] != 0 { // a new procfs only where the pid namespace is the user namespace's own
			e = all(e, set("mounts[0]", raw(`{"destination":"/proc","type":"bind","source":"/proc","options":["rbind"]}`)))
		}
		b := newBox(t, e)
		os.Chmod(b.dir, 0o777) // for hooks in a user namespace
		os.Chmod(b.path("rootfs"), 0o777)
		b.edit(set("hooks.createContainer", []any{b.hook("createContainer")}), set("hooks.startContainer", []any{inside("startContainer")}))
		call := []string{"run", "--bundle", b.dir, b.id}
		if random.IntN(2) == 0 {
			name = append(name, "by exec")
			b.edit(shell(waiting))
			if r := b.call("create", "--bundle", b.dir, b.id); r.status != 0 {
				t.Errorf("seed %d: %s: %v", seed, strings.Join(name, ", "), r)
				continue
			}
			b.start()
			call = []string{"exec", b.id, "/bin/probe"}
		}
		r := b.call(call...)
		sort.Strings(name)
		if r.status != 0 {
			t.Errorf("seed %d: %s: %v", seed, strings.Join(name, ", "), r)
			continue
		}
		s := b.sight(r.stdout)
		hooks := b.ran()
		same(t, strings.Join(name, ", ")+": hooks", names(hooks), []string{"createContainer", "startContainer"})
		for _, h := range hooks {
			if h.Args[0] == "createContainer" && how["pid"] == 2 {
				// Before pivot_root, among processes that are there already, the
				// hook would show them the host's files: it waits outside (SEC-03).
				h.Namespaces["pid"], h.Namespaces["time"] = s.Namespaces["pid"], s.Namespaces["time"]
			}
			same(t, strings.Join(name, ", ")+": namespaces of "+h.Args[0], h.Namespaces, s.Namespaces)
		}
		for _, kind := range kinds {
			got, host := s.Namespaces[links[kind]], hostNamespace(t, kind)
			if want := want[links[kind]]; want != "" && got != want || want == "" && got == host || got == "" {
				t.Errorf("seed %d: %s: the %s namespace is %q, want %q, the host's is %q", seed, strings.Join(name, ", "), kind, got, want, host)
			}
		}
	}
}
