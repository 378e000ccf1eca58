package plan

import (
	"cmp"
	"errors"
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
func PodRights(k *scenarios.Kubernetes, sc chaos.Scope, faults []*timeline.Entry) (out []kube.Right) {
	for _, u := range PodUses(k, sc, faults) {
		out = append(out, u.Right)
	}
	return out
}

// PodUses returns the rights of [PodRights], each with what it is for.
func PodUses(k *scenarios.Kubernetes, sc chaos.Scope, faults []*timeline.Entry) (out []kube.Use) {
	if k.Makes && k.Namespace == "" {
		return anywhere(k, sc, func(k *scenarios.Kubernetes, sc chaos.Scope) []kube.Use { return PodUses(k, sc, faults) })
	}
	add := func(what string, rights []kube.Right) {
		for _, r := range rights {
			i := slices.IndexFunc(out, func(u kube.Use) bool { return u.Right == r })
			if i < 0 {
				out = append(out, kube.Use{Right: r, For: what})
			} else if !slices.Contains(strings.Split(out[i].For, ", "), what) {
				out[i].For += ", " + what
			}
		}
	}
	add("finding the pods", cluster.Rights(k))
	add("making the pods", bringing(k, sc))
	if k.Asks {
		add("asking the pods", cluster.AskRights(k))
	}
	if undoes := PodUndoes(k, sc, faults); len(undoes) > 0 {
		add("the watchdog", guard.Rights(k.Namespace, undoes))
	}
	if _, needs := PodAgents(sc, faults); needs {
		add("the agents", agents.Rights(k.Agents(), k.Namespace))
	}
	for _, e := range faults {
		for _, part := range e.Parts() {
			if part.Damage != nil {
				add("the fault "+e.Name, part.Traits(sc).Rights)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b kube.Use) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Group, b.Group),
			cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb))
	})
	return out
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

// ExplainRights adds to an error about missing rights in a cluster what each right is for, and how to do without those
// of the watchdog.
func ExplainRights(err error, k *scenarios.Kubernetes, sc chaos.Scope, faults []*timeline.Entry) error {
	lack, ok := errors.AsType[kube.LackingError](err)
	if !ok {
		return err
	}
	lack = lack.Explain(PodUses(k, sc, faults))
	err = fmt.Errorf("%s: %w", scenarios.ClusterName(k.Context, k.Namespace), lack)
	if !slices.ContainsFunc(lack.Missing, func(u kube.Use) bool { return u.For == "the watchdog" }) {
		return err
	}
	return fmt.Errorf("%w; target.kubernetes.watchdog: none does without the watchdog, which takes faults back when this "+
		"machine is gone", err)
}
