package protect

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/proc"
)

// protectLabel is the label that protects an object if its value is true.
const protectLabel = "brunt.dev/protect"

// pod checks the pod of a unit: itself, its workload, its node and its namespace.
func (g *check) pod(ctx context.Context, p *cluster.Pod) error {
	t := p.Target()
	if err := g.namespace(ctx, t); err != nil {
		return err
	}
	pod, err := p.Now(ctx)
	switch {
	case errors.Is(err, chaos.ErrNoUnit):
		return nil // the fault itself reports what is missing
	case err != nil:
		return unread(p.Name(), err)
	}
	if err := g.podItself(pod); err != nil {
		return err
	}
	if ref, err := t.Workload(p.Service()); err == nil {
		o, err := kube.Like(t.Cluster, ref).Get(ctx, ref.Name)
		if err != nil {
			return unread(p.Name(), err)
		}
		if err := g.labels(ref.String(), o.Labels()); err != nil {
			return err
		}
	}
	node, err := kube.Nodes(t.Cluster).Get(ctx, pod.Spec.NodeName)
	switch {
	// a brunt that may not read nodes hits none
	case pod.Spec.NodeName == "", kube.Is(err, kube.Forbidden), kube.Is(err, kube.NotFound):
		return nil
	case err != nil:
		return unread(p.Name(), err)
	}
	return g.labels("node "+node.Name, node.Labels)
}

// namespace checks the namespace of a target.
func (g *check) namespace(ctx context.Context, t *cluster.Target) error {
	name := t.Place.Namespace
	if err := cluster.ProtectedNamespace(name); err != nil {
		return notAllowed(err)
	}
	if slices.Contains(g.rules.Namespaces, name) {
		return fmt.Errorf("namespace %s: %w: a policy protects it", name, proc.ErrProtected)
	}
	ns, err := kube.Namespaces(t.Cluster).Get(ctx, name)
	if err != nil {
		return unread("namespace "+name, err)
	}
	return g.labels("namespace "+name, ns.Labels)
}

// podItself checks a pod by its own labels and properties.
func (g *check) podItself(pod *kube.Pod) error {
	if run := pod.Labels[cluster.RunLabel]; run != "" && pod.Labels[cluster.PartLabel] != cluster.StackPart {
		return notAllowed(fmt.Errorf("pod %s: %w: it is a part of brunt, of the run %s", pod.Name, proc.ErrProtected, run))
	}
	return g.labels("pod "+pod.Name, pod.Labels)
}

// labels checks the labels of an object.
func (g *check) labels(what string, has map[string]string) error {
	if has[protectLabel] == "true" {
		return fmt.Errorf("%s: %w: it has the label %s=true", what, proc.ErrProtected, protectLabel)
	}
	for _, l := range g.rules.Labels {
		if value, is := has[l[0]]; is && (l[1] == "" || l[1] == value) {
			return fmt.Errorf("%s: %w: a policy protects objects with the label %s=%s", what, proc.ErrProtected, l[0], value)
		}
	}
	return nil
}

// node checks a node: its labels must allow the hit, and no part of brunt may run on it.
func (g *check) node(ctx context.Context, name string) error {
	t := cluster.TargetOf(g.among.Units)
	if t == nil {
		return nil // the fault itself reports what is missing
	}
	node, err := kube.Nodes(t.Cluster).Get(ctx, name)
	if err != nil {
		return unread("node "+name, err)
	}
	for _, want := range g.rules.Nodes {
		for key, value := range want {
			if is, has := node.Labels[key]; !has || value != "" && is != value {
				return fmt.Errorf("node %s: %w: it lacks the label %s=%s of allow.nodes", name, proc.ErrProtected, key, value)
			}
		}
		if len(want) == 0 {
			return fmt.Errorf("node %s: %w: allow.nodes allows none", name, proc.ErrProtected)
		}
	}
	if err := g.labels("node "+name, node.Labels); err != nil {
		return err
	}
	own, err := kube.Pods(t.Cluster, "").List(ctx, kube.Query{Labels: cluster.RunLabel, Fields: "spec.nodeName=" + name})
	own = slices.DeleteFunc(own, func(p kube.Pod) bool { // no fault on a node ends pods of brunt
		part := p.Labels[cluster.PartLabel]
		ours := part == cluster.StackPart && p.Namespace == t.Place.Namespace // the target itself
		return part == cluster.WatchdogPart || part == cluster.AgentPart || ours
	})
	switch {
	case err != nil:
		return unread("node "+name, err)
	case len(own) > 0:
		return notAllowed(fmt.Errorf("node %s: %w: the pod %s on it is a part of brunt, of the run %s", name,
			proc.ErrProtected, own[0].Name,
			own[0].Labels[cluster.RunLabel]))
	}
	return nil
}
