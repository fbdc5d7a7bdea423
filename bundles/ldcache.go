package bundles

import (
	"bytes"
	"encoding/binary"
)

// cacheMagic begins the format of /etc/ld.so.cache that glibc has written since
// 2.32 alone, and since 2.2 behind an older one (glibc, sysdeps/generic/dl-cache.h).
const cacheMagic = "glibc-ld.so.cache1.1"

// cacheMax bounds what is read of it: 16 MiB, some hundred times the usual.
const cacheMax = 16 << 20

// parseCache gives the paths of each library name in ld.so's cache, in its
// order. Entries for better processors are left out: ld.so takes the plain ones
// where those are missing. A cache that it can't read has no entries, as for ld.so.
func parseCache(file []byte) map[string][]string {
	const header, entry = 48, 24
	i := bytes.Index(file, []byte(cacheMagic))
	if i < 0 || len(file)-i < header {
		return nil
	}
	cache := file[i:] // the offsets count from here
	le := binary.LittleEndian
	paths := map[string][]string{}
	rows := cache[header:]
	for n := le.Uint32(cache[20:]); n > 0 && len(rows) >= entry; n-- {
		name, path := cString(cache, uint64(le.Uint32(rows[4:]))), cString(cache, uint64(le.Uint32(rows[8:])))
		if hwcap := le.Uint64(rows[16:]); hwcap == 0 && name != "" && path != "" {
			paths[name] = append(paths[name], path)
		}
		rows = rows[entry:]
	}
	return paths
}
