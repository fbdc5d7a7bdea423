package main

import (
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"path/filepath"
	"strconv"
	"strings"
)

// sources holds the packages that were read so far, by import path.
type sources struct {
	dir  string // where import paths are looked up from
	read map[string]*source
}

// A source is one package's type declarations.
type source struct {
	path  string // import path; "" for the package that the output is part of
	name  string
	types map[string]declaration
}

// A declaration is one type and what its file imports.
type declaration struct {
	spec    *ast.TypeSpec
	imports map[string]string // import path by the name used in the file
}

// load reads the package in a directory (if src begins with a dot) or with an import path.
func (s *sources) load(src string) (*source, error) {
	if p, ok := s.read[src]; ok {
		return p, nil
	}
	found, err := build.Import(src, s.dir, 0)
	if err != nil {
		return nil, fmt.Errorf("package %q: %w", src, err)
	}
	p := &source{path: src, name: found.Name, types: map[string]declaration{}}
	if strings.HasPrefix(src, ".") {
		p.path = ""
	}
	for _, name := range found.GoFiles {
		if err := p.file(filepath.Join(found.Dir, name)); err != nil {
			return nil, err
		}
	}
	s.read[src] = p
	return p, nil
}

// file reads the type declarations of one file.
func (p *source) file(name string) error {
	f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	imports := map[string]string{}
	for _, i := range f.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		base := strings.TrimSuffix(filepath.Base(path), "-go")
		if i.Name != nil {
			base = i.Name.Name
		}
		imports[base] = path
	}
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.TYPE {
			for _, t := range g.Specs {
				t := t.(*ast.TypeSpec)
				p.types[t.Name.Name] = declaration{t, imports}
			}
		}
	}
	return nil
}
