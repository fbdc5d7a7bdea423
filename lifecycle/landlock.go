package lifecycle

import (
	"github.com/minirt/minirt/internal/landlock"
	"github.com/minirt/minirt/internal/plan"
	"github.com/minirt/minirt/spec"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// refuseLandlock tells what is wrong with the annotations for Landlock, and which of
// them this kernel can't heed.
func refuseLandlock(s *specs.Spec) spec.Faults {
	if !landlock.Asked(s.Annotations) {
		return nil
	}
	rules, faults := landlock.Read(s.Annotations)
	if len(faults) == 0 {
		_, faults = rules.Fit(landlockABI(s))
	}
	return faults
}

// landlockABI asks for the version of the kernel's Landlock (landlock(7)),
// if the config wants any of it; 0 if it has none, or has it turned off.
func landlockABI(s *specs.Spec) int {
	if !landlock.Asked(s.Annotations) {
		return 0
	}
	abi, _, errno := unix.RawSyscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(abi)
}

// landlock confines the stage, and so the program, by the rules that annotations
// ask for. It comes after the last mount, which a confined process can't
// make, and while the stage has the rights to confine itself without
// no_new_privs and to see each path. No later step is hindered: they open
// nothing but directories to enter, and execute the program alone.
func (c *compiler) landlock() error {
	if !landlock.Asked(c.spec.Annotations) {
		return nil
	}
	rules, faults := landlock.Read(c.spec.Annotations)
	if len(faults) > 0 {
		return faults
	}
	warnings, faults := rules.Fit(c.host.Landlock)
	if len(faults) > 0 {
		return faults
	}
	c.Warnings = append(c.Warnings, warnings...)
	if rules.FS|rules.Net|rules.Scope == 0 {
		return nil
	}
	c.At("annotations")
	const size = 24 // struct landlock_ruleset_attr; what an older kernel doesn't know is 0
	ruleset := c.Register("ruleset")
	c.Do(plan.LandlockCreateRuleset, c.Words(rules.FS, rules.Net, rules.Scope), size, 0).To(ruleset)
	c.allowPaths(ruleset, rules.Paths)
	const netPort = 2 // LANDLOCK_RULE_NET_PORT, Linux 6.7
	for _, p := range rules.Ports {
		c.At(p.Place)
		c.Do(plan.LandlockAddRule, ruleset, netPort, c.Words(p.Access, uint64(p.Port)), 0)
	}
	c.At("annotations")
	c.Do(plan.LandlockRestrictSelf, ruleset, 0)
	c.Do(plan.Close, ruleset)
	return nil
}

// allowPaths adds the rules for paths, which are looked for inside the root. The
// kernel takes no rule that allows a file what only directories have (EINVAL): a
// file gets the rest.
func (c *compiler) allowPaths(ruleset plan.Register, paths []landlock.Path) {
	if len(paths) == 0 {
		return
	}
	rule := c.Buffer("path_beneath", make([]byte, 16)) // struct landlock_path_beneath_attr, and four bytes
	access, file := c.Within(rule, 0, "allowed_access"), c.Within(rule, 8, "parent_fd")
	for _, p := range paths {
		c.At(p.Place)
		c.Do(plan.Openat2, atFDCWD, p.Path, c.How(unix.O_PATH|unix.O_CLOEXEC, 0, beneath), plan.HowSize).To(file)
		c.Do(plan.Test, p.Access).To(access)
		c.Do(plan.LandlockAddRule, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, rule, 0)
		if p.Access&^landlock.OfFiles != 0 && p.Access&landlock.OfFiles != 0 {
			c.Steps[c.Last()].Tolerate(unix.EINVAL).OnSuccess = 2
			c.Do(plan.Test, p.Access&landlock.OfFiles).To(access)
			c.Do(plan.LandlockAddRule, ruleset, unix.LANDLOCK_RULE_PATH_BENEATH, rule, 0)
		}
		c.Do(plan.Close, file)
	}
}
