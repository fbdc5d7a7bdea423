package cgroup

import (
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// rdma compiles config-linux.md, RDMA: the same file in both versions.
func (c *compiler) rdma(devices map[string]specs.LinuxRdma) {
	for _, name := range keys(devices) {
		d, path, value := devices[name], entry("linux.resources.rdma", name), name
		if name == "" || strings.ContainsAny(name, " \t\n\x00") {
			c.fault(path, shown(name), "no name of a device")
			continue
		}
		if d.HcaHandles == nil && d.HcaObjects == nil {
			c.fault(path, shown(name), "has neither hcaHandles nor hcaObjects")
			continue
		}
		if d.HcaHandles != nil {
			value += " hca_handle=" + natural(uint64(*d.HcaHandles))
		}
		if d.HcaObjects != nil {
			value += " hca_object=" + natural(uint64(*d.HcaObjects))
		}
		if c.need("rdma", path, shown(value)) != nil {
			c.put(Write{Controller: "rdma", Path: path, File: "rdma.max", Value: value})
		}
	}
}

// keys in order: a map of the same content gives the same writes.
func keys[V any](m map[string]V) []string {
	if len(m) == 0 {
		return nil
	}
	list := make([]string, 0, len(m))
	for k := range m {
		list = append(list, k)
	}
	slices.Sort(list)
	return list
}
