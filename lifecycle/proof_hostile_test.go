package lifecycle

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// hostility is something that a create meets, from who made the bundle or from
// who calls.
type hostility struct {
	name    string
	prepare func(p *proof) // changes the bundle; may be nil
	caller  string         // a line of sh that ends with exec "$@"; "" for none
	want    string         // a part of the error; "" if the container is made
}

// TestAHostileBundleOrCallerGetsOneLine runs create on each of them: it works,
// or says in one line why not; it never panics, takes little memory, and leaves
// nothing behind.
func TestAHostileBundleOrCallerGetsOneLine(t *testing.T) {
	for _, h := range append(hostileBundles(), hostileCallers()...) {
		t.Run(h.name, func(t *testing.T) {
			p := newProof(t, []byte(sleeper))
			if h.prepare != nil {
				h.prepare(p)
			}
			p.minirt()
			p.before = p.census()
			c := p.called(h.caller, "create", "-b", p.bundle, "web")
			if h.want == "" && (c.status != 0 || c.stderr != "") {
				t.Errorf("exit status %d: %s", c.status, head(c.stderr))
			}
			if h.want != "" {
				oneLine(t, c, h.want)
			}
			if c.status == 0 {
				if err := p.Delete("web", true); err != nil {
					t.Error(err)
				}
			}
			p.nothingLeft(p.before, h.name)
		})
	}
}

// called runs minirt under a caller's line of sh, and holds it to little memory.
func (p *proof) called(caller string, args ...string) call {
	p.t.Helper()
	command := append(p.minirt(), args...)
	if caller != "" {
		command = append([]string{"sh", "-c", caller, "sh"}, command...)
	}
	s := start(p.t, command...)
	c := s.wait(p.t)
	const most = 192 << 10 // KiB; the largest config that is read has 16 MiB
	if u, ok := s.ProcessState.SysUsage().(*syscall.Rusage); ok && u.Maxrss > most {
		p.t.Errorf("%q took %d KiB", args, u.Maxrss)
	}
	return c
}

// oneLine wants an error of one line, and no panic.
func oneLine(t *testing.T, c call, want string) {
	t.Helper()
	if c.status != 1 || !strings.HasPrefix(c.stderr, "minirt: ") || strings.Count(c.stderr, "\n") != 1 || !strings.Contains(c.stderr, want) {
		t.Errorf("exit status %d: %s\nwant one line that says %q", c.status, head(c.stderr), want)
	}
}

func head(s string) string { return s[:min(len(s), 1000)] }

// in the bundle
func (p *proof) config() string { return filepath.Join(p.bundle, "config.json") }
func (p *proof) root() string   { return filepath.Join(p.bundle, "rootfs") }

// instead removes a file of the bundle's and makes something else of that name.
func instead(name string, make func(path string) error) func(*proof) {
	return func(p *proof) {
		path := filepath.Join(p.bundle, name)
		err := os.Rename(path, filepath.Join(p.dir, "aside"))
		if err == nil {
			err = make(path)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func linkTo(target string) func(string) error {
	return func(path string) error { return os.Symlink(target, path) }
}

func fileOf(s string) func(string) error {
	return func(path string) error { return os.WriteFile(path, []byte(s), 0o644) }
}

// withConfig changes the place's config.json.
func withConfig(change func(config map[string]any)) func(*proof) {
	return func(p *proof) {
		b, err := os.ReadFile(p.config())
		if err == nil {
			err = os.WriteFile(p.config(), changed(p.t, b, change), 0o644)
		}
		if err != nil {
			p.t.Fatal(err)
		}
	}
}

func hostileBundles() []hostility {
	const deep = 1 << 16
	process := func(name string, value any) func(*proof) {
		return withConfig(func(c map[string]any) { c["process"].(map[string]any)[name] = value })
	}
	mounts := make([]any, 1000)
	for i := range mounts {
		mounts[i] = map[string]any{"destination": "/m/" + strconv.Itoa(i), "type": "tmpfs", "source": "tmpfs"}
	}
	env := make([]string, 5000)
	for i := range env {
		env[i] = "V" + strconv.Itoa(i) + "=" + strings.Repeat("x", 100)
	}
	env[0] = "PATH=/bin"
	rootOn := func(flags uintptr) func(*proof) {
		return func(p *proof) {
			p.tmpfs(p.root(), "mode=755")
			p.layBusyboxAgain()
			if err := unix.Mount("", p.root(), "", unix.MS_REMOUNT|flags, ""); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	return []hostility{
		{"config.json is a FIFO", instead("config.json", func(path string) error { return unix.Mkfifo(path, 0o644) }), "", `config.json": not a regular file`},
		{"config.json is a directory", instead("config.json", func(path string) error { return os.Mkdir(path, 0o755) }), "", `config.json": not a regular file`},
		{"config.json is a socket", instead("config.json", func(path string) error { return unix.Mknod(path, unix.S_IFSOCK|0o644, 0) }), "", `config.json": not a regular file`},
		{"config.json is a loop of links", instead("config.json", linkTo("config.json")), "", unix.ELOOP.Error()},
		{"config.json is /dev/zero", instead("config.json", linkTo("/dev/zero")), "", `config.json": not a regular file`},
		{"config.json leads nowhere", instead("config.json", linkTo("/nowhere")), "", "config.json not found"},
		{"config.json has 1 GiB", instead("config.json", func(path string) error {
			os.WriteFile(path, nil, 0o644)
			return os.Truncate(path, 1<<30)
		}), "", "larger than 16 MiB"},
		{"config.json grows in procfs", instead("config.json", linkTo("/proc/self/mountinfo")), "", "config.json:1:"},
		{"config.json is empty", instead("config.json", fileOf("")), "", "config.json:1:1"},
		{"config.json has 16 MiB of zeros", instead("config.json", func(path string) error {
			os.WriteFile(path, nil, 0o644)
			return os.Truncate(path, 16<<20)
		}), "", "config.json:1:1"},
		{"config.json is 64k deep", instead("config.json", fileOf(strings.Repeat(`{"a":[`, deep/2)+strings.Repeat("]}", deep/2))), "", "nested"},
		{"config.json is all faults", instead("config.json", fileOf(`{"mounts":[`+strings.Repeat(`0,`, 1<<20)+`0]}`)), "", "mounts[0]"},
		{"5000 variables", process("env", env), "", ""},
		{"an argument of 2 MiB", process("args", []string{"true", strings.Repeat("x", 2<<20)}), "", ""},
		{"an annotation of 4 MiB", withConfig(func(c map[string]any) { c["annotations"] = map[string]any{"a": strings.Repeat("x", 4<<20)} }), "", ""},
		{"1000 mounts", withConfig(func(c map[string]any) { c["mounts"] = append(c["mounts"].([]any), mounts...) }), "", ""},
		{"a cwd of 64 KiB", process("cwd", "/"+strings.Repeat("x/", 1<<15)), "", unix.ENAMETOOLONG.Error()},
		{"3500 mount points of 2000 directories", withConfig(func(c map[string]any) {
			far := make([]any, 3500)
			for i := range far {
				far[i] = map[string]any{"destination": "/" + strconv.Itoa(i) + strings.Repeat("/x", 2000), "type": "tmpfs"}
			}
			c["mounts"] = far
		}), "", "mounts[0].destination: the mount points that are missing on the root have, up to this one, more than 1048576 bytes"},
		{"50,000 mounts", withConfig(func(c map[string]any) { c["mounts"] = slices.Repeat(mounts, 50) }), "", "mounts: 50000 entries; at most 15000 fit a plan"},
		{"15,000 mounts in one place", withConfig(func(c map[string]any) { c["mounts"] = slices.Repeat(mounts[:1], 15000) }), "", "too many steps"},
		{"200,000 masked paths", withConfig(func(c map[string]any) {
			c["linux"].(map[string]any)["maskedPaths"] = slices.Repeat([]string{"/proc/kcore"}, 200000)
		}), "", "linux.maskedPaths: 200000 entries; at most 15000 fit a plan"},
		{"a newline in root.path", withConfig(func(c map[string]any) { c["root"] = map[string]any{"path": "a\nminirt: create web: all is well"} }), "", `\nminirt`},
		{"rootfs is missing", withConfig(func(c map[string]any) { c["root"] = map[string]any{"path": "nowhere"} }), "", `nowhere": ` + unix.ENOENT.Error()},
		{"rootfs is a file", instead("rootfs", fileOf("")), "", `rootfs": ` + unix.ENOTDIR.Error()},
		{"rootfs is a loop of links", instead("rootfs", linkTo("rootfs")), "", `rootfs": ` + unix.ELOOP.Error()},
		{"rootfs is a FIFO", instead("rootfs", func(path string) error { return unix.Mkfifo(path, 0o644) }), "", `rootfs": ` + unix.ENOTDIR.Error()},
		{"rootfs is a link to a directory", instead("rootfs", linkTo("../aside")), "", ""},
		{"rootfs is read-only and has no /proc", rootOn(unix.MS_RDONLY), "", unix.EROFS.Error()},
		{"rootfs is noexec", rootOn(unix.MS_NOEXEC), "", "executable file not found in $PATH"},
	}
}

// layBusyboxAgain fills a root that a file system has covered.
func (p *proof) layBusyboxAgain() {
	p.t.Helper()
	b, err := os.ReadFile("/proc/self/exe")
	for _, name := range []string{"bin", "bin/sleep"} {
		if err == nil && name == "bin" {
			err = os.Mkdir(filepath.Join(p.root(), name), 0o755)
		} else if err == nil {
			err = os.WriteFile(filepath.Join(p.root(), name), b[:4096], 0o755)
		}
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func hostileCallers() []hostility {
	return []hostility{
		{"no descriptor is open", nil, `exec "$@" <&- >&- 2>&-`, ""},
		{"an umask of 0777", nil, `umask 0777; exec "$@"`, ""},
		{"a working directory that is gone", nil, `d=$(mktemp -d); cd $d; rmdir $d; exec "$@"`, ""},
		{"no environment", nil, `exec env -i "$@"`, ""},
		{"an environment of 1 MiB", nil, `x=$(head -c 100000 /dev/zero | tr '\0' x); for i in 1 2 3 4 5 6 7 8 9 10; do export V$i=$x; done; exec "$@"`, ""},
		{"no files may be written", nil, `said=$(ulimit -f 0; "$@" 2>&1) || { echo "$said" >&2; exit 1; }`, unix.EFBIG.Error()},
		{"no process may be made", nil, `exec prlimit --nproc=1 "$@"`, ""},
		{"ignored signals", nil, `trap '' HUP INT QUIT PIPE TERM CHLD; exec "$@"`, ""},
		{"no stack to speak of", nil, `ulimit -s 64; exec "$@"`, ""},
		{"no memory to speak of", nil, `ulimit -v 1000000; exec "$@"`, ""},
		{"no memory may be locked", nil, `ulimit -l 0; exec "$@"`, ""},
		{"no /sys", nil, `exec unshare -m sh -c 'umount -l /sys; exec "$@"' sh "$@"`, "no cgroup file system is mounted below /sys/fs/cgroup"},
	}
}
