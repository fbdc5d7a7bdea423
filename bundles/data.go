package bundles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// data are the sets of files that many programs need, and that can't be seen in
// any: the name of each, and how it gets into a tree.
var data = []struct {
	name string
	add  func(*tree) error
}{
	{"certs", addCerts},
	{"locale", addLocale},
	{"nss", addNSS},
	{"terminfo", addTerminfo},
	{"zone", addZone},
	{"zones", addZones},
}

// DataNames are the names that Contents.Data may have.
func DataNames() []string {
	var list []string
	for _, d := range data {
		list = append(list, d.name)
	}
	return list
}

func (t *tree) addData(name string) error {
	for _, d := range data {
		if d.name == name {
			return d.add(t)
		}
	}
	return fmt.Errorf("%q is no set of data; there are %s", name, strings.Join(DataNames(), ", "))
}

// addCerts adds the certificates of authorities where OpenSSL, GnuTLS, Go and
// others look for them: Debian's, Fedora's, SUSE's and Alpine's places.
func addCerts(t *tree) error {
	return t.addSome("no certificates",
		"/etc/ssl/certs", "/etc/ssl/cert.pem", "/etc/ssl/ca-bundle.pem", "/etc/ssl/openssl.cnf",
		"/etc/pki/tls/certs", "/etc/pki/tls/cert.pem", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
		"/usr/lib/ssl/certs", "/usr/lib/ssl/cert.pem", "/usr/lib/ssl/openssl.cnf")
}

// addLocale adds the locales that were made for this machine: glibc's.
func addLocale(t *tree) error {
	return t.addSome("no locales", "/usr/lib/locale")
}

// addZone adds the machine's own time zone, and UTC.
func addZone(t *tree) error {
	return t.addSome("no time zone", "/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo/UTC")
}

// addZones adds all time zones beside it.
func addZones(t *tree) error {
	return t.addSome("no time zones", "/etc/localtime", "/etc/timezone", "/usr/share/zoneinfo")
}

// terminals are those that terminfo is added for, beside the caller's own.
var terminals = []string{"ansi", "dumb", "linux", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "vt220", "xterm", "xterm-256color"}

// addTerminfo adds what is known of terminals: terminfo(5), Fetching Compiled
// Descriptions. The caller's TERM is a part of the input.
func addTerminfo(t *tree) error {
	list := terminals
	if own := os.Getenv("TERM"); own != "" && !strings.Contains(own, "/") {
		list = append(slices.Clip(list), own)
	}
	var files []string
	for _, dir := range []string{"/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo"} {
		for _, name := range list {
			files = append(files, path.Join(dir, name[:1], name))
		}
	}
	return t.addSome("no descriptions of terminals", files...)
}

// nsswitch is the configuration of glibc's name service that needs no daemon.
const nsswitch = `passwd: files
group: files
shadow: files
hosts: files dns
networks: files
protocols: files
services: files
`

// addNSS adds what glibc looks users, hosts and services up with. Its two
// libraries are a part of libc.so.6 since 2.34; before, they are loaded by dlopen.
func addNSS(t *tree) error {
	for _, l := range t.loaders {
		for _, name := range []string{"libnss_files.so.2", "libnss_dns.so.2"} {
			if l.musl {
				continue
			}
			if err := l.loadNamed(name); err != nil && !errors.Is(err, errNotFound) {
				return err
			}
		}
	}
	for _, file := range []string{"/etc/protocols", "/etc/services"} {
		if err := t.addIfThere(file, map[string]bool{}); err != nil {
			return err
		}
	}
	if err := t.addMissing(entry{path: "/etc/nsswitch.conf", mode: 0o644, text: nsswitch}); err != nil {
		return err
	}
	return t.addMissing(entry{path: "/etc/hosts", mode: 0o644, text: "127.0.0.1 localhost\n::1 localhost\n"})
}

// addSome adds those of the files and directories that the host has; what says what is missing if it has none.
func (t *tree) addSome(what string, files ...string) error {
	seen := map[string]bool{}
	for _, file := range files {
		if err := t.addIfThere(file, seen); err != nil {
			return err
		}
	}
	if len(seen) == 0 {
		return fmt.Errorf("%s on this machine: none of %s", what, strings.Join(files, ", "))
	}
	return nil
}

// addIfThere adds a file, or a directory with all that lies below and what its
// links lead to. What isn't there, or can't be copied, is left out. seen are the
// real paths that were met: a link may lead to a directory above.
func (t *tree) addIfThere(file string, seen map[string]bool) error {
	e, err := follow(file, t.onHost)
	if err != nil || e.mode.Type()&^fs.ModeDir != 0 {
		return nil
	}
	again := seen[e.path]
	seen[e.path] = true
	if _, err := t.addPath(file); err != nil || !e.mode.IsDir() || again {
		return err
	}
	list, err := os.ReadDir(t.host + e.path)
	if err != nil {
		return fmt.Errorf("%q: %w", e.path, errnoOf(err))
	}
	for _, d := range list {
		if err := t.addIfThere(path.Join(file, d.Name()), seen); err != nil {
			return err
		}
	}
	return nil
}
