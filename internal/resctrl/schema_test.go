package resctrl

import "testing"

func TestASchemaIsMetByEqualDomainsHoweverTheyAreWritten(t *testing.T) {
	t.Parallel()
	const file = "    L3:0=fffff;1=00ff\n    MB:0= 100;1=  20\n  L3CODE:0=1\n"
	for line, want := range map[string]bool{
		"L3:0=fffff;1=ff":    true,
		"L3:1=0xFF":          true, // some domains
		"L3: 1=ff ; 0=FFFFF": true,
		"L3:0=ffff":          false,
		"L3:2=fffff":         false, // no such domain
		"L2:0=f":             false, // no such resource
		"L3CODE:0=1":         true,
		"MB:0=100;1=20":      true,
		"MB:1=11":            true, // the kernel rounds up to 20
		"MB:1=10":            false,
		"MB:0=0x100":         false,
		"MB:0":               false,
		"MB":                 false,
		"":                   false,
	} {
		if got := has(file, line, 10); got != want {
			t.Errorf("%q: %v", line, got)
		}
	}
}

func TestTheMountPointIsFoundInMountinfo(t *testing.T) {
	t.Parallel()
	for _, c := range [][2]string{
		{"", ""},
		{"22 1 0:20 / /sys rw - sysfs sysfs rw\n", ""},
		{"40 22 0:33 / /sys/fs/resctrl rw,relatime shared:1 master:2 - resctrl resctrl rw\n", "/sys/fs/resctrl"},
		{"40 22 0:33 / /a\\040b\\134 rw - resctrl none rw,cdp\n", `/a b\`},
		{"40 22 0:33 /sub /sub rw - resctrl resctrl rw\n", ""}, // a part of it, bound
		{"40 22 0:33 / /resctrl rw - tmpfs resctrl rw\n", ""},  // a name isn't a type
		{"1 2 0:3 / /a rw - resctrl r rw\n1 2 0:3 / /b rw - resctrl r rw", "/b"},
	} {
		if got := Find([]byte(c[0])); got != c[1] {
			t.Errorf("%q: %q", c[0], got)
		}
	}
}
