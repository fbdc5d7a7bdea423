package checklist

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A Test is a test function of a package, or a script that TestScripts runs.
type Test struct {
	Package string // its directory below the tree's root
	Name    string // with /script for one of testdata
}

func (t Test) String() string { return t.Package + "." + t.Name }

var number = regexp.MustCompile(`\b[A-Z]{2}-[0-9]{2}\b`)

// Scan finds the tests below root that show each row.
func Scan(root string, rows []*Row) error {
	found := map[string][]Test{}
	all := map[string]bool{}
	add := func(t Test, ids []string) {
		all[t.String()] = true
		for _, id := range ids {
			if !slices.Contains(found[id], t) {
				found[id] = append(found[id], t)
			}
		}
	}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		if d.Name() != filepath.Base(root) && strings.HasPrefix(d.Name(), ".") {
			return filepath.SkipDir
		}
		pkg, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		if above, below, ok := strings.Cut(filepath.ToSlash(pkg), "/testdata"); ok {
			return scripts(path, above, readers[below], add)
		}
		return tests(path, filepath.ToSlash(pkg), add)
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		r.Tests = found[r.ID]
		for _, name := range r.Also {
			i := strings.LastIndexByte(name, '.')
			t := Test{name[:max(i, 0)], name[i+1:]}
			if !all[t.String()] {
				return &fs.PathError{Op: r.ID, Path: name, Err: fs.ErrNotExist}
			}
			if !slices.Contains(r.Tests, t) {
				r.Tests = append(r.Tests, t)
			}
		}
		slices.SortFunc(r.Tests, func(a, b Test) int { return strings.Compare(a.String(), b.String()) })
	}
	return nil
}

// readers are the tests that make a subtest of each text file of a directory below testdata.
var readers = map[string]string{"": "TestScripts", "/rules": "TestRules"}

// scripts are the text files that such a test reads.
func scripts(dir, pkg, reader string, add func(Test, []string)) error {
	if reader == "" {
		return nil
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		add(Test{pkg, reader + "/" + strings.TrimSuffix(filepath.Base(name), ".txt")}, number.FindAllString(string(b), -1))
	}
	return err
}

// part is a declaration of a package's tests.
type part struct {
	test bool
	ids  []string        // that stand in it
	uses map[string]bool // names
}

// tests are the test functions of a directory.
func tests(dir, pkg string, add func(Test, []string)) error {
	parts := map[string]*part{}
	files, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	for _, name := range files {
		if err := read(name, parts); err != nil {
			return err
		}
	}
	for name, p := range parts {
		if p.test {
			add(Test{pkg, name}, idsOf(p, parts, map[*part]bool{}))
		}
	}
	return err
}

// idsOf are the numbers in a declaration and in those that it uses, tests excepted.
func idsOf(p *part, parts map[string]*part, seen map[*part]bool) []string {
	if seen[p] {
		return nil
	}
	seen[p] = true
	ids := slices.Clone(p.ids)
	for name := range p.uses {
		if q := parts[name]; q != nil && !q.test {
			ids = append(ids, idsOf(q, parts, seen)...)
		}
	}
	return ids
}

func read(name string, parts map[string]*part) error {
	b, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	set := token.NewFileSet()
	f, err := parser.ParseFile(set, name, b, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	put := func(name string, n ast.Node, doc *ast.CommentGroup) {
		p := &part{test: strings.HasPrefix(name, "Test"), uses: map[string]bool{}}
		from := n.Pos()
		if doc != nil {
			from = doc.Pos()
		}
		p.ids = number.FindAllString(string(b[set.Position(from).Offset:set.Position(n.End()).Offset]), -1)
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				p.uses[id.Name] = true
			}
			return true
		})
		parts[name] = p
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				put(d.Name.Name, d, d.Doc)
			}
		case *ast.GenDecl:
			for _, s := range d.Specs {
				if v, ok := s.(*ast.ValueSpec); ok {
					for _, n := range v.Names {
						put(n.Name, v, d.Doc)
					}
				}
			}
		}
	}
	return nil
}
