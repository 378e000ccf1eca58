package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/kube"
	"brunt/chaos/timeline"
	"brunt/scenarios"
)

// PodRights returns the rights that a plan needs in the cluster of its pods: to find and to follow the pods, and for
// each of its faults.
func PodRights(k *scenarios.Kubernetes, sc chaos.Scope, faults []*timeline.Entry) []kube.Right {
	if k.Makes && k.Namespace == "" {
		return anywhere(k, sc, func(k *scenarios.Kubernetes, sc chaos.Scope) []kube.Right { return PodRights(k, sc, faults) })
	}
	out := append(cluster.Rights(k), bringing(k, sc)...)
	if undoes := PodUndoes(k, sc, faults); len(undoes) > 0 {
		out = append(out, guard.Rights(k.Namespace, undoes)...)
	}
	if _, needs := PodAgents(sc, faults); needs {
		out = append(out, agents.Rights(k.Agents(), k.Namespace)...)
	}
	for _, e := range faults {
		for _, part := range e.Parts() {
			if part.Damage != nil {
				out = append(out, part.Traits(sc).Rights...)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b kube.Right) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Group, b.Group),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb))
	})
	return slices.Compact(out)
}

// PodUndoes returns the rights with which a watchdog in the cluster takes the faults of a plan back. It is empty if
// no watchdog is needed, or none is wanted.
func PodUndoes(k *scenarios.Kubernetes, sc chaos.Scope, faults []*timeline.Entry) []kube.Right {
	out := removing(k, sc)
	for _, e := range faults {
		for _, part := range e.Parts() {
			d, _ := catalog.Find(part.Kind)
			if part.Damage != nil && slices.ContainsFunc(d.Undo, func(o chaos.Operation) bool { return o.ByCluster }) {
				out = append(out, part.Traits(sc).Rights...)
			}
		}
	}
	if k.Watchdog == scenarios.NoWatchdog {
		return nil
	}
	out = guard.Undoes(out)
	if _, needs := PodAgents(sc, faults); needs {
		out = append(out, agents.Undoes(k.Agents())...)
	}
	return out
}

// PodAgents returns the rights on nodes of a plan's agents. needs says whether the plan has faults that need agents.
func PodAgents(sc chaos.Scope, faults []*timeline.Entry) (rights chaos.Rights, needs bool) {
	inNetworks, others := false, []*chaos.Rights(nil)
	for _, e := range faults {
		for _, part := range e.Parts() {
			if part.Damage == nil || !ByPodAgent(&sc, part.Block) {
				continue
			}
			needs = true
			if d, _ := catalog.Find(part.Kind); d.Agent != nil {
				others = append(others, d.Agent)
			} else {
				inNetworks = true
			}
		}
	}
	return agents.Capabilities(inNetworks, others), needs
}

// ExplainRights adds to an error about missing rights in a cluster which of them are for the watchdog.
func ExplainRights(err error, k *scenarios.Kubernetes, sc chaos.Scope, faults []*timeline.Entry) error {
	if err == nil || len(PodUndoes(k, sc, faults)) == 0 || !strings.Contains(err.Error(), kube.RolesHint) {
		return err
	}
	return fmt.Errorf("%w. Those to config maps, leases, jobs, service accounts and roles are for the watchdog there, "+
		"which takes faults back when this machine "+
		"is gone; target.kubernetes.watchdog: none does without it", err)
}
