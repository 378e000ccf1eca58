//go:build unix

package chaos_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/catalog"
)

// suites are the tables of faults that the conformance suite runs, by what their faults act on.
var suites = map[chaos.On][]string{
	0:                  {"TestExec", "TestWebhook", "TestCall"},
	chaos.OnProcesses:  {"TestFaults", "resourceFaults"},
	chaos.OnContainers: {"TestDocker_Faults"},
	chaos.OnLinks:      {"TestFaults"},
	chaos.OnPackets:    {"packetFaults", "questionFaults"},
	chaos.OnDiverted:   {"TestDocker_Diverted"},
	chaos.OnCluster:    {"clusterFaults"},
}

// noOpTables are the tables of faults that match nothing, or that hit a process or a container beside the server of a
// load.
var noOpTables = []string{"noOps", "noOpPackets", "noOpProcesses", "resourceFaults", "noOpContainers"}

// TestKinds checks that every kind of fault has a row in the table of each suite that it belongs to, and one in the
// tables of no-ops. A fault on an object of a cluster has no settings by which it matches nothing, and for a fault in
// the author's own words only the author knows any.
func TestKinds(t *testing.T) {
	rows := suiteRows(t)
	random, err := os.ReadFile(filepath.Join("..", "scenarios", "truth", "safety", "kinds_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range catalog.Faults() {
		d := f.Describe()
		if d.On != chaos.OnCluster && !strings.Contains(string(random), "kind: "+strconv.Quote(d.Kind)+",") {
			t.Errorf("%s is in no random program: it has no row in kinds (scenarios/truth/safety/kinds_test.go)", d.Kind)
		}
		own := d.On&^chaos.OnCluster != 0
		if own && !slices.ContainsFunc(noOpTables, func(table string) bool { return rows[table][d.Kind] }) {
			t.Errorf("%s has no row in %s", d.Kind, strings.Join(noOpTables, " or "))
		}
		var parts []chaos.On
		for on := range suites {
			if on != 0 && d.On&on != 0 || on == 0 && d.On == 0 {
				parts = append(parts, on)
			}
		}
		for _, on := range parts {
			if !slices.ContainsFunc(suites[on], func(table string) bool { return rows[table][d.Kind] }) {
				t.Errorf("%s acts on %s, and has no row in %s", d.Kind, on, strings.Join(suites[on], " or "))
			}
		}
	}
}

// suiteRows returns the kinds that each table of this package's tests has a row of, such as "process.crash:
// {service: web}".
func suiteRows(t *testing.T) map[string]map[string]bool {
	t.Helper()
	files, err := filepath.Glob("*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]map[string]bool{}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range f.Decls {
			for name, body := range declared(decl) {
				rows[name] = map[string]bool{}
				ast.Inspect(body, func(n ast.Node) bool {
					if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
						text, _ := strconv.Unquote(l.Value)
						kind, rest, _ := strings.Cut(text, ":")
						rows[name][kind] = rows[name][kind] || strings.HasPrefix(rest, " {")
					}
					return true
				})
			}
		}
	}
	return rows
}

// declared returns the functions and variables of a declaration by name.
func declared(d ast.Decl) map[string]ast.Node {
	out := map[string]ast.Node{}
	switch d := d.(type) {
	case *ast.FuncDecl:
		out[d.Name.Name] = d
	case *ast.GenDecl:
		for _, s := range d.Specs {
			if v, ok := s.(*ast.ValueSpec); ok {
				for _, name := range v.Names {
					out[name.Name] = v
				}
			}
		}
	}
	return out
}
