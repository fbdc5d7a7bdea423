package main

import (
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestTheHostsTableKeepsOnlyTheContainersRows(t *testing.T) {
	t.Parallel()
	got, err := rowsOf("UID  PID CMD\nroot 1 init 22\nroot 22 sh\nroot 333 x\n", []int{22, 333})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff("UID  PID CMD\nroot 22 sh\nroot 333 x\n", got); diff != "" {
		t.Error(diff)
	}
	if _, err := rowsOf("CMD\nsh\n", []int{1}); err == nil {
		t.Error("a table without a column PID is taken")
	}
}

func TestAProcessIsFoundInProcfs(t *testing.T) {
	t.Parallel()
	pid := os.Getpid()
	rows := processRows([]int{pid, 1 << 30}) // the second can't exist: pid_max is 2^22
	if len(rows) != 2 {
		t.Fatalf("%d rows: %q", len(rows), rows)
	}
	row := rows[1]
	want := []string{strconv.Itoa(os.Geteuid()), strconv.Itoa(pid), strconv.Itoa(os.Getppid())}
	if diff := cmp.Diff(want, row[:3]); diff != "" {
		t.Error(diff)
	}
	if now := time.Now(); !slices.Contains([]string{now.Format("15:04"), now.Add(-time.Minute).Format("15:04"), now.Add(-2 * time.Minute).Format("15:04")}, row[4]) {
		t.Errorf("STIME %q at %v", row[4], now)
	}
	if !strings.HasPrefix(row[7], os.Args[0]) {
		t.Errorf("CMD %q", row[7])
	}
}

func TestColumnsOfProcesses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ got, want string }{
		{terminal(0), "?"},
		{terminal(136<<8 | 5), "pts/5"},
		{terminal(4<<8 | 1), "tty1"},
		{terminal(136<<8 | 0x2c | 1<<20), "pts/300"},
		{clock(0), "00:00:00"},
		{clock(3*time.Hour + 4*time.Minute + 5*time.Second), "03:04:05"},
		{clock(123 * time.Hour), "123:00:00"},
		{pidsJSON(nil), "[]\n"},
		{pidsJSON([]int{1, 22}), "[1,22]\n"},
		{table([][]string{{"ID", "PID"}, {"webserver", "1"}}), "ID          PID\nwebserver   1\n"},
	} {
		if test.got != test.want {
			t.Errorf("%q, want %q", test.got, test.want)
		}
	}
}
