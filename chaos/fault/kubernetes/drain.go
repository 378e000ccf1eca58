package kubernetes

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// NodeDrain is the fault node.drain. It evicts only pods of the target, and none of a daemon set. If a disruption
// budget refuses an eviction, it is tried again, as `kubectl drain` does.
type NodeDrain struct {
	cluster.Nodes `yaml:",inline"`
}

var _ chaos.Fault = (*NodeDrain)(nil)

func (d *NodeDrain) Traits(sc chaos.Scope) chaos.Traits {
	t := d.Nodes.Traits(sc)
	t.Rights = append(t.Rights, cluster.Right(sc, "create", "", "pods/eviction"))
	return t
}

func (d *NodeDrain) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	n, err := d.Find(ctx, env)
	if err != nil {
		return nil, err
	}
	c, err := cordon(env, n)
	if err != nil {
		return nil, err
	}
	var pods []kube.Pod
	for i := range n.Pods {
		if owner := n.Pods[i].Controller(); owner != nil && owner.Kind == "DaemonSet" {
			continue
		}
		if err := cluster.Replaced(&n.Pods[i]); err != nil {
			return nil, err
		}
		pods = append(pods, n.Pods[i])
	}
	if len(pods) == 0 {
		return nil, fmt.Errorf("%w: the pods of the target on the node %s are of daemon sets, which no drain evicts",
			chaos.ErrNoUnit, n.Name)
	}
	c.Takes = settles + cluster.Grace(pods...)
	c.What = fmt.Sprintf("drain %s: evict %s", describe(n), syntax.Amount(len(pods), "pod"))
	var refused error // by a budget, at the last attempt
	c.Also = func(ctx context.Context) (err error) {
		refused, err = evict(ctx, n, pods)
		return err
	}
	c.Effect = func(ctx context.Context) (string, error) {
		if left, err := there(ctx, n, pods); err != nil || len(left) > 0 {
			return "", chaos.JoinErrors(err, fmt.Errorf("%s of the target on the node %s still",
				syntax.Amount(len(left), "pod"), n.Name), refused)
		}
		return fmt.Sprintf("%s of the target gone from the node %s", syntax.Amount(len(pods), "pod"), n.Name), nil
	}
	return []chaos.Step{c}, nil
}

// evict evicts the pods that are still on the node and are not already ending. refused is the first refusal of a
// budget, which names it. A later call retries the evictions that a budget refused.
func evict(ctx context.Context, n *cluster.Node, pods []kube.Pod) (refused, err error) {
	left, err := there(ctx, n, pods)
	if err != nil {
		return nil, err
	}
	for i := range left {
		if left[i].DeletionTimestamp != nil {
			continue
		}
		err := n.Target.Evict(ctx, left[i].Namespace, left[i].Name, string(left[i].UID))
		switch {
		case err == nil, kube.Is(err, kube.NotFound), kube.Is(err, kube.Conflict):
		case !kube.Is(err, kube.Refused):
			return refused, err
		case refused == nil:
			refused = fmt.Errorf("the cluster refuses to evict the pod %s: %w", left[i].Name, err)
		}
	}
	return refused, nil
}

// there returns the pods that still exist.
func there(ctx context.Context, n *cluster.Node, pods []kube.Pod) (out []kube.Pod, err error) {
	for i := range pods {
		is, err := kube.Pods(n.Target.Cluster, pods[i].Namespace).Get(ctx, pods[i].Name)
		switch {
		case kube.Is(err, kube.NotFound):
		case err != nil:
			return nil, err
		case is.UID == pods[i].UID:
			out = append(out, *is)
		}
	}
	return out, nil
}

func (*NodeDrain) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "node.drain", New: func() chaos.Fault { return new(NodeDrain) }, Undo: cluster.EditOperations(),
		Example: "{of: store}",
		Effect:  chaos.Dies,
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Ends}},
		On:      chaos.OnCluster,
		Doc: "Keeps new pods off a node and evicts those of the target from it, as for its maintenance, until the " +
			"fault ends.",
	}
}
