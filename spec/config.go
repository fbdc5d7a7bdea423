package spec

import (
	"strconv"
	"strings"

	"github.com/minirt/minirt/internal/kernel"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// spec holds the rules of config.md, chapter by chapter, and those that go
// across chapters.
func (c *checker) spec(s *specs.Spec) {
	root := &path{}
	c.version(root.member("ociVersion"), s.Version)
	if s.Root != nil && s.Root.Path == "" {
		r := root.member("root")
		c.fault(r.member("path"), "is empty")
	}
	if s.Process != nil {
		p := root.member("process")
		c.process(&p, s.Process)
	}
	if s.Hooks != nil {
		h := root.member("hooks")
		c.hooks(&h, s.Hooks)
	}
	if s.Annotations != nil {
		a := root.member("annotations")
		c.annotations(&a, s.Annotations)
	}
	linux := s.Linux
	if linux == nil {
		linux = &specs.Linux{}
	}
	l := root.member("linux")
	ns := c.namespaces(&l, linux.Namespaces)
	c.names(root, s, ns)
	c.mounts(root, s.Mounts, ns)
	c.linux(&l, linux, ns)
	if s.Process != nil {
		p := root.member("process")
		c.mapped(&p, s.Process, linux, ns)
	}
}

// version is the rule of config.md, Specification version. The text lets a
// runtime refuse a newer minor version; what engines send is newer at times and
// works, so it is a warning.
func (c *checker) version(at path, v string) {
	major, minor, ok := semver(v)
	switch {
	case !ok:
		c.fault(at, quote(v)+" is not a version such as "+quote(specs.Version)+" (SemVer 2.0.0)")
	case major != strconv.Itoa(specs.VersionMajor):
		c.fault(at, quote(v)+" is another major version, want "+strconv.Itoa(specs.VersionMajor)+".x.y")
	case newer(minor, specs.VersionMinor):
		c.warn(at, quote(v)+" is newer than "+quote(specs.Version)+", which is what minirt knows")
	}
}

// newer compares a number of any length.
func newer(digits string, than int) bool {
	n, err := strconv.Atoi(digits)
	return err != nil || n > than
}

// semver takes a version of SemVer 2.0.0 apart.
func semver(v string) (major, minor string, ok bool) {
	v, build, hasBuild := strings.Cut(v, "+")
	v, pre, hasPre := strings.Cut(v, "-")
	numbers := strings.Split(v, ".")
	if len(numbers) != 3 || hasBuild && !identifiers(build, false) || hasPre && !identifiers(pre, true) {
		return "", "", false
	}
	for _, n := range numbers {
		if !isDigits(n) || len(n) > 1 && n[0] == '0' {
			return "", "", false
		}
	}
	return numbers[0], numbers[1], true
}

// identifiers checks the part behind - or +: words with dots between them. In
// the former no number may begin with 0.
func identifiers(s string, pre bool) bool {
	for word := range strings.SplitSeq(s, ".") {
		if word == "" || pre && isDigits(word) && len(word) > 1 && word[0] == '0' {
			return false
		}
		for i := range len(word) {
			c := word[i]
			if c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
				return false
			}
		}
	}
	return true
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// names are the rules for hostname and domainname: without a UTS namespace of
// the container's own they would rename the host.
func (c *checker) names(root *path, s *specs.Spec, ns namespaces) {
	const most = 64 // __NEW_UTS_LEN
	for _, n := range [...]struct{ member, value string }{{"hostname", s.Hostname}, {"domainname", s.Domainname}} {
		if n.value == "" {
			continue
		}
		if !ns.own(unix.CLONE_NEWUTS) {
			c.fault(root.member(n.member), quote(n.value)+" "+needs(specs.UTSNamespace))
		}
		if len(n.value) > most {
			c.fault(root.member(n.member), quote(n.value)+" has "+strconv.Itoa(len(n.value))+" bytes, more than "+strconv.Itoa(most))
		}
	}
}

// annotations are the rules of config.md, Annotations.
func (c *checker) annotations(at *path, all map[string]string) {
	const stopSignal = "org.opencontainers.image.stopSignal"
	if _, empty := all[""]; empty {
		c.fault(at.member(""), "an annotation's key is empty")
	}
	if s, ok := all[stopSignal]; ok {
		if _, ok := kernel.Signal(s); !ok {
			c.warn(at.member(stopSignal), "unknown signal "+quote(s)+", kill will not use it")
		}
	}
}

// hooks are the rules of config.md, POSIX-platform Hooks.
func (c *checker) hooks(at *path, h *specs.Hooks) {
	for _, list := range [...]struct {
		name  string
		hooks []specs.Hook
	}{
		{"prestart", h.Prestart}, {"createRuntime", h.CreateRuntime}, {"createContainer", h.CreateContainer},
		{"startContainer", h.StartContainer}, {"poststart", h.Poststart}, {"poststop", h.Poststop},
	} {
		for i := range list.hooks {
			hook, p := &list.hooks[i], at.item(list.name, i)
			c.absolute(p.member("path"), hook.Path)
			if t := hook.Timeout; t != nil && *t <= 0 {
				c.fault(p.member("timeout"), strconv.Itoa(*t)+" is not greater than zero")
			}
		}
	}
}
