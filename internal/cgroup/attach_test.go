package cgroup

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unsafe"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// devices are really refused: version 1 by its hierarchy, version 2 by eBPF.
func TestDeviceRulesAreInForce(t *testing.T) {
	whole := made(t, "")
	for name, g := range map[string]*Group{"version 1": whole.only("devices"), "version 2": whole.only("")} {
		t.Run(name, func(t *testing.T) {
			if g == nil {
				t.Skip("no such hierarchy")
			}
			r := &specs.LinuxResources{Devices: []device{
				{Allow: false, Access: "rwm"},
				{Allow: true, Type: "c", Major: num(10), Minor: num(200), Access: "m"},
				{Allow: true, Type: "c", Major: num(1), Minor: num(11), Access: "r"},
			}}
			_, late, err := Compile(r, g.Layout())
			if err != nil {
				t.Fatal(err)
			}
			for range 3 { // again and again: in place of the last, not beside it
				if err := g.Apply(late); errors.Is(err, ErrNoRights) && os.Geteuid() != 0 {
					t.Skip("no right to load programs: ", err)
				} else if err != nil {
					t.Fatal(err)
				}
			}
			dir := t.TempDir()
			out := filepath.Join(dir, "out")
			cmd := start(t, g, `cd `+dir+`; try() { if "$@" 2>/dev/null; then echo yes; else echo no; fi; }
				r() { head -c1 $1 >/dev/null; }; w() { : >$1; }
				mknod n c 1 3; mknod m c 1 1 && echo made; mknod b b 7 0 && echo made; mknod tun c 10 200
				{ try w /dev/null; try r n; try r /dev/zero; try w /dev/full; try r /dev/urandom
				  try mknod m2 c 1 1; try mknod b2 b 7 0; try r /dev/mem; try r tun; try test -c tun; try w /dev/kmsg; } >out 2>&1`)
			cmd.Wait()
			want := "yes yes yes yes yes no no no no yes no"
			if got := strings.Join(strings.Fields(content(t, out)), " "); got != want {
				t.Errorf("null n zero full urandom, mknod 1:1 7:0, mem, tun, its node, kmsg:\n got %s\nwant %s", got, want)
			}
			if g.Dirs[0].V2 {
				fd, err := open(g.Dirs[0].Path, unix.O_RDONLY|unix.O_DIRECTORY)
				if err != nil {
					t.Fatal(err)
				}
				defer unix.Close(fd)
				progs, err := attached(fd)
				closeAll(progs)
				if err != nil || len(progs) != 1 {
					t.Errorf("%d programs attached, %v; want 1", len(progs), err)
				}
			}
		})
	}
}

// SEC-57
func TestAttachingPrograms(t *testing.T) {
	g := made(t, "").only("")
	if g == nil {
		t.Skip("no version 2")
	}
	_, late, err := Compile(nil, g.Layout())
	if err != nil {
		t.Fatal(err)
	}
	fds := func() int {
		d, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(d)
	}
	if err := g.Apply(late); err != nil {
		if errors.Is(err, ErrNoRights) {
			t.Skip("no right to load programs: ", err)
		}
		t.Fatal(err)
	}
	if n := unsafe.Sizeof(bpfID{}); n < 256 {
		t.Errorf("an attr of %d bytes", n)
	}
	before := fds()
	for range 200 {
		if err := g.Apply(late); err != nil {
			t.Fatal(err)
		}
	}
	if after := fds(); after > before {
		t.Errorf("%d descriptors, %d before", after, before)
	}
	// several, as another runtime may have left them, become one
	fd, err := open(g.Dirs[0].Path, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	prog, err := load(program([]rule{{allow: true, kind: 'a', major: anyNumber, minor: anyNumber, access: allAccess}}))
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(prog)
	a := bpfAttach{target: uint32(fd), program: uint32(prog), kind: unix.BPF_CGROUP_DEVICE, flags: unix.BPF_F_ALLOW_MULTI}
	if _, err := bpf(unix.BPF_PROG_ATTACH, &a); err != nil {
		t.Fatal(err)
	}
	if err := g.Apply(late); err != nil {
		t.Fatal(err)
	}
	progs, err := attached(fd)
	closeAll(progs)
	if err != nil || len(progs) != 1 {
		t.Errorf("%d programs, %v; want 1", len(progs), err)
	}
}
