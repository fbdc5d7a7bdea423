package lifecycle

import (
	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/internal/kernel"
	"github.com/minirt/minirt/internal/seccomp"
	"github.com/minirt/minirt/internal/systemd/unit"
	"github.com/minirt/minirt/rootfs"
)

// minVersion is the oldest version of the runtime-spec whose configs are taken.
const minVersion = "1.0.0"

// Features is the features document (features.md): what this build knows,
// whatever the host can do. It is made of the tables that the verbs use.
func Features() []byte {
	b := field(nil, `{"ociVersionMin":`, minVersion)
	b = field(b, `,"ociVersionMax":`, Version)
	b = appendStrings(append(b, `,"hooks":`...), hookNames())
	b = appendStrings(append(b, `,"mountOptions":`...), rootfs.Options())
	b = append(b, `,"linux":{"namespaces":[`...)
	for i, n := range kernel.Namespaces {
		b = json.AppendString(comma(b, i), string(n.Type))
	}
	b = append(b, `],"capabilities":[`...)
	for i := range kernel.LastCapability + 1 {
		b = json.AppendString(comma(b, i), kernel.CapabilityName(i))
	}
	b = append(b, `],"cgroup":{"v1":true,"v2":true,"systemd":true,"systemdUser":true,"rdma":true}`...)
	b = append(b, `,"seccomp":{"enabled":true`...)
	b = appendStrings(append(b, `,"actions":`...), seccomp.Actions())
	b = appendStrings(append(b, `,"operators":`...), seccomp.Operators())
	b = appendStrings(append(b, `,"archs":`...), seccomp.Architectures())
	b = appendStrings(append(b, `,"knownFlags":`...), seccomp.Flags())
	b = appendStrings(append(b, `,"supportedFlags":`...), seccomp.Flags())
	b = append(b, `},"apparmor":{"enabled":true},"selinux":{"enabled":true},"intelRdt":{"enabled":true,"schemata":true,"monitoring":true}`...)
	b = append(b, `,"memoryPolicy":{"modes":[`...)
	for i, m := range memoryModes {
		b = json.AppendString(comma(b, i), string(m.name))
	}
	b = append(b, `],"flags":[`...)
	for i, f := range memoryFlags {
		b = json.AppendString(comma(b, i), string(f.name))
	}
	b = append(b, `]},"mountExtensions":{"idmap":{"enabled":true}},"netDevices":{"enabled":true}}`...)
	return append(b, `,"potentiallyUnsafeConfigAnnotations":["`+unit.Annotation+`"]}`...)
}

func hookNames() (names []string) {
	for _, p := range [...]hookPlace{prestart, createRuntime, createContainer, startContainer, poststart, poststop} {
		names = append(names, p.name)
	}
	return names
}
