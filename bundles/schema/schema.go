// Package schema gives a second opinion on config.json: that of the JSON
// schema which the OCI runtime specification publishes with its text.
//
// The text is the law, and package spec holds to it; the schema is in places
// looser than the text and in a few stricter, and what it finds there is marked
// as its own opinion. So a finding is advice for `validate`, never a reason to
// refuse a bundle.
//
// The schema files are those of runtime-spec v1.3.0 (Apache License 2.0), but
// for two mends: a reference in defs.json lacked a slash, and iomems in
// config-vm.json described only the first entry. The few words of JSON schema
// (draft 4) that they use are understood here; a library for all of them would
// compile its meta-schemas at the start of every verb, which takes 2.5 ms: more
// than most verbs take. Nothing here happens before Check is called.
package schema

import (
	"bytes"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

//go:embed *.json
var files embed.FS

// A Finding is one thing that the schema has against a document.
type Finding struct {
	Path    string // place in config.json, as in "mounts[3].options"; "" is the whole document
	Text    string // what is wrong with it, and with what value
	Opinion bool   // the schema is stricter here than the specification's text, which allows the value
}

// Check holds config, the bytes of a config.json, against the schema, and gives
// what it finds in the order of the paths. The error says that config isn't JSON.
func Check(config []byte) ([]Finding, error) {
	document, err := decode(config)
	if err != nil {
		return nil, err
	}
	c := checker{files: map[string]any{}}
	if err := c.follow("", "config-schema.json#", "", document); err != nil {
		return nil, fmt.Errorf("schema: %w", err)
	}
	return c.sorted(), nil
}

// decode reads one JSON document with its numbers as they are written.
func decode(text []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var document any
	if err := d.Decode(&document); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return nil, err
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, errors.New("more text behind the JSON document")
	}
	return document, nil
}
