package lifecycle

import (
	"errors"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// scene is an error with what was known of the container when it came: nothing
// for the error's own text, all for who looks for a remedy (FailureOf).
type scene struct {
	error
	bundle string
	rootfs string
	spec   *specs.Spec // nil if config.json was not read, or can't be
}

func (s *scene) Unwrap() error { return s.error }

// scene puts what create has seen behind an error; nil stays nil.
func (v *sight) scene(err error) error {
	var known *scene
	if err == nil || errors.As(err, &known) {
		return err
	}
	s := &scene{error: err, bundle: v.bundle.Dir, spec: v.spec}
	if s.spec != nil && s.spec.Root != nil {
		s.rootfs = v.bundle.Rootfs(s.spec.Root.Path)
	}
	return s
}

func (c *creation) scene(err error) error { return c.sight.scene(err) }

// scene puts what is recorded of a container behind an error; nil stays nil.
func (c *container) scene(err error) error {
	if err == nil {
		return nil
	}
	s, _ := c.config()
	return &scene{err, c.Bundle, c.Rootfs, s}
}

// scene puts the process that was to run in the place of the container's own.
func (e *entrance) scene(err error) error { return &scene{err, e.Bundle, e.Rootfs, e.spec} }
