package plan

import (
	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/targets/platform"
)

// compileCluster resolves the pods of a cluster that the target names.
func compileCluster(p *Plan, m *syntax.Mistakes, t *scenarios.Target) {
	k := t.Kubernetes
	if k == nil {
		return
	}
	if t.Units != nil {
		m.Add(t.Of("units"), "the units of a target are containers of an engine or pods of `kubernetes`, not both")
	}
	if k.Namespace == "" {
		m.AddHint(k.At, "such as namespace: shop", "`namespace` is missing: the namespace of the workloads")
	}
	nameServices(p, m, k)
}

// nameServices reads the services of a cluster's namespace, and checks whether faults may hit the namespace.
func nameServices(p *Plan, m *syntax.Mistakes, k *scenarios.Kubernetes) {
	k.Check(m, platform.LoadUnit, chaos.TargetName)
	p.Scope.Cluster = &chaos.Cluster{
		Namespace: k.Namespace, Nodes: p.Scenario.Guard.Allow.Nodes, NoAgents: k.Agent == scenarios.NoAgent,
	}
	for name, s := range k.Services {
		if p.Scope.Cluster.Workloads == nil {
			p.Scope.Cluster.Workloads = map[string]string{}
		}
		p.Scope.Cluster.Workloads[name], _ = s.Workload()
		p.Scope.Services[name] = 1
	}
	if k.Context == "" || k.Namespace == "" { // reported already, or the run makes it
		return
	}
	if why := cluster.ProtectedNamespace(k.Namespace); why != nil {
		m.Add(k.Of("namespace"), "%v", why)
	}
	if k.AgentNamespace == k.Namespace {
		m.Add(k.Of("agent_namespace"),
			"agents run in a namespace of their own: whoever may make pods there is root on the nodes")
	}
	name := scenarios.ClusterName(k.Context, k.Namespace)
	if err := p.ChaosAllowlist.CheckCluster(name); err != nil {
		m.AddHint(k.At, "guard: {allow: {chaos: ["+name+"]}} lets brunt break what runs there", "%v", err)
	}
}

// checkStackOnPods compiles a built-in stack whose services are pods that the run makes.
func checkStackOnPods(p *Plan, m *syntax.Mistakes, t *scenarios.Target, spec *platform.Spec) {
	if spec.Platform != platform.Kubernetes {
		if spec.Services[0].Liveness {
			m.Add(t.Of("with"), "`liveness` is of pods, and this stack is not on kubernetes: `platform: kubernetes` says so")
		}
		return
	}
	for i := range spec.Services {
		switch s := &spec.Services[i]; {
		case s.Restart == "never":
			m.AddHint(t.Of("with"), "leave `restart` out", "a pod that crashed is always started again by its node")
		case len(s.Zones) > 0:
			m.AddHint(t.Of("with"), "the label topology.kubernetes.io/zone of a node names its zone",
				"a pod is in the zone of its node")
		default:
			continue
		}
		break
	}
	if t.Ready != nil && t.Ready.Question != nil {
		m.AddHint(t.Of("ready"), "get: /path, or tcp: true",
			"the nodes ask pods whether they are ready, and a node asks for a path or a port alone")
	}
	k := t.Kubernetes
	if k == nil { // reported already
		return
	}
	k.OfStack(spec.Names(), m)
	nameServices(p, m, k)
	if w := &p.Scenario.Workers; w.Elsewhere() || !w.Has("on") {
		if w.PlaceIn(k.Context, k.Namespace, k.Image); w.Context != k.Context {
			m.Add(w.Of("context"), "the stack runs in the cluster of %s, and is reached from there alone", k.Context)
		}
		if !w.Has("pull_secrets") {
			w.PullSecrets = k.PullSecrets
		}
	}
}

// For returns the plan of one run, with the names of the objects that the run makes in a cluster.
func For(p *Plan, run string) *Plan {
	k := p.Scenario.Target.Kubernetes
	if k == nil || !k.Makes || k.Namespace != "" {
		return p
	}
	sc, out, in := *p.Scenario, *p, *p.Scope.Cluster
	own := *k.For(run)
	if _, needs := PodAgents(p.Scope, p.Parts()); !needs {
		own.MakesAgents = false
	}
	sc.Target.Kubernetes = &own
	in.Namespace = sc.Target.Kubernetes.Namespace
	if sc.Workers.Elsewhere() && sc.Workers.Namespace == "" {
		sc.Workers.Namespace = in.Namespace
	}
	out.Scenario, out.Scope.Cluster = &sc, &in
	return &out
}
