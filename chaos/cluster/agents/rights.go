package agents

import (
	"slices"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// ofNetworks are the capabilities of an agent that acts in the networks of pods: rules, qdiscs and queues; pings;
// programs; to enter them.
var ofNetworks = []string{"NET_ADMIN", "NET_RAW", "BPF", "SYS_ADMIN", "SYS_PTRACE"}

// Capabilities adds to the rights of an agent those that some faults take.
func Capabilities(inNetworks bool, faults []*chaos.Rights) chaos.Rights {
	var out chaos.Rights
	if inNetworks {
		out.Caps = slices.Clone(ofNetworks)
	}
	for _, r := range faults {
		out.Caps = append(out.Caps, r.Caps...)
		out.Cgroups = out.Cgroups || r.Cgroups
	}
	slices.Sort(out.Caps)
	out.Caps = slices.Compact(out.Caps)
	return out
}

// Rights are what brunt takes of a cluster to have agents in a namespace, for pods of another one.
func Rights(namespace, target string) []kube.Right {
	right := func(namespace, verb, group, resource string) kube.Right {
		return kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace}
	}
	return append(Undoes(namespace),
		// a WebSocket is a get, and a create from 1.35 on
		right(namespace, "get", "", "pods/portforward"), right(namespace, "create", "", "pods/portforward"),
		right(namespace, "list", "", "events"),
		right(target, "list", "", "services"), right(target, "list", "discovery.k8s.io", "endpointslices"),
	)
}

// Undoes are the rights with which a watchdog takes back what agents in a namespace did.
func Undoes(namespace string) (out []kube.Right) {
	for _, verb := range []string{"create", "get", "list", "delete"} {
		out = append(out, kube.Right{Verb: verb, Resource: "pods", Namespace: namespace})
	}
	return out
}
