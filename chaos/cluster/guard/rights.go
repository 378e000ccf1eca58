package guard

import (
	"slices"

	"brunt/chaos/kube"
)

// Undoes lists the rights with which a watchdog reverts faults, given the rights that the faults need.
func Undoes(faults []kube.Right) (out []kube.Right) {
	for _, r := range faults {
		if r.Verb != "patch" && r.Verb != "delete" {
			continue
		}
		get := r
		get.Verb = "get"
		for _, of := range []kube.Right{get, r} {
			if !slices.Contains(out, of) {
				out = append(out, of)
			}
		}
	}
	return out
}

// onNodes reports whether some rights are for objects of the whole cluster.
func onNodes(undoes []kube.Right) bool {
	return slices.ContainsFunc(undoes, func(r kube.Right) bool { return r.Namespace == "" })
}

// besides lists the namespaces of some rights other than the watchdog's own.
func besides(namespace string, undoes []kube.Right) (out []string) {
	for _, r := range undoes {
		if r.Namespace != "" && r.Namespace != namespace && !slices.Contains(out, r.Namespace) {
			out = append(out, r.Namespace)
		}
	}
	return out
}

const (
	rbac   = "rbac.authorization.k8s.io"
	leases = "coordination.k8s.io"
)

// Rights lists the rights that brunt needs to run a watchdog in a cluster. undoes are the rights that it gives to the
// watchdog, which it must therefore have itself.
func Rights(namespace string, undoes []kube.Right) []kube.Right {
	out := slices.Clone(undoes)
	add := func(namespace, group, resource string, verbs ...string) {
		for _, verb := range verbs {
			out = append(out, kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace})
		}
	}
	add(namespace, "", "configmaps", "create", "get", "list", "patch", "delete")
	add(namespace, leases, "leases", "create", "get", "patch")
	add(namespace, "batch", "jobs", "create", "get")
	add(namespace, "", "events", "list")
	add(namespace, "", "serviceaccounts", "create")
	add(namespace, rbac, "roles", "create")
	add(namespace, rbac, "rolebindings", "create")
	for _, other := range besides(namespace, undoes) {
		add(other, rbac, "roles", "create", "delete")
		add(other, rbac, "rolebindings", "create")
	}
	if onNodes(undoes) {
		add("", rbac, "clusterroles", "create", "delete")
		add("", rbac, "clusterrolebindings", "create")
	}
	return out
}

// granted lists the rights of the watchdog of a run.
func granted(namespace, name string, undoes []kube.Right) []kube.Right {
	out := slices.Clone(undoes)
	add := func(namespace, group, resource, name string, verbs ...string) {
		for _, verb := range verbs {
			out = append(out, kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace, Name: name})
		}
	}
	add(namespace, "", "configmaps", name, "get", "patch", "delete")
	add(namespace, leases, "leases", name, "get", "patch")
	add(namespace, "batch", "jobs", name, "get")
	add(namespace, "", "namespaces", namespace, "get")
	for _, other := range besides(namespace, undoes) {
		add(other, rbac, "roles", name, "delete")
	}
	if onNodes(undoes) {
		add("", rbac, "clusterroles", name, "delete")
	}
	return out
}
