package advice

import (
	"flag"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

var update = flag.Bool("update", false, "write docs/errors.md")

func TestTheDocumentListsAllRows(t *testing.T) {
	t.Parallel()
	const name = "../../docs/errors.md"
	if *update {
		if err := os.WriteFile(name, []byte(document()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(document(), string(got)); diff != "" {
		t.Errorf("go test ./internal/advice -update writes it anew (-want +got):\n%s", diff)
	}
}

// atLeast is how many rows must happen for real, in scripts of cmd/minirt.
const atLeast = 80

func TestEveryRowIsMadeToHappen(t *testing.T) {
	t.Parallel()
	scripts, err := filepath.Glob("../../cmd/minirt/testdata/advice*.txt")
	if err != nil {
		t.Fatal(err)
	}
	word := regexp.MustCompile(`(?m)^(?:\[[^\]]*\] )*advice (\S+)$`)
	real := make(map[string]bool)
	for _, name := range scripts {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range word.FindAllStringSubmatch(string(text), -1) {
			real[m[1]] = true
		}
	}
	tested := maps.Clone(real)
	for _, f := range faked {
		tested[f.name] = true
	}
	names := make(map[string]bool)
	for _, r := range Rows() {
		if names[r.Name] {
			t.Errorf("there are two rows %s", r.Name)
		}
		names[r.Name] = true
		if !tested[r.Name] {
			t.Errorf("no test makes %s happen", r.Name)
		}
	}
	for name := range tested {
		if !names[name] {
			t.Errorf("there is no row %s", name)
		}
	}
	if len(real) < atLeast {
		t.Errorf("only %d rows happen for real, less than %d", len(real), atLeast)
	}
	t.Logf("%d of %d rows happen for real", len(real), len(names))
}

func TestALineOfAdviceIsALineWithoutAFullStop(t *testing.T) {
	t.Parallel()
	for _, r := range Rows() {
		if strings.ContainsAny(r.Text+r.When, "\n") || strings.HasSuffix(r.Text, ".") || strings.HasSuffix(r.When, ".") || r.Text == "" || r.When == "" {
			t.Errorf("%s: %q, %q", r.Name, r.When, r.Text)
		}
		if first := r.Text[:1]; first != strings.ToLower(first) {
			t.Errorf("%s begins with a capital: %q", r.Name, r.Text)
		}
	}
}

// fake is a host of a test's making.
type fake struct {
	texts map[string]string
	files map[string]File
	uid   int
}

func (f fake) Read(name string) string               { return strings.TrimSpace(f.texts[name]) }
func (f fake) Names(dir string) []string             { return nil }
func (f fake) Look(root, name string) File           { return f.files[path.Join(root, name)] }
func (f fake) Link(root, name string) string         { return "" }
func (f fake) UID() int                              { return f.uid }
func (f fake) Limit(resource int) uint64             { return unix.RLIM_INFINITY }
func (f fake) Status(id string) string               { return "" }
func (f fake) Roots() []string                       { return nil }
func with(name, text string) map[string]string       { return map[string]string{name: text} }
func there(name string, mode uint32) map[string]File { return map[string]File{name: {Mode: mode}} }

var userNamespace = &specs.Spec{Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.UserNamespace}}}}

func spec(p specs.Process) *specs.Spec { return &specs.Spec{Process: &p} }

// faked are rows that this project's machines can't be brought to, or not
// without harm: other kernels, security modules, a whole machine's sysctls. The
// errnos are the kernel's, the facts are not.
var faked = []struct {
	name string
	f    Failure
	h    fake
	want string
}{
	{"user-namespaces-off", Failure{Errno: unix.EPERM, Call: "unshare", Namespaces: unix.CLONE_NEWUSER, Spec: userNamespace},
		fake{texts: with("/proc/sys/kernel/unprivileged_userns_clone", "0\n"), uid: 1000},
		"as root: sysctl -w kernel.unprivileged_userns_clone=1; a file in /etc/sysctl.d makes it last"},
	{"user-namespaces-apparmor", Failure{Errno: unix.EACCES, Call: "mount", Spec: userNamespace},
		fake{texts: with("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1\n"), uid: 1000},
		"as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; a file in /etc/sysctl.d makes it last"},
	{"kernel-too-old", Failure{Errno: unix.ENOSYS, Call: "mount_setattr"}, fake{texts: with("/proc/sys/kernel/osrelease", "5.10.0-28-amd64\n")},
		"this is Linux 5.10.0-28-amd64: minirt takes 5.14 or newer"},
	{"too-many-files-of-all", Failure{Errno: unix.ENFILE}, fake{texts: with("/proc/sys/fs/file-max", "1024\n")},
		"as root: raise the sysctl fs.file-max, which is 1024"},
	{"rlimit-beyond-nr-open", Failure{Errno: unix.EPERM, Path: "process.rlimits[1]", Call: "prlimit64",
		Spec: spec(specs.Process{Rlimits: []specs.POSIXRlimit{{Type: "RLIMIT_CORE"}, {Type: "RLIMIT_NOFILE", Hard: 1 << 21}}})},
		fake{texts: with("/proc/sys/fs/nr_open", "1048576\n")},
		"the kernel allows 1048576: as root, sysctl -w fs.nr_open=2097152, or set a lower hard limit"},
	{"apparmor-profile-missing", Failure{Errno: unix.ENOENT, Path: "process.apparmorProfile", Spec: spec(specs.Process{ApparmorProfile: "web"})},
		fake{files: there("/etc/apparmor.d/web", unix.S_IFREG)}, "as root: apparmor_parser -r /etc/apparmor.d/web"},
	{"apparmor-profile-missing", Failure{Errno: unix.ENOENT, Path: "process.apparmorProfile", Spec: spec(specs.Process{ApparmorProfile: "web"})},
		fake{}, `as root: apparmor_parser -r FILE, with the file that defines "web"`},
	{"selinux-label-unknown", Failure{Errno: unix.EINVAL, Path: "process.selinuxLabel"}, fake{},
		`containers mostly have "system_u:system_r:container_t:s0"; sesetup and seinfo -t list what the policy has`},
	{"seccomp-without-no-new-privileges", Failure{Errno: unix.EACCES, Path: "linux.seccomp", Call: "seccomp"}, fake{}, "set process.noNewPrivileges to true"},
	{"cgroup-inner", Failure{Errno: unix.EBUSY, Path: "linux.cgroupsPath", Call: "join", Cgroup: "/sys/fs/cgroup/machine.slice"}, fake{},
		"let linux.cgroupsPath name a new cgroup below machine.slice"},
}

func TestRowsThatThisMachineCannotBeBroughtTo(t *testing.T) {
	t.Parallel()
	for _, c := range faked {
		text, name := For(&c.f, c.h)
		if diff := cmp.Diff([2]string{c.name, c.want}, [2]string{name, text}); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestNothingIsAdvisedWhereTheFactsAreOthers(t *testing.T) {
	t.Parallel()
	for _, c := range faked {
		if len(c.h.texts) == 0 {
			continue
		}
		if text, name := For(&c.f, fake{uid: c.h.uid}); name == c.name {
			t.Errorf("%s without its fact: %s", name, text)
		}
	}
	asking := asked{fake{}, t}
	for _, errno := range []unix.Errno{0, unix.ENOENT, unix.EACCES, unix.EINVAL, unix.EROFS, unix.EBUSY, unix.ENOTDIR} {
		For(&Failure{Errno: errno, Verb: "create", ID: "web", Bundle: "/b", Rootfs: "/b/rootfs", Path: "linux", Program: "x", Kind: Killed}, asking)
		For(&Failure{Errno: errno, Verb: "create", ID: "web"}, asking)
	}
	for errno := range unix.Errno(140) {
		if text, name := For(&Failure{Errno: errno, Verb: "create", ID: "web"}, fake{}); text != "" && !slices.Contains([]string{"too-many-files"}, name) {
			t.Errorf("%v of a create that nothing is known of: %s: %s", errno, name, text)
		}
	}
}

func TestWhatIsFilledInStaysOneWordOfAShell(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, value, want string }{
		{"use chmod +x {}", "/srv/web", "use chmod +x /srv/web"},
		{"use chmod +x {}", "/a b; rm -r '~'", `use chmod +x '/a b; rm -r '\''~'\'''`},
		{"{}/x", "{}", "'{}'/x"},
		{"it is {text}", "a list: {}", "it is a list: {}"},
		{`add {"a": 1} to {}`, "é$(x)", `add {"a": 1} to 'é$(x)'`},
	} {
		if diff := cmp.Diff(c.want, fill(c.text, []string{c.value})); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

// asked is a host that nothing should be asked of.
type asked struct {
	fake
	t *testing.T
}

func (a asked) Read(name string) string {
	a.t.Errorf("%s is read", name)
	return ""
}

func (a asked) Look(root, name string) File {
	a.t.Errorf("%s in %s is looked at", name, root)
	return File{}
}

func (a asked) Status(id string) string {
	a.t.Error("a status is asked for")
	return ""
}

func TestALinkOfTheImageDoesNotLeadOutOfItsRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root := filepath.Join(dir, "root")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(root, "bin"), 0o755),
		os.WriteFile(filepath.Join(dir, "secret"), []byte("secret"), 0o644),
		os.WriteFile(filepath.Join(root, "bin/sh"), []byte("#!/bin/sh"), 0o755),
		os.Symlink("../../secret", filepath.Join(root, "bin/out")),
		os.Symlink(filepath.Join(dir, "secret"), filepath.Join(root, "bin/absolute")),
		os.Symlink("/bin/sh", filepath.Join(root, "bin/inside")),
		unix.Mkfifo(filepath.Join(root, "bin/fifo"), 0o644),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if os.Geteuid() == 0 { // reading it would never end
		if err := unix.Mknod(filepath.Join(root, "bin/zero"), unix.S_IFCHR|0o644, int(unix.Mkdev(1, 5))); err != nil {
			t.Fatal(err)
		}
	}
	h := new(Host)
	for name, want := range map[string]string{"out": "", "absolute": "", "inside": "#!/bin/sh", "sh": "#!/bin/sh", "fifo": "", "zero": "", "nosuch": ""} {
		if got := h.Look(root, "/bin/"+name).Head; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if h.Look(root, "bin/fifo").Mode&unix.S_IFMT != unix.S_IFIFO {
		t.Error("the FIFO is not seen")
	}
}

func FuzzHeadsOfPrograms(f *testing.F) {
	self, err := os.Executable()
	if err != nil {
		f.Fatal(err)
	}
	b, err := os.ReadFile(self)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(b[:4096]))
	f.Add("#!/bin/sh -x\n")
	f.Add("#! \r\n")
	f.Fuzz(func(t *testing.T, head string) {
		machineOf(head)
		if l := loader(head); l != "" && !strings.Contains(head, l) {
			t.Errorf("%q is not in the program", l)
		}
		if i := interpreter(head); i != "" && (!strings.Contains(head, i) || len(i) > 256) {
			t.Errorf("%q is not in the script", i)
		}
	})
}
