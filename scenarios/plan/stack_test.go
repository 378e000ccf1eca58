package plan_test

import (
	"slices"
	"strings"
	"testing"

	"brunt/chaos/kube"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/plantest"
)

// rightsOf are the rights that a plan with a built-in stack takes.
func rightsOf(t *testing.T, kubernetes, run string) []kube.Right {
	t.Helper()
	p, err := plantest.CompileText(`version: 1
target: {stack: demo, platform: kubernetes, kubernetes: {context: c` + kubernetes + `}}
guard: {allow: {chaos: [kubernetes/c/shop]}}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: /}]}}
chaos: {crash: {at: 6s, process.crash: {service: posts}}}
`)
	if err != nil {
		t.Fatal(plantest.Explained(err))
	}
	if run != "" {
		p = plan.For(p, run)
	}
	return plan.PodRights(p.Scenario.Target.Kubernetes, p.Scope, p.Parts())
}

// TestRights_Stack: rights in a namespace that the run makes are in all, and of one run in its own; a namespace that is
// there takes none beyond it.
func TestRights_Stack(t *testing.T) {
	within := func(rights []kube.Right) (out []string) {
		for _, r := range rights {
			if !slices.Contains(out, r.Namespace) {
				out = append(out, r.Namespace)
			}
		}
		slices.Sort(out)
		return out
	}
	for _, c := range []struct {
		name, kubernetes, run string
		want                  string
		makes                 bool
	}{
		{"made by any run", "", "", ",kube-system", true},
		{
			"made by a run", "", "20260101-000000-Abc",
			",brunt-20260101-000000-abc,brunt-20260101-000000-abc-agents,kube-system", true,
		},
		{"is there", ", namespace: shop", "x", "brunt-agents,kube-system,shop", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			rights := rightsOf(t, c.kubernetes, c.run)
			if got := strings.Join(within(rights), ","); got != c.want {
				t.Errorf("rights in %q, want %q", got, c.want)
			}
			makes := slices.Contains(rights, kube.Right{Verb: "create", Resource: "namespaces"})
			sets := slices.ContainsFunc(rights, func(r kube.Right) bool {
				return r.Verb == "delete" &&
					r.Resource == "statefulsets"
			})
			if makes != c.makes || !sets {
				t.Errorf("it makes namespaces: %v; it deletes stateful sets: %v; %v", makes, sets, rights)
			}
		})
	}
}
