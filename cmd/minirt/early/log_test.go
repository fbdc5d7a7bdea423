package early

import (
	"testing"
	"time"
	"unsafe"
)

func TestTheDatesOfALogAreThoseOfTheCalendar(t *testing.T) {
	t.Parallel()
	var h head
	for day := range 60_000 { // to the year 2134
		h.date(day)
		if want := time.Unix(int64(day)*86400, 0).UTC().Format("2006-01-02T"); string(h[:11]) != want {
			t.Fatalf("day %d is %s, want %s", day, h[:11], want)
		}
	}
}

func TestALineHasTheTimeAndTheStream(t *testing.T) {
	t.Parallel()
	var k keeper
	before := time.Now()
	k.tick()
	after := time.Now()
	for i, stream := range []string{"stdout", "stderr"} {
		k.label(i)
		for kind, tag := range []string{"F", "P"} {
			got := string(k.heads[kind][:])
			if want := " " + stream + " " + tag + " "; got[30:] != want {
				t.Errorf("%q doesn't end with %q", got, want)
			}
			at, err := time.Parse("2006-01-02T15:04:05.000000000Z", got[:30])
			if err != nil || at.Before(before) || at.After(after) {
				t.Errorf("%q: %v, which is not between %v and %v", got, err, before, after)
			}
		}
	}
}

func TestNumbersAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for _, s := range []string{"0", "7", "10", "99", "100", "4096", "2147483647", "9999999999999"} {
		b := append([]byte(s), 0)
		n := number(&b[0])
		var to [32]byte
		end := putNumber(&to[0], n)
		if got := string(to[:uintptr(unsafe.Pointer(end))-uintptr(unsafe.Pointer(&to))]); got != s {
			t.Errorf("%s is written as %s", s, got)
		}
	}
}

func TestTheFilesOfALogAreNumbered(t *testing.T) {
	t.Parallel()
	var k keeper
	copy(k.hidden[:], ".web.log\x00")
	for i, want := range []string{"web.log", "web.log.1", 10: "web.log.10", 999: "web.log.999"} {
		if want == "" {
			continue
		}
		var b fileName
		k.numbered(&b, i)
		if got := string(b[:len(want)+1]); got != want+"\x00" {
			t.Errorf("number %d is %q, want %q", i, got, want)
		}
	}
}
