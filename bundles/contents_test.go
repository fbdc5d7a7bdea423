package bundles

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// glibcHost is a host with a dynamic program and more; files are added to it.
func glibcHost(t *testing.T, files map[string]string) string {
	lib := elfText(fake{})
	all := map[string]string{
		"/bin/p":         elfText(fake{interp: "/lib/ld-linux.so.2", needed: []string{"libc.so.6"}}),
		"/bin/static":    lib,
		"/lib/libc.so.6": lib, "/lib/ld-linux.so.2": lib,
		"/lib/liba.so": elfText(fake{needed: []string{"libb.so", "libc.so.6"}}), "/lib/libb.so": lib,
	}
	for path, text := range files {
		all[path] = text
	}
	return hostOf(t, all)
}

func TestFurtherProgramsAndLibrariesBringWhatTheyNeed(t *testing.T) {
	t.Parallel()
	host := glibcHost(t, map[string]string{
		"/usr/bin/script": "#!/bin/static\n",
		"/opt/plugin.so":  elfText(fake{needed: []string{"liba.so"}, runpath: "/opt"}),
		"/opt/liba.so":    elfText(fake{}),
		"/opt/foreign.so": elfText(fake{machine: 21, needed: []string{"liba.so"}}),
	})
	base := []string{"/bin/p", "/lib/ld-linux.so.2", "/lib/libc.so.6"}
	tests := []struct {
		with string
		want []string // beside base
		err  string
	}{
		{with: "/usr/bin/script", want: []string{"/bin/static", "/usr/bin/script"}},
		{with: "script", want: []string{"/bin/static", "/usr/bin/script"}},
		{with: "libb.so", want: []string{"/lib/libb.so"}},
		{with: "liba.so", want: []string{"/lib/liba.so", "/lib/libb.so"}},
		{with: "libc.so.6"},
		{with: "/opt/plugin.so", want: []string{"/opt/liba.so", "/opt/plugin.so"}},
		{with: "/opt/foreign.so", err: `"/opt/foreign.so": a shared library, and no program here loads libraries of its kind`},
		{with: "none.so.1", err: `"none.so.1": neither a program along PATH nor a library that the programs here would find`},
		{with: "none", err: `"none": executable file not found in PATH`},
		{with: "/none.so", err: `"/none.so": no such file or directory`},
		{with: "", err: "the program has no name"},
	}
	for _, test := range tests {
		tree := newTree(host)
		check(t, addProgram(tree, "/bin/p", 0))
		err := Contents{With: []string{test.with}}.addTo(tree)
		if test.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), test.err) {
				t.Errorf("%s: %v; not %s", test.with, err, test.err)
			}
			continue
		}
		check(t, err)
		want := slices.Sorted(slices.Values(append(test.want, base...)))
		if diff := cmp.Diff(want, laid(tree)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.with, diff)
		}
	}
}

func TestAllThatIsMissingIsNamedAtOnce(t *testing.T) {
	t.Parallel()
	host := glibcHost(t, map[string]string{
		"/bin/q": elfText(fake{interp: "/lib/ld-linux.so.2", needed: []string{"liba.so", "libx.so", "liby.so"}}),
		"/bin/r": elfText(fake{interp: "/lib/ld-linux.so.2", needed: []string{"libx.so", "libd.so"}}), "/lib/libd.so": elfText(fake{needed: []string{"libz.so"}}),
	})
	tree := newTree(host)
	check(t, addProgram(tree, "/bin/q", 0))
	err := Contents{With: []string{"/bin/r", "/bin/r"}}.addTo(tree)
	want := `library "libx.so" not found: "/bin/q" needs it; library "liby.so" not found: "/bin/q" needs it; ` +
		`library "libx.so" not found: "/bin/r" needs it; library "libz.so" not found: "/lib/libd.so" needs it`
	if err == nil || err.Error() != want {
		t.Errorf("%v\nnot %s", err, want)
	}
}

func TestWhatIsNoProgramIsRefusedWithWhatItIs(t *testing.T) {
	t.Parallel()
	appImage := []byte(elfText(fake{}))
	copy(appImage[8:], "AI\x02")
	host := glibcHost(t, map[string]string{"/bin/app": string(appImage)})
	for file, want := range map[string]string{
		"/bin/app":     `"/bin/app": an AppImage, which mounts itself: unpack it with --appimage-extract, and deploy what comes out`,
		"/lib/liba.so": `"/lib/liba.so": a shared library, and no program`,
	} {
		if err := addProgram(newTree(host), file, 0); err == nil || err.Error() != want {
			t.Errorf("%s: %v; not %s", file, err, want)
		}
	}
}

func TestDataBringsWhatTheNameSays(t *testing.T) {
	t.Parallel()
	lib := elfText(fake{})
	host := glibcHost(t, map[string]string{
		"/etc/ssl/certs/ca-certificates.crt": "all", "/etc/ssl/certs/0.0": "-> one.pem", "/etc/ssl/certs/one.pem": "-> /usr/share/ca/one.crt",
		"/usr/share/ca/one.crt": "one", "/etc/ssl/certs/gone.pem": "-> /usr/share/ca/gone.crt", "/usr/lib/ssl/certs": "-> /etc/ssl/certs", "/etc/ssl/private/key": "secret",
		"/etc/localtime": "-> /usr/share/zoneinfo/Europe/Berlin", "/usr/share/zoneinfo/Europe/Berlin": "CET", "/usr/share/zoneinfo/Asia/Tokyo": "JST",
		"/usr/share/zoneinfo/posix": "-> .", "/etc/timezone": "Europe/Berlin\n",
		"/lib/terminfo/x/xterm": "xterm", "/usr/share/terminfo/d/dumb": "dumb", "/usr/share/terminfo/w/wy60": "wy60",
		"/lib/libnss_files.so.2": lib, "/etc/services": "ssh 22/tcp\n", "/usr/lib/locale/C.utf8/LC_CTYPE": "C",
	})
	base := []string{"/bin/p", "/lib/ld-linux.so.2", "/lib/libc.so.6"}
	tests := map[string][]string{
		"certs":    {"/etc/ssl/certs/0.0", "/etc/ssl/certs/ca-certificates.crt", "/etc/ssl/certs/one.pem", "/usr/lib/ssl/certs", "/usr/share/ca/one.crt"},
		"zone":     {"/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo/Europe/Berlin"},
		"zones":    {"/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo/Asia/Tokyo", "/usr/share/zoneinfo/Europe/Berlin", "/usr/share/zoneinfo/posix"},
		"terminfo": {"/lib/terminfo/x/xterm", "/usr/share/terminfo/d/dumb"},
		"nss":      {"/etc/hosts", "/etc/nsswitch.conf", "/etc/services", "/lib/libnss_files.so.2"},
		"locale":   {"/usr/lib/locale/C.utf8/LC_CTYPE"},
	}
	for _, name := range DataNames() {
		tree := newTree(host)
		check(t, addProgram(tree, "/bin/p", 0))
		check(t, Contents{Data: []string{name, name}}.addTo(tree))
		want := slices.Sorted(slices.Values(append(tests[name], base...)))
		if diff := cmp.Diff(want, laid(tree)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	for name, want := range map[string]string{
		"certs": "no certificates on this machine: none of /etc/ssl/certs, ",
		"none":  `"none" is no set of data; there are certs, locale, nss, terminfo, zone, zones`,
	} {
		if err := newTree(t.TempDir()).addData(name); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %v; not %s", name, err, want)
		}
	}
}

// Not parallel: the environment is the process's.
func TestTerminfoBringsTheCallersTerminal(t *testing.T) {
	host := hostOf(t, map[string]string{"/usr/share/terminfo/w/wy60": "wy60", "/etc/passwd": "secret"})
	for term, want := range map[string][]string{"wy60": {"/usr/share/terminfo/w/wy60"}, "../../../etc/passwd": nil} {
		t.Setenv("TERM", term)
		tree := newTree(host)
		tree.addData("terminfo")
		if diff := cmp.Diff(want, laid(tree)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", term, diff)
		}
	}
}

func TestWhatTheProgramHasIsntReplacedByWhatIsMade(t *testing.T) {
	t.Parallel()
	tmp := t.TempDir()
	check(t, os.WriteFile(tmp+"/passwd", []byte("me:x:1:1::/:/bin/sh\n"), 0o600))
	dir := filepath.Join(tmp, "x")
	check(t, Deploy(dir, Deployment{Program: quiet(t, tmp+"/p"), Contents: Contents{Copies: []Copy{{Source: tmp + "/passwd", Target: "/etc/"}}}}))
	if text, err := os.ReadFile(dir + "/rootfs/etc/passwd"); err != nil || string(text) != "me:x:1:1::/:/bin/sh\n" {
		t.Errorf("%q, %v", text, err)
	}
}
