package pods

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"brunt/chaos/kube"
)

// A Finding is the result of one check of a cluster for the workers of a plan.
type Finding struct {
	What string // the thing that was checked
	Text string // what was found
	Fix  string // the remedy; empty if all is in order
}

// Examine checks whether n workers can be hired in a cluster: the rights, the Job by a dry run, and the processors of
// the nodes. made says that the run makes the namespace, so that nothing in it can be checked before. Examine changes
// nothing.
func Examine(ctx context.Context, c *kube.Cluster, s Settings, n int, architecture string, made bool) []Finding {
	lack, err := c.Lacking(ctx, rights(s.Namespace))
	if err != nil {
		return []Finding{{"cluster of the workers", err.Error(), "without an answer of the cluster no worker is hired"}}
	}
	var out []Finding
	if len(lack) > 0 {
		e := kube.LackingError{Server: c.Server()}
		for _, m := range lack {
			e.Missing = append(e.Missing, kube.Use{Right: m.Right, For: join("the workers", m.Why)})
		}
		return []Finding{{
			"cluster's rights", e.Error(), "ask for these rights, or name another namespace by workers.namespace",
		}}
	}
	out = append(out, Finding{
		What: "cluster's rights",
		Text: fmt.Sprintf("all %d that the workers take, at %s", len(rights(s.Namespace)), c.Server()),
	})
	job := s.job(n, "")
	_, err = kube.Jobs(c, s.Namespace).Create(ctx, job, true)
	known := false
	if err == nil {
		known, err = c.AdmitsPod(ctx, s.Namespace, job.Labels, job.Spec.Template.Spec)
	}
	text := fmt.Sprintf("admitted in the namespace %s, with the image %s", s.Namespace, s.Image)
	if !known {
		text += "; whether its pods are is not known, as you may not make pods there"
	}
	switch {
	case made && kube.Is(err, kube.NotFound):
		out = append(out, Finding{
			What: "job of the workers",
			Text: fmt.Sprintf("in the namespace %s, which the run makes, with the image %s", s.Namespace, s.Image),
		})
	case err != nil:
		fix := "the cluster would not take the Job of the workers"
		if kube.Is(err, kube.NotFound) {
			fix = "kubectl create namespace " + s.Namespace + ", or name another by workers.namespace"
		}
		return append(out, Finding{"job of the workers", err.Error(), fix})
	default:
		out = append(out, Finding{What: "job of the workers", Text: text})
	}
	nodes, err := kube.Nodes(c).List(ctx, kube.Query{})
	if err != nil { // a run needs no right to nodes
		return append(out, Finding{What: "nodes of the cluster", Text: "are not known: " + err.Error()})
	}
	var kinds []string
	for i := range nodes {
		if arch := nodes[i].Status.NodeInfo.Architecture; !slices.Contains(kinds, arch) {
			kinds = append(kinds, arch)
		}
	}
	slices.Sort(kinds)
	f := Finding{What: "nodes of the cluster", Text: fmt.Sprintf("%d, of %s", len(nodes), strings.Join(kinds, ", "))}
	if architecture != "" && !slices.Contains(kinds, architecture) {
		f.Fix = fmt.Sprintf("the image of this program is for %s: build brunt for the nodes, and name it by BRUNT_LINUX",
			architecture)
	}
	return append(out, f)
}
