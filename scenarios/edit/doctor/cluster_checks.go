package doctor

import (
	"context"
	"slices"
	"strings"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/plan"
)

// clusterNeeds checks the cluster in which a run creates its target: the rights there, and whether pods keep their
// names.
func clusterNeeds(ctx context.Context, p *plan.Plan) []Check {
	const what = "target's cluster"
	k := p.Scenario.Target.Kubernetes
	c, at, err := cluster.Connect(ctx, kube.Address{Context: k.Context, Namespace: k.Namespace},
		plan.PodRights(k, p.Scope, p.Parts())...)
	if err != nil {
		err = plan.ExplainRights(err, k, p.Scope, p.Parts())
		return []Check{{what, Bad, err.Error(), "the run makes its target there"}}
	}
	defer c.Close()
	where := at.String()
	if k.Makes {
		where = k.Context + ", in a namespace of its own"
	} else if _, err := kube.Namespaces(c).Get(ctx, k.Namespace); err != nil {
		return []Check{{
			what, Bad, err.Error(),
			"make the namespace " + k.Namespace + "; or leave target.kubernetes.namespace out, and the run makes one",
		}}
	}
	out := []Check{{what, Fine, c.Server() + ": " + where, ""}}
	switch _, err := kube.Services(c, "kube-system").Get(ctx, "kube-dns"); {
	case err == nil:
		out = append(out, Check{"names in the cluster", Fine, "by the service kube-dns in kube-system", ""})
	case kube.Is(err, kube.NotFound):
		out = append(out, Check{
			"names in the cluster", Limited,
			"the pods call each other by name, and there is no service kube-dns in kube-system, as most clusters have",
			"install CoreDNS, unless the nodes give their pods another name server (clusterDNS of kubelet)",
		})
	default:
		out = append(out, Check{
			"names in the cluster", Limited,
			"the pods call each other by name; whether there is a name server is not known: " + err.Error(), "",
		})
	}
	return out
}

// autoscaled reports whether an autoscaler in the namespace of a target controls the workload of a service. It
// reports true if that can't be read.
func autoscaled(ctx context.Context, t *cluster.Target, service string) bool {
	workload, err := t.Workload(service)
	if err != nil {
		return true
	}
	all, err := kube.Autoscalers(t.Cluster, t.Place.Namespace).List(ctx, kube.Query{})
	return err != nil || slices.ContainsFunc(all, func(a kube.HorizontalPodAutoscaler) bool {
		of := a.Spec.ScaleTargetRef
		return of.Name == workload.Name && strings.EqualFold(of.Kind+"s", workload.Resource)
	})
}
