package plan

import (
	"slices"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/chaos/timeline"
	"brunt/scenarios"
)

// anywhere widens rights in namespaces that a run makes to all namespaces, because their names are not known before
// the run.
func anywhere(
	k *scenarios.Kubernetes, sc chaos.Scope, uses func(k *scenarios.Kubernetes, sc chaos.Scope) []kube.Use,
) []kube.Use {
	some := k.For("some")
	in := *sc.Cluster
	in.Namespace = some.Namespace
	sc.Cluster = &in
	made := some.Made()
	var out []kube.Use
	for _, r := range uses(some, sc) {
		if slices.Contains(made, r.Namespace) {
			r.Namespace = ""
		}
		if slices.Contains(made, r.Name) {
			r.Name = ""
		}
		if !slices.Contains(out, r) {
			out = append(out, r)
		}
	}
	return out
}

// own are the kinds of objects that a stack consists of.
var own = [][2]string{{"", "services"}, {"apps", scenarios.StatefulSets}}

// bringing returns the rights to make the pods of a stack, and to connect to them.
func bringing(k *scenarios.Kubernetes, sc chaos.Scope) []kube.Right {
	if !k.Brings {
		return nil
	}
	ns := sc.Cluster.Namespace
	out := removing(k, sc)
	if len(k.Made()) > 0 {
		out = append(out, kube.Right{Verb: "create", Resource: "namespaces"})
	}
	for _, of := range own {
		out = append(out, kube.Right{Verb: "create", Group: of[0], Resource: of[1], Namespace: ns})
	}
	return append(out,
		kube.Right{Verb: "get", Resource: "pods/log", Namespace: ns},
		kube.Right{Verb: "get", Resource: "pods/portforward", Namespace: ns},
		kube.Right{Verb: "create", Resource: "pods/portforward", Namespace: ns}, // from Kubernetes 1.35 on
	)
}

// removing returns the rights to remove the objects of a stack that a run has made.
func removing(k *scenarios.Kubernetes, sc chaos.Scope) (out []kube.Right) {
	if !k.Brings {
		return nil
	}
	for _, verb := range []string{"get", "delete"} {
		for _, ns := range k.Made() {
			out = append(out, kube.Right{Verb: verb, Resource: "namespaces", Namespace: ns, Name: ns})
		}
		for _, of := range own {
			out = append(out, kube.Right{Verb: verb, Group: of[0], Resource: of[1], Namespace: sc.Cluster.Namespace})
		}
	}
	return out
}

// MayScale reports whether a fault may change the number of pods of a service: a fault that sets the number, or one
// whose effect only its author knows.
func MayScale(faults []*timeline.Entry, service string) bool {
	for _, e := range faults {
		for _, part := range e.Parts() {
			if of := part.Block.With.Get("service"); part.Nature().Does(scenarios.Own) ||
				part.Kind == "workload.scale" && (of == nil || of.Value == service) {
				return true
			}
		}
	}
	return false
}
