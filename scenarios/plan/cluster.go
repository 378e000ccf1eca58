package plan

import (
	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/scenarios"
	"brunt/scenarios/kubernetes"
	"brunt/targets/platform"
)

// clusterCompiler compiles a target whose units are pods. It asks no cluster.
type clusterCompiler struct{ *compiler }

// target reads which pods of a cluster the target names.
func (c clusterCompiler) target(t *scenarios.Target) {
	k := t.Kubernetes
	if k == nil {
		return
	}
	if t.Units != nil {
		c.m.Add(t.Of("units"), "the units of a target are containers of an engine or pods of `kubernetes`, not both")
	}
	k.Check(c.m, platform.LoadUnit, chaos.TargetName)
	c.plan.Scope.Cluster = &chaos.Cluster{Namespace: k.Namespace, Nodes: c.sc.Guard.Allow.Nodes, NoAgents: k.Agent == kubernetes.NoAgent}
	for name, s := range k.Services {
		if c.plan.Scope.Cluster.Workloads == nil {
			c.plan.Scope.Cluster.Workloads = map[string]string{}
		}
		c.plan.Scope.Cluster.Workloads[name], _ = s.Workload()
		c.plan.Scope.Services[name] = 1
	}
	if k.Context == "" || k.Namespace == "" { // reported already
		return
	}
	if why := cluster.ProtectedNamespace(k.Namespace); why != nil {
		c.m.Add(k.Of("namespace"), "%v", why)
	}
	if k.AgentNamespace == k.Namespace {
		c.m.Add(k.Of("agent_namespace"), "agents run in a namespace of their own: whoever may make pods there is root on the nodes")
	}
	name := kubernetes.Name(k.Context, k.Namespace)
	if err := c.plan.ChaosAllowlist.CheckCluster(name); err != nil {
		c.m.AddHint(k.At, "guard: {allow: {chaos: ["+name+"]}} lets brunt break what runs there", "%v", err)
	}
}
