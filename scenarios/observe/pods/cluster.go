package pods

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// onWorkload handles a change of the number of pods that a workload asks for.
func (w *Watcher) onWorkload(resource, name string, wanted int, gone bool) []result.Event {
	if gone {
		wanted = 0
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, of := range w.t.Services() {
		if ref, err := w.t.Workload(of); err == nil && ref.Resource == resource && ref.Name == name {
			w.services[of].wanted, w.services[of].hasWanted = wanted, true
		}
	}
	return w.count(time.Now())
}

// kindsOf maps the kinds of workloads that an autoscaler can scale to their resources.
var kindsOf = map[string]string{"Deployment": scenarios.Deployments, "StatefulSet": scenarios.StatefulSets}

// onAutoscaler handles a change of a horizontal autoscaler.
func (w *Watcher) onAutoscaler(e kube.Event[kube.HorizontalPodAutoscaler]) []result.Event {
	h := &e.Object
	for _, name := range w.t.Services() {
		ref, err := w.t.Workload(name)
		if to := h.Spec.ScaleTargetRef; err != nil || ref.Name != to.Name || ref.Resource != kindsOf[to.Kind] {
			continue
		}
		w.mu.Lock()
		was, known := w.desired[string(h.UID)]
		w.desired[string(h.UID)] = h.Status.DesiredReplicas
		w.mu.Unlock()
		if known && was == h.Status.DesiredReplicas || e.Gone || h.Status.DesiredReplicas == 0 {
			return nil
		}
		text := fmt.Sprintf("%d, it has %d; %s%s", h.Status.DesiredReplicas, h.Status.CurrentReplicas, h.Name, metrics(h))
		var at time.Time
		if h.Status.LastScaleTime != nil {
			at = h.Status.LastScaleTime.Time
		}
		return []result.Event{{Event: "hpa.desired", Unit: name, Text: text, Cluster: at}}
	}
	return nil
}

// metrics describes the metrics by which an autoscaler decides.
func metrics(h *kube.HorizontalPodAutoscaler) string {
	var out []string
	for _, m := range h.Status.CurrentMetrics {
		if m.Resource == nil || m.Resource.Current.AverageUtilization == nil {
			continue
		}
		wanted := ""
		for _, want := range h.Spec.Metrics {
			if r := want.Resource; r != nil && r.Name == m.Resource.Name && r.Target.AverageUtilization != nil {
				wanted = fmt.Sprintf(", wanted %d%%", *r.Target.AverageUtilization)
			}
		}
		out = append(out, fmt.Sprintf("%s is %d%%%s", m.Resource.Name, *m.Resource.Current.AverageUtilization, wanted))
	}
	if len(out) == 0 {
		return ""
	}
	return ": " + strings.Join(out, "; ")
}

// reasons maps the reasons of a cluster's events about pods to events of the run.
var reasons = map[string]result.Event{"Pulled": {Event: "pod.pulled"}, "Unhealthy": {Event: "probe.failed"}}

// seen records an event of the cluster with its count, and reports whether it was already known with that count. The
// caller holds mu.
func (w *Watcher) seen(e *kube.ObjectEvent) bool {
	key, n := string(e.UID), e.Count
	if e.Series != nil {
		n = e.Series.Count
	}
	old, had := w.old[key]
	w.old[key] = n
	return had && n <= old
}

// onEvent handles an event of the cluster.
func (w *Watcher) onEvent(e kube.Event[kube.ObjectEvent]) []result.Event {
	of := &e.Object
	out, known := reasons[of.Reason]
	if e.Gone || !known || of.InvolvedObject.Kind != "Pod" {
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pods[string(of.InvolvedObject.UID)]
	if p == nil || w.seen(of) {
		return nil
	}
	at := of.LastTimestamp.Time
	if of.Series != nil {
		at = of.Series.LastObservedTime.Time
	} else if at.IsZero() {
		at = of.EventTime.Time
	}
	text := of.Message
	if of.Reason == "Pulled" {
		text = p.last.Name + ": " + text
	}
	out.Unit, out.Text, out.Cluster = p.unit, text, at
	return []result.Event{out}
}

// onNode handles a change of a node. Nodes without a pod of the target do not matter.
func (w *Watcher) onNode(e kube.Event[kube.Node]) []result.Event {
	n := &e.Object
	w.mu.Lock()
	defer w.mu.Unlock()
	has := false
	for _, p := range w.pods {
		has = has || !p.dead && p.last.Spec.NodeName == n.Name
	}
	is := troubles(n, e.Gone)
	was, known := w.nodes[n.Name]
	w.nodes[n.Name] = is
	if is == was || !has || !known && is == "" {
		return nil
	}
	out := result.Event{Event: "node.ready"}
	switch {
	case strings.HasPrefix(is, "NotReady"), is == goneNode:
		out = result.Event{Event: "node.notready"}
	case is != "":
		out = result.Event{Event: "node.pressure"}
	}
	out.Unit, out.Text = n.Name, is
	return []result.Event{out}
}

const goneNode = "it is removed"

// troubles describes the problems of a node; empty means none.
func troubles(n *kube.Node, gone bool) string {
	if gone {
		return goneNode
	}
	notReady, pressure := "", []string{}
	for _, c := range n.Status.Conditions {
		switch text := string(c.Type) + ": " + cmp.Or(c.Message, c.Reason); {
		case c.Type == kube.NodeReady && c.Status != kube.ConditionTrue:
			notReady = "Not" + text
		case strings.HasSuffix(string(c.Type), "Pressure") && c.Status == kube.ConditionTrue:
			pressure = append(pressure, text)
		}
	}
	if notReady != "" {
		return notReady
	}
	return strings.Join(pressure, "; ")
}
