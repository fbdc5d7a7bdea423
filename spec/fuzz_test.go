package spec

import (
	"encoding/json"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// What Load accepts, encoding/json reads to the same value, loose names apart;
// each fault has a place that is in the document.
func FuzzLoad(f *testing.F) {
	for _, name := range []string{"runc.json", "docker.json"} {
		f.Add(read(f, name))
	}
	f.Add([]byte(`{"ociVersion":"1.3.0","root":{"path":"r"},"x":{"a":[1,-0.5e+7,"\ud83d\ude00\u0000"]},"annotations":{"a":null}}`))
	f.Add([]byte(`{"ociVersion":"2","ociVersion":3,"mounts":[{"destination":"srv","uidMappings":[{}]},null],"linux":{"sysctl":{"net/..":"1"}}}`))
	f.Fuzz(func(t *testing.T, config []byte) {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, warnings, err := Load(config)
		runtime.ReadMemStats(&after)
		if n, most := after.TotalAlloc-before.TotalAlloc, uint64(1<<16+2000*len(config)); n > most {
			t.Errorf("%d bytes of config took %d of memory, more than %d", len(config), n, most)
		}
		for _, w := range warnings {
			inside(t, config, w)
		}
		if err != nil {
			for _, one := range err.(Faults) {
				inside(t, config, one)
			}
			return
		}
		var want specs.Spec
		if err := json.Unmarshal(config, &want); err != nil {
			if len(Unknown(config)) > 0 {
				return // a name of another case, which encoding/json takes, with a value of a wrong type
			}
			t.Fatalf("encoding/json refuses: %v", err)
		}
		if diff := cmp.Diff(&want, got); diff != "" && len(Unknown(config)) == 0 {
			t.Errorf("encoding/json -, ours +:\n%s", diff)
		}
	})
}

func inside(t *testing.T, config []byte, f Fault) {
	if f.Line < 1 || f.Column < 1 || f.Column > len(config)+1 || f.Text == "" {
		t.Errorf("fault without a place: %+v", f)
	}
	Place(config, f.Path)
}
