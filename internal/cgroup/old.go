package cgroup

import (
	"strings"
)

// Old is what a file said before it was written.
type Old struct {
	file string
	text string
}

// Old keeps what the files of the writes say now, for Restore. Files that can't
// be read, and device programs, aren't among them.
func (g *Group) Old(ws []Write) []Old {
	old := make([]Old, 0, len(ws))
	for i := range ws {
		for w := &ws[i]; w != nil; w = w.Else {
			d := g.dir(w.Controller)
			if w.V2 {
				d = g.v2()
			}
			if d == nil || w.File == "" {
				continue
			}
			if w.File == "cpu.idle" { // the kernel puts the weight back to its default
				old = keep(old, d.Path+"/cpu.shares")
				old = keep(old, d.Path+"/cpu.weight")
			}
			old = keep(old, d.Path+"/"+w.File)
		}
	}
	return old
}

// Says gives the value that the file of a write has now; ok is false if it has
// none, or more than one.
func (g *Group) Says(w *Write) (value string, ok bool) {
	d := g.dir(w.Controller)
	if w.V2 {
		d = g.v2()
	}
	if d == nil || w.File == "" {
		return "", false
	}
	b, err := read(d.Path + "/" + w.File)
	value = strings.TrimSpace(string(b))
	return value, err == nil && value != "" && !strings.Contains(value, "\n")
}

func keep(old []Old, file string) []Old {
	if b, err := read(file); err == nil && !keeps(old, file) {
		old = append(old, Old{file, string(b)})
	}
	return old
}

func keeps(old []Old, file string) bool {
	for i := range old {
		if old[i].file == file {
			return true
		}
	}
	return false
}

// Restore writes what the files said before, where they say something else now.
// One may be refused until another is back (a limit of memory and the one of
// memory and swap), so it goes over them again as long as that helps. All that can
// be put back is; the error is of the first that can't, a *PathError.
func Restore(old []Old) (err error) {
	for left := len(old) + 1; ; {
		n := 0
		err = nil
		for i := len(old) - 1; i >= 0; i-- {
			if e := old[i].restore(); e != nil {
				n++
				err = e
			}
		}
		if n == 0 || n >= left {
			return err
		}
		left = n
	}
}

func (o *Old) restore() error {
	b, err := read(o.file)
	if err != nil {
		return err
	}
	for _, value := range differences(o.file[strings.LastIndexByte(o.file, '/')+1:], o.text, string(b)) {
		if err := write(o.file, value); err != nil {
			return err
		}
	}
	return nil
}

// differences are the values to be written to a file that says now, for it to
// say was. A file has one line, or one for each device, resource or interface.
func differences(file, was, now string) (values []string) {
	was, now = strings.TrimSuffix(was, "\n"), strings.TrimSuffix(now, "\n")
	switch {
	case was == now:
		return nil
	case file == "memory.oom_control": // what is behind the first line is no limit
		was, _, _ = strings.Cut(strings.TrimPrefix(was, "oom_kill_disable "), "\n")
		now, _, _ = strings.Cut(strings.TrimPrefix(now, "oom_kill_disable "), "\n")
		if was != now {
			values = append(values, was)
		}
		return values
	case file == "cpuset.cpus.partition": // "root invalid (…)"
		was, _, _ = strings.Cut(was, " ")
		return []string{was}
	case !isKeyed(file):
		return []string{was}
	}
	before, after := keyed(was), keyed(now)
	for _, key := range keys(after) {
		if _, ok := before[key]; !ok {
			values = append(values, key+" "+nothing(file))
		}
	}
	for _, key := range keys(before) {
		if before[key] == after[key] {
			continue
		}
		switch {
		case key != "default":
			values = append(values, key+" "+before[key])
		case !strings.HasSuffix(file, "_device"):
			values = append(values, before[key])
		}
	}
	return values
}

// keyed reads lines of a key and its value.
func keyed(text string) map[string]string {
	m := make(map[string]string)
	for line := range strings.SplitSeq(text, "\n") {
		key, value, ok := strings.Cut(line, " ")
		if !ok { // an older kernel's, without lines for devices
			key, value = "default", line
		}
		m[key] = value
	}
	return m
}

// isKeyed tells the files that have a line for each device, resource or interface.
func isKeyed(file string) bool {
	switch file {
	case "io.max", "io.weight", "io.bfq.weight", "io.latency", "rdma.max", "misc.max", "net_prio.ifpriomap":
		return true
	}
	return strings.HasPrefix(file, "dmem.") || strings.HasPrefix(file, "blkio.") && strings.HasSuffix(file, "_device")
}

// nothing is what takes a line out of a file.
func nothing(file string) string {
	switch {
	case file == "io.max":
		return "rbps=max wbps=max riops=max wiops=max"
	case file == "io.latency":
		return "target=0"
	case strings.HasPrefix(file, "blkio.throttle."):
		return "0"
	}
	return "default"
}
