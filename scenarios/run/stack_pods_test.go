package run_test

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// stackOn is a cluster whose pods all answer by a handler, and a scenario with a built-in stack there.
func stackOn(t *testing.T, h http.Handler) *kube.Cluster {
	t.Helper()
	k, srv := kubetest.Start(t), httptest.NewServer(h)
	t.Cleanup(srv.Close)
	k.Ports = map[int]string{8080: strings.TrimPrefix(srv.URL, "http://")}
	k.Node("n1", nil)
	path := k.Kubeconfig(t, "")
	t.Setenv("KUBECONFIG", path)
	t.Setenv("BRUNT_IMAGE", "brunt:test")
	c, err := kubeconfig.Open(kube.Address{Kubeconfig: path}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// namespacesOf lists the namespaces of a cluster other than its own.
func namespacesOf(t *testing.T, c *kube.Cluster) (out []string) {
	t.Helper()
	all, err := kube.Namespaces(c).List(context.WithoutCancel(t.Context()), kube.Query{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		if name := all[i].Name; name != "kube-system" && name != "default" {
			out = append(out, name)
		}
	}
	return out
}

// TestRun_StackOnPods makes the built-in system in a cluster, breaks it, and leaves nothing: neither the namespaces
// that it made, nor the objects that it made in one which was there. Its load is small: the tunnels of connections
// beyond those that are open take the processors of a slow machine from the API server.
func TestRun_StackOnPods(t *testing.T) {
	for _, named := range []string{"", "default"} {
		t.Run("namespace "+named, func(t *testing.T) {
			var c *kube.Cluster
			var once sync.Once
			seen := map[string]string{} // labels of the run, by stateful set
			c = stackOn(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				once.Do(func() {
					sets, err := kube.StatefulSets(c, "").List(context.Background(), kube.Query{})
					if err != nil {
						t.Error(err)
					}
					for i := range sets {
						seen[sets[i].Name] = sets[i].Labels[cluster.RunLabel]
					}
				})
				_, _ = w.Write([]byte("{}"))
			}))
			kubernetes, guard := "{context: test, watchdog: none, usage: none}", ""
			if named != "" {
				kubernetes = "{context: test, watchdog: none, usage: none, namespace: " + named + "}"
				guard = "\nguard: {allow: {chaos: [kubernetes/test/" + named + "]}}"
			}
			res := runOnce(t, `version: 1
target: {stack: demo, platform: kubernetes, kubernetes: `+kubernetes+`}`+guard+`
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 8s, flow: [{get: /}]}}
chaos: {gone: {at: 1s, pod.delete: {unit: "posts[1]", grace: 1s}}}
slo: [errors < 5%, posts.replicas >= 1]
`, run.Options{ID: "20260101-000000-abc"})
			if res.Verdict != scenarios.Pass {
				t.Errorf("%s: %s", res.Verdict, res.Reason)
			}
			want := []string{"gateway", "notifications", "posts", "store", "users"}
			if sets := slices.Sorted(maps.Keys(seen)); !slices.Equal(sets, want) || seen["posts"] != "20260101-000000-abc" {
				t.Errorf("stateful sets with labels %v", seen)
			}
			ready := 0
			for _, e := range res.Events {
				if e.Event == "unit.ready" {
					ready++
				}
			}
			if ready != 6 || !slices.ContainsFunc(res.Events,
				func(e result.Event) bool { return e.Event == "pod.gone" && e.Unit == "posts[1]" }) {
				t.Errorf("%d units became ready; events %+v", ready, res.Events)
			}
			if left := namespacesOf(t, c); len(left) > 0 {
				t.Errorf("namespaces %q are left", left)
			}
			sets, err := kube.StatefulSets(c, "").List(t.Context(), kube.Query{})
			services, serr := kube.Services(c, "").List(t.Context(), kube.Query{})
			if err != nil || serr != nil || len(sets)+len(services) > 0 {
				t.Errorf("%d stateful sets and %d services are left, %v, %v", len(sets), len(services), err, serr)
			}
		})
	}
}

// TestRun_StackOnPods_Unready: where a pod never gets ready, the run says which one waits for what, and leaves nothing.
func TestRun_StackOnPods_Unready(t *testing.T) {
	c := stackOn(t, http.NotFoundHandler())
	t.Setenv("BRUNT_IMAGE", "Brunt:test") // whose name no node can parse
	res := runOnce(t, `version: 1
target: {stack: demo, platform: kubernetes, kubernetes: {context: test, watchdog: none}}
load: {main: {executor: constant-arrival-rate, rate: 300/s, duration: 1s, flow: [{get: /}]}}
slo: [errors < 1%]
`, run.Options{})
	if res.Verdict != scenarios.Invalid || !strings.Contains(res.Reason, "InvalidImageName") ||
		!strings.Contains(res.Reason, "`brunt image` writes it") {
		t.Errorf("%s: %s", res.Verdict, res.Reason)
	}
	if left := namespacesOf(t, c); len(left) > 0 {
		t.Errorf("namespaces %q are left", left)
	}
}
