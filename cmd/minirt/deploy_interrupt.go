package main

import (
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// interrupts are the signals by which somebody ends deploy. They are heard, and
// don't kill: what was made has to be taken back first.
type interrupts struct {
	heard chan os.Signal
	first unix.Signal
}

// hear begins to hear them; one that was ignored remains so (nohup(1)).
func hear() *interrupts {
	i := &interrupts{heard: make(chan os.Signal, 1)}
	for _, s := range []os.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGTERM} {
		if !signal.Ignored(s) {
			signal.Notify(i.heard, s)
		}
	}
	return i
}

// end gives the signals the effect back that they had.
func (i *interrupts) end() { signal.Stop(i.heard) }

// err is nil as long as there was none.
func (i *interrupts) err() error {
	select {
	case s := <-i.heard:
		i.first = s.(unix.Signal)
	default:
	}
	if i.first == 0 {
		return nil
	}
	return errors.New("ended by " + unix.SignalName(i.first))
}

// status is the one that shells have for a program that was ended by the signal; 0 without one.
func (i *interrupts) status() int {
	if i.first == 0 {
		return 0
	}
	return 128 + int(i.first)
}
