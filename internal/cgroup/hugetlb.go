package cgroup

import "github.com/opencontainers/runtime-spec/specs-go"

// hugepages compiles config-linux.md, Huge page limits: of reservations, where
// the kernel has that (Linux 5.7), else of page faults.
func (c *compiler) hugepages(list []specs.LinuxHugepageLimit) {
	for i := range list {
		path, size, value := at("linux.resources.hugepageLimits", i), list[i].Pagesize, natural(list[i].Limit)
		if !isPageSize(size) {
			c.fault(path+".pageSize", shown(size), "not of the form 64KB, 2MB, 1GB")
			continue
		}
		switch h := c.need("hugetlb", path+".limit", value); {
		case h == nil:
		case h.V2:
			c.put(withElse("hugetlb", path, "hugetlb."+size+".rsvd.max", value, "hugetlb."+size+".max", value))
		default:
			c.put(withElse("hugetlb", path, "hugetlb."+size+".rsvd.limit_in_bytes", value, "hugetlb."+size+".limit_in_bytes", value))
		}
	}
}

// isPageSize keeps all else out of a file's name (SEC-14). Whether there are
// pages of the size, the kernel tells by the file.
func isPageSize(s string) bool {
	n := len(s) - 2
	if n < 1 || s[n+1] != 'B' || s[n] != 'K' && s[n] != 'M' && s[n] != 'G' || s[0] == '0' {
		return false
	}
	for i := 0; i < n; i++ {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}
