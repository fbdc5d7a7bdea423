package early

import "unsafe"

// head stands before each line.
type head [40]byte

const (
	whole = iota
	part
)

// batch are pieces of lines that wait to be written by one call.
type batch struct {
	vector               [768]struct{ base, length uintptr }
	pieces, bytes, lines int
}

// cut puts the lines of a stream's buffer into the log, of which those before
// from are known to have no end yet. More than the buffer holds is cut into parts.
//
//go:nosplit
func (k *keeper) cut(i, from int) {
	s := &k.streams[i]
	k.label(i)
	begin := 0
	for at := from; at < s.used; at++ {
		if s.buffer[at] == '\n' {
			k.add(whole, &s.buffer[begin], at+1-begin)
			begin = at + 1
		}
	}
	if begin == 0 && s.used == len(s.buffer) {
		k.add(part, &s.buffer[0], s.used)
		begin = s.used
	}
	if begin == 0 {
		return
	}
	k.write()
	for at := begin; at < s.used; at++ {
		s.buffer[at-begin] = s.buffer[at]
	}
	s.used -= begin
	s.since = k.now
}

// part puts what is left of a stream into the log.
//
//go:nosplit
func (k *keeper) part(i int) {
	s := &k.streams[i]
	if s.used == 0 {
		return
	}
	k.label(i)
	k.add(part, &s.buffer[0], s.used)
	k.write()
	s.used = 0
}

// add puts a line into the batch.
//
//go:nosplit
func (k *keeper) add(kind int, line *byte, n int) {
	b, total := &k.batch, len(k.heads[0])+n+kind
	if k.most > 0 && k.size+b.bytes > 0 && k.size+b.bytes+total > k.most {
		k.write()
		k.rotate()
	}
	if b.pieces+3 > len(b.vector) {
		k.write()
	}
	b.add(&k.heads[kind][0], len(k.heads[kind]))
	b.add(line, n)
	if kind == part {
		b.add(unsafe.StringData("\n"), 1)
	}
	b.lines++
}

//go:nosplit
func (b *batch) add(piece *byte, n int) {
	p := &b.vector[b.pieces]
	p.base, p.length = address(piece), uintptr(n)
	b.pieces++
	b.bytes += n
}

// write writes the batch. Where that can't be, its lines are lost, and the log
// will tell: the container must not wait for a disk.
//
//go:nosplit
func (k *keeper) write() {
	b := &k.batch
	if b.pieces == 0 {
		return
	}
	if k.lost > 0 && !k.tellLost() || !k.append(sysWritev, uintptr(unsafe.Pointer(&b.vector)), b.pieces, b.bytes) {
		k.lost += b.lines
	}
	b.pieces, b.bytes, b.lines = 0, 0, 0
}

// append appends to the file, by write or writev, all or nothing.
//
//go:nosplit
func (k *keeper) append(call, from uintptr, n, bytes int) bool {
	written := syscall(call, k.file, from, uintptr(n), 0, 0)
	if int(written) == bytes {
		k.size += bytes
		return true
	}
	k.why = eNOSPC
	if failed(written) {
		k.why = written
	} else if !failed(syscall(sysFstat, k.file, uintptr(unsafe.Pointer(&status)), 0, 0, 0)) {
		syscall(sysFtruncate, k.file, uintptr(size(&status))-written, 0, 0, 0)
	}
	return false
}

const (
	eFBIG  = ^uintptr(27 - 1)
	eNOSPC = ^uintptr(28 - 1)
	eDQUOT = ^uintptr(122 - 1)
)

// tellLost tells in the log what it has lost.
//
//go:nosplit
func (k *keeper) tellLost() bool {
	if k.lost == 0 {
		return true
	}
	p := put(&k.note[0], unsafe.String(&k.heads[whole][0], 31))
	p = putNumber(put(p, "stderr F minirt: "), k.lost)
	p = put(p, " lines are missing here, which could not be written: ")
	switch k.why {
	case eNOSPC:
		p = put(p, "no space left on device\n")
	case eDQUOT:
		p = put(p, "disk quota exceeded\n")
	case eFBIG:
		p = put(p, "file too large\n")
	case eIO:
		p = put(p, "input/output error\n")
	default:
		p = put(putNumber(put(p, "errno "), -int(k.why)), "\n")
	}
	n := int(address(p) - address(&k.note[0]))
	if !k.append(sysWrite, address(&k.note[0]), n, n) {
		return false
	}
	k.lost = 0
	return true
}

// put puts a string into memory that has the room, and gives the place behind it.
//
//go:nosplit
func put(to text, s string) text {
	for i := range len(s) {
		*to = s[i]
		to = skip(to, 1)
	}
	return to
}

//go:nosplit
func putNumber(to text, n int) text {
	width := 1
	for most := 10; n >= most && width < 18; most *= 10 {
		width++
	}
	for i := width - 1; i >= 0; i-- {
		*skip(to, i) = digits[uint32(n%10)%10]
		n /= 10
	}
	return skip(to, width)
}

const digits = "0123456789"

// label names the stream that the next lines are of.
//
//go:nosplit
func (k *keeper) label(i int) {
	from := "stdout F stdout P stderr F stderr P "
	for kind := range k.heads {
		for at := range 9 {
			k.heads[kind][31+at] = from[18*i+9*kind+at]
		}
	}
}

// tick asks for the time, which is that of all lines until the next tick.
//
//go:nosplit
func (k *keeper) tick() {
	const realtime = 0
	day := k.now.seconds / 86400
	ask(realtime, &k.now)
	for kind := range k.heads {
		h := &k.heads[kind]
		if h[0] == 0 || k.now.seconds/86400 != day {
			h.date(int(k.now.seconds / 86400))
		}
		second := int(k.now.seconds % 86400)
		h.put(11, 2, second/3600, ':')
		h.put(14, 2, second/60%60, ':')
		h.put(17, 2, second%60, '.')
		h.put(20, 9, int(k.now.nanoseconds), 'Z')
		h[30] = ' '
	}
}

// date puts a day of the Gregorian calendar, counted from 1970.
//
//go:nosplit
func (h *head) date(day int) {
	const cycle, fromMarch0 = 146097, 719468 // days of 400 years; from 1 March of year 0
	n := day + fromMarch0
	years := n / cycle * 400
	n %= cycle
	year := (n - n/1460 + n/36524 - n/146096) / 365
	n -= 365*year + year/4 - year/100
	month := (5*n + 2) / 153
	n -= (153*month + 2) / 5
	if month += 3; month > 12 {
		month -= 12
		year++
	}
	h.put(0, 4, years+year, '-')
	h.put(5, 2, month, '-')
	h.put(8, 2, n+1, 'T')
}

// put puts a number of so many digits, and what follows it.
//
//go:nosplit
func (h *head) put(at, width, n int, behind byte) {
	h[at+width] = behind
	for i := at + width - 1; i >= at; i-- {
		h[i] = digits[n%10]
		n /= 10
	}
}
