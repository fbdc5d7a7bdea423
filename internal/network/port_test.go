package network

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPublishedPortsAreRead(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Port{
		"8080:80":               {Host: 8080, Container: 80, Count: 1, Protocol: "tcp"},
		"8080:80/tcp":           {Host: 8080, Container: 80, Count: 1, Protocol: "tcp"},
		"53:53/udp":             {Host: 53, Container: 53, Count: 1, Protocol: "udp"},
		"8000-8010:80-90":       {Host: 8000, Container: 80, Count: 11, Protocol: "tcp"},
		"127.0.0.1:1:65535":     {IP: netip.MustParseAddr("127.0.0.1"), Host: 1, Container: 65535, Count: 1, Protocol: "tcp"},
		"[fd00::1]:80:80/udp":   {IP: netip.MustParseAddr("fd00::1"), Host: 80, Container: 80, Count: 1, Protocol: "udp"},
		"[::]:80:80":            {IP: netip.IPv6Unspecified(), Host: 80, Container: 80, Count: 1, Protocol: "tcp"},
		"1-65535:1-65535":       {Host: 1, Container: 1, Count: 65535, Protocol: "tcp"},
		"0.0.0.0:80:80/tcp":     {IP: netip.IPv4Unspecified(), Host: 80, Container: 80, Count: 1, Protocol: "tcp"},
		"10.0.0.1:80-80:81/tcp": {IP: netip.MustParseAddr("10.0.0.1"), Host: 80, Container: 81, Count: 1, Protocol: "tcp"},
	} {
		got, err := ParsePort(text)
		if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || err != nil {
			t.Errorf("%s: %v (-want +got):\n%s", text, err, diff)
		}
	}
}

func TestWhatIsNoPublishedPortIsRefused(t *testing.T) {
	t.Parallel()
	const row = " is no port, nor a row like 8000-8010"
	for text, want := range map[string]string{
		"":                 "write [IP:]HOST:CONTAINER, such as 8080:80",
		"80":               "write [IP:]HOST:CONTAINER, such as 8080:80",
		":80":              `""` + row,
		"80:":              `""` + row,
		"0:80":             `"0"` + row,
		"80:65536":         `"65536"` + row,
		"+80:80":           `"+80"` + row,
		"90-80:1-2":        `"90-80"` + row,
		"1-3:1-2":          "3 ports can't lead to 2",
		"80:80/sctp":       "the protocol is tcp or udp",
		"80:80/":           "the protocol is tcp or udp",
		"::1:80:80":        "an address of IPv6 stands in brackets",
		"localhost:80:80":  `"localhost" is no address`,
		"[fe80::1%a]:80:1": `"fe80::1%a" is no address`,
		"[1:80:80":         `"1" is no address`,
	} {
		_, err := ParsePort(text)
		if want := "\"" + text + "\" is no published port: " + want; err == nil || err.Error() != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestPortsClashWhereTheSameAddressIsMeant(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		a, b string
		port uint16
	}{
		{"80:1", "80:2", 80},
		{"80:1", "80:1/udp", 0},
		{"80:1", "81:1", 0},
		{"80-90:1-11", "85-95:1-11", 85},
		{"127.0.0.1:80:1", "80:1", 80},
		{"127.0.0.1:80:1", "127.0.0.2:80:1", 0},
		{"127.0.0.1:80:1", "0.0.0.0:80:1", 80},
		{"127.0.0.1:80:1", "[::]:80:1", 0},
		{"[fd00::1]:80:1", "80:1", 80},
		{"[fd00::1]:80:1", "[::]:80:1", 80},
		{"0.0.0.0:80:1", "[::]:80:1", 0},
		{"65535:1", "65535:1", 65535},
		{"1-65535:1-65535", "65535:1", 65535},
	} {
		a, errA := ParsePort(c.a)
		b, errB := ParsePort(c.b)
		if errA != nil || errB != nil {
			t.Fatal(errA, errB)
		}
		port, clash := a.clash(b)
		back, same := b.clash(a)
		if clash != (c.port != 0) || clash && port != c.port || same != clash || back != port {
			t.Errorf("%s and %s: %v at %d", c.a, c.b, clash, port)
		}
	}
}

func FuzzPortsKeepTheirMeaning(f *testing.F) {
	f.Add("[fd00::1]:8000-8010:80-90/udp")
	f.Add("127.0.0.1:80:80")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ParsePort(text)
		if err != nil {
			return
		}
		if back, err := ParsePort(p.String()); err != nil || back != p {
			t.Errorf("%q was %s and is %s: %v", text, p, back, err)
		}
		if int(p.Host)+int(p.Count) > 1<<16 || int(p.Container)+int(p.Count) > 1<<16 || p.Count == 0 {
			t.Errorf("%q leads beyond the last port", text)
		}
	})
}
