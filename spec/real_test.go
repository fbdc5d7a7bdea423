package spec

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

func TestConfigsOfEnginesAreGood(t *testing.T) {
	// runc's own default asks for ambient capabilities that aren't inheritable.
	ambient := []string{"process.capabilities.ambient: CAP_KILL, CAP_NET_BIND_SERVICE, CAP_AUDIT_WRITE not granted, " +
		"since not in permitted and inheritable (config.json:33:15)"}
	for name, warnings := range map[string][]string{
		"runc.json": ambient, "runc-rootless.json": ambient, "docker.json": nil,
	} {
		t.Run(name, func(t *testing.T) {
			config := read(t, name)
			got, warned, err := Load(config)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(warnings, texts(warned)); diff != "" {
				t.Errorf("warnings, wanted -, got +:\n%s", diff)
			}
			var want specs.Spec
			if err := json.Unmarshal(config, &want); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("encoding/json -, ours +:\n%s", diff)
			}
			if u := Unknown(config); u != nil {
				t.Errorf("unknown properties: %v", u)
			}
		})
	}
}

// A config cut off anywhere is refused with a fault of syntax, and nothing panics.
func TestTruncatedConfigsAreRefused(t *testing.T) {
	config := bytes.TrimSpace(read(t, "runc.json"))
	for n := range config {
		_, _, err := Load(config[:n])
		faults, ok := err.(Faults)
		if !ok || len(faults) != 1 || faults[0].Line == 0 {
			t.Fatalf("first %d bytes: %v, want one fault with a place", n, err)
		}
	}
}

func texts(faults []Fault) []string {
	var all []string
	for _, f := range faults {
		all = append(all, f.Error())
	}
	return all
}
