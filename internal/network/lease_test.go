package network

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLeasesAreReadAsTheyWereWritten(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"10.177.80.0/22\n",
		"10.177.80.0/22 fd6d:696e:6972::/64\n2 web 812@94710 mrt1f0d2c3b4a59 8080:80/tcp 127.0.0.1:53-54:53-54/udp\n4 db 830@95123 mrt9a8b7c6d5e4f\n",
	} {
		l, err := parseLeases(text)
		if err != nil {
			t.Error(err)
		}
		if diff := cmp.Diff(text, l.text()); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
	}
}

func TestLeasesThatNobodyWroteAreRefused(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              `line 1: "" are no subnets`,
		"10.0.0.0/8 a b\n":              `line 1: "10.0.0.0/8 a b" are no subnets`,
		"10.0.0.0/8\n2 web\n":           `line 2: "2 web" is no lease`,
		"10.0.0.0/8\n2 a 1 b\n":         `line 2: "1" is no process`,
		"10.0.0.0/8\n2 a 1@x b\n":       `line 2: "1@x" is no process`,
		"10.0.0.0/8\n\n":                `line 2: "" is no lease`,
		"10.0.0.0/8\n2 a 1@2 b 80\n":    `line 2: "80" is no published port: write [IP:]HOST:CONTAINER, such as 8080:80`,
		"10.0.0.0/8\nx web 1@2 mrt80\n": `line 2: strconv.Atoi: parsing "x": invalid syntax`,
	} {
		if _, err := parseLeases(text); err == nil || err.Error() != want {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

func TestTheLowestFreeNumberIsTaken(t *testing.T) {
	t.Parallel()
	l := leases{subnet: netip.MustParsePrefix("10.0.0.0/29")}
	for _, n := range []int{3, 2, 5} {
		l.list = append(l.list, lease{Number: n})
	}
	for _, want := range []int{4, 6} {
		n, err := l.free()
		if err != nil || n != want {
			t.Errorf("%d, %v, want %d", n, err, want)
		}
		l.list = append(l.list, lease{Number: n})
	}
	if n, err := l.free(); err == nil {
		t.Errorf("7 is the broadcast address, and %d was given", n)
	}
}

func TestANumberIsTheSameInEitherFamily(t *testing.T) {
	t.Parallel()
	for subnet, want := range map[string]string{
		"10.177.83.9/22":       "10.177.82.3",
		"fd6d:696e:6972::/64":  "fd6d:696e:6972::203",
		"10.0.0.0/8":           "10.0.2.3",
		"fd00::ffff:0:0/96":    "fd00::ffff:0:203",
		"192.168.128.128/17":   "192.168.130.3",
		"fd00:1:2:3:4:5::/112": "fd00:1:2:3:4:5:0:203",
	} {
		if got := numbered(netip.MustParsePrefix(subnet), 0x203).String(); got != want {
			t.Errorf("%s: %s, want %s", subnet, got, want)
		}
	}
}

func TestNamesOfDevicesAreTheIDsOwn(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	taken := func(name string) bool { return seen[name] }
	for _, id := range []string{"web", "db", strings.Repeat("x", 255), "web"} {
		name, err := device(id, taken)
		if err != nil || len(name) != 15 || seen[name] {
			t.Errorf("%s: %q, %v", id, name, err)
		}
		seen[name] = true
	}
	if _, err := device("web", func(string) bool { return true }); err == nil {
		t.Error("a name was found though all are taken")
	}
}

func FuzzLeasesNeverPanic(f *testing.F) {
	f.Add("10.177.80.0/22 fd6d:696e:6972::/64\n2 web 812@94710 mrt1f0d2c3b4a59 8080:80/tcp\n")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := parseLeases(text)
		if err != nil {
			return
		}
		if again, err := parseLeases(l.text()); err != nil || again.text() != l.text() {
			t.Errorf("%q: %q: %v", text, l.text(), err)
		}
	})
}
