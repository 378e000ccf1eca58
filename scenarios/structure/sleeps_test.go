package structure_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"regexp"
	"strings"
	"testing"
)

// sleepsOf is how many sleeps without a reason the tests below a folder may have. The numbers may
// only shrink.
var sleepsOf = map[string]int{}

// excused matches the comment of a sleep that waits for nothing: it stands for work or for the length
// of something, it lets other programs go first, or its clock is that of a synctest bubble.
var excused = regexp.MustCompile(`// (.*; )?(simulates|backs off|fake clock)`)

// TestSleeps: no test sleeps until something happens. It waits with a channel, in a bubble of
// testing/synctest, or by suite.Until. Another sleep says in a comment, on its line or the one above,
// what it simulates.
func TestSleeps(t *testing.T) {
	sleeps := map[string][]string{}
	for _, f := range moduleFiles(t) {
		for _, n := range f.sleeps {
			part := exceptionOf(f.path)
			sleeps[part] = append(sleeps[part], fmt.Sprintf("%s:%d", f.path, n))
		}
	}
	checkCounts(t, "sleeps without a comment that says what they simulate (or use suite.Until)", sleeps, sleepsOf)
}

// sleepsIn returns the lines of the calls of time.Sleep without an excuse. Calls in the function that
// synctest.Test runs need none.
func sleepsIn(set *token.FileSet, f *ast.File, text []byte) []int {
	lines := strings.Split(string(text), "\n")
	var out []int
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		switch pkg, name := selected(call.Fun); {
		case pkg == "synctest":
			return false
		case pkg == "time" && name == "Sleep":
			line := set.Position(call.Pos()).Line
			if !excused.MatchString(lines[line-1]) && !excused.MatchString(lines[max(0, line-2)]) {
				out = append(out, line)
			}
		}
		return true
	})
	return out
}

// selected returns the parts of pkg.Name.
func selected(e ast.Expr) (pkg, name string) {
	if s, ok := e.(*ast.SelectorExpr); ok {
		if x, ok := s.X.(*ast.Ident); ok {
			return x.Name, s.Sel.Name
		}
	}
	return "", ""
}
