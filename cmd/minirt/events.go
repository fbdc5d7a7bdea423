package main

import (
	"errors"
	"time"

	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/lifecycle"
)

type eventsFlags struct {
	Stats    bool   `name:"stats" help:"Print the figures once, and end."`
	Interval string `name:"interval" placeholder:"TIME" default:"5s" help:"Time between two lines, such as 500ms or 1m."`
	ID       string `arg:"" name:"ID" help:"The container."`
}

func (*eventsFlags) Help() string {
	return `Prints the figures of a container's cgroup as JSON, one line each time: CPU, memory, processes and disks. Ends when the container does.`
}

func (*eventsFlags) Example() string {
	return `minirt events --stats web
minirt events --interval 1s web`
}

// check refuses an interval that is none.
func (f *eventsFlags) check() error {
	if d, err := time.ParseDuration(f.Interval); err != nil || d <= 0 {
		return usageError("--interval: " + quote(f.Interval) + " is not a time of more than 0, such as 500ms or 1m")
	}
	return nil
}

func (f *eventsFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	interval, _ := time.ParseDuration(f.Interval)
	for first := true; ; first = false {
		s, err := r.Stats(f.ID)
		if err != nil && !first && (errors.Is(err, lifecycle.ErrNotRunning) || errors.Is(err, lifecycle.ErrNotExist)) {
			return 0, nil
		}
		if err != nil {
			return 0, err
		}
		line := json.AppendString([]byte(`{"type":"stats","id":`), f.ID)
		line = append(s.AppendJSON(append(line, `,"data":`...)), "}\n"...)
		if err := say(string(line)); err != nil || f.Stats {
			return 0, err
		}
		time.Sleep(interval)
	}
}
