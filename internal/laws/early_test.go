package laws

import (
	"go/ast"
	"go/token"
	"strings"
	"testing"
)

// Package early runs before Go: no stack grows there, nothing is allocated, and
// what is called must hold to the same.
func TestNothingOfGoIsNeededBeforeItBegins(t *testing.T) {
	files := program(t, "cmd/minirt/early")
	known := map[string]bool{"len": true, "uintptr": true, "int": true, "int32": true, "uint32": true}
	for _, f := range files {
		for name := range f.imports {
			if name != "unsafe" {
				t.Errorf("%s imports %s", f.name, name)
			}
		}
		for _, d := range f.tree.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				known[d.Name.Name] = true
			case *ast.GenDecl:
				for _, s := range d.Specs {
					if s, ok := s.(*ast.TypeSpec); ok {
						known[s.Name.Name] = true
					}
				}
			}
		}
	}
	functions := 0
	for _, f := range files {
		for _, d := range f.tree.Decls {
			if d, ok := d.(*ast.FuncDecl); ok && d.Body != nil && d.Name.Name != "init" {
				functions++
				if !strings.Contains(directives(d), "//go:nosplit\n") {
					t.Errorf("%s: %s is not nosplit", f.line(d), d.Name.Name)
				}
				ast.Inspect(d, func(n ast.Node) bool { needsNothing(t, f, n, known); return true })
			}
		}
	}
	if functions < 20 {
		t.Errorf("only %d functions were looked at", functions)
	}
}

// directives are the lines of the comment above a function.
func directives(d *ast.FuncDecl) (s string) {
	if d.Doc != nil {
		for _, c := range d.Doc.List {
			s += c.Text + "\n"
		}
	}
	return s
}

// needsNothing refuses what takes a heap, a scheduler, or a function of Go's.
func needsNothing(t *testing.T, f *file, n ast.Node, known map[string]bool) {
	switch n := n.(type) {
	case *ast.GoStmt, *ast.DeferStmt, *ast.FuncLit, *ast.SelectStmt, *ast.SendStmt, *ast.MapType, *ast.ChanType, *ast.TypeAssertExpr:
		t.Errorf("%s: %T takes what isn't there yet", f.line(n), n)
	case *ast.BinaryExpr:
		for _, side := range []ast.Expr{n.X, n.Y} {
			if l, ok := side.(*ast.BasicLit); ok && l.Kind == token.STRING {
				t.Errorf("%s: an operation on strings", f.line(n))
			}
		}
	case *ast.CallExpr:
		switch fun := ast.Unparen(n.Fun).(type) {
		case *ast.Ident:
			if !known[fun.Name] {
				t.Errorf("%s calls %s", f.line(n), fun.Name)
			}
		case *ast.SelectorExpr:
			if x, ok := fun.X.(*ast.Ident); !known[fun.Sel.Name] && !(ok && x.Name == "unsafe") {
				t.Errorf("%s calls %s", f.line(n), fun.Sel.Name)
			}
		case *ast.StarExpr, *ast.ArrayType:
		default:
			t.Errorf("%s calls a %T", f.line(n), fun)
		}
	}
}
