package lifecycle

import (
	"errors"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/resctrl"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/minirt/minirt/rootfs"
)

// pathError is the failure of what a place in config.json asks for.
type pathError struct {
	path  string // "linux.namespaces[2].path"
	value string
	cause error
}

func (e *pathError) Error() string { return e.path + ": " + e.value + ": " + e.cause.Error() }
func (e *pathError) Unwrap() error { return e.cause }

// locate puts the line and column of config.json behind an error that comes
// from a place in it and doesn't say where that is.
func (v *sight) locate(err error) error {
	if at := placeOf(v.bundle.Config, pathOf(err)); at != "" {
		return &located{err, at}
	}
	return err
}

// pathOf is the place in config.json that an error comes from and doesn't give
// the line of; "" for none.
func pathOf(err error) string {
	var own *pathError
	var write *cgroup.WriteError
	var fault cgroup.Fault
	var filter *seccomp.Error
	var root rootfs.Fault
	var rdt *resctrl.Fault
	switch {
	case errors.As(err, &root):
		return root.Path
	case errors.As(err, &rdt):
		return rdt.Path
	case errors.As(err, &own):
		return own.path
	case errors.As(err, &write):
		return write.Path
	case errors.As(err, &fault):
		return fault.Path
	case errors.As(err, &filter):
		return filter.Path
	}
	return ""
}

type located struct {
	error
	at string
}

func (l *located) Error() string { return l.error.Error() + l.at }
func (l *located) Unwrap() error { return l.error }
