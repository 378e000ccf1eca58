package structure_test

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// chaosArrows is the import graph inside chaos: which package may import which, without tests.
//
//	mechanisms <- chaos <- container <- {probe, journal} <- selector <- agent <- {victim, link, packets} <- fault/... <- catalog
//
// A package that is missing here fails the test: add it with what it may import.
var chaosArrows = map[string][]string{
	"chaos": {"chaos/cgroup", "chaos/kube", "chaos/netns", "chaos/proxy"},

	// What the faults share.
	"chaos/agent": {
		"chaos", "chaos/container", "chaos/journal", "chaos/netns", "chaos/netns/remote", "chaos/proc", "chaos/proxy/child", "chaos/rpc", "chaos/selector",
	},
	"chaos/cluster":         {"chaos", "chaos/kube", "chaos/kube/kubeconfig", "chaos/proc", "chaos/selector"},
	"chaos/kube/kubeconfig": {"chaos/kube"},
	// The agents of a run on the nodes of a cluster.
	"chaos/cluster/agents": {
		"chaos", "chaos/agent", "chaos/cluster", "chaos/container", "chaos/journal", "chaos/kube", "chaos/netns", "chaos/proxy/child", "chaos/rpc",
		"chaos/rpc/lasting",
	},
	// The watchdog of a run in a cluster.
	"chaos/cluster/remote": {"chaos", "chaos/cluster", "chaos/cluster/agents", "chaos/journal", "chaos/kube"},
	"chaos/container":      {"chaos", "chaos/proc"},
	"chaos/journal":        {"chaos", "chaos/container", "chaos/kube", "chaos/proc", "chaos/rpc"},
	"chaos/probe":          {"chaos", "chaos/container", "chaos/proc"},
	"chaos/protect":        {"chaos", "chaos/cluster", "chaos/container", "chaos/kube", "chaos/proc", "chaos/rootfs"},
	"chaos/selector":       {"chaos", "chaos/container", "chaos/netns", "chaos/probe", "chaos/proc"},

	// The steps and proofs that families of faults share.
	"chaos/follow": {"chaos"},
	"chaos/link": {
		"chaos", "chaos/agent", "chaos/container", "chaos/journal", "chaos/netns", "chaos/proc", "chaos/proof",
		"chaos/proxy", "chaos/proxy/child", "chaos/proxy/pulse", "chaos/selector",
	},
	"chaos/packets": {
		"chaos", "chaos/agent", "chaos/container", "chaos/journal", "chaos/netns", "chaos/netns/remote", "chaos/proc", "chaos/proof", "chaos/rpc",
		"chaos/selector",
	},
	"chaos/proof":  {},
	"chaos/victim": {"chaos", "chaos/cgroup", "chaos/container", "chaos/journal", "chaos/proc", "chaos/selector", "chaos/stress"},

	// The faults. No family imports another: what several need is a package above.
	"chaos/fault/clock":     {"chaos", "chaos/proc", "chaos/stress", "chaos/vdso", "chaos/victim"},
	"chaos/fault/container": {"chaos", "chaos/cluster", "chaos/container", "chaos/proc", "chaos/selector"},
	"chaos/fault/custom":    {"chaos", "chaos/journal", "chaos/probe", "chaos/proc"},
	"chaos/fault/dns":       {"chaos", "chaos/container", "chaos/netns", "chaos/packets", "chaos/selector"},
	"chaos/fault/node":      {"chaos", "chaos/cluster", "chaos/kube"},
	"chaos/fault/packet": {
		"chaos", "chaos/link", "chaos/netns", "chaos/packets", "chaos/proof", "chaos/proxy", "chaos/proxy/pulse", "chaos/proxy/toxics", "chaos/selector",
	},
	"chaos/fault/pod":     {"chaos", "chaos/cluster", "chaos/kube"},
	"chaos/fault/process": {"chaos", "chaos/container", "chaos/journal", "chaos/proc", "chaos/selector"},
	"chaos/fault/proxied": {
		"chaos", "chaos/link", "chaos/proof", "chaos/proxy", "chaos/proxy/codec/http1", "chaos/proxy/peer", "chaos/proxy/pulse", "chaos/proxy/toxics",
		"chaos/selector",
	},
	"chaos/fault/resource": {"chaos", "chaos/cgroup", "chaos/container", "chaos/proc", "chaos/rootfs", "chaos/stress", "chaos/victim"},
	"chaos/fault/workload": {"chaos", "chaos/cluster", "chaos/kube"},

	// The one list of faults.
	"chaos/catalog": {
		"chaos", "chaos/agent", "chaos/cluster", "chaos/cluster/agents", "chaos/cluster/remote",
		"chaos/container", "chaos/fault/clock", "chaos/fault/container", "chaos/fault/custom",
		"chaos/fault/dns", "chaos/fault/node", "chaos/fault/packet", "chaos/fault/pod", "chaos/fault/process", "chaos/fault/proxied",
		"chaos/fault/resource", "chaos/fault/workload",
		"chaos/journal", "chaos/link", "chaos/probe", "chaos/selector", "chaos/victim",
	},

	// Mechanisms: what does faults to a machine.
	"chaos/cgroup":          {"chaos/rootfs"},
	"chaos/kube":            {"scenarios"}, // a panic on what an API server sent
	"chaos/netns":           {"chaos/netns/kernel", "chaos/netns/nfqueue", "chaos/netns/nft", "chaos/netns/responder", "chaos/netns/sockdiag", "chaos/seed"},
	"chaos/netns/kernel":    nil,
	"chaos/netns/nfqueue":   {"chaos/netns/kernel", "chaos/seed"},
	"chaos/netns/nft":       {"chaos/netns/kernel"},
	"chaos/netns/remote":    {"chaos/netns"},
	"chaos/netns/responder": {"chaos/netns/kernel", "chaos/netns/nft", "chaos/sockets"},
	"chaos/netns/sockdiag":  {"chaos/netns/kernel"},
	"chaos/oci":             nil,
	"chaos/proc":            {"targets/platform/procgroup"},
	"chaos/proxy": {
		"chaos/proxy/codec/http1", "chaos/proxy/codec/http2", "chaos/proxy/codec/query", "chaos/proxy/peer", "chaos/proxy/port", "chaos/seed", "chaos/sockets",
	},
	"chaos/proxy/child": {
		"chaos/netns", "chaos/netns/remote", "chaos/proc", "chaos/proxy", "chaos/proxy/toxics", "chaos/rpc", "targets/platform/procgroup",
		"targets/platform/tail",
	},
	"chaos/proxy/codec/http1": nil,
	"chaos/proxy/codec/http2": {"chaos/proxy/codec/http1"},
	"chaos/proxy/codec/query": nil,
	"chaos/proxy/peer":        nil,
	"chaos/proxy/port":        {"chaos/sockets"},
	"chaos/proxy/pulse":       {"chaos/proxy"},
	"chaos/proxy/toxics":      {"chaos/proxy", "chaos/proxy/codec/http1", "chaos/proxy/codec/http2", "chaos/proxy/codec/query", "chaos/seed"},
	"chaos/rootfs":            nil,
	"chaos/rpc":               nil,
	"chaos/rpc/lasting":       nil,
	"chaos/seed":              nil,
	"chaos/sockets":           nil,
	"chaos/stress":            {"chaos/cgroup", "chaos/proc", "chaos/rootfs", "chaos/vdso", "targets/platform/procgroup"},
	"chaos/vdso":              nil,

	// Parts of tests.
	"chaos/chaostest":                   {"chaos", "chaos/catalog", "chaos/container", "chaos/journal"},
	"chaos/chaostest/fakeengine":        nil,
	"chaos/chaostest/agentprogram":      {"chaos/agent", "chaos/catalog", "chaos/stress"},
	"chaos/chaostest/victim":            nil,
	"chaos/kube/kubetest":               nil,
	"chaos/netns/netnstest":             {"chaos/netns", "scenarios/suite"},
	"chaos/proxy/codec/http1/http1test": nil,
}

// mechanisms begin with these folders of chaos. They know no scenario, no fault and no container engine:
// each imports of the module what chaosArrows lists alone.
var mechanisms = []string{"cgroup", "kube", "netns", "oci", "proc", "proxy", "rootfs", "rpc", "seed", "sockets", "stress", "vdso"}

// families is the folder of the families of faults.
const families = "chaos/fault/"

// wrongChaosArrow describes an import by a package of chaos that the graph forbids, or returns "".
// Arrows that leave chaos are those of TestImports, except that mechanisms have none.
func wrongChaosArrow(from, to string) string {
	may, listed := chaosArrows[from]
	first, _, _ := strings.Cut(strings.TrimPrefix(from, "chaos/"), "/")
	switch inside := to == "chaos" || strings.HasPrefix(to, "chaos/"); {
	case !listed:
		return "is missing in chaosArrows"
	case !inside && !slices.Contains(mechanisms, first):
		return ""
	case strings.HasPrefix(from, families) && strings.HasPrefix(to, families):
		return "a family of faults imports no other; give what they share a package below chaos"
	case !slices.Contains(may, to):
		return path.Base(from) + " may import " + strings.Join(may, ", ") + " and nothing else here"
	}
	return ""
}

// TestImports_Chaos checks the imports inside chaos, for all systems, without those of tests.
func TestImports_Chaos(t *testing.T) {
	used := map[string]map[string]bool{}
	for _, f := range moduleFiles(t) {
		if f.test || f.dir() != "chaos" && !strings.HasPrefix(f.dir(), "chaos/") {
			continue
		}
		if used[f.dir()] == nil {
			used[f.dir()] = map[string]bool{}
		}
		for _, spec := range f.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			to, ours := strings.CutPrefix(imported, module+"/")
			if !ours {
				continue
			}
			used[f.dir()][to] = true
			if why := wrongChaosArrow(f.dir(), to); why != "" {
				t.Errorf("%s: a new arrow %s -> %s: %s", f.path, f.dir(), to, why)
			}
		}
	}
	for from, may := range chaosArrows {
		if used[from] == nil {
			t.Errorf("there is no package %s: remove it from chaosArrows", from)
		}
		for _, to := range may {
			if !used[from][to] {
				t.Errorf("%s does not import %s any more: remove the arrow", from, to)
			}
		}
	}
}

func TestWrongChaosArrow(t *testing.T) {
	for _, tt := range []struct{ name, from, to, want string }{
		{"fault to selector", "chaos/fault/process", "chaos/selector", ""},
		{"fault to scenario", "chaos/fault/process", "scenarios/syntax", ""},
		{"hub to fault", "chaos", "chaos/fault/process", "chaos may import"},
		{"hub to catalog", "chaos", "chaos/catalog", "chaos may import"},
		{"selector upwards", "chaos/selector", "chaos/agent", "selector may import"},
		{"fault to fault", "chaos/fault/process", "chaos/fault/packet", "imports no other"},
		{"mechanism to hub", "chaos/netns", "chaos", "netns may import"},
		{"mechanism to scenario", "chaos/proxy/toxics", "scenarios/syntax", "toxics may import"},
		{"mechanism to engine", "chaos/stress", "targets/platform/docker", "stress may import"},
		{"a new package", "chaos/util", "chaos", "missing in chaosArrows"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wrongChaosArrow(tt.from, tt.to)
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("%s -> %s: got %q, want %q", tt.from, tt.to, got, tt.want)
			}
		})
	}
}
