package spec

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// A config that is good must cost less than a hundredth of encoding/json's first Unmarshal (0.55 ms).
func BenchmarkLoadRuncSpec(b *testing.B) { benchmarkLoad(b, "runc.json") }

func BenchmarkLoadDocker(b *testing.B) { benchmarkLoad(b, "docker.json") }

func benchmarkLoad(b *testing.B, name string) {
	config := read(b, name)
	b.ReportAllocs()
	b.SetBytes(int64(len(config)))
	for b.Loop() {
		if _, _, err := Load(config); err != nil {
			b.Fatal(err)
		}
	}
}

// For comparison: what the standard library needs once it is warm.
func BenchmarkEncodingJSON(b *testing.B) {
	config := read(b, "runc.json")
	b.ReportAllocs()
	for b.Loop() {
		if err := json.Unmarshal(config, new(specs.Spec)); err != nil {
			b.Fatal(err)
		}
	}
}

// read gives a file of testdata.
func read(tb testing.TB, name string) []byte {
	tb.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		tb.Fatal(err)
	}
	return data
}
