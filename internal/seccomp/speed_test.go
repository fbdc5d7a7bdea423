package seccomp

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

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

// BenchmarkLibseccomp reports what libseccomp takes for the same, from
// seccomp_init to seccomp_export_bpf.
func BenchmarkLibseccomp(b *testing.B) {
	p := newPeer(b)
	for name, s := range map[string]*specs.LinuxSeccomp{"docker": docker(b), "moby": moby(b)} {
		b.Run(name, func(b *testing.B) {
			took := time.Duration(0)
			for b.Loop() {
				took += p.compile(b, s, optimizeDefault).took
			}
			b.ReportMetric(float64(took)/float64(b.N), "ns/op")
		})
	}
}

// BenchmarkLoad reports what seccomp(2) itself takes for Docker's newest profile, each
// time in a new process: the kernel runs the filter for every call of an ABI.
func BenchmarkLoad(b *testing.B) {
	took := time.Duration(0)
	for b.Loop() {
		took += loadTime(b)
	}
	b.ReportMetric(float64(took)/float64(b.N), "ns/op")
}

func loadTime(t testing.TB) time.Duration {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childCase+"=moby")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(strings.TrimSpace(stderr.String()), "loaded in ")
	took, err := time.ParseDuration(text)
	if err != nil {
		t.Fatal(stderr.String())
	}
	return took
}
