package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/diff"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/lifecycle"
)

type diffFlags struct {
	ID  string `name:"id" placeholder:"NAME" default:"container" help:"The container's name, which is part of its cgroup's path."`
	Old string `arg:"" name:"BUNDLE1" help:"A bundle's directory."`
	New string `arg:"" name:"BUNDLE2" help:"Another bundle's."`
}

func (*diffFlags) Help() string {
	return `Compares the plans of two bundles, as "minirt plan" prints them but for the numbers of the steps, and prints a unified diff: what a change of config.json, or of the root file system, changes in the system calls. Each line ends with its place in config.json. The directory of the bundle itself is called BUNDLE on both sides.

The exit status is that of diff: 0 if the plans are the same, 1 if they differ, 2 if something went wrong.`
}

func (*diffFlags) Example() string {
	return `minirt diff hello hello.new
minirt diff before after | less`
}

// Trouble is the exit status of what went wrong: 1 means a difference, as for diff(1).
func (*diffFlags) Trouble() int { return 2 }

func (f *diffFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	old, err := f.plan(r, f.Old)
	if err != nil {
		return f.Trouble(), err
	}
	new, err := f.plan(r, f.New)
	if err != nil {
		return f.Trouble(), err
	}
	text := string(diff.Diff(f.Old, []byte(old), f.New, []byte(new)))
	if text == "" {
		return 0, nil
	}
	_, text, _ = strings.Cut(text, "\n") // "diff OLD NEW", which patch(1) doesn't need
	if err := say(text); err != nil {
		return f.Trouble(), err
	}
	return 1, nil
}

// plan is a bundle's plan in the form that is compared.
func (f *diffFlags) plan(r *lifecycle.Runtime, dir string) (string, error) {
	b, err := bundles.Open(dir)
	if err != nil {
		return "", &lifecycle.Error{Verb: "diff", Err: err}
	}
	p, err := r.Plan(f.ID, lifecycle.CreateOptions{Bundle: dir})
	if err != nil {
		var e *lifecycle.Error
		if errors.As(err, &e) {
			err = e.Err
		}
		return "", &lifecycle.Error{Verb: "diff", Err: fmt.Errorf("%q: %w", dir, err)}
	}
	return nameless(p.Unnumbered(), b.Dir), nil
}

// nameless calls a bundle's directory BUNDLE wherever a path of the plan begins
// with it.
func nameless(text, dir string) string {
	const before, behind = `"=:,`, `"/:,`
	var b strings.Builder
	for {
		i := strings.Index(text, dir)
		if i < 0 || dir == "/" {
			return b.String() + text
		}
		end := i + len(dir)
		whole := i > 0 && strings.IndexByte(before, text[i-1]) >= 0 && end < len(text) && strings.IndexByte(behind, text[end]) >= 0
		b.WriteString(text[:i])
		if whole {
			b.WriteString("BUNDLE")
		} else {
			b.WriteString(dir)
		}
		text = text[end:]
	}
}
