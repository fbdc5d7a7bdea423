package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"rsc.io/script"

	"github.com/minirt/minirt/internal/advice"
)

// checkAdvice is the word "advice NAME": the row of package advice with that name has
// spoken in the last command's standard error, in one line behind the error's.
func checkAdvice() script.Cmd {
	return script.Command(script.CmdUsage{
		Summary: "check which row of the advice has spoken",
		Args:    "NAME",
	}, func(s *script.State, args ...string) (script.WaitFunc, error) {
		if len(args) != 1 {
			return nil, script.ErrUsage
		}
		rows := advice.Rows()
		i := slices.IndexFunc(rows, func(r advice.Row) bool { return r.Name == args[0] })
		if i < 0 {
			return nil, fmt.Errorf("no row %q", args[0])
		}
		want := strings.NewReplacer(`\{\}`, `.+`, `\{text\}`, `.+`).Replace(regexp.QuoteMeta(rows[i].Text))
		if form := regexp.MustCompile(`\A(.*\n)*minirt: .*\nminirt: advice: ` + want + `\n\z`); !form.MatchString(s.Stderr()) {
			return nil, fmt.Errorf("it says something else than %q", rows[i].Text)
		}
		return nil, nil
	})
}
