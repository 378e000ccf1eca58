package cluster

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// zoneLabel is the label of nodes that names their zone.
const zoneLabel = "topology.kubernetes.io/zone"

// A service is a workload of the cluster, or pods that labels select.
type service struct {
	name     string
	workload kube.Ref // empty name: there is none
	pods     string   // the selector of its pods
	selects  kube.Selector
	ordinal  bool     // its pods are numbered by their workload
	port     int      // the port at which its pods are asked; zero: one that they declare
	within   string   // the container that faults hit; empty: the only one, or the one that the pod names
	slots    []string // the UIDs of its pods, by slot; empty: the slot is free
}

// api is the group and version of the API for workloads.
const api = "apps/v1"

// Find finds the services of a target: the ones that the target names, or each deployment and stateful set of the
// namespace.
func Find(ctx context.Context, c *kube.Cluster, at Place, of *scenarios.Kubernetes) (*Target, error) {
	t := &Target{Cluster: c, Place: at, nodes: map[string]string{}}
	f := finder{t, of}
	if _, err := kube.Namespaces(c).Get(ctx, at.Namespace); err != nil {
		return nil, f.unknown(ctx, err)
	}
	if err := f.services(ctx); err != nil {
		return nil, err
	}
	if err := t.zones(ctx); err != nil {
		return nil, err
	}
	return t, t.refresh(ctx)
}

// A finder finds the services of a target.
type finder struct {
	*Target
	of *scenarios.Kubernetes
}

// unknown returns the error that a namespace does not exist, with the namespaces that do.
func (f finder) unknown(ctx context.Context, err error) error {
	if !kube.Is(err, kube.NotFound) {
		return fmt.Errorf("%s: %w", f.Place, err)
	}
	var names []string
	all, _ := kube.Namespaces(f.Cluster).List(ctx, kube.Query{}) // not everybody may list them
	for i := range all {
		names = append(names, all[i].Name)
	}
	return noSuch("namespace", f.Place.Namespace, names, "")
}

// noSuch returns the error that a name does not exist, with the names that do.
func noSuch(kind, name string, known []string, where string) error {
	text := fmt.Sprintf("there is no %s %q%s", kind, name, where)
	if hint := syntax.DidYouMean(name, known); hint != "" {
		text += "; " + hint
	}
	return errors.New(text)
}

// A workload holds the parts of a workload that the finder reads.
type workload struct {
	resource string
	kube.ObjectMeta
	selector *kube.LabelSelector
}

// kinds are the words for kinds of workloads.
var kinds = map[string]string{
	scenarios.Deployments: "deployment", scenarios.StatefulSets: "stateful set", scenarios.DaemonSets: "daemon set",
}

// workloads lists the workloads of a kind.
func (f finder) workloads(ctx context.Context, resource string, q kube.Query) (out []workload, err error) {
	switch ns := f.Place.Namespace; resource {
	case scenarios.Deployments:
		all, lerr := kube.Deployments(f.Cluster, ns).List(ctx, q)
		for i := range all {
			out = append(out, workload{resource, all[i].ObjectMeta, all[i].Spec.Selector})
		}
		err = lerr
	case scenarios.StatefulSets:
		all, lerr := kube.StatefulSets(f.Cluster, ns).List(ctx, q)
		for i := range all {
			out = append(out, workload{resource, all[i].ObjectMeta, all[i].Spec.Selector})
		}
		err = lerr
	case scenarios.DaemonSets:
		all, lerr := kube.DaemonSets(f.Cluster, ns).List(ctx, q)
		for i := range all {
			out = append(out, workload{resource, all[i].ObjectMeta, all[i].Spec.Selector})
		}
		err = lerr
	}
	if err != nil {
		err = fmt.Errorf("%s: list its %s: %w", f.Place, resource, err)
	}
	return out, err
}

// services finds the services.
func (f finder) services(ctx context.Context) error {
	if len(f.of.Services) > 0 {
		var errs []error
		for _, name := range slices.Sorted(maps.Keys(f.of.Services)) {
			one := f.of.Services[name]
			errs = append(errs, f.named(ctx, name, &one))
		}
		return errors.Join(errs...)
	}
	for _, resource := range []string{scenarios.Deployments, scenarios.StatefulSets} {
		all, err := f.workloads(ctx, resource, kube.Query{Labels: selectorOf(f.of.Selector)})
		if err != nil {
			return err
		}
		for i := range all {
			if !syntax.IsName(all[i].Name) {
				f.unnamed = append(f.unnamed, all[i].Name)
				continue
			}
			if f.service(all[i].Name) != nil {
				return fmt.Errorf("%s has a deployment and a stateful set with the name %s: name them under `services`", f.Place,
					all[i].Name)
			}
			if err := f.add(all[i].Name, all[i], &scenarios.KubernetesService{}); err != nil {
				return err
			}
		}
	}
	if len(f.list) == 0 {
		what := ""
		if len(f.of.Selector) > 0 {
			what = " with the labels " + selectorOf(f.of.Selector)
		}
		return fmt.Errorf("%s: %w: it has no deployment and no stateful set%s", f.Place, chaos.ErrNoUnit, what)
	}
	return nil
}

// named finds the service that the target gives a name.
func (f finder) named(ctx context.Context, name string, of *scenarios.KubernetesService) error {
	if len(of.Pods) > 0 {
		selects := kube.SelectorOf(of.Pods)
		f.list = append(f.list, &service{
			name: name, pods: selects.String(), selects: selects, within: of.Container, port: of.Port,
		})
		return nil
	}
	resource, wanted := of.Workload()
	all, err := f.workloads(ctx, resource, kube.Query{})
	if err != nil {
		return err
	}
	var known []string
	for i := range all {
		if known = append(known, all[i].Name); all[i].Name == wanted {
			return f.add(name, all[i], of)
		}
	}
	return fmt.Errorf("%s: %w", name, noSuch(kinds[resource], wanted, known, " in the namespace "+f.Place.Namespace))
}

// add adds a workload as a service, with the settings of a service.
func (f finder) add(name string, w workload, of *scenarios.KubernetesService) error {
	selects, err := w.selector.Selector()
	if err != nil {
		return fmt.Errorf("%s: the selector of %s: %w", f.Place, w.Name, err)
	}
	f.list = append(f.list, &service{
		name: name, pods: selects.String(), selects: selects, within: of.Container, port: of.Port,
		ordinal:  w.resource == scenarios.StatefulSets,
		workload: kube.Ref{API: api, Resource: w.resource, Namespace: f.Place.Namespace, Name: w.Name},
	})
	return nil
}

// selectorOf returns the label selector of a map.
func selectorOf(of map[string]string) string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(of)) {
		if of[key] == "" {
			out = append(out, key)
		} else {
			out = append(out, key+"="+of[key])
		}
	}
	return strings.Join(out, ",")
}

// zones reads the zones of the nodes. A caller that may not read nodes gets none.
func (t *Target) zones(ctx context.Context) error {
	all, err := kube.Nodes(t.Cluster).List(ctx, kube.Query{})
	if kube.Is(err, kube.Forbidden) {
		return nil
	}
	for i := range all {
		if zone := all[i].Labels[zoneLabel]; zone != "" {
			t.nodes[all[i].Name] = zone
		}
	}
	if err != nil {
		return fmt.Errorf("%s: list the nodes: %w", t.Place, err)
	}
	return nil
}
