package rootfs

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func mountSpec(m ...specs.Mount) *specs.Spec {
	return &specs.Spec{Root: &specs.Root{}, Mounts: m, Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}}}
}

func paths(faults []Fault) (all []string) {
	for _, f := range faults {
		all = append(all, f.Path)
	}
	return all
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	maps := []specs.LinuxIDMapping{{Size: 1}}
	for name, c := range map[string]struct {
		spec           *specs.Spec
		wrong, warning []string
	}{
		"good":                  {mountSpec(specs.Mount{Destination: "/a", Type: "tmpfs", Options: []string{"size=1k,mode=700"}}), nil, nil},
		"no destination":        {mountSpec(specs.Mount{Type: "tmpfs"}), []string{"mounts[0].destination"}, nil},
		"MT-02 relative":        {mountSpec(specs.Mount{Destination: "a", Type: "tmpfs"}), nil, []string{"mounts[0].destination"}},
		"the root":              {mountSpec(specs.Mount{Destination: "/a/..", Type: "tmpfs"}), []string{"mounts[0].destination"}, nil},
		"no type":               {mountSpec(specs.Mount{Destination: "/a"}), []string{"mounts[0].type"}, nil},
		"MT-04 type bind":       {mountSpec(specs.Mount{Destination: "/a", Type: "bind", Source: "/"}), nil, []string{"mounts[0].type"}},
		"no source":             {mountSpec(specs.Mount{Destination: "/a", Options: []string{"bind"}}), []string{"mounts[0].source"}, nil},
		"SEC-05 tmpfs on /proc": {mountSpec(specs.Mount{Destination: "//proc/.", Type: "tmpfs"}), []string{"mounts[0].type"}, nil},
		"SEC-31 inside /proc":   {mountSpec(specs.Mount{Destination: "/x/../proc/sys", Type: "tmpfs"}), []string{"mounts[0].destination"}, nil},
		"SEC-31 attr":           {mountSpec(specs.Mount{Destination: "/proc/self/attr", Source: "/x", Options: []string{"bind"}}), []string{"mounts[0].destination"}, nil},
		"SEC-31 lxcfs":          {mountSpec(specs.Mount{Destination: "/proc/uptime", Source: "/x", Options: []string{"bind"}}, specs.Mount{Destination: "/proc/meminfo", Source: "/x", Options: []string{"bind"}}), nil, nil},
		"SEC-49 comma":          {mountSpec(specs.Mount{Destination: "/a", Source: "/x", Options: []string{"rbind", "ro,upperdir=/x"}}), []string{"mounts[0].options[1]"}, nil},
		"SEC-49 unknown":        {mountSpec(specs.Mount{Destination: "/a", Source: "/x", Options: []string{"bind", "nosuchopt"}}), nil, []string{"mounts[0].options[1]"}},
		"tmpcopyup on a bind":   {mountSpec(specs.Mount{Destination: "/a", Source: "/x", Options: []string{"bind", "tmpcopyup"}}), []string{"mounts[0].options"}, nil},
		"too much data":         {mountSpec(specs.Mount{Destination: "/a", Type: "tmpfs", Options: []string{strings.Repeat("x", 4096)}}), []string{"mounts[0].options"}, nil},
		"MT-16 idmap":           {mountSpec(specs.Mount{Destination: "/a", Source: "/x", Options: []string{"bind", "idmap"}}), []string{"mounts[0].options"}, nil},
		"MT-17 one alone":       {mountSpec(specs.Mount{Destination: "/a", Source: "/x", Options: []string{"bind"}, UIDMappings: maps}), []string{"mounts[0].gidMappings"}, nil},
		"MT-17 without option":  {mountSpec(specs.Mount{Destination: "/a", Source: "/x", Options: []string{"bind"}, UIDMappings: maps, GIDMappings: maps}), nil, nil},
		"idmap of a tmpfs":      {mountSpec(specs.Mount{Destination: "/a", Type: "tmpfs", UIDMappings: maps, GIDMappings: maps}), []string{"mounts[0].options"}, nil},
		"relative overlay":      {mountSpec(specs.Mount{Destination: "/a", Type: "overlay", Options: []string{"lowerdir=/a:b"}}), []string{"mounts[0].options"}, nil},
		"relative device":       {mountSpec(specs.Mount{Destination: "/a", Type: "ext4", Source: "disk"}), []string{"mounts[0].source"}, nil},
		"no mount namespace":    {&specs.Spec{Root: &specs.Root{Readonly: true}}, []string{"root.readonly"}, nil},
		"linux": {&specs.Spec{Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}, RootfsPropagation: "ro",
			MaskedPaths: []string{"a", "/.."}, ReadonlyPaths: []string{"/a", "b"},
			Devices: []specs.LinuxDevice{{Path: "/dev/a", Type: "x"}, {Path: "/dev/a", Type: "b", Major: -1}, {Path: "/dev/b", Type: "c", Major: 1}, {Path: "/dev//b", Type: "c", Major: 2},
				{Path: "/dev/b", Type: "u", Major: 1}, {Path: "/dev/ptmx", Type: "p"}}}},
			[]string{"linux.devices[0].type", "linux.devices[1]", "linux.devices[1].path", "linux.devices[3].path", "linux.devices[5].path",
				"linux.maskedPaths[0]", "linux.maskedPaths[1]", "linux.readonlyPaths[1]", "linux.rootfsPropagation"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			wrong, warnings := Check(c.spec)
			if d := cmp.Diff(c.wrong, paths(wrong)); d != "" {
				t.Errorf("faults (-want +got):\n%s%v", d, wrong)
			}
			if d := cmp.Diff(c.warning, paths(warnings)); d != "" {
				t.Errorf("warnings (-want +got):\n%s%v", d, warnings)
			}
		})
	}
}

func TestOptionsAreSortedAndKnown(t *testing.T) {
	list := Options()
	for i, o := range list {
		if i > 0 && list[i-1] >= o {
			t.Errorf("%s comes after %s", o, list[i-1])
		}
		m := specs.Mount{Type: "tmpfs", Options: []string{o}}
		if p := parse(&m); p.data != "" {
			t.Errorf("%s becomes data", o)
		}
	}
	// config.md, Linux mount options; MT-07, MT-09, MT-10, MT-11, MT-14.
	for o := range strings.FieldsSeq(`async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec noiversion
		nolazytime norelatime nostrictatime nosuid private rbind relatime remount ro rprivate rshared rslave runbindable rw shared silent slave strictatime suid
		sync unbindable nosymfollow symfollow ratime rdev rdiratime rexec rnoatime rnodev rnodiratime rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow
		rrelatime rro rrw rstrictatime rsuid rsymfollow mand nomand tmpcopyup idmap ridmap`) {
		if optionOf(o) == nil {
			t.Errorf("%s is not known", o)
		}
	}
}

func TestOptionsMeanWhatMountMeans(t *testing.T) {
	const ro, noatime, strict = unix.MOUNT_ATTR_RDONLY, unix.MOUNT_ATTR_NOATIME, unix.MOUNT_ATTR_STRICTATIME
	for list, want := range map[string][2]Attr{
		"rbind":                  {},
		"rbind ro":               {{}, {Set: ro}},
		"rbind rw":               {{}, {Clear: ro}},
		"rbind ro rw":            {{}, {Clear: ro}},
		"rbind rro":              {{Set: ro}, {}},
		"rbind rro rw":           {{Set: ro}, {Clear: ro}},
		"rbind rw rro":           {{Set: ro}, {}},
		"rbind noatime":          {{}, {noatime, unix.MOUNT_ATTR__ATIME}},
		"rbind noatime atime":    {{}, {0, unix.MOUNT_ATTR__ATIME}},
		"rbind rstrictatime":     {{strict, unix.MOUNT_ATTR__ATIME}, {}},
		"rbind relatime rnosuid": {{Set: unix.MOUNT_ATTR_NOSUID}, {0, unix.MOUNT_ATTR__ATIME}},
		"bind rro":               {{}, {Set: ro}},
		"bind sync defaults":     {},
	} {
		m := specs.Mount{Destination: "/a", Options: strings.Fields(list)}
		below, top := Attributes(&m)
		if d := cmp.Diff(want, [2]Attr{below, top}); d != "" {
			t.Errorf("%s (-want +got):\n%s", list, d)
		}
	}
	// SEC-12
	m := specs.Mount{Destination: "/sys", Options: []string{"rbind", "ro"}}
	if below, _ := Attributes(&m); below.Set != ro {
		t.Error("below a read-only /sys something is writable")
	}
	p := parse(&specs.Mount{Type: "tmpfs", Options: []string{"size=64k", "nosuid", "mode=700", "rnodev", "defaults", "nodev", "dev"}})
	if p.data != "size=64k,mode=700" || p.flags.set != unix.MS_NOSUID {
		t.Errorf("%+v", p)
	}
}

func TestFailuresAreExplained(t *testing.T) {
	s := mountSpec(specs.Mount{Destination: "/proc", Type: "proc"}, specs.Mount{Destination: "/srv", Source: "/data", Options: []string{"bind"}})
	s.Linux.MaskedPaths = []string{"/proc/x"}
	f := Ordinary(s, "/r", "/")
	p := newGoldenPlan()
	Pivot(p, s, f, Enter(p, s, f))
	want := map[string]string{
		"mounts[0].destination": `"/proc" must be an ordinary directory, and what leads there too, not a symbolic link`,
		"mounts[1]":             `mount "/data" onto "/srv": too many levels of symbolic links`,
		"linux.maskedPaths[0]":  `mask "/proc/x": too many levels of symbolic links`,
	}
	for i := range p.Steps {
		if w, ok := want[p.Steps[i].Origin]; ok {
			if got := Explain(s, &p.Steps[i], unix.ELOOP); got != w {
				t.Errorf("got %q, want %q", got, w)
			}
			delete(want, p.Steps[i].Origin)
		}
	}
	if len(want) > 0 {
		t.Errorf("no steps of %v", want)
	}
}

// MT-20: files of the container's own file systems carry linux.mountLabel.
func TestAMountLabelBecomesAContext(t *testing.T) {
	s := mountSpec(specs.Mount{Destination: "/a", Type: "tmpfs", Options: []string{"size=1k"}}, specs.Mount{Destination: "/proc", Type: "proc"})
	s.Linux.MountLabel = "system_u:object_r:container_file_t:s0:c1,c2"
	p := newGoldenPlan()
	Enter(p, s, Ordinary(s, "/r", "/"))
	text := p.Text()
	if !strings.Contains(text, `"size=1k,context=\"system_u:object_r:container_file_t:s0:c1,c2\""`) || strings.Count(text, "context=") != 1 {
		t.Error(text)
	}
}
