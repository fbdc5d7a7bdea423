package landlock

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const all = 6 // the version of the ABI that has all of it

func notes(pairs ...string) map[string]string {
	m := map[string]string{"org.example": "of no interest"}
	for i := 0; i < len(pairs); i += 2 {
		m[Prefix+pairs[i]] = pairs[i+1]
	}
	return m
}

func at(name string) string { return `annotations["org.minirt.landlock.` + name + `"]` }

func TestAnAnnotationRestrictsWhatItNamesAndNothingElse(t *testing.T) {
	t.Parallel()
	const bind, connect = unix.LANDLOCK_ACCESS_NET_BIND_TCP, unix.LANDLOCK_ACCESS_NET_CONNECT_TCP
	for _, c := range []struct {
		notes map[string]string
		want  Rules
	}{
		{notes("fs.read", "/etc:/usr/lib"), Rules{FS: read | refer, Paths: []Path{
			{at("fs.read"), "/etc", read}, {at("fs.read"), "/usr/lib", read}, {at("fs.read"), "/", refer}}}},
		{notes("fs.write", ""), Rules{FS: write}},
		{notes("fs.write", "/tmp", "fs.execute", "/bin"), Rules{FS: write | unix.LANDLOCK_ACCESS_FS_EXECUTE, Paths: []Path{
			{at("fs.write"), "/tmp", write}, {at("fs.execute"), "/bin", unix.LANDLOCK_ACCESS_FS_EXECUTE}}}},
		{notes("fs.ioctl", "/dev/tty"), Rules{FS: unix.LANDLOCK_ACCESS_FS_IOCTL_DEV | refer, Paths: []Path{
			{at("fs.ioctl"), "/dev/tty", unix.LANDLOCK_ACCESS_FS_IOCTL_DEV}, {at("fs.ioctl"), "/", refer}}}},
		{notes("net.bind", "0,65535", "net.connect", ""), Rules{Net: bind | connect, Ports: []Port{
			{at("net.bind"), 0, bind}, {at("net.bind"), 65535, bind}}}},
		{notes("scope", "signal,abstract-unix", "mode", "strict"), Rules{Scope: unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET}},
	} {
		got, faults := Read(c.notes)
		warnings, more := got.Fit(all)
		if len(faults)+len(warnings)+len(more) > 0 {
			t.Errorf("%q: %v %v %v", c.notes, faults, warnings, more)
		}
		got.asked = nil
		if d := cmp.Diff(&c.want, got, cmp.AllowUnexported(Rules{})); d != "" {
			t.Errorf("%q (-want +got):\n%s", c.notes, d)
		}
	}
}

func TestWhatIsMalformedIsAFaultWithItsPlace(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, value, want string }{
		{"fs.read", "etc", `"etc" is not an absolute path`},
		{"fs.write", "/a::/b", `"" is not an absolute path`},
		{"fs.execute", "/a,b:", `"" is not an absolute path`},
		{"fs.ioctl", "/a\x00b", `"/a\x00b" holds a NUL`},
		{"net.bind", "80, 81", `" 81" is not a port`},
		{"net.bind", "65536", `"65536" is not a port`},
		{"net.connect", "+1", `"+1" is not a port`},
		{"net.connect", "1,", `"" is not a port`},
		{"scope", "", "no scope is named"},
		{"scope", "signals", `unknown scope "signals"`},
		{"mode", "besteffort", `unknown mode "besteffort"`},
		{"mode", "best-effort", "there are no rules"},
		{"fs.reed", "/", "no such annotation: want one of fs.read, "},
		{"", "/", "no such annotation"},
	} {
		_, faults := Read(notes(c.name, c.value))
		if len(faults) != 1 || faults[0].Path != at(c.name) || !strings.HasPrefix(faults[0].Text, c.want) {
			t.Errorf("%s %q: want %q, got %v", c.name, c.value, c.want, faults)
		}
	}
}

// A kernel that lacks a part of what is asked for runs nothing, unless its best is enough.
func TestWhatTheKernelLacksIsRefusedOrToldOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		abi   int
		notes []string
		lacks []string
		left  Rules
	}{
		{5, []string{"scope", "signal", "net.bind", "1"}, []string{at("scope") + ": restricting the scope needs version 6 of Landlock's ABI (Linux 6.12), and this kernel has version 5"},
			Rules{Net: 1, Ports: []Port{{at("net.bind"), 1, 1}}}},
		{3, []string{"net.bind", "1", "fs.ioctl", ""}, []string{at("net.bind") + ": restricting ports needs version 4", at("fs.ioctl") + ": restricting ioctl needs version 5"},
			Rules{FS: refer, Paths: []Path{{at("fs.ioctl"), "/", refer}}}},
		{2, []string{"fs.write", "/tmp"}, []string{at("fs.write") + ": restricting truncation needs version 3"},
			Rules{FS: write &^ unix.LANDLOCK_ACCESS_FS_TRUNCATE, Paths: []Path{{at("fs.write"), "/tmp", write &^ unix.LANDLOCK_ACCESS_FS_TRUNCATE}}}},
		{1, []string{"fs.read", ""}, []string{at("fs.read") + ": restricting moves to other directories needs version 2"}, Rules{FS: read}},
		{0, []string{"fs.read", "/", "scope", "signal"}, []string{at("fs.read") + ": this kernel has no Landlock", at("scope") + ": this kernel has no Landlock"}, Rules{}},
	} {
		strict, _ := Read(notes(c.notes...))
		warnings, faults := strict.Fit(c.abi)
		if len(warnings) > 0 || len(faults) != len(c.lacks) {
			t.Errorf("version %d, %q: %v %v", c.abi, c.notes, warnings, faults)
			continue
		}
		effort, _ := Read(notes(append(c.notes, "mode", "best-effort")...))
		warnings, more := effort.Fit(c.abi)
		if len(warnings) != len(c.lacks) || len(more) > 0 {
			t.Errorf("version %d, best effort, %q: %v %v", c.abi, c.notes, warnings, more)
			continue
		}
		for i, want := range c.lacks {
			fault := faults[i].Path + ": " + faults[i].Text
			if !strings.HasPrefix(fault, want) || !strings.HasPrefix(warnings[i], fault+": ") {
				t.Errorf("version %d: want %q, got %q and %q", c.abi, want, fault, warnings[i])
			}
		}
		effort.asked, effort.bestEffort = nil, false
		if d := cmp.Diff(&c.left, effort, cmp.AllowUnexported(Rules{})); d != "" {
			t.Errorf("version %d, %q (-want +got):\n%s", c.abi, c.notes, d)
		}
	}
}

func TestOthersAnnotationsAskForNothing(t *testing.T) {
	t.Parallel()
	if Asked(nil) || Asked(notes()) || !Asked(notes("fs.read", "")) {
		t.Error("what asks for rules is not told from what doesn't")
	}
}

func FuzzRead(f *testing.F) {
	f.Add("/a:/b", "80,81", "signal", "strict")
	f.Add(":", ",", ",", "")
	f.Fuzz(func(t *testing.T, paths, ports, scope, mode string) {
		r, faults := Read(notes("fs.read", paths, "net.connect", ports, "scope", scope, "mode", mode))
		if len(faults) > 0 {
			return
		}
		for _, p := range r.Paths {
			if p.Path[0] != '/' || p.Access == 0 || p.Access&^r.FS != 0 {
				t.Errorf("%+v of %q", p, paths)
			}
		}
		if r.Scope == 0 || r.FS != read|refer || r.Net != unix.LANDLOCK_ACCESS_NET_CONNECT_TCP {
			t.Errorf("%+v", r)
		}
	})
}
