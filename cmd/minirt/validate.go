package main

import (
	"sort"
	"strconv"

	"github.com/minirt/minirt/bundles"
	"github.com/minirt/minirt/bundles/schema"
	"github.com/minirt/minirt/internal/json"
	"github.com/minirt/minirt/lifecycle"
	"github.com/minirt/minirt/spec"
)

type validateFlags struct {
	Bundle string `name:"bundle" short:"b" placeholder:"DIR" default:"." help:"The bundle's directory."`
	Format string `name:"format" short:"f" placeholder:"FORMAT" enum:"text,json" default:"text" help:"How to print what is found."`
}

func (*validateFlags) Help() string {
	return `Reads config.json and prints everything that is wrong with it, each with its line and column.

A "fault" breaks the specification, asks for a seccomp filter that the kernel wouldn't take or under which no program could be started, or has Landlock annotations that mean nothing: no container can be made. A "warning" is what the specification wants to be told of. An "unknown" property is ignored; it may be misspelt. A "schema" finding is a second opinion, by the JSON schema that comes with the specification. Faults alone make the exit status 1.`
}

func (*validateFlags) Example() string {
	return `minirt validate --bundle hello
minirt validate --bundle hello --format json`
}

func (f *validateFlags) Run(*lifecycle.Runtime) (status int, err error) {
	b, err := bundles.Open(f.Bundle)
	if err != nil {
		return 0, &lifecycle.Error{Verb: "validate", Err: err}
	}
	found := findingsIn(b.Config)
	faults := 0
	for _, f := range found {
		if f.kind == "fault" {
			faults, status = faults+1, 1
		}
	}
	if f.Format == "json" {
		return status, say(findingsJSON(b.Dir, found, faults == 0))
	}
	return status, say(findingsText(b.Dir, found, faults))
}

// A finding is a fault with what kind it is of.
type finding struct {
	kind string // fault, warning, unknown or schema
	spec.Fault
}

// findingsIn are all that spec and schema have against config, in its order.
func findingsIn(config []byte) (found []finding) {
	add := func(kind string, faults []spec.Fault) {
		for _, f := range faults {
			found = append(found, finding{kind, f})
		}
	}
	s, warnings, err := spec.Load(config)
	if faults, ok := err.(spec.Faults); ok {
		add("fault", faults)
	}
	add("warning", warnings)
	found = append(found, filterFindings(config, s)...)
	add("fault", landlockFaults(config, s))
	add("unknown", spec.Unknown(config))
	add("schema", schemaFaults(config, found))
	sort.SliceStable(found, func(i, j int) bool { return found[i].Before(&found[j].Fault) })
	return found
}

// schemaFaults are the schema's findings at places that nothing was found at.
func schemaFaults(config []byte, found []finding) (faults []spec.Fault) {
	known := map[string]bool{}
	for _, f := range found {
		known[f.Path] = true
	}
	findings, err := schema.Check(config)
	if err != nil { // not JSON: spec has said so
		return nil
	}
	for _, s := range findings {
		if !known[s.Path] {
			line, column, _ := spec.Place(config, s.Path)
			faults = append(faults, spec.Fault{Path: s.Path, Line: line, Column: column, Text: s.Text})
		}
	}
	return faults
}

// findingsText is a line for each finding, in the form that editors jump by, and a verdict.
func findingsText(dir string, found []finding, faults int) string {
	text := ""
	for _, f := range found {
		text += "config.json:"
		if f.Line > 0 {
			text += strconv.Itoa(f.Line) + ":" + strconv.Itoa(f.Column) + ":"
		}
		text += " " + f.kind + ": "
		if f.Path != "" {
			text += f.Path + ": "
		}
		text += f.Text + "\n"
	}
	verdict := "valid"
	switch faults {
	case 0:
	case 1:
		verdict = "1 fault"
	default:
		verdict = strconv.Itoa(faults) + " faults"
	}
	return text + dir + "/config.json: " + verdict + "\n"
}

func findingsJSON(dir string, found []finding, valid bool) string {
	b := json.AppendString([]byte(`{"bundle":`), dir)
	b = strconv.AppendBool(append(b, `,"valid":`...), valid)
	b = append(b, `,"findings":[`...)
	for i, f := range found {
		if i > 0 {
			b = append(b, ',')
		}
		b = json.AppendString(append(b, `{"kind":`...), f.kind)
		b = json.AppendString(append(b, `,"path":`...), f.Path)
		b = strconv.AppendInt(append(b, `,"line":`...), int64(f.Line), 10)
		b = strconv.AppendInt(append(b, `,"column":`...), int64(f.Column), 10)
		b = append(json.AppendString(append(b, `,"text":`...), f.Text), '}')
	}
	return string(append(b, "]}\n"...))
}
