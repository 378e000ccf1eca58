package cluster_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// podsOf finds the pods of web and store, and a service before those of store.
func podsOf(t *testing.T) (c *kube.Cluster, units map[string]chaos.Unit) {
	c, at := newCluster(t)
	if _, err := kube.Services(c, "default").Create(t.Context(), &kube.Service{
		ObjectMeta: kube.ObjectMeta{Name: "store"}, Spec: kube.ServiceSpec{
			Selector: map[string]string{"app": "store"}, ClusterIP: "10.96.0.7", ClusterIPs: []string{"10.96.0.7"},
			Ports: []kube.ServicePort{{Port: 53, Protocol: kube.ProtocolUDP}, {Port: 80}},
		},
	}, false); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the service leads to both pods", func() bool {
		ends, err := kube.Slices(c, "default").List(t.Context(), kube.Query{})
		return err == nil && len(ends) == 1 && len(ends[0].Endpoints) == 2
	})
	found, err := cluster.Find(t.Context(), c, at,
		&scenarios.Kubernetes{Namespace: "default", Services: map[string]scenarios.KubernetesService{
			"web": {Deployment: "web", Container: "app"}, "store": {StatefulSet: "store"},
		}})
	if err != nil {
		t.Fatal(err)
	}
	units = map[string]chaos.Unit{}
	for _, u := range found.Units() {
		units[u.Name()] = u
	}
	return c, units
}

// TestPod_Fronts finds the addresses of services, by which others reach pods.
func TestPod_Fronts(t *testing.T) {
	_, units := podsOf(t)
	node := units["web[0]"].Traits().Node
	got, err := node.Fronts(t.Context(), []chaos.Unit{units["store[0]"], units["store[1]"]})
	if err != nil || len(got) != 1 || got[0].String() != "10.96.0.7:80" {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := node.Fronts(t.Context(), []chaos.Unit{units["web[0]"], units["web[1]"]}); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
	_, err = node.Fronts(t.Context(), []chaos.Unit{units["store[1]"]})
	if want := "the service store (10.96.0.7) leads to store[1] and to the pod "; err == nil ||
		!strings.Contains(err.Error(), want) {
		t.Errorf("%v: want %s", err, want)
	}
}

// TestPod_Refused names the pods that no agent hits.
func TestPod_Refused(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change kube.Change
		want   string
		both   bool // its processes are not hit either
	}{
		{"an ordinary one", kube.Change{Op: "add", Path: "/spec/hostNetwork", Value: false}, "", false},
		{
			"one in the network of its node",
			kube.Change{Op: "add", Path: "/spec/hostNetwork", Value: true},
			"uses the network of its node (hostNetwork)", false,
		},
		{
			"one with a kernel of its own",
			kube.Change{Op: "add", Path: "/spec/runtimeClassName", Value: "kata-qemu"},
			"runtime class kata-qemu", true,
		},
		{
			"one on Windows",
			kube.Change{Op: "add", Path: "/spec/os", Value: map[string]string{"name": "windows"}},
			"is on Windows", true,
		},
		{
			"one of its node",
			kube.Change{Op: "add", Path: "/metadata/annotations", Value: map[string]string{"kubernetes.io/config.mirror": "x"}},
			"is one of its node's own", true,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, units := podsOf(t)
			pods, err := kube.Pods(c, "default").List(t.Context(), kube.Query{Labels: "app=web"})
			if err != nil {
				t.Fatal(err)
			}
			for i := range pods {
				if _, err := kube.Pods(c, "default").Patch(t.Context(), pods[i].Name, tt.change); err != nil {
					t.Fatal(err)
				}
			}
			u := units["web[0]"]
			for what, got := range map[string]error{"network": u.Traits().Node.Separate(t.Context()), "agent": started(t, u)} {
				want := tt.want
				if want == "" && what == "agent" {
					want = "no agent runs on its node"
				}
				if (got == nil) != (want == "") || got != nil && !strings.Contains(got.Error(), want) {
					t.Errorf("%s: %v, want %q", what, got, want)
				}
			}
			if _, err := u.Traits().Node.Life(t.Context()); tt.both && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("processes: %v", err)
			}
		})
	}
}

func started(t *testing.T, u chaos.Unit) error {
	t.Helper()
	_, err := u.Traits().StartAgent(t.Context(), "r")
	return err
}

// TestPod_Container finds the container whose processes are hit.
func TestPod_Container(t *testing.T) {
	running := func(names ...string) (out []kube.ContainerStatus) {
		for _, name := range names {
			out = append(out, kube.ContainerStatus{
				Name: name, ContainerID: "containerd://id-" + name,
				State: kube.ContainerState{
					Running: &kube.ContainerStateRunning{StartedAt: kube.Time{Time: time.Now()}},
				},
			})
		}
		return out
	}
	for _, tt := range []struct {
		name    string
		service string // its setting
		marked  string // by the pod's annotation
		names   []string
		runs    []string
		want    string
		wrong   string
	}{
		{"the only one", "", "", []string{"app"}, []string{"app"}, "id-app", ""},
		{"the one that the service names", "b", "a", []string{"a", "b"}, []string{"a", "b"}, "id-b", ""},
		{"the one that the pod names", "", "b", []string{"a", "b"}, []string{"a", "b"}, "id-b", ""},
		{"one of several", "", "", []string{"a", "b"}, []string{"a", "b"}, "", "has the containers a, b: name one by"},
		{"one that there is not", "c", "", []string{"a", "b"}, []string{"a"}, "", `there is no container "c" in the pod`},
		{"one that does not run", "b", "", []string{"a", "b"}, []string{"a"}, "", "the container b of the pod"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, at := newCluster(t)
			found, err := cluster.Find(t.Context(), c, at,
				named(scenarios.KubernetesService{Deployment: "web", Container: tt.service}))
			if err != nil {
				t.Fatal(err)
			}
			pods, err := kube.Pods(c, "default").List(t.Context(), kube.Query{Labels: "app=web"})
			if err != nil {
				t.Fatal(err)
			}
			var containers []kube.Container
			for _, name := range tt.names {
				containers = append(containers, kube.Container{Name: name, Image: "a"})
			}
			for i := range pods {
				changes := []kube.Change{
					{Op: "add", Path: "/metadata/ownerReferences", Value: []any{}}, // or the controllers would set its status
					{Op: "add", Path: "/spec/containers", Value: containers},
					{Op: "add", Path: "/status/containerStatuses", Value: running(tt.runs...)},
				}
				if tt.marked != "" {
					mark := map[string]string{"kubectl.kubernetes.io/default-container": tt.marked}
					changes = append(changes, kube.Change{Op: "add", Path: "/metadata/annotations", Value: mark})
				}
				if _, err := kube.Pods(c, "default").Patch(t.Context(), pods[i].Name, changes...); err != nil {
					t.Fatal(err)
				}
			}
			i := slices.IndexFunc(found.Units(), func(u chaos.Unit) bool { return u.Name() == "web[0]" })
			got, err := found.Units()[i].Traits().Node.Life(t.Context())
			if tt.wrong == "" && (err != nil || got.ID != tt.want) ||
				tt.wrong != "" && (err == nil || !strings.Contains(err.Error(), tt.wrong)) {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
