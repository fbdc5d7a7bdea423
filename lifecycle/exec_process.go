package lifecycle

import (
	"slices"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// process is what is to run: what a file says, or the container's own process
// changed by the options.
func (e *entrance) process(config *specs.Spec) (*specs.Process, error) {
	if name := e.options.Process; name != "" {
		return e.processFile(name)
	}
	p := specs.Process{Cwd: "/"}
	if config.Process != nil {
		p = *config.Process
	}
	return &p, e.options.apply(&p)
}

// processFile reads a process object. It may be a pipe, and engines take it away later.
func (e *entrance) processFile(name string) (*specs.Process, error) {
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, because(quote(name), err)
	}
	defer unix.Close(fd)
	b, err := readAll(fd, 16<<20)
	if err != nil {
		return nil, because(quote(name), err)
	}
	p, warnings, err := spec.LoadProcess(b)
	for _, w := range warnings {
		e.warn(w.Error())
	}
	return p, err
}

// apply changes the container's own process to what the options ask for.
func (o *ExecOptions) apply(p *specs.Process) error {
	if len(o.Args) == 0 {
		return text("there is no program to execute: name one, or give --process")
	}
	p.Args, p.Terminal = o.Args, o.TTY
	if o.Cwd != "" {
		if p.Cwd = o.Cwd; o.Cwd[0] != '/' {
			return text("cwd " + quote(o.Cwd) + " is not an absolute path")
		}
	}
	if o.User != "" {
		uid, gid, err := ParseUser(o.User)
		if err != nil {
			return err
		}
		if p.User.UID = uid; gid != nil {
			p.User.GID = *gid
		}
	}
	p.User.AdditionalGids = append(slices.Clip(p.User.AdditionalGids), o.AdditionalGids...)
	p.NoNewPrivileges = p.NoNewPrivileges || o.NoNewPrivs
	if o.AppArmor != "" {
		p.ApparmorProfile = o.AppArmor
	}
	if o.ProcessLabel != "" {
		p.SelinuxLabel = o.ProcessLabel
	}
	if err := o.environment(p); err != nil {
		return err
	}
	return o.capabilities(p)
}

// environment puts the options' variables in the place of the config's.
func (o *ExecOptions) environment(p *specs.Process) error {
	p.Env = slices.Clone(p.Env)
	for _, v := range o.Env {
		name, _, ok := strings.Cut(v, "=")
		if !ok || name == "" {
			return text("env " + quote(v) + " is not of the form NAME=VALUE")
		}
		p.Env = slices.DeleteFunc(p.Env, func(old string) bool { return strings.HasPrefix(old, name+"=") })
		p.Env = append(p.Env, v)
	}
	return nil
}

// capabilities adds to the sets that give a process rights, and never to the
// inheritable one, from which files could take them (SEC-11).
func (o *ExecOptions) capabilities(p *specs.Process) error {
	if len(o.Caps) == 0 {
		return nil
	}
	var sets specs.LinuxCapabilities
	if p.Capabilities != nil {
		sets = *p.Capabilities
	}
	for _, name := range o.Caps {
		if _, ok := kernel.Capability(name); !ok {
			return text("unknown capability " + quote(name))
		}
	}
	for _, set := range [...]*[]string{&sets.Bounding, &sets.Effective, &sets.Permitted} {
		*set = append(slices.Clip(*set), o.Caps...)
	}
	p.Capabilities = &sets
	return nil
}

// ParseUser reads "UID" or "UID:GID", decimal numbers up to 4294967294 (SEC-22:
// 4294967295 is -1 to the kernel). Without a gid the config's stays.
func ParseUser(s string) (uid uint32, gid *uint32, err error) {
	first, second, colon := strings.Cut(s, ":")
	uid, ok := parseID(first)
	if !ok {
		return 0, nil, text("bad uid " + quote(first) + ": want UID or UID:GID, decimal numbers up to 4294967294")
	}
	if !colon {
		return uid, nil, nil
	}
	g, ok := parseID(second)
	if !ok {
		return 0, nil, text("bad gid " + quote(second) + ": want UID or UID:GID, decimal numbers up to 4294967294")
	}
	return uid, &g, nil
}

// ParseGID reads one group's number as ParseUser does.
func ParseGID(s string) (uint32, error) {
	gid, ok := parseID(s)
	if !ok {
		return 0, text("bad gid " + quote(s) + ": want a decimal number up to 4294967294")
	}
	return gid, nil
}

// parseID reads decimal digits, without a sign, that make an id.
func parseID(s string) (uint32, bool) {
	n, err := strconv.ParseUint(s, 10, 32)
	return uint32(n), err == nil && s[0] != '+' && n != 1<<32-1
}
