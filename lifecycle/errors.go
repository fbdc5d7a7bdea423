package lifecycle

import (
	"errors"
	"strconv"
)

// Error is what every verb returns: which verb, on which container, and why.
// Its text is one line: `create web: mounts[3]: …: no such file or directory`.
type Error struct {
	Verb string
	ID   string
	Err  error
}

func (e *Error) Error() string {
	if e.ID == "" {
		return e.Verb + ": " + e.Err.Error()
	}
	return e.Verb + " " + e.ID + ": " + e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Errors that callers ask for. Their texts are those that engines search for
// (docs/cli.md): they stand somewhere in the text of what a verb returns.
var (
	ErrNotExist   = errors.New("container does not exist")
	ErrExist      = errors.New("container with given ID already exists")
	ErrNotRunning = errors.New("container not running")
	ErrNotPaused  = errors.New("container not paused")
)

// text is an error without a cause.
type text string

func (t text) Error() string { return string(t) }

// because puts what was tried before its cause.
func because(what string, cause error) error { return &reason{what, cause} }

type reason struct {
	what  string
	cause error
}

func (r *reason) Error() string { return r.what + ": " + r.cause.Error() }
func (r *reason) Unwrap() error { return r.cause }

// wrap makes a verb's error of err, if there is one.
func wrap(verb, id string, err *error) {
	if *err != nil {
		*err = &Error{verb, id, *err}
	}
}

func quote(s string) string { return strconv.Quote(s) }
