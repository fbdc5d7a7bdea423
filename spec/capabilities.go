package spec

import (
	"slices"
	"strings"

	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// capabilities holds the rules of config.md, Linux Process, capabilities: what
// is unknown or can't be granted is a warning, one for each name.
func (c *checker) capabilities(at *path, all *specs.LinuxCapabilities) {
	p := at.member("capabilities")
	var told []string
	set := func(name string, list []string) (set uint64) {
		for i, one := range list {
			if n, ok := kernel.Capability(one); ok {
				set |= 1 << n
			} else if len(told) <= json.MaxFaults && !slices.Contains(told, one) {
				told = append(told, one)
				c.warn(p.item(name, i), unknownCapability(one))
			}
		}
		return set
	}
	bounding := set("bounding", all.Bounding)
	permitted := set("permitted", all.Permitted)
	inheritable := set("inheritable", all.Inheritable)
	effective := set("effective", all.Effective)
	ambient := set("ambient", all.Ambient)
	c.ungranted(&p, "effective", effective&^permitted, "permitted")
	c.ungranted(&p, "inheritable", inheritable&^bounding, "bounding")
	c.ungranted(&p, "ambient", ambient&^(permitted&inheritable), "permitted and inheritable")
}

func unknownCapability(name string) string {
	text := "unknown capability " + quote(name) + ", not granted"
	if n := near(name, names(kernel.CapabilityName)); n != "" {
		text += ", did you mean " + quote(n)
	}
	return text
}

// ungranted warns of the capabilities that capset(2) and prctl(2) refuse since
// another set lacks them, at once for all of a set.
func (c *checker) ungranted(at *path, name string, refused uint64, other string) {
	if refused == 0 {
		return
	}
	var list []string
	for n := range kernel.LastCapability + 1 {
		if refused&(1<<n) != 0 {
			list = append(list, kernel.CapabilityName(n))
		}
	}
	c.warn(at.member(name), strings.Join(list, ", ")+" not granted, since not in "+other)
}
