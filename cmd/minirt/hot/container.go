package hot

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/lifecycle"
)

// Container is the argument of a verb for one container.
type Container struct {
	ID string `arg:"" name:"ID" help:"The container."`
}

// Check finds nothing: whether an ID is right is lifecycle's to say.
func (*Container) Check() error { return nil }

// Bundling is what create, run and plan know about a bundle.
type Bundling struct {
	Bundle       string `name:"bundle" short:"b" placeholder:"DIR" default:"." help:"The bundle's directory."`
	NoPivot      bool   `name:"no-pivot" help:"Move the root mount instead of pivot_root, for a root file system that is a ramdisk."`
	NoNewKeyring bool   `name:"no-new-keyring" help:"Keep the caller's session keyring."`
	PreserveFDs  int    `name:"preserve-fds" placeholder:"N" help:"Hand N descriptors down, from 3 on."`
}

// Making is what create and run have in common.
type Making struct {
	Bundling
	Timed
	Logged
	PIDFile       string `name:"pid-file" placeholder:"FILE" help:"Write the process's ID to FILE."`
	ConsoleSocket string `name:"console-socket" placeholder:"SOCKET" help:"Send the terminal's master descriptor to the unix socket SOCKET."`
	PIDFDSocket   string `name:"pidfd-socket" placeholder:"SOCKET" help:"Send a pidfd of the process to the unix socket SOCKET."`
	NewID         string `arg:"" name:"ID" help:"A name for the container: letters, digits and _ + - . only."`
}

// Options are the flags as lifecycle takes them.
func (f *Bundling) Options() lifecycle.CreateOptions {
	return lifecycle.CreateOptions{
		Bundle:       f.Bundle,
		NoPivot:      f.NoPivot,
		NoNewKeyring: f.NoNewKeyring,
		ListenFDs:    lifecycle.ListenFDs(),
		PreserveFDs:  f.PreserveFDs,
	}
}

// Check refuses to hand down a descriptor that the caller hasn't opened. It comes
// before minirt opens anything, which would otherwise take its number and go to
// the container in its place.
func (f *Making) Check() error {
	listen := lifecycle.ListenFDs()
	for fd := 3; fd < 3+listen+f.PreserveFDs; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err != nil {
			what := "--preserve-fds"
			if fd < 3+listen {
				what = "LISTEN_FDS"
			}
			return UsageError(what + ": descriptor " + strconv.Itoa(fd) + " is not open")
		}
	}
	return f.Logged.check()
}

func (f *Making) Options() lifecycle.CreateOptions {
	o := f.Bundling.Options()
	o.PIDFile, o.ConsoleSocket, o.PIDFDSocket = f.PIDFile, f.ConsoleSocket, f.PIDFDSocket
	o.Log, _ = f.Logged.options()
	return o
}
