package bundles

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestScriptsBringTheirInterpreters(t *testing.T) {
	t.Parallel()
	program := elfText(fake{})
	tests := []struct {
		name, script string
		want         []string // beside the script
		err          string
	}{
		{name: "an interpreter", script: "#!/bin/sh\necho\n", want: []string{"/bin/sh"}},
		{name: "with an argument", script: "#! \t/bin/sh -e x\necho\n", want: []string{"/bin/sh"}},
		{name: "with no line behind", script: "#!/bin/sh", want: []string{"/bin/sh"}},
		{name: "a chain", script: "#!/bin/two\n", want: []string{"/bin/sh", "/bin/two"}},
		{name: "env", script: "#!/usr/bin/env python3\n", want: []string{"/usr/bin/env", "/usr/bin/python3", "/usr/bin/python3.11"}},
		{name: "env with options", script: "#!/usr/bin/env -S -i A=b python3 -u\n", want: []string{"/usr/bin/env", "/usr/bin/python3", "/usr/bin/python3.11"}},
		{name: "env with a path", script: "#!/usr/bin/env /bin/sh\n", want: []string{"/bin/sh", "/usr/bin/env"}},
		{name: "env with a script", script: "#!/usr/bin/env two\n", want: []string{"/bin/sh", "/bin/two", "/usr/bin/env"}},
		{name: "env alone", script: "#!/usr/bin/env\n", want: []string{"/usr/bin/env"}},
		{name: "a text", script: "echo hello\n", err: `"/bin/script": neither an ELF program nor a script that begins with "#!"`},
		{name: "an empty file", script: "", err: `"/bin/script": neither an ELF program nor a script that begins with "#!"`},
		{name: "no interpreter", script: "#!\n", err: `"/bin/script": its interpreter "" isn't an absolute path`},
		{name: "a relative interpreter", script: "#!sh\n", err: `"/bin/script": its interpreter "sh" isn't an absolute path`},
		{name: "a missing interpreter", script: "#!/bin/none\n", err: `"/bin/script" needs the interpreter "/bin/none": no such file or directory`},
		{name: "a missing program for env", script: "#!/usr/bin/env ruby\n",
			err: `"/bin/script" needs the interpreter "ruby": executable file not found in PATH "` + defaultPath + `"`},
		{name: "a line longer than the kernel reads", script: "#!/" + strings.Repeat("x", 300) + "\n",
			err: `"/bin/script": the interpreter's path is longer than the 256 bytes that the kernel reads`},
		{name: "a script that interprets itself", script: "#!/bin/script\n", err: `"/bin/script": more than 5 interpreters follow one another`},
		{name: "env that is a script for env", script: "#!/opt/env env\n", err: `"/opt/env": more than 5 interpreters follow one another`},
		{name: "an interpreter that isn't executable", script: "#!/bin/data\n", err: `"/bin/data": permission denied: it isn't executable`},
		{name: "an interpreter for another machine", script: "#!/bin/foreign\n", err: `"/bin/foreign": made for another architecture (powerpc64, 64 bits)`},
		{name: "an interpreter that is an object file", script: "#!/bin/object\n", err: `"/bin/object": an ELF file, but no program`},
		{name: "an interpreter that is a directory", script: "#!/bin\n", err: `"/bin/script" needs the interpreter "/bin": is a directory`},
		{name: "an interpreter below a file", script: "#!/bin/sh/x\n", err: `"/bin/script" needs the interpreter "/bin/sh/x": not a directory`},
		{name: "an interpreter behind a loop of links", script: "#!/bin/loop\n", err: `"/bin/script" needs the interpreter "/bin/loop": too many levels of symbolic links`},
		{name: "an interpreter that is a FIFO", script: "#!/bin/fifo\n", err: `"/bin/script" needs the interpreter "/bin/fifo": not a regular file`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host := hostOf(t, map[string]string{
				"/bin/script": test.script, "/bin/sh": program, "/bin/two": "#!/bin/sh\n",
				"/usr/bin/env": program, "/usr/bin/python3": "-> python3.11", "/usr/bin/python3.11": program,
				"/opt/env": "#!/opt/env env\n", "/usr/local/bin/env": "-> /opt/env", "/bin/data": program, "/bin/loop": "-> loop",
				"/bin/foreign": elfText(fake{machine: 21}), "/bin/object": elfText(fake{kind: 1}),
			})
			check(t, os.Chmod(host+"/bin/data", 0o644))
			check(t, unix.Mkfifo(host+"/bin/fifo", 0o755))
			tree := newTree(host)
			err := addProgram(tree, "/bin/script", 0)
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Errorf("error %v, not %s", err, test.err)
				}
				return
			}
			check(t, err)
			want := append([]string{"/bin/script"}, test.want...)
			slices.Sort(want)
			if diff := cmp.Diff(want, laid(tree)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// It changes the working directory: not in parallel.
func TestProgramsAreLookedUpAsExecvpDoes(t *testing.T) {
	host := hostOf(t, map[string]string{"/a/data": "", "/b/p": "", "/c/p": "", "/c/data": "", "/here/p": "", "/b/dir/x": ""})
	check(t, os.Chmod(host+"/a/data", 0o644))
	t.Chdir(host + "/here")
	wd, err := os.Getwd()
	check(t, err)
	path := host + "/a:" + host + "/b:" + host + "/c"
	tests := []struct{ name, path, want, err string }{
		{"p", path, host + "/b/p", ""},
		{"data", path, host + "/c/data", ""}, // the first can't be executed
		{"dir", path, "", `"dir": executable file not found in PATH "` + path + `"`},
		{"p", "", wd + "/p", ""}, // an empty entry is the working directory
		{"p", host + "/a:", wd + "/p", ""},
		{"p", "../b", wd + "/../b/p", ""},
		{"/x/y", path, "/x/y", ""},
		{"./p", path, wd + "/p", ""},
		{"//x/./y", path, "/x/y", ""},
		{"../b/p", path, wd + "/../b/p", ""},
		{"none", path, "", `"none": executable file not found in PATH "` + path + `"`},
		{"", path, "", "the program has no name"},
	}
	for _, test := range tests {
		got, err := lookUp("", test.name, test.path)
		message := ""
		if err != nil {
			message = err.Error()
		}
		if got != test.want && test.err == "" || message != test.err {
			t.Errorf("%q along %q is %q (%v), not %q (%s)", test.name, test.path, got, err, test.want, test.err)
		}
	}
}
