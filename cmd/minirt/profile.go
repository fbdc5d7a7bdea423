package main

import (
	"encoding/json"
	"errors"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/spec"
)

// A profile is a linux.seccomp with the document that it stands in.
type profile struct {
	file     string // as the caller named it, or of the bundle that the caller named
	document []byte
	prefix   int // of what was put before a profile that isn't in a config.json
	seccomp  *specs.LinuxSeccomp
}

// Put around a profile, these make a config.json of it.
const (
	before = `{"ociVersion":"1.0.0","root":{"path":"/"},"linux":{"seccomp":`
	after  = "}}"
)

// openProfile reads a bundle's profile, a config.json's, or one that stands alone.
func openProfile(name string) (*profile, error) {
	p := &profile{file: name}
	if info, err := os.Stat(name); err != nil || info.IsDir() {
		b, err := bundles.Open(name)
		if err != nil {
			return nil, err
		}
		p.file, p.document = path.Join(name, "config.json"), b.Config
	} else if p.document, err = readProfile(name); err != nil {
		return nil, err
	}
	if _, _, alone := spec.Place(p.document, "defaultAction"); alone && json.Valid(p.document) {
		p.prefix = len(before)
		p.document = []byte(before + string(p.document) + after)
		if how := unresolved(p.document); how != "" {
			return nil, errors.New(quote(name) + " is a profile as engines keep it (it has " + how + "): an engine makes one of it for a machine and a container's capabilities; give the config.json that it wrote")
		}
	}
	s, _, err := spec.Load(p.document)
	if faults := (spec.Faults)(nil); errors.As(err, &faults) {
		return nil, p.named(faults)
	}
	if s.Linux == nil || s.Linux.Seccomp == nil {
		return nil, errors.New(quote(p.file) + " has no linux.seccomp: calls aren't filtered")
	}
	p.seccomp = s.Linux.Seccomp
	return p, nil
}

// readProfile reads at most 16 MiB of a file.
func readProfile(name string) ([]byte, error) {
	const most = 16 << 20
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && len(b) > most {
		err = errors.New(quote(name) + " is longer than 16 MiB")
	}
	return b, err
}

// unresolved names what an engine's own profile has and config.json has not.
func unresolved(document []byte) string {
	for _, f := range spec.Unknown(document) {
		switch name := f.Path[strings.LastIndexByte(f.Path, '.')+1:]; name {
		case "archMap", "includes", "excludes":
			return name
		}
	}
	return ""
}

// named gives faults the name and the places of the caller's file.
func (p *profile) named(faults spec.Faults) spec.Faults {
	faults = faults.In(p.file)
	for i := range faults {
		faults[i].Column = p.column(faults[i].Line, faults[i].Column)
		faults[i].Path = p.path(faults[i].Path)
	}
	return faults
}

func (p *profile) column(line, column int) int {
	if line == 1 {
		return max(column-p.prefix, 1)
	}
	return column
}

func (p *profile) path(path string) string {
	if p.prefix > 0 {
		return strings.TrimPrefix(path, "linux.seccomp.")
	}
	return path
}

// place says where a path below linux.seccomp stands.
func (p *profile) place(below string) string {
	path := "linux.seccomp" + below
	line, column, _ := spec.Place(p.document, path)
	return p.path(path) + " (" + p.file + ":" + strconv.Itoa(line) + ":" + strconv.Itoa(p.column(line, column)) + ")"
}
