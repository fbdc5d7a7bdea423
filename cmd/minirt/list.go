package main

import (
	"strconv"
	"strings"
	"time"

	"github.com/minirt/minirt/lifecycle"
)

type listFlags struct {
	Format string `name:"format" short:"f" placeholder:"FORMAT" enum:"table,json" default:"table" help:"How to print the list."`
	Quiet  bool   `name:"quiet" short:"q" help:"Print the IDs only, one a line."`
}

func (*listFlags) Help() string {
	return `Lists the containers below --root, in the order of their IDs. One that can't be read is warned of and left out.`
}

func (*listFlags) Example() string {
	return `minirt list
minirt list --format json`
}

func (f *listFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	states, err := r.List()
	if err != nil {
		return 0, err
	}
	switch {
	case f.Quiet:
		return 0, say(idsOf(states))
	case f.Format == "json":
		return 0, say(statesJSON(states))
	}
	rows := [][]string{{"ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"}}
	for _, s := range states {
		rows = append(rows, []string{s.ID, strconv.Itoa(s.Pid), string(s.Status), s.Bundle, s.Created.UTC().Format(time.RFC3339Nano), s.Owner})
	}
	return 0, say(table(rows))
}

func idsOf(states []lifecycle.State) string {
	text := ""
	for _, s := range states {
		text += s.ID + "\n"
	}
	return text
}

func statesJSON(states []lifecycle.State) string {
	text := []byte{'['}
	for i := range states {
		if i > 0 {
			text = append(text, ',')
		}
		text = states[i].AppendJSON(text, "")
	}
	return string(text) + "]\n"
}

// table sets rows in columns, at least three spaces apart; the last isn't padded.
func table(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], len(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		for i, cell := range row[:len(row)-1] {
			b.WriteString(cell + strings.Repeat(" ", widths[i]-len(cell)+3))
		}
		b.WriteString(row[len(row)-1] + "\n")
	}
	return b.String()
}
