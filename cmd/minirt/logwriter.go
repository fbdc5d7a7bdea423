package main

import (
	"github.com/minirt/minirt/cmd/minirt/early"
	"github.com/minirt/minirt/lifecycle"
)

// logWriterFlags are those of a verb that nobody calls: run and create start it
// for a container's log. Package early does it before Go begins, unless minirt
// was built in a way that leaves that out.
type logWriterFlags struct {
	Mode  string `arg:"" name:"MODE" passthrough:"" help:"What to read: pipes, or a terminal."`
	Size  string `arg:"" name:"SIZE" help:"How many bytes a file may have; 0 for no limit."`
	Files string `arg:"" name:"FILES" help:"How many files there may be."`
	Name  string `arg:"" name:"NAME" help:"The log's name."`
}

func (*logWriterFlags) Help() string {
	return `Writes a container's log. The descriptors that it needs are open when it begins.`
}

func (*logWriterFlags) Example() string { return "minirt log-writer pipes 0 1 web.log" }

func (f *logWriterFlags) Run(*lifecycle.Runtime) (status int, err error) {
	early.WriteLog(nul(f.Mode), nul(f.Size), nul(f.Files), nul(f.Name))
	return 0, nil
}

// nul gives a text with a NUL behind it.
func nul(s string) *byte { return &append([]byte(s), 0)[0] }
