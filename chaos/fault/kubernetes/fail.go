package kubernetes

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/scenarios"
)

// PodFail is the fault pod.fail. The images of its containers are set to a name that no runtime can parse. The node
// ends the containers, with the grace of the pod, and can't start them until the fault ends. The pod keeps its name,
// its address and its node, and is not ready.
type PodFail struct {
	cluster.Units `yaml:",inline"`
}

var _ chaos.Fault = (*PodFail)(nil)

func (f *PodFail) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Units.Traits(sc)
	t.Rights = append(t.Rights, cluster.Right(sc, "patch", "", "pods"))
	return t
}

func (f *PodFail) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	units, err := f.Pods(ctx, env)
	if err != nil {
		return nil, err
	}
	var out []chaos.Step
	for _, u := range units {
		pod, err := u.Now(ctx)
		if err != nil {
			return nil, err
		}
		c := u.Down(pod, env.Run, "")
		c.What = fmt.Sprintf("fail pod %s (%s, on %s, UID %s): its images get a name that can't be started", pod.Name,
			u.Name(), pod.Spec.NodeName, pod.UID)
		out = append(out, c)
	}
	return out, nil
}

func (*PodFail) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "pod.fail", New: func() chaos.Fault { return new(PodFail) }, Undo: cluster.EditOperations(),
		Example: "{service: web, pick: one}",
		Effect:  chaos.Dies,
		Nature:  scenarios.Nature{Verb: "died", Deeds: []scenarios.Deed{scenarios.Ends, scenarios.Down}},
		On:      chaos.OnCluster,
		Doc:     "Ends the containers of a pod and keeps them down until the fault ends.",
	}
}
