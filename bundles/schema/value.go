package schema

import (
	"cmp"
	"encoding/json"
	"math"
	"strings"
)

// hasType tells whether a JSON value is of a type that a schema names.
func hasType(value any, name string) bool {
	t := typeOf(value)
	return t == name || t == "integer" && name == "number"
}

// typeOf gives the JSON schema's name for the type of a value. A number that is
// whole is an integer, whichever way it is written.
func typeOf(value any) string {
	switch v := value.(type) {
	case nil:
		return "null"
	case bool:
		return "boolean"
	case string:
		return "string"
	case []any:
		return "array"
	case map[string]any:
		return "object"
	case json.Number:
		if f, err := v.Float64(); !strings.ContainsAny(string(v), ".eE") || err == nil && f == math.Trunc(f) {
			return "integer"
		}
	}
	return "number"
}

// compare orders two numbers: integers exactly, of any size, others as floating
// point, which is near enough for bounds that are integers.
func compare(a, b json.Number) int {
	x, y := string(a), string(b)
	if strings.ContainsAny(x+y, ".eE") {
		f, _ := a.Float64() // ±Inf where it is out of range
		g, _ := b.Float64()
		return cmp.Compare(f, g)
	}
	switch {
	case x == "-0":
		return compare("0", b)
	case y == "-0":
		return compare(a, "0")
	case x[0] == '-' && y[0] == '-':
		return compare(json.Number(y[1:]), json.Number(x[1:]))
	case x[0] == '-':
		return -1
	case y[0] == '-':
		return +1
	}
	// JSON has no leading zeros: the longer is the larger.
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(x, y))
}

// show writes a value as JSON, cut where it is long.
func show(value any) string {
	const most = 200
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}
