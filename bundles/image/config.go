package image

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/minirt/minirt/bundles"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// configure makes config.json of the image's configuration (conversion.md), on
// top of the default one, with these differences from that:
//   - process.args is Entrypoint and Cmd, or Options.Args instead of Cmd; env,
//     cwd and user are the image's. PATH is added where the image names none.
//   - Labels and what conversion.md lists become annotations.
//   - each of Volumes is a file system in memory which begins with what the
//     image has there ("tmpcopyup"): what is written to it never reaches the
//     root, and goes with the container. Not so for an ordinary user.
//   - the root can be written to, and the capabilities are those that
//     images are made for.
func (i *image) configure(dir, rootfs string, o Options) (*specs.Spec, error) {
	c := &i.config.Config
	s := bundles.Default(true)
	if uid := os.Geteuid(); uid != 0 {
		s = bundles.Rootless(uint32(uid), uint32(os.Getegid()), true)
	}
	s.Root.Readonly = false
	s.Hostname = hostname(dir, s.Hostname)
	p := s.Process
	p.Terminal = false
	p.Capabilities.Bounding, p.Capabilities.Effective, p.Capabilities.Permitted = capabilities(), capabilities(), capabilities()
	p.Cwd = path.Join("/", c.WorkingDir)
	args := c.Cmd
	if len(o.Args) > 0 {
		args = o.Args
	}
	if p.Args = slices.Concat(c.Entrypoint, args); len(p.Args) == 0 {
		return nil, errors.New("the image names no program: name one behind it")
	}
	p.Env = environment(c.Env, p.Env)
	var err error
	if p.User, err = user(c.User, func() (accounts, error) { return readAccounts(rootfs) }); err != nil {
		return nil, err
	}
	if os.Geteuid() != 0 && (p.User.UID != 0 || p.User.GID != 0) {
		o.warn(fmt.Sprintf("the image's user %q is root in this bundle, and that is you: no other user is mapped", c.User))
		p.User = specs.User{}
	}
	s.Annotations = i.annotations(o.warn)
	if os.Geteuid() != 0 && len(c.Volumes) > 0 {
		o.warn("the image's volumes stay in the root file system: only root can mount what begins with their content")
		return s, nil
	}
	return s, addVolumes(s, c.Volumes)
}

// capabilities are those that engines give to a container by default, since
// 2023 (Podman's list), without which the programs of common images can't
// change owners or drop to a user of their own. They are root's alone: a
// program of another user begins without any.
func capabilities() []string {
	return []string{
		"CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_NET_BIND_SERVICE",
		"CAP_SETFCAP", "CAP_SETGID", "CAP_SETPCAP", "CAP_SETUID", "CAP_SYS_CHROOT",
	}
}

// environment is the image's, with the default PATH if it has none.
func environment(image, defaults []string) []string {
	env := slices.Clone(image)
	for _, e := range defaults {
		if isPath(e) && !slices.ContainsFunc(env, isPath) {
			env = append(env, e)
		}
	}
	return env
}

func isPath(variable string) bool { return strings.HasPrefix(variable, "PATH=") }

// addVolumes mounts a file system for each volume, outer ones first.
func addVolumes(s *specs.Spec, volumes map[string]struct{}) error {
	var list []string
	for v := range volumes {
		clean := path.Join("/", v)
		if clean == "/" {
			return fmt.Errorf("Volumes: %q: the root can't be a volume", v)
		}
		list = append(list, clean)
	}
	slices.Sort(list)
	for _, v := range slices.Compact(list) {
		if slices.ContainsFunc(s.Mounts, func(m specs.Mount) bool { return m.Destination == v }) {
			continue // is one already
		}
		s.Mounts = append(s.Mounts, specs.Mount{Destination: v, Type: "tmpfs", Source: "tmpfs",
			Options: []string{"nosuid", "nodev", "tmpcopyup"}})
	}
	return nil
}

// hostname is the bundle's name, if it can be one.
func hostname(dir, otherwise string) string {
	abs, err := filepath.Abs(dir)
	if name := filepath.Base(abs); err == nil && bundles.IsHostname(name) {
		return name
	}
	return otherwise
}
