package kubernetes

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/syntax"

	"k8s.io/apimachinery/pkg/util/validation"
)

// NodeTaint is the fault node.taint. With the effect NoExecute it ends pods of the target that do not tolerate the
// taint; it is refused if other pods on the node would end too.
type NodeTaint struct {
	cluster.Nodes `yaml:",inline"`
	Key           string `yaml:"key,required"` // such as example.com/broken
	Value         string `yaml:"value"`        // value of the taint; zero is none
	// effect on pods that do not tolerate the taint
	Effect string `yaml:"effect,required,oneof=NoSchedule|PreferNoSchedule|NoExecute"`
}

var _ chaos.Fault = (*NodeTaint)(nil)

func (t *NodeTaint) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	t.Nodes.Check(at, sc, m)
	for _, why := range validation.IsQualifiedName(t.Key) {
		m.Add(t.Place.Of("key"), "%q is no key of a taint: %s", syntax.Clip(t.Key, 60), why)
	}
	for _, why := range validation.IsValidLabelValue(t.Value) {
		m.Add(t.Place.Of("value"), "%q is no value of a taint: %s", syntax.Clip(t.Value, 60), why)
	}
}

func (t *NodeTaint) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	n, err := t.Find(ctx, env)
	if err != nil {
		return nil, err
	}
	taint := kube.Taint{Key: t.Key, Value: t.Value, Effect: kube.TaintEffect(t.Effect)}
	for _, has := range n.Spec.Taints {
		if has.Matches(taint) {
			return nil, fmt.Errorf("the node %s has a taint %s:%s already, and not by this run", n.Name, t.Key, t.Effect)
		}
	}
	var ends []kube.Pod
	if taint.Effect == kube.TaintEffectNoExecute {
		if ends, err = ended(ctx, n, &taint); err != nil {
			return nil, err
		}
	}
	is := func(has kube.Taint) bool { return has.Matches(taint) && has.Value == taint.Value }
	c := &cluster.Change{
		Target: n.Target, Run: env.Run, Hits: n.Hits, Object: n.Ref(), UID: string(n.UID),
		Takes: settles + cluster.Grace(ends...),
		What:  fmt.Sprintf("taint %s by %s, which ends %s", describe(n), taint, syntax.Amount(len(ends), "pod")),
		Edits: []kube.Edit{{Path: "/spec/taints", Ours: cluster.JSON(taint), Item: true}},
	}
	c.Effect = func(ctx context.Context) (string, error) {
		has, err := tainted(ctx, n, is)
		if err != nil || !has {
			return "", errors.Join(err, fmt.Errorf("the node %s has no taint %s", n.Name, taint))
		}
		if left, err := there(ctx, n, ends); err != nil || len(left) > 0 {
			return "", errors.Join(err, fmt.Errorf("%s on the node %s still", syntax.Amount(len(left), "pod"), n.Name))
		}
		return fmt.Sprintf("the node %s has the taint %s, and %s gone from it", n.Name, taint,
			syntax.Amount(len(ends), "pod")), nil
	}
	c.Over = func(ctx context.Context) (string, error) {
		if has, err := tainted(ctx, n, is); err != nil || has {
			return "", errors.Join(err, fmt.Errorf("the node %s has the taint %s still", n.Name, taint))
		}
		return fmt.Sprintf("the node %s has no taint %s", n.Name, taint), nil
	}
	return []chaos.Step{c}, nil
}

// ended lists the pods of the target that a taint would end. It is an error if the taint would also end other pods.
func ended(ctx context.Context, n *cluster.Node, taint *kube.Taint) (out []kube.Pod, err error) {
	all, err := kube.Pods(n.Target.Cluster, "").List(ctx, kube.Query{Fields: "spec.nodeName=" + n.Name})
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for i := range n.Pods {
		own[string(n.Pods[i].UID)] = true
	}
	for i := range all {
		if tolerates(&all[i], taint) || all[i].DeletionTimestamp != nil {
			continue
		}
		if !own[string(all[i].UID)] {
			return nil, fmt.Errorf("the taint would end the pod %s of the namespace %s too, which is not of the target",
				all[i].Name, all[i].Namespace)
		}
		if err := cluster.Replaced(&all[i]); err != nil {
			return nil, err
		}
		out = append(out, all[i])
	}
	return out, nil
}

// tolerates reports whether a pod tolerates a taint.
func tolerates(p *kube.Pod, taint *kube.Taint) bool {
	for i := range p.Spec.Tolerations {
		t := &p.Spec.Tolerations[i]
		of := t.Effect == "" || t.Effect == taint.Effect
		if of && (t.Key == "" || t.Key == taint.Key) &&
			(t.Operator == kube.TolerationOpExists || t.Key != "" && t.Value == taint.Value) {
			return true
		}
	}
	return false
}

func (*NodeTaint) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "node.taint", New: func() chaos.Fault { return new(NodeTaint) }, Undo: cluster.EditOperations(),
		Example: "{of: store, key: example.com/broken, effect: NoSchedule}",
		Effect:  chaos.Starved,
		On:      chaos.OnCluster,
		Doc: "Taints a node, so that it takes no pods that do not tolerate the taint, or ends those, until the fault " +
			"ends.",
	}
}
