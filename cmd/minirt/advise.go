package main

import (
	"errors"
	"strconv"

	"github.com/minirt/minirt/internal/advice"
	"github.com/minirt/minirt/lifecycle"
)

// logError is a --log FILE that can't be opened.
type logError struct {
	file string
	err  error
}

func (e *logError) Error() string { return "--log " + strconv.Quote(e.file) + ": " + e.err.Error() }
func (e *logError) Unwrap() error { return e.err }

// advice is what may be done about an error; "" if it isn't known, or if it isn't
// a person who reads.
func (c *complaints) advice(err error) string {
	if c.log != 0 || c.json || c.level == "error" {
		return ""
	}
	f := lifecycle.FailureOf(err)
	var log *logError
	if errors.As(err, &log) {
		f.Flag, f.File = "--log", log.file
	}
	text, _ := advice.For(f, c.host())
	return text
}

// host is this machine, with the containers that the flags tell of.
func (c *complaints) host() *advice.Host {
	if c.globals == nil {
		return new(advice.Host)
	}
	r, err := c.globals.Runtime(nil)
	if err != nil {
		return new(advice.Host)
	}
	return &advice.Host{Root: r.Root, StatusOf: func(id string) string {
		s, err := r.State(id)
		if err != nil {
			return ""
		}
		return string(s.Status)
	}}
}
