package conformance

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// mountOf gives the line of mountinfo (proc(5)) of what is mounted on a place:
// its options, its optional fields, and the file system's type and options.
func mountOf(t *testing.T, mountinfo, place string) (options string, tags []string, kind, data string) {
	t.Helper()
	for line := range strings.Lines(mountinfo) {
		left, right, _ := strings.Cut(line, " - ")
		f, g := strings.Fields(left), strings.Fields(right)
		if len(f) > 5 && f[4] == place && len(g) > 2 {
			options, tags, kind, data = f[5], f[6:], g[0], g[2]
		}
	}
	if options == "" {
		t.Fatalf("nothing is mounted on %s:\n%s", place, mountinfo)
	}
	return options, tags, kind, data
}

// MT-12: options that are nobody's are the file system's, in their order; those
// of mount(8) that it takes for itself do what they do there.
func TestOtherMountOptionsAreTheFileSystems(t *testing.T) {
	t.Parallel()
	s := newBox(t).see(set("mounts[+]", specs.Mount{Destination: "/data", Type: "tmpfs", Source: "tmpfs", Options: []string{"noexec", "size=64k", "mode=700", "uid=5", "nr_inodes=20", "size=128k"}}))
	options, _, kind, data := mountOf(t, s.Mountinfo, "/data")
	if kind != "tmpfs" || !strings.Contains(options, "noexec") {
		t.Errorf("%s %s", kind, options)
	}
	for _, want := range []string{"size=128k", "nr_inodes=20", "mode=700", "uid=5"} {
		if !strings.Contains(","+data+",", ","+want+",") {
			t.Errorf("the file system has %q, want %q", data, want)
		}
	}
}

// MT-13: a word of propagation is about its own mount, an r-word about all below.
func TestPropagationOptionsReachAsFarAsTheySay(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]struct{ top, below bool }{
		"shared": {true, false}, "rshared": {true, true}, "private": {false, false}, "rprivate": {false, false},
	} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			s := newBox(t).see(
				set("mounts[+]", specs.Mount{Destination: "/v", Type: "tmpfs", Source: "tmpfs", Options: []string{"private"}}),
				set("mounts[+]", specs.Mount{Destination: "/v/below", Type: "tmpfs", Source: "tmpfs", Options: []string{"private"}}),
				set("mounts[+]", specs.Mount{Destination: "/v", Type: "none", Source: "none", Options: []string{"remount", word}}))
			shared := func(place string) bool {
				_, tags, _, _ := mountOf(t, s.Mountinfo, place)
				return len(tags) > 0 && strings.HasPrefix(tags[0], "shared:")
			}
			if got := shared("/v"); got != want.top {
				t.Errorf("the mount is shared: %v", got)
			}
			if got := shared("/v/below"); got != want.below {
				t.Errorf("the mount below is shared: %v", got)
			}
		})
	}
}

// MT-19: the file systems that programs rely on, as the config lists them.
func TestTheFileSystemsOfLinuxAreThere(t *testing.T) {
	t.Parallel()
	s := newBox(t).see(set("mounts", raw(`[
		{"destination":"/proc","type":"proc","source":"proc"},
		{"destination":"/sys","type":"sysfs","source":"sysfs","options":["ro","nosuid","noexec","nodev"]},
		{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["mode=755"]},
		{"destination":"/dev/pts","type":"devpts","source":"devpts","options":["newinstance","ptmxmode=0666"]},
		{"destination":"/dev/shm","type":"tmpfs","source":"shm","options":["mode=1777"]}]`)))
	for place, want := range map[string]string{"/proc": "proc", "/sys": "sysfs", "/dev/pts": "devpts", "/dev/shm": "tmpfs"} {
		if _, _, kind, _ := mountOf(t, s.Mountinfo, place); kind != want {
			t.Errorf("%s is %s, want %s", place, kind, want)
		}
	}
}

// PG-01, PG-02, PG-03, PG-04: what mounts of the container's root give and take.
func TestTheRootsPropagationIsWhatTheConfigSays(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{"private": "", "slave": "", "shared": "shared:", "unbindable": "unbindable"} {
		t.Run(word, func(t *testing.T) {
			t.Parallel()
			s := newBox(t).see(set("linux.rootfsPropagation", word))
			_, tags, _, _ := mountOf(t, s.Mountinfo, "/")
			got := strings.Join(tags, " ")
			if want == "" && (strings.Contains(got, "shared:") || strings.Contains(got, "unbindable")) || word == "private" && got != "" || want != "" && !strings.HasPrefix(got, want) {
				t.Errorf("the root's fields are %q", got)
			}
			if shared := strings.TrimPrefix(got, "shared:"); want == "shared:" && strings.Contains(contents("/proc/self/mountinfo"), "shared:"+shared+" ") {
				t.Errorf("it is a peer of the host's: %q", got)
			}
		})
	}
}

const look = `for f in "$@"; do stat -c "%n %F %t:%T %a %u:%g" "$f" 2>&1; done`

// DV-01, DV-03, DV-05, DV-06: nodes of each kind, wherever they are to be.
func TestListedDevicesAreThere(t *testing.T) {
	t.Parallel()
	devices := raw(`[
		{"path":"/dev/c","type":"c","major":1,"minor":3,"fileMode":438,"uid":7,"gid":8},
		{"path":"/dev/u","type":"u","major":1,"minor":5,"fileMode":384},
		{"path":"/dev/b","type":"b","major":7,"minor":77,"fileMode":432},
		{"path":"/dev/p","type":"p","fileMode":292},
		{"path":"/opt/deep/null","type":"c","major":1,"minor":3,"fileMode":511},
		{"path":"/dev/again","type":"c","major":1,"minor":3,"fileMode":438}]`)
	got := newBox(t).run(set("linux.devices", devices), args("/bin/sh", "-c", look, "sh", "/dev/c", "/dev/u", "/dev/b", "/dev/p", "/opt/deep/null", "/dev/again"))
	same(t, "the nodes", got, `/dev/c character special file 1:3 666 7:8
/dev/u character special file 1:5 600 0:0
/dev/b block special file 7:4d 660 0:0
/dev/p fifo 0:0 444 0:0
/opt/deep/null character special file 1:3 777 0:0
/dev/again character special file 1:3 666 0:0
`)
}

// DV-07: a node that is there and not listed is of no use under deny-all.
func TestADeviceThatIsNotListedCannotBeUsed(t *testing.T) {
	t.Parallel()
	b := newBox(t, set("linux.resources.devices", raw(`[{"allow":false,"access":"rwm"}]`)), set("mounts[1].options", []string{"mode=755"}),
		set("linux.devices", raw(`[{"path":"/dev/other","type":"c","major":10,"minor":237,"fileMode":438}]`)),
		set("process.capabilities", raw(`{}`)))
	got := b.run(shell(`cat /dev/other 2>&1 | busybox head -c 200; cat /dev/null && echo fine`))
	if !strings.Contains(got, "ermitted") || !strings.HasSuffix(got, "fine\n") {
		t.Errorf("the program saw %q", got)
	}
}

// DV-08, DV-10, DV-11: what is there without being listed.
func TestDefaultDevicesAndLinksAreThere(t *testing.T) {
	t.Parallel()
	pts := set("mounts[+]", specs.Mount{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"newinstance", "ptmxmode=0666"}})
	got := newBox(t).run(pts, shell(`for d in null zero full random urandom tty; do stat -c "%n %t:%T %a" /dev/$d; done
		for l in fd stdin stdout stderr ptmx; do echo "$l $(busybox readlink /dev/$l)"; done
		(exec 3<>/dev/ptmx) && echo opens; cat /dev/null; busybox head -c 3 /dev/zero | busybox wc -c`))
	same(t, "what is there", got, `/dev/null 1:3 666
/dev/zero 1:5 666
/dev/full 1:7 666
/dev/random 1:8 666
/dev/urandom 1:9 666
/dev/tty 5:0 666
fd /proc/self/fd
stdin /proc/self/fd/0
stdout /proc/self/fd/1
stderr /proc/self/fd/2
ptmx pts/ptmx
opens
3
`)
}

// PA-01: files are empty, directories empty and not writable, what is missing no error.
func TestMaskedPathsCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	os.MkdirAll(b.path("rootfs/secret/dir"), 0o755)
	os.WriteFile(b.path("rootfs/secret/dir/file"), []byte("x"), 0o644)
	os.WriteFile(b.path("rootfs/secret/file"), []byte("x"), 0o644)
	got := b.run(set("linux.maskedPaths", []string{"/secret/dir", "/secret/file", "/missing", "/proc/kcore"}),
		shell(`cat /secret/file; ls -A /secret/dir; (: >/secret/dir/new) 2>/dev/null || echo closed; cat /proc/kcore; ls /missing 2>/dev/null || echo none`))
	same(t, "what the program saw", got, "closed\nnone\n")
	same(t, "the image's file", contents(b.path("rootfs/secret/file")), "x")
}

// PA-03: read-only, and nothing else about them changes.
func TestReadonlyPathsKeepTheirOtherFlags(t *testing.T) {
	t.Parallel()
	b := newBox(t)
	os.MkdirAll(b.path("rootfs/etc"), 0o755)
	s := b.see(set("linux.readonlyPaths", []string{"/etc", "/data", "/missing"}),
		set("mounts[+]", specs.Mount{Destination: "/data", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid"}}))
	for place, want := range map[string]string{"/etc": "ro", "/data": "ro,nosuid"} {
		options, _, _, _ := mountOf(t, s.Mountinfo, place)
		got := strings.ReplaceAll(strings.ReplaceAll(options, ",relatime", ""), ",noatime", "")
		same(t, place, got, want)
	}
	b2 := newBox(t, set("linux.readonlyPaths", []string{"/tmp"}), shell(`(: >/tmp/x) 2>/dev/null || echo closed; cat /bin/true >/dev/null && echo fine`))
	same(t, "what the program could do", b2.run(), "closed\nfine\n")
}
