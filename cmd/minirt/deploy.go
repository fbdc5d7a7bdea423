package main

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/minirt/minirt/lifecycle"
)

type deployFlags struct {
	AndRun bool `name:"run" help:"Run the bundle as a container that is named like its directory, and remove both at the end."`
	Keep   bool `name:"keep" help:"With --run: leave the bundle."`
	Into   bool `name:"into" help:"Add what --with, --copy and --data name to the bundle that BUNDLE is already; nothing of it is changed."`
	contentFlags
	configFlags
	netFlags
	Platform string `name:"platform" placeholder:"OS/ARCHITECTURE[/VARIANT]" help:"Of an image for many platforms: the one for this platform, not for this machine."`

	Bundle  string   `arg:"" name:"BUNDLE" help:"The bundle's directory: absent or empty, or with --into, a bundle."`
	Program string   `arg:"" name:"PROGRAM" optional:"" passthrough:"" help:"A path, or a name to look for along PATH; or oci:DIR[:TAG] for an image in an OCI image layout."`
	Args    []string `arg:"" name:"ARGS" optional:"" help:"Its arguments, dashes included."`
}

func (*deployFlags) Help() string {
	return `Makes a bundle that runs a program of this machine. Its root file system holds the program, its loader and its shared libraries, or the interpreter of a script; and what --with, --copy and --data name: nothing more. Everything has its path here, but what --copy puts elsewhere. The root file system is read-only, with /tmp in memory. All flags but those three write into config.json, where they can be read and changed.

Of an image, the bundle holds the layers, and its configuration says how to run it; ARGS stand for its own.

The same command line and the same files give the same bundle, byte for byte.

With --run the bundle is run at once, with this terminal's input and output, and ends with the program's exit status. Flags stand before PROGRAM.`
}

func (*deployFlags) Example() string {
	return `minirt deploy --run hello /bin/echo hello
minirt deploy web --copy site:/srv/www /usr/sbin/httpd -f -p 8080
minirt deploy shell --tty --with ls,cat,vi --data terminfo /bin/bash
minirt deploy --with strace --into web
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
	if err := f.check(); err != nil {
		return 0, err
	}
	c, err := f.contents()
	if err != nil {
		return 0, err
	}
	dir, err := filepath.Abs(f.Bundle)
	if err != nil {
		return 0, err
	}
	i := hear()
	remove, err := f.make(r, dir, c, i)
	if i.end(); err != nil || !f.AndRun {
		return i.status(), err
	}
	status, err = r.Run(filepath.Base(dir), lifecycle.RunOptions{
		CreateOptions: lifecycle.CreateOptions{Bundle: dir},
		Terminal:      lifecycle.TerminalAuto,
	})
	if f.Keep {
		return status, err
	}
	return status, errors.Join(err, remove())
}

// check refuses flags that don't go together.
func (f *deployFlags) check() error {
	var fresh deployFlags
	n := model("deploy", &fresh)
	switch {
	case f.Bundle == "":
		return usageError("argument BUNDLE is empty")
	case f.Keep && !f.AndRun:
		return usageError("--keep is for --run: without it the bundle stays anyway")
	case !f.Into && f.Program == "":
		return usageError("argument PROGRAM is missing; usage: " + usageLine(n))
	case f.Platform != "" && !strings.HasPrefix(f.Program, layoutPrefix):
		return usageError("--platform is for images: " + layoutPrefix + "DIR[:TAG]")
	case !f.Into:
		return nil
	case f.Program != "":
		return usageError("--into sets no program: add " + quote(f.Program) + " by --with")
	case f.AndRun || !reflect.DeepEqual(f.configFlags, fresh.configFlags) || !reflect.DeepEqual(f.netFlags, fresh.netFlags):
		return usageError("--into leaves config.json as it is: only --with, --copy and --data go with it")
	case reflect.DeepEqual(f.contentFlags, fresh.contentFlags):
		return usageError("--into adds what --with, --copy and --data name, and none is given")
	}
	return nil
}
