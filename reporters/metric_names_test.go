package reporters_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strings"
	"testing"
)

// TestMetricNames: no reporter reads the name of a metric of an objective, so that a metric is added by
// its row of scenarios/slo alone.
func TestMetricNames(t *testing.T) {
	set, read := token.NewFileSet(), 0
	err := filepath.WalkDir(".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
			strings.HasPrefix(path, "reporterstest") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		read++
		for _, at := range metricNames(f) {
			t.Errorf("%s: the name of a metric; let its row in scenarios/slo say what differs", set.Position(at))
		}
		return nil
	})
	if err != nil || read < 20 {
		t.Fatalf("%d files, %v", read, err)
	}
}

// metricNames returns where a file reads X.Metric.Name, also by a variable for X.Metric.
func metricNames(f *ast.File) []token.Pos {
	isMetric := func(e ast.Expr) bool {
		s, ok := e.(*ast.SelectorExpr)
		return ok && s.Sel.Name == "Metric"
	}
	named := map[string]bool{}
	var out []token.Pos
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if id, ok := to.(*ast.Ident); ok && i < len(n.Rhs) && isMetric(n.Rhs[i]) {
					named[id.Name] = true
				}
			}
		case *ast.SelectorExpr:
			id, _ := n.X.(*ast.Ident)
			if n.Sel.Name == "Name" && (isMetric(n.X) || id != nil && named[id.Name]) {
				out = append(out, n.Pos())
			}
		}
		return true
	})
	return out
}
