package structure_test

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// The limits of a line.
const (
	maxColumns  = 120 // of a line, a tab being one
	maxLiteral  = 160 // of a line with a long string, or a drawing in a comment
	longLiteral = 50  // columns of its strings together
)

// unusedExports is how many exported names that no other package uses a part of the module may have.
// The numbers may only shrink.
var unusedExports = map[string]int{}

// wideLinesOf is how many lines that are too long the files below a folder may have, tests included. The numbers may
// only shrink.
var wideLinesOf = map[string]int{}

// A sourceFile is a parsed file of the module.
type sourceFile struct {
	path   string // from the root, with slashes
	test   bool
	wide   []int // lines over maxColumns
	sleeps []int // lines of sleeps of a test, or of a package for tests, that do not say what they simulate
	ast    *ast.File
}

func (f sourceFile) dir() string { return path.Dir(f.path) }

// parsedFiles are the module's files, parsed once for all tests of the structure.
var parsedFiles = sync.OnceValues(func() ([]sourceFile, error) {
	root := filepath.Join("..", "..")
	var files []sourceFile
	set := token.NewFileSet()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if file != root && (strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(set, file, text, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		f := sourceFile{
			path: filepath.ToSlash(rel), test: strings.HasSuffix(name, "_test.go"),
			wide: wideLines(set, parsed, text),
			ast:  parsed,
		}
		if f.test || slices.ContainsFunc(parsed.Imports,
			func(i *ast.ImportSpec) bool { return i.Path.Value == `"testing"` }) {
			f.sleeps = sleepsIn(set, parsed, text)
		}
		files = append(files, f)
		return nil
	})
	return files, err
})

// wideLines lists the lines of a file that are too long. A line with a long string, and one of a
// drawing in a comment, may have up to maxLiteral columns.
func wideLines(set *token.FileSet, f *ast.File, text []byte) []int {
	literals := map[int]int{} // by line: the columns of its literals
	ast.Inspect(f, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			for i, part := range strings.Split(l.Value, "\n") {
				line := set.Position(l.Pos()).Line + i
				literals[line] += utf8.RuneCountInString(part)
			}
		}
		return true
	})
	var out []int
	n := 0
	for line := range bytes.Lines(text) {
		n++
		columns := utf8.RuneCount(bytes.TrimRight(line, "\r\n"))
		drawing := bytes.HasPrefix(bytes.TrimLeft(line, "\t"), []byte("//\t"))
		if columns > maxLiteral || columns > maxColumns && !drawing && literals[n] < longLiteral {
			out = append(out, n)
		}
	}
	return out
}

func moduleFiles(t *testing.T) []sourceFile {
	t.Helper()
	files, err := parsedFiles()
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// receiver returns the name of a method's type.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.IndexExpr:
		return receiver(e.X)
	case *ast.IndexListExpr:
		return receiver(e.X)
	case *ast.Ident:
		return e.Name
	}
	return ""
}

// An export is an exported name of a package, with the exported names in its declaration and the
// block of constants that contains it.
type export struct {
	needs   []string // exported names of the package in its signature, fields and methods; the constants of a type
	block   []string // the other constants of its block
	decoded bool     // it is a struct whose fields are YAML
}

// TestLength limits lines to 120 columns, those with a long literal to 160.
func TestLength(t *testing.T) {
	wide := map[string][]string{}
	for _, f := range moduleFiles(t) {
		part := exceptionOf(f.path)
		for _, n := range f.wide {
			wide[part] = append(wide[part], fmt.Sprintf("%s:%d", f.path, n))
		}
	}
	checkCounts(t, fmt.Sprintf("lines over %d columns", maxColumns), wide, wideLinesOf)
}

// checkCounts compares the counts of each part of the module with the allowed ones.
func checkCounts(t *testing.T, what string, has map[string][]string, may map[string]int) {
	t.Helper()
	for _, part := range slices.Sorted(maps.Keys(has)) {
		if all := has[part]; len(all) > may[part] {
			slices.Sort(all)
			t.Errorf("%s has %d %s, and may have %d:\n\t%s", part, len(all), what, may[part], strings.Join(all, "\n\t"))
		}
	}
	for part := range may {
		if len(has[part]) == 0 {
			t.Errorf("%s has no %s: remove its exception", part, what)
		}
	}
}

// TestExported finds exported names of packages that no other package uses. A test of another
// package counts as a use, a test of the package itself does not, unless it is all that imports the
// package, such as a server for tests. A type is also used where a used name returns or holds it, and
// where its fields are decoded from YAML. A constant is used where its type or another of its block
// is.
func TestExported(t *testing.T) {
	exports := map[string]map[string]*export{} // by folder and name
	used := map[string]map[string]bool{}
	for _, f := range moduleFiles(t) {
		if exports[f.dir()] == nil {
			exports[f.dir()], used[f.dir()] = map[string]*export{}, map[string]bool{}
		}
	}
	inside := map[string]map[string]bool{} // by the external tests of the package itself
	for _, f := range moduleFiles(t) {
		if !f.test {
			addExports(exports[f.dir()], f.ast)
		}
		for pkg, names := range usedNames(f) {
			by := used
			if pkg == f.dir() {
				by = inside
			}
			if by[pkg] == nil {
				by[pkg] = map[string]bool{}
			}
			for _, name := range names {
				by[pkg][name] = true
			}
		}
	}
	unused := map[string][]string{}
	for pkg, names := range exports {
		reached := map[string]bool{}
		if len(used[pkg]) == 0 {
			used[pkg] = inside[pkg]
		}
		for name := range names {
			if used[pkg][name] || names[name].decoded {
				reach(name, names, reached)
			}
		}
		for name := range names {
			if !reached[name] {
				unused[exceptionOf(pkg)] = append(unused[exceptionOf(pkg)], pkg+"."+name)
			}
		}
	}
	checkCounts(t, "exported names that no other package uses", unused, unusedExports)
}

// exceptionOf returns the part of the module whose exceptions include a package: its first folder,
// so that packages can be split.
func exceptionOf(pkg string) string {
	first, _, _ := strings.Cut(pkg, "/")
	return first
}

// reach marks a name and the names that it needs.
func reach(name string, names map[string]*export, reached map[string]bool) {
	e := names[name]
	if e == nil || reached[name] {
		return
	}
	reached[name] = true
	for _, other := range e.needs {
		reach(other, names, reached)
	}
	for _, other := range e.block {
		reach(other, names, reached)
	}
}

// addExports adds the exported package-level names of a file.
func addExports(names map[string]*export, f *ast.File) {
	add := func(name string, api ...ast.Node) *export {
		if !ast.IsExported(name) {
			return nil
		}
		e := names[name]
		if e == nil {
			e = &export{}
			names[name] = e
		}
		for _, n := range api {
			e.needs = append(e.needs, exportedIdents(n)...)
		}
		return e
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil {
				add(d.Name.Name, d.Type)
			} else if d.Name.IsExported() {
				add(receiver(d.Recv.List[0].Type), d.Type)
			}
		case *ast.GenDecl:
			var block []string
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					if e := add(s.Name.Name, s.Type); e != nil {
						e.decoded = isDecoded(s.Type)
					}
				case *ast.ValueSpec:
					for _, name := range s.Names {
						if e := add(name.Name); e != nil {
							if s.Type != nil {
								e.needs = append(e.needs, exportedIdents(s.Type)...)
							}
							if d.Tok == token.CONST {
								block = append(block, name.Name)
							}
							if of, ok := s.Type.(*ast.Ident); ok && d.Tok == token.CONST {
								if e := add(of.Name); e != nil {
									e.needs = append(e.needs, name.Name)
								}
							}
						}
					}
				}
			}
			for _, name := range block {
				names[name].block = block
			}
		}
	}
}

// isDecoded reports whether a type is a struct whose fields are YAML.
func isDecoded(e ast.Expr) bool {
	st, ok := e.(*ast.StructType)
	return ok && slices.ContainsFunc(st.Fields.List, func(f *ast.Field) bool {
		return f.Tag != nil && strings.Contains(f.Tag.Value, `yaml:"`)
	})
}

// exportedIdents returns the exported names in a type or signature, without those of other packages
// and without those in unexported fields.
func exportedIdents(n ast.Node) []string {
	var out []string
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SelectorExpr:
			return false
		case *ast.StructType:
			for _, f := range n.Fields.List {
				if len(f.Names) == 0 || slices.ContainsFunc(f.Names, (*ast.Ident).IsExported) {
					out = append(out, exportedIdents(f.Type)...)
				}
			}
			return false
		case *ast.Ident:
			if n.IsExported() {
				out = append(out, n.Name)
			}
		}
		return true
	})
	return out
}

// usedNames returns the names of other packages of this module that a file uses, by folder.
func usedNames(f sourceFile) map[string][]string {
	imports := map[string]string{} // folder by the name in this file
	for _, spec := range f.ast.Imports {
		imported, _ := strconv.Unquote(spec.Path.Value)
		dir, ours := strings.CutPrefix(imported, module+"/")
		if !ours {
			continue
		}
		name := path.Base(dir)
		if spec.Name != nil {
			name = spec.Name.Name
		}
		imports[cmp.Or(name, path.Base(dir))] = dir
	}
	out := map[string][]string{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if s, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := s.X.(*ast.Ident); ok && x.Obj == nil && imports[x.Name] != "" {
				out[imports[x.Name]] = append(out[imports[x.Name]], s.Sel.Name)
			}
		}
		return true
	})
	return out
}
