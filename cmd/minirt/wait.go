package main

import (
	"errors"
	"strconv"

	"github.com/minirt/minirt/lifecycle"
)

type waitFlags struct {
	IDs []string `arg:"" name:"ID" help:"The containers."`
}

func (*waitFlags) Help() string {
	return `Waits until containers have ended, and prints their exit statuses, a line each, in the order of the arguments: 128 and the signal's number for one that a signal has ended. One that is only created is waited for as well; one that is deleted meanwhile, too.

Of a container that had ended before, the status is known if it has a log (--log-driver): its writer keeps it. The kernel tells the status of others since Linux 6.15. Where it isn't known, the line is "unknown", and wait ends with 1.`
}

func (*waitFlags) Example() string {
	return `minirt wait web
minirt wait web db`
}

func (f *waitFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	ends := make([]*lifecycle.Ending, 0, len(f.IDs))
	for _, id := range f.IDs { // all of them first: what becomes of one while another is waited for must not matter
		e, err := r.Await(id)
		if err != nil {
			return 0, err
		}
		defer e.Close()
		ends = append(ends, e)
	}
	for _, e := range ends {
		line := "unknown"
		code, e := e.Wait()
		if e == nil {
			line = strconv.Itoa(code)
		}
		err = errors.Join(err, e)
		if e := say(line + "\n"); e != nil {
			return 0, e
		}
	}
	return 0, err
}
