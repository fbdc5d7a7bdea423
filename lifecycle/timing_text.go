package lifecycle

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/minirt/minirt/internal/json"
)

// barWidth is how many characters the whole time has in AppendText's last column.
const barWidth = 40

// shortest is the least time that is shown as more than nothing.
const shortest = 500 * time.Nanosecond

// AppendText appends a table for a person: the phases in the order of their
// beginnings, in milliseconds, and what became of the time as a whole. = is
// minirt's time, - its stage's, which runs beside.
func (t *Timing) AppendText(b []byte) []byte {
	list := slices.DeleteFunc(slices.Clone(t.Phases), func(p Phase) bool { return p.Depth > 0 || p.Took < shortest })
	sort.SliceStable(list, func(p, q int) bool { return list[p].Start < list[q].Start })
	whole, width := t.whole(), len("phase")
	for _, p := range list {
		width = max(width, len(p.Name))
	}
	b = append(b, "   start      took  who     "...)
	b = append(pad(b, "phase", width), "  from begin to end, in milliseconds\n"...)
	for _, p := range list {
		b = milliseconds(b, p.Start)
		b = append(milliseconds(append(b, "  "...), p.Took), "  "...)
		b = append(pad(pad(b, p.who(), len("minirt")+2), p.Name, width), "  "...)
		b = append(p.bar(b, whole), '\n')
	}
	b = append(milliseconds(append(b, "          "...), whole), "  in all"...)
	if t.Charged > 0 {
		b = append(b, "; before the first instruction "...)
		b = append(b, strings.TrimLeft(string(milliseconds(nil, t.Charged)), " ")...)
		b = append(b, " of CPU time, for fork and execve"...)
	}
	return append(b, '\n')
}

// whole is the sum of minirt's own phases, which leave no gap.
func (t *Timing) whole() (d time.Duration) {
	for _, p := range t.Phases {
		if !p.Stage {
			d += p.Took
		}
	}
	return d
}

func (p *Phase) who() string {
	if p.Stage {
		return "stage"
	}
	return "minirt"
}

// bar draws where in the whole time the phase lies: at least one character.
func (p *Phase) bar(b []byte, whole time.Duration) []byte {
	if whole <= 0 {
		return b
	}
	at := func(d time.Duration) int { return int(min(d, whole) * barWidth / whole) }
	from := min(at(p.Start), barWidth-1)
	mark := "="
	if p.Stage {
		mark = "-"
	}
	b = append(b, strings.Repeat(" ", from)...)
	return append(b, strings.Repeat(mark, max(at(p.Start+p.Took)-from, 1))...)
}

func pad(b []byte, s string, width int) []byte {
	return append(append(b, s...), strings.Repeat(" ", max(width-len(s), 0))...)
}

// milliseconds appends a time in eight characters or more, with three decimals.
func milliseconds(b []byte, d time.Duration) []byte {
	s := strconv.FormatFloat(float64(d)/1e6, 'f', 3, 64)
	return append(append(b, strings.Repeat(" ", max(8-len(s), 0))...), s...)
}

// AppendJSON appends the phases, with all that is known of the stage's, as JSON in
// the trace-event format, which browsers' trace viewers read: complete events,
// of one thread of minirt's and one of the stage's, in microseconds.
func (t *Timing) AppendJSON(b []byte) []byte {
	b = append(b, `{"displayTimeUnit":"ns","otherData":{"chargedBefore":`...)
	b = microseconds(b, t.Charged)
	b = microseconds(append(b, `,"monotonicClockAt0":`...), time.Duration(t.Begun))
	b = append(b, "},\"traceEvents\":[\n"...)
	b = t.named(b, "process_name", t.PID, "minirt")
	b = t.named(append(b, ",\n"...), "thread_name", t.PID, "minirt")
	if t.Stage > 0 {
		b = t.named(append(b, ",\n"...), "thread_name", t.Stage, "stage")
	}
	for _, p := range t.Phases {
		b = append(b, ",\n"...)
		b = append(json.AppendString(append(b, `{"name":`...), p.Name), `,"cat":"`...)
		b = append(b, p.category()...)
		b = microseconds(append(b, `","ph":"X","ts":`...), p.Start)
		b = microseconds(append(b, `,"dur":`...), p.Took)
		b = t.thread(b, p.Stage)
		if p.Call != "" {
			b = append(json.AppendString(append(b, `,"args":{"call":`...), p.Call), '}')
		}
		b = append(b, '}')
	}
	return append(b, "\n]}\n"...)
}

// named appends an event that gives a process or a thread its name.
func (t *Timing) named(b []byte, what string, thread int, name string) []byte {
	b = append(append(append(b, `{"name":"`...), what...), `","ph":"M"`...)
	b = t.thread(b, thread == t.Stage)
	b = json.AppendString(append(b, `,"args":{"name":`...), name)
	return append(b, "}}"...)
}

func (t *Timing) thread(b []byte, stage bool) []byte {
	b = strconv.AppendInt(append(b, `,"pid":`...), int64(t.PID), 10)
	thread := t.PID
	if stage {
		thread = t.Stage
	}
	return strconv.AppendInt(append(b, `,"tid":`...), int64(thread), 10)
}

func (p *Phase) category() string {
	if !p.Stage {
		return "minirt"
	}
	return [...]string{"chapter", "place", "call"}[p.Depth]
}

func microseconds(b []byte, d time.Duration) []byte {
	return strconv.AppendFloat(b, float64(d)/1e3, 'f', 3, 64)
}
