// Package hot runs the verbs that engines wait for (create, start, run, exec,
// state, kill, delete, update) before the rest of the program has begun.
//
// Why: Go initialises every package of a program before main. For the hot
// verbs, what kong brings (regexp, net/netip, go/doc, its own tables) and what
// its parsing takes would cost a quarter of the time that Go itself needs to
// start. But Go has an order for it: of the packages whose imports are ready,
// the one with the least import path comes first (Go specification, Program
// initialization; cmd/link). So this package's init comes before logrus,
// regexp and kong, as long as nothing that it imports needs a package behind
// it in that order, such as path/filepath or os/user. It reads the command
// line, does what it says, and ends the program.
//
// Its laws:
//   - kong owns the grammar. The structs here are its own, with its tags; Read
//     says yes only to what kong, in main, reads in the same way, and fills
//     them with the same values. A fuzz test holds the two together.
//   - What isn't plain and right (help, a mistake, --debug, another verb, a
//     --log that can't be opened) is left alone: nothing is done, and main does
//     all as if this package weren't there. It has the words for it.
//   - No driver of lifecycle.Drivers is here: the libraries behind them come with
//     main. A verb that turns out to need one has done nothing yet, and main runs it.
//   - A verb that has been run isn't run again. If there is something to tell,
//     an error, or a warning for --log FILE, it is put into Left, and main tells it.
//   - A test shows that kong, logrus and what they bring behind this package
//     have not been initialised when a hot verb ends. A test binary is never
//     taken for a verb.
//
// Measured, as medians: state takes 1.29 of a Go hello world's time with it, 1.43
// without (and 1.02 with package early). What is still initialised before it
// (unicode, whose tables regexp keeps in the program, encoding/json, go/token,
// log) comes first in Go's order, and can't be helped as long as kong and logrus
// are linked.
package hot

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/lifecycle"
)

// An Outcome is what is left of a verb that has been run, for main to tell.
type Outcome struct {
	Globals  Globals
	Log      int // descriptor of --log FILE; 0 without one
	Warnings []string
	Status   int // the exit status that the verb gives
	Err      error
}

// Left is the outcome of the verb that init has run; nil if it has run none.
var Left *Outcome

func init() {
	runtime.LockOSThread() // and main's, too: children are born with what the main thread has (package early)
	if len(os.Args) == 0 || strings.HasSuffix(os.Args[0], ".test") {
		return
	}
	c := Read(os.Args[1:])
	if c == nil || Elevated() {
		return
	}
	CloseOnExec()
	Left = c.run()
	if Left != nil && Left.Err == nil && (len(Left.Warnings) == 0 || Left.Log == 0) {
		for _, w := range Left.Warnings {
			Warn(Left.Globals.LogLevel, w)
		}
		os.Exit(Left.Status)
	}
}

// Warn tells a warning of a verb that went well, unless --log-level is error:
// the one line that needs nothing of complain.go's, so that a config with a
// warning, such as runc's own default, costs no more than another.
func Warn(level, text string) {
	if level != "error" {
		os.Stderr.WriteString("minirt: warning: " + OneLine(text) + "\n")
	}
}

// OneLine makes one line of a text, and keeps a terminal from obeying it.
func OneLine(text string) string {
	text = strings.ReplaceAll(strings.TrimSpace(text), "\n", "; ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, text)
}

// CloseOnExec is the first act of every minirt. Engines leak descriptors into
// us (SEC-04): from here on no program that is started inherits one that wasn't
// chosen for it.
func CloseOnExec() { unix.CloseRange(3, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) }

// Elevated tells whether the kernel gave this program rights that its caller
// hasn't: AT_SECURE of getauxval(3). SEC-36.
func Elevated() bool {
	const secure = 23
	vector, _ := unix.Auxv()
	for _, v := range vector {
		if v[0] == secure {
			return v[1] != 0
		}
	}
	return false
}

// run runs a verb. It gives nil where main must say why it can't be run.
func (c *Call) run() *Outcome {
	if c.Verb.Check() != nil {
		return nil
	}
	o := &Outcome{Globals: c.Globals}
	r, err := o.Globals.Runtime(func(text string) { o.Warnings = append(o.Warnings, text) })
	if err != nil {
		return nil
	}
	if o.Log, err = o.Globals.OpenLog(); err != nil {
		return nil
	}
	o.Status, o.Err = c.Verb.Run(r)
	if errors.Is(o.Err, lifecycle.ErrDriver) {
		unix.Close(o.Log)
		return nil
	}
	return o
}

// A Verb is what a command line asks for, with its flags.
type Verb interface {
	Help() string
	Example() string
	Check() error // refuses flags that can be seen to be wrong, before anything is opened
	Run(r *lifecycle.Runtime) (status int, err error)
}

// Named makes the verb of that name, if it is one of ours.
func Named(name string) Verb {
	switch name {
	case "create":
		return new(Create)
	case "start":
		return new(Start)
	case "run":
		return new(Run)
	case "exec":
		return new(Exec)
	case "state":
		return new(State)
	case "kill":
		return new(Kill)
	case "delete":
		return new(Delete)
	case "update":
		return new(Update)
	}
	return nil
}
