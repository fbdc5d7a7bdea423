// Package logfile reads the logs of containers: files in the form of the CRI's
// (kubelet's, crictl's), which package early of cmd/minirt writes and rotates.
//
//	2026-11-25T03:44:29.123456789Z stdout F a whole line
//	2026-11-25T03:44:29.123456789Z stderr P a part of one: the rest follows
//
// Its law: of what was written nothing is lost and nothing told twice, however
// often the log is rotated while it is read, as long as the files that are still
// to be read are there. What isn't of this form is passed over.
package logfile

import "bytes"

// Time is how records have their times (package time).
const Time = "2006-01-02T15:04:05.000000000Z"

// A Record is one line of a log.
type Record struct {
	Time   string // see the constant: as texts in the order of time
	Stderr bool   // it was said on standard error
	Part   bool   // of a line: the stream's next record goes on with it
	Text   []byte // without a newline; valid until the next one is read
}

// Parse reads a line, which has no newline.
func Parse(line []byte) (r Record, ok bool) {
	time, rest, ok := bytes.Cut(line, []byte{' '})
	if !ok || len(time) < len("2026-11-25T03:44:29Z") || time[10] != 'T' {
		return r, false
	}
	stream, rest, _ := bytes.Cut(rest, []byte{' '})
	tags, text, ok := bytes.Cut(rest, []byte{' '})
	if !ok {
		return r, false
	}
	tag, _, _ := bytes.Cut(tags, []byte{':'}) // more tags may follow
	switch string(stream) {
	case "stdout":
	case "stderr":
		r.Stderr = true
	default:
		return r, false
	}
	switch string(tag) {
	case "F":
	case "P":
		r.Part = true
	default:
		return r, false
	}
	r.Time, r.Text = string(time), text
	return r, true
}
