// Package resctrltest has a resctrl of ordinary files, for machines without one.
package resctrltest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/minirt/minirt/internal/resctrl"
	"golang.org/x/sys/unix"
)

// Schemata is what a new group has.
const Schemata = "    L3:0=fffff;1=fffff\n    MB:0= 100;1= 100\n"

// Monitors is how many monitoring groups the tree has room for.
const Monitors = 2

// Tree makes one, until the test ends, and gives its mount point and a mountinfo
// that names it. Tests with one can't run in parallel.
func Tree(t testing.TB) (root, mountinfo string) {
	t.Helper()
	root = filepath.Join(t.TempDir(), "resctrl root")
	for name, text := range map[string]string{
		"info/last_cmd_status": "ok\n", "info/L3/cbm_mask": "fffff\n", "info/L3/min_cbm_bits": "1\n", "info/L3/num_closids": "16\n",
		"info/MB/bandwidth_gran": "10\n", "info/MB/min_bandwidth": "10\n", "info/MB/delay_linear": "1\n", "info/MB/num_closids": "8\n",
	} {
		put(t, filepath.Join(root, name), text)
	}
	if err := fill(root); err != nil {
		t.Fatal(err)
	}
	mkdir, rmdir := resctrl.Mkdir, resctrl.Rmdir
	resctrl.Mkdir, resctrl.Rmdir = make, os.RemoveAll
	t.Cleanup(func() { resctrl.Mkdir, resctrl.Rmdir = mkdir, rmdir })
	mountinfo = filepath.Join(t.TempDir(), "mountinfo")
	put(t, mountinfo, "22 1 0:20 / /sys rw,nosuid - sysfs sysfs rw\n"+
		"40 22 0:33 / "+strings.ReplaceAll(root, " ", `\040`)+" rw,relatime shared:1 - resctrl resctrl rw\n")
	return root, mountinfo
}

func put(t testing.TB, path, text string) {
	t.Helper()
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, []byte(text), 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// make is mkdir(2) in resctrl.
func make(dir string, _ uint32) error {
	up := filepath.Dir(dir)
	if filepath.Base(up) == "mon_groups" {
		if entries, err := os.ReadDir(up); err != nil || len(entries) >= Monitors {
			return unix.ENOSPC
		}
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		var path *os.PathError
		errors.As(err, &path)
		return path.Err
	}
	return fill(dir)
}

// fill puts the files into a group that it is made with.
func fill(dir string) error {
	err := os.WriteFile(filepath.Join(dir, "tasks"), nil, 0o644)
	for _, cache := range []string{"mon_L3_00", "mon_L3_01"} {
		data := filepath.Join(dir, "mon_data", cache)
		if err == nil {
			err = os.MkdirAll(data, 0o755)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(data, "llc_occupancy"), []byte("4096\n"), 0o644)
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(data, "mbm_total_bytes"), []byte("7\n"), 0o644)
		}
	}
	if filepath.Base(filepath.Dir(dir)) == "mon_groups" || err != nil {
		return err
	}
	if err = os.WriteFile(filepath.Join(dir, "schemata"), []byte(Schemata), 0o644); err != nil {
		return err
	}
	return os.MkdirAll(filepath.Join(dir, "mon_groups"), 0o755)
}
