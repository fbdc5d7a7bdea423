package main

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"
)

// dockerRow is one runtime's docker run --rm, from the client's start to its end.
type dockerRow struct {
	name string
	took series
}

const (
	dockerRounds      = 20
	dockerRoundsQuick = 3
)

// dockerRuns has hack/engines/rounds.sh drive all runtimes by one dockerd.
func (r *report) dockerRuns(o *options, all []*contender) {
	rounds := dockerRounds
	if o.quick {
		rounds = dockerRoundsQuick
	}
	var err error
	if r.docker, err = dockerTimes(bare(all), rounds); err != nil {
		r.note("docker run: %v", err)
	}
}

func dockerTimes(all []*contender, rounds int) ([]dockerRow, error) {
	top, err := tree()
	if err != nil {
		return nil, err
	}
	args := []string{all[0].path, "bench", strconv.Itoa(rounds)}
	for _, c := range all {
		args = append(args, c.name+"="+c.path)
	}
	cmd := exec.Command(filepath.Join(top, "hack/engines/rounds.sh"), args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("hack/engines/rounds.sh: %w: %s", err, bytes.TrimSpace(out))
	}
	rows := make([]dockerRow, len(all))
	for i, c := range all {
		rows[i].name = c.name
		for s := bufio.NewScanner(bytes.NewReader(out)); s.Scan(); {
			var name string
			var us int64
			if n, _ := fmt.Sscanf(s.Text(), "took %s %d", &name, &us); n == 2 && name == c.name {
				rows[i].took = append(rows[i].took, time.Duration(us)*time.Microsecond)
			}
		}
	}
	return rows, nil
}

func (r *report) dockerTable(p *page) {
	if len(r.docker) == 0 {
		return
	}
	p.heading("docker run --rm")
	p.say("Of `true`, without a network, end to end: client, dockerd, containerd, shim and runtime, %d rounds in turns. Milliseconds of wall time; in brackets what %s takes of it.\n", len(r.docker[0].took), r.o.subject)
	p.row(true, "", "min", "median", "p99")
	var mine series
	for _, d := range r.docker {
		if d.name == r.o.subject {
			mine = d.took
		}
	}
	for _, d := range r.docker {
		cells := []string{d.name}
		for _, of := range []func(series) time.Duration{series.min, series.median, series.p99} {
			cell := ms(of(d.took))
			if mine != nil && d.name != r.o.subject {
				cell += " (" + decimals(ratio(of(mine), of(d.took)), 2) + ")"
			}
			cells = append(cells, cell)
		}
		p.row(false, cells...)
	}
}
