package main

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/minirt/minirt/lifecycle"
)

type logsFlags struct {
	Follow     bool   `name:"follow" short:"f" help:"Go on until the container has ended."`
	Tail       string `name:"tail" short:"n" placeholder:"N" help:"Begin with the last N lines; all without it."`
	Timestamps bool   `name:"timestamps" short:"t" help:"Print when each line was said."`
	Since      string `name:"since" placeholder:"TIME" help:"Leave out what was said before TIME: an RFC 3339 time, or how long ago, such as 10m."`
	Stdout     bool   `name:"stdout" help:"Only what was said on standard output."`
	Stderr     bool   `name:"stderr" help:"Only what was said on standard error."`
	ID         string `arg:"" name:"ID" help:"The container."`
}

func (*logsFlags) Help() string {
	return `Prints what a container has said that was made with --log-driver file:PATH, byte by byte: its standard output on standard output, and its standard error on standard error. A terminal's is all on standard output. It goes until the container is deleted; the files stay after that, in the form that crictl and kubectl read.`
}

func (*logsFlags) Example() string {
	return `minirt run --detach --log-driver file:/var/log/web.log --bundle hello web
minirt logs web
minirt logs --follow --tail 10 --timestamps web
minirt logs --since 10m --stderr web`
}

// Check refuses a number and a time that are none.
func (f *logsFlags) Check() error {
	if _, err := f.tail(); err != nil {
		return err
	}
	_, err := f.since(time.Now())
	return err
}

// tail is how many lines are to be printed at first; -1 for all.
func (f *logsFlags) tail() (int, error) {
	if f.Tail == "" || f.Tail == "all" {
		return -1, nil
	}
	n, err := strconv.ParseUint(f.Tail, 10, 31)
	if err != nil {
		return 0, usageError("--tail: " + quote(f.Tail) + " is not a number of lines")
	}
	return int(n), nil
}

// since is the time from which on records are printed, as they have it.
func (f *logsFlags) since(now time.Time) (string, error) {
	if f.Since == "" {
		return "", nil
	}
	t, err := time.Parse(time.RFC3339Nano, f.Since)
	if err != nil {
		ago, err := time.ParseDuration(f.Since)
		if err != nil || ago < 0 {
			return "", usageError("--since: " + quote(f.Since) + " is neither an RFC 3339 time nor a time such as 10m")
		}
		t = now.Add(-ago)
	}
	return t.UTC().Format(lifecycle.LogTime), nil
}

func (f *logsFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	since, err := f.since(time.Now())
	if err != nil {
		return 0, err
	}
	l, err := r.OpenLog(f.ID)
	if err != nil {
		return 0, err
	}
	defer l.Close()
	if err := f.print(l, since); err != nil {
		return 0, &lifecycle.Error{Verb: "logs", ID: f.ID, Err: err}
	}
	return 0, nil
}

// print prints the records that are wanted.
func (f *logsFlags) print(l *lifecycle.Log, since string) error {
	p := newLogPrinter(f.Timestamps)
	n, _ := f.tail()
	last := lastLines{most: n}
	for {
		rec, err := l.Next()
		switch {
		case err == io.EOF:
			for i := range last.records {
				p.print(&last.records[i])
			}
			last = lastLines{most: -1}
			if err := p.flush(); err != nil || !f.Follow || !l.Wait(int(os.Stdout.Fd())) {
				return err
			}
			continue
		case err != nil:
			return err
		case rec.Time < since, f.Stdout != f.Stderr && rec.Stderr != f.Stderr:
			continue
		case last.most >= 0:
			last.add(rec)
			continue
		}
		p.print(&rec)
	}
}

// logPrinter prints records on the stream that they were said on.
type logPrinter struct {
	streams    [2]*bufio.Writer
	within     [2]bool // of a line
	current    int
	timestamps bool
}

func newLogPrinter(timestamps bool) *logPrinter {
	return &logPrinter{
		streams:    [2]*bufio.Writer{bufio.NewWriterSize(os.Stdout, 32<<10), bufio.NewWriterSize(os.Stderr, 32<<10)},
		timestamps: timestamps,
	}
}

// print prints one; errors wait for flush.
func (p *logPrinter) print(r *lifecycle.LogRecord) {
	i := streamOf(r)
	if i != p.current { // both may be the same terminal
		p.streams[p.current].Flush()
		p.current = i
	}
	w := p.streams[i]
	if p.timestamps && !p.within[i] {
		w.WriteString(r.Time + " ")
	}
	w.Write(r.Text)
	if !r.Part {
		w.WriteByte('\n')
	}
	p.within[i] = r.Part
}

func (p *logPrinter) flush() error {
	if err := p.streams[0].Flush(); err != nil {
		return err
	}
	return p.streams[1].Flush()
}

func streamOf(r *lifecycle.LogRecord) int {
	if r.Stderr {
		return 1
	}
	return 0
}

// lastLines keeps the records of the last lines.
type lastLines struct {
	most    int // lines
	lines   int
	begins  []bool // whether a record begins a line
	records []lifecycle.LogRecord
	within  [2]bool // of a line
}

func (l *lastLines) add(r lifecycle.LogRecord) {
	if l.most == 0 {
		return
	}
	i := streamOf(&r)
	begins := !l.within[i]
	l.within[i] = r.Part
	r.Text = append([]byte(nil), r.Text...)
	l.records, l.begins = append(l.records, r), append(l.begins, begins)
	if !begins {
		return
	}
	for l.lines++; l.lines > l.most || !l.begins[0]; {
		if l.begins[0] {
			l.lines--
		}
		l.records, l.begins = l.records[1:], l.begins[1:]
	}
}
