package kubernetes

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Scale is the fault workload.scale. It is refused if a horizontal autoscaler sets the number, since that would change
// it back.
type Scale struct {
	syntax.Place
	Service string `yaml:"service,required"` // a deployment or a stateful set
	To      *int   `yaml:"to,min=0"`         // the number of pods
	By      Share  `yaml:"by"`               // change of the number, such as -50% or +100%, rounded away from zero
}

// Share is a change by a share, such as -50%.
type Share float64

func (s *Share) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	number, negative := strings.CutPrefix(text, "-")
	share, err := quantity.ParseShare(strings.TrimPrefix(number, "+"))
	switch {
	case err != nil, share == 0, negative && share > 1:
		m.AddHint(n.Pos, "such as -50% or +100%", "%s is no change of a number of pods", n.Describe())
	case negative:
		share = -share
	}
	*s = Share(share)
}

func (*Share) Schema() syntax.Schema {
	return syntax.Scalar(syntax.Schema{"type": "string", "pattern": `^[-+]?[0-9.]+%$|\$\{`})
}

var _ chaos.Fault = (*Scale)(nil)

// scaled are the kinds of workloads whose number of pods can be set.
var scaled = []string{scenarios.Deployments, scenarios.StatefulSets}

func (s *Scale) Traits(sc chaos.Scope) chaos.Traits {
	t := chaos.Traits{Units: 1, Reaches: sc.UnitsOf(s.Service)}
	t.Rights = append(patches(sc, s.Service, scaled), cluster.Right(sc, "list", "autoscaling", "horizontalpodautoscalers"))
	return t
}

// found finds the workload of a service, as it is in the cluster now.
func found(
	ctx context.Context, env chaos.Env, service string,
) (t *cluster.Target, ref kube.Ref, o *kube.Raw, err error) {
	if t = cluster.TargetOf(env.Units); t == nil {
		return nil, ref, nil, cluster.ErrNoPod
	}
	if ref, err = t.Workload(service); err == nil {
		o, err = kube.Like(t.Cluster, ref).Get(ctx, ref.Name)
	}
	return t, ref, o, err
}

// patches lists the rights to patch the workload of a service, of one of some kinds.
func patches(sc chaos.Scope, service string, among []string) (out []kube.Right) {
	for _, resource := range resources(sc, service, among) {
		out = append(out, cluster.Right(sc, "patch", "apps", resource))
	}
	return out
}

// resources lists the kinds of workloads that a service may be.
func resources(sc chaos.Scope, service string, all []string) []string {
	if sc.Cluster != nil && sc.Cluster.Workloads[service] != "" {
		return []string{sc.Cluster.Workloads[service]}
	}
	if len(all) > 2 { // a service with no workload named for it is never a daemon set
		all = all[:2]
	}
	return all
}

// checkService notes a mistake if a service is not a workload of one of some kinds.
func checkService(service string, at syntax.Pos, sc chaos.Scope, among []string, m *syntax.Mistakes) {
	if !cluster.OnCluster(at, sc, m) || service == "" {
		return
	}
	if !sc.Has(service) {
		sc.NoMatch(at, m, syntax.DidYouMean(service, cluster.Known(sc)), "there is no service %q", service)
		return
	}
	switch kind, known := sc.Cluster.Workloads[service]; {
	case known && kind == "":
		m.Add(at, "%s is pods that labels select, and it hits a service of %s", service, strings.Join(among, " or "))
	case known && !slices.Contains(among, kind):
		m.Add(at, "%s is one of the %s, and it hits a service of %s", service, kind, strings.Join(among, " or "))
	}
}

func (s *Scale) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	checkService(s.Service, at, sc, scaled, m)
	if (s.To == nil) == (s.By == 0) {
		m.AddHint(at, "such as to: 0, or by: -50%", "want exactly one of to and by")
	}
}

func (s *Scale) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t, ref, o, err := found(ctx, env, s.Service)
	if err != nil {
		return nil, err
	}
	if err := autoscaled(ctx, t, ref); err != nil {
		return nil, err
	}
	is := o.Number("spec", "replicas")
	to := s.of(is)
	if to == is {
		return nil, fmt.Errorf("%s has %s already", s.Service, syntax.Amount(is, "replica"))
	}
	if err := env.Bound(max(0, is-to)); err != nil {
		return nil, err
	}
	c := &cluster.Change{
		Target: t, Run: env.Run, Object: ref, UID: o.Text("metadata", "uid"), Takes: scales, Hits: unitsOf(env, s.Service),
		What: fmt.Sprintf("scale %s (%s, UID %s) from %d to %d", ref, s.Service, o.Text("metadata", "uid"), is, to),
		// The patch changes /spec/replicas and not the scale subresource: only then can the same patch record the prior
		// number.
		Edits: []kube.Edit{{Path: "/spec/replicas", Prior: cluster.JSON(is), Ours: cluster.JSON(to)}},
	}
	c.Effect = func(ctx context.Context) (string, error) { return counted(ctx, t, s.Service, to, is < to) }
	// the pods need not be ready: that is their recovery
	c.Over = func(ctx context.Context) (string, error) { return counted(ctx, t, s.Service, is, false) }
	return []chaos.Step{c}, nil
}

// scales is the time within which pods must come or go.
const scales = 50 * time.Second

// of returns the number of pods to set when there are so many now. A share is rounded away from that number.
func (s *Scale) of(is int) int {
	if s.To != nil {
		return *s.To
	}
	by := float64(s.By) * float64(is)
	if by < 0 {
		return is + int(math.Floor(by+1e-9))
	}
	return is + int(math.Ceil(by-1e-9))
}

// unitsOf lists the units of a service.
func unitsOf(env chaos.Env, service string) (out []string) {
	for _, u := range env.Units {
		if u.Service() == service {
			out = append(out, u.Name())
		}
	}
	if out == nil { // the service has no pod now
		out = []string{service}
	}
	return out
}

// counted checks that a service has the wanted number of pods; with ready, all of them must be ready.
func counted(ctx context.Context, t *cluster.Target, service string, want int, ready bool) (string, error) {
	pods, err := t.PodsOf(ctx, service)
	if err != nil {
		return "", err
	}
	n := 0
	for i := range pods {
		if !ready || cluster.IsReady(&pods[i]) {
			n++
		}
	}
	word := "pod"
	if ready {
		word = "ready pod"
	}
	if len(pods) != want || n != want {
		return "", fmt.Errorf("%s has %s of %d, and %d are wanted", service, syntax.Amount(n, word), len(pods), want)
	}
	return fmt.Sprintf("%s has %s", service, syntax.Amount(n, word)), nil
}

// autoscaled returns an error if an autoscaler sets the number of pods of a workload.
func autoscaled(ctx context.Context, t *cluster.Target, ref kube.Ref) error {
	all, err := kube.Autoscalers(t.Cluster, ref.Namespace).List(ctx, kube.Query{})
	if err != nil {
		return err
	}
	kind := map[string]string{scenarios.Deployments: "Deployment", scenarios.StatefulSets: "StatefulSet"}[ref.Resource]
	for i := range all {
		if to := all[i].Spec.ScaleTargetRef; to.Kind == kind && to.Name == ref.Name {
			return fmt.Errorf("the autoscaler %s sets the number of pods of %s, and would take the fault back", all[i].Name, ref)
		}
	}
	return nil
}

func (*Scale) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "workload.scale", New: func() chaos.Fault { return new(Scale) }, Undo: cluster.EditOperations(),
		Example: "{service: web, to: 0}",
		Effect:  chaos.Starved,
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Ends}},
		On:      chaos.OnCluster,
		Doc:     "Sets the number of pods of a workload, and sets it back.",
	}
}
