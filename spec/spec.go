// Package spec reads config.json and says what is wrong with it.
//
// The law: Load gives a *specs.Spec that the OCI runtime spec calls valid, as
// far as the document alone can tell, or every fault in it at once, each with
// its config path, line and column, with what was found and what is allowed.
// What the spec wants as a warning is a warning. What is valid and not honoured
// by minirt is not this package's business. It is pure: bytes in, values out;
// it looks at no file and asks no kernel.
//
// The reading is generated from specs-go's types (decode_gen.go, by hack/decoder);
// the rules stand in one file for each chapter of the spec. A good config pays
// for neither texts nor places of faults: rules build paths only when they are
// broken, and places are found by a second walk over the document.
package spec

import (
	"strings"

	"github.com/minirt/minirt/internal/json"
	"github.com/opencontainers/runtime-spec/specs-go"
)

//go:generate go run ../hack/decoder -src github.com/opencontainers/runtime-spec/specs-go -types Spec,Process,LinuxResources,State -pkg spec -required required.txt -o decode_gen.go

// Load reads config.json. On an error s is nil and err is Faults; the warnings
// are what the spec allows and its reader should know of. Strings of s are
// parts of one copy of config.
func Load(config []byte) (s *specs.Spec, warnings []Fault, err error) {
	return load(config, "", decodeSpec, (*checker).spec)
}

// LoadProcess reads the process object that exec is given as a file. Paths are
// relative to that object, and the file's name is "process.json" (see Faults.In).
func LoadProcess(data []byte) (p *specs.Process, warnings []Fault, err error) {
	return load(data, "process.json", decodeProcess, func(c *checker, p *specs.Process) {
		c.process(&path{}, p)
	})
}

// LoadResources reads the resources object that update is given as a file.
// Paths are relative to that object, and the file's name is "resources.json".
func LoadResources(data []byte) (r *specs.LinuxResources, warnings []Fault, err error) {
	return load(data, "resources.json", decodeLinuxResources, func(c *checker, r *specs.LinuxResources) {
		c.resources(&path{}, r)
	})
}

// LoadState reads a state document (runtime.md, State).
func LoadState(data []byte) (*specs.State, error) {
	s, _, err := load(data, "state.json", decodeState, func(*checker, *specs.State) {})
	return s, err
}

// Unknown gives a fault for each property of config.json that the spec doesn't
// have. They are legal and ignored (config.md, Extensibility), names that
// differ by case alone too; so it is validate that asks.
func Unknown(config []byte) []Fault {
	doc := string(config)
	var faults []Fault
	for _, f := range json.DecodeUnknown(doc, new(specs.Spec), decodeSpec) {
		if f.Kind != json.Unknown {
			continue
		}
		path := f.Path(doc)
		text := "unknown property"
		if n := near(lastName(path), strings.Split(f.Text, ",")); n != "" {
			text += ", did you mean " + quote(n)
		}
		line, column := json.LineColumn(doc, f.Offset)
		faults = append(faults, Fault{Path: path, Line: line, Column: column, Text: text})
	}
	return faults
}

// Place finds where a config path stands, line and column from 1. If there is
// no such value, ok is false and the place is that of the object or array
// around it, or 0 where config isn't JSON up to there.
func Place(config []byte, path string) (line, column int, ok bool) {
	doc := string(config)
	offset, ok := json.Find(doc, path)
	line, column = json.LineColumn(doc, offset)
	return line, column, ok
}

// load is what all readings have in common.
func load[T any](data []byte, file string, decode func(*json.Decoder, *T), check func(*checker, *T)) (*T, []Fault, error) {
	v := new(T)
	c := checker{doc: string(data), file: file}
	if c.decoded(json.Decode(c.doc, v, decode)) {
		check(&c, v)
	}
	if len(c.faults) > 0 {
		return nil, c.finish(c.warnings), Faults(c.finish(c.faults))
	}
	return v, c.finish(c.warnings), nil
}
