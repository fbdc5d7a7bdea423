package main

import (
	"github.com/minirt/minirt/cmd/minirt/hot"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is the kernel's USER_HZ, which is 100 wherever Go runs (proc_pid_stat(5)).
const ticks = 100

// processRows is the table of `ps -ef` for these processes, read from procfs.
// One that ends meanwhile is left out. Users are numbers: their names on the
// host say nothing about a container.
func processRows(pids []int) [][]string {
	rows := [][]string{{"UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"}}
	now, boot := time.Now(), bootTime()
	for _, pid := range pids {
		if row := processRow(pid, now, boot); row != nil {
			rows = append(rows, row)
		}
	}
	return rows
}

func processRow(pid int, now, boot time.Time) []string {
	dir := "/proc/" + strconv.Itoa(pid)
	stat, err := os.ReadFile(dir + "/stat")
	if err != nil {
		return nil
	}
	// The name in parentheses may hold spaces and parentheses; field 3 stands behind the last one.
	open, end := strings.IndexByte(string(stat), '('), strings.LastIndexByte(string(stat), ')')
	fields := strings.Fields(string(stat[end+1:]))
	if open < 0 || end < open || len(fields) < 20 {
		return nil
	}
	field := func(n int) int { v, _ := strconv.Atoi(fields[n-3]); return v } // as proc_pid_stat(5) counts
	used := time.Duration(field(14)+field(15)) * time.Second / ticks
	began := boot.Add(time.Duration(field(22)) * time.Second / ticks)
	return []string{
		owner(dir),
		strconv.Itoa(pid),
		fields[1],
		strconv.Itoa(percent(used, now.Sub(began))),
		startOf(began, now),
		terminal(field(7)),
		clock(used),
		commandLine(dir, string(stat[open+1:end])),
	}
}

func bootTime() time.Time {
	text, _ := os.ReadFile("/proc/stat")
	_, after, _ := strings.Cut(string(text), "\nbtime ")
	line, _, _ := strings.Cut(after, "\n")
	seconds, _ := strconv.ParseInt(line, 10, 64)
	return time.Unix(seconds, 0)
}

// owner is the effective user of a process.
func owner(dir string) string {
	text, _ := os.ReadFile(dir + "/status")
	_, after, _ := strings.Cut(string(text), "\nUid:")
	if ids := strings.Fields(after); len(ids) > 1 {
		return ids[1]
	}
	return "?"
}

// percent is how much of its life a process has used the processor.
func percent(used, life time.Duration) int {
	if life <= 0 {
		return 0
	}
	return min(int(100*used/life), 99)
}

// startOf is the time of day, or, for older processes, the day.
func startOf(began, now time.Time) string {
	if now.Sub(began) < 24*time.Hour {
		return began.Format("15:04")
	}
	return began.Format("Jan02")
}

// terminal names a device number: pts/N, ttyN or ?.
func terminal(device int) string {
	major, minor := device>>8&0xfff, device&0xff|device>>12&0xfff00
	switch {
	case major >= 136 && major <= 143: // UNIX98_PTY_SLAVE_MAJOR
		return "pts/" + strconv.Itoa((major-136)<<8|minor)
	case major == 4:
		return "tty" + strconv.Itoa(minor)
	}
	return "?"
}

func clock(d time.Duration) string {
	two := func(n int) string { return string([]byte{byte('0' + n/10), byte('0' + n%10)}) }
	seconds := int(d / time.Second)
	hours := strconv.Itoa(seconds / 3600)
	if len(hours) == 1 {
		hours = "0" + hours
	}
	return hours + ":" + two(seconds/60%60) + ":" + two(seconds%60)
}

// commandLine is a process's arguments, or its name where it has none.
func commandLine(dir, name string) string {
	text, _ := os.ReadFile(dir + "/cmdline")
	if args := strings.TrimRight(string(text), "\x00"); args != "" {
		return hot.OneLine(strings.ReplaceAll(args, "\x00", " "))
	}
	return "[" + hot.OneLine(name) + "]"
}
