package plan

import (
	"errors"
	"strconv"
)

// Check tells why a plan can't be run: what Err tells, or a step that doesn't
// hold the invariants that the interpreter rests on, since it has no checks of
// its own. A plan ends, whatever the kernel answers: every jump lands on a
// step, and the last one has no way to go on. Every result and every address
// lies in the plan's memory. It costs a few nanoseconds a step.
func (p *Plan) Check() error {
	if p.err != nil {
		return p.err
	}
	if len(p.Steps) == 0 {
		return errors.New("a plan without steps")
	}
	for i := range p.Steps {
		if fault := p.fault(i); fault != "" {
			s := &p.Steps[i]
			text := "step " + strconv.Itoa(i) + ": " + s.Call.Name() + ": " + fault
			if s.Origin != "" {
				text = s.Origin + ": " + text
			}
			return errors.New(text)
		}
	}
	return nil
}

func (p *Plan) fault(i int) string {
	s := &p.Steps[i]
	switch last := len(p.Steps) - 1; {
	case i == last && !s.ends():
		return "the last step must end the process: exit_group, fail, or execve that tolerates nothing"
	case i+int(s.OnSuccess) >= last && s.OnSuccess > 0, i+int(s.OnTolerated) >= last && s.OnTolerated > 0:
		return "jumps beyond the last step"
	case s.Flags&tooMany != 0:
		return "more than " + strconv.Itoa(MaxTolerate) + " tolerated errnos"
	case s.Flags&KeepErrno != 0 && s.Result == None:
		return "an errno is kept, but nowhere"
	case s.Result != None && uint64(s.Result)+8 > uint64(len(p.Cells)):
		return "its result lies outside of the cells"
	}
	for j := range s.Argc {
		switch a := s.Args[j]; {
		case s.Kinds[j] == InData && a > uint64(len(p.Data)),
			s.Kinds[j] == InCells && a > uint64(len(p.Cells)),
			s.Kinds[j] == Value && a+8 > uint64(len(p.Cells)):
			return "argument " + strconv.Itoa(int(j)) + " lies outside of the plan's memory"
		}
	}
	return ""
}

// ends tells whether nothing can follow the step.
func (s *Step) ends() bool {
	return s.Call == Fail || (s.Call == ExitGroup || s.Call == Execve) && s.Tolerated == [MaxTolerate]uint16{}
}
