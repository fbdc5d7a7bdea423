package lifecycle

import (
	"os"
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/json"
)

// RdtStats are the figures of a container's group of resctrl (Linux,
// filesystems/resctrl.rst).
type RdtStats struct {
	Cache, CacheRoot         string   // the line L3 of the group's schemata, and of the root's
	Bandwidth, BandwidthRoot string   // MB
	Schemata                 []string // all lines of the group's
	CacheInfo                []Figure // of info/L3, by their names in runc's events
	CacheMask                string
	BandwidthInfo            []Figure // of info/MB
	Monitors                 []RdtMonitor
}

// RdtMonitor are the figures of one L3 cache, in bytes.
type RdtMonitor struct{ Total, Local, Occupancy uint64 }

// rdt reads the group's directory. The monitoring figures are those of the
// container's own monitoring group, if it has one.
func (s *Stats) rdt(r *RecordRdt) {
	if r.Dir == "" {
		return
	}
	root := r.Dir
	if !isDirectory(root + "/info") {
		root = root[:strings.LastIndexByte(root, '/')]
	}
	t := &RdtStats{}
	s.Rdt = t
	t.CacheRoot, t.BandwidthRoot, _ = schemataOf(root)
	t.Cache, t.Bandwidth, t.Schemata = schemataOf(r.Dir)
	if dir := root + "/info/L3"; isDirectory(dir) {
		t.CacheMask = contents(dir, "cbm_mask")
		t.CacheInfo = infos(dir, "min_cbm_bits", "num_closids")
	}
	if dir := root + "/info/MB"; isDirectory(dir) {
		t.BandwidthInfo = infos(dir, "bandwidth_gran", "delay_linear", "min_bandwidth", "num_closids")
	}
	if r.Monitor == "" {
		return
	}
	entries, _ := os.ReadDir(r.Monitor + "/mon_data")
	for _, e := range entries {
		if dir := r.Monitor + "/mon_data/" + e.Name(); strings.HasPrefix(e.Name(), "mon_L3_") {
			t.Monitors = append(t.Monitors, RdtMonitor{number(dir, "mbm_total_bytes"), number(dir, "mbm_local_bytes"), number(dir, "llc_occupancy")})
		}
	}
}

func isDirectory(path string) bool {
	i, err := os.Lstat(path)
	return err == nil && i.IsDir()
}

func schemataOf(dir string) (cache, bandwidth string, all []string) {
	for line := range strings.Lines(contents(dir, "schemata")) {
		line = strings.TrimSpace(line)
		all = append(all, line)
		switch {
		case strings.HasPrefix(line, "L3:"):
			cache = line
		case strings.HasPrefix(line, "MB:"):
			bandwidth = line
		}
	}
	return cache, bandwidth, all
}

func infos(dir string, names ...string) (list []Figure) {
	for _, n := range names {
		list = append(list, Figure{n, number(dir, n)})
	}
	return list
}

// appendJSON writes what runc writes of it; nil is an empty object.
func (t *RdtStats) appendJSON(b []byte) []byte {
	b = append(b, '{')
	if t == nil {
		return append(b, '}')
	}
	if t.CacheInfo != nil {
		b = append(member(b, "l3_cache_info"), '{')
		b = word(b, "cbm_mask", t.CacheMask)
		b = append(amounts(b, t.CacheInfo), '}')
	}
	b = word(b, "l3_cache_schema_root", t.CacheRoot)
	b = word(b, "l3_cache_schema", t.Cache)
	if t.BandwidthInfo != nil {
		b = append(amounts(append(member(b, "mem_bw_info"), '{'), t.BandwidthInfo), '}')
	}
	b = word(b, "mem_bw_schema_root", t.BandwidthRoot)
	b = word(b, "mem_bw_schema", t.Bandwidth)
	if len(t.Schemata) > 0 {
		b = appendStrings(member(b, "schemata"), t.Schemata)
	}
	if len(t.Monitors) > 0 {
		b = append(member(b, "mbm_stats"), '[')
		for i, m := range t.Monitors {
			b = append(comma(b, i), `{"mbm_total_bytes":`...)
			b = strconv.AppendUint(b, m.Total, 10)
			b = append(strconv.AppendUint(append(b, `,"mbm_local_bytes":`...), m.Local, 10), '}')
		}
		b = append(member(append(b, ']'), "cmt_stats"), '[')
		for i, m := range t.Monitors {
			b = append(strconv.AppendUint(append(comma(b, i), `{"llc_occupancy":`...), m.Occupancy, 10), '}')
		}
		b = append(b, ']')
	}
	return append(b, '}')
}

func amounts(b []byte, list []Figure) []byte {
	for _, f := range list {
		b = amount(b, f.Name, f.Value)
	}
	return b
}

// word is a member that is left out if it is empty.
func word(b []byte, key, s string) []byte {
	if s == "" {
		return b
	}
	return json.AppendString(member(b, key), s)
}
