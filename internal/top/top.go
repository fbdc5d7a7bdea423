// Package top makes a table, or a screen, of what containers use: out of two
// samples of their figures, which its caller takes.
//
// Its law: all here are values. What a sample doesn't tell is none in a row, and
// "-" in a table; it is never 0.
package top

import (
	"slices"
	"sort"
	"time"
)

// A Sample is what a container has used, at a time.
type Sample struct {
	ID, Status    string
	At            time.Time
	CPU           time.Duration // since it began
	Memory        uint64        // bytes of its working set: without pages of files that nobody has used lately
	MemoryLimit   uint64        // 0 is none
	PIDs          uint64
	PIDLimit      uint64 // 0 is none
	Read, Written uint64 // bytes, from and to disks, since it began
	Pressure      *Pressure
}

// Pressure is how much of the last ten seconds, in percent, some of its processes
// have waited (Linux, accounting/psi.rst).
type Pressure struct{ CPU, Memory, IO float64 }

// A Row is what a container uses. Rates are none, -1, where there was no sample before.
type Row struct {
	Sample
	Percent   float64 // of one CPU
	ReadRate  float64 // bytes a second
	WriteRate float64
}

const none = -1

// Rows makes rows of the samples new, with the rates since old.
func Rows(old, new []Sample) []Row {
	rows := make([]Row, len(new))
	for i, n := range new {
		rows[i] = Row{n, none, none, none}
		j := slices.IndexFunc(old, func(o Sample) bool { return o.ID == n.ID })
		if j < 0 {
			continue
		}
		o := &old[j]
		passed := n.At.Sub(o.At).Seconds()
		if n.CPU == 0 && n.PIDs == 0 { // there is no cgroup of its own that would tell
			continue
		}
		if passed <= 0 || n.CPU < o.CPU || n.Read < o.Read || n.Written < o.Written { // another container of that name
			continue
		}
		rows[i].Percent = 100 * (n.CPU - o.CPU).Seconds() / passed
		rows[i].ReadRate = float64(n.Read-o.Read) / passed
		rows[i].WriteRate = float64(n.Written-o.Written) / passed
	}
	return rows
}

// A Key is what rows are sorted by.
type Key struct {
	Name string // on the command line
	Hot  byte   // on the keyboard
	of   func(r *Row) float64
}

// Keys are all keys. The last has no figure: it is the ID.
var Keys = [...]Key{
	{"cpu", 'c', func(r *Row) float64 { return r.Percent }},
	{"memory", 'm', func(r *Row) float64 { return float64(r.Memory) }},
	{"pids", 'p', func(r *Row) float64 { return float64(r.PIDs) }},
	{"io", 'i', func(r *Row) float64 { return r.ReadRate + r.WriteRate }},
	{"id", 'n', nil},
}

// Sort sorts rows by the key of that name, greatest first, and equal ones by ID.
func Sort(rows []Row, key string) {
	k := slices.IndexFunc(Keys[:], func(k Key) bool { return k.Name == key })
	sort.Slice(rows, func(i, j int) bool {
		a, b := &rows[i], &rows[j]
		if k >= 0 && Keys[k].of != nil {
			if x, y := Keys[k].of(a), Keys[k].of(b); x != y {
				return x > y
			}
		}
		return a.ID < b.ID
	})
}
