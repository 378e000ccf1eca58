package cluster

import (
	"brunt/chaos/kube"
	"brunt/scenarios"
)

// Rights lists the rights that brunt needs to find a target, follow its pods, and see their resource use.
func Rights(of *scenarios.Kubernetes) []kube.Right {
	ns := of.Namespace
	in := func(group, resource string, verbs ...string) (out []kube.Right) {
		for _, verb := range verbs {
			out = append(out, kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: ns})
		}
		return out
	}
	out := []kube.Right{
		// the UID of this namespace identifies the cluster
		{Verb: "get", Resource: "namespaces", Namespace: "kube-system", Name: "kube-system"},
		{Verb: "get", Resource: "namespaces", Namespace: ns, Name: ns},
	}
	out = append(out, in("", "pods", "get", "list", "watch")...)
	out = append(out, in("", "events", "list", "watch")...)
	out = append(out, in("autoscaling", "horizontalpodautoscalers", "list", "watch")...)
	out = append(out, usageRights(of)...)
	used := map[string]bool{scenarios.Deployments: len(of.Services) == 0, scenarios.StatefulSets: len(of.Services) == 0}
	for _, s := range of.Services {
		resource, _ := s.Workload()
		used[resource] = true
	}
	for _, resource := range []string{scenarios.Deployments, scenarios.StatefulSets, scenarios.DaemonSets} {
		if used[resource] {
			out = append(out, in("apps", resource, "get", "list", "watch")...)
		}
	}
	return out
}
