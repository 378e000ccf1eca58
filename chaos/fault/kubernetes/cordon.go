package kubernetes

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
)

// NodeCordon is the fault node.cordon. Pods that already run on it stay.
type NodeCordon struct {
	cluster.Nodes `yaml:",inline"`
}

var _ chaos.Fault = (*NodeCordon)(nil)

func (c *NodeCordon) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	n, err := c.Find(ctx, env)
	if err != nil {
		return nil, err
	}
	step, err := cordon(env, n)
	if err != nil {
		return nil, err
	}
	step.What = "cordon " + describe(n)
	return []chaos.Step{step}, nil
}

// describe names a node for people.
func describe(n *cluster.Node) string {
	return fmt.Sprintf("node %s (UID %s), with %s", n.Name, n.UID, strings.Join(n.Hits[1:], ", "))
}

// settles is the time within which the controllers of a cluster must act on a node.
const settles = 20 * time.Second

// cordon is the step that keeps new pods off a node.
func cordon(env chaos.Env, n *cluster.Node) (*cluster.Change, error) {
	if n.Spec.Unschedulable {
		return nil, fmt.Errorf("the node %s is cordoned already, and not by this run", n.Name)
	}
	c := &cluster.Change{
		Target: n.Target, Run: env.Run, Hits: n.Hits, Object: n.Ref(), UID: string(n.UID), Takes: settles,
		Edits: []kube.Edit{{Path: "/spec/unschedulable", Ours: cluster.JSON(true)}},
	}
	// The taint is not brunt's: a controller of the cluster sets it on an unschedulable node, and the scheduler obeys
	// it.
	c.Effect = func(ctx context.Context) (string, error) {
		if has, err := tainted(ctx, n, isCordoned); err != nil || !has {
			return "", errors.Join(err, fmt.Errorf("the cluster has not yet marked the node %s as unschedulable",
				n.Name))
		}
		return fmt.Sprintf("the cluster marks the node %s as one that takes no pods", n.Name), nil
	}
	c.Over = func(ctx context.Context) (string, error) {
		if has, err := tainted(ctx, n, isCordoned); err != nil || has {
			return "", errors.Join(err, fmt.Errorf("the cluster marks the node %s as one that takes no pods still", n.Name))
		}
		return fmt.Sprintf("the node %s takes pods", n.Name), nil
	}
	return c, nil
}

func isCordoned(t kube.Taint) bool { return t.Key == kube.TaintNodeUnschedulable }

// tainted reports whether a node has a taint for which is returns true.
func tainted(ctx context.Context, n *cluster.Node, is func(kube.Taint) bool) (bool, error) {
	now, err := kube.Nodes(n.Target.Cluster).Get(ctx, n.Name)
	if err != nil {
		return false, err
	}
	return slices.ContainsFunc(now.Spec.Taints, is), nil
}

func (*NodeCordon) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "node.cordon", New: func() chaos.Fault { return new(NodeCordon) }, Undo: cluster.EditOperations(),
		Example: "{of: store}",
		Effect:  chaos.Starved,
		On:      chaos.OnCluster,
		Doc:     "Keeps new pods off a node until the fault ends.",
	}
}
