package explain

import (
	"strings"
	"unicode/utf8"

	"github.com/minirt/minirt/internal/json"
)

// narrowest is how narrow a column of the table may become.
const narrowest = 16

// Text prints rows as a table of that width, in which long texts are broken:
//
//	FIELD              CONFIG    KERNEL
//	  process.user.uid   1000      1000
//	! linux.sysctl.a.b   1         0 (now)
//	? hooks              1 prestart  (the kernel knows of no such thing)
//
// "!" marks a difference, and "?" what can't be known.
func Text(rows []Row, width int) string {
	cells := [][3]string{{"FIELD", "CONFIG", "KERNEL"}}
	marks := []string{"  "}
	for _, r := range rows {
		kernel := clean(r.Kernel)
		if r.Note != "" {
			kernel = strings.TrimSpace(kernel + " (" + clean(r.Note) + ")")
		}
		cells = append(cells, [3]string{clean(r.Field), dash(clean(r.Config)), dash(kernel)})
		marks = append(marks, [...]string{"  ", "! ", "? "}[r.Mark])
	}
	widths := widthsOf(cells, width-2)
	var b strings.Builder
	for i, c := range cells {
		line(&b, marks[i], c, widths)
	}
	return b.String()
}

func dash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

// clean makes one line of what a container may have written, without what a
// terminal would obey.
func clean(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == utf8.RuneError {
			return '?'
		}
		return r
	}, s)
}

// widthsOf shares a width out among the columns: the field's own, and of the rest
// to each of both sides half, or less where it needs less.
func widthsOf(cells [][3]string, width int) (w [3]int) {
	for _, c := range cells {
		for i := range c {
			w[i] = max(w[i], utf8.RuneCountInString(c[i]))
		}
	}
	const gap = 2
	w[0] = min(w[0], max(width/3, narrowest))
	rest := max(width-w[0]-2*gap, 2*narrowest)
	w[1] = min(w[1], max(rest/2, rest-w[2]))
	w[2] = min(w[2], max(rest-w[1], narrowest))
	return w
}

// line prints a row, over as many lines as its longest cell takes.
func line(b *strings.Builder, mark string, cells [3]string, widths [3]int) {
	var parts [3][]string
	lines := 1
	for i := range cells {
		parts[i] = broken(cells[i], widths[i])
		lines = max(lines, len(parts[i]))
	}
	for n := range lines {
		text := "  "
		if n == 0 {
			text = mark
		}
		for i := range parts {
			cell := ""
			if n < len(parts[i]) {
				cell = parts[i][n]
			}
			text += cell + strings.Repeat(" ", max(widths[i]-utf8.RuneCountInString(cell), 0)+2)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
}

// broken breaks a text into lines of at most that width: at blanks, behind
// commas, or anywhere.
func broken(text string, width int) (lines []string) {
	for r := []rune(text); len(r) > 0; {
		if len(r) <= width {
			return append(lines, string(r))
		}
		cut := width
		for i := width; i > width/2; i-- {
			if r[i] == ' ' || r[i-1] == ',' {
				cut = i
				break
			}
		}
		lines = append(lines, string(r[:cut]))
		r = r[cut:]
		for len(r) > 0 && r[0] == ' ' {
			r = r[1:]
		}
	}
	return lines
}

// JSON prints rows as an array of objects with the members field, config, kernel,
// note and mark: "same", "differs" or "unknown".
func JSON(rows []Row) string {
	b := []byte{'['}
	for i := range rows {
		r := &rows[i]
		if i > 0 {
			b = append(b, ',')
		}
		b = json.AppendString(append(b, `{"field":`...), r.Field)
		b = json.AppendString(append(b, `,"config":`...), r.Config)
		b = json.AppendString(append(b, `,"kernel":`...), r.Kernel)
		b = json.AppendString(append(b, `,"note":`...), r.Note)
		b = append(json.AppendString(append(b, `,"mark":`...), r.Mark.String()), '}')
	}
	return string(append(b, "]\n"...))
}
