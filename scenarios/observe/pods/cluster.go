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

// onWorkload is called with how many pods a workload asks for.
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

// kindsOf are the resources of the kinds that an autoscaler sets the number of pods of.
var kindsOf = map[string]string{"Deployment": scenarios.Deployments, "StatefulSet": scenarios.StatefulSets}

// onAutoscaler is called with the news of a horizontal autoscaler.
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

// metrics says by what an autoscaler decides.
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

// reasons are the kinds of what a cluster's events say of pods.
var reasons = map[string]result.Event{"Pulled": {Event: "pod.pulled"}, "Unhealthy": {Event: "probe.failed"}}

// seen reports whether an event of the cluster, in this number, is known already, and notes it. Mu is held.
func (w *Watcher) seen(e *kube.ObjectEvent) bool {
	key, n := string(e.UID), e.Count
	if e.Series != nil {
		n = e.Series.Count
	}
	old, had := w.old[key]
	w.old[key] = n
	return had && n <= old
}

// onEvent is called with an event of the cluster.
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

// onNode is called with the news of a node. Those without a pod of the target do not matter.
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

// troubles says what is wrong with a node; empty: nothing.
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
