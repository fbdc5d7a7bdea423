package lifecycle

import (
	"encoding/binary"
	"encoding/json"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/internal/plan"
	"golang.org/x/sys/unix"
)

// timedExample compiles an example with stamps, the stage's descriptor 99 for them.
func timedExample(t *testing.T, name string, each bool) *Compiled {
	t.Helper()
	own, ok := plan.ArchOf(runtime.GOARCH)
	if !ok {
		t.Skip("no stage for " + runtime.GOARCH)
	}
	s := exampleSpec(t, name)
	h := exampleHost(t, name, s, own)
	h.Files.Stamps, h.StampEach = 99, each
	c, err := Compile(s, h)
	if err != nil {
		t.Fatal(name, err)
	}
	if err := c.Check(); err != nil {
		t.Fatal(name, err)
	}
	return c
}

// Whoever doesn't ask for times has the plan that there would be without them:
// that of an example with stamps is that without, and calls of three kinds.
func TestTimesChangeNothingOfAPlanButTheirOwnSteps(t *testing.T) {
	own, _ := plan.ArchOf(runtime.GOARCH)
	for _, name := range exampleNames(t) {
		plain := compileExample(t, name, exampleSpec(t, name), own)
		for _, s := range plain.Steps {
			if s.Call == plan.ClockGettime || s.Call == plan.Mmap || s.Call == plan.Munmap || len(plain.Stamps) > 0 {
				t.Fatalf("%s: nobody has asked for times, and %s is called", name, s.Call.Name())
			}
		}
		for _, each := range []bool{false, true} {
			timed := timedExample(t, name, each)
			if d := cmp.Diff(plain.Syncs, timed.Syncs); d != "" {
				t.Errorf("%s: %s", name, d)
			}
			if d := cmp.Diff(callsOf(plain, 0), withoutStamps(callsOf(timed, 0))); d != "" {
				t.Errorf("%s (-plain +timed):\n%s", name, d)
			}
			if d := cmp.Diff(callsOf(plain, plain.Gate), withoutStamps(callsOf(timed, timed.Gate))); d != "" {
				t.Errorf("%s, behind the gate (-plain +timed):\n%s", name, d)
			}
		}
	}
}

func callsOf(c *Compiled, from int) (list []string) {
	for i := from; i < len(c.Steps); i++ {
		list = append(list, c.Sentence(i)+" "+c.Steps[i].Origin)
	}
	return list
}

func withoutStamps(calls []string) []string {
	own := func(s string) bool {
		return s == "close(99) --timing" || len(s) > 13 && s[:13] == "clock_gettime" || s[len(s)-8:] == "--timing"
	}
	return slices.DeleteFunc(calls, own)
}

func TestTheChapterOfAnOriginIsItsProperty(t *testing.T) {
	for origin, want := range map[string]string{
		"runtime.md lifecycle 2":                            "runtime.md lifecycle 2",
		"config-linux.md default devices":                   "config-linux.md default devices",
		"mounts[3].options":                                 "mounts",
		"hostname":                                          "hostname",
		"linux.maskedPaths[4]":                              "linux.maskedPaths",
		"linux.sysctl.net.ipv4.ip_unprivileged_port_start":  "linux.sysctl",
		"linux.namespaces network":                          "linux.namespaces",
		"process.user.additionalGids":                       "process.user",
		"process.args[0]":                                   "process.args",
		"root.path":                                         "root.path",
		"annotations[\"org.minirt.landlock.path.read\"][0]": "annotations",
		"process": "process",
		"":        "",
	} {
		if got := chapter(origin); got != want {
			t.Errorf("%q: got %q, want %q", origin, got, want)
		}
	}
}

// exampleTiming is that of a run that was very slow and very regular.
func exampleTiming() *Timing {
	t := &Timing{PID: 100, Stage: 101, Charged: 250 * time.Microsecond, EachStep: true}
	for i, name := range []string{"Go's start", "read config.json", "read config.json", "clone and execve", "wait for the stage", "settle", "start"} {
		t.BeginAt(name, int64(i+1)*int64(time.Millisecond))
	}
	t.BeginAt("the program", int64(7999999))
	t.closeAt(int64(8 * time.Millisecond)) // 1 ns: no line of the table
	t.plan = &Compiled{Plan: &plan.Plan{Steps: []plan.Step{
		{Call: plan.Setsid, Origin: "runtime.md create"},
		{Call: plan.Openat2, Origin: "mounts[0].destination"},
		{Call: plan.MoveMount, Origin: "mounts[0]"},
		{Call: plan.Read, Origin: "runtime.md lifecycle 2"},
		{Call: plan.Seccomp, Origin: "linux.seccomp"},
		{Call: plan.Execve, Origin: "process.args[0]"},
	}}, Gate: 6}
	var spans []span
	for i, from := range []int64{4500, 4600, 4700, 5000, 7200} {
		s := span{plan.Stamp{Step: i, Waits: i == 3}, from * 1000, 7900 * 1000}
		if i > 0 {
			spans[i-1].to = s.from
		}
		spans = append(spans, s)
		t.plan.Stamps = append(t.plan.Stamps, s.Stamp)
	}
	t.chapters(spans)
	return t
}

func TestTheTableShowsWhoTookWhatAndWhen(t *testing.T) {
	golden(t, "testdata/timing.txt", string(exampleTiming().AppendText(nil)))
}

func TestTraceEventsAreNested(t *testing.T) {
	b := exampleTiming().AppendJSON(nil)
	golden(t, "testdata/timing.json", string(b))
	var trace struct {
		TraceEvents []struct {
			Name, Cat, Ph string
			TS, Dur       float64
			PID, TID      int
		}
		DisplayTimeUnit string
	}
	if err := json.Unmarshal(b, &trace); err != nil {
		t.Fatal(err)
	}
	outer := map[string]string{"place": "chapter", "call": "place"}
	for _, e := range trace.TraceEvents {
		if e.Ph != "X" || outer[e.Cat] == "" {
			continue
		}
		if !slices.ContainsFunc(trace.TraceEvents, func(o struct {
			Name, Cat, Ph string
			TS, Dur       float64
			PID, TID      int
		}) bool {
			return o.Cat == outer[e.Cat] && o.TID == e.TID && o.TS <= e.TS && e.TS+e.Dur <= o.TS+o.Dur+0.001
		}) {
			t.Errorf("%s %s lies in no %s", e.Cat, e.Name, outer[e.Cat])
		}
	}
}

func TestNobodyWhoAsksForNoTimesPaysForThem(t *testing.T) {
	var none *Timing
	if n := testing.AllocsPerRun(100, func() {
		none.Begin("x")
		none.BeginAt("x", 1)
		none.stageBorn()
		none.bears(1)
		if none.share(nil, nil, 0) != nil {
			t.Error("there is something to share")
		}
		none.stageEnded()
		none.end()
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever stands in the memory that the stage shares, as others may have had a
// hand on it, its phases lie between its birth and its end, in their order.
func TestWhateverTheStampsSayTheyStayWithinTheStagesLife(t *testing.T) {
	for _, stamps := range [][]uint64{
		{1 << 62, 1 << 62, 5, 5, 0, 0, ^uint64(0), ^uint64(0)},
		{^uint64(0) >> 1, ^uint64(0) >> 1, 1, 0, 1 << 40, 0, 1, 1 << 63},
		{0, 1, 0, 2, 0, 3, 0, 4},
	} {
		tm := &Timing{plan: &Compiled{Plan: &plan.Plan{Steps: make([]plan.Step, 4)}}}
		for i := range 4 {
			tm.plan.Stamps = append(tm.plan.Stamps, plan.Stamp{Step: i})
		}
		files := []uintptr{none}
		if err := tm.share(tm.plan, files, 0); err != nil || tm.memory != 0 {
			t.Fatal("descriptor 0 is nobody's for stamps: ", err)
		}
		files = []uintptr{none, none}
		if err := tm.share(tm.plan, files, 1); err != nil {
			t.Fatal(err)
		}
		tm.Begin("all")
		tm.stageBorn()
		writeStamps(t, tm.memory, stamps)
		tm.stageEnded()
		tm.end()
		last := time.Duration(tm.born - tm.Begun)
		for _, p := range tm.Phases[1:] {
			if p.Start < last || p.Took < 0 || p.Start+p.Took > time.Duration(tm.done-tm.Begun) {
				t.Errorf("%v: %+v lies outside of %d to %d", stamps, p, last, tm.done-tm.Begun)
			}
			if p.Depth == 0 {
				last = p.Start
			}
		}
	}
}

func writeStamps(t *testing.T, memory int, words []uint64) {
	t.Helper()
	var b []byte
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	if _, err := unix.Pwrite(memory, b, 0); err != nil {
		t.Fatal(err)
	}
	if err := unix.Ftruncate(memory, 0); err == nil {
		t.Error("the memory can be made smaller under its reader")
	}
}
