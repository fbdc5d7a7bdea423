package cni

import (
	"os"
	"strings"
	"testing"
)

func TestTheNetworkIsTheNamedOrTheFirst(t *testing.T) {
	t.Parallel()
	dir, bin := t.TempDir(), t.TempDir()
	for _, plugin := range []string{"bridge", "ptp"} {
		check(t, os.WriteFile(bin+"/"+plugin, nil, 0o755))
	}
	write := func(name, text string) { t.Helper(); check(t, os.WriteFile(dir+"/"+name, []byte(text), 0o644)) }
	choice := func(name string, ports ...Port) string {
		list, err := choose(Options{Name: name, Dir: dir, Ports: ports, Path: []string{bin}})
		if err != nil {
			return err.Error()
		}
		return list.Name
	}
	if got := choice(""); got != `no CNI configuration in "`+dir+`"` {
		t.Error(got)
	}
	write("20-b.conflist", `{"cniVersion":"1.0.0","name":"b","plugins":[{"type":"bridge"}]}`)
	write("10-a.conf", `{"cniVersion":"0.4.0","name":"a","type":"bridge","capabilities":{"portMappings":true}}`)
	write("05-note.txt", `nothing`)
	write("30-c.json", `{"cniVersion":"0.4.0","name":"c","type":"ptp"}`)
	port := Port{HostPort: 1, ContainerPort: 2, Protocol: "tcp"}
	for name, want := range map[string]string{"": "a", "a": "a", "b": "b", "c": "c", "d": `no CNI network "d" in "` + dir + `": there is "a", "b", "c"`} {
		if got := choice(name); got != want {
			t.Errorf("%q: %s", name, got)
		}
	}
	if got := choice("a", port); got != "a" {
		t.Error(got)
	}
	if got := choice("b", port); got != `network "b" can't publish ports: none of its plugins has the capability "portMappings"` {
		t.Error(got)
	}
	write("00-broken.conflist", `{"name":"x"`)
	if got := choice(""); !strings.HasPrefix(got, `CNI configuration "`+dir+`/00-broken.conflist": `) {
		t.Error(got)
	}
	if got := choice("b"); got != "b" {
		t.Error(got)
	}
	if got := choice("d"); !strings.HasPrefix(got, `no CNI network "d" that can be read: CNI configuration "`) {
		t.Error(got)
	}
	if _, err := choose(Options{Dir: dir + "/none"}); err == nil || !strings.Contains(err.Error(), "no CNI configuration") {
		t.Error(err)
	}
}
