package bundles

import (
	"errors"
	"fmt"
	"os"
	"path"
	"runtime"
	"strings"
)

// glibcDirs are the directories that glibc's loader searches when nothing else
// says where: Debian's, with the machine's name in them, and those of all others.
func glibcDirs(a arch) []string {
	var dirs []string
	if m := multiarch(a); m != "" {
		dirs = append(dirs, "/lib/"+m, "/usr/lib/"+m)
	}
	if a.bits == 64 {
		dirs = append(dirs, "/lib64", "/usr/lib64")
	}
	return append(dirs, "/lib", "/usr/lib")
}

// muslDirs are the directories of musl's loader at self: those in the path file
// that stands beside its directory, or three of its own. The file goes along.
func muslDirs(t *tree, self string) ([]string, error) {
	name := strings.TrimSuffix(path.Base(self), ".so.1") + ".path" // ld-musl-x86_64.path
	file := path.Join(path.Dir(path.Dir(self)), "etc", name)
	text, err := t.read(file, 1<<20)
	if errors.Is(err, os.ErrNotExist) {
		return []string{"/lib", "/usr/local/lib", "/usr/lib"}, nil
	}
	if err != nil {
		return nil, err
	}
	_, err = t.addFile(file)
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == ':' || r == '\n' }), err
}

// multiarch is the machine's name in Debian's directories; "" for one that minirt can't run on.
func multiarch(a arch) string {
	switch a {
	case arch{64, emX86_64}:
		return "x86_64-linux-gnu"
	case arch{64, emAARCH64}:
		return "aarch64-linux-gnu"
	case arch{32, em386}:
		return "i386-linux-gnu"
	case arch{32, emARM}:
		return "arm-linux-gnueabihf"
	case arch{32, emX86_64}:
		return "x86_64-linux-gnux32"
	}
	return ""
}

// platform is what $PLATFORM stands for, the kernel's AT_PLATFORM.
func platform(a arch) string {
	switch a.machine {
	case emX86_64:
		return "x86_64"
	case emAARCH64:
		return "aarch64"
	case em386:
		return "i686"
	}
	return "v7l"
}

// String names the architecture as uname(1) does, if it is a usual one.
func (a arch) String() string {
	names := map[uint16]string{
		em386: "i686", 8: "mips", 21: "powerpc64", 22: "s390", emARM: "arm", emX86_64: "x86_64", emAARCH64: "aarch64", 243: "riscv", 258: "loongarch",
	}
	name, ok := names[a.machine]
	if !ok {
		name = fmt.Sprintf("ELF machine %d", a.machine)
	}
	return fmt.Sprintf("%s, %d bits", name, a.bits)
}

// runsHere tells whether this machine's kernel runs programs of a: its own, and
// the 32-bit ones of the same family.
func runsHere(a arch) bool {
	switch runtime.GOARCH {
	case "amd64":
		return a == arch{64, emX86_64} || a == arch{32, em386} || a == arch{32, emX86_64}
	case "arm64":
		return a == arch{64, emAARCH64} || a == arch{32, emARM}
	}
	return false
}
