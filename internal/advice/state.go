package advice

import (
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// states are rows of containers that are there, or aren't, or are in another state.
var states = []row{
	{"id-taken-by-stopped", "a stopped container has the id",
		"minirt delete {} removes the stopped one", func(f *Failure, h Facts) []string {
			if f.Kind == Exist && h.Status(f.ID) == "stopped" {
				return say(f.ID)
			}
			return nil
		}},
	{"id-taken", "a container that is alive has the id",
		"it is {}: take another id, or use minirt delete --force {}", func(f *Failure, h Facts) []string {
			if f.Kind != Exist {
				return nil
			}
			if s := h.Status(f.ID); s != "" {
				return say(s, f.ID)
			}
			return nil
		}},
	{"id-in-other-root", "there is no such container in this state root, but in another",
		"there is one in {}: use --root {}", func(f *Failure, h Facts) []string {
			if f.Kind != NotExist || f.ID == "" || len(h.Roots()) < 2 {
				return nil
			}
			for _, root := range h.Roots()[1:] {
				if isDir(h, path.Join(root, f.ID)) {
					return say(root, root)
				}
			}
			return nil
		}},
	{"id-shortened", "there is no such container, but one whose id begins so",
		"ids can't be shortened: it is {}", func(f *Failure, h Facts) []string {
			if f.Kind != NotExist || f.ID == "" || len(h.Roots()) == 0 {
				return nil
			}
			found := ""
			for _, name := range h.Names(h.Roots()[0]) {
				if strings.HasPrefix(name, f.ID) && found != "" {
					return nil
				}
				if strings.HasPrefix(name, f.ID) {
					found = name
				}
			}
			return only(found)
		}},
	{"id-unknown", "there is no such container, but others",
		"minirt list shows which there are", func(f *Failure, h Facts) []string {
			if f.Kind == NotExist && len(h.Roots()) > 0 && len(h.Names(h.Roots()[0])) > 0 {
				return say()
			}
			return nil
		}},
	{"delete-alive", "only stopped and created containers are deleted without force",
		"end it first by minirt kill {} KILL, or use minirt delete --force {}", func(f *Failure, h Facts) []string {
			if f.Kind == WrongStatus && f.Verb == "delete" {
				return say(f.ID, f.ID)
			}
			return nil
		}},
	{"start-stopped", "a container runs once",
		"use minirt delete {}, then minirt create and minirt start once more", func(f *Failure, h Facts) []string {
			if f.Kind == WrongStatus && f.Verb == "start" && f.Status == "stopped" {
				return say(f.ID)
			}
			return nil
		}},
	{"start-running", "it has been started already",
		"minirt exec {} PROGRAM runs one more program in it", func(f *Failure, h Facts) []string {
			if f.Kind == WrongStatus && f.Verb == "start" && f.Status == "running" {
				return say(f.ID)
			}
			return nil
		}},
	{"start-paused", "it is paused",
		"use minirt resume {}", func(f *Failure, h Facts) []string {
			if f.Kind == WrongStatus && f.Verb == "start" && f.Status == "paused" {
				return say(f.ID)
			}
			return nil
		}},
	{"exec-stopped", "nothing can be run in a container whose process has ended",
		"use minirt delete {}, and run it anew with a process.args that stays", func(f *Failure, h Facts) []string {
			if f.Kind == WrongStatus && f.Verb == "exec" && f.Status == "stopped" {
				return say(f.ID)
			}
			return nil
		}},
	{"exec-paused", "nothing runs in a paused container",
		"use minirt resume {} first", func(f *Failure, h Facts) []string {
			if f.Kind == WrongStatus && f.Verb == "exec" && f.Status == "paused" {
				return say(f.ID)
			}
			return nil
		}},
	{"pause-paused", "it is paused already",
		"it is paused: minirt resume {} lets it go on", func(f *Failure, h Facts) []string {
			if f.Kind == NotRunning && f.Verb == "pause" && h.Status(f.ID) == "paused" {
				return say(f.ID)
			}
			return nil
		}},
	{"not-running", "the container's process has ended",
		"it has ended: minirt delete {} removes it", func(f *Failure, h Facts) []string {
			if f.Kind == NotRunning && h.Status(f.ID) == "stopped" {
				return say(f.ID)
			}
			return nil
		}},
}

// files are rows of files and sockets that the caller names.
var files = []row{
	{"pid-file-directory", "the directory of --pid-file is not there",
		"use mkdir -p {}", func(f *Failure, h Facts) []string { return f.directory(h, "--pid-file") }},
	{"log-directory", "the directory of --log is not there",
		"use mkdir -p {}", func(f *Failure, h Facts) []string { return f.directory(h, "--log") }},
	{"terminal-without-socket", "the process has a terminal, and nobody is named who gets it",
		"minirt run without --detach uses this terminal; without one, set process.terminal to false", func(f *Failure, h Facts) []string {
			if f.Kind == NoSocket {
				return say()
			}
			return nil
		}},
	{"socket-missing", "the console socket or pidfd socket is not there",
		"make {} by starting first what is to listen there; without it, minirt run uses this terminal", func(f *Failure, h Facts) []string {
			if f.socket() && f.Errno == unix.ENOENT {
				return say(f.File)
			}
			return nil
		}},
	{"socket-refused", "nobody listens on the console socket or pidfd socket any more",
		"what listened on {} has ended: start it anew", func(f *Failure, h Facts) []string {
			if f.socket() && f.Errno == unix.ECONNREFUSED {
				return say(f.File)
			}
			return nil
		}},
	{"state-root-of-root", "an ordinary user has no XDG_RUNTIME_DIR, so that root's states are looked for",
		"export XDG_RUNTIME_DIR=/run/user/{}, or name a directory of your own with --root", func(f *Failure, h Facts) []string {
			if f.Flag == "--root" && h.UID() != 0 && strings.HasPrefix(f.File, "/run/minirt") {
				return say(itoa(h.UID()))
			}
			return nil
		}},
	{"state-root-read-only", "the state root lies on a file system that is read-only",
		"{} is read-only: name another directory with --root", func(f *Failure, h Facts) []string {
			if f.Flag == "--root" && f.Errno == unix.EROFS {
				return say(mountOf(h, f.File).point)
			}
			return nil
		}},
	{"state-root-denied", "the caller may not make the state root",
		"make {} as root and give it to user {} with mode 0700, or name another with --root", func(f *Failure, h Facts) []string {
			if f.Flag == "--root" && f.Errno == unix.EACCES {
				return say(f.File, itoa(h.UID()))
			}
			return nil
		}},
}

// directory is the one that a file's path lacks.
func (f *Failure) directory(h Facts, flag string) []string {
	if dir := path.Dir(f.File); f.Flag == flag && f.Errno == unix.ENOENT && h.Look("/", dir).Mode == 0 {
		return say(dir)
	}
	return nil
}

func (f *Failure) socket() bool { return f.Flag == "console socket" || f.Flag == "pidfd socket" }

// hooks are rows of hooks.
var hooks = []row{
	{"hook-missing-inside", "a startContainer hook is not in the container",
		"startContainer hooks are looked for in the container: put it to {}, or make it a createRuntime hook", func(f *Failure, h Facts) []string {
			if f.hook("startContainer") && f.Errno == unix.ENOENT && target(f, h, f.Program).absent() {
				return say(path.Join(f.Rootfs, f.Program))
			}
			return nil
		}},
	{"hook-missing", "a hook's program is not on the host",
		"hooks are looked for on the host, not in the container: put it to {}, or take {} out", func(f *Failure, h Facts) []string {
			if f.hook("") && !f.hook("startContainer") && f.Errno == unix.ENOENT && h.Look("/", f.Program).Mode == 0 {
				return say(f.Program, f.Path)
			}
			return nil
		}},
	{"hook-interpreter-missing", "a hook is a script whose interpreter is not there",
		"the first line of {} asks for {text}, which is not there", func(f *Failure, h Facts) []string {
			if !f.hook("") || f.Errno != unix.ENOENT {
				return nil
			}
			if i := interpreter(h.Look("/", f.Program).Head); i != "" {
				return say(f.Program, strconv.Quote(i))
			}
			return nil
		}},
	{"hook-not-executable", "a hook's program has no permission to be executed",
		"use chmod +x {}", func(f *Failure, h Facts) []string {
			if !f.hook("") || f.Errno != unix.EACCES {
				return nil
			}
			if p := h.Look("/", f.Program); p.Mode&unix.S_IFMT == unix.S_IFREG && p.Mode&0o111 == 0 {
				return say(f.Program)
			}
			return nil
		}},
	{"hook-no-interpreter", "a hook is a text without a first line that names its interpreter",
		"begin {} with a line such as #!/bin/sh", func(f *Failure, h Facts) []string {
			if !f.hook("") || f.Errno != unix.ENOEXEC {
				return nil
			}
			if text := h.Look("/", f.Program).Head; isText(text) && !strings.HasPrefix(text, "#!") {
				return say(f.Program)
			}
			return nil
		}},
	{"hook-timeout", "a hook took longer than its timeout",
		"raise {}.timeout, or find out what {} waits for", func(f *Failure, h Facts) []string {
			if f.Kind == Timeout {
				return say(f.Path, f.Program)
			}
			return nil
		}},
}

// hook tells whether a hook of that kind, of any where it is "", has failed.
func (f *Failure) hook(kind string) bool {
	return f.Program != "" && strings.HasPrefix(f.Path, "hooks."+kind)
}
