package main

import (
	"encoding/json"
	"errors"
	"github.com/minirt/minirt/cmd/minirt/hot"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// told gives what a log holds after complaints with these warnings ended.
func told(t *testing.T, g globals, warnings []string, err error) string {
	g.Log = filepath.Join(t.TempDir(), "log")
	var c complaints
	if err := c.open(&g); err != nil {
		t.Fatal(err)
	}
	for _, w := range warnings {
		c.warn(w)
	}
	c.end(0, err)
	text, err := os.ReadFile(g.Log)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// entry reads a whole log as engines do: as one JSON object, whose time is one of RFC 3339.
func entry(t *testing.T, text string) (level, msg string) {
	var e struct {
		Level, Msg string
		Time       time.Time
	}
	if err := json.Unmarshal([]byte(text), &e); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	if d := time.Since(e.Time); d < -2*time.Second || d > time.Minute {
		t.Errorf("time %v", e.Time)
	}
	return e.Level, e.Msg
}

func TestAFailureIsOneObjectThatCarriesTheWarnings(t *testing.T) {
	text := told(t, globals{LogFormat: "json"}, []string{"swap isn't there", "a\nb"}, errors.New("create web: \"x\"\nno such file"))
	level, msg := entry(t, text)
	if want := `create web: "x"; no such file; warnings: swap isn't there; a; b`; level != "error" || msg != want {
		t.Errorf("level %q, msg %q, want %q", level, msg, want)
	}
}

func TestWarningsAreToldWhenAllWentWell(t *testing.T) {
	level, msg := entry(t, told(t, globals{LogFormat: "json"}, []string{"swap"}, nil))
	if level != "warning" || msg != "swap" {
		t.Errorf("level %q, msg %q", level, msg)
	}
	if text := told(t, globals{LogFormat: "json", LogLevel: "error"}, []string{"swap"}, nil); text != "" {
		t.Errorf("--log-level error: %s", text)
	}
	if text := told(t, globals{LogFormat: "json"}, nil, nil); text != "" {
		t.Errorf("nothing to tell, but: %s", text)
	}
}

func TestTheTextLogIsLikeThatOfOthers(t *testing.T) {
	text := told(t, globals{LogFormat: "text"}, nil, errors.New(`state "x"`))
	if !strings.HasPrefix(text, `time="20`) || !strings.HasSuffix(text, `" level=error msg="state \"x\""`+"\n") {
		t.Error(text)
	}
}

func TestATerminalDoesNotObeyAnError(t *testing.T) {
	if got := hot.OneLine(" a\x1b[2J\rb\n"); got != "a?[2J?b" {
		t.Errorf("%q", got)
	}
}

func TestTheExitStatusOfAnErrorIsOneOrItsOwn(t *testing.T) {
	var c complaints
	for _, test := range []struct {
		status int
		err    error
		want   int
	}{{0, nil, 0}, {7, nil, 7}, {0, errors.New("status test"), 1}, {255, errors.New("status test"), 255}} {
		if got := c.end(test.status, test.err); got != test.want {
			t.Errorf("%d, %v: %d, want %d", test.status, test.err, got, test.want)
		}
	}
}
