package rootfs

import "testing"

// What compiling the file system's part of a plan costs.
func BenchmarkPlan(b *testing.B) {
	s := readSpec(b, "testdata/default.json")
	f := Ordinary(s, "/bundle/rootfs", "/bundle")
	b.ReportAllocs()
	for b.Loop() {
		p := newGoldenPlan()
		Pivot(p, s, f, Enter(p, s, f))
	}
}
