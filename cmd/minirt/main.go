// Command minirt runs OCI containers: it takes the place of runc or crun under
// an engine, and a person can use it alone.
//
// Its laws:
//   - A verb's file holds its flags, its help and one call into package
//     lifecycle (or bundles, or spec); it knows nothing of containers.
//   - The grammar is kong's, read from the tags of the flags' structs, and only
//     of the one verb that was asked for: building all of it would cost more
//     time than `state` takes.
//   - The verbs that engines wait for are in package hot, which runs them before
//     main, and before what main brings has been initialised. main is then only
//     there to tell what went wrong.
//   - Standard output carries a verb's result and nothing else. All complaints
//     are made in complain.go.
//   - Help and version need no rights, no state and no environment.
//   - The Go runtime opens no files of its own. By default it keeps the host's
//     cpu.cfs_quota_us open, as descriptor 3 or whatever is free, and
//     --preserve-fds would hand it to the container.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
//go:debug decoratemappings=0
package main

import (
	"os"

	_ "github.com/minirt/minirt/cmd/minirt/early" // the first instruction, in entry_*.s
	"github.com/minirt/minirt/cmd/minirt/hot"
	"github.com/minirt/minirt/lifecycle"
)

func main() {
	if hot.Left != nil {
		os.Exit(new(complaints).tellOf(hot.Left))
	}
	hot.CloseOnExec()
	if hot.Elevated() {
		os.Exit(new(complaints).end(0, usageError("minirt must not be setuid, setgid or have file capabilities: whoever calls it would decide what they are used for")))
	}
	os.Exit(minirt(os.Args[1:]))
}

// minirt does what the arguments ask for, and gives the exit status.
func minirt(args []string) int {
	var g globals
	var c complaints
	rest, err := parse(model("", &g), args)
	switch {
	case err == errHelp, err == nil && !g.Version && len(rest) == 0:
		return c.end(0, say(overview()))
	case err != nil:
		return c.end(0, err)
	case g.Version:
		return c.end(0, say(versionText()))
	}

	v, command, err := verbOf(rest)
	if err == errHelp {
		return c.end(0, say(v.page(command)))
	}
	if openErr := c.open(&g); openErr != nil {
		return c.end(0, openErr)
	}
	if err != nil {
		return c.end(troubleOf(command), err)
	}
	r, err := g.Runtime(c.warn)
	if err != nil {
		return c.end(0, err)
	}
	r.Drivers = drivers()
	return c.end(command.Run(r))
}

// troubleOf is the exit status for a mistake in a verb's arguments, where 1 means something else.
func troubleOf(c command) int {
	if t, ok := c.(interface{ Trouble() int }); ok {
		return t.Trouble()
	}
	return 0
}

// verbOf finds the verb that args begin with, and reads and checks its flags.
func verbOf(args []string) (*verb, command, error) {
	v := find(args[0])
	if v == nil {
		return nil, nil, unknownVerb(args[0])
	}
	c := v.new()
	_, err := parse(model(v.name, c), args[1:])
	if checked, ok := c.(interface{ Check() error }); ok && err == nil {
		err = checked.Check()
	}
	if err != nil && err != errHelp {
		err = &lifecycle.Error{Verb: v.name, Err: err}
	}
	return v, c, err
}

// say writes a verb's result.
func say(text string) error {
	_, err := os.Stdout.WriteString(text)
	return err
}
