package run_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"
)

// TestRun_Pods deletes a pod under load: the result has what its service did, as events, states, figures and
// objectives.
func TestRun_Pods(t *testing.T) {
	k := kubetest.Start(t)
	k.Node("n1", nil)
	path := k.Kubeconfig(t, "")
	t.Setenv("KUBECONFIG", path)
	c, err := kubeconfig.Open(kube.Address{Kubeconfig: path}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	labels := map[string]any{"app": "web"}
	template := map[string]any{
		"metadata": map[string]any{"labels": labels},
		"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "a"}}},
	}
	if _, err := c.Like(kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: "default"}).Create(t.Context(),
		&kube.Raw{
			"metadata": map[string]any{"name": "web"},
			"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": template},
		}, false); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	res := runOnce(t, `version: 1
target: {url: "`+s.URL+`", kubernetes: {context: test, namespace: default, watchdog: none, usage: none}}
guard: {allow: {chaos: [kubernetes/test/default]}, max_units: 9}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 6s, flow: [{get: /}]}}
chaos: {more: {at: 2s, for: 2s, workload.scale: {service: web, to: 4}}}
slo: [web.ready >= 2, web.replicas <= 3, "scaled(web, 4) < 2s after more", web.ooms = 0, "web[0].restarts = 0"]
`, run.Options{})
	for i, want := range []scenarios.Verdict{
		scenarios.Pass, scenarios.Fail, scenarios.Pass, scenarios.Pass, scenarios.Pass,
	} {
		if o := res.Objectives[i]; o.Verdict != want {
			t.Errorf("%s: %s, measured %v (%s)", o.Text, o.Verdict, o.Measured, o.Note)
		}
	}
	of := func(kind, unit string) bool {
		return slices.ContainsFunc(res.Events, func(e result.Event) bool { return e.Event == kind && e.Unit == unit })
	}
	gone := 0 // of any: which pods a controller takes away is its own choice
	for i := range 4 {
		if of("pod.gone", syntax.UnitName("web", i)) {
			gone++
		}
	}
	if !of("pod.ready", "web[3]") || gone != 2 || !of("workload.ready", "web") {
		t.Errorf("events: %+v", res.Events)
	}
	if n := len(res.Faults[0].Events); n == 0 {
		t.Error("the fault has no events of pods")
	}
	if len(res.Watches) != 4 || len(res.Usage) != 4 || res.Usage[0].Via != result.PodsUnknown || len(res.Series) != 3 {
		t.Errorf("%d lanes, %d units, %d series, want 4, 4 and 3", len(res.Watches), len(res.Usage), len(res.Series))
	}
}
