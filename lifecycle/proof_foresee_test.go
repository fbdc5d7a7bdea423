package lifecycle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestAPlanForeseesARootThatIsNotThereYet holds the plan for a missing root to
// the one for an empty directory.
func TestAPlanForeseesARootThatIsNotThereYet(t *testing.T) {
	for _, name := range exampleNames(t) {
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(filepath.Join(examples, name, "config.json"))
			if err != nil {
				t.Fatal(err)
			}
			bundle := t.TempDir()
			b = changed(t, b, func(config map[string]any) { config["root"].(map[string]any)["path"] = "root" })
			if err := os.WriteFile(filepath.Join(bundle, "config.json"), b, 0o644); err != nil {
				t.Fatal(err)
			}
			here, err := filepath.Abs(filepath.Join(examples, name))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries(here) {
				os.Symlink(filepath.Join(here, e), filepath.Join(bundle, e)) // config.json is there
			}
			texts, warnings := [2]string{}, [2][]string{}
			for i := range texts {
				if i == 1 {
					if err := os.Mkdir(filepath.Join(bundle, "root"), 0o755); err != nil {
						t.Fatal(err)
					}
				}
				r := &Runtime{Root: filepath.Join(bundle, "states"), Warn: func(s string) { warnings[i] = append(warnings[i], s) }}
				p, err := r.Plan("web", CreateOptions{Bundle: bundle})
				if err != nil && i == 1 {
					t.Skip("not on this host, with a root either: ", err)
				}
				if err != nil {
					texts[i] = err.Error()
				} else {
					texts[i] = p.Text()
				}
			}
			if diff := cmp.Diff(texts[1], texts[0]); diff != "" {
				t.Errorf("an empty root -, a missing one +:\n%s", diff)
			}
			said := "root.path: \"" + bundle + "/root\" is not there yet: the plan is that for an empty one"
			if diff := cmp.Diff(len(warnings[1])+1, len(warnings[0])); diff != "" || !strings.Contains(strings.Join(warnings[0], "\n"), said) {
				t.Errorf("warnings: %q", warnings[0])
			}
		})
	}
}
