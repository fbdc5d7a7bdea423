package plan

import (
	"encoding/binary"
	"math/bits"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"golang.org/x/sys/unix"
)

// memory prints what an argument points to in Data.
func (p *Plan) memory(s *Step, i int, f form) string {
	at := s.Args[i]
	if at > uint64(len(p.Data)) {
		return "?"
	}
	b := p.Data[at:]
	switch f {
	case str, prctlArg, keyctlArg:
		return quote(cString(b))
	case bytes:
		return quote(string(b[:min(s.Args[i+1], uint64(len(b)))]))
	case strv:
		return p.vector(uint32(at))
	case openHow:
		return structure("flags", opening(word(b, 0)), "mode", unlessZero(octal(word(b, 1))), "resolve", set(resolveNames, word(b, 2)))
	case mountAttrs:
		return structure("attr_set", set(attrNames, word(b, 0)), "attr_clr", set(attrNames, word(b, 1)),
			"propagation", unlessZero(set(mountNames, word(b, 2))), "userns_fd", unlessZero(decimal(word(b, 3))))
	case rlimit:
		return structure("rlim_cur", limit(word(b, 0)), "rlim_max", limit(word(b, 1)))
	case sigset:
		return signals(word(b, 0))
	case schedAttr:
		return scheduling(b)
	case cpuset:
		return numbers(b, int(s.Args[1])*8)
	case nodemask:
		return numbers(b, int(s.Args[2]))
	case capHeader:
		return structure("version", enum(capVersionNames, uint64(half(b, 0))), "pid", decimal(uint64(half(b, 1))))
	case capData:
		return capabilities(b)
	case groups:
		return groupList(b, int(s.Args[0]))
	case timespec:
		return structure("tv_sec", decimal(word(b, 0)), "tv_nsec", decimal(word(b, 1)))
	case sockaddr:
		return address(b, int(s.Args[2]))
	case ioctlArg:
		return ioctlArgument(s.Args[1], b)
	case landlockRuleset:
		return structure("handled_access_fs", unlessZero(set(landlockFSNames, word(b, 0))), "handled_access_net", unlessZero(set(landlockNetNames, word(b, 1))),
			"scoped", unlessZero(set(landlockScopeNames, word(b, 2))))
	case landlockAttr: // a path's, which has a descriptor, is in cells
		return structure("allowed_access", set(landlockNetNames, word(b, 0)), "port", decimal(word(b, 1)))
	}
	return "data+" + strconv.FormatUint(at, 10)
}

// structure prints pairs of a field's name and its value, the empty ones not at all.
func structure(pairs ...string) string {
	s := "{"
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] == "" {
			continue
		}
		if len(s) > 1 {
			s += ", "
		}
		s += pairs[i] + "=" + pairs[i+1]
	}
	return s + "}"
}

func decimal(v uint64) string { return strconv.FormatInt(int64(v), 10) }

// unlessZero leaves a field of no interest out of its structure.
func unlessZero(s string) string {
	if s == "0" || s == "000" {
		return ""
	}
	return s
}

func limit(v uint64) string {
	if v == unix.RLIM_INFINITY {
		return "RLIM64_INFINITY"
	}
	return strconv.FormatUint(v, 10)
}

// signals prints a signal set as strace does: what it holds, or ~ and what it lacks.
func signals(set uint64) string {
	return members(set, 64, func(bit int) string { return strings.TrimPrefix(kernel.SignalName(bit+1), "SIG") })
}

// members names the bits of a set; of more than half of n, those that it lacks.
func members(set uint64, n int, name func(bit int) string) string {
	all, not := ^uint64(0)>>(64-n), ""
	if bits.OnesCount64(set) > n/2 && set&^all == 0 {
		set, not = all&^set, "~"
	}
	var s []string
	for ; set != 0; set &= set - 1 {
		s = append(s, name(bits.TrailingZeros64(set)))
	}
	return not + "[" + strings.Join(s, " ") + "]"
}

// numbers lists the first n bits that are set: processors, memory nodes.
func numbers(b []byte, n int) string {
	var s []string
	for i := 0; i < n && i/8 < len(b); i++ {
		if b[i/8]&(1<<(i%8)) != 0 {
			s = append(s, strconv.Itoa(i))
		}
	}
	return "[" + strings.Join(s, " ") + "]"
}

// capabilities prints struct __user_cap_data_struct[2]; sets that are equal, once.
func capabilities(b []byte) string {
	names := [...]string{"effective", "permitted", "inheritable"}
	s := "{"
	for i, n := range names {
		v := uint64(half(b, i)) | uint64(half(b, i+3))<<32
		s += n + "="
		if i < 2 && v == uint64(half(b, i+1))|uint64(half(b, i+4))<<32 {
			continue
		}
		s += members(v, kernel.LastCapability+1, func(bit int) string { return capability(uint64(bit)) })
		if i < 2 {
			s += ", "
		}
	}
	return s + "}"
}

// scheduling prints struct sched_attr (sched_setattr(2)).
func scheduling(b []byte) string {
	return structure("size", strconv.Itoa(int(half(b, 0))), "sched_policy", enum(policyNames, uint64(half(b, 1))),
		"sched_flags", set(schedFlagNames, word(b, 1)), "sched_nice", strconv.Itoa(int(int32(half(b, 4)))),
		"sched_priority", strconv.Itoa(int(half(b, 5))), "sched_runtime", unlessZero(decimal(word(b, 3))),
		"sched_deadline", unlessZero(decimal(word(b, 4))), "sched_period", unlessZero(decimal(word(b, 5))))
}

func groupList(b []byte, n int) string {
	var s []string
	for i := 0; i < n && 4*i+4 <= len(b); i++ {
		s = append(s, strconv.Itoa(int(half(b, i))))
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// address prints a socket's address of n bytes.
func address(b []byte, n int) string {
	n = min(n, len(b))
	if n < 2 {
		return "{}"
	}
	family := uint64(binary.LittleEndian.Uint16(b))
	if family != unix.AF_UNIX {
		return structure("sa_family", enum(familyNames, family), "sa_data", quote(string(b[2:n])))
	}
	return structure("sa_family", "AF_UNIX", "sun_path", quote(strings.TrimRight(string(b[2:n]), "\x00")))
}

// ioctlArgument prints what the requests that plans make point to.
func ioctlArgument(request uint64, b []byte) string {
	switch request {
	case unix.TIOCSWINSZ:
		size := func(i int) string { return strconv.Itoa(int(half(b, i/2)>>(16*(i%2))) & 0xffff) }
		return structure("ws_row", size(0), "ws_col", size(1), "ws_xpixel", size(2), "ws_ypixel", size(3))
	case unix.SIOCSIFFLAGS:
		if len(b) >= unix.IFNAMSIZ {
			return structure("ifr_name", quote(cString(b[:unix.IFNAMSIZ])), "ifr_flags", set(deviceFlagNames, uint64(half(b, 4)&0xffff)))
		}
	}
	return "[" + strconv.Itoa(int(int32(half(b, 0)))) + "]"
}

// vector prints the strings of argv or envp, whose pointers are fixups.
func (p *Plan) vector(at uint32) string {
	var s []string
	for _, f := range p.fixups {
		if !f.Writable && f.Offset == at {
			s = append(s, quote(cString(p.Data[f.Target:])))
			at += 8
		}
	}
	return "[" + strings.Join(s, ", ") + "]"
}

// word and half take eight and four bytes; beyond the end everything is 0.
func word(b []byte, i int) uint64 {
	if len(b) < 8*i+8 {
		return 0
	}
	return binary.LittleEndian.Uint64(b[8*i:])
}

func half(b []byte, i int) uint32 {
	if len(b) < 4*i+4 {
		return 0
	}
	return binary.LittleEndian.Uint32(b[4*i:])
}

func cString(b []byte) string {
	for i, c := range b {
		if c == 0 {
			return string(b[:i])
		}
	}
	return string(b)
}

func quote(s string) string { return strconv.Quote(s) }
