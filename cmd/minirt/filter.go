package main

import (
	"errors"
	"runtime"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/internal/landlock"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/minirt/minirt/spec"
)

// filterFindings are what there is to say of the filter that a config asks for:
// why there can be none, what is left out of it, and that the program can't be
// started under it.
func filterFindings(config []byte, s *specs.Spec) (found []finding) {
	if s == nil || s.Linux == nil || s.Linux.Seccomp == nil {
		return nil
	}
	add := func(kind, path, text string) {
		line, column, _ := spec.Place(config, path)
		found = append(found, finding{kind, spec.Fault{Path: path, Line: line, Column: column, Text: text}})
	}
	x, warnings, err := seccomp.Explain(s.Linux.Seccomp, runtime.GOARCH)
	for _, w := range warnings {
		path, text, _ := strings.Cut(w, ": ")
		add("warning", path, text)
	}
	var faults seccomp.Errors
	if errors.As(err, &faults) {
		for _, f := range faults {
			add("fault", f.Path, f.Text)
		}
		return found
	}
	if bar := x.Bar(); bar != nil {
		add("fault", bar.Path, bar.Text)
	}
	return found
}

// landlockFaults are what is wrong with the annotations that ask for Landlock.
func landlockFaults(config []byte, s *specs.Spec) spec.Faults {
	if s == nil || !landlock.Asked(s.Annotations) {
		return nil
	}
	_, faults := landlock.Read(s.Annotations)
	for i := range faults {
		f := &faults[i]
		f.Line, f.Column, _ = spec.Place(config, f.Path)
	}
	return faults
}
