package hot

import (
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/lifecycle"
)

// A report is where a verb tells at its end what a flag has asked for: on standard
// error, or in the file that the flag names.
type report struct {
	flag, verb, id string
	fd             int
}

// openReport opens the file before anything is done. It is the caller's own: what
// the flag names is his to write.
func openReport(flag, file, verb, id string) (r *report, err error) {
	r = &report{flag, verb, id, unix.Stderr}
	if file != Alone {
		r.fd, err = unix.Open(file, unix.O_WRONLY|unix.O_CREAT|unix.O_TRUNC|unix.O_CLOEXEC|unix.O_NOCTTY, 0o644)
		if err != nil {
			return nil, r.fault(strconv.Quote(file) + ": " + err.Error())
		}
	}
	return r, nil
}

// tell writes the text. What has gone wrong before is worth more than that this does.
func (r *report) tell(text []byte, before error) error {
	for len(text) > 0 {
		n, err := unix.Write(r.fd, text)
		if err != nil && err != unix.EINTR {
			if before == nil {
				before = r.fault(err.Error())
			}
			break
		}
		text = text[max(n, 0):]
	}
	r.close()
	return before
}

func (r *report) close() {
	if r.fd != unix.Stderr {
		unix.Close(r.fd)
	}
}

func (r *report) fault(text string) error {
	return &lifecycle.Error{Verb: r.verb, ID: r.id, Err: UsageError(r.flag + ": " + text)}
}
