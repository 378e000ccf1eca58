package structure_test

import (
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
	"testing"
)

// arrows is the import graph of the module: which folder may import which.
//
//	syntax <- {quantity, requestname} <- {check, slo, template} <- scenarios <- result
//	the hub <- {load, k6, measure, targets, chaos, reporters} <- run <- cmd
//
// The hub is the first line: a folder that may import scenarios may import all of it.
//
// cmd/brunt-k6 imports scenarios/k6 as well: the protocol between brunt and that program.
//
// A spoke is a folder with all its subfolders, so its parts may import each other, and may not
// import another spoke. A folder that is missing here fails the test: add it with what it may
// import.
var arrows = map[string][]string{
	"scenarios": {
		"scenarios/check", "scenarios/disk", "scenarios/kubernetes", "scenarios/placement", "scenarios/quantity", "scenarios/retry",
		"scenarios/secret", "scenarios/slo", "scenarios/syntax", "scenarios/template",
	},
	"scenarios/allow":    {"scenarios", "scenarios/policies", "targets", "targets/dial"},
	"scenarios/policies": {"scenarios"},
	"scenarios/doctor": {
		"scenarios", "scenarios/connect", "scenarios/k6", "scenarios/load", "scenarios/machine", "scenarios/plan", "scenarios/plan/asked",
		"scenarios/plan/finder", "scenarios/plan/inputs",
		"targets", "targets/platform/containers", "targets/platform/docker", "chaos",
	},
	"scenarios/ledger":  {"scenarios", "scenarios/disk", "scenarios/load", "scenarios/measure", "targets", "chaos"},
	"scenarios/observe": {"chaos", "scenarios", "scenarios/judge"},
	"scenarios/plan": {
		"chaos", "scenarios", "scenarios/allow", "scenarios/connect", "scenarios/driver", "scenarios/impact", "scenarios/judge", "scenarios/k6",
		"scenarios/ledger", "scenarios/load", "scenarios/machine", "scenarios/measure", "scenarios/observe", "scenarios/policies",
		"scenarios/plan/plantest", "targets", "targets/catalog", "targets/dial", "targets/http", "targets/http/auth",
		"targets/platform/containers", "targets/vegeta",
	},
	"scenarios/plan/smoke":    {"scenarios", "scenarios/plan/plantest", "scenarios/load", "scenarios/plan", "chaos"},
	"scenarios/plan/oneline":  {"scenarios", "scenarios/impact", "scenarios/plan", "scenarios/plan/plantest", "chaos"},
	"scenarios/drills":        {"scenarios", "scenarios/impact", "scenarios/plan", "scenarios/plan/plantest", "scenarios/policies", "chaos"},
	"scenarios/drills/steady": {"scenarios", "scenarios/load", "scenarios/plan", "scenarios/plan/plantest"},
	"scenarios/plan/inputs":   {"targets"},
	"scenarios/plan/asked":    {"chaos", "scenarios", "scenarios/plan", "scenarios/plan/dryrun", "scenarios/plan/finder", "scenarios/plan/plantest"},
	"scenarios/plan/finder":   {"scenarios", "scenarios/plan", "targets/platform/containers", "targets/platform/docker", "chaos"},
	"scenarios/plan/dryrun": {
		"scenarios", "scenarios/machine", "scenarios/plan", "scenarios/plan/asked", "scenarios/plan/finder", "scenarios/plan/inputs",
		"scenarios/plan/plantest", "targets", "chaos",
	},
	"scenarios/plan/plantest":  {"scenarios", "scenarios/plan"},
	"scenarios/prose":          nil,
	"scenarios/quantity":       {"scenarios/syntax"},
	"scenarios/connect":        {"scenarios"},
	"scenarios/check":          {"scenarios/quantity", "scenarios/syntax"},
	"scenarios/disk":           nil,
	"scenarios/kubernetes":     {"scenarios/syntax"},
	"scenarios/placement":      {"scenarios/quantity", "scenarios/syntax"},
	"scenarios/requestname":    {"scenarios/syntax"},
	"scenarios/result":         {"scenarios"},
	"scenarios/slo":            {"scenarios/quantity", "scenarios/syntax"},
	"scenarios/secret":         {"scenarios/syntax"},
	"scenarios/syntax":         nil,
	"scenarios/template":       {"scenarios/disk", "scenarios/quantity", "scenarios/secret", "scenarios/syntax"},
	"scenarios/load":           {"scenarios", "scenarios/load/accesslog"},
	"scenarios/driver":         {"scenarios", "scenarios/load", "targets", "targets/vegeta"}, // wires the drivers of a load
	"scenarios/impact":         {"scenarios", "scenarios/statistics"},                        // works on counts, not requests
	"scenarios/judge":          {"scenarios", "scenarios/impact", "scenarios/measure"},
	"scenarios/k6":             {"scenarios", "targets/platform/procgroup", "targets/platform/tail"},
	"scenarios/machine":        {"scenarios"},
	"scenarios/lsp":            {"scenarios", "scenarios/reference"}, // what an editor is told
	"scenarios/measure":        {"scenarios"},
	"scenarios/truth":          nil, // a server of known behaviour: it shares nothing with what it tests
	"scenarios/truth/played":   {"scenarios", "scenarios/judge", "scenarios/measure", "scenarios/plan/plantest", "scenarios/truth"},
	"scenarios/load/accesslog": {"scenarios/check"},
	"scenarios/retry":          {"scenarios/quantity", "scenarios/syntax"},
	// turns of the tests that put load on the machine; every test may import it
	"scenarios/suite":     {"targets/platform/filelock"},
	"scenarios/structure": nil, // tests alone, of the source
	"targets/catalog": { // the one list of protocols
		"scenarios", "targets", "targets/dial", "targets/grpc", "targets/http", "targets/redis", "targets/sql", "targets/sql/mysql", "targets/sql/postgres",
		"targets/stream",
	},
	"targets/dial": {"scenarios", "targets"},
	// the wire is that of HTTP/2
	"targets/grpc":             {"scenarios", "targets", "targets/dial", "targets/http/h1", "targets/http/h2", "targets/stream"},
	"targets/redis":            {"scenarios", "targets", "targets/dial", "targets/http/h1"},                         // its connections are those of HTTP/1.1
	"targets/sql":              {"scenarios", "targets", "targets/dial", "targets/http/h1", "targets/sql/postgres"}, // its tests use the dialects
	"targets/sql/mysql":        {"scenarios", "targets", "targets/dial", "targets/http/h1", "targets/sql"},
	"targets/sql/postgres":     {"scenarios", "targets", "targets/http/h1", "targets/sql"},
	"targets/stream":           {"scenarios", "targets", "targets/dial", "targets/stream/websocket"},
	"targets/stream/websocket": {"scenarios", "targets"},
	// vegeta: its tests compare both engines
	"targets/http":      {"scenarios", "targets", "targets/dial", "targets/http/auth", "targets/http/h1", "targets/http/h2", "targets/vegeta"},
	"targets/http/auth": {"scenarios", "targets", "targets/dial"},
	"targets/http/h1":   {"scenarios", "targets"},
	"targets/http/h2":   {"scenarios", "targets", "targets/http/h1"},
	"targets/vegeta":    {"scenarios", "targets", "targets/dial", "targets/http", "targets/http/auth", "targets/http/h1"},
	"targets": {
		"scenarios", "scenarios/connect", "targets/demo", "targets/platform/containers", "targets/platform/docker", "targets/platform/procgroup",
		"targets/platform/procmark", "targets/platform/tail",
	},
	// the built-in system; its tests play drills on it in virtual time
	"targets/demo": {
		"chaos", "scenarios", "scenarios/drills", "scenarios/judge", "scenarios/load", "scenarios/measure", "scenarios/plan",
		"scenarios/plan/plantest",
	},
	"targets/platform/kube":       {"chaos", "scenarios", "targets"},                        // objects of Kubernetes for a stack
	"targets/platform/containers": {"scenarios/disk"},                                       // what an engine says of containers
	"targets/platform/docker":     {"targets/platform/containers", "targets/platform/tail"}, // client of the Docker engine
	"targets/platform/filelock":   nil,                                                      // locks of files between processes
	"targets/platform/tail":       nil,                                                      // keeps the end of what a program prints
	"targets/platform/procgroup":  nil,                                                      // starts and ends process groups
	"targets/platform/procmark":   nil,                                                      // finds processes by marks in their environment
	"chaos": {
		"scenarios", "scenarios/connect", "targets/platform/containers", "targets/platform/docker", "targets/platform/filelock", "targets/platform/procgroup",
		"targets/platform/procmark", "targets/platform/tail",
	},
	"reporters": {"scenarios"},
	"reporters/catalog": {
		"reporters", "reporters/ci", "reporters/evidence", "reporters/html", "reporters/push", "reporters/reporterstest",
		"reporters/rows", "reporters/terminal", "reporters/words", "scenarios",
	},
	"reporters/chart":    {"reporters/reporterstest", "reporters/words", "scenarios"},
	"reporters/ci":       {"reporters", "reporters/reporterstest", "reporters/spark", "reporters/words", "scenarios"},
	"reporters/evidence": {"reporters", "reporters/reporterstest", "reporters/words", "scenarios"},
	"reporters/html": {
		"reporters", "reporters/chart", "reporters/reporterstest", "reporters/spark", "reporters/words", "scenarios", "scenarios/terms",
	},
	"reporters/live":          {"reporters", "reporters/html", "reporters/metrics", "reporters/reporterstest", "reporters/words", "scenarios"},
	"reporters/metrics":       {"reporters", "scenarios"},
	"reporters/push":          {"reporters/metrics", "reporters/words", "scenarios", "scenarios/connect"},
	"reporters/reporterstest": {"reporters", "scenarios"}, // results for tests
	"reporters/rows":          {"reporters", "reporters/evidence", "reporters/reporterstest", "reporters/words", "scenarios"},
	"reporters/site":          {"reporters", "reporters/evidence", "reporters/html", "reporters/live", "reporters/reporterstest", "reporters/words", "scenarios"},
	"reporters/spark":         {"reporters/reporterstest", "reporters/chart", "reporters/words", "scenarios"},
	"reporters/terminal":      {"reporters", "reporters/reporterstest", "reporters/spark", "reporters/words", "scenarios"},
	"reporters/words":         {"reporters/reporterstest", "scenarios"}, // wording that all reporters share
	"scenarios/compare":       {"scenarios", "scenarios/impact", "scenarios/machine", "scenarios/statistics"},
	"scenarios/statistics":    nil,
	"scenarios/gate":          {"scenarios", "scenarios/compare", "scenarios/plan", "scenarios/run"},
	"scenarios/ab": {
		"scenarios", "scenarios/compare", "scenarios/load", "scenarios/plan", "scenarios/plan/plantest", "scenarios/run", "scenarios/switchback",
	},
	"scenarios/switchback": {"scenarios", "scenarios/load", "scenarios/plan", "targets", "chaos"},
	"scenarios/convert":    {"scenarios", "targets/grpc"}, // writes scenarios, runs none
	"scenarios/capacity":   nil,                           // works on rates alone
	"scenarios/notes":      {"scenarios/disk"},
	"scenarios/terms":      nil,
	"scenarios/reference": {
		"chaos", "scenarios", "scenarios/doctor", "scenarios/drills", "scenarios/driver", "scenarios/load", "scenarios/plan",
		"scenarios/plan/plantest", "scenarios/policies", "scenarios/terms", "targets", "targets/catalog", "targets/demo", "targets/http",
		"targets/http/auth",
	}, // schemas of all types that are read
	"scenarios/run": {
		"chaos", "reporters/catalog", "reporters/evidence", "reporters/rows", "scenarios",
		"scenarios/allow", "scenarios/capacity", "scenarios/connect", "scenarios/doctor", "scenarios/driver", "scenarios/judge",
		"scenarios/k6", "scenarios/ledger", "scenarios/load", "scenarios/machine", "scenarios/measure",
		"scenarios/notes", "scenarios/observe", "scenarios/plan", "scenarios/plan/dryrun", "scenarios/plan/finder", "scenarios/plan/inputs",
		"scenarios/plan/plantest", "scenarios/plan/smoke", "scenarios/policies",
		"scenarios/reference", "targets", "targets/catalog", "targets/demo", "targets/dial", "targets/http/auth",
		"targets/platform/containers", "targets/platform/docker", "targets/platform/kube", "targets/platform/procgroup", "targets/platform/tail", "targets/vegeta",
	},
	"examples": nil, // systems under test, independent of brunt
	"cmd": {
		"reporters/catalog", "reporters/ci", "reporters/evidence", "reporters/html", "reporters/live",
		"reporters/metrics", "reporters/push", "reporters/reporterstest", "reporters/site", "reporters/terminal", "reporters/words",
		"chaos", "scenarios", "scenarios/ab", "scenarios/capacity",
		"scenarios/compare", "scenarios/switchback", "scenarios/convert", "scenarios/gate", "scenarios/lsp", "scenarios/machine",
		"scenarios/notes", "scenarios/reference", "scenarios/run", "targets/demo", "targets/platform/containers", "targets/platform/docker",
		"scenarios/plan", "scenarios/plan/dryrun", "scenarios/plan/finder", "scenarios/plan/oneline", "scenarios/plan/smoke",
		"scenarios/policies", "scenarios/doctor", "scenarios/drills", "scenarios/drills/steady", "scenarios/terms",
	},
	"cmd/brunt-k6": {"scenarios", "scenarios/connect", "scenarios/k6"},
}

// hub are the packages that a part which may import scenarios may import.
var hub = []string{
	"scenarios", "scenarios/check", "scenarios/disk", "scenarios/kubernetes", "scenarios/placement", "scenarios/prose", "scenarios/quantity",
	"scenarios/requestname", "scenarios/result", "scenarios/retry", "scenarios/secret", "scenarios/slo", "scenarios/syntax", "scenarios/template",
}

// onlyK6 is the only package that may import k6, which has another licence than brunt and takes a
// minute to compile. It is a module of its own.
const onlyK6 = "cmd/brunt-k6"

// onlyBy are libraries with the packages that may import them, tests apart. A package that sees the types of a client of Kubernetes or
// Docker takes seconds to compile, and so does each that imports it.
var onlyBy = map[string][]string{
	"go.k6.io/":          {onlyK6},
	"k8s.io/client-go":   {"chaos/kube/kubeconfig"},
	"k8s.io/":            {"chaos/kube/kubeconfig", "chaos/fault/node", "chaos/fault/workload"},
	"github.com/docker/": {"targets/platform/docker", "chaos/chaostest"},
}

// module is the name in go.mod.
const module = "brunt"

// partOf returns the part of the module that a package belongs to: the longest matching folder in
// arrows. The hub contains only itself.
func partOf(pkg string) string {
	for dir := pkg; dir != "."; dir = path.Dir(dir) {
		if _, known := arrows[dir]; known && (dir != "scenarios" || pkg == "scenarios") {
			return dir
		}
	}
	return ""
}

// wrongArrow describes an import that the graph forbids, or returns "".
func wrongArrow(from, to string) string {
	a, b := partOf(from), partOf(to)
	switch {
	case a == "" || b == "":
		return "is in no part of the module; arrows in this test says where each belongs"
	case a == b, b == "scenarios/suite":
		return ""
	case slices.Contains(hub, b) && slices.Contains(arrows[a], "scenarios"):
		return ""
	case slices.Contains(hub, a) && !slices.Contains(arrows[a], b):
		return "makes the hub import what is built on it; " + a + " may import " + strings.Join(arrows[a], ", ")
	case !slices.Contains(arrows[a], b):
		if slices.Contains(arrows["scenarios/run"], a) && slices.Contains(arrows["scenarios/run"], b) {
			why := "makes a spoke import another; only scenarios/run wires them"
			if arrows[from] == nil && from != a {
				why += ", or " + from + ", which counts as " + a + " here, wants a row of its own in arrows"
			}
			return why
		}
		return a + " may import " + strings.Join(arrows[a], ", ") + " and nothing else of ours"
	}
	return ""
}

// TestImports checks every import of every file, for all systems, tests included: a spoke that needs
// another for its tests is no spoke.
func TestImports(t *testing.T) {
	root := filepath.Join("..", "..")
	used := map[string]map[string]bool{} // by part: the parts that it imports
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
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		from := path.Dir(filepath.ToSlash(rel))
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			t.Errorf("%s: %v", rel, err)
			return nil
		}
		part := partOf(from)
		if part == "" {
			t.Errorf("%s: the package %s is in no part of the module; arrows in this test says where each belongs", rel, from)
			return nil
		}
		if used[part] == nil {
			used[part] = map[string]bool{}
		}
		for _, spec := range f.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			for library, by := range onlyBy {
				if strings.HasPrefix(imported, library) && !slices.Contains(by, from) && !strings.HasSuffix(file, "_test.go") {
					t.Errorf("%s imports %s: only %s may", rel, imported, strings.Join(by, ", "))
				}
			}
			to, ours := strings.CutPrefix(imported, module+"/")
			if !ours || to == from {
				continue
			}
			used[part][partOf(to)] = true
			if slices.Contains(hub, partOf(to)) {
				used[part]["scenarios"] = true // the arrow that allows all of the hub
			}
			if why := wrongArrow(from, to); why != "" {
				t.Errorf("%s: a new arrow %s -> %s: %s", rel, from, to, why)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for part, may := range arrows {
		if used[part] == nil {
			t.Errorf("the part %q of the module was not found", part)
		}
		for _, to := range may {
			if !used[part][to] {
				t.Errorf("%s does not import %s any more: remove the arrow", part, to)
			}
		}
	}
}

// TestModules: the tree has two modules. The one of brunt-k6 alone requires k6, and replaces brunt by the folder above
// it, which is the only replacement.
func TestModules(t *testing.T) {
	got := map[string]string{} // by go.mod: its replacements
	for dir, k6 := range map[string]bool{".": false, onlyK6: true} {
		text, err := os.ReadFile(filepath.Join("..", "..", dir, "go.mod"))
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "=>") {
				got[dir] += strings.TrimSpace(line)
			}
		}
		if strings.Contains(string(text), "\tgo.k6.io/k6 ") != k6 {
			t.Errorf("%s/go.mod: whether it requires k6 is %t, want %t", dir, !k6, k6)
		}
	}
	if want := map[string]string{onlyK6: "replace brunt => ../.."}; !maps.Equal(got, want) {
		t.Errorf("replacements %v, want %v", got, want)
	}
}

func TestWrongArrow(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"hub imports nothing", "scenarios", "chaos", "the hub import what is built on it"},
		{"nor its own folders", "scenarios", "scenarios/load", "the hub import what is built on it"},
		{"spoke to hub", "chaos", "scenarios", ""},
		{"within a spoke", "targets/platform/process", "targets/demo", ""},
		{"within a spoke, upwards", "chaos/chaostest", "chaos", ""},
		{"spoke to spoke", "chaos", "targets/platform/process", "a spoke import another"},
		{"from below a spoke", "chaos/proxy", "targets", "a spoke import another"},
		{"load to measure", "scenarios/load", "scenarios/measure", "a spoke import another"},
		{"reporter to measure", "reporters/rows", "scenarios/measure", "a spoke import another"},
		{"spoke to run", "measure", "scenarios/run", "in no part of the module"},
		{"spoke upwards", "reporters", "scenarios/run", "reporters may import scenarios and nothing else"},
		{"run wires", "scenarios/run", "targets/platform/process", ""},
		{"run to cmd", "scenarios/run", "cmd/brunt", "scenarios/run may import"},
		{"cmd to run", "cmd/brunt", "scenarios/run", ""},
		{"cmd starts the demo", "cmd/brunt", "targets/demo", ""},
		{"cmd wires nothing", "cmd/brunt", "targets/platform/process", "nothing else of ours"},
		{"cmd measures nothing", "cmd/brunt", "scenarios/measure", "cmd may import"},
		{"cmd sees k6 through run", "cmd/brunt", "scenarios/k6", "cmd may import"},
		{"the program of k6 wires nothing", "cmd/brunt-k6", "scenarios/run", "cmd/brunt-k6 may import"},
		{"a new folder", "util", "scenarios", "in no part of the module"},
		{"a new folder below the hub", "scenarios/util", "scenarios", "in no part of the module"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wrongArrow(tt.from, tt.to)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%s -> %s: got %q, want %q", tt.from, tt.to, got, tt.want)
			}
		})
	}
}

// TestContract: what faults, plans and protections are written against links no client of Kubernetes or Docker, by whatever way.
func TestContract(t *testing.T) {
	imports := map[string]map[string]string{} // by package: what it imports, with a file that does
	for _, f := range moduleFiles(t) {
		if f.test {
			continue
		}
		if imports[f.dir()] == nil {
			imports[f.dir()] = map[string]string{}
		}
		for _, spec := range f.ast.Imports {
			if name, err := strconv.Unquote(spec.Path.Value); err == nil {
				imports[f.dir()][name] = f.path
			}
		}
	}
	seen := map[string]bool{}
	for left := []string{"chaos", "chaos/kube", "targets", "scenarios/result"}; len(left) > 0; left = left[1:] {
		if seen[left[0]] {
			continue
		}
		seen[left[0]] = true
		for name, file := range imports[left[0]] {
			if strings.HasPrefix(name, "k8s.io/") || strings.HasPrefix(name, "github.com/docker/") {
				t.Errorf("%s imports %s", file, name)
			}
			if ours, is := strings.CutPrefix(name, module+"/"); is {
				left = append(left, ours)
			}
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d packages were looked at", len(seen))
	}
}
