package lifecycle

import (
	"slices"
	"strconv"

	"github.com/minirt/minirt/internal/json"
)

// AppendText appends what was refused as lines for a person, and at their end
// what would allow all of it.
func (d *Denials) AppendText(b []byte) []byte {
	switch {
	case d.Unfiltered:
		return append(b, "config.json has no linux.seccomp: no call is refused\n"...)
	case len(d.List) == 0:
		return append(b, "the seccomp profile has refused no call\n"...)
	}
	for i := range d.List {
		b = d.List[i].appendText(b)
	}
	if d.Others > 0 {
		b = strconv.AppendUint(b, d.Others, 10)
		b = append(b, " more refused calls of other kinds\n"...)
	}
	return d.appendRemedies(b)
}

func (d *Denial) appendText(b []byte) []byte {
	b = append(b, d.name()...)
	b = append(b, '(')
	for i, a := range d.Args {
		if i > 0 {
			b = append(b, ", "...)
		}
		if d.Paths[i] != "" {
			b = strconv.AppendQuote(b, d.Paths[i])
			continue
		}
		b = strconv.AppendUint(append(b, "0x"...), a, 16)
	}
	b = append(b, ") = "...)
	b = append(b, d.Action...)
	b = append(b, "\n    by process "...)
	b = strconv.AppendInt(b, int64(d.PID), 10)
	b = append(b, ' ')
	b = strconv.AppendQuote(b, d.Program)
	b = append(b, ", "...)
	if d.Count == 1 {
		b = append(b, "once, "...)
	} else {
		b = append(strconv.AppendUint(b, d.Count, 10), " times, "...)
	}
	b = append(b, d.arch()...)
	b = append(b, "\n    decided by "...)
	b = append(b, d.Rule...)
	if d.When != "" {
		b = append(append(b, ", "...), d.When...)
	}
	if d.Newest != "" {
		b = append(b, ": newer than "...)
		b = append(b, d.Newest...)
		b = append(b, ", the newest call that the profile names"...)
	}
	return append(b, '\n')
}

// appendRemedies puts those for one list together.
func (d *Denials) appendRemedies(b []byte) []byte {
	var names, told []string
	for i := range d.List {
		l := &d.List[i]
		switch r := l.Remedy; {
		case r.Place == "linux.seccomp.syscalls":
			if !slices.Contains(names, l.Call) {
				names = append(names, l.Call)
			}
		case r.Do != "":
			way := "put in front of "
			if r.Do == RemedyRemove {
				way = "take out of "
			}
			if line := way + r.Place + ": " + r.Value + "\n"; !slices.Contains(told, line) {
				told = append(told, line)
			}
		}
	}
	if len(names) > 0 {
		told = append(told, "put in front of linux.seccomp.syscalls: "+allowing(names)+"\n")
	}
	if len(told) > 0 {
		b = append(b, "to allow all of this:\n"...)
	}
	for _, line := range told {
		b = append(append(b, "    "...), line...)
	}
	return b
}

// AppendJSON appends what was refused as JSON, one object a line.
func (d *Denials) AppendJSON(b []byte) []byte {
	if d.Unfiltered {
		return append(b, "{\"unfiltered\":true}\n"...)
	}
	for i := range d.List {
		b = append(d.List[i].appendJSON(b), '\n')
	}
	if d.Others > 0 {
		b = strconv.AppendUint(append(b, `{"others":`...), d.Others, 10)
		b = append(b, "}\n"...)
	}
	return b
}

func (d *Denial) appendJSON(b []byte) []byte {
	b = append(b, '{')
	member := func(name, value string) {
		if value != "" {
			b = json.AppendString(append(json.AppendString(b, name), ':'), value)
			b = append(b, ',')
		}
	}
	number := func(name string, n uint64) {
		b = append(json.AppendString(b, name), ':')
		b = append(strconv.AppendUint(b, n, 10), ',')
	}
	member("call", d.Call)
	number("number", uint64(d.Number))
	member("arch", string(d.ABI))
	number("pid", uint64(d.PID))
	member("comm", d.Program)
	number("count", d.Count)
	member("action", d.Action)
	member("rule", d.Rule)
	member("when", d.When)
	member("newest", d.Newest)
	if r := d.Remedy; r.Do != "" {
		b = append(b, `"remedy":{`...)
		member("do", r.Do)
		member("place", r.Place)
		b = append(append(append(b, `"value":`...), r.Value...), "},"...)
	}
	b = append(b, `"args":[`...)
	for i, a := range d.Args { // a string: JSON's numbers are exact up to 53 bits with many readers
		if i > 0 {
			b = append(b, ',')
		}
		if d.Paths[i] != "" {
			b = json.AppendString(b, d.Paths[i])
			continue
		}
		b = json.AppendString(b, "0x"+strconv.FormatUint(a, 16))
	}
	return append(b, "]}"...)
}
