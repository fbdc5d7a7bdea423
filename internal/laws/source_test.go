package laws

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

const module = "github.com/minirt/minirt/"

// file is one Go file of the tree.
type file struct {
	name    string // relative to the tree's root
	pkg     string // its directory
	test    bool
	imports map[string]string // by the name that the file gives them
	tree    *ast.File
	set     *token.FileSet
}

func (f *file) line(n ast.Node) string {
	return f.name + ":" + strconv.Itoa(f.set.Position(n.Pos()).Line)
}

// source reads all Go files of the tree, once.
var source = sync.OnceValues(func() (files []*file, err error) {
	const root = "../.."
	set := token.NewFileSet()
	err = filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(root, p)
		if d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != ".") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(name, ".go") {
			return nil
		}
		tree, err := parser.ParseFile(set, p, nil, parser.SkipObjectResolution|parser.ParseComments)
		if err != nil {
			return err
		}
		f := &file{name: name, pkg: path.Dir(name), test: strings.HasSuffix(name, "_test.go"), tree: tree, set: set, imports: map[string]string{}}
		for _, i := range tree.Imports {
			p, _ := strconv.Unquote(i.Path.Value)
			local := path.Base(p)
			if i.Name != nil {
				local = i.Name.Name
			}
			f.imports[local] = p
		}
		files = append(files, f)
		return nil
	})
	return files, err
})

// program gives the files that the binary is made of, in some packages: those
// whose directory begins with one of the prefixes; all of them if there is none.
func program(t *testing.T, prefixes ...string) (files []*file) {
	t.Helper()
	all, err := source()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		if f.test || f.pkg == "hack" || strings.HasPrefix(f.pkg, "hack/") || strings.HasSuffix(f.pkg, "test") {
			continue
		}
		in := len(prefixes) == 0
		for _, p := range prefixes {
			in = in || f.pkg == p || strings.HasPrefix(f.pkg, p+"/")
		}
		if in {
			files = append(files, f)
		}
	}
	if len(files) == 0 {
		t.Fatalf("no files in %v", prefixes)
	}
	return files
}

// calls calls do for each call of a function of another package, such as "os.Open".
func (f *file) calls(do func(name string, call *ast.CallExpr)) {
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if name := f.qualified(call.Fun); name != "" {
				do(name, call)
			}
		}
		return true
	})
}

// mentions calls do for each name of another package, such as "unix.O_RDONLY".
func (f *file) mentions(do func(name string, n ast.Node)) {
	ast.Inspect(f.tree, func(n ast.Node) bool {
		if e, ok := n.(ast.Expr); ok {
			if name := f.qualified(e); name != "" {
				do(name, n)
			}
		}
		return true
	})
}

// qualified is a selector's package and name; that of syscall is told as unix.
func (f *file) qualified(e ast.Expr) string {
	s, ok := e.(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	x, ok := s.X.(*ast.Ident)
	if !ok {
		return ""
	}
	p, ok := f.imports[x.Name]
	if !ok {
		return ""
	}
	base := path.Base(p)
	if base == "syscall" {
		base = "unix"
	}
	return base + "." + s.Sel.Name
}
