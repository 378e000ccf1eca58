package cluster_test

import (
	"math"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
)

// TestUsage_Metrics has the API of usage say what a pod of two containers uses.
func TestUsage_Metrics(t *testing.T) {
	c, at := newCluster(t)
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := kube.Like(c, kube.Ref{API: kube.MetricsAPI, Resource: "pods", Namespace: "default"}).Create(t.Context(),
		&kube.Raw{
			"metadata": map[string]any{"name": "store-0"}, "timestamp": "2026-11-23T16:00:00Z", "window": "15s",
			"containers": []any{
				map[string]any{"name": "app", "usage": map[string]any{"cpu": "250m", "memory": "64Mi"}},
				map[string]any{"name": "log", "usage": map[string]any{"cpu": "1500000n", "memory": "1024Ki"}},
			},
		}, false); err != nil {
		t.Fatal(err)
	}
	source, err := found.UsageSource(t.Context(), "")
	if err != nil || source != scenarios.MetricsUsage {
		t.Fatalf("the source is %q, %v", source, err)
	}
	all, err := found.Usage(t.Context(), source)
	if err != nil || len(all) != 1 {
		t.Fatalf("%+v, %v", all, err)
	}
	want := kube.PodUsage{
		Name: "store-0", At: time.Date(2026, 11, 23, 16, 0, 0, 0, time.UTC), Cores: .2515, CPU: -1, Memory: 65 << 20,
	}
	got := all[0]
	if math.Abs(got.Cores-want.Cores) > 1e-9 || got.Memory != want.Memory || !got.At.Equal(want.At) ||
		got.Name != want.Name || got.CPU != want.CPU {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// TestUsage_Kubelet has the kubelet of a node say what pods use: the pod's own figures where it has them, else the sum
// of its containers; nothing of other namespaces, and of pods that it has not looked at.
func TestUsage_Kubelet(t *testing.T) {
	c, at := newCluster(t)
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	figures := func(used, memory int) map[string]any {
		return map[string]any{
			"cpu":    map[string]any{"time": "2026-11-23T16:00:00Z", "usageNanoCores": used / 10, "usageCoreNanoSeconds": used},
			"memory": map[string]any{"workingSetBytes": memory},
		}
	}
	pod := func(name, namespace string, own map[string]any, containers ...any) map[string]any {
		own["podRef"], own["containers"] = map[string]any{"name": name, "namespace": namespace, "uid": "uid-" + name},
			containers
		return own
	}
	// The server answers with the node itself where a cluster asks its kubelet.
	if _, err := kube.Like(c, kube.Ref{API: "v1", Resource: "nodes"}).Patch(t.Context(), "n1",
		kube.Change{Op: "add", Path: "/pods", Value: []any{
			pod("whole", "default", figures(3e9, 5<<20), figures(1, 1)),
			pod("parts", "default", map[string]any{}, figures(1e9, 1<<20), figures(2e9, 2<<20)),
			pod("new", "default", figures(0, 0)),
			pod("other", "kube-system", figures(1e9, 1<<20)),
		}}); err != nil {
		t.Fatal(err)
	}
	all, err := found.Usage(t.Context(), scenarios.KubeletUsage)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if p := all[0]; p.UID != "uid-whole" || p.CPU != 3*time.Second || p.Memory != 5<<20 || math.Abs(p.Cores-.3) > 1e-9 {
		t.Errorf("%+v", p)
	}
	if p := all[1]; p.UID != "uid-parts" || p.CPU != 3*time.Second || p.Memory != 3<<20 || p.At.IsZero() {
		t.Errorf("%+v", p)
	}
}
