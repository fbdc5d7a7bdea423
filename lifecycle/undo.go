package lifecycle

// undo is a list of what takes back what was done.
type undo []func() error

// add puts f beside the effect that it takes back. It is put there before the
// effect is made, and so must bear that nothing was made.
func (u *undo) add(f func() error) { *u = append(*u, f) }

// all takes back everything, the last first, and gives the first error.
func (u *undo) all() (err error) {
	for i := len(*u) - 1; i >= 0; i-- {
		if e := (*u)[i](); err == nil {
			err = e
		}
	}
	*u = nil
	return err
}

// halfUndone is a failure after which not all could be taken back.
type halfUndone struct{ cause, left error }

func (h *halfUndone) Error() string {
	return h.cause.Error() + "; and not all could be taken back: " + h.left.Error()
}

func (h *halfUndone) Unwrap() []error { return []error{h.cause, h.left} }
