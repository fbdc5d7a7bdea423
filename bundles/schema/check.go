package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// A checker walks a document and a schema side by side. Its errors are faults
// of the schema, which a test holds to be without any.
type checker struct {
	files    map[string]any // schema files read so far
	findings []Finding
}

// node is one schema, with the file that its references are relative to.
type node struct {
	file string
	body map[string]any
}

// follow checks value, at path, against what a reference in file means:
// "defs.json#/definitions/Env", or without a file name in the same one.
func (c *checker) follow(file, ref, path string, value any) error {
	name, pointer, _ := strings.Cut(ref, "#")
	if name == "" {
		name = file
	}
	schema, err := c.load(name)
	if err != nil {
		return err
	}
	for key := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		if key == "" {
			continue
		}
		in, _ := schema.(map[string]any)
		if schema = in[key]; schema == nil {
			return fmt.Errorf("%s: %q leads nowhere", file, ref)
		}
	}
	return c.check(name, schema, path, value)
}

func (c *checker) load(name string) (any, error) {
	if schema, ok := c.files[name]; ok {
		return schema, nil
	}
	text, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	schema, err := decode(text)
	c.files[name] = schema
	return schema, err
}

// check holds value against one schema. Where the type is wrong, the rest has
// nothing to say; beside a reference, other words don't count (draft 4).
func (c *checker) check(file string, schema any, path string, value any) error {
	body, ok := schema.(map[string]any)
	if !ok {
		return fmt.Errorf("%s: %v is no schema", file, schema)
	}
	if ref, ok := body["$ref"].(string); ok {
		return c.follow(file, ref, path, value)
	}
	if t, ok := body["type"].(string); ok && !hasType(value, t) {
		c.find(path, "%s is of type %s, not %s", show(value), typeOf(value), t)
		return nil
	}
	n := node{file, body}
	c.enum(n, path, value)
	var err error
	switch v := value.(type) {
	case map[string]any:
		err = c.object(n, path, v)
	case []any:
		err = c.array(n, path, v)
	case string:
		err = c.text(n, path, v)
	case json.Number:
		c.number(n, path, v)
	}
	if err != nil {
		return err
	}
	return c.combined(n, path, value)
}

func (c *checker) enum(n node, path string, value any) {
	if allowed, ok := n.body["enum"].([]any); ok && !slices.Contains(allowed, value) {
		c.find(path, "%s is none of %s", show(value), show(allowed))
	}
}

// object checks members by properties, patternProperties and, for the others,
// additionalProperties; then that none is missing.
func (c *checker) object(n node, path string, members map[string]any) error {
	properties, _ := n.body["properties"].(map[string]any)
	patterns, _ := n.body["patternProperties"].(map[string]any)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		var schemas []any
		if s, ok := properties[name]; ok {
			schemas = append(schemas, s)
		}
		for pattern, s := range patterns {
			re, err := regexp.Compile(pattern)
			if err != nil {
				return err
			}
			if re.MatchString(name) {
				schemas = append(schemas, s)
			}
		}
		if s, ok := n.body["additionalProperties"]; ok && len(schemas) == 0 {
			schemas = append(schemas, s)
		}
		for _, s := range schemas {
			if err := c.check(n.file, s, join(path, name), members[name]); err != nil {
				return err
			}
		}
	}
	required, _ := n.body["required"].([]any)
	for _, name := range required {
		if _, ok := members[name.(string)]; !ok {
			c.find(path, "%q is required", name)
		}
	}
	return nil
}

func (c *checker) array(n node, path string, items []any) error {
	if least, ok := n.body["minItems"].(json.Number); ok && compare(json.Number(strconv.Itoa(len(items))), least) < 0 {
		c.find(path, "%d entries, fewer than %s", len(items), least)
	}
	schema, ok := n.body["items"]
	for i := 0; ok && i < len(items); i++ {
		if err := c.check(n.file, schema, path+"["+strconv.Itoa(i)+"]", items[i]); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) text(n node, path, value string) error {
	pattern, ok := n.body["pattern"].(string)
	if !ok {
		return nil
	}
	re, err := regexp.Compile(pattern)
	if err == nil && !re.MatchString(value) {
		c.find(path, "%q doesn't match %q", value, pattern)
	}
	return err
}

func (c *checker) number(n node, path string, value json.Number) {
	if least, ok := n.body["minimum"].(json.Number); ok && compare(value, least) < 0 {
		c.find(path, "%s is less than %s", value, least)
	}
	if most, ok := n.body["maximum"].(json.Number); ok && compare(value, most) > 0 {
		c.find(path, "%s is more than %s", value, most)
	}
}

// combined checks allOf, which adds its findings, and anyOf, of which one
// schema must have none; an anyOf of one is the same as allOf.
func (c *checker) combined(n node, path string, value any) error {
	all, _ := n.body["allOf"].([]any)
	any, _ := n.body["anyOf"].([]any)
	if len(any) == 1 {
		all, any = slices.Concat(all, any), nil
	}
	for _, s := range all {
		if err := c.check(n.file, s, path, value); err != nil {
			return err
		}
	}
	for _, s := range any {
		one := checker{files: c.files}
		if err := one.check(n.file, s, path, value); err != nil || len(one.findings) == 0 {
			return err
		}
	}
	if len(any) > 0 {
		c.find(path, "fits none of the %d forms that are allowed here", len(any))
	}
	return nil
}

// join makes the path of a member of the object at path.
func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
