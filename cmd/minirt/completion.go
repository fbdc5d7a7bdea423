package main

import (
	"embed"

	"github.com/minirt/minirt/lifecycle"
)

type completionFlags struct {
	Shell string `arg:"" name:"SHELL" enum:"bash,zsh,fish" help:"The shell that will read it."`
}

func (*completionFlags) Help() string {
	return `Prints what teaches a shell to complete minirt's command lines: verbs, flags and their values, containers, files.

The shell asks minirt itself at each key: the script needs no renewal when minirt is renewed.`
}

func (*completionFlags) Example() string {
	return `source <(minirt completion bash)
minirt completion zsh >/usr/share/zsh/site-functions/_minirt
minirt completion fish >~/.config/fish/completions/minirt.fish`
}

//go:embed completion
var completions embed.FS

func (f *completionFlags) Run(*lifecycle.Runtime) (status int, err error) {
	text, err := completions.ReadFile("completion/minirt." + f.Shell)
	if err != nil {
		return 0, err
	}
	return 0, say(string(text))
}
