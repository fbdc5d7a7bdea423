package main

import (
	"os"
	"time"

	"github.com/minirt/minirt/lifecycle"
)

type eventsFlags struct {
	Stats    bool   `name:"stats" help:"Print the figures once, and end."`
	Interval string `name:"interval" placeholder:"TIME" default:"5s" help:"Time between two lines, such as 500ms or 1m."`
	ID       string `arg:"" name:"ID" help:"The container."`
}

func (*eventsFlags) Help() string {
	return `Prints the figures of a container's cgroup as JSON, a line each time: CPU, memory, processes, disks, huge pages, pressure. Between them it prints a line of type "oom" each time that the container's memory runs out. Ends when the container does, or when nobody reads any more.`
}

func (*eventsFlags) Example() string {
	return `minirt events --stats web
minirt events --interval 1s web`
}

// Check refuses an interval that is none.
func (f *eventsFlags) Check() error {
	if d, err := time.ParseDuration(f.Interval); err != nil || d <= 0 {
		return usageError("--interval: " + quote(f.Interval) + " is not a time of more than 0, such as 500ms or 1m")
	}
	return nil
}

func (f *eventsFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	tell := func(line []byte) error { return say(string(line)) }
	if f.Stats {
		s, err := r.Stats(f.ID)
		if err != nil {
			return 0, err
		}
		return 0, tell(lifecycle.StatsEvent(f.ID, s))
	}
	interval, _ := time.ParseDuration(f.Interval)
	return 0, r.Events(f.ID, interval, int(os.Stdout.Fd()), tell)
}
