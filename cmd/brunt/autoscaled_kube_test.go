//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// A meter is the server that a run loads, and the API of usage of its cluster: the pods of web use ten millicores for
// each request of the last second, shared by those that are ready.
type meter struct {
	bed *agentBed

	mu   sync.Mutex
	seen []time.Time // of the last second
}

// ServeHTTP is the server that a run loads.
func (m *meter) ServeHTTP(http.ResponseWriter, *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen = append(m.seen, time.Now())
}

// rate is how many requests were seen in the last second.
func (m *meter) rate() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.seen) > 0 && time.Since(m.seen[0]) > time.Second {
		m.seen = m.seen[1:]
	}
	return len(m.seen)
}

// usage is the API of usage, as metrics-server has it.
func (m *meter) usage(w http.ResponseWriter, r *http.Request) {
	said := map[string]any{
		"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kube.MetricsAPI,
		"resources": []any{map[string]any{
			"name": "pods", "namespaced": true, "kind": "PodMetrics",
			"verbs": []string{"get", "list"},
		}},
	}
	if strings.HasSuffix(r.URL.Path, "/namespaces/"+m.bed.namespace+"/pods") {
		items := []any{}
		pods := m.bed.webs(r)
		for _, name := range pods {
			items = append(items, map[string]any{
				"metadata":  map[string]any{"name": name, "namespace": m.bed.namespace},
				"timestamp": time.Now().UTC().Format(time.RFC3339), "window": "1s",
				"containers": []any{map[string]any{
					"name":  "app",
					"usage": map[string]any{"cpu": fmt.Sprint(10*m.rate()/len(pods), "m"), "memory": "8Mi"},
				}},
			})
		}
		said = map[string]any{
			"kind": "PodMetricsList", "apiVersion": kube.MetricsAPI, "metadata": map[string]any{}, "items": items,
		}
	} else if !strings.HasSuffix(r.URL.Path, "/"+kube.MetricsAPI) {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(said)
}

// webs lists the pods of web that are ready.
func (b *agentBed) webs(r *http.Request) (out []string) {
	pods, err := kube.Pods(b.Cluster, b.namespace).List(r.Context(), kube.Query{Labels: "app=web"})
	if err != nil {
		return nil
	}
	for i := range pods {
		if cluster.IsReady(&pods[i]) && pods[i].DeletionTimestamp == nil {
			out = append(out, pods[i].Name)
		}
	}
	return out
}

// metered has the cluster ask a server for what pods use, which nothing else says.
func (b *agentBed) metered(t *testing.T, m *meter) {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort(os.Getenv("BRUNT_KUBE_HOST"), "0"))
	if err != nil {
		t.Fatal(err)
	}
	srv := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(m.usage)}}
	srv.StartTLS()
	t.Cleanup(srv.Close)
	port := l.Addr().(*net.TCPAddr).Port
	if _, err := kube.Services(b.Cluster, b.namespace).Create(t.Context(), &kube.Service{
		ObjectMeta: kube.ObjectMeta{Name: "meter"}, Spec: kube.ServiceSpec{Ports: []kube.ServicePort{{Port: 443}}},
	}, false); err != nil {
		t.Fatal(err)
	}
	for _, o := range []struct {
		of   kube.Ref
		made kube.Raw
	}{
		{kube.Ref{API: "v1", Resource: "endpoints", Namespace: b.namespace}, kube.Raw{
			"metadata": map[string]any{"name": "meter"},
			"subsets": []any{map[string]any{
				"addresses": []any{map[string]any{"ip": os.Getenv("BRUNT_KUBE_HOST")}},
				"ports":     []any{map[string]any{"port": port}},
			}},
		}},
		{kube.Ref{API: "apiregistration.k8s.io/v1", Resource: "apiservices"}, kube.Raw{
			"metadata": map[string]any{"name": "v1beta1.metrics.k8s.io"},
			"spec": map[string]any{
				"group": "metrics.k8s.io", "version": "v1beta1", "groupPriorityMinimum": 100, "versionPriority": 100,
				"insecureSkipTLSVerify": true,
				"service":               map[string]any{"name": "meter", "namespace": b.namespace},
			},
		}},
	} {
		if _, err := kube.Like(b.Cluster, o.of).Create(t.Context(), &o.made, false); err != nil {
			t.Fatalf("%s: %v", o.of.Resource, err)
		}
		t.Cleanup(func() {
			if name := o.made.Text("metadata", "name"); o.of.Namespace == "" {
				if err := kube.Like(b.Cluster, o.of).Delete(context.WithoutCancel(t.Context()), name, kube.Deletion{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	suite.Until(t, "the cluster says what pods use", func() bool {
		all, err := b.PodMetrics(t.Context(), b.namespace)
		return err == nil && len(all) == 2
	})
}

// autoscaler makes the autoscaler of web, which is to have so many pods at most.
func (b *agentBed) autoscaler(t *testing.T, most int32) (remove func()) {
	t.Helper()
	name := fmt.Sprint("web-", most)
	least, mean := int32(2), kube.Quantity("100m")
	if _, err := kube.Autoscalers(b.Cluster, b.namespace).Create(t.Context(), &kube.HorizontalPodAutoscaler{
		ObjectMeta: kube.ObjectMeta{Name: name}, // a cluster keeps for minutes what it found for an autoscaler of the name
		Spec: kube.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: kube.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: "web"},
			MinReplicas:    &least, MaxReplicas: most,
			Metrics: []kube.MetricSpec{{Type: kube.ResourceMetricSourceType, Resource: &kube.ResourceMetricSource{
				Name: kube.ResourceCPU, Target: kube.MetricTarget{Type: kube.AverageValueMetricType, AverageValue: &mean},
			}}},
		},
	}, false); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := kube.Autoscalers(b.Cluster, b.namespace).Delete(t.Context(), name, kube.Deletion{}); err != nil {
			t.Error(err)
		}
	}
}

// TestAutoscaled_Kube judges how long an autoscaler takes that scales by what pods use, beside one that has no room. A
// prober of its own sees when the pods are ready.
func TestAutoscaled_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	if os.Getenv("BRUNT_KUBE_HOST") == "" {
		t.Skip("BRUNT_KUBE_HOST names no address at which the cluster reaches this machine: .ci/kube test does")
	}
	b := newAgentBed(t)
	m := &meter{bed: b}
	srv := httptest.NewServer(m)
	t.Cleanup(srv.Close)
	b.metered(t, m)
	if err := os.WriteFile(b.scenario, []byte(strings.NewReplacer("URL", srv.URL, "NS", b.namespace).Replace(`version: 1
target: {url: "URL", kubernetes: {context: brunt-kube, namespace: NS, agent: none, watchdog: none}}
guard: {allow: {chaos: [kubernetes/brunt-kube/NS]}}
load: {sale: {executor: spike, base: 10/s, before: 6s, peak: 40/s, rise: 1s, hold: 36s, fall: 1s, flow: [{get: /}]}}
slo: ["scaled(web, 4) < 35s after sale.hold", web.ready >= 2, web.restarts = 0]
`)), 0o600); err != nil {
		t.Fatal(err)
	}

	out, _ := b.brunt(t, t.TempDir(), "doctor", b.scenario)
	if !strings.Contains(out, "no autoscaler is of it") {
		t.Errorf("no finding that nothing scales web:\n%s", out)
	}
	for _, c := range []struct {
		most int32
		want scenarios.Verdict
	}{{2, scenarios.Fail}, {4, scenarios.Pass}} {
		t.Run(fmt.Sprint("at most ", c.most), func(t *testing.T) {
			defer b.autoscaler(t, c.most)()
			if out, _ := b.brunt(t, t.TempDir(), "doctor", b.scenario); strings.Contains(out, "no autoscaler is of it") {
				t.Errorf("the autoscaler is not found:\n%s", out)
			}
			var four time.Time // when four pods were ready
			over, done := make(chan bool), make(chan bool)
			go func() {
				defer close(done)
				for four.IsZero() {
					select {
					case <-over:
						return
					case <-time.After(50 * time.Millisecond):
					}
					if r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, srv.URL, nil); err == nil &&
						len(b.webs(r)) == 4 {
						four = time.Now()
					}
				}
			}()
			dir := filepath.Join(t.TempDir(), "report")
			out, _ := b.brunt(t, t.TempDir(), "run", b.scenario, "-o", dir)
			close(over)
			<-done
			text, err := os.ReadFile(filepath.Join(dir, "result.json"))
			res := &result.Result{}
			if err != nil || json.Unmarshal(text, res) != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			if res.Verdict != c.want || res.Objectives[0].Verdict != c.want {
				t.Errorf("%s: %s\n%s", res.Verdict, res.Reason, out)
			}
			if c.most == 2 {
				return
			}
			at := four.Sub(res.T0.Add(7 * time.Second)).Seconds() // since the hold began
			if got := res.Objectives[0].Measured; four.IsZero() || math.Abs(float64(got)-at) > 1 {
				t.Errorf("scaled after %.2f s; the prober saw it after %.2f s", got, at)
			}
			t.Logf("scaled after %.2f s; the prober saw it after %.2f s", res.Objectives[0].Measured, at)
		})
	}
}
