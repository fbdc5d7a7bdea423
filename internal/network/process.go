package network

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// A process is known by its number, which may be another's later, and its birth,
// in clock ticks since the machine's (proc_pid_stat(5)).
type process struct {
	pid   int
	birth uint64
}

// processOf finds a process that hasn't ended.
func processOf(pid int) (process, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return process{}, err
	}
	f := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // the name before may hold anything
	if len(f) < 20 || f[0] == "Z" || f[0] == "X" {
		return process{}, os.ErrProcessDone
	}
	birth, err := strconv.ParseUint(f[19], 10, 64)
	return process{pid, birth}, err
}

func (p process) alive() bool {
	now, err := processOf(p.pid)
	return err == nil && now == p
}

func (p process) String() string { return fmt.Sprintf("%d@%d", p.pid, p.birth) }

// parseProcess reads what String wrote.
func parseProcess(text string) (p process, err error) {
	pid, birth, ok := strings.Cut(text, "@")
	if p.pid, err = strconv.Atoi(pid); err == nil && ok {
		p.birth, err = strconv.ParseUint(birth, 10, 64)
	}
	if err != nil || !ok {
		return process{}, fmt.Errorf("%q is no process", text)
	}
	return p, nil
}
