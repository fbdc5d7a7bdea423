package laws

import (
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// byPath are the calls that are given a path as a string, and where they may
// be made (advisories, law 1: before the root changes no call takes a path that
// an image has a part in). Who isn't here takes a directory's descriptor and
// openat2(2).
var byPath = []struct {
	rooms []string
	calls string
}{
	// A person's own directories and files: nothing of a container's.
	{[]string{"bundles", "bundles/image", "cmd/minirt"}, `os.MkdirAll os.Mkdir os.MkdirTemp os.Create os.CreateTemp os.OpenFile os.WriteFile os.Symlink os.Link
		os.Rename os.Remove os.RemoveAll os.Truncate os.Chtimes os.Lchown os.Chown os.Chmod
		filepath.Walk filepath.WalkDir filepath.EvalSymlinks filepath.Glob`},
	// Reading: the host's own files.
	{[]string{"bundles", "bundles/image", "cmd/minirt", "lifecycle", "internal/mountpoint", "internal/console", "internal/netdev", "internal/systemd"}, `os.Open os.ReadFile os.ReadDir os.Stat os.Lstat os.Readlink os.DirFS
		unix.Stat unix.Lstat unix.Readlink unix.Access`},
	{[]string{"bundles", "bundles/image", "cmd/minirt", "lifecycle", "internal/mountpoint", "internal/cgroup", "internal/resctrl", "internal/tree", "internal/stage"}, `unix.Open unix.Creat unix.Statfs`},
	{[]string{"internal/tree"}, `unix.Stat`}, // who may go along the path of a bind's source
	// The leases, the host's sysctls and its processes; and the files beside config.json that a bundle lends its containers.
	{[]string{"internal/network", "internal/network/cni"}, `os.MkdirAll os.OpenFile os.WriteFile os.Rename os.Remove os.ReadFile os.Readlink filepath.Glob unix.Open unix.Stat`},
	{[]string{"internal/network/cni"}, `unix.OpenTree unix.MoveMount unix.Unmount`}, // what keeps a network namespace until its plugins have undone
	// deploy's new root file system, before anybody has seen it; and those that others made, for deploy --into, which
	// resolves links itself: no path that it gives to os.Root has a link, a ".." or a slash at its end (SEC-56).
	{[]string{"bundles"}, `os.OpenRoot`},
	// The state root and the pid file.
	{[]string{"lifecycle"}, `unix.Mkdir unix.Chmod unix.Unlink`},
	{[]string{"internal/resctrl"}, `unix.Lstat`},
	{[]string{"internal/cgroup"}, `unix.Mkdir unix.Rmdir unix.Lstat unix.Stat unix.Lchown unix.Faccessat`},
	// By descriptor: the root file system, detached trees, the state directory.
	{[]string{"internal/mountpoint", "internal/tree", "lifecycle", "bundles", "bundles/image"}, `unix.Openat unix.Openat2 unix.Mkdirat unix.Mknodat unix.Symlinkat unix.Linkat unix.Unlinkat
		unix.Renameat unix.Renameat2 unix.Fchownat unix.Fchmodat unix.Utimensat unix.UtimesNanoAt unix.Fstatat unix.Readlinkat unix.Faccessat unix.Faccessat2`},
	{[]string{"internal/cgroup", "internal/stage"}, `unix.Openat unix.Openat2 unix.Unlinkat`},
	{[]string{"internal/logfile"}, `unix.Open unix.Openat unix.Fstatat`},                 // a log, whose path the caller named
	{[]string{"internal/advice"}, `unix.Open unix.Openat2 unix.Readlinkat`},              // reading: the host's own files, and by a path that no link leads out of
	{[]string{"internal/explain"}, `unix.Open unix.Openat unix.Openat2 unix.Readlinkat`}, // what a process shows of itself in /proc/PID
	// The mounts of a container without a mount namespace.
	{[]string{"internal/mountpoint"}, `unix.Unmount`},
	{[]string{"internal/tree"}, `unix.OpenTree unix.Fsopen unix.Fsconfig unix.Fsmount unix.MountSetattr unix.MoveMount`},
	// Nobody; law 3: a mount is made detached and moved onto a descriptor, by the stage.
	{nil, `unix.Mount unix.Chroot unix.PivotRoot unix.Chdir os.Chdir unix.Setns unix.Unshare unix.Mknod unix.Mkfifo unix.Symlink unix.Link unix.Rename
		unix.Chown unix.Lchown unix.Truncate unix.Utimes unix.Setxattr unix.Lsetxattr unix.Swapon unix.Sethostname os.CopyFS os.OpenRoot os.OpenInRoot`},
}

func TestCallsThatTakeAPathHaveTheirRooms(t *testing.T) {
	rooms := make(map[string][]string)
	for _, l := range byPath {
		for call := range strings.FieldsSeq(l.calls) {
			rooms[call] = append(rooms[call], l.rooms...)
		}
	}
	for _, f := range program(t) {
		f.calls(func(name string, call *ast.CallExpr) {
			room := f.pkg
			if strings.HasPrefix(room, "cmd/minirt/") {
				room = "cmd/minirt"
			}
			if allowed, ok := rooms[name]; ok && !slices.Contains(allowed, room) {
				t.Errorf("%s calls %s, which is for %v alone", f.line(call), name, allowed)
			}
		})
	}
}

// Packages that compute values make no system call; nor do the functions of
// lifecycle that Compile is made of (design, law 1): the compiler's methods.
func TestWhatIsPureMakesNoSystemCall(t *testing.T) {
	pure := []string{"spec", "rootfs", "internal/plan", "internal/seccomp", "internal/json", "internal/kernel"}
	for _, f := range program(t, pure...) {
		f.effects(t, f.tree)
	}
	methods := 0
	for _, f := range program(t, "lifecycle") {
		for _, d := range f.tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && compiles(fn) {
				methods++
				f.effects(t, fn)
			}
		}
	}
	if methods < 20 {
		t.Errorf("only %d functions of the compiler were found", methods)
	}
}

// compiles tells whether a function is a part of Compile.
func compiles(fn *ast.FuncDecl) bool {
	if fn.Recv == nil {
		return slices.Contains([]string{"Compile", "compileExec", "birthsOf", "namespacesOf", "schedAttr", "programPaths", "environment", "borrowsProcfs"}, fn.Name.Name)
	}
	star, ok := fn.Recv.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	name, ok := star.X.(*ast.Ident)
	return ok && (name.Name == "compiler" || name.Name == "births")
}

// effects finds calls of the system below a node.
func (f *file) effects(t *testing.T, n ast.Node) {
	t.Helper()
	allowed := []string{"unix.Errno", "os.FileMode", "unix.Major", "unix.Minor", "unix.Mkdev", "unix.Signal", "unix.SignalName", "unix.ErrnoName", "unix.SignalNum", "unix.ByteSliceToString"}
	ast.Inspect(n, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		name := f.qualified(call.Fun)
		pkg, _, _ := strings.Cut(name, ".")
		if (pkg == "unix" || pkg == "os" || pkg == "exec" || pkg == "time" || pkg == "user") && !slices.Contains(allowed, name) {
			t.Errorf("%s calls %s", f.line(call), name)
		}
		return true
	})
}

// What is written to procfs and by which way (advisories, law 2): the stage
// writes to a procfs of its own; the parent writes only these, of the host's
// own procfs, to a process that it holds a pidfd of.
func TestFilesOfProcfsAreWrittenInFewPlaces(t *testing.T) {
	writers := []string{
		"lifecycle/idmap.go",         // uid_map, gid_map, setgroups
		"lifecycle/serve.go",         // timens_offsets
		"lifecycle/create.go",        // oom_score_adj
		"lifecycle/exec_serve.go",    // oom_score_adj
		"internal/tree/namespace.go", // uid_map, gid_map of a process of its own
		"lifecycle/sysctl.go",        // the stage, to its own procfs
	}
	for _, f := range program(t, "lifecycle", "internal", "rootfs") {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := ""
			switch fun := call.Fun.(type) {
			case *ast.Ident:
				name = fun.Name
			case *ast.SelectorExpr:
				name = fun.Sel.Name
			}
			if (name == "writeTo" || name == "writeProc") && !slices.Contains(writers, f.name) {
				t.Errorf("%s writes to procfs", f.line(n))
			}
			return true
		})
	}
}

// Law 3: no mount(2) names its mount point, which is the working directory,
// entered by descriptor; and flags are never set by a second mount, except
// where a config asks for a remount.
func TestNoMountNamesItsMountPoint(t *testing.T) {
	remounts := []string{"rootfs/mount.go", "rootfs/option.go", "internal/plan/names.go"}
	for _, f := range program(t, "rootfs", "lifecycle", "internal") {
		f.mentions(func(name string, n ast.Node) {
			if (name == "unix.MS_REMOUNT" || name == "unix.MS_BIND") && !slices.Contains(remounts, f.name) {
				t.Errorf("%s has %s", f.line(n), name)
			}
		})
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) < 3 || f.qualified(call.Args[0]) != "plan.Mount" {
				return true
			}
			if source, ok := call.Args[1].(*ast.Ident); ok && source.Name == "nil" {
				return true // no mount, but a change of propagation, which has no other call that all kernels know
			}
			if f.name == "rootfs/pivot.go" { // covers the host's procfs, by the host's paths, where the root can't be pivoted
				return true
			}
			if point, ok := call.Args[2].(*ast.BasicLit); !ok || point.Value != `"."` {
				t.Errorf("%s mounts on something else than the working directory", f.line(n))
			}
			return true
		})
	}
}

// No goroutine runs on the way of a verb that engines wait for, and no
// package does anything when the program starts.
func TestNoGoroutinesAndNoInitFunctions(t *testing.T) {
	for _, f := range program(t) {
		hot := f.pkg == "lifecycle" || f.pkg == "spec" || f.pkg == "rootfs" || strings.HasPrefix(f.pkg, "internal/")
		ast.Inspect(f.tree, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.GoStmt:
				if hot && !slices.Contains(goroutines, f.name) {
					t.Errorf("%s starts a goroutine", f.line(n))
				}
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.Name == "init" && !slices.Contains(inits, f.name) {
					t.Errorf("%s is an init function", f.line(n))
				}
			}
			return true
		})
	}
}

// inits are the files whose init has a reason; their packages say it.
var inits = []string{"cmd/minirt/hot/hot.go", "cmd/minirt/early/faster.go"}

// goroutines are the files that may start one, for a verb that waits anyway.
var goroutines = []string{"lifecycle/denied.go"}
