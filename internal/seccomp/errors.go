package seccomp

// Error is one fault of linux.seccomp.
type Error struct {
	Path string // in config.json, as "linux.seccomp.syscalls[3].args[0].op"
	Text string
}

// Error gives the place and the fault.
func (e *Error) Error() string { return e.Path + ": " + e.Text }

// Errors are all faults that one linux.seccomp has.
type Errors []*Error

// Error gives all faults in one line.
func (e Errors) Error() string {
	var text string
	for i, fault := range e {
		if i > 0 {
			text += "; "
		}
		text += fault.Error()
	}
	return text
}

// Unwrap gives the faults one by one, for errors.As.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, fault := range e {
		all[i] = fault
	}
	return all
}
