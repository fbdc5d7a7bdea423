package main

// This file alone says what went wrong. Its rules:
//
//   - Standard output is the verb's; all of this goes to standard error, and
//     with --log FILE to the end of FILE too.
//   - A failure is one line: "minirt: ", verb, ID, what, cause, place in
//     config.json; lower case, no full stop. In FILE it stands without
//     "minirt: ", since engines put a name before it.
//   - A failure is exactly one entry of FILE: engines read the whole file as
//     one JSON object. So warnings are held back until the end. Then they ride
//     inside the failure's text, or, if all went well, stand alone.
//   - With --log, only failures go to standard error as well: it may be the
//     container's own, and engines show it as that.
//   - Advice, where there is one thing to do about a failure, is one more line
//     behind it: "minirt: advice: ". It is for people alone: not in FILE, nor
//     anywhere if there is a FILE or the format is json, since then an engine
//     reads; and not with --log-level error, which asks for the error alone.
//   - FILE is opened before anything else is done, relative to the directory
//     that minirt was called in; where that fails, nothing else is done.

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/sirupsen/logrus"

	"github.com/minirt/minirt/cmd/minirt/hot"
)

// complaints collect what is to be told, until the end.
type complaints struct {
	globals  *globals
	level    string // least level that is told, as --log-level has it; "" is warning
	json     bool
	log      int // FILE's descriptor, 0 without one
	warnings []string
}

// open prepares for the flags --log, --log-format, --log-level and --debug.
func (c *complaints) open(g *globals) error {
	c.take(g, 0)
	fd, err := g.OpenLog()
	if err != nil {
		return &logError{g.Log, err}
	}
	c.log = fd
	c.debug("arguments: " + fmt.Sprintf("%q", os.Args[1:]))
	return nil
}

// take notes how to tell, and where: log is the descriptor of --log FILE, or 0.
func (c *complaints) take(g *globals, log int) {
	c.globals, c.level, c.json, c.log = g, g.LogLevel, g.LogFormat == "json", log
	if g.Debug {
		c.level = "debug"
	}
}

// tellOf tells what a verb has left that was run before main, and gives its exit status.
func (c *complaints) tellOf(o *hot.Outcome) int {
	c.take(&o.Globals, o.Log)
	for _, w := range o.Warnings {
		c.warn(w)
	}
	return c.end(o.Status, o.Err)
}

// warn keeps a warning for the end.
func (c *complaints) warn(text string) { c.warnings = append(c.warnings, hot.OneLine(text)) }

// debug tells at once what only --debug asks for.
func (c *complaints) debug(text string) {
	if c.level == "debug" {
		c.tell(logrus.DebugLevel, "debug: ", text)
	}
}

// end tells what there is to tell, and gives the exit status: 1 for an error for which the verb has none.
func (c *complaints) end(status int, err error) int {
	if err == nil {
		for _, w := range c.warnings {
			if c.level != "error" {
				c.tell(logrus.WarnLevel, "warning: ", w)
			}
		}
		return status
	}
	text := hot.OneLine(err.Error())
	if len(c.warnings) > 0 {
		text += "; warnings: " + strings.Join(c.warnings, "; ")
	}
	c.tell(logrus.ErrorLevel, "", text)
	if next := c.advice(err); next != "" {
		io.WriteString(os.Stderr, "minirt: advice: "+hot.OneLine(next)+"\n")
	}
	return max(status, 1)
}

// tell writes one line to standard error, and one to FILE.
func (c *complaints) tell(level logrus.Level, name, text string) {
	if c.log == 0 || level == logrus.ErrorLevel {
		io.WriteString(os.Stderr, "minirt: "+name+text+"\n")
	}
	if c.log == 0 {
		return
	}
	l := logrus.New()
	l.Out = os.NewFile(uintptr(c.log), "log")
	l.Level = logrus.DebugLevel
	l.Formatter = &logrus.TextFormatter{DisableColors: true, FullTimestamp: true}
	if c.json {
		l.Formatter = &logrus.JSONFormatter{}
	}
	l.Log(level, text)
}
