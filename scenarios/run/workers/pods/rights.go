package pods

import "brunt/chaos/kube"

// rights returns the rights that workers in a namespace need.
func rights(namespace string) []kube.Right {
	right := func(verb, group, resource string) kube.Right {
		return kube.Right{Verb: verb, Group: group, Resource: resource, Namespace: namespace}
	}
	return []kube.Right{
		right("create", "batch", "jobs"), right("delete", "batch", "jobs"),
		right("list", "", "pods"), right("watch", "", "pods"), right("delete", "", "pods"),
		// a WebSocket is a get, and a create from 1.35 on
		right("get", "", "pods/portforward"), right("create", "", "pods/portforward"),
		right("list", "", "events"),
	}
}

// Uses returns the rights of the workers, each with what it is for.
func Uses(namespace string) (out []kube.Use) {
	for _, r := range rights(namespace) {
		out = append(out, kube.Use{Right: r, For: "the workers"})
	}
	return out
}
