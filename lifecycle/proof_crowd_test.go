package lifecycle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Many execs at once: TestManyExecsAtOnce.

// TestManyContainersAtOnceComeAndGo makes them beside one that has the cgroup
// above theirs and the mount points that they share.
func TestManyContainersAtOnceComeAndGo(t *testing.T) {
	p := newHost(t, nil)
	const n = 20
	var ids [n]string
	each := func(what string, command func(i int) []string) {
		t.Helper()
		var commands [n][]string
		for i := range commands {
			commands[i] = command(i)
		}
		for i, c := range p.together(commands[:]...) {
			if c.status != 0 || c.stderr != "" {
				t.Errorf("%s %s: exit status %d: %s", what, ids[i], c.status, c.stderr)
			}
		}
	}
	for i := range ids {
		ids[i] = "web" + strconv.Itoa(i)
		p.anotherBundle(ids[i])
	}
	p.before = p.census()
	for range rounds(2, 20) {
		each("create", func(i int) []string { return []string{"create", "-b", filepath.Join(p.dir, ids[i]), ids[i]} })
		each("start", func(i int) []string { return []string{"start", ids[i]} })
		if states, err := p.List(); err != nil || len(states) != n+1 {
			t.Errorf("%d containers, %v", len(states), err)
		}
		each("exec in", func(i int) []string { return []string{"exec", ids[i], "true"} })
		each("delete", func(i int) []string { return []string{"delete", "--force", ids[i]} })
		if !p.nothingLeft(p.before, strconv.Itoa(n)+" containers at once") {
			return
		}
	}
}

// anotherBundle makes a bundle beside the place's, of the same name as the
// container, on the same root file system and in a cgroup of its own.
func (p *proof) anotherBundle(id string) {
	p.t.Helper()
	var c map[string]any
	b, err := os.ReadFile(filepath.Join(p.bundle, "config.json"))
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err == nil {
		c["root"] = map[string]any{"path": filepath.Join(p.bundle, "rootfs")}
		c["linux"].(map[string]any)["cgroupsPath"] = p.cgroup + "/" + id
		b, err = json.Marshal(c)
	}
	dir := filepath.Join(p.dir, id)
	if err == nil {
		err = os.Mkdir(dir, 0o755)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), b, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
