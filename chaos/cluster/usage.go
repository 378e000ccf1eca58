package cluster

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos/kube"
	"brunt/scenarios"
)

// nodesProxy is the right to ask kubelets through the API server. It also lets its holder execute programs in pods, so
// a role grants it only if the target asks for it.
var nodesProxy = kube.Right{Verb: "get", Resource: "nodes/proxy"}

// usageRights returns the rights to see the resource use of pods.
func usageRights(of *scenarios.Kubernetes) []kube.Right {
	switch of.Usage {
	case scenarios.NoUsage:
		return nil
	case scenarios.KubeletUsage:
		return []kube.Right{nodesProxy}
	}
	return []kube.Right{{Verb: "list", Group: "metrics.k8s.io", Resource: "pods", Namespace: of.Namespace}}
}

// errNoUsage says that the caller has no source for the resource use of pods.
var errNoUsage = errors.New("there is no source for the CPU and memory use of pods: the cluster has no " +
	"metrics.k8s.io API (metrics-server serves one), and the caller may not get nodes/proxy, which reads it from the " +
	"kubelets")

// UsageSource returns the source for the CPU and memory use of a target's pods. Without a setting that chooses one,
// this is metrics.k8s.io if the cluster has it, else the kubelet if the caller may ask it. It is empty if the setting
// wants none.
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

// Usage asks a source for the resource use of the target's pods. The error names the nodes that did not answer; the use
// of the other pods is returned with it.
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
