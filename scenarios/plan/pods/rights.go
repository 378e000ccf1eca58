package pods

import (
	"cmp"
	"slices"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/kubernetes"
)

// Rights are what a plan takes of the cluster of its pods: to find and to follow them, and what each of its faults needs.
func Rights(k *kubernetes.Target, sc chaos.Scope, faults []*chaos.Entry) []kube.Right {
	out := cluster.Rights(k)
	for _, e := range faults {
		for _, part := range e.Parts() {
			if part.Damage != nil {
				out = append(out, part.Traits(sc).Rights...)
			}
		}
	}
	slices.SortStableFunc(out, func(a, b kube.Right) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Group, b.Group), cmp.Compare(a.Resource, b.Resource), cmp.Compare(a.Verb, b.Verb))
	})
	return slices.Compact(out)
}
