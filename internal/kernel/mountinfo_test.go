package kernel

import "testing"

func TestUnescapeTakesOctalEscapesOnly(t *testing.T) {
	t.Parallel()
	for escaped, want := range map[string]string{
		"/a":             "/a",
		`/a\040b\011c`:   "/a b\tc",
		`/\012\134`:      "/\n\\",
		`/a\`:            `/a\`,
		`/a\04`:          `/a\04`,
		`/a\999\040`:     `/a\999 `,
		`/\303\244\0401`: "/ä 1",
		`/a\+12`:         `/a\+12`,
	} {
		if got := Unescape(escaped); got != want {
			t.Errorf("%s: %q, want %q", escaped, got, want)
		}
	}
}
