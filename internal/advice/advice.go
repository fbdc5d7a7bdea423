// Package advice knows what to do next about a failure: one line, for those of
// which there is one thing to do.
//
// Its laws:
//   - For is a look-up: a Failure, which is an error taken apart, and Facts of
//     the host go in, a line or nothing comes out. The table's order decides:
//     what is more special comes first.
//   - A row matches by what failed where with which errno, never by an error's text.
//   - Facts are asked for after a failure only, and only by a row that the
//     failure fits so far. They are read and nothing is changed: of an image's
//     files no link leads out of its root, nothing but a regular file is opened,
//     and nothing is waited for.
//   - A line says what can be done and names it: a command, a field, a sysctl.
//     It doesn't tell once more what the error tells.
//   - All rows are made to happen by tests, by their names (the scripts advice*.txt
//     of cmd/minirt, and this package's own where a machine can't), and
//     docs/errors.md lists them.
package advice

import (
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// Kind tells of failures for which no errno stands.
type Kind int

const (
	Other       Kind = iota
	Exist            // a container has the id
	NotExist         // no container has it
	NotRunning       // the container has no process
	NotPaused        // it isn't paused
	WrongStatus      // the verb doesn't go with Status
	NoConfig         // the bundle has no config.json
	BadConfig        // config.json has faults, or asks for what can't be
	Killed           // SIGKILL ended the container's process while it was made
	Timeout          // a hook took too long
	Helpless         // what maps ids for an ordinary user is not there, has no rights (File), or must not (Grant)
	NoSocket         // a terminal is to be had, and handed to nobody
	NoCgroups        // no cgroup file system is mounted
	Occupied         // there are processes in Cgroup already
	Frozen           // Cgroup is frozen
)

// Failure is a verb's error, taken apart. What isn't known is zero.
type Failure struct {
	Verb, ID   string
	Kind       Kind
	Errno      unix.Errno
	Path       string      // the place in config.json: "mounts[3].options[0]"
	Call       string      // the system call of the container's first process, or what was done to Cgroup
	Namespaces uintptr     // CLONE_NEW flags that Call was to make
	Program    string      // what was to be executed: the container's program, or a hook's
	Flag, File string      // a file or socket that the caller named, and by which flag
	Cgroup     string      // the directory or file of a cgroup
	Controller string      // of cgroups: the one that isn't there
	Grant      string      // the line that File lacks
	Status     string      // the container's, where that doesn't go with the verb
	Bundle     string      // directory of the bundle; as the caller named it if it can't be opened
	Rootfs     string      // the root file system on the host
	Spec       *specs.Spec // nil if it isn't known
}

// row is one piece of advice.
type row struct {
	name string // for tests and docs/errors.md
	when string // what has happened, for docs/errors.md
	text string // what to do; each {}, a word, and {text} stands for a value of match's
	// match gives the values of text, or nil if the row doesn't fit.
	match func(f *Failure, h Facts) []string
}

// Row is a row as others may see it.
type Row struct{ Name, When, Text string }

// Rows lists the table, in its order. In Text, {} and {text} stand for what is filled in.
func Rows() (list []Row) {
	for _, chapter := range chapters {
		for i := range chapter {
			list = append(list, Row{chapter[i].name, chapter[i].when, chapter[i].text})
		}
	}
	return list
}

// chapters is the table.
var chapters = [...][]row{programs, directories, bundles, states, files, hooks, mounts, cgroups, namespaces, process, machine}

// For gives the advice on a failure, in one line without a full stop, and the
// row's name; "" if there is none.
func For(f *Failure, h Facts) (text, name string) {
	for _, chapter := range chapters {
		for i := range chapter {
			r := &chapter[i]
			if values := r.match(f, h); values != nil {
				return fill(r.text, values), r.name
			}
		}
	}
	return "", ""
}

// fill puts values in the places of a text. People paste commands: what a config
// or an image has chosen, a {}, stays one word of a shell, whatever it holds.
func fill(text string, values []string) string {
	const single, prose = "{}", "{text}"
	done := ""
	for _, v := range values {
		i, j := strings.Index(text, single), strings.Index(text, prose)
		if j >= 0 && (i < 0 || j < i) {
			done, text = done+text[:j]+v, text[j+len(prose):]
		} else if i >= 0 {
			done, text = done+text[:i]+word(v), text[i+len(single):]
		}
	}
	return done + text
}

// word quotes for a shell what isn't a word as it is.
func word(s string) string {
	const plain = "/._-+:,@%=[]"
	for _, r := range s {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(plain, r) {
			return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
		}
	}
	return s
}

// say gives the values of a row that fits.
func say(values ...string) []string {
	if values == nil {
		values = []string{}
	}
	return values
}
