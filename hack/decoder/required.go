package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
)

// A demand is a set of members that a struct must have, unless another member has a certain value.
type demand struct {
	members      []string
	field, value string // the condition; field is "" for none
}

// demands reads the file of required members, by the struct's name.
func demands(file string) (map[string][]demand, error) {
	all := map[string][]demand{}
	if file == "" {
		return all, nil
	}
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0][0] == '#' {
			continue
		}
		one := demand{members: words[1:]}
		if i := slices.Index(words, "unless"); i > 0 && i == len(words)-2 {
			one.members = words[1:i]
			one.field, one.value, _ = strings.Cut(words[i+1], "=")
		}
		all[words[0]] = append(all[words[0]], one)
	}
	return all, nil
}

// mask gives the bits of the demanded members in a struct, and their names in that order.
func (one demand) mask(def *structDef) (bits uint64, names []string, err error) {
	for i, f := range def.fields {
		if slices.Contains(one.members, f.json) {
			bits |= 1 << i
			names = append(names, f.json)
		}
	}
	if len(names) != len(one.members) {
		err = fmt.Errorf("%s has not all of the members %v", def.name, one.members)
	}
	return bits, names, err
}

// goField gives Go's name of the member with a JSON name.
func (def *structDef) goField(json string) (string, error) {
	for _, f := range def.fields {
		if f.json == json {
			return f.name, nil
		}
	}
	return "", fmt.Errorf("%s has no member %s", def.name, json)
}
