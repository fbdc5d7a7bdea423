package network

import "fmt"

// A stepError says what was tried, and why it went wrong.
type stepError struct {
	what  string
	cause error
}

func (e *stepError) Error() string { return e.what + ": " + e.cause.Error() }
func (e *stepError) Unwrap() error { return e.cause }

// step names what was tried, if it went wrong.
func step(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &stepError{fmt.Sprintf(format, args...), err}
}
