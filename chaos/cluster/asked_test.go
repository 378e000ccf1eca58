package cluster_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
)

// declaring makes a deployment of one pod with containers, each of which declares ports.
func declaring(t *testing.T, c *kube.Cluster, name string, containers map[string][]any) {
	t.Helper()
	labels := map[string]any{"app": name}
	var all []any
	for _, of := range []string{"app", "mesh"} {
		if ports, has := containers[of]; has {
			all = append(all, map[string]any{"name": of, "image": "a", "ports": ports})
		}
	}
	of := kube.Ref{API: "apps/v1", Resource: scenarios.Deployments, Namespace: "default"}
	if _, err := kube.Like(c, of).Create(t.Context(),
		&kube.Raw{
			"metadata": map[string]any{"name": name},
			"spec": map[string]any{
				"replicas": 1, "selector": map[string]any{"matchLabels": labels},
				"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{"containers": all}},
			},
		}, false); err != nil {
		t.Fatal(err)
	}
}

// TestPod_Port finds the port at which a pod is asked.
func TestPod_Port(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	c, at, err := cluster.Connect(t.Context(),
		kube.Address{Kubeconfig: s.Kubeconfig(t, ""), Context: "test", Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	port := func(n int) any { return map[string]any{"containerPort": n} }
	udp := map[string]any{"containerPort": 53, "protocol": "UDP"}
	declaring(t, c, "one", map[string][]any{"app": {udp, port(8080), port(9090)}})
	declaring(t, c, "two", map[string][]any{"app": {port(8080)}, "mesh": {port(15001)}})
	declaring(t, c, "none", map[string][]any{"app": {udp}})
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{
		Namespace: "default", Services: map[string]scenarios.KubernetesService{
			"first": {Deployment: "one"}, "mesh": {Deployment: "two", Container: "mesh"},
			"named": {Pods: map[string]string{"app": "none"}, Port: 6379},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(found.Close)
	for unit, want := range map[string]int{"first[0]": 8080, "mesh[0]": 15001, "named[0]": 6379} {
		if got, err := podOf(t, found, unit).Port(); err != nil || got != want {
			t.Errorf("%s: %d, %v; want %d", unit, got, err, want)
		}
	}
	other, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	none := podOf(t, other, "none[0]")
	if _, err := none.Port(); err == nil || !strings.Contains(err.Error(), "target.kubernetes.services.none.port") {
		t.Errorf("a pod without a port: %v", err)
	}
	if addr := none.Addr(); addr != "" {
		t.Errorf("a pod without a port is asked at %s", addr)
	}
}

// podOf returns a pod of a target by the name of its unit.
func podOf(t *testing.T, found *cluster.Target, unit string) *cluster.Pod {
	t.Helper()
	for _, u := range found.Units() {
		if p, ok := cluster.Of(u); ok && u.Name() == unit {
			return p
		}
	}
	t.Fatalf("there is no unit %s", unit)
	return nil
}

// TestPod_Addr asks a pod through the API server, and then the pod that comes in its place, at the same address. This
// address is on brunt's machine and not in the pod, so ${self.port} has no value in a setting of a fault.
func TestPod_Addr(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "yes")
	}))
	t.Cleanup(srv.Close)
	s.Ports = map[int]string{8080: srv.Listener.Addr().String()}
	c, at, err := cluster.Connect(t.Context(),
		kube.Address{Kubeconfig: s.Kubeconfig(t, ""), Context: "test", Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	declaring(t, c, "web", map[string][]any{"app": {map[string]any{"containerPort": 8080}}})
	found, err := cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: "default"})
	if err != nil {
		t.Fatal(err)
	}
	web := podOf(t, found, "web[0]")
	addr := web.Addr()
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	ask := func() (string, error) {
		resp, err := client.Get("http://" + addr)
		if err != nil {
			return "", err
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		return string(text), err
	}
	before, err := web.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ask(); got != "yes" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := kube.Pods(c, "default").Delete(t.Context(), before.Name, kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	if now, err := web.Now(t.Context()); err != nil || now.Name == before.Name || web.Addr() != addr {
		t.Errorf("%v, %v, at %s", now, err, web.Addr())
	}
	if got, err := ask(); got != "yes" || err != nil {
		t.Errorf("the pod in its place: %q, %v", got, err)
	}
	if text, err := chaos.FillSelf("/data/${self.port}", web); err == nil {
		t.Errorf("a setting of a fault has %s", text)
	}
	if text, err := chaos.FillSelf("/data/${self.index}", web); err != nil || text != "/data/0" {
		t.Errorf("%q, %v", text, err)
	}
	found.Close()
	if got, err := ask(); err == nil {
		t.Errorf("it answers after the end: %q", got)
	}
}
