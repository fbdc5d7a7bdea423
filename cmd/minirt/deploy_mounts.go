package main

import (
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// mounts writes those of --tmpfs and --volume; one with the destination of
// another stands in its place.
func (f *configFlags) mounts(s *specs.Spec) error {
	for _, t := range f.Tmpfs {
		dest, options, _ := strings.Cut(t, ":")
		if err := setMount(s, "--tmpfs "+quote(t), tmpfs(dest, options)); err != nil {
			return err
		}
	}
	for _, v := range f.Volume {
		m, err := volume(v)
		if err == nil {
			err = setMount(s, "--volume "+quote(v), m)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// tmpfs is a directory in memory, with deploy's own options for /tmp where
// none of the kind is given.
func tmpfs(dest, options string) specs.Mount {
	m := specs.Mount{Destination: dest, Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "nodev"}}
	if options != "" {
		m.Options = append(m.Options, strings.Split(options, ",")...)
	}
	for _, o := range []string{"mode=1777", "size=65536k"} {
		name, _, _ := strings.Cut(o, "=")
		if !slices.ContainsFunc(m.Options, func(given string) bool { return strings.HasPrefix(given, name+"=") }) {
			m.Options = append(m.Options, o)
		}
	}
	return m
}

// volume reads HOST:PATH[:OPTIONS]. ro is written as rro: the host's mounts
// below come along, and ro would leave them writable (SEC-12).
func volume(v string) (m specs.Mount, err error) {
	host, rest, _ := strings.Cut(v, ":")
	dest, options, _ := strings.Cut(rest, ":")
	if host == "" || dest == "" {
		return m, usageError("--volume " + quote(v) + ": not HOST:PATH or HOST:PATH:OPTIONS")
	}
	if host, err = filepath.Abs(host); err != nil {
		return m, err
	}
	if _, err := os.Stat(host); err != nil {
		return m, usageError("--volume " + quote(v) + ": no such file or directory: " + quote(host))
	}
	m = specs.Mount{Destination: dest, Type: "bind", Source: host, Options: []string{"rbind"}}
	for o := range strings.SplitSeq(options, ",") {
		switch o {
		case "":
		case "bind", "rbind":
			m.Options[0] = o
		case "ro":
			m.Options = append(m.Options, "rro")
		default:
			m.Options = append(m.Options, o)
		}
	}
	return m, nil
}

// setMount puts m in the place of the mount with its destination, or behind all.
func setMount(s *specs.Spec, flag string, m specs.Mount) error {
	if !path.IsAbs(m.Destination) {
		return usageError(flag + ": the path in the container isn't absolute")
	}
	m.Destination = path.Clean(m.Destination)
	if m.Destination == "/" {
		return usageError(flag + ": nothing can be mounted over the root directory")
	}
	i := slices.IndexFunc(s.Mounts, func(old specs.Mount) bool { return old.Destination == m.Destination })
	if i < 0 {
		s.Mounts = append(s.Mounts, m)
		return nil
	}
	s.Mounts[i] = m
	return nil
}
