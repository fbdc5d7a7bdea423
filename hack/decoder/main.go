// Decoder writes functions that read JSON into Go structs, for internal/json.
//
// It takes the structs' source text, so that there is one model only: the one
// with the json tags. What it writes uses no reflection, matches names by case,
// refuses members given twice, and notes those that are required and missing.
//
//	go run ./hack/decoder -src DIR|IMPORTPATH -types A,B -pkg NAME [-required FILE] [-o FILE]
//
// For each struct T that is reachable from the types, a function decodeT is
// written. The file of -required has lines
//
//	T member member …
//	T member … unless member=value
//
// with the names of JSON; empty lines and those that begin with # say nothing.
package main

import (
	"flag"
	"fmt"
	"os"
	"strings"
)

func main() {
	j, out, err := arguments(os.Args[1:])
	if err == nil {
		var text []byte
		if text, err = j.generate(); err == nil {
			err = write(out, text)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "decoder:", err)
		os.Exit(1)
	}
}

// A job is what one run is asked to write. Paths are relative to dir.
type job struct {
	dir      string
	src      string
	types    []string
	pkg      string
	required string
}

// arguments reads the command line of one run.
func arguments(args []string) (j job, out string, err error) {
	flags := flag.NewFlagSet("decoder", flag.ContinueOnError)
	flags.StringVar(&j.src, "src", ".", "directory or import path of the structs")
	types := flags.String("types", "", "names of the structs, with commas")
	flags.StringVar(&j.pkg, "pkg", "", "package of the file to write")
	flags.StringVar(&j.required, "required", "", "file of required members")
	flags.StringVar(&out, "o", "-", "file to write")
	if err = flags.Parse(args); err != nil {
		return j, out, err
	}
	if j.dir, err = os.Getwd(); err != nil {
		return j, out, err
	}
	j.types = strings.Split(*types, ",")
	if *types == "" || j.pkg == "" {
		err = fmt.Errorf("-types and -pkg are required")
	}
	return j, out, err
}

func write(out string, text []byte) error {
	if out == "-" {
		_, err := os.Stdout.Write(text)
		return err
	}
	return os.WriteFile(out, text, 0o644)
}
