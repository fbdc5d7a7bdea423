package main

import (
	"strings"

	"github.com/minirt/minirt/cmd/minirt/hot"
	"github.com/minirt/minirt/lifecycle"
)

// A command is a verb with its flags, which kong's tags describe.
type command interface {
	Help() string    // what the verb does: paragraphs, with an empty line between them
	Example() string // command lines that show it
	Run(r *lifecycle.Runtime) (status int, err error)
}

// A verb is a row of the table below.
type verb struct {
	group string // the heading it stands under in the help; none for a verb that is left out
	name  string
	help  string // what it does, in a few words
	new   func() command
}

const (
	running = "Run containers"
	looking = "Look at containers"
	bundled = "Make and check bundles"
	itself  = "About minirt"
)

// verbs are all verbs, in the order of the help.
var verbs = [...]verb{
	{running, "run", "create, start, wait for the end, delete", func() command { return hot.Named("run") }},
	{running, "create", "make a container, ready to start", func() command { return hot.Named("create") }},
	{running, "start", "start the program of a created container", func() command { return hot.Named("start") }},
	{running, "exec", "run one more program in a container", func() command { return hot.Named("exec") }},
	{running, "kill", "send a signal", func() command { return hot.Named("kill") }},
	{running, "wait", "wait for the end, and print the exit status", func() command { return new(waitFlags) }},
	{running, "delete", "remove a stopped container", func() command { return hot.Named("delete") }},
	{running, "pause", "freeze all processes", func() command { return new(pauseFlags) }},
	{running, "resume", "thaw a paused container", func() command { return new(resumeFlags) }},
	{running, "update", "change the limits of a container", func() command { return hot.Named("update") }},

	{looking, "state", "print the state of a container as JSON", func() command { return hot.Named("state") }},
	{looking, "list", "list the containers", func() command { return new(listFlags) }},
	{looking, "ps", "list the processes of a container", func() command { return new(psFlags) }},
	{looking, "logs", "print what a container has said", func() command { return new(logsFlags) }},
	{looking, "events", "print the figures of a container", func() command { return new(eventsFlags) }},
	{looking, "top", "show what the containers use, live", func() command { return new(topFlags) }},
	{looking, "explain", "compare config.json with what the kernel says", func() command { return new(explainFlags) }},

	{bundled, "deploy", "make a bundle of a program of this machine", func() command { return new(deployFlags) }},
	{bundled, "spec", "write a config.json to start from", func() command { return new(specFlags) }},
	{bundled, "validate", "say what is wrong with a config.json", func() command { return new(validateFlags) }},
	{bundled, "plan", "print the system calls that a container would make", func() command { return new(planFlags) }},
	{bundled, "diff", "compare the system calls of two bundles", func() command { return new(diffFlags) }},
	{bundled, "net", "connect a container to a network, as a hook", func() command { return new(connectFlags) }},
	{bundled, "seccomp", "print the filter that is made of a seccomp profile", func() command { return new(seccompFlags) }},

	{itself, "features", "print what minirt supports as JSON", func() command { return new(featuresFlags) }},
	{itself, "help", "explain a verb", func() command { return new(helpFlags) }},
	{itself, "completion", "print what teaches a shell to complete command lines", func() command { return new(completionFlags) }},
	{"", "complete", "print what may stand at the end of a command line", func() command { return new(completeFlags) }},
	{"", "log-writer", "write the log of a container", func() command { return new(logWriterFlags) }},
	{"", "man", "write the man pages", func() command { return new(manFlags) }},
}

// find gives the verb of that name, or nil.
func find(name string) *verb {
	for i := range verbs {
		if verbs[i].name == name {
			return &verbs[i]
		}
	}
	return nil
}

// unknownVerb says that there is no such verb, and which one may be meant.
func unknownVerb(name string) error {
	text := "unknown verb " + quote(name)
	if n := nearest(name); n != "" {
		text += ", did you mean " + quote(n) + "?"
	}
	return usageError(text + `; see "minirt --help"`)
}

// nearest is the verb that begins with name, or else differs least from it, if it differs little.
func nearest(name string) string {
	best, least := "", 3
	for i := range verbs {
		d := distance(name, verbs[i].name)
		if strings.HasPrefix(verbs[i].name, name) {
			d = 0
		}
		if d < least && verbs[i].group != "" {
			best, least = verbs[i].name, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or changed to make b of a (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
