package cluster_test

import (
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
	"brunt/chaos/protect"
	"brunt/scenarios"
)

// a cluster has the workloads web, store and Odd.Name in the namespace default.
func newCluster(t *testing.T) (*kube.Cluster, cluster.Place) {
	s := kubetest.Start(t)
	s.Node("n1", map[string]string{"topology.kubernetes.io/zone": "a", "pool": "apps"})
	c, at, err := cluster.Connect(t.Context(),
		kube.Address{Kubeconfig: s.Kubeconfig(t, ""), Context: "test", Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for _, of := range []struct{ resource, name, app string }{
		{scenarios.Deployments, "web", "web"},
		{scenarios.Deployments, "odd.name", "odd"},
		{scenarios.StatefulSets, "store", "store"},
	} {
		labels := map[string]any{"app": of.app}
		pods := map[string]any{
			"metadata": map[string]any{"labels": labels},
			"spec":     map[string]any{"containers": []any{map[string]any{"name": "app", "image": "a"}}},
		}
		_, err := kube.Like(c, kube.Ref{API: "apps/v1", Resource: of.resource, Namespace: "default"}).Create(t.Context(),
			&kube.Raw{
				"metadata": map[string]any{"name": of.name, "labels": map[string]any{"tier": of.app}},
				"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": pods},
			}, false)
		if err != nil {
			t.Fatal(err)
		}
	}
	return c, at
}

// named is a target with one service.
func named(s scenarios.KubernetesService) *scenarios.Kubernetes {
	return &scenarios.Kubernetes{Namespace: "default", Services: map[string]scenarios.KubernetesService{"web": s}}
}

func TestFind_Mistakes(t *testing.T) {
	c, at := newCluster(t)
	for _, tt := range []struct {
		name string
		of   *scenarios.Kubernetes
		want string
	}{
		{
			"a namespace", &scenarios.Kubernetes{Namespace: "defualt"},
			`there is no namespace "defualt"; did you mean "default"?`,
		},
		{
			"a deployment", named(scenarios.KubernetesService{Deployment: "wep"}),
			`web: there is no deployment "wep" in the namespace default; did you mean "web"?`,
		},
		{
			"a stateful set", named(scenarios.KubernetesService{StatefulSet: "absent"}),
			`there is no stateful set "absent" in the namespace default; known are store`,
		},
		{
			"a daemon set", named(scenarios.KubernetesService{DaemonSet: "d"}),
			`there is no daemon set "d" in the namespace default`,
		},
		{
			"labels of pods", named(scenarios.KubernetesService{Pods: map[string]string{"app": "redis"}}),
			"no pod of the namespace default has the labels app=redis",
		},
		{
			"labels of workloads", &scenarios.Kubernetes{Namespace: "default", Selector: map[string]string{"tier": "db"}},
			"no stateful set with the labels tier=db",
		},
		{"a pod of two services", &scenarios.Kubernetes{
			Namespace: "default",
			Services: map[string]scenarios.KubernetesService{
				"a": {Deployment: "web"}, "b": {Pods: map[string]string{"app": "web"}},
			},
		}, "is of the services a and b: a pod is of one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			at := at
			at.Namespace = tt.of.Namespace
			if _, err := cluster.Find(t.Context(), c, at, tt.of); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
	_, _, err := cluster.Connect(t.Context(),
		kube.Address{Kubeconfig: at.Kubeconfig, Context: "tset", Namespace: "default"})
	if err == nil || !strings.Contains(err.Error(), `no context "tset"`) ||
		!strings.Contains(err.Error(), `did you mean "test"?`) {
		t.Errorf("a misspelt context: %v", err)
	}
	at.UID = "another"
	if _, err := at.Open(t.Context()); err == nil ||
		!strings.Contains(err.Error(), "kubernetes/test/default leads to another cluster now") {
		t.Errorf("an undo for another cluster: %v", err)
	}
}

// TestFind_Slots deletes pods: those that come in their places have their slots.
func TestFind_Slots(t *testing.T) {
	c, at := newCluster(t)
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	names := func() (out []string) {
		for _, u := range found.Units() {
			p, _ := cluster.Of(u)
			now, err := p.Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, u.Name()+"="+now.Name)
		}
		return out
	}
	before := names()
	if len(before) != 4 || before[2] != "store[0]=store-0" || before[3] != "store[1]=store-1" ||
		found.Zones()["web[1]"] != "a" {
		t.Errorf("%v, zones %v", before, found.Zones())
	}
	if got := strings.Join(found.Services(), " ") + "; " +
		strings.Join(found.Unnamed(), " "); got != "web store; odd.name" {
		t.Error(got)
	}
	pod := strings.TrimPrefix(before[1], "web[1]=")
	if err := kube.Pods(c, "default").Delete(t.Context(), pod, kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	if after := names(); after[0] != before[0] || after[1] == before[1] || len(after) != 4 {
		t.Errorf("%v, then %v", before, after)
	}
	if _, err := found.Workload("odd.name"); err == nil ||
		!strings.Contains(err.Error(), "give it one under target.kubernetes.services") {
		t.Errorf("a workload whose name can't name a service: %v", err)
	}
}

// TestGuard_Cluster checks what no fault may hit in a cluster, at the place where all faults ask.
func TestGuard_Cluster(t *testing.T) {
	c, at := newCluster(t)
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	among := &chaos.Targets{Units: found.Units()}
	ask := func(r protect.Rules, name string) string {
		r.Named = func(string) error { return nil }
		if err := protect.New(r).Begin(t.Context(), among)(chaos.Hit{Name: name}); err != nil {
			return err.Error()
		}
		return ""
	}
	apps := protect.Rules{Nodes: []map[string]string{{"pool": "apps"}}}
	for _, free := range []string{"web[0]", "store[1]", "node/n1"} {
		if why := ask(apps, free); why != "" {
			t.Errorf("%s: %s", free, why)
		}
	}
	label := func(r kube.Ref, key, value string) {
		t.Helper()
		o, err := kube.Like(c, r).Get(t.Context(), r.Name)
		if err != nil {
			t.Fatal(err)
		}
		labels := o.Labels()
		labels[key] = value
		if _, err := kube.Like(c, r).Patch(t.Context(), r.Name,
			kube.Change{Op: "add", Path: "/metadata/labels", Value: labels}); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name  string
		rules protect.Rules
		unit  string
		want  string
	}{
		{"no node is allowed", protect.Rules{Nodes: []map[string]string{nil}}, "node/n1", "allow.nodes allows none"},
		{
			"another pool",
			protect.Rules{Nodes: []map[string]string{{"pool": "apps"}, {"pool": "db"}}},
			"node/n1",
			"lacks the label pool=db of allow.nodes",
		},
		{
			"a namespace of a policy",
			protect.Rules{Namespaces: []string{"default"}},
			"web[0]",
			"namespace default: brunt does not touch it: a policy protects it",
		},
		{
			"a label of a policy",
			protect.Rules{Labels: [][2]string{{"app", "store"}}},
			"store[0]",
			"a policy protects objects with the label app=store",
		},
	} {
		if why := ask(tt.rules, tt.unit); !strings.Contains(why, tt.want) {
			t.Errorf("%s: %q, want %q", tt.name, why, tt.want)
		}
	}
	const protects = "brunt.dev/protect"
	label(kube.Ref{API: "apps/v1", Resource: "statefulsets", Namespace: "default", Name: "store"}, protects, "true")
	if why := ask(apps, "store[0]"); !strings.Contains(why,
		"statefulsets/store: brunt does not touch it: it has the label brunt.dev/protect=true") {
		t.Errorf("a protected workload: %q", why)
	}
	label(kube.Ref{API: "v1", Resource: "pods", Namespace: "default", Name: "store-1"}, cluster.RunLabel, "r1")
	if why := ask(apps, "store[1]"); !strings.Contains(why, "it is a part of brunt, of the run r1; nothing allows it") {
		t.Errorf("brunt's own pod: %q", why)
	}
	if why := ask(apps, "node/n1"); !strings.Contains(why, "the pod store-1 on it is a part of brunt") {
		t.Errorf("a node with brunt's own pod: %q", why)
	}
	label(kube.Ref{API: "v1", Resource: "nodes", Name: "n1"}, protects, "true")
	for _, name := range []string{"node/n1", "web[0]"} {
		if why := ask(apps, name); !strings.Contains(why, "node n1: brunt does not touch it") {
			t.Errorf("%s on a protected node: %q", name, why)
		}
	}
	label(kube.Ref{API: "v1", Resource: "namespaces", Name: "default"}, protects, "true")
	if why := ask(apps, "web[0]"); !strings.Contains(why, "namespace default: brunt does not touch it") {
		t.Errorf("a protected namespace: %q", why)
	}
	if err := cluster.ProtectedNamespace("kube-system"); err == nil {
		t.Error("kube-system may be hit")
	}
}
