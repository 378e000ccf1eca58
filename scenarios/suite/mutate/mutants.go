package main

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strconv"
	"strings"
)

// A mutant is one change of one file.
type mutant struct {
	pkg      string // import path
	file     string
	line     int
	column   int
	operator string
	from, to int    // the bytes that text replaces
	text     string // what stands there
	was      string
}

// String names a mutant by its place, from the root of the module.
func (m mutant) String() string {
	_, dir, _ := strings.Cut(m.pkg, "/")
	return fmt.Sprintf("%s:%d:%d: %s: %s -> %s", path.Join(dir, path.Base(m.file)), m.line, m.column, m.operator,
		clip(m.was), cmp.Or(clip(m.text), "nothing"))
}

// clip shortens a text to one line.
func clip(s string) string {
	const most = 60
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > most {
		s = string(r[:most]) + "…"
	}
	return s
}

// swapped are the operators that replace others.
var swapped = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">", token.LAND: "||", token.LOR: "&&",
	token.EQL: "!=", token.NEQ: "==",
}

// mutants returns the mutants of a file, in the order of the source.
func mutants(pkg, file string, source []byte) ([]mutant, error) {
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, source, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s := &sites{source: source, pkg: pkg, set: set}
	ast.PreorderStack(parsed, nil, func(n ast.Node, above []ast.Node) bool {
		s.visit(n, above)
		return true
	})
	slices.SortStableFunc(s.found, func(a, b mutant) int { return cmp.Compare(a.from, b.from) })
	return s.found, nil
}

// sites collects the mutants of a file.
type sites struct {
	source []byte
	pkg    string
	set    *token.FileSet
	found  []mutant
}

func (s *sites) text(n ast.Node) string {
	return string(s.source[s.set.Position(n.Pos()).Offset:s.set.Position(n.End()).Offset])
}

// add adds the mutant that has a text in place of what is between two positions.
func (s *sites) add(operator string, from, to token.Pos, text string) {
	at := s.set.Position(from)
	end := s.set.Position(to).Offset
	s.found = append(s.found, mutant{
		pkg: s.pkg, file: at.Filename, line: at.Line, column: at.Column, operator: operator,
		from: at.Offset, to: end, text: text, was: string(s.source[at.Offset:end]),
	})
}

func (s *sites) visit(n ast.Node, above []ast.Node) {
	switch n := n.(type) {
	case *ast.IfStmt:
		s.negate(n.Cond)
	case *ast.ForStmt:
		s.negate(n.Cond)
	case *ast.SwitchStmt:
		if n.Tag == nil {
			for _, c := range n.Body.List {
				for _, cond := range c.(*ast.CaseClause).List {
					s.negate(cond)
				}
			}
		}
	case *ast.BinaryExpr:
		if to, ok := swapped[n.Op]; ok {
			s.add("operator", n.OpPos, n.OpPos+token.Pos(len(n.Op.String())), to)
		}
	case *ast.BlockStmt:
		s.drop(n.List)
	case *ast.CaseClause:
		s.drop(n.Body)
	case *ast.CommClause:
		s.drop(n.Body)
	case *ast.ReturnStmt:
		s.zero(n, above)
	case *ast.BasicLit:
		s.constant(n)
	case *ast.Ident:
		if other := map[string]string{"true": "false", "false": "true"}[n.Name]; other != "" {
			s.add("constant", n.Pos(), n.End(), other)
		}
	}
}

// negate negates a condition, unless a swapped operator does the same.
func (s *sites) negate(cond ast.Expr) {
	if cond == nil {
		return
	}
	if b, ok := cond.(*ast.BinaryExpr); ok && (b.Op == token.EQL || b.Op == token.NEQ) {
		return
	}
	s.add("negate", cond.Pos(), cond.End(), "!("+s.text(cond)+")")
}

// drop leaves out each statement that declares nothing. A deferred call stays: most unlock, and a test that waits for
// ever says little.
func (s *sites) drop(list []ast.Stmt) {
	for _, stmt := range list {
		switch stmt := stmt.(type) {
		case *ast.AssignStmt:
			if stmt.Tok == token.DEFINE {
				continue
			}
		case *ast.ExprStmt, *ast.IncDecStmt, *ast.BranchStmt, *ast.SendStmt:
		default:
			continue
		}
		s.add("drop", stmt.Pos(), stmt.End(), "")
	}
}

// zero returns zero values in place of others.
func (s *sites) zero(r *ast.ReturnStmt, above []ast.Node) {
	if len(r.Results) == 0 || !slices.ContainsFunc(r.Results, func(e ast.Expr) bool { return !isZero(s.text(e)) }) {
		return
	}
	var results *ast.FieldList
	for _, n := range slices.Backward(above) {
		if f, ok := n.(*ast.FuncDecl); ok {
			results = f.Type.Results
			break
		}
		if f, ok := n.(*ast.FuncLit); ok {
			results = f.Type.Results
			break
		}
	}
	var zeros []string
	for _, f := range results.List {
		zero := "*new(" + s.text(f.Type) + ")"
		if t := s.text(f.Type); t == "error" || strings.HasPrefix(t, "*") || strings.HasPrefix(t, "[]") {
			zero = "nil"
		} else if t == "bool" {
			zero = "false"
		}
		for range max(1, len(f.Names)) {
			zeros = append(zeros, zero)
		}
	}
	first, last := r.Results[0], r.Results[len(r.Results)-1]
	if to := strings.Join(zeros, ", "); to != s.text(first) {
		s.add("zero", first.Pos(), last.End(), to)
	}
}

func isZero(text string) bool {
	return slices.Contains([]string{"nil", "0", "false", `""`}, text) || strings.HasSuffix(text, "{}")
}

// constant changes a number.
func (s *sites) constant(l *ast.BasicLit) {
	switch l.Kind {
	case token.INT:
		if n, err := strconv.ParseInt(l.Value, 0, 64); err == nil {
			s.add("constant", l.Pos(), l.End(), strconv.FormatInt(n+1, 10))
		}
	case token.FLOAT:
		s.add("constant", l.Pos(), l.End(), "(2*"+l.Value+"+1)")
	}
}
