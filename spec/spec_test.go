package spec

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/minirt/minirt/internal/json"
)

const least = `{"ociVersion":"1.3.0","root":{"path":"rootfs"}`

func TestBadBytesAreRefusedWithTheirPlace(t *testing.T) {
	for _, c := range []struct{ name, config, want string }{
		{"empty", "", "unexpected end of the document, want a value (config.json:1:1)"},
		{"byte order mark", "\ufeff{}", `unexpected '\ufeff', want a value (config.json:1:1)`},
		{"bad UTF-8 in a string", least + ",\n\"hostname\":\"é\xff\"}", "hostname: invalid UTF-8 in a string, found byte 0xff (config.json:2:14)"},
		{"overlong UTF-8", least + ",\"hostname\":\"\xc0\x80\"}", "hostname: invalid UTF-8 in a string, found byte 0xc0 (config.json:1:60)"},
		{"surrogate in UTF-8", least + ",\"hostname\":\"\xed\xa0\x80\"}", "hostname: invalid UTF-8 in a string, found byte 0xed (config.json:1:60)"},
		{"bad UTF-8 in an unknown property", least + ",\"x\":[\"\xff\"]}", "x[0]: invalid UTF-8 in a string, found byte 0xff (config.json:1:54)"},
		{"bad UTF-8 in a name", least + ",\"x\xff\":1}", "invalid UTF-8 in a string, found byte 0xff (config.json:1:50)"},
		{"bad UTF-8 outside", least + "\xff}", `root: unexpected byte 0xff, want "," or "}" (config.json:1:47)`},
		{"NUL outside", least + "\x00}", `root: unexpected '\x00', want "," or "}" (config.json:1:47)`},
		{"NUL behind", least + "}\x00", `unexpected '\x00' after the document's end (config.json:1:48)`},
		{"form feed", least + "\f}", `root: unexpected '\f', want "," or "}" (config.json:1:47)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := Load([]byte(c.config))
			if err == nil {
				t.Fatal("no fault")
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("wanted -, got +:\n%s", diff)
			}
		})
	}
}

func TestAbsurdDocumentsAreRefusedSoon(t *testing.T) {
	many := func(s string) string { return strings.Repeat(s, json.MaxSize/len(s)-100) }
	for _, c := range []struct{ name, config, want string }{
		{"too large", least + strings.Repeat(" ", json.MaxSize) + "}", "more than 16777216"},
		{"too deep", least + `,"x":` + strings.Repeat("[", 1e6), "nested deeper than 100"},
		{"too deep in objects", least + `,"x":` + strings.Repeat(`{"a":`, 1e6), "nested deeper than 100"},
		{"too deep where any value is taken", least + `,"windows":{"credentialSpec":` + strings.Repeat("[", 1e6), "nested deeper than 100"},
		{"many wrong values", least + `,"mounts":[` + many("1,") + `1]}`, "too many faults"},
		{"many empty objects", least + `,"mounts":[` + many("{},") + `{}]}`, "too many faults"},
		{"many nulls", least + `,"mounts":[` + many("null,") + `null]}`, "too many faults"},
		{"many unknown flags", least + `,"linux":{"seccomp":{"defaultAction":"SCMP_ACT_LOG","flags":[` + many(`"SECCOMP_X",`) + `"x"]}}}`, "too many faults"},
		{"many sysctls of one name", least + `,"linux":{"sysctl":{` + many(`"a":"1",`) + `"a":"1"}}}`, "too many faults"},
		{"many mappings", least + `,"linux":{"namespaces":[{"type":"user"}],"uidMappings":[` + many(`{"containerID":0,"hostID":0,"size":1},`) + `{}]}}`, "linux.uidMappings: has "},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := cpuTime(t)
			_, _, err := Load([]byte(c.config))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %.200v, want %q", err, c.want)
			}
			if d := cpuTime(t) - start; d > 5*time.Second {
				t.Errorf("took %v", d)
			}
		})
	}
}

// cpuTime is what this process has used so far: other processes must not make a test fail.
func cpuTime(t *testing.T) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		t.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// Unknown properties without number must not make the search for duplicates quadratic.
func TestManyUnknownPropertiesAreReadSoon(t *testing.T) {
	var b bytes.Buffer
	b.WriteString(least)
	for i := 0; b.Len() < json.MaxSize-100; i++ {
		b.WriteString(`,"`)
		for n := i + 1; n > 0; n /= 26 {
			b.WriteByte(byte('a' + n%26))
		}
		b.WriteString(`z9":1`)
	}
	b.WriteString("}")
	start := cpuTime(t)
	if _, _, err := Load(b.Bytes()); err != nil {
		t.Errorf("%.200v", err)
	}
	if d := cpuTime(t) - start; d > 10*time.Second {
		t.Errorf("took %v", d)
	}
}

func TestAllFaultsAreToldAtOnceInTheOrderOfTheDocument(t *testing.T) {
	_, _, err := Load([]byte(`{
	"linux": {"namespaces": [{"type": "pid"}, {"type": "mount"}, {"type": "pidd"}]},
	"hostname": 5,
	"ociVersion": "1",
	"mounts": [{"destination": "/a", "type": "tmpfs"}, {"type": 3, "destination": "/b"}]
}`))
	want := `root: is required (config.json:1:1); ` +
		`linux.namespaces[2].type: unknown namespace "pidd", did you mean "pid" (config.json:2:72); ` +
		`hostname: 5 is a number, want a string (config.json:3:14); ` +
		`ociVersion: "1" is not a version such as "1.3.0" (SemVer 2.0.0) (config.json:4:16); ` +
		`mounts[1].type: 3 is a number, want a string (config.json:5:62)`
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Errorf("wanted -, got +:\n%s", diff)
	}
	if got := err.(Faults).In("web.json")[0].Error(); got != "root: is required (web.json:1:1)" {
		t.Errorf("with a name of its own: %s", got)
	}
	if got := err.(Faults)[0].Error(); got != "root: is required (config.json:1:1)" {
		t.Errorf("naming the file has changed the faults: %s", got)
	}
}

func TestPlaceFindsEveryPath(t *testing.T) {
	config := []byte("{\"a\": {\"é\": [1, {\"b.c\": true}, [[\"x\"]]]},\n \"d\": null, \"a[0]\": 2}")
	for _, c := range []struct {
		path         string
		line, column int
		ok           bool
	}{
		{"", 1, 1, true}, {"a", 1, 7, true}, {`a["é"]`, 1, 13, true}, {`a["é"][0]`, 1, 14, true},
		{`a["é"][1]["b.c"]`, 1, 25, true}, {`a["é"][2][0][0]`, 1, 34, true}, {"d", 2, 7, true}, {`["a[0]"]`, 2, 21, true},
		{`a["é"][3]`, 1, 13, false}, {"a.x.y", 1, 7, false}, {"x", 1, 1, false}, {"d.e", 2, 7, false}, {"a[0]", 1, 7, false},
		{"a[", 1, 7, false}, {"a[x]", 1, 7, false}, {`a["`, 1, 7, false}, {"a.", 1, 7, false}, {".", 1, 1, false},
	} {
		line, column, ok := Place(config, c.path)
		if line != c.line || column != c.column || ok != c.ok {
			t.Errorf("%s: got %d:%d %v, want %d:%d %v", c.path, line, column, ok, c.line, c.column, c.ok)
		}
	}
	for _, broken := range []string{"", "{", `{"a"`, `{"a":`, `{"a":[`, "\xff"} {
		Place([]byte(broken), "a[0].b")
	}
}

func TestWordsThatAreNearAreFound(t *testing.T) {
	list := []string{"pid", "network", "RLIMIT_NOFILE", "RLIMIT_NPROC", "SCMP_CMP_EQ"}
	for word, want := range map[string]string{
		"pidd": "pid", "PID": "pid", "pd": "pid", "net": "network", "networks": "network", "nofile": "RLIMIT_NOFILE",
		"RLIMIT_NOFIEL": "RLIMIT_NOFILE", "EQ": "SCMP_CMP_EQ", "foo": "", "": "", "x": "", strings.Repeat("x", 1e6): "",
	} {
		if got := near(word, list); got != want {
			t.Errorf("%.20q: got %q, want %q", word, got, want)
		}
	}
}
