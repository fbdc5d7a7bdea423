package advice

import (
	"encoding/binary"
	"runtime"
	"strconv"
	"strings"
)

// machines are the processors of elf(5)'s e_machine that images are made for, as Go and OCI images name them.
var machines = [...]struct {
	number uint16
	name   string
}{
	{3, "386"}, {8, "mips"}, {20, "ppc"}, {21, "ppc64le"}, {22, "s390x"}, {40, "arm"}, {62, "amd64"}, {183, "arm64"}, {243, "riscv64"}, {258, "loong64"},
}

// here is this machine's.
const here = runtime.GOARCH

// machineOf names the processor that a program is made for; "" for what is no
// program, or for one that isn't known.
func machineOf(head string) string {
	order := orderOf(head)
	if order == nil {
		return ""
	}
	n := order.Uint16([]byte(head[18:20]))
	for _, m := range machines {
		if m.number == n {
			return m.name
		}
	}
	return "machine " + strconv.Itoa(int(n)) + " of elf.h"
}

// orderOf is the byte order of an ELF file; nil for others.
func orderOf(head string) binary.ByteOrder {
	const ident, big = "\x7fELF", 2
	switch {
	case len(head) < 64 || !strings.HasPrefix(head, ident):
		return nil
	case head[5] == big:
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// loader is the PT_INTERP of a 64-bit program for this machine (elf(5)); "" if it has none.
func loader(head string) string {
	const class64, interp = 2, 3
	if machineOf(head) != here || head[4] != class64 {
		return ""
	}
	b, le := []byte(head), binary.LittleEndian
	table, size, count := le.Uint64(b[32:]), uint64(le.Uint16(b[54:])), uint64(le.Uint16(b[56:]))
	for i := range count {
		at := table + i*size
		if size < 56 || at > uint64(len(b)) || uint64(len(b))-at < size {
			return ""
		}
		if le.Uint32(b[at:]) != interp {
			continue
		}
		from, n := le.Uint64(b[at+8:]), le.Uint64(b[at+32:])
		if n == 0 || from > uint64(len(b)) || uint64(len(b))-from < n {
			return ""
		}
		return strings.TrimRight(head[from:from+n], "\x00")
	}
	return ""
}

// interpreter is the program that a script's first line names (execve(2)); "" for what is no script.
func interpreter(head string) string {
	line, ok := strings.CutPrefix(head, "#!")
	if !ok {
		return ""
	}
	line, _, _ = strings.Cut(line, "\n")
	line = strings.Trim(line[:min(len(line), 256)], " \t") // the kernel reads no more (BINPRM_BUF_SIZE)
	if i := strings.IndexAny(line, " \t"); i >= 0 {
		return line[:i]
	}
	return line
}

// isText tells a text from a program.
func isText(head string) bool { return head != "" && !strings.Contains(head, "\x00") }
