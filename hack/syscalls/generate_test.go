package main

import (
	"bytes"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheTablesAreThoseOfTheModule fails when go.mod has another x/sys than
// the one that the tables were made from: run go generate then.
func TestTheTablesAreThoseOfTheModule(t *testing.T) {
	t.Parallel()
	dir, err := sysDir()
	if err != nil {
		t.Skip("no go command here:", err)
	}
	want, err := generate(dir)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../internal/seccomp/zsyscalls.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("internal/seccomp/zsyscalls.go is old: run go generate ./internal/seccomp\n", cmp.Diff(string(want), string(got)))
	}
}

// TestEveryCallOfX8664IsInX32OrOnly64 finds names in extra.go that x/sys doesn't have.
func TestEveryCallOfX8664IsInX32OrOnly64(t *testing.T) {
	t.Parallel()
	dir, err := sysDir()
	if err != nil {
		t.Skip("no go command here:", err)
	}
	amd64, err := readAll(dir, []string{"amd64"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range x32(amd64) {
		got = slices.AppendSeq(got, maps.Keys(s.calls))
	}
	got = append(got, only64...)
	slices.Sort(got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(amd64)), got); diff != "" {
		t.Error(diff)
	}
}

// TestNewCallsHaveOneNumberInAllABIs holds what readHeader rests on.
func TestNewCallsHaveOneNumberInAllABIs(t *testing.T) {
	t.Parallel()
	dir, err := sysDir()
	if err != nil {
		t.Skip("no go command here:", err)
	}
	var first map[string]uint32
	for _, table := range tables {
		calls, err := table.read(dir)
		if err != nil {
			t.Fatal(table.name, err)
		}
		newer, base := map[string]uint32{}, table.spans(nil)[0].base
		if table.name == "callsX32" {
			base = 0 // read has x86-64's own numbers
		}
		for name, nr := range calls {
			if nr > base+lastOfHeaders {
				newer[name] = nr - base
			}
		}
		if first == nil {
			first = newer
		}
		if diff := cmp.Diff(first, newer); diff != "" {
			t.Errorf("%s and %s: %s", tables[0].name, table.name, diff)
		}
	}
}

func TestTwoNamesForOneNumberAreRefused(t *testing.T) {
	t.Parallel()
	file := t.TempDir() + "/zsysnum.go"
	if err := os.WriteFile(file, []byte("const (\n\tSYS_ONE = 1\n\tSYS_UNO = 1\n)\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if calls, err := read(file); err == nil {
		t.Error("read gives", calls)
	}
}
