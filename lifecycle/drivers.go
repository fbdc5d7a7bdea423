package lifecycle

import "errors"

// Drivers do what some configs and flags ask for and what takes a library whose
// mere presence would cost every start of a hot verb. A program that links them
// puts them into Runtime; one that hasn't (package hot, or another Go program)
// gets ErrDriver where one is needed, before anything has been done.
type Drivers struct {
	Systemd    Systemd    // cgroups by systemd: CgroupSystemd, and containers that were made so
	NetDevices NetDevices // linux.netDevices
}

// Systemd makes a container's cgroup as a scope of systemd, over D-Bus.
type Systemd interface{}

// NetDevices moves network devices into a container's network namespace, and back.
type NetDevices interface{}

// ErrDriver tells that a driver is needed that Runtime.Drivers hasn't got, and
// that nothing has been done.
var ErrDriver = errors.New("a driver is needed that this program does not have")
