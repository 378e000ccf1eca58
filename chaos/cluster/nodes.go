package cluster

import (
	"context"
	"fmt"
	"slices"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/scenarios/syntax"
)

// Nodes say which node a fault hits: exactly one of node and of. guard.allow.nodes selects by labels the nodes that may
// be hit.
type Nodes struct {
	syntax.Place
	Node string `yaml:"node"` // name of the node; a pod of the target must run on it
	// a service or a unit: the node with the unit's pod, or one with a pod of the service, picked by the run's seed
	Of string `yaml:"of"`
}

// Check implements [chaos.Fault] for a fault on nodes.
func (n *Nodes) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	switch {
	case !OnCluster(at, sc, m):
		return
	case len(sc.Cluster.Nodes) == 0:
		m.AddHint(at, "such as guard: {allow: {nodes: {pool: apps}}}, which says by their labels which may be",
			"no node may be hit")
	}
	switch service := chaos.ServiceOf(n.Of); {
	case (n.Node == "") == (n.Of == ""):
		m.AddHint(at, "such as {of: store}", "want exactly one of node and of")
	case n.Of != "" && !sc.Has(service):
		sc.NoMatch(n.Place.Of("of"), m, syntax.DidYouMean(service, Known(sc)), "there is no service %q", service)
	}
}

// Known lists the services that are known before the run.
func Known(sc chaos.Scope) (out []string) {
	for name := range sc.Services {
		out = append(out, name)
	}
	return out
}

// Traits implements [chaos.Fault] for a fault on nodes: it may hit every pod of the target on the nodes.
func (n *Nodes) Traits(sc chaos.Scope) chaos.Traits {
	verb := func(verb, resource string) kube.Right { return kube.Right{Verb: verb, Resource: resource} }
	return chaos.Traits{
		Units: 1, Reaches: sc.Units(),
		Rights: []kube.Right{verb("get", "nodes"), verb("list", "nodes"), verb("patch", "nodes"), verb("list", "pods")},
	}
}

// A Node is a node that a fault hits.
type Node struct {
	Target *Target
	kube.Node
	Hits []string   // the node, and the units whose pods are on it
	Pods []kube.Pod // pods of those units
}

// Find finds the node to hit.
func (n *Nodes) Find(ctx context.Context, env chaos.Env) (*Node, error) {
	t := TargetOf(env.Units)
	if t == nil {
		return nil, ErrNoPod
	}
	if err := t.refresh(ctx); err != nil {
		return nil, err
	}
	name := n.Node
	if n.Of != "" {
		var err error
		if name, err = n.ofUnits(env, t); err != nil {
			return nil, err
		}
	}
	node, err := kube.Nodes(t.Cluster).Get(ctx, name)
	if kube.Is(err, kube.NotFound) {
		return nil, fmt.Errorf("%w: %w", chaos.ErrNoUnit, noSuch("node", name, t.NodeNames(), " with pods of the target"))
	}
	if err != nil {
		return nil, err
	}
	units, pods := t.unitsOn(name)
	if len(units) == 0 {
		return nil, fmt.Errorf("%w: no pod of the target is on the node %s", chaos.ErrNoUnit, name)
	}
	return &Node{Target: t, Node: *node, Hits: append([]string{chaos.NodePrefix + name}, units...), Pods: pods},
		env.Bound(len(units))
}

// ofUnits finds a node that pods of a service or a unit are on.
func (n *Nodes) ofUnits(env chaos.Env, t *Target) (string, error) {
	if t.service(chaos.ServiceOf(n.Of)) == nil {
		return "", t.NoService(n.Of)
	}
	var all []string
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, s := range t.list {
		for i, uid := range s.slots {
			pod, has := t.pods[uid]
			if on := pod.Spec.NodeName; has && on != "" && (s.name == n.Of || syntax.UnitName(s.name, i) == n.Of) &&
				!slices.Contains(all, on) {
				all = append(all, on)
			}
		}
	}
	if len(all) == 0 {
		return "", fmt.Errorf("%w: no pod of %s is on a node", chaos.ErrNoUnit, n.Of)
	}
	slices.Sort(all)
	return all[env.Rand.IntN(len(all))], nil
}

// Ref returns the reference of the node.
func (n *Node) Ref() kube.Ref { return kube.Ref{API: "v1", Resource: "nodes", Name: n.Name} }
