package cluster

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos/kube"
	"brunt/scenarios"
)

// nodesProxy is the right to ask kubelets through the API server. It lets its holder execute programs in pods as well,
// so a role grants it only where the target asks for it.
var nodesProxy = kube.Right{Verb: "get", Resource: "nodes/proxy"}

// usageRights are the rights to see what pods use.
func usageRights(of *scenarios.Kubernetes) []kube.Right {
	switch of.Usage {
	case scenarios.NoUsage:
		return nil
	case scenarios.KubeletUsage:
		return []kube.Right{nodesProxy}
	}
	return []kube.Right{{Verb: "list", Group: "metrics.k8s.io", Resource: "pods", Namespace: of.Namespace}}
}

// errNoUsage says that nothing in the cluster tells the caller what pods use.
var errNoUsage = errors.New("nothing tells what the pods use: the cluster has no metrics.k8s.io API (metrics-server " +
	"serves one), and the caller may not " +
	"get nodes/proxy, by which kubelets tell it")

// UsageSource finds what tells how much CPU and memory the pods of a target use: metrics.k8s.io where the cluster has
// it, else kubelet where the caller may ask it, as far as a setting does not choose one; empty: the setting wants none.
func (t *Target) UsageSource(ctx context.Context, setting string) (string, error) {
	switch setting {
	case scenarios.NoUsage:
		return "", nil
	case scenarios.KubeletUsage:
		return setting, nil
	}
	_, err := t.PodMetrics(ctx, t.Place.Namespace)
	switch {
	case err == nil:
		return scenarios.MetricsUsage, nil
	case setting == scenarios.MetricsUsage || kube.Away(err) && !kube.Is(err, kube.Unserved):
		return "", fmt.Errorf("ask %s what pods use: %w", kube.MetricsAPI, err)
	}
	if may, _, err := t.May(ctx, nodesProxy); err != nil || !may {
		return "", errors.Join(errNoUsage, err)
	}
	return scenarios.KubeletUsage, nil
}

// Usage asks a source what the pods of the target use. The error is of what did not answer; the others are told.
func (t *Target) Usage(ctx context.Context, source string) ([]kube.PodUsage, error) {
	if source == scenarios.MetricsUsage {
		return t.PodMetrics(ctx, t.Place.Namespace)
	}
	var out []kube.PodUsage
	var errs []error
	for _, node := range t.NodeNames() {
		some, err := t.NodeUsage(ctx, node, t.Place.Namespace)
		out, errs = append(out, some...), append(errs, err)
	}
	return out, errors.Join(errs...)
}
