package agents

import (
	"slices"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// ofNetworks are the capabilities of an agent that acts in the networks of pods: for rules, qdiscs and queues, for
// pings, for programs, and to enter the networks.
var ofNetworks = []string{"NET_ADMIN", "NET_RAW", "BPF", "SYS_ADMIN", "SYS_PTRACE"}

// Capabilities adds to the rights of an agent the rights that some faults need.
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

// Rights lists the rights that brunt needs to run agents in a namespace, for pods of another one.
func Rights(namespace, target string) []kube.Right {
	right := func(namespace, verb, group, resource string) kube.Right {
		return kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace}
	}
	return append(Undoes(namespace),
		// a WebSocket needs get, and from Kubernetes 1.35 on create
		right(namespace, "get", "", "pods/portforward"), right(namespace, "create", "", "pods/portforward"),
		right(namespace, "list", "", "events"),
		right(target, "list", "", "services"), right(target, "list", "discovery.k8s.io", "endpointslices"),
	)
}

// Undoes lists the rights with which a watchdog reverts what agents in a namespace did.
func Undoes(namespace string) (out []kube.Right) {
	for _, verb := range []string{"create", "get", "list", "delete"} {
		out = append(out, kube.Right{Verb: verb, Resource: "pods", Namespace: namespace})
	}
	return out
}
