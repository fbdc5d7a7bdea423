package image

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

const passwd = `# a comment
root:x:0:0:root:/root:/bin/sh

1000:x:0:0::/:/bin/sh
web:x:33:34:web:/var/www:/bin/false
broken
far:x:4294967295:1::/:
uid1001:x:1001:99::/:
`

const group = `root:x:0:
www:x:34:web
ssl:x:50:other,web
adm:x:51:webmaster
web:x:52:
more:x:53:web
more:x:53:web
`

func TestTheUserIsLookedUpInTheImage(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	check(t, os.Mkdir(root+"/etc", 0o755))
	check(t, os.WriteFile(root+"/etc/passwd", []byte(passwd), 0o644))
	check(t, os.WriteFile(root+"/etc/group", []byte(group), 0o644))
	tests := []struct {
		user string
		want specs.User
		err  string
	}{
		{user: ""},
		{user: "root"},
		{user: "web", want: specs.User{UID: 33, GID: 34, AdditionalGids: []uint32{50, 53}}},
		{user: "web:ssl", want: specs.User{UID: 33, GID: 50}},
		{user: "web:7", want: specs.User{UID: 33, GID: 7}},
		{user: "33", want: specs.User{UID: 33, GID: 34}}, // its number brings no groups (conversion.md)
		{user: "33:web", want: specs.User{UID: 33, GID: 52}},
		{user: "7:8", want: specs.User{UID: 7, GID: 8}},
		{user: "7", want: specs.User{UID: 7}},
		{user: "1000", want: specs.User{UID: 1000}}, // SEC-01: no name
		{user: "1001", want: specs.User{UID: 1001, GID: 99}},
		{user: ":ssl", want: specs.User{GID: 50}},
		{user: "nobody", err: `User "nobody": no user "nobody" in the image's /etc/passwd`},
		{user: "far", err: `no user "far"`},
		{user: "broken", err: `no user "broken"`},
		{user: "4294967295", err: `no user "4294967295"`},
		{user: "-1", err: `no user "-1"`},
		{user: "web:none", err: `User "web:none": no group "none" in the image's /etc/group`},
		{user: "web:", err: `no group ""`},
	}
	for _, test := range tests {
		got, err := user(test.user, func() (accounts, error) { return readAccounts(root) })
		if test.err != "" {
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("%q: %v", test.user, err)
			}
		} else if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
			t.Errorf("%q: %v %s", test.user, err, diff)
		}
	}
}

func TestPasswdIsReadInTheImageAloneAndNeverWaitedFor(t *testing.T) { // SEC-45
	t.Parallel()
	canary := filepath.Join(t.TempDir(), "passwd")
	check(t, os.WriteFile(canary, []byte("web:x:33:34::/:\n"), 0o644))
	const tooMuch = "/etc/passwd: not a regular file of at most 1 MiB"
	tests := map[string]struct {
		make func(path string) error
		want string
	}{
		"none":           {func(string) error { return nil }, `no user "web"`},
		"a link out":     {func(p string) error { return os.Symlink(canary, p) }, `no user "web"`},
		"dots":           {func(p string) error { return os.Symlink(strings.Repeat("../", 30)+canary, p) }, `no user "web"`},
		"a FIFO":         {func(p string) error { return unix.Mkfifo(p, 0o644) }, tooMuch},
		"a directory":    {func(p string) error { return os.Mkdir(p, 0o755) }, tooMuch},
		"a sparse file":  {func(p string) error { check(t, os.WriteFile(p, nil, 0o644)); return os.Truncate(p, 4<<30) }, tooMuch},
		"a long line":    {func(p string) error { return os.WriteFile(p, make([]byte, 65<<10), 0o644) }, "a line of more than 64 KiB"},
		"an endless one": {func(p string) error { return os.Symlink("/zero", p) }, tooMuch},
	}
	for name, test := range tests {
		root := t.TempDir()
		check(t, os.Mkdir(root+"/etc", 0o755))
		if os.Geteuid() == 0 {
			check(t, unix.Mknod(root+"/zero", unix.S_IFCHR|0o666, int(unix.Mkdev(1, 5))))
		} else {
			check(t, unix.Mkfifo(root+"/zero", 0o600))
		}
		check(t, test.make(root+"/etc/passwd"))
		begin := time.Now()
		_, err := user("web", func() (accounts, error) { return readAccounts(root) })
		if err == nil || !strings.Contains(err.Error(), test.want) || time.Since(begin) > 5*time.Second {
			t.Errorf("%s: %v after %v", name, err, time.Since(begin))
		}
	}
}
