package main

import (
	"strings"

	"github.com/minirt/minirt/lifecycle"
)

type featuresFlags struct{}

func (*featuresFlags) Help() string {
	return `Prints the features document of the OCI runtime specification: which namespaces, capabilities, mount options, seccomp words and so on minirt knows. It tells of the program, not of the machine.`
}

func (*featuresFlags) Example() string { return "minirt features" }

func (*featuresFlags) Run(*lifecycle.Runtime) (status int, err error) {
	return 0, say(strings.TrimSuffix(string(lifecycle.Features()), "\n") + "\n")
}
