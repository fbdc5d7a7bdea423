package image

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/minirt/minirt/bundles"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// configured deploys an image with a configuration, and gives config.json.
func configured(t *testing.T, config ocispec.ImageConfig, o Options) *specs.Spec {
	t.Helper()
	i := here()
	i.Config = config
	b := build(t)
	b.name("", b.manifest(i, layer(t, file("etc/passwd", "root:x:0:0::/root:/bin/sh\nweb:x:33:34::/:\n"))))
	dir := filepath.Join(t.TempDir(), "web")
	check(t, Deploy(dir, b.dir, o))
	text, err := os.ReadFile(dir + "/config.json")
	check(t, err)
	s := new(specs.Spec)
	check(t, json.Unmarshal(text, s))
	return s
}

func TestTheConfigurationIsTheImagesOnTopOfTheDefaultOne(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("it is root's configuration")
	}
	got := configured(t, ocispec.ImageConfig{
		Entrypoint: []string{"/entry", "-x"}, Cmd: []string{"run"}, Env: []string{"A=1", "B=two words"}, WorkingDir: "/srv/www", User: "web",
	}, Options{})
	want := bundles.Default(true)
	want.Hostname = "web"
	want.Root.Readonly = false
	want.Process.Terminal = false
	want.Process.Args = []string{"/entry", "-x", "run"}
	want.Process.Env = []string{"A=1", "B=two words", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	want.Process.Cwd = "/srv/www"
	want.Process.User = specs.User{UID: 33, GID: 34}
	c := want.Process.Capabilities
	c.Bounding, c.Effective, c.Permitted = capabilities(), capabilities(), capabilities()
	want.Annotations = map[string]string{"org.opencontainers.image.os": "linux", "org.opencontainers.image.architecture": here().Architecture}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestArgumentsReplaceCmdAndNotTheEntrypoint(t *testing.T) {
	t.Parallel()
	entry, cmd, args := []string{"e"}, []string{"c", "1"}, []string{"a"}
	tests := []struct{ entrypoint, cmd, args, want []string }{
		{entry, cmd, nil, []string{"e", "c", "1"}},
		{entry, nil, nil, []string{"e"}},
		{nil, cmd, nil, []string{"c", "1"}},
		{entry, cmd, args, []string{"e", "a"}},
		{nil, cmd, args, []string{"a"}},
		{nil, nil, args, []string{"a"}},
	}
	for _, test := range tests {
		s := configured(t, ocispec.ImageConfig{Entrypoint: test.entrypoint, Cmd: test.cmd}, Options{Args: test.args})
		if diff := cmp.Diff(test.want, s.Process.Args); diff != "" {
			t.Error(diff)
		}
	}
	b := build(t)
	i := here()
	i.Config = ocispec.ImageConfig{}
	b.name("", b.manifest(i))
	fails(t, b.dir, "config: the image names no program", Options{})
	fails(t, b.dir, `"\xff": not UTF-8`, Options{Args: []string{"\xff"}})
}

func TestTheEnvironmentIsTheImagesWithoutAWordChanged(t *testing.T) {
	t.Parallel()
	env := []string{"PATH=/only/here", "TERM=vt100", "X=", "Y=a=b", "X=again"}
	s := configured(t, ocispec.ImageConfig{Cmd: []string{"c"}, Env: env}, Options{})
	if diff := cmp.Diff(env, s.Process.Env); diff != "" {
		t.Error(diff)
	}
}

func TestAWorkingDirectoryIsAbsoluteAlways(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{"": "/", "/a/b": "/a/b", "rel": "/rel", "../..": "/"} {
		if s := configured(t, ocispec.ImageConfig{Cmd: []string{"c"}, WorkingDir: given}, Options{}); s.Process.Cwd != want {
			t.Errorf("%q: %q", given, s.Process.Cwd)
		}
	}
}

func TestWhatTheConfigurationHasNoFieldForBecomesAnnotations(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 1, 2, 3, 4, 5, 60, time.UTC)
	i := ocispec.Image{
		Created: &created, Author: "A <a@b>",
		Platform: ocispec.Platform{OS: "linux", Architecture: here().Architecture, Variant: "v1", OSVersion: "1.2", OSFeatures: []string{"x", "y"}},
		Config: ocispec.ImageConfig{
			Cmd: []string{"c"}, StopSignal: "SIGQUIT", ExposedPorts: map[string]struct{}{"80/tcp": {}, "443/tcp": {}, "53/udp": {}},
			Labels: map[string]string{"own": "label", "org.opencontainers.image.author": "the label's", "": "nameless", "org.systemd.property.ExecStopPost": "['/bin/evil']"},
		},
	}
	want := map[string]string{
		"own":                                   "label",
		"org.opencontainers.image.author":       "the label's",
		"org.opencontainers.image.os":           "linux",
		"org.opencontainers.image.architecture": here().Architecture,
		"org.opencontainers.image.variant":      "v1",
		"org.opencontainers.image.os.version":   "1.2",
		"org.opencontainers.image.os.features":  "x,y",
		"org.opencontainers.image.created":      "2026-01-02T03:04:05.00000006Z",
		"org.opencontainers.image.stopSignal":   "SIGQUIT",
		"org.opencontainers.image.exposedPorts": "443/tcp,53/udp,80/tcp",
	}
	var warnings []string
	got := (&image{config: i}).annotations(func(s string) { warnings = append(warnings, s) })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	told := []string{ // SEC-42
		`the image's label "" was left out: an annotation has a name`,
		`the image's label "org.systemd.property.ExecStopPost" was left out: it would set a property of the container's systemd unit`,
	}
	if diff := cmp.Diff(told, warnings); diff != "" {
		t.Error(diff)
	}
}

func TestVolumesAreMountedWithWhatTheImageHasThere(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("an ordinary user's bundle has none")
	}
	s := configured(t, ocispec.ImageConfig{Cmd: []string{"c"}, Volumes: map[string]struct{}{"/var/lib/x/": {}, "/var": {}, "rel": {}, "/dev/shm": {}, "//var": {}}}, Options{})
	var got []string
	for _, m := range s.Mounts[len(bundles.Default(true).Mounts):] {
		got = append(got, m.Type+" "+m.Destination+" "+strings.Join(m.Options, ","))
	}
	want := []string{"tmpfs /rel nosuid,nodev,tmpcopyup", "tmpfs /var nosuid,nodev,tmpcopyup", "tmpfs /var/lib/x nosuid,nodev,tmpcopyup"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	i := here()
	i.Config.Volumes = map[string]struct{}{"/..": {}}
	b := build(t)
	b.name("", b.manifest(i))
	fails(t, b.dir, `config: Volumes: "/..": the root can't be a volume`, Options{})
}

func TestEditHasTheLastWordAndItsErrorLeavesNothing(t *testing.T) {
	t.Parallel()
	s := configured(t, ocispec.ImageConfig{Cmd: []string{"c"}}, Options{Edit: func(s *specs.Spec) error { s.Hostname = "edited"; return nil }})
	if s.Hostname != "edited" {
		t.Error(s.Hostname)
	}
	b := build(t)
	b.name("", b.manifest(here(), layer(t, file("f", ""))))
	fails(t, b.dir, "no network", Options{Edit: func(*specs.Spec) error { return errors.New("no network") }})
}

func TestAConfigurationThatNoContainerCanHaveLeavesNothing(t *testing.T) {
	t.Parallel()
	for want, config := range map[string]ocispec.ImageConfig{
		"process.args[0]":                 {Cmd: []string{"a\x00b"}},
		"process.env[0]":                  {Cmd: []string{"a"}, Env: []string{"A=\x00"}},
		`User "nobody": no user "nobody"`: {Cmd: []string{"a"}, User: "nobody"},
	} {
		i := here()
		i.Config = config
		b := build(t)
		b.name("", b.manifest(i))
		fails(t, b.dir, want, Options{})
	}
}
