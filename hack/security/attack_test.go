package security

import (
	"strings"
	"testing"
)

// attack is a row of the tables: a hostile bundle, and what must come of it.
type attack struct {
	sec     string       // numbers of the advisories that it is about
	is      string       // the attack, in a few words
	links   bool         // try it with three forms of symbolic links
	bundle  func(b *box) // makes the bundle hostile
	refused string       // it must be refused, with this in the message
	either  bool         // it may be refused as well, or else says
	says    string       // what its program must print, if anything
	never   string       // what nothing may print
	after   func(b *box) // looks at more, after each way
}

// withstand runs a table of attacks.
func withstand(t *testing.T, attacks []attack) {
	for _, a := range attacks {
		t.Run(a.sec+" "+a.is, func(t *testing.T) {
			if !a.links {
				a.run(t, "absolute")
				return
			}
			for _, form := range []string{"absolute", "relative", "chain"} {
				t.Run(form, func(t *testing.T) { a.run(t, form) })
			}
		})
	}
}

func (a *attack) run(t *testing.T, form string) {
	t.Helper()
	b := newBox(t)
	b.form = form
	a.bundle(b)
	for _, way := range ways {
		before := b.census()
		o := b.run(way)
		switch {
		case a.refused != "" && !(a.either && !o.refused):
			b.closed(before, o, a.refused)
		case o.refused && !a.either:
			b.Errorf("was refused: %v", o)
		case o.refused:
			b.closed(before, o, "")
		default:
			b.unharmed(before, o)
			if a.says != "" && !strings.Contains(o.stdout+o.stderr, a.says) {
				b.Errorf("did not print %q: %v", a.says, o)
			}
		}
		if a.never != "" && strings.Contains(o.stdout+o.stderr, a.never) {
			b.Errorf("printed %q: %v", a.never, o)
		}
		if a.after != nil {
			a.after(b)
		}
	}
}
