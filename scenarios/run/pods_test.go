package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"brunt/chaos"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/syntax"
)

// podsIn makes two pods in the cluster of a test, of a workload of a kind, in a namespace with the name default. Their
// container declares a port, and s is the server of the cluster.
func podsIn(t *testing.T, s *kubetest.Server, resource, name string) {
	t.Helper()
	s.Node("n1", nil)
	path := s.Kubeconfig(t, "")
	t.Setenv("KUBECONFIG", path)
	c, err := kubeconfig.Open(kube.Address{Kubeconfig: path}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	labels := map[string]any{"app": name}
	template := map[string]any{
		"metadata": map[string]any{"labels": labels},
		"spec": map[string]any{"containers": []any{map[string]any{
			"name": "app", "image": "a", "ports": []any{map[string]any{"containerPort": 8080}},
		}}},
	}
	if _, err := kube.Like(c, kube.Ref{API: "apps/v1", Resource: resource, Namespace: "default"}).Create(t.Context(),
		&kube.Raw{
			"metadata": map[string]any{"name": name},
			"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": template},
		}, false); err != nil {
		t.Fatal(err)
	}
}

// TestRun_PodLeader asks pods for their role through the API server: a fault hits the one that leads, and a watch tells
// the roles of both. The pod that comes in the place of the leader is asked in its stead.
func TestRun_PodLeader(t *testing.T) {
	k := kubetest.Start(t)
	k.At = map[string]string{}
	for i, role := range []string{"follower", "leader"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprintf(w, `{"role": %q}`, role)
		}))
		t.Cleanup(s.Close)
		k.At[fmt.Sprint("db-", i)] = s.Listener.Addr().String()
	}
	podsIn(t, k, "statefulsets", "db")
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(s.Close)
	res := runOnce(t, `version: 1
target: {url: "`+s.URL+`", kubernetes: {context: test, namespace: default, watchdog: none, usage: none}}
guard: {allow: {chaos: [kubernetes/test/default]}}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 6s, flow: [{get: /}]}}
watch: {role: {of: db, path: /role, value: "$.role", every: 200ms}}
chaos:
  behead: {at: 1s, pod.delete: {service: db, pick: leader, leader: {path: /role, check: {"$.role": leader}}}}
  other: {at: 4s, pod.delete: {service: db, except: leader,
    leader: {command: "bash -c 'IFS=: read host port <<<$BRUNT_ADDR; exec 3<>/dev/tcp/$host/$port;
      printf \"GET /role HTTP/1.0\\r\\n\\r\\n\" >&3; grep -q leader <&3'"}}}
`, run.Options{})
	for i, want := range []struct{ unit, role string }{{"db[1]", chaos.RoleLeader}, {"db[0]", chaos.RoleFollower}} {
		f := &res.Faults[i]
		if !slices.Equal(f.Units, []string{want.unit}) || f.Role != want.role || !f.Injected.Known() {
			t.Errorf("%s hit %q, %s, at %v: %s; want %s, %s",
				f.Name, f.Units, f.Role, f.Injected, f.Note, want.unit, want.role)
		}
	}
	for unit, want := range map[string]string{"db[0]": "follower", "db[1]": "leader"} {
		i := slices.IndexFunc(res.Watches, func(w result.Watch) bool { return w.Name == "role" && w.Unit == unit })
		if i < 0 {
			t.Errorf("%s is not watched", unit)
			continue
		}
		w := &res.Watches[i]
		if w.Asked < 10 || !slices.ContainsFunc(w.States, func(s result.UnitState) bool { return s.Text == want }) ||
			w.States[len(w.States)-1].Text != want {
			t.Errorf("%s: %d asked, %d missed, %+v, %s; want %s", unit, w.Asked, w.Missed, w.States, w.Note, want)
		}
	}
}

// TestRun_Pods deletes a pod under load: the result has what its service did, as events, states, figures and
// objectives.
func TestRun_Pods(t *testing.T) {
	podsIn(t, kubetest.Start(t), "deployments", "web")
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
