package network

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestNameServersThatAContainerCannotReachAreLeftOut(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want  string
		found bool
	}{
		"nameserver 192.0.2.1\nsearch example.org\noptions edns0":        {"nameserver 192.0.2.1\nsearch example.org\noptions edns0\n", true},
		"# stub\nnameserver 127.0.0.53\noptions edns0\n":                 {"# stub\noptions edns0\n", false},
		"nameserver ::1\nnameserver fe80::1%eth0\nnameserver fd00::53\n": {"nameserver fd00::53\n", true},
		"nameserver 0.0.0.0\nnameserver here\n":                          {"", false},
		"":                                                               {"", false},
	} {
		got, found := reachable(text)
		if diff := cmp.Diff(c.want, got); diff != "" || found != c.found {
			t.Errorf("%q: %v (-want +got):\n%s", text, found, diff)
		}
	}
}

func TestOnlyAContainersOwnLinesAreTakenOut(t *testing.T) {
	t.Parallel()
	const text = "127.0.0.1 localhost\n10.0.0.2 web # container web\n10.0.0.3 web2 # container web2\n# container web, says somebody\n"
	const want = "127.0.0.1 localhost\n10.0.0.3 web2 # container web2\n# container web, says somebody\n"
	if diff := cmp.Diff(want, without(text, "web")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
