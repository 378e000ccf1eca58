package kubernetes

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
)

// PodEvict is the fault pod.evict. If a disruption budget refuses the eviction, the fault is not injected, and its
// error names the budget. The phase lasts until another pod in its place is ready.
type PodEvict struct {
	cluster.Units `yaml:",inline"`
}

var _ chaos.Fault = (*PodEvict)(nil)

func (e *PodEvict) Traits(sc chaos.Scope) chaos.Traits {
	t := e.Units.Traits(sc)
	t.OneShot, t.Rights = true, append(cluster.Follow(sc), cluster.Right(sc, "create", "", "pods/eviction"))
	return t
}

func (e *PodEvict) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return endSteps(ctx, env, &e.Units, func(e *end) {
		e.what = "evict"
		e.order = func(ctx context.Context) error {
			err := e.unit.Target().Evict(ctx, e.pod.Namespace, e.pod.Name, string(e.pod.UID))
			if kube.Is(err, kube.Refused) {
				err = fmt.Errorf("the cluster refuses to evict the pod %s: %w", e.pod.Name, err)
			}
			return err
		}
	})
}

func (*PodEvict) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "pod.evict", New: func() chaos.Fault { return new(PodEvict) },
		Example: "{service: web, pick: one}",
		Effect:  chaos.Dies,
		Nature:  scenarios.Nature{Verb: "evicted", Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down}},
		On:      chaos.OnCluster,
		Doc: "Evicts a pod as a drain of its node does, which disruption budgets may refuse; its controller makes " +
			"another one.",
	}
}
