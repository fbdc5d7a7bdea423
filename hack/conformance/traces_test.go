package conformance

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// unknown checks that the runtime has no such container, and that nothing of
// it is left.
func (b *box) unknown() {
	b.Helper()
	b.fails("state", b.id)
	if left := b.leftovers(); len(left) > 0 {
		b.Errorf("left behind: %q", left)
	}
}

// leftovers are the traces of the container: files of its state, processes,
// cgroups and mounts of the host.
func (b *box) leftovers() (left []string) {
	names, _ := filepath.Glob(filepath.Join(b.root, b.id) + "*")
	left = append(left, names...)
	for _, h := range hierarchies() {
		if _, err := os.Stat(h + b.cgroup); err == nil {
			left = append(left, h+b.cgroup)
		}
	}
	for line := range strings.Lines(contents("/proc/self/mountinfo")) {
		if strings.Contains(line, b.dir) {
			left = append(left, strings.TrimSpace(line))
		}
	}
	processes, _ := filepath.Glob("/proc/[0-9]*")
	for _, p := range processes {
		if strings.Contains(contents(p+"/stat"), ") Z ") { // ended, and not the runtime's child any more
			continue
		}
		if strings.Contains(contents(p+"/cgroup"), b.id) || slices.Contains(strings.Split(contents(p+"/cmdline"), "\x00"), b.id) {
			left = append(left, p+": "+contents(p+"/cmdline"))
		}
	}
	return left
}

// files are the names below the root file system.
func (b *box) files() (names []string) {
	filepath.WalkDir(b.path("rootfs"), func(path string, _ os.DirEntry, _ error) error {
		names = append(names, strings.TrimPrefix(path, b.dir))
		return nil
	})
	return names
}

// refused checks that create refuses config.json as it stands, closed; say is
// what minirt's error tells.
func (b *box) refused(say ...string) {
	b.Helper()
	b.refuses([]string{"create", "--bundle", b.dir, b.id}, say...)
	b.config = plain(b.T, base(b.cgroup))
	b.edit()
	b.create()
	b.must("delete", "--force", b.id)
}

// refuses checks that a call fails and leaves nothing.
func (b *box) refuses(call []string, say ...string) {
	b.Helper()
	before := b.files()
	r := b.fails(call...)
	b.unknown()
	if after := b.files(); !slices.Equal(before, after) {
		b.Errorf("the root file system had %q, has %q", before, after)
	}
	if !ours {
		return
	}
	if strings.Count(r.stderr, "\n") != 1 {
		b.Errorf("an error is one line: %q", r.stderr)
	}
	for _, s := range say {
		if !strings.Contains(r.stderr, s) {
			b.Errorf("the error doesn't say %q: %s", s, r.stderr)
		}
	}
}

// clear removes the container, whatever became of it.
func (b *box) clear() {
	b.prepare, b.flags = nil, nil
	entries, _ := os.ReadDir(b.root)
	for _, e := range entries {
		b.call("delete", "--force", e.Name())
	}
	for _, h := range hierarchies() {
		removeCgroups(h + b.cgroup)
	}
}

// hierarchies are the mount points of cgroup file systems.
func hierarchies() (dirs []string) {
	for line := range strings.Lines(contents("/proc/self/mounts")) {
		f := strings.Fields(line)
		if f[2] == "cgroup" || f[2] == "cgroup2" {
			dirs = append(dirs, f[1])
		}
	}
	return dirs
}

// hierarchy is where a controller of cgroup v1 is mounted; without one the test skips.
func (b *box) hierarchy(controller string) string {
	b.Helper()
	for line := range strings.Lines(contents("/proc/self/mounts")) {
		if f := strings.Fields(line); f[2] == "cgroup" && slices.Contains(strings.Split(f[3], ","), controller) {
			return f[1]
		}
	}
	b.Skipf("no %s controller of cgroup v1 on this host", controller)
	return ""
}

// limit reads a file of the container's cgroup of version 1.
func (b *box) limit(controller, file string) string {
	b.Helper()
	data, err := os.ReadFile(b.hierarchy(controller) + b.cgroup + "/" + file)
	if err != nil {
		b.Error(err)
	}
	return strings.TrimSpace(string(data))
}

// removeCgroups removes the cgroups at dir and below.
func removeCgroups(dir string) {
	var dirs []string
	filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() {
			dirs = append(dirs, path)
		}
		return nil
	})
	slices.Reverse(dirs)
	for _, d := range dirs {
		syscall.Rmdir(d)
	}
}
