package kubernetes

import (
	"context"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// PodDelete is the fault pod.delete. The phase lasts until another pod in its place is ready.
type PodDelete struct {
	cluster.Units `yaml:",inline"`
	// time in which its containers may end before they are killed, in whole seconds; nil is the pod's own. Never 0,
	// which frees the name of a pod that may still run
	Grace *quantity.Duration `yaml:"grace"`
}

var _ chaos.Fault = (*PodDelete)(nil)

func (d *PodDelete) Traits(sc chaos.Scope) chaos.Traits {
	t := d.Units.Traits(sc)
	t.OneShot, t.Rights = true, append(cluster.Follow(sc), cluster.Right(sc, "delete", "", "pods"))
	return t
}

func (d *PodDelete) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	d.Units.Check(at, sc, m)
	if d.Grace != nil && (d.Grace.D() < time.Second || d.Grace.D()%time.Second != 0) {
		m.Add(d.Of("grace"), "grace is whole seconds, at least 1s, not %s: 0 frees the name of a pod that may still run",
			d.Grace)
	}
}

func (d *PodDelete) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return endSteps(ctx, env, &d.Units, func(e *end) {
		e.what = "delete"
		how := kube.Deletion{UID: string(e.pod.UID)}
		if d.Grace != nil {
			e.grace, how.Grace = d.Grace.D(), d.Grace.D()
		}
		e.order = func(ctx context.Context) error {
			return kube.Pods(e.unit.Target().Cluster, e.pod.Namespace).Delete(ctx, e.pod.Name, how)
		}
	})
}

func (*PodDelete) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "pod.delete", New: func() chaos.Fault { return new(PodDelete) },
		Example: "{service: web, pick: one}",
		Effect:  chaos.Dies,
		Nature:  scenarios.Nature{Verb: "deleted", Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down}},
		On:      chaos.OnCluster,
		Doc:     "Deletes a pod; its controller makes another one.",
	}
}
