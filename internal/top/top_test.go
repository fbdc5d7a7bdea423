package top

import (
	"encoding/json"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func samples() (old, new []Sample) {
	old = []Sample{
		{ID: "web", At: start, CPU: time.Second, Read: 1000, Written: 0},
		{ID: "again", At: start, CPU: time.Hour},
		{ID: "none", At: start},
	}
	later := start.Add(2 * time.Second)
	new = []Sample{
		{ID: "again", Status: "running", At: later, CPU: time.Second, Memory: 1 << 20, PIDs: 1},
		{ID: "db", Status: "paused", At: later, CPU: time.Minute, Memory: 3 << 30, MemoryLimit: 4 << 30, PIDs: 120, PIDLimit: 500, Pressure: &Pressure{1.5, 0, 12.34}},
		{ID: "none", Status: "running", At: later},
		{ID: "web", Status: "running", At: later, CPU: 4 * time.Second, Memory: 300, PIDs: 9, Read: 5096, Written: 4 << 20},
	}
	return old, new
}

func TestRatesAreOfTheTimeBetweenTwoSamples(t *testing.T) {
	t.Parallel()
	old, new := samples()
	rows := Rows(old, new)
	type rates struct{ Percent, Read, Write float64 }
	got := map[string]rates{}
	for _, r := range rows {
		got[r.ID] = rates{r.Percent, r.ReadRate, r.WriteRate}
	}
	want := map[string]rates{"web": {150, 2048, 2 << 20}, "db": {none, none, none}, "again": {none, none, none}, "none": {none, none, none}}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	for _, r := range Rows(new, new) {
		if r.Percent != none {
			t.Errorf("%s has a rate within no time: %v", r.ID, r.Percent)
		}
	}
}

func TestTheTableTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	rows := Rows(samples())
	Sort(rows, "cpu")
	want := `ID     STATUS   CPU %  MEMORY  LIMIT     PIDS  READ/s  WRITE/s  WAIT% CPU  MEM    IO
web    running  150.0    300B      -        9    2.0K     2.0M          -    -     -
again  running      -    1.0M      -        1       -        -          -    -     -
db     paused       -    3.0G   4.0G  120/500       -        -        1.5  0.0  12.3
none   running      -       -      -        -       -        -          -    -     -`
	if d := cmp.Diff(want, strings.Join(Table(rows), "\n")); d != "" {
		t.Error(d)
	}
	if got := strings.Join(Table(nil), "\n"); got != "ID  STATUS  CPU %  MEMORY  LIMIT  PIDS  READ/s  WRITE/s" {
		t.Errorf("of none: %q", got)
	}
}

func TestRowsAreSortedByEachKeyAndThenByID(t *testing.T) {
	t.Parallel()
	for key, want := range map[string]string{"cpu": "web again db none", "memory": "db again web none", "pids": "db web again none", "io": "web again db none", "id": "again db none web"} {
		rows := Rows(samples())
		Sort(rows, key)
		var ids []string
		for _, r := range rows {
			ids = append(ids, r.ID)
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("by %s: %s, want %s", key, got, want)
		}
	}
	seen := map[byte]bool{'q': true}
	for _, k := range Keys {
		if seen[k.Hot] {
			t.Errorf("the key %c means two things", k.Hot)
		}
		seen[k.Hot] = true
	}
}

func TestOneContainerIsNotContainers(t *testing.T) {
	t.Parallel()
	for n, want := range []string{"0 containers, by cpu ", "1 container, by cpu ", "2 containers, by cpu "} {
		if got := Screen(make([]Row, n), "cpu", time.Time{}, 80, 24); !strings.Contains(got, "  "+want) {
			t.Errorf("%q lacks %q", got, want)
		}
	}
}

// However many containers there are, and however small the window, the screen
// fits it, and says how many it doesn't show.
func TestTheScreenFitsTheWindow(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ containers, width, height, shown, more int }{
		{0, 80, 24, 0, 0}, {1, 80, 24, 1, 0}, {21, 80, 24, 21, 0}, {22, 80, 24, 20, 2}, {200, 80, 24, 20, 180}, {200, 10, 4, 0, 200}, {200, 1, 1, 0, 0}, {3, 300, 5, 1, 2},
	} {
		new := make([]Sample, c.containers)
		for i := range new {
			new[i] = Sample{ID: "container" + strconv.Itoa(i), Status: "running", At: start}
		}
		text := Screen(Rows(nil, new), "cpu", start, c.width, c.height)
		if !strings.HasPrefix(text, "\x1b[H") || !strings.HasSuffix(text, "\x1b[K\x1b[J") {
			t.Errorf("%+v: %q", c, text)
		}
		plain := strings.NewReplacer("\x1b[H", "", "\x1b[K", "", "\x1b[J", "", "\x1b[7m", "", "\x1b[0m", "").Replace(text)
		lines := strings.Split(plain, "\r\n")
		if len(lines) > c.height {
			t.Errorf("%+v: %d lines", c, len(lines))
		}
		shown := 0
		for _, l := range lines {
			if len(l) > c.width {
				t.Errorf("%+v: a line of %d characters: %q", c, len(l), l)
			}
			if strings.HasPrefix(l, "container"[:min(9, c.width)]) && c.width >= 9 {
				shown++
			}
		}
		if shown != c.shown {
			t.Errorf("%+v: %d are shown:\n%s", c, shown, plain)
		}
		if more := "and " + strconv.Itoa(c.more) + " more"; c.more > 0 != strings.Contains(plain, more[:min(len(more), c.width)]) {
			t.Errorf("%+v: not told how many more:\n%s", c, plain)
		}
	}
}

func TestSizesHaveThreeDigitsAndAUnit(t *testing.T) {
	t.Parallel()
	for bytes, want := range map[float64]string{0: "0B", 999: "999B", 1000: "1.0K", 1024: "1.0K", 10240: "10.0K", 102400: "100K", 1048576: "1.0M", 1023 * 1024: "1.0M", 1 << 40: "1.0T", -1: "-", 1 << 63: "8.0E"} {
		if got := size(bytes); got != want {
			t.Errorf("%v: %q, want %q", bytes, got, want)
		}
	}
}

func TestTheJSONLeavesOutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	rows := Rows(samples())
	Sort(rows, "id")
	var got []map[string]any
	if err := json.Unmarshal([]byte(JSON(rows)), &got); err != nil {
		t.Fatal(err)
	}
	want := []map[string]any{
		{"id": "again", "status": "running", "memory": 1048576.0, "pids": 1.0},
		{"id": "db", "status": "paused", "memory": 3221225472.0, "memoryLimit": 4294967296.0, "pids": 120.0, "pidLimit": 500.0, "cpuPressure": 1.5, "memoryPressure": 0.0, "ioPressure": 12.34},
		{"id": "none", "status": "running"},
		{"id": "web", "status": "running", "cpu": 150.0, "memory": 300.0, "pids": 9.0, "readRate": 2048.0, "writeRate": 2097152.0},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if JSON(nil) != "[]\n" {
		t.Errorf("of none: %q", JSON(nil))
	}
}
