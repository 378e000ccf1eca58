package structure_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A group is a part of the module: packages that know each other, and the groups below that they may import.
type group struct {
	name    string
	folders []string // of packages; /... includes the folders below
	may     []string // the groups that its packages may import, besides their own
	tests   []string // those that its tests may import as well
}

// groups are the groups of the module, from the bottom up. A group imports only groups above it in this list, so that
// they form no cycle. A package that is in none fails the test: add its folder to the group that it belongs to.
var groups = []group{
	// what a scenario says
	{name: "language", folders: []string{
		"scenarios", "scenarios/budget", "scenarios/check", "scenarios/connect", "scenarios/disk", "scenarios/foreign",
		"scenarios/notes", "scenarios/policies",
		"scenarios/quantity",
		"scenarios/secret", "scenarios/slo", "scenarios/statistics", "scenarios/syntax/...", "scenarios/template",
	}},
	// what a specification fixes, and a protocol and a fault need alike
	{name: "codes", folders: []string{"targets/grpc/status", "targets/mongo/codes"}},
	// what a run found: all that reporters know of it
	{
		name: "result", folders: []string{
			"scenarios/result", "scenarios/result/programme",
			"scenarios/result/search", "scenarios/machine",
		},
		may: []string{"language"},
	},
	{name: "load", folders: []string{"scenarios/load/..."}, may: []string{"language"}},
	{name: "measure", folders: []string{"scenarios/measure/..."}, may: []string{"language", "result"}},
	{
		name: "judge", folders: []string{"scenarios/judge/..."}, may: []string{"language", "result", "measure"},
		tests: []string{"run"},
	},
	// how the kernel and others do things: no scenario, no fault and no engine of containers
	{name: "mechanisms", folders: []string{
		"chaos/cgroup", "chaos/kube/...", "chaos/netns/...", "chaos/oci", "chaos/proc", "chaos/proxy/...", "chaos/rootfs",
		"chaos/rpc", "chaos/seed",
		"chaos/stress", "chaos/vdso", "targets/platform/procgroup",
	}, may: []string{"language"}, tests: []string{"contract", "shared", "faults"}},
	// what starts the systems under test, and the built-in one
	{
		name: "engines", folders: []string{"targets/platform/...", "targets/demo"}, may: []string{"language", "mechanisms"},
		tests: []string{"contract", "drills", "judge", "load", "measure", "plan", "result", "shared"},
	},
	// what makes requests
	{name: "protocols", folders: []string{
		"targets", "targets/amqp", "targets/catalog", "targets/crc16", "targets/dial", "targets/dns", "targets/grpc",
		"targets/http/...", "targets/kafka", "targets/memcached", "targets/calls", "targets/mongo", "targets/mqtt", "targets/nats",
		"targets/park",
		"targets/plugin", "targets/redis", "targets/scram", "targets/smtp",
		"targets/sql/...", "targets/stream/...",
		"targets/vegeta",
	}, may: []string{"language", "codes", "result", "mechanisms"}},
	// what a fault is
	{
		name: "contract", folders: []string{"chaos"}, may: []string{"language", "mechanisms", "engines"},
		tests: []string{"shared", "faults"},
	},
	// what families of faults share: units, proofs, undos, agents
	{name: "shared", folders: []string{
		"chaos/agent", "chaos/cluster/...", "chaos/container", "chaos/journal", "chaos/medium/...",
		"chaos/probe", "chaos/proof",
		"chaos/protect", "chaos/selector", "chaos/timeline", "chaos/victim",
	}, may: []string{"language", "result", "mechanisms", "engines", "contract"}, tests: []string{"faults"}},
	{
		name: "faults", folders: []string{"chaos/fault/...", "chaos/catalog"},
		may: []string{"language", "codes", "result", "mechanisms", "engines", "contract", "shared"},
	},
	{
		name: "ledger", folders: []string{"scenarios/ledger", "scenarios/consistency/...", "scenarios/delivery"},
		may: []string{"language", "result", "load", "measure", "protocols", "contract"},
	},
	{
		name: "observe", folders: []string{"scenarios/observe/..."},
		may: []string{"language", "result", "judge", "mechanisms", "contract", "shared"},
	},
	{name: "k6", folders: []string{"scenarios/k6"}, may: []string{"language", "mechanisms"}},
	{name: "plan", folders: []string{"scenarios/plan/...", "scenarios/allow", "scenarios/driver"}, may: []string{
		"language", "result", "load", "measure", "judge", "mechanisms", "engines", "protocols", "contract", "shared",
		"faults", "ledger", "observe", "k6",
	}},
	{name: "run", folders: []string{"scenarios/run/..."}, may: []string{
		"language", "result", "load", "measure", "judge", "mechanisms", "engines", "protocols", "contract", "shared",
		"faults", "ledger", "observe", "k6",
		"plan",
	}, tests: []string{"reporters", "edit"}},
	{
		name: "decide", folders: []string{"scenarios/decide/..."},
		may:   []string{"language", "result", "load", "judge", "plan", "run"},
		tests: []string{"engines", "reporters", "shared"},
	},
	{
		name: "drills", folders: []string{"scenarios/drills"},
		may: []string{"language", "result", "load", "judge", "contract", "faults", "plan"},
	},
	{
		name: "play", folders: []string{"scenarios/drills/play"},
		may: []string{"language", "result", "plan", "run", "drills"},
	},
	{name: "convert", folders: []string{"scenarios/convert/..."}, may: []string{"language", "result", "protocols"}},
	{name: "edit", folders: []string{"scenarios/edit/..."}, may: []string{
		"language", "result", "load", "judge", "mechanisms", "engines", "protocols", "contract", "shared", "faults", "k6",
		"plan", "run", "drills",
	}},
	{name: "reporters", folders: []string{"reporters/..."}, may: []string{"language", "result"}},
	// systems under test and the schemas, independent of brunt
	{name: "examples", folders: []string{"examples/..."}},
	{name: "cmd", folders: []string{"cmd/..."}, may: []string{
		"language", "result", "mechanisms", "engines", "protocols", "contract", "shared", "faults", "k6", "plan", "run",
		"decide", "drills", "play", "convert", "edit", "reporters", "examples",
	}},
}

// kits are packages for tests. They may import all groups, and only tests and other kits import them.
var kits = []string{
	"chaos/chaostest/...", "chaos/kube/kubetest", "chaos/netns/netnstest", "chaos/proxy/codec/http1/http1test",
	"reporters/reporterstest", "scenarios/brunttest",
	"scenarios/convert/converttest", "scenarios/judge/effect/effecttest", "scenarios/measure/measuretest",
	"scenarios/plan/plantest",
	"scenarios/structure", "scenarios/suite/...", "scenarios/syntax/syntaxtest", "scenarios/truth/...",
	"targets/platform/platformtest",
	"targets/targetstest",
}

// families is the folder of the families of faults, none of which imports another.
const families = "chaos/fault/"

// onlyK6 is the only package that may import k6, which has another licence than brunt and takes a
// minute to compile. It is a module of its own.
const onlyK6 = "cmd/brunt-k6"

// onlyBy are libraries with the packages that may import them, tests apart. A package that sees the types of a client
// of Kubernetes or Docker takes seconds to compile, and so does each that imports it.
var onlyBy = map[string][]string{
	"go.k6.io/":          {onlyK6},
	"k8s.io/client-go":   {"chaos/kube/kubeconfig"},
	"k8s.io/":            {"chaos/kube/kubeconfig", "chaos/fault/kubernetes"},
	"github.com/docker/": {"targets/platform/docker", "chaos/chaostest"},
}

// module is the name in go.mod.
const module = "brunt"

// within returns how much of a package's path a folder of a group names; zero: the package is not in it.
func within(folder, pkg string) int {
	if dir, below := strings.CutSuffix(folder, "/..."); below && (pkg == dir || strings.HasPrefix(pkg, dir+"/")) {
		return len(dir)
	}
	if pkg == folder {
		return len(folder) + 1
	}
	return 0
}

func isKit(pkg string) bool {
	return slices.ContainsFunc(kits, func(folder string) bool { return within(folder, pkg) > 0 })
}

// groupOf returns the index of the group that a package belongs to, by the longest folder; -1 if it is in no group.
func groupOf(pkg string) int {
	found, most := -1, 0
	for i, g := range groups {
		for _, folder := range g.folders {
			if n := within(folder, pkg); n > most {
				found, most = i, n
			}
		}
	}
	return found
}

// wrongArrow describes an import that the groups forbid, or returns "".
func wrongArrow(from, to string, test bool) string {
	switch {
	case isKit(from), isKit(to) && test:
		return ""
	case isKit(to):
		return "is a package for tests"
	}
	a, b := groupOf(from), groupOf(to)
	switch {
	case a < 0 || b < 0:
		return "is in no group; groups in this test says where each package belongs"
	case a == b && from != to && strings.HasPrefix(from, families) && strings.HasPrefix(to, families):
		return "a family of faults imports no other; give what they share a package below chaos"
	case a == b, slices.Contains(groups[a].may, groups[b].name), test && slices.Contains(groups[a].tests, groups[b].name):
		return ""
	}
	return groups[a].name + " may import " + strings.Join(groups[a].may, ", ") + " and nothing else of ours"
}

// TestImports checks every import of every file, for all systems, and that every arrow of the groups is used.
func TestImports(t *testing.T) {
	used := map[[2]string]bool{} // from a group to another; of tests, with " (tests)" after the first
	for _, f := range moduleFiles(t) {
		if groupOf(f.dir()) < 0 && !isKit(f.dir()) {
			t.Errorf("%s: the package %s is in no group; groups in this test says where each belongs", f.path, f.dir())
			continue
		}
		for _, spec := range f.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			for library, by := range onlyBy {
				if strings.HasPrefix(imported, library) && !slices.Contains(by, f.dir()) && !f.test {
					t.Errorf("%s imports %s: only %s may", f.path, imported, strings.Join(by, ", "))
				}
			}
			to, ours := strings.CutPrefix(imported, module+"/")
			if !ours || to == f.dir() {
				continue
			}
			if why := wrongArrow(f.dir(), to, f.test); why != "" {
				t.Errorf("%s: a new arrow %s -> %s: %s", f.path, f.dir(), to, why)
			} else if a, b := groupOf(f.dir()), groupOf(to); a >= 0 && b >= 0 {
				used[[2]string{groups[a].name, groups[b].name}] = used[[2]string{groups[a].name, groups[b].name}] || !f.test
				used[[2]string{groups[a].name + " (tests)", groups[b].name}] = true
			}
		}
	}
	below := map[string]bool{}
	for _, g := range groups {
		for _, to := range g.may {
			if !below[to] {
				t.Errorf("%s may import %s, which is not below it", g.name, to)
			}
			if !used[[2]string{g.name, to}] {
				t.Errorf("%s does not import %s any more: remove the arrow", g.name, to)
			}
		}
		for _, to := range g.tests {
			if !used[[2]string{g.name + " (tests)", to}] {
				t.Errorf("tests of %s do not import %s any more: remove the arrow", g.name, to)
			}
		}
		below[g.name] = true
	}
}

// TestModules: the tree has two modules. The one of brunt-k6 alone requires k6, and replaces brunt by the
// folder above
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
	for _, tt := range []struct {
		name, from, to string
		test           bool
		want           string
	}{
		{"the language imports nothing", "scenarios", "chaos", false, "language may import"},
		{"nor its own folders of other groups", "scenarios", "scenarios/load", false, "language may import"},
		{"within a group", "targets/platform/process", "targets/demo", false, ""},
		{"a contract to its faults", "chaos", "chaos/fault/process", false, "contract may import"},
		{"a fault to what faults share", "chaos/fault/process", "chaos/selector", false, ""},
		{"a fault to a fault", "chaos/fault/process", "chaos/fault/network", false, "imports no other"},
		{"a mechanism to the contract", "chaos/netns", "chaos", false, "mechanisms may import"},
		{"a mechanism to an engine", "chaos/stress", "targets/platform/docker", false, "mechanisms may import"},
		{"a test of a mechanism to the contract", "chaos/netns", "chaos", true, ""},
		{"load to measure", "scenarios/load", "scenarios/measure", false, "load may import"},
		{"a reporter to measure", "reporters/ci", "scenarios/measure", false, "reporters may import"},
		{"a reporter upwards", "reporters", "scenarios/run", false, "reporters may import"},
		{"run wires", "scenarios/run", "targets/platform/process", false, ""},
		{"run to cmd", "scenarios/run", "cmd/brunt", false, "run may import"},
		{"cmd to run", "cmd/brunt", "scenarios/run", false, ""},
		{"cmd measures nothing", "cmd/brunt", "scenarios/measure", false, "cmd may import"},
		{"a package for tests", "scenarios/run", "scenarios/suite", false, "for tests"},
		{"a package for tests in a test", "scenarios/run", "scenarios/suite", true, ""},
		{"a new folder", "util", "scenarios", false, "in no group"},
		{"a new folder below the language", "scenarios/util", "scenarios", false, "in no group"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wrongArrow(tt.from, tt.to, tt.test)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%s -> %s: got %q, want %q", tt.from, tt.to, got, tt.want)
			}
		})
	}
}

// TestContract: what faults, plans and protections are written against links no client of Kubernetes or Docker, by
// whatever way.
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
