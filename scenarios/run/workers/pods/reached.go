package pods

import (
	"context"
	"fmt"
	"strings"

	"brunt/chaos/kube"
	"brunt/scenarios/syntax"
)

// clusterDomain is the usual domain of the names of services.
const clusterDomain = ".cluster.local"

// NamesService reports whether a host is the name of a service in the cluster of a pod, which leads nowhere else: a
// name without a dot, or one that ends in .svc or .svc.cluster.local.
func NamesService(host string) bool {
	name, _ := serviceOf(host)
	return name != ""
}

// serviceOf returns the service that a host names, and its namespace if that is in the name. It returns no service for
// other hosts.
func serviceOf(host string) (name, namespace string) {
	host = strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(host), "."), clusterDomain)
	within, full := strings.CutSuffix(host, ".svc")
	if !full && strings.ContainsAny(host, ".:") {
		return "", ""
	}
	name, namespace, _ = strings.Cut(within, ".")
	return name, namespace
}

// Reached checks whether a host that is the name of a service, as workers in a namespace write it, leads to ready pods.
// It returns nothing for other hosts.
func Reached(ctx context.Context, c *kube.Cluster, namespace, host string) []Finding {
	name, in := serviceOf(host)
	if name == "" {
		return nil
	}
	if in == "" {
		in = namespace
	}
	f := Finding{What: "target of the workers", Text: fmt.Sprintf("the service %s in the namespace %s", name, in)}
	_, err := kube.Services(c, in).Get(ctx, name)
	switch {
	case kube.Is(err, kube.NotFound):
		f.Text, f.Fix = "there is no service "+name+" in the namespace "+in, "make it, or name the target as pods see it"
		return []Finding{f}
	case err != nil: // a run needs no right to services
		f.Text += " is not known: " + err.Error()
		return []Finding{f}
	}
	all, err := kube.Slices(c, in).List(ctx, kube.Query{Labels: kube.LabelServiceName + "=" + name})
	if err != nil {
		f.Text += "; whether it leads to ready pods is not known: " + err.Error()
		return []Finding{f}
	}
	ready := 0
	for i := range all {
		for _, e := range all[i].Endpoints {
			if e.IsReady() {
				ready += len(e.Addresses)
			}
		}
	}
	if f.Text += " leads to " + syntax.Amount(ready, "ready pod"); ready == 0 {
		f.Fix = "make its pods ready, and compare its selector with their labels"
	}
	return []Finding{f}
}
