package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kit is the package whose function Needs holds the declarations.
const kit = "brunt/scenarios/suite"

// A test is a function of a package that go test runs, with the needs that it declares.
type test struct {
	pkg, name string
	needs     []need
}

// A need is an argument of suite.Needs: the name in package suite, and its literal argument, if any.
type need struct {
	name, text string
	n          int
}

func (t test) says(name string) bool {
	return slices.ContainsFunc(t.needs, func(n need) bool { return n.name == name })
}

// in reports whether the test names a suite.
func (t test) in(suite string) bool { return slices.Contains(t.needs, need{name: "In", text: suite}) }

// minutes returns how many minutes the test takes; zero means that it does not declare it.
func (t test) minutes() (n int) {
	for _, x := range t.needs {
		if x.name == "Minutes" {
			n = x.n
		}
	}
	return n
}

// A pkg is a package with tests.
type pkg struct {
	path, dir string
	loading   bool   // its tests put load on the machine, and take turns by suite.Loading
	tests     []test // in the order of go test -list
	fuzzers   []test
}

// read reads the packages of the module in the working directory, in the order of go list.
func read(ctx context.Context) ([]pkg, error) {
	c := exec.CommandContext(ctx, "go", "list", "-json=ImportPath,Dir,GoFiles,TestGoFiles,XTestGoFiles", "./...")
	c.Stderr = os.Stderr
	text, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	var out []pkg
	var mistakes []error
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var l listed
		if err := d.Decode(&l); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("go list: %w", err)
		}
		p, err := l.read()
		out, mistakes = append(out, p), append(mistakes, err)
	}
	return out, errors.Join(mistakes...)
}

// listed is the output of go list for a package.
type listed struct {
	ImportPath, Dir                    string
	GoFiles, TestGoFiles, XTestGoFiles []string
}

func (l listed) read() (pkg, error) {
	p := pkg{path: l.ImportPath, dir: l.Dir}
	var mistakes []error
	for i, files := range [][]string{l.GoFiles, l.TestGoFiles, l.XTestGoFiles} {
		for _, file := range files {
			file = filepath.Join(l.Dir, file)
			text, err := os.ReadFile(file)
			if err != nil {
				return p, err
			}
			if i > 0 || bytes.Contains(text, []byte(kit)) && p.path != kit {
				mistakes = append(mistakes, p.readFile(file, text, i > 0))
			}
		}
	}
	return p, errors.Join(mistakes...)
}

// readFile adds the tests of a file. A declaration that it can't read is an error.
func (p *pkg) readFile(file string, text []byte, tests bool) error {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, text, parser.SkipObjectResolution)
	if err != nil {
		return err
	}
	r := reader{fset: fset, kit: importedAs(f, kit), statement: map[*ast.CallExpr]bool{}}
	if r.kit == "." {
		return r.mistake(f.Name, "import %s by its name, so that its calls can be read", kit)
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Recv != nil || !tests {
			continue
		}
		switch {
		case takes(fn, "T") && named(fn, "Test"):
			p.tests = append(p.tests, test{p.path, fn.Name.Name, r.needs(fn)})
		case takes(fn, "F") && named(fn, "Fuzz"):
			p.fuzzers = append(p.fuzzers, test{p.path, fn.Name.Name, nil})
		}
	}
	if p.path != kit && r.others(f) && tests { // package suite calls Loading only to test it
		p.loading = true
	}
	return errors.Join(r.mistakes...)
}

// importedAs returns the name under which a file imports a package, or "".
func importedAs(f *ast.File, path string) string {
	for _, i := range f.Imports {
		if text, err := strconv.Unquote(i.Path.Value); err != nil || text != path {
			continue
		}
		if i.Name != nil {
			return i.Name.Name
		}
		return path[strings.LastIndex(path, "/")+1:]
	}
	return ""
}

// takes reports whether a function has one parameter, a pointer to testing.T, M or F, as kind says.
func takes(fn *ast.FuncDecl, kind string) bool {
	if fn.Type.Params.NumFields() != 1 {
		return false
	}
	star, ok := fn.Type.Params.List[0].Type.(*ast.StarExpr)
	if !ok {
		return false
	}
	sel, ok := star.X.(*ast.SelectorExpr)
	return ok && sel.Sel.Name == kind
}

// named reports whether a function is a test or a fuzzer by its name.
func named(fn *ast.FuncDecl, prefix string) bool {
	rest, ok := strings.CutPrefix(fn.Name.Name, prefix)
	r, _ := utf8.DecodeRuneInString(rest)
	return ok && (rest == "" || !unicode.IsLower(r))
}

// reader reads the declarations of a file.
type reader struct {
	fset      *token.FileSet
	kit       string                 // the name of package suite in the file
	statement map[*ast.CallExpr]bool // the declarations of tests, which were already read
	mistakes  []error
}

// choosing are the needs that choose tests, so that only a test itself may declare them.
var choosing = []string{"In", "Minutes", "EveryPart", "Kubernetes", "VM", "Flaky"}

// literals are the needs that have arguments, with the type of the argument.
var literals = map[string]token.Token{"In": token.STRING, "Minutes": token.INT, "Programs": token.STRING}

func (r *reader) mistake(at ast.Node, format string, args ...any) error {
	err := fmt.Errorf("%s: "+format, append([]any{r.fset.Position(at.Pos())}, args...)...)
	r.mistakes = append(r.mistakes, err)
	return err
}

// isKit returns the name that an expression selects from package suite, or "".
func (r *reader) isKit(e ast.Expr) string {
	sel, ok := e.(*ast.SelectorExpr)
	if !ok || r.kit == "" {
		return ""
	}
	if x, ok := sel.X.(*ast.Ident); !ok || x.Name != r.kit {
		return ""
	}
	return sel.Sel.Name
}

// needs reads the declarations of a test: the calls of suite.Needs that are statements of its body.
func (r *reader) needs(fn *ast.FuncDecl) (out []need) {
	for _, s := range fn.Body.List {
		x, ok := s.(*ast.ExprStmt)
		if !ok {
			continue
		}
		call, ok := x.X.(*ast.CallExpr)
		if !ok || r.isKit(call.Fun) != "Needs" {
			continue
		}
		r.statement[call] = true
		for _, arg := range call.Args[min(1, len(call.Args)):] {
			if n, ok := r.need(arg); ok {
				out = append(out, n)
			}
		}
	}
	return out
}

// need reads one argument of suite.Needs.
func (r *reader) need(arg ast.Expr) (n need, ok bool) {
	if name := r.isKit(arg); name != "" {
		return need{name: name}, true
	}
	call, is := arg.(*ast.CallExpr)
	if is {
		n.name = r.isKit(call.Fun)
	}
	kind, known := literals[n.name]
	if !known {
		r.mistake(arg, "want a name of package suite, or a call of In, Minutes or Programs")
		return n, false
	}
	for _, a := range call.Args {
		l, is := a.(*ast.BasicLit)
		if !is || l.Kind != kind || kind == token.STRING && n.text != "" && n.name == "In" {
			r.mistake(a, "want a literal for %s", n.name)
			return n, false
		}
		var err error
		if kind == token.INT {
			n.n, err = strconv.Atoi(l.Value)
		} else {
			n.text, err = strconv.Unquote(l.Value)
		}
		if err != nil {
			r.mistake(a, "%v", err)
			return n, false
		}
	}
	if _, err := find(n.text); n.name == "In" && err != nil {
		r.mistake(arg, "there is no suite %q", n.text)
		return n, false
	}
	return n, true
}

// others reports needs that choose tests but are not in the declaration of a test, because nothing would read them.
// It returns whether the file calls suite.Loading.
func (r *reader) others(f *ast.File) (loading bool) {
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if r.statement[n] {
				return false
			}
			name := r.isKit(n.Fun)
			loading = loading || name == "Loading"
			if name != "Needs" {
				break
			}
			for _, arg := range n.Args[min(1, len(n.Args)):] {
				if call, ok := arg.(*ast.CallExpr); ok {
					arg = call.Fun
				}
				if r.isKit(arg) == "" {
					r.mistake(arg, "want names of package suite, so that it can be seen that none chooses tests")
				}
			}
		case *ast.SelectorExpr:
			if name := r.isKit(n); slices.Contains(choosing, name) {
				r.mistake(n, "suite.%s chooses tests: want it in a statement suite.Needs(t, …) of a test's own body", name)
			}
		}
		return true
	})
	return loading
}
