package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"rsc.io/script"

	"github.com/minirt/minirt/bundles"
)

// bundle makes a bundle with busybox, whose cgroup is one of the script's.
func (p *place) bundle() script.Cmd {
	return script.Command(script.CmdUsage{
		Summary: "make a bundle with busybox",
		Args:    "name [program args...]",
	}, func(s *script.State, args ...string) (script.WaitFunc, error) {
		if len(args) == 0 {
			return nil, script.ErrUsage
		}
		dir := s.Path(args[0])
		if err := layBusybox(filepath.Join(dir, "rootfs")); err != nil {
			return nil, err
		}
		spec := bundles.Default(false)
		if uid := os.Geteuid(); uid != 0 {
			spec = bundles.Rootless(uint32(uid), uint32(os.Getegid()), false)
		} else {
			spec.Linux.CgroupsPath = p.cgroup + "/" + filepath.Base(dir)
		}
		spec.Process.Terminal = false
		spec.Process.Args = []string{"/bin/true"}
		if len(args) > 1 {
			spec.Process.Args = args[1:]
		}
		return nil, bundles.Write(dir, spec)
	})
}

// layBusybox makes a root file system with busybox under all its names.
func layBusybox(rootfs string) error {
	busybox, err := exec.LookPath("busybox")
	if err != nil {
		return err
	}
	for _, dir := range []string{"bin", "dev", "etc", "proc", "sys", "tmp", "root"} {
		if err := os.MkdirAll(filepath.Join(rootfs, dir), 0o755); err != nil {
			return err
		}
	}
	text, err := os.ReadFile(busybox)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(rootfs, "bin/busybox"), text, 0o755); err != nil {
		return err
	}
	names, err := exec.Command(busybox, "--list").Output()
	if err != nil {
		return err
	}
	for name := range strings.FieldsSeq(string(names)) {
		if err := os.Symlink("busybox", filepath.Join(rootfs, "bin", name)); err != nil && name != "busybox" {
			return err
		}
	}
	return nil
}

func edit() script.Cmd {
	return script.Command(script.CmdUsage{
		Summary: "set a value in a JSON file; the index after the last appends to an array",
		Args:    "file path JSON",
	}, func(s *script.State, args ...string) (script.WaitFunc, error) {
		if len(args) != 3 {
			return nil, script.ErrUsage
		}
		var value any
		if err := json.Unmarshal([]byte(args[2]), &value); err != nil {
			return nil, err
		}
		return nil, change(s.Path(args[0]), args[1], value, false)
	})
}

func drop() script.Cmd {
	return script.Command(script.CmdUsage{
		Summary: "take a value out of a JSON file",
		Args:    "file path",
	}, func(s *script.State, args ...string) (script.WaitFunc, error) {
		if len(args) != 2 {
			return nil, script.ErrUsage
		}
		return nil, change(s.Path(args[0]), args[1], nil, true)
	})
}

// change sets or drops what stands at path, as in mounts[3].options, in a JSON file.
func change(file, path string, value any, drop bool) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var doc any
	if err := json.Unmarshal(text, &doc); err != nil {
		return err
	}
	keys := strings.Split(strings.ReplaceAll(strings.ReplaceAll(path, "]", ""), "[", "."), ".")
	if doc, err = changed(doc, keys, value, drop); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if text, err = json.MarshalIndent(doc, "", "\t"); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// changed is doc with another value at keys; objects on the way are made.
func changed(doc any, keys []string, value any, drop bool) (any, error) {
	if len(keys) == 0 {
		return value, nil
	}
	last := drop && len(keys) == 1
	switch d := doc.(type) {
	case nil:
		return changed(map[string]any{}, keys, value, drop)
	case map[string]any:
		if last {
			delete(d, keys[0])
			return d, nil
		}
		v, err := changed(d[keys[0]], keys[1:], value, drop)
		d[keys[0]] = v
		return d, err
	case []any:
		i, err := strconv.Atoi(keys[0])
		if err != nil || i < 0 || i > len(d) {
			return nil, fmt.Errorf("no index %q in an array of %d", keys[0], len(d))
		}
		if last && i < len(d) {
			return append(d[:i], d[i+1:]...), nil
		}
		if i == len(d) {
			d = append(d, nil)
		}
		d[i], err = changed(d[i], keys[1:], value, drop)
		return d, err
	}
	return nil, fmt.Errorf("%q stands in a %T", keys[0], doc)
}
