package main

import (
	"slices"
	"strconv"
	"time"
)

// series are the times of one thing, in the order in which they were taken.
type series []time.Duration

// at is the value below which the given share (0 to 1) of the series lies.
func (s series) at(share float64) time.Duration {
	if len(s) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(s))
	return v[min(int(float64(len(v))*share), len(v)-1)]
}

func (s series) min() time.Duration    { return s.at(0) }
func (s series) median() time.Duration { return s.at(0.5) }
func (s series) p99() time.Duration    { return s.at(0.99) }

func (s series) sum() (t time.Duration) {
	for _, d := range s {
		t += d
	}
	return t
}

func ratio(a, b time.Duration) float64 {
	if b == 0 {
		return 0
	}
	return float64(a) / float64(b)
}

func ms(d time.Duration) string { return decimals(float64(d)/1e6, 2) }

func decimals(f float64, n int) string { return strconv.FormatFloat(f, 'f', n, 64) }
