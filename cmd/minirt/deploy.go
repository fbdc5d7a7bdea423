package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/lifecycle"
)

type deployFlags struct {
	AndRun  bool     `name:"run" help:"Run the bundle as a container that is named like its directory, and remove both at the end."`
	Keep    bool     `name:"keep" help:"With --run: leave the bundle."`
	Bundle  string   `arg:"" name:"BUNDLE" passthrough:"" help:"The bundle's directory: absent or empty."`
	Program string   `arg:"" name:"PROGRAM" help:"A path, or a name to look for along PATH."`
	Args    []string `arg:"" name:"ARGS" optional:"" help:"Its arguments, dashes included."`
}

func (*deployFlags) Help() string {
	return `Makes a bundle that runs a program of this machine. Its root file system holds the program, its loader and its shared libraries, or the interpreter of a script; nothing more. Add files to the bundle's rootfs if it needs them.

With --run the bundle is run at once, with this terminal's input and output, and ends with the program's exit status. Flags stand before BUNDLE.`
}

func (*deployFlags) Example() string {
	return `minirt deploy --run hello /bin/echo hello
minirt deploy web /usr/sbin/httpd -f -p 8080
minirt run --bundle web web`
}

func (f *deployFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	status, err = f.deploy(r)
	if le := (*lifecycle.Error)(nil); err != nil && !errors.As(err, &le) {
		err = &lifecycle.Error{Verb: "deploy", ID: f.Bundle, Err: err}
	}
	return status, err
}

func (f *deployFlags) deploy(r *lifecycle.Runtime) (status int, err error) {
	if f.Keep && !f.AndRun {
		return 0, usageError("--keep is for --run: without it the bundle stays anyway")
	}
	dir, err := filepath.Abs(f.Bundle)
	if err != nil {
		return 0, err
	}
	_, missing := os.Lstat(dir)
	if err := bundles.Deploy(dir, f.Program, f.Args); err != nil || !f.AndRun {
		return 0, err
	}
	status, err = r.Run(filepath.Base(dir), lifecycle.RunOptions{CreateOptions: lifecycle.CreateOptions{Bundle: dir}})
	if f.Keep {
		return status, err
	}
	return status, errors.Join(err, removeBundle(dir, errors.Is(missing, os.ErrNotExist)))
}

// removeBundle removes what deploy made: the directory too where there was none.
func removeBundle(dir string, all bool) error {
	if all {
		return os.RemoveAll(dir)
	}
	return errors.Join(os.RemoveAll(filepath.Join(dir, "rootfs")), os.Remove(filepath.Join(dir, "config.json")))
}
