package seccomp

import (
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// ActionText is what a filter returns in the words of config.json, less their
// SCMP_ACT_: "ALLOW", "ERRNO EPERM", "TRACE 7".
func ActionText(value uint32) string {
	data := value & unix.SECCOMP_RET_DATA
	for i := range actions {
		a := &actions[i]
		if a.ret != value&^uint32(unix.SECCOMP_RET_DATA) || a.name == specs.ActKill {
			continue
		}
		text := strings.TrimPrefix(string(a.name), "SCMP_ACT_")
		switch {
		case a.ret == unix.SECCOMP_RET_ERRNO && unix.ErrnoName(unix.Errno(data)) != "":
			return text + " " + unix.ErrnoName(unix.Errno(data))
		case a.data > 0:
			return text + " " + strconv.Itoa(int(data))
		}
		return text
	}
	return hex(uint64(value))
}

var signs = [...]string{notEqual: "!=", lessThan: "<", lessEqual: "<=", equalTo: "==", greaterEqual: ">=", greaterThan: ">"}

// conditionsText is as in "arg 0 == 0x10 and arg 2 & 0xff == 0x9".
func conditionsText(all []condition) string {
	text := ""
	for i, c := range all {
		if i > 0 {
			text += " and "
		}
		text += "arg " + strconv.Itoa(int(c.index))
		if c.op == maskedEqual {
			text += " & " + hex(c.value) + " == " + hex(c.two&c.value)
		} else {
			text += " " + signs[c.op] + " " + hex(c.value)
		}
	}
	return text
}

func hex(v uint64) string {
	if v < 10 {
		return strconv.FormatUint(v, 10)
	}
	return "0x" + strconv.FormatUint(v, 16)
}

// Text is the program, a line an instruction: its number and what it does.
func (f *Filter) Text() string {
	var b strings.Builder
	held := make([]holding, len(f.Instructions)+1)
	for at, i := range f.Instructions {
		number := strconv.Itoa(at)
		b.WriteString("    "[min(len(number), 4):] + number + "  " + i.text(at, held[at]) + "\n")
		i.pass(at, held)
	}
	return b.String()
}

// A holding is what the accumulator holds before an instruction: the word at an
// offset, which may be masked, of a call of a certain arch.
type holding struct {
	offset uint32
	masked string
	arch   uint32
}

func (h holding) text() string {
	switch h.offset {
	case offsetNumber:
		return "number"
	case offsetArch:
		return "arch"
	}
	at := h.offset - offsetArguments
	half := " low"
	if at%argumentSize == highWord {
		half = " high"
	}
	return "arg " + strconv.Itoa(int(at/argumentSize)) + half + h.masked
}

// pass tells the instructions that may follow what the accumulator holds.
func (i Instruction) pass(at int, held []holding) {
	h := held[at]
	switch i.Code {
	case opReturn:
	case opLoad:
		held[at+1] = holding{offset: i.K, arch: h.arch}
	case opAnd:
		h.masked = " & " + hex(uint64(i.K))
		held[at+1] = h
	case opJump:
		held[at+1+int(i.K)] = h
	default:
		held[at+1+int(i.JF)] = h
		if h.offset == offsetArch {
			h.arch = i.K
		}
		held[at+1+int(i.JT)] = h
	}
}

// text is one instruction in words.
func (i Instruction) text(at int, h holding) string {
	goTo := func(skipped int) string { return strconv.Itoa(at + 1 + skipped) }
	sign := ""
	switch i.Code {
	case opReturn:
		return "return " + ActionText(i.K)
	case opLoad:
		return "load " + holding{offset: i.K}.text()
	case opAnd:
		return "and " + hex(uint64(i.K))
	case opJump:
		return "go to " + goTo(int(i.K))
	case opEqual:
		sign = " == "
	case opGreater:
		sign = " > "
	case opGreaterEqual:
		sign = " >= "
	}
	return "if " + h.text() + sign + operand(i.K, h) + " go to " + goTo(int(i.JT)) + ", else " + goTo(int(i.JF))
}

// operand is what the accumulator is compared with.
func operand(k uint32, h holding) string {
	switch h.offset {
	case offsetArch:
		for i := range archs {
			if archs[i].audit == k {
				return string(archs[i].name)
			}
		}
	case offsetNumber:
		text := hex(uint64(k))
		if k < x32Bit {
			text = strconv.FormatUint(uint64(k), 10)
		}
		if name := nameIn(h.arch, k); name != "" {
			text += " (" + name + ")"
		}
		return text
	}
	return hex(uint64(k))
}

// nameIn is the name of a call in one of the ABIs that have this AUDIT_ARCH_ value.
func nameIn(audit, number uint32) string {
	for i := range archs {
		if archs[i].audit == audit {
			if name := Name(archs[i].name, number); name != "" {
				return name
			}
		}
	}
	return ""
}

// FlagsText are the words of seccomp(2)'s flags, "none" for none.
func FlagsText(bits uint32) string {
	var words []string
	for _, f := range flags {
		if bits&f.bit != 0 {
			words = append(words, string(f.name))
		}
	}
	if bits&unix.SECCOMP_FILTER_FLAG_NEW_LISTENER != 0 {
		words = append(words, "SECCOMP_FILTER_FLAG_NEW_LISTENER")
	}
	if bits&unix.SECCOMP_FILTER_FLAG_TSYNC_ESRCH != 0 {
		words = append(words, "SECCOMP_FILTER_FLAG_TSYNC_ESRCH")
	}
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " ")
}
