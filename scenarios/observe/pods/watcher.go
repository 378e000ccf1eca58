package pods

import (
	"context"
	"slices"
	"sync"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// A Host is the run that the pods are watched for.
type Host struct {
	T0    func() time.Time // start of the run's clock; it may still change before the load
	Mask  func(string) string
	Event func(result.Event) // called by several goroutines
	Note  func(format string, args ...any)
}

// Limits of a watch.
const (
	askAliveEvery = 2 * time.Second // interval of checks whether the API server answers
	aliveWithin   = 5 * time.Second
	againAfter    = 500 * time.Millisecond
	mostEvents    = 5000 // events of a run; further events are only counted
	mostText      = 240  // characters in the text of an event
)

// A Watcher watches the pods of a target. Any goroutine may use it; nil watches nothing.
type Watcher struct {
	t      *cluster.Target
	h      Host
	cancel context.CancelFunc
	ended  sync.WaitGroup

	measured  context.CancelFunc // ends measuring; nil if it has not begun
	measuring sync.WaitGroup

	mu       sync.Mutex
	pods     map[string]*pod     // by UID
	services map[string]*service // by name
	units    map[string]*unit    // by name
	nodes    map[string]string   // problems of each node; empty means none
	desired  map[string]int32    // pods that autoscalers want, by the UID of the autoscaler
	old      map[string]int32    // how often each event of the cluster has happened, by its UID
	contact  time.Time           // when the API server last answered
	away     bool                // the API server does not answer
	sent     int                 // number of events sent
	end      time.Time           // when the figures end; zero means that they go on
}

// Watch begins to watch the pods of a target. Stop ends it.
func Watch(t *cluster.Target, h Host) *Watcher {
	ctx, cancel := context.WithCancel(context.Background())
	w := &Watcher{
		t: t, h: h, cancel: cancel, pods: map[string]*pod{}, services: map[string]*service{}, units: map[string]*unit{},
		nodes: map[string]string{}, desired: map[string]int32{}, old: map[string]int32{}, contact: time.Now(),
	}
	for _, name := range t.Services() {
		w.services[name] = &service{name: name}
	}
	began := make(chan struct{})
	w.ended.Go(func() {
		defer close(began)
		w.begin(ctx)
	})
	after := func(do func()) {
		w.ended.Go(func() {
			<-began
			if ctx.Err() == nil {
				do()
			}
		})
	}
	ns := t.Place.Namespace
	after(func() { follow(ctx, w, "pods", kube.Pods(t.Cluster, ns), w.there(), w.onPod) })
	after(func() { follow(ctx, w, "events", kube.Events(t.Cluster, ns), nil, w.onEvent) })
	after(func() {
		follow(ctx, w, "horizontalpodautoscalers", kube.Autoscalers(t.Cluster, ns), nil, w.onAutoscaler)
	})
	for _, resource := range w.resources() {
		after(func() { w.followWorkloads(ctx, resource) })
	}
	after(func() { w.followNodes(ctx) })
	after(func() { w.checkAlive(ctx) })
	return w
}

// Stop ends the watch. It may be called again, and on nil.
func (w *Watcher) Stop() {
	if w != nil {
		w.End()
		w.cancel()
		w.ended.Wait()
	}
}

// End ends the figures at the end of the load; events go on. It may be called again, and on nil.
func (w *Watcher) End() {
	if w == nil {
		return
	}
	w.mu.Lock()
	if w.end.IsZero() {
		w.end = time.Now()
	}
	measured := w.measured
	w.mu.Unlock()
	if measured != nil {
		measured()
		w.measuring.Wait()
	}
}

// begin reads the initial state. Changes after that are reported as events.
func (w *Watcher) begin(ctx context.Context) {
	for {
		err := w.read(ctx)
		if err == nil || ctx.Err() != nil {
			return
		}
		if !kube.Away(err) {
			w.h.Note("what the pods of %s do is not seen: %v", w.t.Place, err)
			w.cancel()
			return
		}
		wait(ctx, againAfter)
	}
}

// wait waits for a time, or until ctx ends.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// read reads the pods, and how many of them there should be, without reporting events.
func (w *Watcher) read(ctx context.Context) error {
	all, err := kube.Pods(w.t.Cluster, w.t.Place.Namespace).List(ctx, kube.Query{})
	if err != nil {
		return err
	}
	wanted := map[string]int{}
	for _, name := range w.t.Services() {
		if n, known := w.asked(ctx, name); known {
			wanted[name] = n
		}
	}
	old, err := kube.Events(w.t.Cluster, w.t.Place.Namespace).List(ctx, kube.Query{})
	if err != nil {
		return err
	}
	scalers, err := kube.Autoscalers(w.t.Cluster, w.t.Place.Namespace).List(ctx, kube.Query{})
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	w.contact = now
	for i := range all {
		w.take(now, &all[i], false)
	}
	for name, n := range wanted {
		w.services[name].wanted, w.services[name].hasWanted = n, true
	}
	for i := range scalers {
		w.desired[string(scalers[i].UID)] = scalers[i].Status.DesiredReplicas
	}
	for i := range old {
		w.seen(&old[i])
	}
	w.count(now)
	return nil
}

// there returns the pods that were read.
func (w *Watcher) there() (out []kube.Pod) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.pods {
		out = append(out, p.last)
	}
	return out
}

// asked returns how many pods the workload of a service asks for. known is false if the service has no workload.
func (w *Watcher) asked(ctx context.Context, service string) (n int, known bool) {
	ref, err := w.t.Workload(service)
	if err != nil {
		return 0, false
	}
	o, err := kube.Like(w.t.Cluster, ref).Get(ctx, ref.Name)
	if err != nil {
		return 0, false
	}
	if ref.Resource == scenarios.DaemonSets {
		return o.Number("status", "desiredNumberScheduled"), true
	}
	if !o.Has("spec", "replicas") {
		return 1, true
	}
	return o.Number("spec", "replicas"), true
}

// resources lists the kinds of workloads of the services.
func (w *Watcher) resources() (out []string) {
	for _, name := range w.t.Services() {
		if ref, err := w.t.Workload(name); err == nil && !slices.Contains(out, ref.Resource) {
			out = append(out, ref.Resource)
		}
	}
	return out
}

// follow watches objects of one kind until ctx ends or the API server refuses it. had holds the objects that were
// already read.
func follow[T any](
	ctx context.Context, w *Watcher, what string, of kube.Objects[T], had []T, do func(e kube.Event[T]) []result.Event,
) {
	err := of.WatchOn(ctx, kube.Query{}, had, func(e kube.Event[T]) bool {
		w.mu.Lock()
		w.contact = time.Now()
		w.mu.Unlock()
		w.tell(do(e))
		return ctx.Err() == nil
	})
	if err != nil && ctx.Err() == nil {
		w.h.Note("what happens to the %s of %s is no longer seen: %v", what, w.t.Place, err)
	}
}

// followWorkloads watches the workloads of one kind.
func (w *Watcher) followWorkloads(ctx context.Context, resource string) {
	ns := w.t.Place.Namespace
	switch resource {
	case scenarios.Deployments:
		follow(ctx, w, resource, kube.Deployments(w.t.Cluster, ns), nil, func(e kube.Event[kube.Deployment]) []result.Event {
			return w.onWorkload(resource, e.Object.Name, replicas(e.Object.Spec.Replicas), e.Gone)
		})
	case scenarios.StatefulSets:
		follow(ctx, w, resource, kube.StatefulSets(w.t.Cluster, ns), nil,
			func(e kube.Event[kube.StatefulSet]) []result.Event {
				return w.onWorkload(resource, e.Object.Name, replicas(e.Object.Spec.Replicas), e.Gone)
			})
	case scenarios.DaemonSets:
		follow(ctx, w, resource, kube.DaemonSets(w.t.Cluster, ns), nil, func(e kube.Event[kube.DaemonSet]) []result.Event {
			return w.onWorkload(resource, e.Object.Name, int(e.Object.Status.DesiredNumberScheduled), e.Gone)
		})
	}
}

// replicas is the number of pods that a workload asks for.
func replicas(n *int32) int {
	if n == nil {
		return 1
	}
	return int(*n)
}

// followNodes watches the nodes, if brunt has the right to.
func (w *Watcher) followNodes(ctx context.Context) {
	for _, verb := range []string{"list", "watch"} {
		if may, _, err := w.t.May(ctx, kube.Right{Verb: verb, Resource: "nodes"}); err != nil || !may {
			return
		}
	}
	follow(ctx, w, "nodes", kube.Nodes(w.t.Cluster), nil, w.onNode)
}

// checkAlive checks repeatedly whether the API server answers. While it does not, the figures are unknown from its
// last answer on. When it answers again, all pods are read.
func (w *Watcher) checkAlive(ctx context.Context) {
	for wait(ctx, askAliveEvery); ctx.Err() == nil; wait(ctx, askAliveEvery) {
		limited, end := context.WithTimeout(ctx, aliveWithin)
		_, err := kube.Namespaces(w.t.Cluster).Get(limited, w.t.Place.Namespace)
		end()
		if ctx.Err() != nil {
			return
		}
		w.mu.Lock()
		was := w.away
		w.mu.Unlock()
		switch {
		case kube.Away(err) && !was:
			w.lose(err)
		case !kube.Away(err) && was:
			w.back(ctx)
		case !kube.Away(err):
			w.mu.Lock()
			w.contact = time.Now()
			w.mu.Unlock()
		}
	}
}

// lose records that the API server does not answer.
func (w *Watcher) lose(why error) {
	w.mu.Lock()
	w.away = true
	for _, s := range w.services {
		s.step(w.contact, count{unknown: true})
	}
	w.mu.Unlock()
	w.tell([]result.Event{{Event: "cluster.away", Text: why.Error()}})
}

// back reads all pods when the API server answers again.
func (w *Watcher) back(ctx context.Context) {
	for _, name := range w.t.Services() { // gives places to pods that were created meanwhile
		if _, err := w.t.PodsOf(ctx, name); err != nil {
			return
		}
	}
	all, err := kube.Pods(w.t.Cluster, w.t.Place.Namespace).List(ctx, kube.Query{})
	if err != nil {
		return
	}
	var out []result.Event
	w.mu.Lock()
	w.away, w.contact = false, time.Now()
	there := map[string]bool{}
	for i := range all {
		there[string(all[i].UID)] = true
		out = append(out, w.take(w.contact, &all[i], true)...)
	}
	for uid, p := range w.pods {
		if !there[uid] {
			out = append(out, w.gone(w.contact, p)...)
		}
	}
	out = append(out, w.count(w.contact)...)
	w.mu.Unlock()
	w.tell(append([]result.Event{{Event: "cluster.back"}}, out...))
}

// tell adds events to the run. Their texts come from the cluster, so they are masked, then clipped.
func (w *Watcher) tell(events []result.Event) {
	for _, e := range events {
		w.mu.Lock()
		w.sent++
		n := w.sent
		w.mu.Unlock()
		if n > mostEvents {
			if n == mostEvents+1 {
				w.h.Note("the cluster told more than %d events; what followed is not among the events", mostEvents)
			}
			continue
		}
		e.Text = syntax.Clip(w.h.Mask(e.Text), mostText)
		w.h.Event(e)
	}
}

// onPod handles a change of a pod.
func (w *Watcher) onPod(e kube.Event[kube.Pod]) []result.Event {
	uid, service := string(e.Object.UID), w.t.ServiceOf(&e.Object)
	if service == "" {
		return nil
	}
	if !e.Gone && w.t.UnitOf(uid) == "" && e.Object.DeletionTimestamp == nil {
		limited, end := context.WithTimeout(context.Background(), aliveWithin)
		_, _ = w.t.PodsOf(limited, service) // this gives the pod a slot
		end()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	var out []result.Event
	if e.Gone {
		if p := w.pods[uid]; p != nil {
			p.last = e.Object
			out = w.gone(now, p)
		}
	} else {
		out = w.take(now, &e.Object, true)
	}
	return append(out, w.count(now)...)
}
