package pods_test

import (
	"context"
	"crypto/rand"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios"
	"brunt/scenarios/observe/pods"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// A bed is a namespace of a cluster whose pods are watched.
type bed struct {
	*kube.Cluster
	*pods.Watcher
	namespace string
	target    *cluster.Target
	t0        time.Time

	mu     sync.Mutex
	events []result.Event
	notes  []string
}

// newBed makes a namespace in the cluster of a kubeconfig, with a deployment of two pods.
func newBed(t *testing.T, kubeconfig, context string) *bed {
	b := &bed{namespace: "k-watch-" + strings.ToLower(rand.Text()[:6])}
	c, at, err := cluster.Connect(t.Context(),
		kube.Address{Kubeconfig: kubeconfig, Context: context, Namespace: b.namespace})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	b.Cluster = c
	if _, err := kube.Namespaces(c).Create(t.Context(), &kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: b.namespace}},
		false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = kube.Namespaces(c).Delete(noContext(t), b.namespace, kube.Deletion{}) })
	labels := map[string]any{"app": "web"}
	template := map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
		"terminationGracePeriodSeconds": 1,
		"containers": []any{map[string]any{
			"name": "app", "image": "docker.io/library/brunt-kube-pause:1",
			"imagePullPolicy": "Never",
		}},
	}}
	if _, err := kube.Like(c, b.web()).Create(t.Context(), &kube.Raw{
		"metadata": map[string]any{"name": "web"},
		"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": template},
	}, false); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "two pods are ready", func() bool {
		o, err := kube.Like(c, b.web()).Get(t.Context(), "web")
		return err == nil && o.Number("status", "readyReplicas") == 2
	})
	if b.target, err = cluster.Find(t.Context(), c, at, &scenarios.Kubernetes{Namespace: b.namespace}); err != nil {
		t.Fatal(err)
	}
	return b
}

func noContext(t *testing.T) context.Context { return context.WithoutCancel(t.Context()) }

func (b *bed) web() kube.Ref {
	return kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: b.namespace, Name: "web"}
}

// watch begins to watch the pods, and waits until it sees them.
func (b *bed) watch(t *testing.T) {
	b.t0 = time.Now()
	b.Watcher = pods.Watch(b.target, pods.Host{
		T0:   func() time.Time { return b.t0 },
		Mask: func(s string) string { return strings.ReplaceAll(s, "sesame", "***") },
		Event: func(e result.Event) {
			b.mu.Lock()
			defer b.mu.Unlock()
			e.T = result.Sec(time.Since(b.t0))
			b.events = append(b.events, e)
		},
		Note: func(format string, _ ...any) {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.notes = append(b.notes, format)
		},
	})
	t.Cleanup(b.Stop)
	suite.Until(t, "the pods are seen", func() bool { return len(b.States()) > 0 })
}

// kinds are the events so far of a unit, or of all where that is empty.
func (b *bed) kinds(unit string) (out []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.events {
		if unit == "" || e.Unit == unit {
			out = append(out, e.Event)
		}
	}
	return out
}

// text is the text of the last event of a kind of a unit.
func (b *bed) text(unit, kind string) string {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range slices.Backward(b.events) {
		if e.Unit == unit && e.Event == kind {
			return e.Says()
		}
	}
	return ""
}

// sees waits for an event of a unit whose text has a part.
func (b *bed) sees(t *testing.T, unit, kind, part string) {
	t.Helper()
	if !suite.Within(30*time.Second, func() bool {
		text := b.text(unit, kind)
		return text != "" &&
			strings.Contains(text, part)
	}) {
		t.Fatalf("%s has no event %s with %q; it has %v, the last: %q", unit, kind, part, b.kinds(unit), b.text(unit, kind))
	}
}

// objective parses an objective.
func objective(t *testing.T, text string) slo.Objective {
	t.Helper()
	o, err := slo.ParseObjective(text)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// now waits until a figure has a value now.
func (b *bed) now(t *testing.T, figure string, want float64) {
	t.Helper()
	o := objective(t, figure+" >= 1")
	var is float64
	var known bool
	if !suite.Within(30*time.Second, func() bool { is, known = b.Latest(o); return known && is == want }) {
		t.Fatalf("%s is %g (known %t), want %g", figure, is, known, want)
	}
}

// lives deletes a pod and scales its workload: what becomes of the pods is told.
func (b *bed) lives(t *testing.T) {
	b.watch(t)
	if got := b.kinds(""); len(got) > 0 {
		t.Errorf("events of what was there before: %v", got)
	}
	b.now(t, "web.ready", 2)
	p, _ := cluster.Of(b.target.Units()[0])
	was, err := p.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), was.Name, kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
	b.sees(t, "web[0]", "pod.gone", was.Name)
	b.sees(t, "web[0]", "unit.replaced", "web-")
	b.sees(t, "web[0]", "pod.ready", "web-")
	b.sees(t, "web", "workload.ready", "2 of 2")
	of := b.kinds("web[0]")
	order := []string{"unit.replaced", "pod.scheduled", "pod.started", "pod.ready"}
	for i, kind := range order {
		if at := slices.Index(of, kind); at < 0 || i > 0 && at < slices.Index(of, order[i-1]) {
			t.Errorf("%s is not in its place: %v", kind, of)
		}
	}
	if _, err := kube.Like(b.Cluster, b.web()).Patch(t.Context(), "web",
		kube.Change{Op: "replace", Path: "/spec/replicas", Value: 4}); err != nil {
		t.Fatal(err)
	}
	b.now(t, "web.ready", 4)
	b.now(t, "web.replicas", 4)
	b.now(t, "web.pending", 0)
	b.sees(t, "web[3]", "pod.ready", "web-")
	if v, known := b.Latest(objective(t, "web[0].restarts <= 0")); !known || v != 1 {
		t.Errorf("web[0] restarted %g times (known %t), want once: another pod is in its place", v, known)
	}
	b.End()
	low, high := 9., 0.
	for _, s := range b.Series() {
		if s.Name == "web.ready" {
			for i, p := range s.Points {
				low, high = min(low, float64(p.V)), max(high, float64(p.V))
				if i > 0 && p.T < s.Points[i-1].T {
					t.Errorf("the points are not in order: %v", s.Points)
				}
			}
		}
	}
	if low > 1 || high != 4 {
		t.Errorf("web.ready was between %g and %g, want 1 or less and 4", low, high)
	}
	if states := b.States(); len(states) != 4 || states[0].Unit != "web[0]" ||
		states[0].States[len(states[0].States)-1].Text != "ready" {
		t.Errorf("%+v", states)
	}
	if len(b.notes) > 0 {
		t.Errorf("notes: %q", b.notes)
	}
}

func TestWatcher_Lives(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	newBed(t, s.Kubeconfig(t, ""), "test").lives(t)
}

// TestWatcher_KubeLives is the same on a real cluster, with what its kubelet says that the pods use.
func TestWatcher_KubeLives(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	path := os.Getenv("BRUNT_KUBECONFIG")
	newBed(t, path, "brunt-kube").lives(t)
	b := newBed(t, path, "brunt-kube")
	b.watch(t)
	b.Measure("", func() time.Duration { return time.Since(b.t0) })
	o := objective(t, "web.memory < 1GiB")
	if !suite.Within(time.Minute, func() bool { v, known := b.Latest(o); return known && v > 1<<16 }) {
		t.Errorf("the memory of web is not known: notes %q", b.notes)
	}
	suite.Until(t, "ticks have it", func() bool {
		all := b.Usage()
		return len(all) == 2 && all[0].Via == result.ViaKubelet && all[0].Memory > 1<<16 && len(all[0].Seconds) > 2
	})
}

// TestWatcher_Away has the API server answer nothing for a while: the figures are unknown since it was last heard of,
// and what happened meanwhile is told afterwards.
func TestWatcher_Away(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	b := newBed(t, s.Kubeconfig(t, ""), "test")
	b.watch(t)
	b.now(t, "web.ready", 2)
	p, _ := cluster.Of(b.target.Units()[1])
	was, err := p.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.Away(true)
	suite.Until(t, "the outage is told", func() bool { return slices.Contains(b.kinds(""), "cluster.away") })
	if _, known := b.Latest(objective(t, "web.ready >= 1")); known {
		t.Error("a figure is known while the API server does not answer")
	}
	s.Hide("/api/v1/namespaces/"+b.namespace+"/pods", was.Name)
	s.Away(false)
	b.sees(t, "web[1]", "pod.gone", was.Name)
	suite.Until(t, "the end of the outage is told", func() bool { return slices.Contains(b.kinds(""), "cluster.back") })
	b.now(t, "web.ready", 2) // its deployment has made another one
	b.End()
	for _, series := range b.Series() {
		unknown := slices.ContainsFunc(series.Points, func(p result.Point) bool { return !p.V.Known() })
		if !unknown {
			t.Errorf("%s is known throughout: %v", series.Name, series.Points)
		}
	}
}

// A story is what the cluster says of a pod, step by step, and what is told of it.
var story = []struct {
	name   string
	status kube.PodStatus
	node   string
	want   []string // kinds, each with a part of its text
}{
	{
		name: "no node takes it",
		status: kube.PodStatus{Phase: "Pending", Conditions: []kube.PodCondition{
			{
				Type: kube.PodScheduled, Status: "False", Reason: "Unschedulable",
				Message: "0/3 nodes are available: \x1b[31mInsufficient cpu, sesame",
			},
		}},
		want: []string{"pod.unschedulable 0/3 nodes are available: \x1b[31mInsufficient cpu, ***"},
	},
	{
		name: "a node takes it", node: "n1", status: kube.PodStatus{Phase: "Pending"},
		want: []string{"pod.scheduled lone on n1"},
	},
	{
		name: "its image is absent", node: "n1",
		status: waiting("ErrImagePull", strings.Repeat("x", 500)),
		want:   []string{"pod.waiting container app: ErrImagePull: xxx"},
	},
	{name: "it waits for the same", node: "n1", status: waiting("ErrImagePull", "again")},
	{
		name: "it runs", node: "n1", status: status(true, kube.ContainerStatus{Name: "app", State: running(10)}),
		want: []string{"pod.started container app; at 00:00:10 by the cluster's clock", "pod.ready lone"},
	},
	{
		name: "it runs out of memory, and is started again", node: "n1",
		status: status(true, kube.ContainerStatus{
			Name: "app", State: running(21), RestartCount: 1, LastTerminationState: ended("OOMKilled", 137, 20),
		}),
		want: []string{"pod.oom exit code 137: OOMKilled; at 00:00:20 by", "pod.started restart 1"},
	},
	{
		name: "it fails its probe", node: "n1",
		status: status(false, kube.ContainerStatus{
			Name: "app", State: running(21), RestartCount: 1, LastTerminationState: ended("OOMKilled", 137, 20),
		}),
		want: []string{"pod.unready lone"},
	},
	{
		name: "it crashes", node: "n1",
		status: status(false, kube.ContainerStatus{
			Name: "app", State: kube.ContainerState{Waiting: &kube.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
			RestartCount:         1,
			LastTerminationState: ended("Error", 1, 30),
		}),
		want: []string{"pod.killed exit code 1: Error; at 00:00:30 by", "pod.waiting CrashLoopBackOff"},
	},
	{
		name: "its node ends it", node: "n1", status: kube.PodStatus{
			Phase: "Failed", Reason: "Evicted",
			Message: "The node was low on resource: memory.",
		},
		want: []string{"pod.evicted The node was low on resource"},
	},
}

func waiting(reason, message string) kube.PodStatus {
	return kube.PodStatus{Phase: "Pending", ContainerStatuses: []kube.ContainerStatus{
		{Name: "app", State: kube.ContainerState{Waiting: &kube.ContainerStateWaiting{Reason: reason, Message: message}}},
	}}
}

func running(at int64) kube.ContainerState {
	return kube.ContainerState{Running: &kube.ContainerStateRunning{StartedAt: kube.Time{Time: time.Unix(at, 0)}}}
}

func ended(reason string, code int32, at int64) kube.ContainerState {
	return kube.ContainerState{Terminated: &kube.ContainerStateTerminated{
		Reason: reason, ExitCode: code, FinishedAt: kube.Time{Time: time.Unix(at, 0)},
	}}
}

func status(ready bool, c kube.ContainerStatus) kube.PodStatus {
	is := kube.ConditionFalse
	if ready {
		is = kube.ConditionTrue
	}
	return kube.PodStatus{
		Phase: "Running", Conditions: []kube.PodCondition{{Type: kube.PodReady, Status: is}},
		ContainerStatuses: []kube.ContainerStatus{c},
	}
}

// TestWatcher_Story plays what can become of a pod.
func TestWatcher_Story(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	b := newBed(t, s.Kubeconfig(t, ""), "test")
	labels := map[string]string{"app": "web"}
	b.watch(t)
	of := kube.Pods(b.Cluster, b.namespace)
	pod, err := of.Create(t.Context(), &kube.Pod{ObjectMeta: kube.ObjectMeta{Name: "lone", Labels: labels}}, false)
	if err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "its place is known", func() bool { return b.target.UnitOf(string(pod.UID)) == "web[2]" })
	for _, step := range story {
		before := len(b.kinds("web[2]"))
		pod.Status, pod.Spec.NodeName = step.status, step.node
		if pod, err = of.Update(t.Context(), "lone", pod); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		for _, want := range step.want {
			kind, part, _ := strings.Cut(want, " ")
			b.sees(t, "web[2]", kind, part)
		}
		if got := b.kinds("web[2]")[before:]; len(got) != len(step.want) {
			t.Errorf("%s: %v, want %q", step.name, got, step.want)
		}
	}
	for _, kind := range b.kinds("") {
		if text := b.text("web[2]", kind); len(text) > 300 || strings.Contains(text, "sesame") {
			t.Errorf("%s: %q is not clipped or masked", kind, text)
		}
		if result.EventKinds()[kind] == "" {
			t.Errorf("%s is no kind of event", kind)
		}
	}
	if v, known := b.Latest(objective(t, "web[2].ooms = 0")); !known || v != 1 {
		t.Errorf("web[2].ooms is %g (known %t), want 1", v, known)
	}
}

// TestWatcher_Cluster has an autoscaler, a node and a probe say what concerns the pods.
func TestWatcher_Cluster(t *testing.T) {
	s := kubetest.Start(t)
	s.Node("n1", nil)
	s.Node("n2", nil)
	b := newBed(t, s.Kubeconfig(t, ""), "test")
	pod, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{})
	if err != nil {
		t.Fatal(err)
	}
	probe := func(name, uid string) {
		t.Helper()
		if _, err := kube.Events(b.Cluster, b.namespace).Create(t.Context(), &kube.ObjectEvent{
			ObjectMeta: kube.ObjectMeta{Name: name}, Reason: "Unhealthy", Message: "Readiness probe failed",
			LastTimestamp:  kube.Time{Time: time.Unix(40, 0)},
			InvolvedObject: kube.ObjectReference{Kind: "Pod", UID: kube.UID(uid)},
		}, false); err != nil {
			t.Fatal(err)
		}
	}
	probe("before", string(pod[0].UID))
	b.watch(t)
	of := b.target.UnitOf(string(pod[0].UID))

	probe("now", string(pod[0].UID))
	probe("another", "of-no-pod")
	b.sees(t, of, "probe.failed", "Readiness probe failed; at 00:00:40 by the cluster's clock")

	scaler := &kube.HorizontalPodAutoscaler{
		ObjectMeta: kube.ObjectMeta{Name: "h"},
		Spec: kube.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: kube.CrossVersionObjectReference{Kind: "Deployment", Name: "web"},
			Metrics: []kube.MetricSpec{{Resource: &kube.ResourceMetricSource{
				Name: "cpu", Target: kube.MetricTarget{AverageUtilization: new(int32(50))},
			}}},
		},
	}
	if scaler, err = kube.Autoscalers(b.Cluster, b.namespace).Create(t.Context(), scaler, false); err != nil {
		t.Fatal(err)
	}
	scaler.Status = kube.HorizontalPodAutoscalerStatus{
		CurrentReplicas: 2, DesiredReplicas: 4,
		CurrentMetrics: []kube.MetricStatus{
			{Resource: &kube.ResourceMetricStatus{
				Name: "cpu", Current: kube.MetricValueStatus{AverageUtilization: new(int32(93))},
			}},
		},
	}
	if _, err = kube.Autoscalers(b.Cluster, b.namespace).Update(t.Context(), "h", scaler); err != nil {
		t.Fatal(err)
	}
	b.sees(t, "web", "hpa.desired", "4, it has 2; h: cpu is 93%, wanted 50%")

	for _, step := range []struct {
		node, kind, part string
		conditions       []kube.NodeCondition
	}{
		{
			"n1", "node.pressure", "DiskPressure: disk is full",
			[]kube.NodeCondition{{Type: "DiskPressure", Status: "True", Message: "disk is full"}},
		},
		{
			"n1", "node.notready", "NotReady: Kubelet is silent",
			[]kube.NodeCondition{{Type: "Ready", Status: "Unknown", Message: "Kubelet is silent"}},
		},
		{"n1", "node.ready", "", nil},
	} {
		n, err := kube.Nodes(b.Cluster).Get(t.Context(), step.node)
		if err != nil {
			t.Fatal(err)
		}
		n.Status.Conditions = step.conditions
		if _, err := kube.Nodes(b.Cluster).Update(t.Context(), step.node, n); err != nil {
			t.Fatal(err)
		}
		suite.Until(t, "it is told of "+step.kind, func() bool {
			all := b.kinds(step.node)
			return len(all) > 0 && all[len(all)-1] == step.kind && strings.Contains(b.text(step.node, step.kind), step.part)
		})
	}
	if n := len(slices.DeleteFunc(b.kinds(""), func(kind string) bool { return kind != "probe.failed" })); n != 1 {
		t.Errorf("%d failed probes, want the one that came while the pods were watched", n)
	}
	if n := len(b.kinds("web")); n != 1 {
		t.Errorf("web has the events %v, want that of the autoscaler alone", b.kinds("web"))
	}
}
