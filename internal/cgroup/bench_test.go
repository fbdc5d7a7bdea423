package cgroup

import (
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// benchGroup is the layout here, and what `spec` writes: deny all devices.
func benchGroup(b *testing.B) (*Layout, *specs.LinuxResources) {
	newGroup(b, "") // skips
	l, err := Find()
	if err != nil {
		b.Fatal(err)
	}
	return l, &specs.LinuxResources{Devices: []device{{Allow: false, Access: "rwm"}}}
}

func BenchmarkFind(b *testing.B) {
	benchGroup(b)
	for b.Loop() {
		Find()
	}
}

func BenchmarkCompileDefault(b *testing.B) {
	l, r := benchGroup(b)
	for b.Loop() {
		Compile(r, l)
	}
}

func BenchmarkMakeApplyRemoveDefault(b *testing.B) {
	l, r := benchGroup(b)
	var mk, ap, rm time.Duration
	for i := 0; b.Loop(); i++ {
		g, _ := l.Group("", "test-bench-"+strconv.Itoa(os.Getpid())+"-"+strconv.Itoa(i))
		_, late, _ := Compile(r, l)
		t0 := time.Now()
		if err := g.Make(); err != nil {
			b.Fatal(err)
		}
		t1 := time.Now()
		if err := g.Apply(late); err != nil {
			b.Fatal(err)
		}
		t2 := time.Now()
		if err := g.Remove(); err != nil {
			b.Fatal(err)
		}
		mk, ap, rm = mk+t1.Sub(t0), ap+t2.Sub(t1), rm+time.Since(t2)
	}
	n := float64(b.N) * 1000
	b.ReportMetric(float64(mk)/n, "make-µs")
	b.ReportMetric(float64(ap)/n, "apply-µs")
	b.ReportMetric(float64(rm)/n, "remove-µs")
}
