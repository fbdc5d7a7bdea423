package top

import (
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/minirt/minirt/internal/json"
)

// head are the columns: the ID at the left, all others at the right.
var head = [...]string{"ID", "STATUS", "CPU %", "MEMORY", "LIMIT", "PIDS", "READ/s", "WRITE/s", "WAIT% CPU", "MEM", "IO"}

// firstPressure is the first of the columns that are left out where no container tells of pressure.
const firstPressure = 8

// cells are a row's, in the order of head.
func cells(r *Row) [len(head)]string {
	c := [...]string{r.ID, r.Status, decimal(r.Percent), size(float64(r.Memory)), "-", count(r.PIDs), size(r.ReadRate), size(r.WriteRate), "-", "-", "-"}
	if r.Memory == 0 { // of a process that lives: there is no controller
		c[3] = "-"
	}
	if r.MemoryLimit > 0 {
		c[4] = size(float64(r.MemoryLimit))
	}
	if r.PIDLimit > 0 {
		c[5] += "/" + count(r.PIDLimit)
	}
	if p := r.Pressure; p != nil {
		c[8], c[9], c[10] = decimal(p.CPU), decimal(p.Memory), decimal(p.IO)
	}
	return c
}

func count(n uint64) string {
	if n == 0 {
		return "-"
	}
	return strconv.FormatUint(n, 10)
}

func decimal(f float64) string {
	if f < 0 {
		return "-"
	}
	return strconv.FormatFloat(f, 'f', 1, 64)
}

// size is bytes in three digits and a unit.
func size(bytes float64) string {
	if bytes < 0 {
		return "-"
	}
	units := "BKMGTPE"
	i := 0
	for ; bytes >= 999.5 && i < len(units)-1; i++ {
		bytes /= 1024
	}
	digits := 0
	if i > 0 && bytes < 99.95 {
		digits = 1
	}
	return strconv.FormatFloat(bytes, 'f', digits, 64) + units[i:i+1]
}

// Table is rows with a heading, a line each.
func Table(rows []Row) []string {
	all := make([][len(head)]string, 1, len(rows)+1)
	all[0] = head
	columns := firstPressure
	for i := range rows {
		all = append(all, cells(&rows[i]))
		if rows[i].Pressure != nil {
			columns = len(head)
		}
	}
	var widths [len(head)]int
	for _, c := range all {
		for i := range c {
			widths[i] = max(widths[i], len(c[i]))
		}
	}
	lines := make([]string, len(all))
	for n, c := range all {
		text := c[0] + strings.Repeat(" ", widths[0]-len(c[0])) + "  " + c[1] + strings.Repeat(" ", widths[1]-len(c[1]))
		for i := 2; i < columns; i++ {
			text += strings.Repeat(" ", widths[i]-len(c[i])+2) + c[i]
		}
		lines[n] = text
	}
	return lines
}

// Screen is what a terminal of that size is to show: a line about all, and as
// many rows as there is room for. It is written from the top left corner over
// what is there: nothing is cleared first, so that nothing flickers.
func Screen(rows []Row, key string, now time.Time, width, height int) string {
	lines := []string{"", ""}
	lines[0] = now.Format("15:04:05") + "  " + number(len(rows)) + ", by " + key + "   keys:"
	for _, k := range Keys {
		lines[0] += " " + string(rune(k.Hot)) + " " + k.Name
	}
	lines[0] += ", q quit"
	table := Table(rows)
	room := max(height-len(lines)-1, 0) // the heading stands in table
	if more := len(rows) - room; more > 0 {
		room = max(room-1, 0)
		table = append(table[:1+room], "and "+strconv.Itoa(len(rows)-room)+" more")
	}
	lines = append(lines, table...)
	var b strings.Builder
	b.WriteString("\x1b[H") // to the corner
	for i, l := range lines[:min(len(lines), height)] {
		if i > 0 {
			b.WriteString("\r\n")
		}
		l = l[:min(len(l), width)]
		if i == 2 {
			l = "\x1b[7m" + l + "\x1b[0m" // the heading, in reverse
		}
		b.WriteString(l + "\x1b[K") // and clear what is left of the line
	}
	b.WriteString("\x1b[J") // and of the screen
	return b.String()
}

func number(containers int) string {
	if containers == 1 {
		return "1 container"
	}
	return strconv.Itoa(containers) + " containers"
}

// JSON is rows as an array of objects. Rates are in bytes a second, and cpu in
// percent of one CPU; what isn't known is left out.
func JSON(rows []Row) string {
	b := []byte{'['}
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = rows[i].appendJSON(b)
	}
	return string(append(b, "]\n"...))
}

func (r *Row) appendJSON(b []byte) []byte {
	b = json.AppendString(append(b, `{"id":`...), r.ID)
	b = json.AppendString(append(b, `,"status":`...), r.Status)
	figure := func(name string, value float64, known bool) {
		if known {
			b = append(json.AppendString(append(b, ','), name), ':')
			b = strconv.AppendFloat(b, math.Round(value*100)/100, 'f', -1, 64)
		}
	}
	figure("cpu", r.Percent, r.Percent >= 0)
	figure("memory", float64(r.Memory), r.Memory > 0)
	figure("memoryLimit", float64(r.MemoryLimit), r.MemoryLimit > 0)
	figure("pids", float64(r.PIDs), r.PIDs > 0)
	figure("pidLimit", float64(r.PIDLimit), r.PIDLimit > 0)
	figure("readRate", r.ReadRate, r.ReadRate >= 0)
	figure("writeRate", r.WriteRate, r.WriteRate >= 0)
	if p := r.Pressure; p != nil {
		figure("cpuPressure", p.CPU, true)
		figure("memoryPressure", p.Memory, true)
		figure("ioPressure", p.IO, true)
	}
	return append(b, '}')
}
