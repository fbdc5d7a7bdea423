package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/minirt/minirt/internal/top"
	"github.com/minirt/minirt/lifecycle"
)

type topFlags struct {
	Interval string   `name:"interval" placeholder:"TIME" default:"1s" help:"Time between two looks, such as 500ms or 1m."`
	Once     bool     `name:"once" help:"Look twice, print the table, and end."`
	Sort     string   `name:"sort" placeholder:"KEY" enum:"cpu,memory,pids,io,id" default:"cpu" help:"What the containers are sorted by."`
	Format   string   `name:"format" short:"f" placeholder:"FORMAT" enum:"table,json" default:"table" help:"How to print what is seen."`
	IDs      []string `arg:"" name:"ID" optional:"" help:"The containers. Without it: all."`
}

func (*topFlags) Help() string {
	return `Shows what the containers use, on one screen, and looks again at each --interval: CPU in percent of one, the working set of their memory, processes, bytes read from and written to disks, and how long, in percent of the last ten seconds, some of their processes had to wait for CPU, memory and disks, where the kernel counts that. The keys c, m, p, i and n sort anew, q ends it.

Without a terminal, and with --format json, the tables follow one another, or the arrays, a line each. It ends when none of the containers that were named is left.`
}

func (*topFlags) Example() string {
	return `minirt top
minirt top --once --sort memory
minirt top --once --format json web`
}

// Check refuses an interval that is none.
func (f *topFlags) Check() error {
	if d, err := time.ParseDuration(f.Interval); err != nil || d <= 0 {
		return usageError("--interval: " + quote(f.Interval) + " is not a time of more than 0, such as 500ms or 1m")
	}
	return nil
}

func (f *topFlags) Run(r *lifecycle.Runtime) (status int, err error) {
	for _, id := range f.IDs {
		if _, err := r.State(id); err != nil {
			var e *lifecycle.Error
			if errors.As(err, &e) {
				e.Verb = "top"
			}
			return 0, err
		}
	}
	w := &watcher{topFlags: f, runtime: r}
	w.interval, _ = time.ParseDuration(f.Interval)
	if f.Once {
		return 0, w.once()
	}
	if f.Format == "table" {
		d, err := r.OpenDisplay()
		if err != nil {
			return 0, err
		}
		if d != nil {
			defer d.Close()
			return 0, w.live(d)
		}
	}
	return 0, w.stream()
}

// watcher looks at containers time and again.
type watcher struct {
	*topFlags
	runtime  *lifecycle.Runtime
	interval time.Duration
	last     []top.Sample
}

// look takes a sample of each container, and makes rows of it and of the last.
func (w *watcher) look() ([]top.Row, error) {
	samples, err := w.samples()
	if err != nil {
		return nil, err
	}
	rows := top.Rows(w.last, samples)
	w.last = samples
	return rows, nil
}

// samples leaves out what doesn't run, or has gone meanwhile.
func (w *watcher) samples() (list []top.Sample, err error) {
	states, err := w.runtime.List()
	if err != nil {
		return nil, err
	}
	for _, st := range states {
		if st.Pid == 0 || len(w.IDs) > 0 && !slices.Contains(w.IDs, st.ID) {
			continue
		}
		if s, err := w.runtime.Stats(st.ID); err == nil {
			list = append(list, sampleOf(st.ID, string(st.Status), s))
		}
	}
	return list, nil
}

// sampleOf takes what top shows out of a container's figures.
func sampleOf(id, status string, s *lifecycle.Stats) top.Sample {
	const unlimited = 1 << 62 // and more is what either version of cgroups has for it
	t := top.Sample{ID: id, Status: status, At: time.Now(), CPU: time.Duration(s.CPU.Total), Memory: s.Memory.Usage, PIDs: s.PIDs, PIDLimit: s.PIDLimit}
	inactive := uint64(0) // of version 1 with what is below
	for _, f := range s.MemoryRaw {
		if f.Name == "total_inactive_file" || f.Name == "inactive_file" {
			inactive = max(inactive, f.Value)
		}
	}
	t.Memory -= min(inactive, t.Memory)
	if s.Memory.Limit < unlimited {
		t.MemoryLimit = s.Memory.Limit
	}
	for _, io := range s.IOBytes {
		switch io.Op {
		case "Read":
			t.Read += io.Value
		case "Write":
			t.Written += io.Value
		}
	}
	if s.CPU.Pressure != nil && s.MemoryPressure != nil && s.IOPressure != nil {
		t.Pressure = &top.Pressure{CPU: s.CPU.Pressure.Some.Avg10, Memory: s.MemoryPressure.Some.Avg10, IO: s.IOPressure.Some.Avg10}
	}
	return t
}

// once prints what was used between two looks.
func (w *watcher) once() error {
	if _, err := w.look(); err != nil {
		return err
	}
	time.Sleep(w.interval)
	rows, err := w.look()
	if err != nil {
		return err
	}
	return w.print(rows)
}

func (w *watcher) print(rows []top.Row) error {
	top.Sort(rows, w.Sort)
	if w.Format == "json" {
		return say(top.JSON(rows))
	}
	return say(strings.Join(top.Table(rows), "\n") + "\n")
}

// over tells whether all containers that were asked for have gone.
func (w *watcher) over(rows []top.Row) bool { return len(w.IDs) > 0 && len(rows) == 0 }

// stream prints for as long as somebody reads.
func (w *watcher) stream() error {
	if _, err := w.look(); err != nil {
		return err
	}
	for first := true; ; first = false {
		time.Sleep(w.interval)
		rows, err := w.look()
		if err != nil || w.over(rows) {
			return err
		}
		if !first && w.Format == "table" {
			err = say("\n")
		}
		if err == nil {
			err = w.print(rows)
		}
		if err != nil {
			return err
		}
	}
}

// live draws until a key or a signal ends it.
func (w *watcher) live(d *lifecycle.Display) error {
	const glance = 250 * time.Millisecond // how soon a window's new size is seen
	var rows []top.Row
	width, height := 0, 0
	for next := time.Now(); ; {
		now := time.Now()
		newWidth, newHeight := d.Size()
		changed := newWidth != width || newHeight != height
		width, height = newWidth, newHeight
		if !now.Before(next) {
			var err error
			if rows, err = w.look(); err != nil || w.over(rows) {
				return err
			}
			next, changed = now.Add(w.interval), true
		}
		if changed {
			top.Sort(rows, w.Sort)
			d.Write(top.Screen(rows, w.Sort, now, width, height))
		}
		if end, again := w.obey(d.Key(min(time.Until(next), glance))); end {
			return nil
		} else if again {
			width = 0
		}
	}
}

// obey does what a key asks for: to end, or to draw again.
func (w *watcher) obey(key int) (end, again bool) {
	const interrupt, quit = 'C' & 0x1f, '\\' & 0x1f
	switch key {
	case lifecycle.End, 'q', 'Q', interrupt, quit:
		return true, false
	}
	for _, k := range top.Keys {
		if key == int(k.Hot) {
			w.Sort = k.Name
			return false, true
		}
	}
	return false, false
}
