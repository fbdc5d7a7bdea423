package lifecycle

import (
	"errors"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
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

// errKilled is a stage that SIGKILL has ended: mostly it was the kernel's, for lack of memory.
const errKilled = text("the container's process was killed before it was created: is linux.resources.memory.limit too low?")

// wrongStatus is a verb that doesn't go with the container's status.
type wrongStatus struct {
	text
	status specs.ContainerState
}

// text is an error without a cause.
type text string

func (t text) Error() string { return string(t) }

// because puts what was tried before its cause.
func because(what string, cause error) error { return &reason{what: what, cause: cause} }

// on is because, for what was tried on a file or a socket that the caller named;
// flag is how he did.
func on(flag, file, what string, cause error) error {
	return &reason{what: what, cause: cause, flag: flag, file: file}
}

type reason struct {
	what       string
	cause      error
	flag, file string
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
