package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// contender is a runtime, or the floor, with the places that are its own.
// Its command line is a list of words; {verb}, {root}, {bundle} and {id} stand
// for what differs from one call to the next.
type contender struct {
	name, path, version string
	words               []string
	root, bundle, group string
	program             string // the container's
	profile             bool   // the container has Docker's seccomp profile
	pid                 int    // of the container that is held
}

// runcWords is the command line that runc, crun and minirt share.
const runcWords = "--root {root} {verb} {bundle} {id}"

func newContender(name, spec string, h *host) (*contender, error) {
	words := strings.Fields(spec)
	if !slices.Contains(words, "{verb}") {
		words = append(words, strings.Fields(runcWords)...)
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil, err
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	c := &contender{name: name, path: path, words: words[1:], program: trueProgram,
		root: filepath.Join(h.dir, "run", name), bundle: filepath.Join(h.dir, name), group: h.group + "/" + name}
	if out, err := exec.Command(path, "--version").Output(); err == nil {
		c.version, _, _ = strings.Cut(string(out), "\n")
	}
	return c, os.MkdirAll(c.root, 0o700)
}

// args is the command line of one verb; only create and run are told the bundle.
func (c *contender) args(verb, id string, flags ...string) []string {
	a := []string{c.path}
	for _, w := range c.words {
		switch w {
		case "{verb}":
			a = append(append(a, verb), flags...)
		case "{root}":
			a = append(a, c.root)
		case "{id}":
			a = append(a, id)
		case "{bundle}":
			if verb == "create" || verb == "run" {
				a = append(a, "--bundle", c.bundle)
			}
		default:
			a = append(a, w)
		}
	}
	return a
}

// floorName is the contender that is no runtime.
const floorName = "floor"

func (c *contender) floor() bool { return c.name == floorName }

// floorArgs is the floor's command line, see floor.c.
func (c *contender) floorArgs(verb, id string) []string {
	state, group := filepath.Join(c.root, id), c.group
	switch verb {
	case "exec":
		return []string{c.path, verb, strconv.Itoa(c.pid), group}
	case "start":
		return []string{c.path, verb, state}
	case "delete":
		return []string{c.path, verb, state, group}
	}
	return []string{c.path, verb, state, c.bundle, group, c.program}
}

func (c *contender) command(verb, id string, flags ...string) []string {
	if c.floor() {
		return c.floorArgs(verb, id)
	}
	return c.args(verb, id, flags...)
}

// contenderFlags are the runtimes given as -contender NAME=SPEC.
type contenderFlags [][2]string

func (f *contenderFlags) String() string { return "" }

func (f *contenderFlags) Set(s string) error {
	name, spec, ok := strings.Cut(s, "=")
	if !ok || name == "" || spec == "" || name == floorName {
		return fmt.Errorf("%q is not NAME=PATH", s)
	}
	*f = append(*f, [2]string{name, spec})
	return nil
}

// contenders are the floor, minirt, the installed peers and what the command
// line adds, as far as -only wants them.
func contenders(o *options, t *tools, h *host) ([]*contender, error) {
	list := [][2]string{{floorName, t.floor}, {"minirt", t.minirt}, {"runc", "runc"}, {"crun", "crun"}}
	if h.version2() {
		list = list[1:] // floor.c knows version 1 alone
	}
	for _, e := range o.extra {
		list = slices.DeleteFunc(list, func(l [2]string) bool { return l[0] == e[0] })
		list = append(list, e)
	}
	var all []*contender
	for _, l := range list {
		if o.only != "" && !slices.Contains(strings.Split(o.only, ","), l[0]) {
			continue
		}
		if l[1] == "" {
			continue
		}
		c, err := newContender(l[0], l[1], h)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench: without %s: %v\n", l[0], err)
			continue
		}
		if err := t.makeBundle(c); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("no contender left of -only %q", o.only)
	}
	return all, nil
}

// variants are the contenders with bundles and cgroups of their own, edited.
func (t *tools) variants(all []*contender, suffix string, edit func(*contender)) ([]*contender, error) {
	var list []*contender
	for _, c := range all {
		v := *c
		v.bundle, v.group = c.bundle+"-"+suffix, c.group+"-"+suffix
		edit(&v)
		if err := t.makeBundle(&v); err != nil {
			return nil, err
		}
		list = append(list, &v)
	}
	return list, nil
}
