package main

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/cmd/minirt/hot"
)

// configFlags are what deploy is told to write into config.json.
type configFlags struct {
	Env      []string `name:"env" short:"e" placeholder:"NAME[=VALUE]" help:"Set a variable of the environment; without VALUE, to what it is here. May be given again."`
	Cwd      string   `name:"cwd" short:"w" placeholder:"PATH" help:"The working directory."`
	User     string   `name:"user" short:"u" placeholder:"UID[:GID]" help:"The ids that the program runs with."`
	TTY      bool     `name:"tty" short:"t" help:"Give the program a terminal."`
	Hostname string   `name:"hostname" placeholder:"NAME" help:"The hostname, instead of the bundle's name."`
	ReadOnly bool     `name:"read-only" help:"Let nothing write to the root file system: what a program has anyway, and an image hasn't."`
	Writable bool     `name:"writable" help:"Let the container write to the root file system."`
	Tmpfs    []string `name:"tmpfs" placeholder:"PATH[:OPTIONS]" help:"A directory in memory, of 64 MiB unless OPTIONS has another size=. May be given again."`
	Volume   []string `name:"volume" short:"v" placeholder:"HOST:PATH[:OPTIONS]" help:"A file or a directory of this machine, at PATH; OPTIONS as for mounts in config.json, such as ro. May be given again."`
	Memory   string   `name:"memory" short:"m" placeholder:"SIZE" help:"Limit of memory: bytes, or with k, m or g behind."`
	CPUs     string   `name:"cpus" placeholder:"N" help:"Limit of CPU time, in CPUs, such as 1.5."`
	Pids     int      `name:"pids" placeholder:"N" help:"Limit of processes."`
}

// configure writes what the flags say.
func (f *configFlags) configure(s *specs.Spec) error {
	for _, text := range slices.Concat(f.Env, f.Tmpfs, f.Volume, []string{f.Cwd, f.Hostname}) {
		if !utf8.ValidString(text) {
			return usageError(quote(text) + ": not UTF-8, so config.json can't hold it")
		}
	}
	for _, write := range []func(*specs.Spec) error{f.process, f.ids, f.root, f.mounts, f.limits} {
		if err := write(s); err != nil {
			return err
		}
	}
	return nil
}

func (f *configFlags) process(s *specs.Spec) error {
	for _, e := range f.Env {
		name, _, given := strings.Cut(e, "=")
		if name == "" {
			return usageError("--env " + quote(e) + ": the variable has no name")
		}
		if !given {
			value, set := os.LookupEnv(name)
			if !set {
				return usageError("--env " + quote(name) + ": it isn't set here")
			}
			if e = name + "=" + value; !utf8.ValidString(e) {
				return usageError("--env " + quote(name) + ": its value here isn't UTF-8")
			}
		}
		setEnv(s.Process, name, e)
	}
	if f.TTY {
		s.Process.Terminal = true
		if !hasEnv(s.Process, "TERM") {
			setEnv(s.Process, "TERM", "TERM=xterm")
		}
	}
	if f.Cwd != "" {
		if !filepath.IsAbs(f.Cwd) {
			return usageError("--cwd " + quote(f.Cwd) + ": not an absolute path")
		}
		s.Process.Cwd = f.Cwd
	}
	if f.Hostname != "" {
		s.Hostname = f.Hostname
	}
	return nil
}

// setEnv puts an entry in the place of the variable's, or behind all.
func setEnv(p *specs.Process, name, e string) {
	i := slices.IndexFunc(p.Env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
	if i < 0 {
		p.Env = append(p.Env, e)
		return
	}
	p.Env[i] = e
}

func hasEnv(p *specs.Process, name string) bool {
	return slices.ContainsFunc(p.Env, func(e string) bool { return strings.HasPrefix(e, name+"=") })
}

// ids reads UID[:GID]. Names would be those of the container's files, which
// this machine's needn't be.
func (f *configFlags) ids(s *specs.Spec) error {
	if f.User == "" {
		return nil
	}
	uid, gid, given := strings.Cut(f.User, ":")
	u, err := strconv.ParseUint(uid, 10, 31)
	g, errG := uint64(0), error(nil)
	if given {
		g, errG = strconv.ParseUint(gid, 10, 31)
	}
	if err != nil || errG != nil {
		return usageError("--user " + quote(f.User) + ": not UID or UID:GID, which are numbers")
	}
	if s.Linux != nil && !(mapped(uint32(u), s.Linux.UIDMappings) && mapped(uint32(g), s.Linux.GIDMappings)) {
		return usageError("--user " + quote(f.User) + ": an ordinary user's container has no id but 0")
	}
	s.Process.User = specs.User{UID: uint32(u), GID: uint32(g)}
	return nil
}

// mapped tells whether a user namespace with the mappings has the id; without mappings, there is none.
func mapped(id uint32, mappings []specs.LinuxIDMapping) bool {
	return len(mappings) == 0 || slices.ContainsFunc(mappings, func(m specs.LinuxIDMapping) bool {
		return id >= m.ContainerID && id-m.ContainerID < m.Size
	})
}

func (f *configFlags) root(s *specs.Spec) error {
	if f.ReadOnly && f.Writable {
		return usageError("--read-only and --writable exclude one another")
	}
	if f.ReadOnly || f.Writable {
		s.Root.Readonly = f.ReadOnly
	}
	return nil
}

func (f *configFlags) limits(s *specs.Spec) error {
	if f.Memory == "" && f.CPUs == "" && f.Pids == 0 {
		return nil
	}
	if s.Linux.Resources == nil {
		s.Linux.Resources = new(specs.LinuxResources)
	}
	r := s.Linux.Resources
	if f.Memory != "" {
		n, ok := hot.Size(f.Memory)
		if !ok || n <= 0 {
			return usageError("--memory " + quote(f.Memory) + ": not a size: bytes, or with k, m or g behind")
		}
		r.Memory = &specs.LinuxMemory{Limit: &n}
	}
	if f.CPUs != "" {
		const period = 100000 // µs, the kernel's own
		n, err := strconv.ParseFloat(f.CPUs, 64)
		if err != nil || !(n >= 0.01 && n <= 1<<20) {
			return usageError("--cpus " + quote(f.CPUs) + ": not a number of CPUs, from 0.01 on")
		}
		r.CPU = &specs.LinuxCPU{Quota: new(int64(n*period + 0.5)), Period: new(uint64(period))}
	}
	if f.Pids != 0 {
		r.Pids = &specs.LinuxPids{Limit: new(int64(f.Pids))}
	}
	return nil
}
