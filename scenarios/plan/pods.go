package plan

import (
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/timeline"
	"brunt/scenarios/syntax"
)

// unmadeOnPods reports whether a fault hits pods of the target although nothing can make its kind there.
func unmadeOnPods(sc *chaos.Scope, b syntax.Block) bool {
	d, _ := catalog.Find(b.Kind)
	return onPods(sc, b) && (!agentMakes(d) || sc.Cluster.NoAgents)
}

// ByPodAgent reports whether an agent on a node makes a fault on pods of the target.
func ByPodAgent(sc *chaos.Scope, b syntax.Block) bool {
	d, _ := catalog.Find(b.Kind)
	return onPods(sc, b) && agentMakes(d) && !sc.Cluster.NoAgents
}

// agentMakes reports whether an agent on a node makes a kind of fault on pods.
func agentMakes(d chaos.Descriptor) bool {
	return d.Agent != nil || d.On&(chaos.OnPackets|chaos.OnDiverted) != 0
}

// onPods reports whether a fault hits pods of the target, although its kind acts on processes, containers or links.
func onPods(sc *chaos.Scope, b syntax.Block) bool {
	d, known := catalog.Find(b.Kind)
	if sc.Cluster == nil || !known || d.On == 0 || d.On&chaos.OnCluster != 0 || b.With == nil ||
		b.With.Get("project") != nil {
		return false
	}
	for _, key := range []string{"service", "unit", "zone", "from", "to"} {
		n := b.With.Get(key)
		if n == nil || n.Kind != syntax.String || n.Value == chaos.LoadName || n.Value == chaos.TargetName ||
			strings.HasPrefix(n.Value, chaos.ContainerPrefix) {
			continue
		}
		service := chaos.ServiceOf(n.Value)
		if key == "zone" || strings.HasPrefix(n.Value, chaos.ZonePrefix) ||
			syntax.IsName(service) && sc.Has(service) && !sc.HasEndpoint(service) {
			return true
		}
	}
	return false
}

// checkPodFaults notes the faults that can't be made on pods in one mistake, and the faults that need an agent where
// none is allowed in another.
func checkPodFaults(sc *chaos.Scope, faults []*timeline.Entry, m *syntax.Mistakes) {
	var unmade, agents, others []string
	var at, none syntax.Pos
	for _, e := range faults {
		for _, part := range e.Parts() {
			d, _ := catalog.Find(part.Kind)
			if !unmadeOnPods(sc, part.Block) {
				continue
			}
			name := fmt.Sprintf("%s (%s)", part.Name, part.Kind)
			if agentMakes(d) {
				if agents = append(agents, name); len(agents) == 1 {
					none = part.Block.Pos
				}
				continue
			}
			if unmade = append(unmade, name); len(unmade) == 1 {
				at = part.Block.Pos
			}
			if other := instead(part.Kind); other != "" {
				others = append(others, other)
			}
		}
	}
	if len(agents) > 0 {
		m.AddHint(none, "remove `agent: none`, or these faults",
			"%s: an agent on the pod's node injects it, and target.kubernetes.agent is `none`",
			strings.Join(agents, ", "))
	}
	if len(unmade) == 0 {
		return
	}
	var kinds []string
	for _, f := range catalog.Faults() {
		if d := f.Describe(); d.On&chaos.OnCluster != 0 || agentMakes(d) {
			kinds = append(kinds, d.Kind)
		}
	}
	slices.Sort(kinds)
	hint := "there are " + strings.Join(kinds, ", ") + ", and exec and webhook for what else breaks a cluster"
	if len(others) > 0 {
		hint = strings.Join(slices.Compact(others), "; ") + "; " + hint
	}
	m.AddHint(at, hint, "%s: brunt does not make that on pods", strings.Join(unmade, ", "))
}

// checkFollow notes a fault that should follow pods that join, but can't.
func checkFollow(sc *chaos.Scope, e *timeline.Entry, m *syntax.Mistakes) {
	if e.Damage == nil || e.Block.With == nil {
		return
	}
	n := e.Block.With.Get("follow")
	d, _ := catalog.Find(e.Kind)
	switch {
	case n == nil:
	case sc.Cluster == nil || d.On&chaos.OnCluster == 0 && !onPods(sc, e.Block):
		m.AddHint(n.Pos, "leave it out",
			"`follow` is only for pods of Kubernetes, because more pods can join a service during a fault")
	case e.OneShot():
		m.AddHint(n.Pos, "leave it out, or repeat the fault by `every`",
			"%s is over once it is done, so no pod joins while it is in", e.Kind)
	}
}

// instead names a fault on pods that is similar to a kind of fault that can't be made on them; empty if there is
// none.
func instead(kind string) string {
	switch {
	case kind == "process.stop":
		return "in place of process.stop, container.stop keeps a container down, pod.fail a pod, and workload.scale a " +
			"service: what ends is started " +
			"again by its node"
	case kind == "network.disconnect":
		return "in place of network.disconnect, network.partition cuts a pod off: it has one network"
	}
	return ""
}
