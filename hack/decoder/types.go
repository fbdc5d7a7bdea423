package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"reflect"
	"strconv"
	"strings"
)

type kind int

const (
	text kind = iota
	boolean
	signed
	unsigned
	float
	anything
	structure
	pointer
	slice
	mapping
)

// A goType is a type as the decoder sees it.
type goType struct {
	kind kind
	name string // as the written file names it: "uint32", "specs.Arch"; "" for pointers, slices and maps
	bits int    // for numbers
	elem *goType
	def  *structDef
	pkg  string // import path that the name needs, or ""
}

// A structDef is a struct whose decoder is to be written.
type structDef struct {
	name   string // its own, without package
	typ    *goType
	fields []field
	used   bool // as a value of its own, not only embedded
}

// A field is one member: Go's name, JSON's name and the type.
type field struct {
	name, json string
	typ        *goType
}

// basic are the predeclared types that JSON can fill. int and uint have 64 bits where minirt runs.
var basic = map[string]goType{
	"string": {kind: text}, "bool": {kind: boolean}, "any": {kind: anything},
	"int": {kind: signed, bits: 64}, "int8": {kind: signed, bits: 8}, "int16": {kind: signed, bits: 16},
	"int32": {kind: signed, bits: 32}, "int64": {kind: signed, bits: 64},
	"uint": {kind: unsigned, bits: 64}, "uint8": {kind: unsigned, bits: 8}, "uint16": {kind: unsigned, bits: 16},
	"uint32": {kind: unsigned, bits: 32}, "uint64": {kind: unsigned, bits: 64},
	"float64": {kind: float, bits: 64},
}

// A resolver turns type expressions into goTypes, each struct once.
type resolver struct {
	sources sources
	structs map[string]*structDef // by their name in the written file
	order   []*structDef
}

// named resolves a type by its name in a package.
func (r *resolver) named(p *source, name string) (*goType, error) {
	d, ok := p.types[name]
	if !ok {
		if b, ok := basic[name]; ok {
			b.name = name
			return &b, nil
		}
		return nil, fmt.Errorf("no type %s in package %s", name, p.name)
	}
	full := name
	if p.path != "" {
		full = p.name + "." + name
	}
	if s, ok := r.structs[full]; ok {
		return s.typ, nil
	}
	if s, ok := d.spec.Type.(*ast.StructType); ok {
		def := &structDef{name: name, typ: &goType{kind: structure, name: full, pkg: p.path}}
		def.typ.def = def
		r.structs[full] = def
		r.order = append(r.order, def)
		err := r.fields(def, p, d, s)
		return def.typ, err
	}
	under, err := r.expression(p, d, d.spec.Type)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", full, err)
	}
	t := *under
	t.name, t.pkg = full, p.path
	return &t, nil
}

// expression resolves a type as it is written in a declaration.
func (r *resolver) expression(p *source, d declaration, e ast.Expr) (*goType, error) {
	switch e := e.(type) {
	case *ast.Ident:
		return r.named(p, e.Name)
	case *ast.SelectorExpr:
		base := e.X.(*ast.Ident).Name
		path, ok := d.imports[base]
		if !ok {
			return nil, fmt.Errorf("no import named %s", base)
		}
		other, err := r.sources.load(path)
		if err != nil {
			return nil, err
		}
		return r.named(other, e.Sel.Name)
	case *ast.StarExpr:
		return r.container(pointer, p, d, e.X)
	case *ast.ArrayType:
		if e.Len == nil {
			return r.container(slice, p, d, e.Elt)
		}
	case *ast.MapType:
		if key, ok := e.Key.(*ast.Ident); ok && key.Name == "string" {
			return r.container(mapping, p, d, e.Value)
		}
	case *ast.InterfaceType:
		if len(e.Methods.List) == 0 {
			return &goType{kind: anything, name: "any"}, nil
		}
	}
	return nil, fmt.Errorf("no decoder for a type such as %T", e)
}

func (r *resolver) container(k kind, p *source, d declaration, e ast.Expr) (*goType, error) {
	elem, err := r.expression(p, d, e)
	if err == nil && k == slice && elem.kind == unsigned && elem.bits == 8 {
		err = fmt.Errorf("no decoder for bytes in base64")
	}
	return &goType{kind: k, elem: elem}, err
}

// fields resolves a struct's fields by the rules of encoding/json.
func (r *resolver) fields(def *structDef, p *source, d declaration, s *ast.StructType) error {
	for _, f := range s.Fields.List {
		tag := ""
		if f.Tag != nil {
			whole, _ := strconv.Unquote(f.Tag.Value)
			tag = reflect.StructTag(whole).Get("json")
		}
		name, options, _ := strings.Cut(tag, ",")
		if strings.Contains(","+options+",", ",string,") {
			return fmt.Errorf("%s: no decoder for the tag option string", def.name)
		}
		if tag == "-" {
			continue
		}
		t, err := r.expression(p, d, f.Type)
		if err != nil {
			return fmt.Errorf("%s: %w", def.name, err)
		}
		if len(f.Names) == 0 && name == "" {
			if t.kind != structure {
				return fmt.Errorf("%s: no decoder for an embedded %s", def.name, t.name)
			}
			def.fields = append(def.fields, t.def.fields...)
			continue
		}
		def.add(f.Names, name, t)
		t.use()
	}
	if len(def.fields) > 64 {
		return fmt.Errorf("%s has more than 64 fields", def.name)
	}
	return nil
}

// use marks the struct that a type leads to as one that needs a decoder.
func (t *goType) use() {
	for ; t.elem != nil; t = t.elem {
	}
	if t.def != nil {
		t.def.used = true
	}
}

// add appends the exported ones of the fields that one line declares.
func (def *structDef) add(idents []*ast.Ident, json string, t *goType) {
	for _, i := range idents {
		if !token.IsExported(i.Name) {
			continue
		}
		name := json
		if name == "" {
			name = i.Name
		}
		def.fields = append(def.fields, field{i.Name, name, t})
	}
}
