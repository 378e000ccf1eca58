package doctor

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"

	"brunt/chaos/cluster"
	"brunt/chaos/cluster/agents"
	"brunt/chaos/cluster/guard"
	"brunt/chaos/oci"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/dryrun"
	"brunt/scenarios/run"
	guards "brunt/scenarios/run/guard"
	"brunt/scenarios/run/workers/pods"
	"brunt/scenarios/template"
	"brunt/targets/platform/docker"
)

// Admission asks the clusters of a plan whether they have what a run hits there, and would take what it makes: its
// workers w, its watchdog and its agents. Nothing is made. It is the one list of such checks: `brunt doctor` prints
// it, and a dry run, `brunt validate --cluster` and the begin of a run fail by the checks that are [Bad].
func Admission(ctx context.Context, p *plan.Plan, w *scenarios.Workers) []Check {
	return admission(ctx, p, w, nil)
}

// admission is Admission, with further checks of the pods that were found.
func admission(
	ctx context.Context, p *plan.Plan, w *scenarios.Workers,
	also func(context.Context, *plan.Plan, *cluster.Target) []Check,
) []Check {
	out := workerNeeds(ctx, p, w)
	switch {
	case p.Stack.OnPods():
		return append(out, clusterNeeds(ctx, p)...)
	case p.Scenario.Target.Kubernetes == nil:
		return out
	}
	found := dryrun.NewContainers(p)
	defer found.Close()
	if err := found.Choose(ctx); err != nil {
		return append(out, Check{"target's cluster", Bad, err.Error(), "faults of this scenario hit pods there"})
	}
	out = append(out, podNeeds(ctx, p, found.Pods())...)
	if also != nil {
		out = append(out, also(ctx, p, found.Pods())...)
	}
	out = append(out, watchdogNeeds(ctx, p, found.Pods())...)
	return append(out, agentNeeds(ctx, p, found.Pods())...)
}

// Cluster returns the checks of [Admission] for the workers of the scenario, the objectives that nothing in the cluster
// would meet, and the faults on pods that would fail now.
func Cluster(ctx context.Context, p *plan.Plan) []Check {
	out := admission(ctx, p, &p.Scenario.Workers, scaledNeeds)
	if p.Scenario.Target.Kubernetes != nil {
		out = append(out, slices.DeleteFunc(faultNeeds(ctx, p), func(c Check) bool { return c.State != Bad })...)
	}
	return out
}

// Refused returns the error that some checks are [Bad], with all of them; nil if none is.
func Refused(checks []Check) error {
	var lines []string
	for i := range checks {
		if c := &checks[i]; c.State == Bad {
			lines = append(lines, fmt.Sprintf("%s: %s", c.Name, c.Found))
			if c.Fix != "" {
				lines = append(lines, "  -> "+c.Fix)
			}
		}
	}
	if lines == nil {
		return nil
	}
	return fmt.Errorf("the cluster would not let the run go:\n%s", strings.Join(lines, "\n"))
}

// workerNeeds asks the cluster whether it would accept the workers, and whether they would find the target.
func workerNeeds(ctx context.Context, p *plan.Plan, w *scenarios.Workers) []Check {
	if !w.Elsewhere() {
		return nil
	}
	bad := func(what string, err error) []Check {
		return []Check{{what, Bad, err.Error(), "the load of this scenario is made by pods"}}
	}
	id := run.NewID()
	s := pods.Settings{Workers: *w, Run: id, Lasts: p.Takes()}
	p = plan.For(p, id) // a run makes the namespace of a stack of pods, and names it after its id
	if s.Namespace == "" {
		s.Namespace = p.Scenario.Workers.Namespace
	}
	arch := ""
	var err error
	if s.Image, err = pods.ImageOf(&s.Workers, p.Getenv); err != nil {
		return bad("image of the workers", err)
	}
	if w.Image == "" && p.Getenv("BRUNT_IMAGE") == "" {
		if self, err := docker.SelfPath(p.Getenv); err == nil {
			if arch, err = oci.Architecture(self); err != nil {
				return bad("image of the workers", err)
			}
		}
	}
	c, err := pods.Open(&s.Workers, p)
	if err != nil {
		return bad("cluster of the workers", err)
	}
	defer c.Close()
	k := p.Scenario.Target.Kubernetes
	made := k != nil && slices.Contains(k.Made(), s.Namespace)
	found := pods.Examine(ctx, c, s, max(1, w.Count), arch, made)
	if p.Stack == nil {
		for _, hop := range hops(p) {
			if host, _, err := net.SplitHostPort(hop); err == nil {
				found = append(found, pods.Reached(ctx, c, s.Namespace, host)...)
			}
		}
	}
	var out []Check
	for _, f := range found {
		state := Fine
		if f.Fix != "" {
			state = Bad
		}
		out = append(out, Check{f.What, state, f.Text, f.Fix})
	}
	return out
}

// hops returns the first hop to the target, and to each endpoint that steps name.
func hops(p *plan.Plan) (out []string) {
	if hop := p.FirstHop(); hop != "" {
		out = append(out, hop)
	}
	urls := p.Endpoints(&template.Env{})
	for _, name := range p.UsedEndpoints() {
		if hop, err := p.HopTo(urls[name]); err == nil && !slices.Contains(out, hop) {
			out = append(out, hop)
		}
	}
	return out
}

// agentNeeds asks the cluster of the target whether it would accept a run's agents, on each node with pods of the
// target.
func agentNeeds(ctx context.Context, p *plan.Plan, t *cluster.Target) []Check {
	const what = "agents on nodes"
	s, needs, err := guards.AgentSettings(p, run.NewID(), t.Place)
	switch {
	case !needs:
		return nil
	case err != nil:
		return []Check{{what, Bad, err.Error(), "name an image by target.kubernetes.image"}}
	}
	for _, node := range t.NodeNames() {
		if err := agents.Admitted(ctx, t.Cluster, s, node); err != nil {
			return []Check{{
				what, Bad, fmt.Sprintf("the node %s: %v", node, err),
				"the cluster would not take the pod of an agent; target.kubernetes.agent: none does without, " +
					"with the faults of the API alone",
			}}
		}
	}
	return []Check{{
		what, Fine, fmt.Sprintf("admitted in the namespace %s, on %s, as root with %s, with the image %s",
			s.Namespace, strings.Join(t.NodeNames(), ", "), strings.Join(s.Rights.Caps, ", "), s.Image), "",
	}}
}

// watchdogNeeds asks the cluster of the target whether it would accept a run's watchdog.
func watchdogNeeds(ctx context.Context, p *plan.Plan, t *cluster.Target) []Check {
	const what, without = "watchdog in the cluster", "target.kubernetes.watchdog: none does without it"
	k := p.Scenario.Target.Kubernetes
	undoes := plan.PodUndoes(k, p.Scope, p.Parts())
	switch {
	case len(undoes) > 0:
	case k.Watchdog == scenarios.NoWatchdog:
		return []Check{{
			what, Limited, "there is none, as target.kubernetes.watchdog says",
			"if this machine is gone, faults stay until `brunt revert --discover --context " + k.Context + " --namespace " +
				k.Namespace + "`",
		}}
	default:
		return nil
	}
	image, err := guards.ImageIn(p)
	if err != nil {
		return []Check{{what, Bad, err.Error(), "name an image by target.kubernetes.image"}}
	}
	s := guard.Settings{Run: run.NewID(), Place: t.Place, Image: image, Undoes: undoes, PullSecrets: k.PullSecrets}
	known, err := guard.Admitted(ctx, t.Cluster, s)
	if err != nil {
		return []Check{{what, Bad, err.Error(), "the cluster would not take the Job of the watchdog, or its pod; " + without}}
	}
	text := fmt.Sprintf("admitted in %s, with the image %s, which `brunt image` writes", t.Place, image)
	if !known {
		text += "; whether its pod is, is not known, as you may not make pods there"
	}
	return []Check{{what, Fine, text, ""}}
}
