package lifecycle

import (
	"errors"

	"github.com/minirt/minirt/internal/systemd/unit"
)

// Drivers do what some configs and flags ask for and what takes a library whose
// mere presence would cost every start of a hot verb. A program that links them
// puts them into Runtime; one that hasn't (package hot, or another Go program)
// gets ErrDriver where one is needed, before anything has been done.
type Drivers struct {
	Systemd Systemd // cgroups by systemd: CgroupSystemd, and containers that were made so
}

// Systemd makes a container's cgroup as a scope of the caller's systemd: of
// the system's for root, of their own for others (internal/systemd). Its methods
// have a deadline, and their errors name the unit.
type Systemd interface {
	// Root is the cgroup of systemd itself, "" for the top, and whether it is a user's own.
	Root() (path string, user bool, err error)
	// Start makes a scope and moves a process into it. lacking are properties
	// that this systemd hasn't, of limits that are written to files as well.
	Start(u unit.Unit, pid int, list []unit.Property) (lacking []string, err error)
	// Set changes properties of a scope.
	Set(u unit.Unit, list []unit.Property) (lacking []string, err error)
	// Attach moves one more process into a scope, or into a cgroup below it ("/init").
	Attach(u unit.Unit, below string, pid int) error
	// Stop ends a scope and clears it away; that it is gone, or another's, is no error.
	Stop(u unit.Unit) error
}

// ErrDriver tells that a driver is needed that Runtime.Drivers hasn't got, and
// that nothing has been done.
var ErrDriver = errors.New("a driver is needed that this program does not have")
