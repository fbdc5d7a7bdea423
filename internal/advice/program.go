package advice

import (
	"path"
	"strings"

	"golang.org/x/sys/unix"
)

// programs are rows of a program of the container that can't be found or run.
var programs = []row{
	{"program-empty-root", "the program is missing, and so is all else: the root file system is an empty directory",
		"{} is empty: fill it, for example by minirt deploy, or by unpacking an image there", func(f *Failure, h Facts) []string {
			if missing(f) && f.Rootfs != "" && h.Look("/", f.Rootfs).Mode != 0 && len(h.Names(f.Rootfs)) == 0 {
				return say(f.Rootfs)
			}
			return nil
		}},
	{"program-command-line", "process.args[0] is a whole command line",
		"process.args is a list, one word an entry: {text}; a shell's line goes behind \"sh\", \"-c\"", func(f *Failure, h Facts) []string {
			if missing(f) && strings.ContainsAny(f.Program, " \t") {
				return say(`["` + strings.Join(strings.Fields(f.Program), `", "`) + `"]`)
			}
			return nil
		}},
	{"program-not-in-path", "a program without a path is in the root file system, but in no directory of PATH",
		"it is {}: name it so, or put {} into the PATH of process.env", func(f *Failure, h Facts) []string {
			if !searched(f) || locate(f, h).known() {
				return nil
			}
			for _, dir := range usual {
				if p := dir + "/" + f.Program; target(f, h, p).executable() {
					return say(p, dir)
				}
			}
			return nil
		}},
	{"program-noexec", "the root file system, or the mount that the program is on, is mounted noexec",
		"{} is mounted noexec: use mount -o remount,exec {}, or put the root file system elsewhere", func(f *Failure, h Facts) []string {
			if p := locate(f, h); (denied(f) || searched(f)) && p.regular() && p.Flags&unix.ST_NOEXEC != 0 {
				m := mountOf(h, p.host).point
				return say(m, m)
			}
			return nil
		}},
	{"program-noexec-option", "the program is on a mount of the container's own that has the option noexec",
		"take noexec out of mounts[{}].options", func(f *Failure, h Facts) []string {
			if p := locate(f, h); (denied(f) || searched(f)) && p.mount != "" && p.regular() && p.noexec {
				return say(p.mount)
			}
			return nil
		}},
	{"interpreter-crlf", "a script's first line ends as in Windows' files, with a carriage return that counts as a part of the interpreter's name",
		"the first line ends with a carriage return: sed -i 's/\\r$//' {} takes them out", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if i := interpreter(p.Head); missing(f) && strings.HasSuffix(i, "\r") {
				return say(p.host)
			}
			return nil
		}},
	{"interpreter-missing", "the program is a script whose interpreter is not in the root file system",
		"the first line of {} asks for {}, which is not in the root file system: put it there, or name another interpreter", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if i := interpreter(p.Head); missing(f) && i != "" && target(f, h, i).absent() {
				return say(p.path, i)
			}
			return nil
		}},
	{"loader-missing", "the program is linked dynamically, and its dynamic loader is not in the root file system: the kernel says of the program itself that there is no such file",
		"{} needs {}, which is not in the root file system: copy it there with the libraries that it loads, or take a program that is linked statically", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if l := loader(p.Head); missing(f) && l != "" && target(f, h, l).absent() {
				return say(p.path, l)
			}
			return nil
		}},
	{"program-only-on-host", "the program is on the host, but not in the root file system",
		"the host has it, the root file system hasn't: copy it to {} with the libraries that it loads, as minirt deploy does", func(f *Failure, h Facts) []string {
			if missing(f) && path.IsAbs(f.Program) && locate(f, h).absent() && (place{File: h.Look("/", f.Program)}).executable() {
				return say(f.Rootfs + f.Program)
			}
			return nil
		}},
	{"program-other-architecture", "the program is made for another processor",
		"{} is for {text}, and this machine is {}: take the root file system of that architecture", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if m := machineOf(p.Head); f.Errno == unix.ENOEXEC && m != "" && m != here {
				return say(p.path, m, here)
			}
			return nil
		}},
	{"program-empty", "the program is an empty file",
		"{} is empty: copy it once more", func(f *Failure, h Facts) []string {
			if p := locate(f, h); ownProgram(f) && f.Errno == unix.ENOEXEC && p.known() && p.Head == "" && readable(h) {
				return say(p.host)
			}
			return nil
		}},
	{"program-no-interpreter", "the program is a text without a first line that names its interpreter",
		"begin {} with a line such as #!/bin/sh", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if ownProgram(f) && f.Errno == unix.ENOEXEC && isText(p.Head) && !strings.HasPrefix(p.Head, "#!") {
				return say(p.host)
			}
			return nil
		}},
	{"program-not-executable", "the program has no permission to be executed, for anybody",
		"use chmod +x {}", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if (denied(f) || missing(f)) && p.regular() && p.Mode&0o111 == 0 {
				return say(p.host)
			}
			return nil
		}},
	{"program-directory-closed", "the program's user may not enter a directory on the way to it",
		"user {} may not enter {}: use chmod o+x {}, or name another process.user", func(f *Failure, h Facts) []string {
			if !denied(f) && !searched(f) {
				return nil
			}
			if uid, dir := closed(f, h, locate(f, h).path); dir != "" {
				return say(uid, dir, dir)
			}
			return nil
		}},
	{"program-not-for-user", "the program may be executed, but not by process.user",
		"only others than user {} may execute {}: use chmod o+rx {}, or name another process.user", func(f *Failure, h Facts) []string {
			p := locate(f, h)
			if uid := f.uid(); (denied(f) || missing(f)) && p.regular() && uid != 0 && p.Mode&0o111 != 0 && !f.may(p.File, 1) {
				return say(number(uid), p.host, p.host)
			}
			return nil
		}},
	{"program-is-directory", "process.args[0] names a directory",
		"name a file in {}", func(f *Failure, h Facts) []string {
			if ownProgram(f) && f.Errno == unix.EISDIR {
				return say(f.Program)
			}
			return nil
		}},
}

// usual are the directories where programs are looked for beside PATH.
var usual = [...]string{"/bin", "/usr/bin", "/sbin", "/usr/sbin", "/usr/local/bin", "/usr/local/sbin", "/usr/games", "/busybox", "/opt/bin", "/app", "/usr/libexec"}

// ownProgram tells that the container's program is what failed, and no hook's.
func ownProgram(f *Failure) bool {
	return f.Program != "" && f.Kind == Other && !strings.HasPrefix(f.Path, "hooks.")
}

func missing(f *Failure) bool { return ownProgram(f) && f.Errno == unix.ENOENT }

func denied(f *Failure) bool { return ownProgram(f) && f.Errno == unix.EACCES }

// searched tells that PATH has been searched in vain.
func searched(f *Failure) bool { return missing(f) && !strings.Contains(f.Program, "/") }
