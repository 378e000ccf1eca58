//go:build unix

package chaos_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/chaostest"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// A shop is a namespace of a cluster with a deployment, a stateful set and a service.
type shop struct {
	*kube.Cluster
	at kube.Address
}

// refs are the kinds of objects that faults change.
func (s *shop) refs() []kube.Ref {
	ns := s.at.Namespace
	return []kube.Ref{
		{API: "v1", Resource: "pods", Namespace: ns},
		{API: "apps/v1", Resource: "deployments", Namespace: ns},
		{API: "apps/v1", Resource: "statefulsets", Namespace: ns},
		{API: "v1", Resource: "nodes"},
	}
}

// workload is a workload of two pods. They end at once when they are asked to.
func workload(name string) kube.Raw {
	labels := map[string]any{"app": name}
	return kube.Raw{
		"metadata": map[string]any{"name": name},
		"spec": map[string]any{
			"replicas": 2, "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{
				"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{
					"terminationGracePeriodSeconds": 1,
					"containers": []any{map[string]any{
						"name":  "app",
						"image": "docker.io/library/brunt-kube-pause:1", "imagePullPolicy": "Never",
					}},
				},
			},
		},
	}
}

// newShop makes a shop, and waits until its pods are ready.
func newShop(t *testing.T, file, contextName string) *shop {
	s := &shop{
		at: kube.Address{Kubeconfig: file, Context: contextName, Namespace: "shop-" + strings.ToLower(rand.Text()[:6])},
	}
	var err error
	if s.Cluster, err = kubeconfig.Open(s.at, kube.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	ns := s.at.Namespace
	if _, err := kube.Namespaces(s.Cluster).Create(t.Context(), &kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: ns}},
		false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := kube.Namespaces(s.Cluster).Delete(ctx, ns, kube.Deletion{}); err != nil {
			t.Error(err)
		}
		for _, of := range s.refs()[:3] { // a server for tests does not empty a namespace
			all, _ := kube.Like(s.Cluster, of).List(ctx, kube.Query{})
			for _, o := range all {
				_ = kube.Like(s.Cluster, of).Delete(ctx, o.Text("metadata", "name"), kube.Deletion{})
			}
		}
	})
	set := workload("store")
	set["spec"].(map[string]any)["serviceName"] = "store"
	for _, o := range []struct {
		ref    kube.Ref
		object kube.Raw
	}{
		{kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: ns}, workload("web")},
		{kube.Ref{API: "apps/v1", Resource: "statefulsets", Namespace: ns}, set},
		{kube.Ref{API: "v1", Resource: "services", Namespace: ns}, kube.Raw{
			"metadata": map[string]any{"name": "web"},
			"spec":     map[string]any{"selector": map[string]any{"app": "web"}, "ports": []any{map[string]any{"port": 80}}},
		}},
	} {
		if _, err := kube.Like(s.Cluster, o.ref).Create(t.Context(), &o.object, false); err != nil {
			t.Fatal(err)
		}
	}
	s.settled(t)
	return s
}

// settled waits until the workloads have their pods, ready, and nothing else is there.
func (s *shop) settled(t *testing.T) {
	t.Helper()
	suite.Until(t, "all pods are ready", func() bool {
		pods, err := kube.Pods(s.Cluster, s.at.Namespace).List(context.WithoutCancel(t.Context()), kube.Query{})
		return err == nil && len(pods) == 4 &&
			!slices.ContainsFunc(pods, func(p kube.Pod) bool { return p.DeletionTimestamp != nil || !cluster.IsReady(&p) })
	})
}

// state is what the objects are that faults change, without what a cluster counts up itself.
func (s *shop) state(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, of := range s.refs() {
		all, err := kube.Like(s.Cluster, of).List(context.WithoutCancel(t.Context()), kube.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range all {
			meta := maps.Clone(o["metadata"].(map[string]any))
			for _, key := range []string{"managedFields", "resourceVersion", "generation"} {
				delete(meta, key)
			}
			if a, _ := meta["annotations"].(map[string]any); a != nil {
				delete(a, "deployment.kubernetes.io/revision") // the number of its rollouts
				if len(a) == 0 {
					delete(meta, "annotations")
				}
			}
			if template, ok := o["spec"].(map[string]any)["template"].(map[string]any); ok { // a restart stays in it
				delete(template["metadata"].(map[string]any), "annotations")
			}
			text, err := json.Marshal([]any{meta, o["spec"]})
			if err != nil {
				t.Fatal(err)
			}
			out[of.Resource+"/"+o.Text("metadata", "name")] = string(text)
		}
	}
	return out
}

// world is a world of pods. same says that the objects are as before in the end, the same ones. spoil removes the fault
// without its knowledge.
func (s *shop) world(same bool, spoil func(t *testing.T, s *shop)) func(t *testing.T, effective bool) chaostest.World {
	return func(t *testing.T, effective bool) chaostest.World {
		s.settled(t)
		before := s.state(t)
		t.Cleanup(func() {
			s.settled(t)
			after := s.state(t)
			for name, was := range before {
				if is, there := after[name]; is != was && (same || there && !strings.HasPrefix(name, "pods/")) {
					t.Errorf("%s is not as before:\n%s\n%s", name, was, is)
				}
			}
		})
		c, at, err := cluster.Connect(t.Context(), s.at)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: at.Namespace})
		if err != nil {
			t.Fatal(err)
		}
		w := chaostest.World{
			Idle: true,
			Scope: chaos.Scope{
				Services: map[string]int{},
				Cluster:  &chaos.Cluster{Namespace: at.Namespace, Nodes: map[string]string{"pool": "apps"}},
			},
			Env: chaos.Env{
				Targets:    chaos.Targets{Units: found.Units(), Zones: found.Zones()},
				Host:       chaos.Host{Run: "20260101-000000-abcdefgh"},
				Occurrence: chaos.Occurrence{Now: clock()},
			},
		}
		if !effective {
			w.Spoil = func() { spoil(t, s) }
		}
		return w
	}
}

// resets sets a value of all objects of a kind to what it was, as another program would, and leaves the mark.
func resets(resource int, name func(o kube.Raw) []kube.Change) func(t *testing.T, s *shop) {
	return func(t *testing.T, s *shop) {
		of := s.refs()[resource]
		all, err := kube.Like(s.Cluster, of).List(t.Context(), kube.Query{})
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range all {
			if changes := name(o); len(o.Marks()) > 0 {
				if _, err := kube.Like(s.Cluster, of).Patch(t.Context(), o.Text("metadata", "name"), changes...); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
}

// deletes deletes all objects of a kind.
func deletes(resource string) func(t *testing.T, s *shop) {
	return func(t *testing.T, s *shop) {
		of := kube.Ref{API: "v1", Resource: resource, Namespace: s.at.Namespace, Name: "full"}
		if err := kube.Like(s.Cluster, of).Delete(t.Context(), of.Name, kube.Deletion{}); err != nil {
			t.Fatal(err)
		}
	}
}

// clusterFaults are faults on a cluster, with what removes each without its knowledge; nil: it always has an effect.
var clusterFaults = []struct {
	yaml  string
	same  bool // the pods are the same ones afterwards
	spoil func(t *testing.T, s *shop)
}{
	{"pod.delete: {service: web, grace: 1s}", false, nil},
	{"pod.evict: {unit: \"store[1]\"}", false, nil},
	{"pod.fail: {service: web}", true, resets(0, func(kube.Raw) []kube.Change {
		return []kube.Change{{Op: "replace", Path: "/spec/containers/0/image", Value: "docker.io/library/brunt-kube-pause:1"}}
	})},
	{"workload.scale: {service: web, to: 0}", false, resets(1, func(kube.Raw) []kube.Change {
		return []kube.Change{{Op: "replace", Path: "/spec/replicas", Value: 2}}
	})},
	{"workload.scale: {service: store, by: +50%}", true, nil},
	{"workload.restart: {service: web}", false, nil},
	{"node.cordon: {of: web}", true, resets(3,
		func(kube.Raw) []kube.Change { return []kube.Change{{Op: "remove", Path: "/spec/unschedulable"}} })},
	{"node.drain: {of: \"web[0]\"}", false, nil},
	{
		"node.taint: {of: store, key: example.com/broken, value: \"1\", effect: NoSchedule}", true,
		resets(3, func(kube.Raw) []kube.Change {
			return []kube.Change{{Op: "remove", Path: "/spec/taints"}}
		}),
	},
	{"node.taint: {of: store, key: example.com/broken, effect: NoExecute}", false, nil},
	{
		"kube.apply: {manifest: {apiVersion: v1, kind: ResourceQuota, metadata: {name: full}, spec: {hard: {pods: " +
			"\"9\"}}}, " +
			"until: {\"$.status.hard.pods\": \"9\"}}", true, deletes("resourcequotas"),
	},
}

// runs runs the suite on each of the faults, in the shop that is made for it. Without spoiled, no fault is removed
// without its knowledge: the controllers of a real cluster take a while to follow, and the effect is there until then.
func runs(t *testing.T, spoiled bool, made func(t *testing.T) *shop) {
	for _, c := range clusterFaults {
		t.Run(c.yaml, func(t *testing.T) {
			s := made(t)
			t.Run("effect", func(t *testing.T) { chaostest.Effect(t, c.yaml, s.world(c.same, nil)(t, true)) })
			if spoiled && c.spoil != nil {
				t.Run("no effect", func(t *testing.T) { chaostest.NoEffect(t, c.yaml, s.world(c.same, c.spoil)(t, false)) })
			}
			t.Run("journal", func(t *testing.T) { chaostest.Journal(t, c.yaml, s.world(c.same, nil)(t, true)) })
		})
	}
}

// TestCluster_Faults runs the suite on servers for tests.
func TestCluster_Faults(t *testing.T) {
	runs(t, true, func(t *testing.T) *shop {
		t.Parallel()
		k := kubetest.Start(t)
		k.Node("n1", map[string]string{"topology.kubernetes.io/zone": "a"})
		k.Node("n2", map[string]string{"topology.kubernetes.io/zone": "b"})
		return newShop(t, k.Kubeconfig(t, ""), "test")
	})
}

// TestCluster_DrainRefused has a disruption budget refuse the evictions of a drain, which then says which one it is.
func TestCluster_DrainRefused(t *testing.T) {
	k := kubetest.Start(t)
	k.Node("n1", nil)
	k.Node("n2", nil)
	s := newShop(t, k.Kubeconfig(t, ""), "test")
	budget := &kube.PodDisruptionBudget{ObjectMeta: kube.ObjectMeta{Name: "keep-web"}, Spec: kube.PodDisruptionBudgetSpec{
		MinAvailable: new(kube.FromInt(2)), Selector: &kube.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
	}}
	if _, err := kube.Budgets(s.Cluster, s.at.Namespace).Create(t.Context(), budget, false); err != nil {
		t.Fatal(err)
	}
	h, err := chaostest.Plan(t, "node.drain: {of: \"web[0]\"}", s.world(false, nil)(t, true))[0].Inject(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second) // it asks until then
	defer cancel()
	const want = "The disruption budget keep-web needs 2 healthy pods"
	if said, err := h.Verify(ctx); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("verified: %q, %v; want %q", said, err, want)
	}
	if o, err := h.Revert(t.Context()); err != nil || o != chaos.Reverted {
		t.Errorf("reverted: %s, %v", o, err)
	}
}

// TestCluster_KubeFaults runs the suite on a real cluster.
func TestCluster_KubeFaults(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	path := os.Getenv("BRUNT_KUBECONFIG")
	s := newShop(t, path, "brunt-kube")
	runs(t, false, func(*testing.T) *shop { return s })
}
