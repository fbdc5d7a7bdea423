package cgroup

import (
	"errors"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// ErrNoRights is in the chain of every error that comes from a lack of rights
// to the cgroup tree (EACCES, EPERM, EROFS): without root it is the usual case,
// and the caller may go on without limits, after a warning.
var ErrNoRights = errors.New("no right to the cgroup tree")

// Fault is a value in config.json that can't be honoured.
type Fault struct {
	Path string // in config.json: "linux.resources.memory.limit"
	Text string // the value and what is wrong with it

	Controller string // the one that isn't there, if that is what is wrong
}

func (f Fault) Error() string { return f.Path + ": " + f.Text }

// Faults is all that Compile has to say against a configuration.
type Faults []Fault

func (f Faults) Error() string {
	texts := make([]string, len(f))
	for i := range f {
		texts[i] = f[i].Error()
	}
	return strings.Join(texts, "; ")
}

// ErrNotMounted is in the chain of the error of a host without cgroups.
var ErrNotMounted = errors.New("no cgroup file system is mounted below " + root)

// A NoFit is a cgroup that is there and can't be a new container's.
type NoFit struct {
	Dir    string
	Frozen bool // else somebody is in it
	text   string
}

func (e *NoFit) Error() string { return e.text + e.Dir }

// PathError is a file operation that the kernel refused.
type PathError struct {
	Op   string // "mkdir", "write", …
	Path string
	Why  string // what it means, if we know more than the kernel says
	Err  error  // the errno
}

func (e *PathError) Error() string {
	s := e.Op + " " + e.Path + ": "
	if e.Why != "" {
		s += e.Why + ": "
	}
	return s + e.Err.Error()
}

func (e *PathError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrNoRights) true for the errnos of missing rights.
func (e *PathError) Is(target error) bool {
	return target == ErrNoRights && noRights(e.Err)
}

func noRights(err error) bool {
	return err == unix.EACCES || err == unix.EPERM || err == unix.EROFS
}

// WriteError is a limit that the kernel refused.
type WriteError struct {
	Write
	Err error
}

func (e *WriteError) Error() string {
	return e.Path + ": " + shown(e.Value) + ": " + e.Err.Error()
}

func (e *WriteError) Unwrap() error { return e.Err }

// shown is a value for an error text: a number as it is, all else quoted.
func shown(v string) string {
	if _, err := strconv.ParseInt(v, 10, 64); err == nil {
		return v
	}
	return strconv.Quote(v)
}
