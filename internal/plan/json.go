package plan

import "strconv"

// JSON prints the plan as one JSON array of steps, in the form of docs/plan.md.
// quote appends a string as JSON.
func (p *Plan) JSON(quote func(dst []byte, s string) []byte) []byte {
	b := []byte("[")
	for i := range p.Steps {
		if i > 0 {
			b = append(b, ',')
		}
		b = p.jsonStep(append(b, "\n  "...), i, quote)
	}
	return append(b, "\n]\n"...)
}

func (p *Plan) jsonStep(b []byte, i int, quote func(dst []byte, s string) []byte) []byte {
	s := &p.Steps[i]
	b = strconv.AppendInt(append(b, `{"step": `...), int64(i), 10)
	b = quote(append(b, `, "call": `...), s.Call.Name())
	b = jsonList(append(b, `, "arguments": `...), p.Arguments(i), quote)
	if s.Result != None {
		b = quote(append(b, `, "result": `...), p.registerName(uint32(s.Result)))
	}
	if s.Flags&ZeroFails != 0 {
		b = append(b, `, "zeroFails": true`...)
	}
	if s.OnSuccess > 0 {
		key := `, "onSuccess": `
		if s.Flags&IfZero != 0 {
			key = `, "ifZero": `
		}
		b = strconv.AppendInt(append(b, key...), int64(i+1+int(s.OnSuccess)), 10)
	}
	if t := s.tolerated(); len(t) > 0 {
		b = jsonList(append(b, `, "tolerated": `...), t, quote)
		if s.Flags&KeepErrno != 0 {
			b = append(b, `, "keepErrno": true`...)
		}
		if s.OnTolerated > 0 {
			b = strconv.AppendInt(append(b, `, "onTolerated": `...), int64(i+1+int(s.OnTolerated)), 10)
		}
	}
	b = quote(append(b, `, "line": `...), p.Line(i))
	b = quote(append(b, `, "origin": `...), s.Origin)
	return append(b, '}')
}

func jsonList(b []byte, list []string, quote func(dst []byte, s string) []byte) []byte {
	b = append(b, '[')
	for i, s := range list {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = quote(b, s)
	}
	return append(b, ']')
}
