package cgroup

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func deviceRule(allow bool, kind string, major, minor int64, access string) specs.LinuxDeviceCgroup {
	return specs.LinuxDeviceCgroup{Allow: allow, Type: kind, Major: &major, Minor: &minor, Access: access}
}

func TestAChangeOfDeviceRulesWritesWhatIsNewAndThenWhatHasGone(t *testing.T) {
	t.Parallel()
	one := &Layout{Hierarchies: []Hierarchy{{Name: "devices", Controllers: []string{"devices"}, Mount: "/d"}}}
	fuse := deviceRule(true, "c", 10, 229, "rwm")
	fuseRead := deviceRule(true, "c", 10, 229, "r")
	nodes := deviceRule(true, "c", -1, -1, "m")
	null := deviceRule(true, "c", 1, 3, "rwm")
	all := specs.LinuxDeviceCgroup{Allow: true}
	notFuse := deviceRule(false, "c", 10, 229, "w")
	type list = []specs.LinuxDeviceCgroup
	for name, c := range map[string]struct {
		from, to list
		want     []string
	}{
		"nothing":                      {list{nodes}, list{nodes}, nil},
		"added":                        {nil, list{fuse}, []string{"devices.allow=c 10:229 rwm"}},
		"gone":                         {list{fuse}, nil, []string{"devices.deny=c 10:229 rwm"}},
		"added to what was there":      {list{fuseRead}, list{fuseRead, fuse}, []string{"devices.allow=c 10:229 wm"}},
		"gone, but for what was there": {list{fuseRead, fuse}, list{fuseRead}, []string{"devices.deny=c 10:229 wm"}},
		"a default device":             {nil, list{null}, nil},
		"widened by a rule for more":   {list{nodes}, list{nodes, fuseRead}, []string{"devices.allow=c 10:229 rm"}},
		"first what is new":            {list{fuseRead}, list{deviceRule(true, "b", 7, 0, "rw")}, []string{"devices.allow=b 7:0 rw", "devices.deny=c 10:229 r"}},
		"all are allowed":              {list{all}, list{all, fuse}, nil},
		"all but one":                  {list{all, notFuse}, list{all, notFuse, fuse}, []string{"devices.allow=c 10:229 w"}},
		"all but one again":            {list{all, notFuse, fuse}, list{all, notFuse}, []string{"devices.deny=c 10:229 w"}},
	} {
		ws, err := ChangeDevices(c.from, c.to, one)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		var got []string
		for _, w := range ws {
			got = append(got, w.File+"="+w.Value)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if _, err := ChangeDevices(nil, list{all}, one); err == nil || !strings.Contains(err.Error(), "can't be changed while the container runs") {
		t.Errorf("another rule for all devices: %v", err)
	}
	if _, err := ChangeDevices(nil, list{{Type: "x"}}, one); err == nil {
		t.Error("a rule that is none")
	}
	if _, err := ChangeDevices(nil, list{fuse}, &Layout{}); err == nil || !strings.Contains(err.Error(), "no devices controller") {
		t.Errorf("no controller: %v", err)
	}
}

// Version 2 gets the program that Compile gives it for the same rules, in one write.
func TestAChangeOfDeviceRulesReplacesTheProgram(t *testing.T) {
	t.Parallel()
	two := &Layout{Hierarchies: []Hierarchy{{V2: true, Mount: "/sys/fs/cgroup"}}}
	list := []specs.LinuxDeviceCgroup{deviceRule(true, "c", 10, 229, "rwm")}
	got, err := ChangeDevices(nil, list, two)
	if err != nil {
		t.Fatal(err)
	}
	_, want, err := Compile(&specs.LinuxResources{Devices: list}, two)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-Compile +ChangeDevices):\n%s", diff)
	}
}
