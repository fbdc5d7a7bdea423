package logfile

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

const at = "2026-11-25T03:44:29.123456789Z"

func TestALineIsARecordOrIsPassedOver(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]Record{
		at + " stdout F hello  world ":                    {Time: at, Text: []byte("hello  world ")},
		at + " stderr P \xff\x00":                         {Time: at, Stderr: true, Part: true, Text: []byte("\xff\x00")},
		at + " stdout F ":                                 {Time: at, Text: []byte{}},
		at + " stdout P:more:tags x":                      {Time: at, Part: true, Text: []byte("x")},
		"2026-11-25T03:44:29.1+01:00 stderr F of another": {Time: "2026-11-25T03:44:29.1+01:00", Stderr: true, Text: []byte("of another")},
	} {
		got, ok := Parse([]byte(line))
		if diff := cmp.Diff(want, got); !ok || diff != "" {
			t.Errorf("%q: %v (-want +got):\n%s", line, ok, diff)
		}
	}
	for _, line := range []string{"", " ", "x", at, at + " ", at + " stdout", at + " stdout F", at + " stdin F x", at + " stdout X x", "now stdout F x", "2026-11-25 03:44:29 stdout F x"} {
		if r, ok := Parse([]byte(line)); ok {
			t.Errorf("%q is a record: %+v", line, r)
		}
	}
}

// hand is somebody who writes a log, and rotates it.
type hand struct {
	*testing.T
	name  string
	file  *os.File
	next  int // the number of the next line
	files int
}

func newHand(t *testing.T, files int) *hand {
	h := &hand{T: t, name: filepath.Join(t.TempDir(), "log"), files: files}
	h.open()
	return h
}

func (h *hand) open() {
	f, err := os.OpenFile(h.name, os.O_WRONLY|os.O_APPEND|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { f.Close() })
	h.file = f
}

func (h *hand) write(lines int) {
	for range lines {
		fmt.Fprintf(h.file, "%s stdout F %d\n", at, h.next)
		h.next++
	}
}

func (h *hand) rotate() {
	for i := h.files - 1; i >= 1; i-- {
		from := h.name
		if i > 1 {
			from += "." + strconv.Itoa(i-1)
		}
		os.Rename(from, h.name+"."+strconv.Itoa(i))
	}
	h.open()
}

// reads reads all there is, which must be the lines from first to the last but one.
func (h *hand) reads(r *Reader, first, end int) {
	h.Helper()
	for n := first; ; n++ {
		rec, err := r.Next()
		if err == io.EOF {
			if n != end {
				h.Errorf("%d lines were read, want %d", n, end)
			}
			return
		}
		if err != nil {
			h.Fatal(err)
		}
		if string(rec.Text) != strconv.Itoa(n) {
			h.Fatalf("%q was read, want %d", rec.Text, n)
		}
	}
}

func open(t *testing.T, name string) *Reader {
	t.Helper()
	r, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

func TestWhatIsRotatedWhileItIsReadIsReadOnce(t *testing.T) {
	t.Parallel()
	h := newHand(t, 10)
	h.write(3)
	h.rotate()
	h.write(3)
	r := open(t, h.name)
	h.reads(r, 0, 6)
	h.write(1)
	h.rotate() // what was written before it hasn't been read yet
	h.reads(r, 6, 7)
	h.write(1)
	h.reads(r, 7, 8)
	for range 4 { // more than once before anybody reads
		h.write(2)
		h.rotate()
	}
	h.write(1)
	h.reads(r, 8, 17)
	h.reads(r, 17, 17)
}

func TestAfterAFileThatHasBeenRemovedTheOldestFollows(t *testing.T) {
	t.Parallel()
	h := newHand(t, 3)
	h.write(2)
	r := open(t, h.name)
	h.reads(r, 0, 2)
	for range 5 {
		h.rotate()
		h.write(1)
	}
	h.reads(r, 4, 7) // 2 and 3 have gone
}

func TestALineIsOneWhenItsEndIsThere(t *testing.T) {
	t.Parallel()
	h := newHand(t, 2)
	h.file.WriteString(at + " stdout F a line in ")
	r := open(t, h.name)
	if rec, err := r.Next(); err != io.EOF {
		t.Errorf("half a line: %+v, %v", rec, err)
	}
	h.file.WriteString("two\nnonsense\n" + at + " stderr F next\n")
	for _, want := range []string{"a line in two", "next"} {
		if rec, err := r.Next(); err != nil || string(rec.Text) != want {
			t.Errorf("%q, %v, want %q", rec.Text, err, want)
		}
	}
}

func TestLongLinesAreReadWhole(t *testing.T) {
	t.Parallel()
	h := newHand(t, 2)
	long := make([]byte, 1<<20)
	for i := range long {
		long[i] = 'a' + byte(i%26)
	}
	fmt.Fprintf(h.file, "%s stdout F short\n%s stdout F %s\n%s stdout F short\n", at, at, long, at)
	r := open(t, h.name)
	for _, want := range []string{"short", string(long), "short"} {
		if rec, err := r.Next(); err != nil || string(rec.Text) != want {
			t.Errorf("%d bytes, %v, want %d", len(rec.Text), err, len(want))
		}
	}
}

// Rotations at any instant, and a reader that never waits.
func TestAReaderKeepsUpWithRotations(t *testing.T) {
	t.Parallel()
	h := newHand(t, 1000)
	const rounds = 100
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range rounds {
			h.write(i % 7)
			h.rotate()
		}
	}()
	r, n := open(t, h.name), 0
	for ended := false; ; {
		rec, err := r.Next()
		if err == io.EOF {
			if ended {
				break
			}
			select {
			case <-done:
				ended = true
			default:
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if string(rec.Text) != strconv.Itoa(n) {
			t.Fatalf("%q was read, want %d", rec.Text, n)
		}
		n++
	}
	if n != h.next {
		t.Errorf("%d lines were read of %d", n, h.next)
	}
}

func TestWaitEndsWithTheWriterAndWithTheReader(t *testing.T) {
	t.Parallel()
	h := newHand(t, 2)
	unix.Flock(int(h.file.Fd()), unix.LOCK_EX)
	r := open(t, h.name)
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	defer unix.Close(pipe[1])
	if !r.Wait(-1, pipe[1]) {
		t.Error("the first wait gives nobody a chance to look again")
	}
	go func() { time.Sleep(50 * time.Millisecond); h.write(1) }()
	begin := time.Now()
	if !r.Wait(-1, pipe[1]) || time.Since(begin) > 900*time.Millisecond {
		t.Errorf("what was written was told of after %v", time.Since(begin))
	}
	h.reads(r, 0, 1)
	unix.Close(pipe[0])
	if r.Wait(-1, pipe[1]) {
		t.Error("it waits for somebody whom nobody reads from")
	}
	ended, end, _ := os.Pipe() // its end is readable, as a pidfd is
	defer ended.Close()
	end.Close()
	if !r.Wait(int(ended.Fd()), -1) {
		t.Error("the writer's last words aren't waited for")
	}
	if r.Wait(int(ended.Fd()), -1) {
		t.Error("it waits for a writer that has ended")
	}
}

func TestWaitEndsWithTheLock(t *testing.T) {
	t.Parallel()
	h := newHand(t, 2)
	unix.Flock(int(h.file.Fd()), unix.LOCK_EX)
	r := open(t, h.name)
	for range 2 {
		if !r.Wait(-1, -1) {
			t.Fatal("nothing is waited for, though the log is locked")
		}
	}
	h.write(1)
	h.file.Close()
	begin := time.Now()
	if !r.Wait(-1, -1) {
		t.Error("the last words aren't waited for")
	}
	h.reads(r, 0, 1)
	if r.Wait(-1, -1) || time.Since(begin) > 900*time.Millisecond {
		t.Errorf("a complete log is waited for: %v", time.Since(begin))
	}
}

// In the middle of a rotation a number is free.
func TestAGapHidesNoOlderFile(t *testing.T) {
	t.Parallel()
	h := newHand(t, 10)
	h.write(1)
	h.rotate()
	h.write(1)
	if err := os.Rename(h.name+".1", h.name+".2"); err != nil {
		t.Fatal(err)
	}
	h.reads(open(t, h.name), 0, 2)
}

func TestALogThatIsRotatedIsNotComplete(t *testing.T) {
	t.Parallel()
	h := newHand(t, 5)
	if !Complete(h.name) {
		t.Error("a log that nobody has locked isn't complete")
	}
	unix.Flock(int(h.file.Fd()), unix.LOCK_EX)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 3000 {
			old := h.file
			fresh, err := os.OpenFile(h.name+".new", os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				t.Error(err)
				return
			}
			unix.Flock(int(fresh.Fd()), unix.LOCK_EX)
			os.Rename(h.name, h.name+".1")
			os.Rename(h.name+".new", h.name)
			old.Close()
			h.file = fresh
		}
	}()
	for rotating := true; rotating; {
		select {
		case <-done:
			rotating = false
		default:
			if Complete(h.name) {
				t.Error("a log that is being written is complete")
				<-done
				return
			}
		}
	}
}
