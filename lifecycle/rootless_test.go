package lifecycle

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

func TestWhatKeepsTheCallerFromNamespacesIsNamed(t *testing.T) {
	t.Parallel()
	const user, others = unix.CLONE_NEWUSER, unix.CLONE_NEWPID | unix.CLONE_NEWNS
	for _, c := range []struct {
		errno    unix.Errno
		flags    uintptr
		ordinary bool
		sysctls  map[string]string
		want     string
	}{
		{unix.ENOSPC, user, true, map[string]string{"user/max_user_namespaces": "0"}, "the sysctl user.max_user_namespaces forbids it: set it to a number above 0"},
		{unix.ENOSPC, others, false, map[string]string{"user/max_mnt_namespaces": "0", "user/max_user_namespaces": "0"}, "the sysctl user.max_mnt_namespaces forbids it: set it to a number above 0"},
		{unix.ENOSPC, user, true, map[string]string{"user/max_user_namespaces": "10"}, "there are as many namespaces as the sysctls user.max_*_namespaces allow: raise them"},
		{unix.EUSERS, user, true, nil, "user namespaces are nested as deep as the kernel allows"},
		{unix.EINVAL, user, true, nil, "the kernel may be built without some kind of namespace"},
		{unix.EPERM, user, true, map[string]string{"kernel/unprivileged_userns_clone": "0"}, "the sysctl kernel.unprivileged_userns_clone forbids it: set it to 1"},
		{unix.EPERM, user, true, map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "1"},
			"the sysctl kernel.apparmor_restrict_unprivileged_userns forbids it: set it to 0, or give minirt an AppArmor profile that has the rule userns"},
		{unix.EACCES, user, true, map[string]string{"kernel/apparmor_restrict_unprivileged_userns": "0", "kernel/unprivileged_userns_clone": "1"},
			"a seccomp filter, a security module or a chroot of the caller's may forbid it"},
		{unix.EPERM, others, true, nil, "an ordinary user's container takes a user namespace in linux.namespaces: see minirt spec --rootless"},
		{unix.EPERM, others, false, nil, ""},
		{unix.ENOMEM, user, true, nil, ""},
	} {
		got := namespaceAdvice(c.errno, c.flags, c.ordinary, func(file string) string { return c.sysctls[file] })
		if got != c.want {
			t.Errorf("%v with flags %#x, %v: %q, want %q", c.errno, c.flags, c.sysctls, got, c.want)
		}
	}
}

// gid=5 is in most configs' devpts, and the kernel says no more than EINVAL.
func TestAMountOptionThatNamesAnUnmappedIDIsRefused(t *testing.T) {
	t.Parallel()
	s := &specs.Spec{
		Mounts: []specs.Mount{
			{Type: "devpts", Options: []string{"mode=0620", "gid=5"}},
			{Type: "tmpfs", Options: []string{"uid=0", "gid=0", "uid=7", "gid=x", "uid="}},
			{Type: "ext4", Options: []string{"gid=5"}},
		},
		Linux: &specs.Linux{
			Namespaces:  []specs.LinuxNamespace{{Type: specs.UserNamespace}},
			UIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 1}, {ContainerID: 8, HostID: 100000, Size: 10}},
			GIDMappings: []specs.LinuxIDMapping{{ContainerID: 0, HostID: 1000, Size: 5}},
		},
	}
	texts := func() (all []string) {
		for _, f := range unmappedOptions(s) {
			all = append(all, f.Path+": "+f.Text)
		}
		return all
	}
	want := []string{
		`mounts[0].options[1]: "gid=5": 5 is not mapped by linux.gidMappings: leave the option out`,
		`mounts[1].options[2]: "uid=7": 7 is not mapped by linux.uidMappings: leave the option out`,
	}
	if diff := cmp.Diff(want, texts()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	s.Linux.GIDMappings[0].Size = 6
	if diff := cmp.Diff(want[1:], texts()); diff != "" {
		t.Errorf("with gid 5 mapped (-want +got):\n%s", diff)
	}
	for name, other := range map[string]specs.LinuxNamespace{
		"with a path": {Type: specs.UserNamespace, Path: "/proc/1/ns/user"}, "without a user namespace": {Type: specs.PIDNamespace},
	} {
		s.Linux.Namespaces[0] = other
		if got := texts(); got != nil {
			t.Errorf("%s: %s", name, strings.Join(got, "; "))
		}
	}
}

func TestSetgroupsIsDeniedToWhoMapsNothingButHisOwnGroup(t *testing.T) {
	if setgroupsOf("self") != "allow" {
		t.Skip("setgroups is denied here already")
	}
	const all = 1<<40 - 1
	own := idMap{own: 1000}
	for _, c := range []struct {
		ids  []specs.LinuxIDMapping
		want bool
	}{
		{[]specs.LinuxIDMapping{{HostID: 1000, Size: 1}}, true},
		{[]specs.LinuxIDMapping{{ContainerID: 5, HostID: 1000, Size: 1}}, true},
		{[]specs.LinuxIDMapping{{HostID: 1000, Size: 2}}, false},
		{[]specs.LinuxIDMapping{{HostID: 1001, Size: 1}}, false},
		{[]specs.LinuxIDMapping{{HostID: 1000, Size: 1}, {ContainerID: 1, HostID: 100000, Size: 1}}, false},
		{nil, false},
	} {
		if own.ids = c.ids; own.ownOnly() != c.want {
			t.Errorf("%v is the caller's own id only: %v", c.ids, !c.want)
		}
	}
	s := &specs.Spec{Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.UserNamespace}}}}
	if setgroupsDenied(s, all) || !setgroupsDenied(s, 0) {
		t.Error("without mappings setgroups is denied to who has not CAP_SETGID, and to nobody else")
	}
	s.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: 100000, Size: 65536}}
	s.Linux.UIDMappings = s.Linux.GIDMappings
	if setgroupsDenied(s, 0) {
		t.Error("newgidmap leaves setgroups allowed")
	}
}
