package seccomp

// noNumber, -1, is what a tracer leaves of a call that shall not be made.
const noNumber = 1<<32 - 1

// A segment is a stretch of the line of all system call numbers, 0 to 2³²-1:
// all numbers from its first to the next segment's have one verdict.
type segment struct {
	from   uint32
	weight uint32 // how often its calls are made, beside other segments
	verdict
}

// line gives the verdicts of all numbers of a machine: neighbours differ.
func (p *profile) line(m machine) []segment {
	rest := verdict{action: p.fallback}
	segments := append(make([]segment, 0, 128), segment{0, 1, rest})
	if m.lacks(0) {
		segments[0].action = badArch
	}
	for _, s := range m.spans {
		newest := p.newest(s)
		for i, id := range s.calls {
			v, weight := p.beyond(i, newest), uint32(1)
			if id != noCall {
				weight += uint32(callWeights[id])
				if p.decisions[id].named {
					v = p.verdict(id)
				}
			}
			segments = extend(segments, s.base+uint32(i), weight, v)
		}
		rest = p.beyond(len(s.calls), newest)
		segments = extend(segments, s.base+uint32(len(s.calls)), 1, rest)
	}
	if m.lacks(x32Bit) {
		segments = extend(segments, x32Bit, 1, verdict{action: badArch})
		segments = extend(segments, noNumber, 1, rest)
	}
	return segments
}

// newest gives the index of the newest call of s that the profile names, or,
// where calls newer than it aren't answered otherwise, the index after all.
func (p *profile) newest(s span) int {
	if p.fallback == errnoEPERM {
		for i := len(s.calls) - 1; i >= 0; i-- {
			if id := s.calls[i]; id != noCall && p.decisions[id].named {
				return i
			}
		}
	}
	return len(s.calls)
}

// beyond gives the answer for the number at index i of a span, which the
// profile doesn't name: it depends on whether it's newer than all that it does.
func (p *profile) beyond(i, newest int) verdict {
	if i > newest {
		return verdict{action: errnoENOSYS}
	}
	return verdict{action: p.fallback}
}

// extend lets v begin at the number from, which is no less than all before.
func extend(segments []segment, from, weight uint32, v verdict) []segment {
	if n := len(segments) - 1; segments[n].from == from {
		segments = segments[:n]
	}
	if n := len(segments) - 1; n >= 0 && segments[n].verdict == v {
		segments[n].weight += weight
		return segments
	}
	return append(segments, segment{from, weight, v})
}
