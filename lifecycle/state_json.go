package lifecycle

import (
	"slices"
	"strconv"
	"time"

	"github.com/minirt/minirt/internal/json"
)

// AppendJSON writes the state document (runtime.md, State) with the extra
// members that engines read. indent is put before each member, one a line; ""
// writes it all on one line.
func (s *State) AppendJSON(dst []byte, indent string) []byte {
	sep := func(b []byte, key string) []byte {
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		if indent == "" {
			return append(append(append(b, '"'), key...), `":`...)
		}
		return append(append(append(append(append(b, '\n'), indent...), '"'), key...), `": `...)
	}
	b := append(dst, '{')
	b = json.AppendString(sep(b, "ociVersion"), s.Version)
	b = json.AppendString(sep(b, "id"), s.ID)
	b = strconv.AppendInt(sep(b, "pid"), int64(s.Pid), 10)
	b = json.AppendString(sep(b, "status"), string(s.Status))
	b = json.AppendString(sep(b, "bundle"), s.Bundle)
	b = json.AppendString(sep(b, "rootfs"), s.Rootfs)
	b = json.AppendString(sep(b, "created"), s.Created.UTC().Format(time.RFC3339Nano))
	if len(s.Annotations) > 0 {
		b = appendMap(sep(b, "annotations"), s.Annotations, indent)
	}
	b = json.AppendString(sep(b, "owner"), s.Owner)
	if indent != "" {
		b = append(b, '\n')
	}
	return append(b, '}')
}

// appendMap writes a map with its keys in order.
func appendMap(b []byte, m map[string]string, indent string) []byte {
	if len(m) == 0 {
		return append(b, "{}"...)
	}
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for i, k := range keys {
		b = comma(b, i)
		if indent != "" {
			b = append(append(append(b, '\n'), indent...), indent...)
		}
		b = append(json.AppendString(b, k), ':')
		if indent != "" {
			b = append(b, ' ')
		}
		b = json.AppendString(b, m[k])
	}
	if indent != "" {
		b = append(append(b, '\n'), indent...)
	}
	return append(b, '}')
}
