package lifecycle

import (
	"cmp"
	"errors"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/internal/advice"
	"github.com/minirt/minirt/internal/cgroup"
	"github.com/minirt/minirt/internal/mountpoint"
	"github.com/minirt/minirt/spec"
)

// FailureOf takes a verb's error apart, for package advice: what failed, where,
// and what was known of the container. What isn't known stays zero.
func FailureOf(err error) *advice.Failure {
	f := &advice.Failure{Path: pathOf(err), Kind: kindOf(err)}
	errors.As(err, &f.Errno)
	var verb *Error
	if errors.As(err, &verb) {
		f.Verb, f.ID = verb.Verb, verb.ID
	}
	var s *scene
	if errors.As(err, &s) {
		f.Bundle, f.Rootfs, f.Spec = s.bundle, s.rootfs, s.spec
	}
	takeKind(err, f)
	takePlace(err, f)
	return f
}

// kindOf is what sort of failure one of the known errors is.
func kindOf(err error) advice.Kind {
	for _, known := range [...]struct {
		err  error
		kind advice.Kind
	}{
		{ErrNotExist, advice.NotExist},
		{ErrExist, advice.Exist},
		{ErrNotRunning, advice.NotRunning},
		{ErrNotPaused, advice.NotPaused},
		{errKilled, advice.Killed},
		{errNoSocket, advice.NoSocket},
		{cgroup.ErrNotMounted, advice.NoCgroups},
	} {
		if errors.Is(err, known.err) {
			return known.kind
		}
	}
	return advice.Other
}

// takeKind fills in what sort of failure it is.
func takeKind(err error, f *advice.Failure) {
	var config *bundles.NoConfig
	var faults spec.Faults
	var timeout errTimeout
	var status wrongStatus
	var helper *helpless
	var fit *cgroup.NoFit
	var limits cgroup.Faults
	switch {
	case errors.As(err, &config):
		f.Kind, f.Bundle = advice.NoConfig, config.Dir
	case errors.As(err, &faults):
		f.Kind = advice.BadConfig
		if len(faults) == 1 {
			f.Path = faults[0].Path
		}
	case errors.As(err, &timeout):
		f.Kind = advice.Timeout
	case errors.As(err, &helper) && helper.file != "":
		f.Kind, f.File, f.Grant = advice.Helpless, helper.file, helper.grant
	case errors.As(err, &fit):
		f.Kind, f.Cgroup = advice.Occupied, fit.Dir
		if fit.Frozen {
			f.Kind = advice.Frozen
		}
	case errors.As(err, &limits) && len(limits) == 1:
		f.Path, f.Controller = limits[0].Path, limits[0].Controller
	case errors.As(err, &status):
		f.Kind, f.Status = advice.WrongStatus, string(status.status)
	}
}

// takePlace fills in what failed, and on what.
func takePlace(err error, f *advice.Failure) {
	var step *stepError
	var hook *hookError
	var given *reason
	var group *cgroup.PathError
	var point *mountpoint.MakeError
	if errors.As(err, &step) {
		f.Program, f.Call, f.Namespaces = step.program, step.call, step.namespaces
		f.Path = cmp.Or(step.path, f.Path)
	}
	if errors.As(err, &hook) {
		f.Path, f.Program = hook.path(), hook.hook.Path
	}
	if errors.As(err, &group) {
		f.Cgroup, f.Call = group.Path, group.Op
	}
	if errors.As(err, &point) {
		f.File = point.Path
	}
	for next := err; errors.As(next, &given); next = given.cause {
		if given.flag != "" {
			f.Flag, f.File = given.flag, given.file
			return
		}
	}
}
