package hot

import (
	"strconv"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/lifecycle"
)

// Kill is the verb "kill".
type Kill struct {
	All    bool   `name:"all" short:"a" help:"Send the signal to every process in the container's cgroup."`
	ID     string `arg:"" name:"ID" passthrough:"" help:"The container."`
	Signal string `arg:"" name:"SIGNAL" optional:"" help:"A signal's name, with or without SIG, or its number; without it the one that the container's annotation org.opencontainers.image.stopSignal names, else SIGTERM."`
}

func (*Kill) Help() string {
	return `Sends a signal to the first process of a container that is created, running or paused. Flags stand before the ID.`
}

func (*Kill) Example() string {
	return `minirt kill web
minirt kill --all web KILL`
}

// Check leaves the signal to Run, whose error names the container.
func (*Kill) Check() error { return nil }

func (f *Kill) Run(r *lifecycle.Runtime) (status int, err error) {
	signal, ok := lifecycle.StopSignal, true
	if f.Signal != "" {
		signal, ok = kernel.Signal(f.Signal)
	}
	if !ok {
		return 0, &lifecycle.Error{Verb: "kill", ID: f.ID, Err: UsageError("unknown signal " + strconv.Quote(f.Signal))}
	}
	return 0, r.Kill(f.ID, signal, f.All)
}
