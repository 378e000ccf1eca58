package run

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// mechanisms are the packages that do faults to a machine. They know no scenario, no fault and no container
// engine: each imports the listed packages of the module alone.
var mechanisms = map[string][]string{
	"chaos/cgroup":            nil,
	"chaos/netns":             {"chaos/netns/kernel", "chaos/netns/nfqueue", "chaos/netns/nft", "chaos/netns/responder", "chaos/netns/sockdiag", "chaos/seed"},
	"chaos/netns/kernel":      nil,
	"chaos/netns/nfqueue":     {"chaos/netns/kernel", "chaos/seed"},
	"chaos/netns/nft":         {"chaos/netns/kernel"},
	"chaos/netns/responder":   {"chaos/netns/kernel", "chaos/netns/nft", "chaos/sockets"},
	"chaos/netns/sockdiag":    {"chaos/netns/kernel"},
	"chaos/proc":              nil,
	"chaos/proxy":             {"chaos/proxy/codec/http1", "chaos/seed", "chaos/sockets"},
	"chaos/proxy/codec/http1": nil,
	"chaos/proxy/toxics":      {"chaos/proxy", "chaos/proxy/codec/http1", "chaos/seed"},
	"chaos/rootfs":            nil,
	"chaos/rpc":               nil,
	"chaos/seed":              nil,
	"chaos/sockets":           nil,
	"chaos/stress":            {"chaos/cgroup", "chaos/rootfs", "chaos/vdso"},
	"chaos/vdso":              nil,
}

// TestImports_Mechanisms checks the imports of mechanisms, for all systems, without those of their tests.
func TestImports_Mechanisms(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range moduleFiles(t) {
		may, listed := mechanisms[f.dir()]
		if !listed || f.test {
			continue
		}
		seen[f.dir()] = true
		for _, spec := range f.ast.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if to, ours := strings.CutPrefix(imported, module+"/"); ours && !slices.Contains(may, to) {
				t.Errorf("%s imports %s; %s may import %q", f.path, to, path.Base(f.dir()), may)
			}
		}
	}
	for dir := range mechanisms {
		if !seen[dir] {
			t.Errorf("there is no package %s: remove it from mechanisms", dir)
		}
	}
}
