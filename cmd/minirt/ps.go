package main

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/minirt/minirt/lifecycle"
)

type psFlags struct {
	Format string   `name:"format" short:"f" placeholder:"FORMAT" enum:"table,json" default:"table" help:"How to print the processes."`
	ID     string   `arg:"" name:"ID" passthrough:"" help:"The container."`
	Args   []string `arg:"" name:"ARGS" optional:"" help:"Arguments for the host's ps, which then makes the table; it must have a column PID."`
}

func (*psFlags) Help() string {
	return `Lists the processes in the cgroup of a container, with their IDs on the host. The format json is an array of those. Flags stand before the ID.`
}

func (*psFlags) Example() string {
	return `minirt ps web
minirt ps --format json web
minirt ps web -o pid,rss,args -A`
}

func (f *psFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	pids, err := r.PIDs(f.ID)
	if err != nil {
		return 0, err
	}
	text := ""
	switch {
	case f.Format == "json":
		text = pidsJSON(pids)
	case len(f.Args) == 0:
		text = table(processRows(pids))
	default:
		text, err = hostTable(pids, f.Args)
	}
	if err != nil {
		return 0, &lifecycle.Error{Verb: "ps", ID: f.ID, Err: err}
	}
	return 0, say(text)
}

func pidsJSON(pids []int) string {
	text := []byte{'['}
	for i, pid := range pids {
		if i > 0 {
			text = append(text, ',')
		}
		text = strconv.AppendInt(text, int64(pid), 10)
	}
	return string(text) + "]\n"
}

// hostTable is what the host's ps prints with these arguments, less other processes.
func hostTable(pids []int, args []string) (string, error) {
	program, err := programNamed("ps")
	if err != nil {
		return "", err
	}
	out, in, err := os.Pipe()
	if err != nil {
		return "", err
	}
	defer out.Close()
	p, err := os.StartProcess(program, append([]string{"ps"}, args...), &os.ProcAttr{Files: []*os.File{nil, in, os.Stderr}})
	in.Close()
	if err != nil {
		return "", err
	}
	text, err := io.ReadAll(out)
	state, waitErr := p.Wait()
	if err = errors.Join(err, waitErr); err != nil {
		return "", err
	}
	if !state.Success() {
		return "", errors.New("ps: " + state.String())
	}
	return rowsOf(string(text), pids)
}

// rowsOf keeps the header of a table and the rows whose column PID is one of pids.
func rowsOf(text string, pids []int) (string, error) {
	header, rows, _ := strings.Cut(text, "\n")
	column := slices.Index(strings.Fields(header), "PID")
	if column < 0 {
		return "", errors.New("ps: its table has no column PID")
	}
	kept := header + "\n"
	for row := range strings.Lines(rows) {
		cells := strings.Fields(row)
		if column >= len(cells) {
			continue
		}
		if pid, err := strconv.Atoi(cells[column]); err == nil && slices.Contains(pids, pid) {
			kept += row
		}
	}
	return kept, nil
}

// programNamed looks for a program along PATH, or, without one, where it mostly is.
func programNamed(name string) (string, error) {
	path := os.Getenv("PATH")
	if path == "" {
		path = "/usr/bin:/bin"
	}
	for _, dir := range filepath.SplitList(path) {
		file := filepath.Join(dir, name)
		if st, err := os.Stat(file); err == nil && st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
			return file, nil
		}
	}
	return "", errors.New(quote(name) + ": executable file not found in $PATH")
}
