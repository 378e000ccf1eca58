package scenarios

import (
	"slices"
	"strings"

	"brunt/scenarios/syntax"
)

// OfStack prepares t for a built-in stack, whose workloads the run makes: each of services becomes a stateful set of
// that name. It notes settings that choose among existing workloads as mistakes.
func (t *Kubernetes) OfStack(services []string, m *syntax.Mistakes) {
	for _, key := range []string{"selector", "services"} {
		if t.Has(key) {
			m.Add(t.Of(key), "`%s` chooses among workloads that are there already, and the run makes those of a stack", key)
		}
	}
	t.Brings, t.Makes = true, t.Namespace == ""
	t.Services = map[string]KubernetesService{}
	for _, name := range services {
		t.Services[name] = KubernetesService{StatefulSet: name}
	}
}

// longest is the maximum number of characters of a run's name within the name of a namespace, which has at most 63.
const longest = 48

// For returns the target of one run, with the names of the namespaces that the run makes filled in.
func (t *Kubernetes) For(run string) *Kubernetes {
	if !t.Makes || t.Namespace != "" {
		return t
	}
	out := *t
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(run))
	out.Namespace = "brunt-" + strings.Trim(name[:min(len(name), longest)], "-")
	if t.AgentNamespace == "" {
		out.AgentNamespace, out.MakesAgents = out.Namespace+"-agents", true
	}
	return &out
}

// Made lists the namespaces that the run makes, and deletes at its end.
func (t *Kubernetes) Made() (out []string) {
	if t.Makes {
		out = append(out, t.Namespace)
	}
	if t.MakesAgents {
		out = append(out, t.AgentNamespace)
	}
	return slices.DeleteFunc(out, func(name string) bool { return name == "" })
}
