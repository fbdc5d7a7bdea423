package bundles

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// deploy makes a bundle named name and reads its configuration.
func deploy(t *testing.T, name, program string, args ...string) (dir string, spec *specs.Spec) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), name)
	check(t, Deploy(dir, Deployment{Program: program, Args: args}))
	b, err := Open(dir)
	check(t, err)
	check(t, json.Unmarshal(b.Config, &spec))
	return dir, spec
}

// inside runs the bundle's own arguments with its root file system as root
// directory and with a /proc, which ld.so asks where the program lies.
func inside(t *testing.T, dir string, spec *specs.Spec) (string, error) {
	t.Helper()
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("no mount namespace to be had: %v: %s", err, out)
	}
	script := `mount -t proc proc "$1/proc" && exec chroot "$@"`
	cmd := exec.Command("unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh", filepath.Join(dir, "rootfs"))
	cmd.Args = append(cmd.Args, spec.Process.Args...)
	cmd.Env = spec.Process.Env
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func TestDeployedProgramsRunInTheirOwnRoot(t *testing.T) {
	t.Parallel()
	tests := []struct {
		program string
		args    []string
		want    string
	}{
		{"/bin/sh", []string{"-c", "echo $0 $1 <&-; echo \"$PATH\"", "a", "b c"}, "a b c\n" + defaultPath + "\n"},
		{"bash", []string{"-c", "echo ${BASH##*/} ${x[@]}"}, "bash\n"},
		{"/bin/busybox", []string{"echo", "hello"}, "hello\n"},
		{"env", []string{"-i", "A=b", "env"}, "A=b\n"},
	}
	for _, test := range tests {
		t.Run(test.program, func(t *testing.T) {
			t.Parallel()
			if _, err := exec.LookPath(test.program); err != nil {
				t.Skipf("%s isn't here", test.program)
			}
			dir, spec := deploy(t, "x", test.program, test.args...)
			if got, err := inside(t, dir, spec); err != nil || got != test.want {
				t.Errorf("%q, %v; not %q", got, err, test.want)
			}
		})
	}
}

func TestADeployedScriptBringsItsInterpreter(t *testing.T) {
	t.Parallel()
	script := filepath.Join(t.TempDir(), "script")
	check(t, os.WriteFile(script, []byte("#!/usr/bin/env sh\necho script \"$@\"\n"), 0o755))
	dir, spec := deploy(t, "x", script, "one", "two  three")
	if got, err := inside(t, dir, spec); err != nil || got != "script one two  three\n" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestAPythonScriptBringsPythonAndItsLibraries(t *testing.T) {
	t.Parallel()
	python, err := lookUp("", "python3", defaultPath)
	if err != nil {
		t.Skip("no python3 along the PATH of a bundle")
	}
	script := filepath.Join(t.TempDir(), "script")
	check(t, os.WriteFile(script, []byte("#!/usr/bin/env python3\nprint('hello')\n"), 0o755))
	dir, spec := deploy(t, "x", script)
	real, err := filepath.EvalSymlinks(python)
	check(t, err)
	if _, err := os.Stat(dir + "/rootfs" + real); err != nil {
		t.Error(err)
	}
	// Python's modules are data, which Deploy can't see: it starts, and complains.
	spec.Process.Args = []string{python, "--version"}
	if got, err := inside(t, dir, spec); err != nil || !strings.HasPrefix(got, "Python 3.") {
		t.Errorf("%q, %v", got, err)
	}
}

// compiled builds a program with gcc, or skips.
func compiled(t *testing.T, args ...string) {
	t.Helper()
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("no gcc")
	}
	if out, err := exec.Command(gcc, args...).CombinedOutput(); err != nil {
		t.Skipf("gcc: %v: %s", err, out)
	}
}

func TestADeployedProgramFindsLibrariesBesideItsRealPlace(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	for _, dir := range []string{"bin", "lib", "links"} {
		check(t, os.Mkdir(filepath.Join(tmp, dir), 0o755))
	}
	check(t, os.WriteFile(tmp+"/l.c", []byte("int answer(void){return 42;}"), 0o644))
	check(t, os.WriteFile(tmp+"/p.c", []byte("int answer(void);int main(){return answer();}"), 0o644))
	compiled(t, "-shared", "-fPIC", "-o", tmp+"/lib/libanswer.so", tmp+"/l.c")
	compiled(t, "-o", tmp+"/bin/p", tmp+"/p.c", "-L"+tmp+"/lib", "-lanswer", "-Wl,-rpath,$ORIGIN/../lib", "-Wl,--enable-new-dtags")
	check(t, os.Symlink("../bin/p", tmp+"/links/p"))
	dir, spec := deploy(t, "x", tmp+"/links/p")
	if got, err := inside(t, dir, spec); err == nil || err.Error() != "exit status 42" {
		t.Errorf("%q, %v", got, err)
	}
	check(t, os.Remove(tmp+"/lib/libanswer.so"))
	err := Deploy(filepath.Join(t.TempDir(), "y"), Deployment{Program: tmp + "/bin/p"})
	if want := `library "libanswer.so" not found: "` + tmp + `/bin/p" needs it`; err == nil || err.Error() != want {
		t.Errorf("without the library: %v", err)
	}
}

func TestAStaticGoProgramNeedsNothingElse(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	check(t, os.WriteFile(tmp+"/p.go", []byte("package main\nfunc main() { println(\"hello\") }\n"), 0o644))
	build := exec.Command("go", "build", "-o", tmp+"/p", tmp+"/p.go")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("go build: %v: %s", err, out)
	}
	dir, spec := deploy(t, "x", tmp+"/p")
	if got, err := inside(t, dir, spec); err != nil || got != "hello\n" {
		t.Errorf("%q, %v", got, err)
	}
	var files []string
	filepath.WalkDir(dir+"/rootfs", func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			files = append(files, strings.TrimPrefix(path, dir+"/rootfs"))
		}
		return err
	})
	want := []string{"/etc/group", "/etc/passwd", tmp + "/p"}
	slices.Sort(want)
	if diff := cmp.Diff(want, files); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// quiet makes a program that does nothing but be deployed.
func quiet(t *testing.T, dir string) string {
	t.Helper()
	check(t, os.MkdirAll(dir, 0o755))
	file := filepath.Join(dir, "p")
	check(t, os.WriteFile(file, fake{}.bytes(), 0o755))
	return file
}

func TestTheDeployedConfigurationRunsTheProgramAsGiven(t *testing.T) {
	t.Parallel()
	program := quiet(t, t.TempDir())
	_, got := deploy(t, "hello", program, "-c", "a <b", "")
	want := Default(true)
	if os.Geteuid() != 0 {
		want = Rootless(uint32(os.Geteuid()), uint32(os.Getegid()), true)
	}
	want.Hostname = "hello"
	want.Process.Terminal = false
	want.Process.Args = []string{program, "-c", "a <b", ""}
	want.Process.Env = []string{"PATH=" + defaultPath}
	if !strings.HasPrefix(program, "/tmp/") {
		want.Mounts = append(want.Mounts, specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "nodev", "mode=1777", "size=65536k"}})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTmpIsInMemoryUnlessTheProgramLiesThere(t *testing.T) {
	t.Parallel()
	hasTmp := func(spec *specs.Spec) bool {
		return slices.ContainsFunc(spec.Mounts, func(m specs.Mount) bool { return m.Destination == "/tmp" })
	}
	if _, spec := deploy(t, "x", "/bin/sh"); !hasTmp(spec) {
		t.Error("/tmp isn't mounted for /bin/sh")
	}
	program := quiet(t, t.TempDir())
	if _, spec := deploy(t, "x", program); hasTmp(spec) == strings.HasPrefix(program, "/tmp/") {
		t.Errorf("/tmp is mounted for %s: %v", program, hasTmp(spec))
	}
}

func TestTheHostnameIsTheBundlesIfItCanBeOne(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 64)
	tests := []struct{ name, want string }{
		{"hello", "hello"}, {"web-1.example", "web-1.example"}, {"X", "X"}, {long, long},
		{long + "a", "minirt"}, {"a b", "minirt"}, {"-a", "minirt"}, {"a-", "minirt"}, {".a", "minirt"},
		{"a..b", "minirt"}, {"a_b", "minirt"}, {"é", "minirt"},
	}
	program := quiet(t, t.TempDir())
	for _, test := range tests {
		if _, spec := deploy(t, test.name, program); spec.Hostname != test.want {
			t.Errorf("%q gives %q, not %q", test.name, spec.Hostname, test.want)
		}
	}
}

func TestTheDeployedRootHasWhatProgramsExpect(t *testing.T) {
	t.Parallel()
	program := quiet(t, t.TempDir())
	check(t, os.Chmod(program, 0o751|os.ModeSetuid|os.ModeSetgid))
	dir, _ := deploy(t, "x", program)
	want := map[string]fs.FileMode{
		"": fs.ModeDir | 0o755, "/dev": fs.ModeDir | 0o755, "/etc": fs.ModeDir | 0o755, "/proc": fs.ModeDir | 0o755, "/sys": fs.ModeDir | 0o755,
		"/root": fs.ModeDir | 0o700, "/tmp": fs.ModeDir | fs.ModeSticky | 0o777,
		"/etc/passwd": 0o644, "/etc/group": 0o644,
		program: 0o751, // never setuid, never setgid
	}
	if strings.HasPrefix(program, "/tmp/") {
		want["/tmp"] = fs.ModeDir | 0o755
	}
	for path, mode := range want {
		info, err := os.Lstat(dir + "/rootfs" + path)
		if err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v; not %v", path, info.Mode(), err, mode)
			continue
		}
		if st := info.Sys().(*syscall.Stat_t); os.Geteuid() == 0 && (st.Uid != 0 || st.Gid != 0) {
			t.Errorf("%s: owner %d:%d", path, st.Uid, st.Gid)
		}
	}
}

func TestDeployTakesAnEmptyDirectoryAndNoOther(t *testing.T) {
	t.Parallel()
	program := quiet(t, t.TempDir())
	empty := t.TempDir()
	check(t, Deploy(empty, Deployment{Program: program}))
	before := listing(t, empty)
	err := Deploy(empty, Deployment{Program: program})
	if err == nil || !strings.Contains(err.Error(), "exists and isn't empty") {
		t.Errorf("a bundle that is there: %v", err)
	}
	if diff := cmp.Diff(before, listing(t, empty)); diff != "" {
		t.Errorf("the bundle that was there (-before +after):\n%s", diff)
	}
	tests := map[string]string{
		program:              "not a directory",
		"/nowhere/at/all":    "no such file or directory",
		"/proc/self/mem/dir": "not a directory",
	}
	for dir, want := range tests {
		if err := Deploy(dir, Deployment{Program: program}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", dir, err)
		}
	}
}

// listing gives all below dir.
func listing(t *testing.T, dir string) []string {
	t.Helper()
	var paths []string
	check(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		paths = append(paths, path)
		return err
	}))
	return paths
}

func TestAFailedDeployLeavesNothing(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	program := quiet(t, tmp+"/program")
	tree := func() *tree {
		tree := newTree("")
		check(t, addProgram(tree, program, 0))
		tree.addBase()
		return tree
	}
	for n := range tree().entries {
		for _, exists := range []bool{false, true} {
			dir := filepath.Join(tmp, "bundle")
			if exists {
				check(t, os.Mkdir(dir, 0o755))
			}
			broken := tree()
			broken.entries[n].mode = fs.ModeSymlink // a link with no target can't be made
			if err := Make(dir, func(rootfs string) (*specs.Spec, error) { return Default(true), layRootfs(rootfs, broken) }); err == nil {
				t.Fatalf("entry %d: no error", n)
			}
			_, err := os.Lstat(dir)
			if (err == nil) != exists || exists && len(listing(t, dir)) != 1 {
				t.Errorf("entry %d: left %v", n, listing(t, dir))
			}
			os.RemoveAll(dir)
		}
	}
}

func TestAnInterruptedDeployLeavesNothing(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	program := quiet(t, tmp+"/program")
	for last := 0; ; last++ { // each time one question later
		asked := 0
		dir := filepath.Join(tmp, "bundle")
		err := Deploy(dir, Deployment{Program: program, Interrupted: func() error {
			if asked++; asked > last {
				return errors.New("interrupted")
			}
			return nil
		}})
		if err == nil && last > 3 {
			break
		}
		if err == nil || !strings.HasSuffix(err.Error(), "interrupted") {
			t.Fatalf("question %d of %d: %v", last, asked, err)
		}
		if _, err := os.Lstat(dir); !os.IsNotExist(err) {
			t.Fatalf("question %d: something is left of the bundle: %v", last, err)
		}
	}
}

// Two may find a directory empty at once: one makes a bundle of it, and the
// other leaves that alone.
func TestWhoComesSecondTakesNothingBackOfTheFirst(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	err := Make(dir, func(rootfs string) (*specs.Spec, error) {
		check(t, Write(dir, Default(true))) // the other's
		return Default(true), nil
	})
	if err == nil {
		t.Error("no error")
	}
	if diff := cmp.Diff([]string{dir, dir + "/config.json"}, listing(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestDeployRefusesBeforeItMakesAnything(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	file := func(name, text string, mode fs.FileMode) string {
		check(t, os.WriteFile(filepath.Join(tmp, name), []byte(text), mode))
		return filepath.Join(tmp, name)
	}
	tests := []struct{ program, arg, want string }{
		{"/no/such/program", "", `"/no/such/program": no such file or directory`},
		{"no-such-program", "", `"no-such-program": executable file not found in PATH`},
		{file("text", "hello", 0o755), "", "neither an ELF program nor a script"},
		{file("data", "#!/bin/sh\n", 0o644), "", "permission denied"},
		{file("foreign", elfText(fake{machine: 21}), 0o755), "", "another architecture"},
		{file("lost", elfText(fake{interp: "/lib/none.so"}), 0o755), "", `needs the loader "/lib/none.so": no such file or directory`},
		{file("cut", elfMagic, 0o755), "", "truncated ELF file"},
		{tmp, "", "is a directory"},
		{"/dev/null", "", "not a regular file"},
		{"", "", "no name"},
		{"/bin/sh", "\xff", `"\xff": not UTF-8`},
	}
	for _, test := range tests {
		dir := filepath.Join(tmp, "bundle")
		err := Deploy(dir, Deployment{Program: test.program, Args: []string{test.arg}})
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v", test.program, err)
		}
		if _, err := os.Lstat(dir); err == nil {
			t.Fatalf("%q: made the bundle", test.program)
		}
	}
}

func TestDeployRefusesWhatTheContainersMountsWouldHide(t *testing.T) {
	t.Parallel()
	shm, err := os.MkdirTemp("/dev/shm", "deploy")
	if err != nil {
		t.Skipf("no place under /dev: %v", err)
	}
	defer os.RemoveAll(shm)
	dir := filepath.Join(t.TempDir(), "x")
	err = Deploy(dir, Deployment{Program: quiet(t, shm)})
	if err == nil || !strings.Contains(err.Error(), "lies under /dev, over which the container mounts its own") {
		t.Errorf("under /dev: %v", err)
	}
}

func TestDeployDoesNotWriteThroughLinksThatItCopies(t *testing.T) {
	t.Parallel()
	canary, tmp := t.TempDir(), t.TempDir()
	program := quiet(t, canary)
	check(t, os.Symlink(canary, tmp+"/link")) // absolute, and so leading out of the root file system as well
	before := listing(t, canary)
	dir, spec := deploy(t, "x", tmp+"/link/p")
	if diff := cmp.Diff(before, listing(t, canary)); diff != "" {
		t.Errorf("(-before +after):\n%s", diff)
	}
	if target, err := os.Readlink(dir + "/rootfs" + tmp + "/link"); err != nil || target != canary {
		t.Errorf("the link leads to %q, %v", target, err)
	}
	if _, err := os.Stat(dir + "/rootfs" + program); err != nil {
		t.Error(err)
	}
	if spec.Process.Args[0] != tmp+"/link/p" {
		t.Errorf("args %q", spec.Process.Args)
	}
}
