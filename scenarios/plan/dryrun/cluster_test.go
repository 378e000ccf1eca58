package dryrun_test

import (
	"strings"
	"testing"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios/plan/dryrun"
)

// TestForecasts_Pods has a fault on the processes of a pod with two containers, of which the target names none, and one
// on pods that are asked for their role: the first would fail, and which pod the other hits is known only in the run.
func TestForecasts_Pods(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	path := s.Kubeconfig(t, "")
	t.Setenv("KUBECONFIG", path)
	c, err := kubeconfig.Open(kube.Address{Kubeconfig: path}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	labels := map[string]any{"app": "web"}
	pods := map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"containers": []any{
		map[string]any{"name": "app", "image": "a"}, map[string]any{"name": "mesh", "image": "a"},
	}}}
	sets := kube.Ref{API: "apps/v1", Resource: "statefulsets", Namespace: "default"}
	if _, err := kube.Like(c, sets).Create(t.Context(),
		&kube.Raw{
			"metadata": map[string]any{"name": "web"},
			"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": pods},
		}, false); err != nil {
		t.Fatal(err)
	}
	a := &aPlanned{dir: t.TempDir(), text: `version: 1
target: {url: "http://127.0.0.1:1", kubernetes: {context: test, namespace: default}}
guard: {allow: {chaos: [kubernetes/test/default]}}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}
chaos:
  stall: {at: 5s, for: 1s, process.freeze: {service: web}}
  behead: {at: 20s, pod.delete: {service: web, pick: leader, leader: {path: /role}}}
`}
	found, err := dryrun.Forecasts(t.Context(), a.compile(t, nil))
	if err != nil || len(found) != 2 || found[1].Why() != "" ||
		found[0].Fault != "stall" || !strings.Contains(found[0].Why(), "has the containers app, mesh") {
		t.Errorf("%+v, %v", found, err)
	}
}

// TestPlan_Cluster makes a plan of faults on pods, and compares it where the context leads to another cluster.
func TestPlan_Cluster(t *testing.T) {
	cluster := func() string {
		s := kubetest.Start(t)
		path := s.Kubeconfig(t, "")
		c, err := kubeconfig.Open(kube.Address{Kubeconfig: path}, kube.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		labels := map[string]any{"app": "web"}
		pods := map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "a"}}},
		}
		sets := kube.Ref{API: "apps/v1", Resource: "statefulsets", Namespace: "default"}
		if _, err := kube.Like(c, sets).Create(t.Context(),
			&kube.Raw{
				"metadata": map[string]any{"name": "web"},
				"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": pods},
			}, false); err != nil {
			t.Fatal(err)
		}
		return path
	}
	t.Setenv("KUBECONFIG", cluster())
	a := &aPlanned{dir: t.TempDir(), text: `version: 1
target: {url: "http://127.0.0.1:1", kubernetes: {context: test, namespace: default}}
guard: {allow: {chaos: [kubernetes/test/default]}}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 60s, flow: [{get: /}]}}
chaos: {less: {at: 5s, for: 1s, workload.scale: {service: web, to: 1}}}
`}
	p := a.compile(t, nil)
	was, err := dryrun.NewPlanFile(t.Context(), p, a.dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := was.Faults[0].Steps
	if len(s) != 1 || !strings.HasPrefix(s[0].What, "scale statefulsets/web (web, UID ") || len(s[0].Undo) != 1 ||
		s[0].Undo[0] != "kube.edit" {
		t.Errorf("the steps are %+v", s)
	}
	if found, err := dryrun.Drift(t.Context(), a.compile(t, was), was, a.dir, nil); err != nil || len(found) > 0 {
		t.Errorf("the same cluster: %q, %v", found, err)
	}
	t.Setenv("KUBECONFIG", cluster())
	found, err := dryrun.Drift(t.Context(), a.compile(t, was), was, a.dir, nil)
	if err != nil || len(found) == 0 || !strings.Contains(found[0],
		"kubernetes/test/default leads to another cluster than the plan's") {
		t.Errorf("another cluster: %q, %v", found, err)
	}
}
