package cluster

import (
	"context"
	"errors"
	"slices"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// Units say which pods a fault hits: exactly one of service, unit and zone; or the units of a service in a zone.
type Units struct {
	syntax.Place
	Service string `yaml:"service"` // the service to hit, with as many pods as pick says
	Unit    string `yaml:"unit"`    // one unit, service[i]
	Zone    string `yaml:"zone"`    // all units on nodes of the zone, or with service those of that service
	// how many pods: one (the default), all (the default of a zone), a number, a share, leader or follower
	Pick selector.Pick `yaml:"pick"`
	// with leader, the pod that leads is left out, and pick is among the others
	Except string `yaml:"except,oneof=leader"`
	// how the leader is found, for pick: leader, pick: follower and except: leader
	Leader *selector.Leader `yaml:"leader"`
	// whether pods that join while the fault is injected are hit too; zero is yes with pick: all, else no. With another
	// pick, yes hits the pod that replaces a hit one
	Follow string `yaml:"follow,oneof=yes|no"`
}

func (u *Units) selector() *selector.Selector {
	return &selector.Selector{
		Place: u.Place, Service: u.Service, Unit: u.Unit, Zone: u.Zone, Pick: u.Pick, Except: u.Except, Leader: u.Leader,
		Follow: u.Follow,
	}
}

// OnCluster reports whether the target is on a cluster, and notes a mistake if it is not.
func OnCluster(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) bool {
	if sc.Cluster == nil {
		m.AddHint(at, "such as target: {url: …, kubernetes: {context: staging, namespace: shop}}",
			"it hits Kubernetes, and the target names no cluster")
	}
	return sc.Cluster != nil
}

// Check implements [chaos.Fault] for a fault on pods.
func (u *Units) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	if OnCluster(at, sc, m) {
		u.selector().CheckSelector(at, sc, m)
	}
}

// Traits implements [chaos.Fault] for a fault on pods.
func (u *Units) Traits(sc chaos.Scope) chaos.Traits { return u.selector().Traits(sc) }

// ErrNoPod says that a fault on pods was aimed at something else.
var ErrNoPod = errors.New("it is not a pod")

// Pods finds the pods to hit: it picks the requested number of the matching ones, with the random numbers of the
// occurrence.
func (u *Units) Pods(ctx context.Context, env chaos.Env) ([]*Pod, error) {
	if t := TargetOf(env.Units); t != nil && u.Service != "" && t.service(u.Service) == nil {
		return nil, t.NoService(u.Service)
	}
	targets, err := u.selector().Targets(ctx, env)
	var out []*Pod
	for _, t := range targets {
		p, ok := Of(t.Unit)
		if !ok {
			return nil, ErrNoPod
		}
		if env.Only == nil || slices.Contains(env.Only, p.Name()) {
			out = append(out, p)
		}
	}
	return out, err
}

// Right returns a right on objects in the target's namespace.
func Right(sc chaos.Scope, verb, group, resource string) kube.Right {
	r := kube.Right{Verb: verb, Group: group, Resource: resource}
	if sc.Cluster != nil {
		r.Namespace = sc.Cluster.Namespace
	}
	return r
}

// Follow returns the rights to see whether services lead to a pod.
func Follow(sc chaos.Scope) []kube.Right {
	return []kube.Right{Right(sc, "list", "discovery.k8s.io", "endpointslices")}
}
