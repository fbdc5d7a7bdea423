// Package lifecycle drives containers through the operations of the OCI
// runtime-spec (runtime.md): create, start, state, kill and delete, and what
// engines need beside them. Each verb is a method of Runtime in a file of its
// own, so that another Go program can drive containers without a command line.
//
// Its law: every effect on the host is written into the container's directory
// before it is made, and has its undo beside it. A verb that fails leaves
// nothing; a minirt that is killed leaves nothing that delete can't clear.
package lifecycle

import (
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Version is the version of the OCI runtime-spec that states and hooks are told.
const Version = "1.3.0"

// The ways to make cgroups, for Runtime.CgroupManager.
const (
	CgroupFS       = "cgroupfs" // by files; the default
	CgroupSystemd  = "systemd"  // by a scope of systemd
	CgroupDisabled = "disabled" // make and touch none
)

// Runtime is a place where containers' states are kept, and how containers
// are made there. Its methods may be called by many processes at once.
type Runtime struct {
	Root          string            // the directory of all states, absolute; see DefaultRoot
	CgroupManager string            // CgroupFS where empty
	Rootless      string            // "true", "false" or "auto": whether missing rights to cgroups are only warned of; "auto" where empty
	NotifySocket  string            // a service manager's socket, to be told that a container is ready (sd_notify(3)); "" for none
	Strict        bool              // delete refuses a created container, as the letter of runtime.md has it
	Drivers       Drivers           // what needs a library; may be empty
	Warn          func(text string) // gets each warning, in one line; may be nil
}

// CreateOptions tell Create, Run and Plan what isn't in config.json.
type CreateOptions struct {
	Bundle        string     // the bundle's directory; "." where empty
	PIDFile       string     // gets the process's id in decimal digits, once the container is created
	ConsoleSocket string     // a stream socket that gets the terminal's master descriptor
	PIDFDSocket   string     // a stream socket that gets a pidfd of the container's process
	NoPivot       bool       // move the root mount instead of pivot_root(2), for a root file system that is a ramdisk
	NoNewKeyring  bool       // keep the caller's session keyring
	ListenFDs     int        // this many descriptors from 3 on are handed to the container's process for socket activation; see ListenFDs
	PreserveFDs   int        // this many that follow them are handed to it, too
	Log           LogOptions // what becomes of what the container says
	Timing        *Timing    // gets where the time went; nil where nobody asks

	terminal string   // RunOptions.Terminal
	denials  *Denials // RunOptions.Denials
	detach   bool     // the caller doesn't wait for the end of the process
	foresee  bool     // only a plan is wanted, also where the root isn't there yet
}

// RunOptions tell Run what isn't in config.json.
type RunOptions struct {
	CreateOptions
	Detach      bool     // return as soon as the program runs
	Keep        bool     // leave the stopped container
	Terminal    string   // in the place of process.terminal: TerminalAuto, TerminalYes, TerminalNo; what config.json says where empty
	NoSubreaper bool     // don't become the reaper of orphans
	Denials     *Denials // gets what the seccomp profile refuses; nil where nobody asks
}

// State is what runtime.md calls the state of a container, with what engines read beside it.
type State struct {
	specs.State
	Rootfs  string    // the root directory on the host
	Created time.Time // when create began
	Owner   string    // the user who owns the state: a name, or "#" and a number
}

// warn passes a warning on.
func (r *Runtime) warn(text string) {
	if r.Warn != nil {
		r.Warn(text)
	}
}
