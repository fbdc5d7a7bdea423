package main

import (
	"encoding/json"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/lifecycle"
)

type specFlags struct {
	Bundle   string `name:"bundle" short:"b" placeholder:"DIR" default:"." help:"Where config.json is written."`
	File     string `name:"file" short:"f" placeholder:"FILE" help:"Write FILE instead, which may exist; - is standard output."`
	Rootless bool   `name:"rootless" help:"A configuration that needs no rights: with a user namespace for the caller."`
}

func (*specFlags) Help() string {
	return `Writes a config.json to start from: a shell with a terminal in namespaces of its own, with the usual mounts, devices and few capabilities. A config.json that exists is left as it is, and that is an error.`
}

func (*specFlags) Example() string {
	return `minirt spec --bundle hello
minirt spec --rootless --file -`
}

func (f *specFlags) Run(*lifecycle.Runtime) (status int, err error) {
	s := bundles.Default(unified())
	if f.Rootless {
		s = bundles.Rootless(uint32(os.Geteuid()), uint32(os.Getegid()), unified())
	}
	if f.File == "" {
		err = bundles.Write(f.Bundle, s)
	} else {
		err = f.write(s)
	}
	if err != nil {
		return 0, &lifecycle.Error{Verb: "spec", Err: err}
	}
	return 0, nil
}

// write writes the configuration to the file that -f names.
func (f *specFlags) write(s *specs.Spec) error {
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	text = append(text, '\n')
	if f.File == "-" {
		return say(string(text))
	}
	return os.WriteFile(f.File, text, 0o666)
}

// unified tells whether the host has cgroup v2 alone, where containers want a cgroup namespace.
func unified() bool {
	var st unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}
