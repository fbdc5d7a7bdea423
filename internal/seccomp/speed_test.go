package seccomp

import (
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// BenchmarkCompile is for work on the compiler; hack/bench has the marks.
func BenchmarkCompile(b *testing.B) {
	for name, s := range map[string]*specs.LinuxSeccomp{"docker": docker(b), "moby": moby(b)} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := Compile(s, "amd64"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
