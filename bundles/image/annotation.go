package image

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minirt/minirt/internal/systemd/unit"
)

// annotations are the image's labels, and what conversion.md makes of its
// configuration, where no label says otherwise.
func (i *image) annotations(warn func(string)) map[string]string {
	all := map[string]string{}
	add := func(key, value string) {
		if value != "" {
			all["org.opencontainers.image."+key] = value
		}
	}
	c := &i.config
	add("os", c.OS)
	add("architecture", c.Architecture)
	add("variant", c.Variant)
	add("os.version", c.OSVersion)
	add("os.features", strings.Join(c.OSFeatures, ","))
	add("author", c.Author)
	if c.Created != nil {
		add("created", c.Created.Format(time.RFC3339Nano))
	}
	add("stopSignal", c.Config.StopSignal)
	add("exposedPorts", strings.Join(slices.Sorted(maps.Keys(c.Config.ExposedPorts)), ","))
	for _, key := range slices.Sorted(maps.Keys(c.Config.Labels)) {
		if why := unfit(key); why != "" {
			warn("the image's label " + strconv.Quote(key) + " was left out: " + why)
			continue
		}
		all[key] = c.Config.Labels[key]
	}
	return all
}

// unfit tells why a label can't become an annotation. Those that the runtime
// obeys beyond the container are the caller's to set, never an image's
// (features.md, potentiallyUnsafeConfigAnnotations; SEC-42).
func unfit(key string) string {
	switch {
	case key == "":
		return "an annotation has a name"
	case strings.HasPrefix(key, unit.Annotation):
		return "it would set a property of the container's systemd unit"
	}
	return ""
}
