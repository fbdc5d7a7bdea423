package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/minirt/minirt/internal/cgroup"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// cgroupPart is how long minirt's cgroup room takes for all that create and
// delete ask of it with the default config, and the bare calls for the same:
// mkdir, open, write and rmdir, with every path and value known before. Both
// run in this process, in turns. That the stage joins is in neither.
func (h *host) cgroupPart(rounds int) (room, calls series, err error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var config specs.Spec
	b, err := sources.ReadFile("default.json")
	if err == nil {
		err = json.Unmarshal(b, &config)
	}
	if err != nil {
		return nil, nil, err
	}
	path := h.group + "/part"
	bare, err := bareCalls(path, config.Linux.Resources)
	if err != nil {
		return nil, nil, err
	}
	parts := []struct {
		do   func() error
		took *series
	}{
		{func() error { return asLifecycle(path, config.Linux.Resources) }, &room},
		{bare.makeAndRemove, &calls},
	}
	for i := range rounds + warmUp {
		for j := range parts {
			p := &parts[(i+j)%len(parts)]
			began := time.Now()
			if err := p.do(); err != nil {
				return nil, nil, err
			}
			if i >= warmUp {
				*p.took = append(*p.took, time.Since(began))
			}
		}
	}
	return room, calls, nil
}

// asLifecycle asks the room for what package lifecycle asks it for.
func asLifecycle(path string, r *specs.LinuxResources) error {
	layout, err := cgroup.Find()
	if err != nil {
		return err
	}
	g, err := layout.Group(path, "")
	if err != nil {
		return err
	}
	early, late, err := cgroup.Compile(r, layout)
	if err != nil {
		return err
	}
	for _, do := range []func() error{g.Survey, g.Make, g.Fit,
		func() error { return g.Apply(early) }, func() error { return g.Apply(late) }, g.Remove} {
		if err := do(); err != nil {
			return err
		}
	}
	return nil
}

// bareCall is a directory to make and remove, and what is to be written in it.
type bareCall struct {
	dir    string
	writes []bareWrite
}

// bareWrite is a file and the values for it, one write each.
type bareWrite struct {
	file   string
	values [][]byte
}

type bareGroup []bareCall

// bareCalls are those for a cgroup of version 1 at path: a new cpuset gets its
// parent's values, each hierarchy what the resources compile to.
func bareCalls(path string, r *specs.LinuxResources) (bareGroup, error) {
	layout, err := cgroup.Find()
	if err != nil {
		return nil, err
	}
	if layout.Unified() {
		return nil, fmt.Errorf("only for version 1 so far")
	}
	g, err := layout.Group(path, "")
	if err != nil {
		return nil, err
	}
	early, late, err := cgroup.Compile(r, layout)
	if err != nil {
		return nil, err
	}
	var all bareGroup
	for i := range g.Dirs {
		d := &g.Dirs[i]
		call := bareCall{dir: d.Path}
		if d.Has("cpuset") {
			for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
				b, err := os.ReadFile(filepath.Join(filepath.Dir(d.Path), f))
				if err != nil {
					return nil, err
				}
				call.add(filepath.Join(d.Path, f), b)
			}
		}
		for _, w := range append(early[:len(early):len(early)], late...) {
			if d.Has(w.Controller) {
				call.add(filepath.Join(d.Path, w.File), []byte(w.Value))
			}
		}
		all = append(all, call)
	}
	return all, nil
}

// add has one more value written, to the file that is open where it is the same.
func (c *bareCall) add(file string, value []byte) {
	if n := len(c.writes); n > 0 && c.writes[n-1].file == file {
		c.writes[n-1].values = append(c.writes[n-1].values, value)
		return
	}
	c.writes = append(c.writes, bareWrite{file, [][]byte{value}})
}

func (g bareGroup) makeAndRemove() error {
	for i := range g {
		if err := unix.Mkdir(g[i].dir, 0o755); err != nil {
			return err
		}
		for j := range g[i].writes {
			if err := g[i].writes[j].put(); err != nil {
				return err
			}
		}
	}
	for i := range g {
		if err := unix.Rmdir(g[i].dir); err != nil {
			return err
		}
	}
	return nil
}

func (w *bareWrite) put() error {
	fd, err := unix.Open(w.file, unix.O_WRONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	for _, v := range w.values {
		if _, err := unix.Write(fd, v); err != nil {
			return fmt.Errorf("%s: %w", w.file, err)
		}
	}
	return nil
}
