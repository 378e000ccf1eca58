package pods

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/result"
)

// A pod is what is known of one.
type pod struct {
	last     kube.Pod
	service  string
	unit     string          // the unit whose place it has or had; the service where it never had one
	reported map[string]bool // why its containers wait, as far as it was told
	dead     bool            // it is no more
}

// olderThan reports whether an object is an earlier version of another. Versions are numbers that grow.
func olderThan(a, b *kube.Pod) bool {
	x, xerr := strconv.ParseUint(a.ResourceVersion, 10, 64)
	y, yerr := strconv.ParseUint(b.ResourceVersion, 10, 64)
	return xerr == nil && yerr == nil && x < y
}

// take records a pod as it is now, and returns what that means; without tell, it is as it was when the watch began. Mu
// is held.
func (w *Watcher) take(now time.Time, is *kube.Pod, tell bool) []result.Event {
	service := w.t.ServiceOf(is)
	if service == "" {
		return nil
	}
	uid := string(is.UID)
	p := w.pods[uid]
	switch {
	case p == nil:
		p = &pod{service: service, unit: service, reported: map[string]bool{}}
		w.pods[uid] = p
	case p.dead || olderThan(is, &p.last):
		return nil
	}
	was := p.last
	p.last = *is
	var out []result.Event
	event := func(kind, text string, at kube.Time) {
		if tell {
			out = append(out, result.Event{Event: kind, Unit: p.unit, Text: text, Cluster: at.Time})
		}
	}
	if name := w.t.UnitOf(uid); name != "" {
		if p.unit = name; w.place(name, p) {
			event("unit.replaced", is.Name+" is in the place of the pod before", is.CreationTimestamp)
		}
	}
	p.changes(&was, event)
	if u := w.units[p.unit]; u != nil && u.pod == uid {
		u.update(now, &was, p)
		for i := range out {
			if out[i].Event == "pod.oom" {
				u.ooms++
			}
		}
	}
	return out
}

// changes tells what has happened to the pod since it was as before.
func (p *pod) changes(was *kube.Pod, event func(kind, text string, at kube.Time)) {
	is := &p.last
	if is.Spec.NodeName != "" && was.Spec.NodeName == "" {
		event("pod.scheduled", is.Name+" on "+is.Spec.NodeName, condition(is, kube.PodScheduled).LastTransitionTime)
	}
	if c := condition(is, kube.PodScheduled); c.Status == kube.ConditionFalse &&
		c.Message != condition(was, kube.PodScheduled).Message {
		event("pod.unschedulable", is.Name+": "+c.Message, c.LastTransitionTime)
	}
	if c := condition(is, kube.DisruptionTarget); c.Status == kube.ConditionTrue &&
		condition(was, kube.DisruptionTarget).Status != c.Status {
		event("pod.evicted", is.Name+": "+c.Reason+": "+c.Message, c.LastTransitionTime)
	} else if is.Status.Reason == "Evicted" && was.Status.Reason != is.Status.Reason {
		event("pod.evicted", is.Name+": "+is.Status.Message, kube.Time{})
	}
	if is.DeletionTimestamp != nil && was.DeletionTimestamp == nil {
		event("pod.terminating", fmt.Sprintf("%s, within %d s", is.Name, grace(is)), kube.Time{})
	}
	for i := range is.Status.ContainerStatuses {
		p.container(containerOf(was, is.Status.ContainerStatuses[i].Name), &is.Status.ContainerStatuses[i], event)
	}
	switch ready := cluster.IsReady(is); {
	case ready && !cluster.IsReady(was):
		event("pod.ready", is.Name, condition(is, kube.PodReady).LastTransitionTime)
	case !ready && cluster.IsReady(was):
		c := condition(is, kube.PodReady)
		event("pod.unready", is.Name+reason(c.Reason, c.Message), c.LastTransitionTime)
	}
}

// container tells what has happened to a container of the pod.
func (p *pod) container(was, is *kube.ContainerStatus, event func(kind, text string, at kube.Time)) {
	of := p.last.Name + ", container " + is.Name
	for _, end := range []*kube.ContainerStateTerminated{is.LastTerminationState.Terminated, is.State.Terminated} {
		if end == nil || same(end, was.LastTerminationState.Terminated) || same(end, was.State.Terminated) {
			continue
		}
		how := fmt.Sprintf("exit code %d", end.ExitCode)
		if end.Signal != 0 {
			how = fmt.Sprintf("signal %d", end.Signal)
		}
		if text := of + ": " + how + reason(end.Reason, end.Message); end.Reason == "OOMKilled" {
			event("pod.oom", text, end.FinishedAt)
		} else {
			event("pod.killed", text, end.FinishedAt)
		}
	}
	if waits := is.State.Waiting; waits != nil &&
		!slices.Contains([]string{"", "ContainerCreating", "PodInitializing"}, waits.Reason) {
		if key := is.Name + " " + waits.Reason; !p.reported[key] {
			p.reported[key] = true
			event("pod.waiting", of+reason(waits.Reason, waits.Message), kube.Time{})
		}
	}
	if runs := is.State.Running; runs != nil && (was.State.Running == nil || is.RestartCount > was.RestartCount) {
		maps.DeleteFunc(p.reported, func(string, bool) bool { return true })
		text := of
		if is.RestartCount > 0 {
			text = fmt.Sprintf("%s, restart %d", of, is.RestartCount)
		}
		event("pod.started", text, runs.StartedAt)
	}
}

// reason is a reason and a message of the cluster, as they follow a name.
func reason(of, message string) string {
	var out strings.Builder
	for _, s := range []string{of, message} {
		if s != "" {
			out.WriteString(": " + s)
		}
	}
	return out.String()
}

// same reports whether two ends of a container are one.
func same(a, b *kube.ContainerStateTerminated) bool {
	return b != nil && a.ContainerID == b.ContainerID && a.FinishedAt.Equal(b.FinishedAt.Time)
}

// containerOf is what a pod says of its container with a name; the zero value: nothing.
func containerOf(of *kube.Pod, name string) *kube.ContainerStatus {
	for i := range of.Status.ContainerStatuses {
		if c := &of.Status.ContainerStatuses[i]; c.Name == name {
			return c
		}
	}
	return &kube.ContainerStatus{}
}

// condition is a condition of a pod; the zero value: it has none.
func condition(of *kube.Pod, kind kube.PodConditionType) kube.PodCondition {
	for _, c := range of.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return kube.PodCondition{}
}

// grace is how many seconds the containers of a pod that was deleted may take to end.
func grace(of *kube.Pod) int64 {
	if s := of.DeletionGracePeriodSeconds; s != nil {
		return *s
	}
	return 0
}

// gone records that a pod is no more. Mu is held.
func (w *Watcher) gone(now time.Time, p *pod) []result.Event {
	if p.dead {
		return nil
	}
	p.dead = true
	if u := w.units[p.unit]; u != nil && u.pod == string(p.last.UID) {
		u.state(now, noPod)
		u.running = false
	}
	return []result.Event{{Event: "pod.gone", Unit: p.unit, Text: p.last.Name}}
}

// restarts is how often the containers of a pod were started again.
func restarts(of *kube.Pod) (n int) {
	for i := range of.Status.ContainerStatuses {
		n += int(of.Status.ContainerStatuses[i].RestartCount)
	}
	return n
}

// runs reports whether a container of a pod runs.
func runs(of *kube.Pod) bool {
	return slices.ContainsFunc(of.Status.ContainerStatuses,
		func(c kube.ContainerStatus) bool { return c.State.Running != nil })
}

// stateOf is the state of a pod in a word.
func stateOf(of *kube.Pod) string {
	switch {
	case of.DeletionTimestamp != nil:
		return "terminating"
	case of.Status.Phase == kube.PodFailed, of.Status.Phase == kube.PodSucceeded:
		return "ended"
	case cluster.IsReady(of):
		return "ready"
	case of.Status.Phase == kube.PodRunning:
		return "not ready"
	}
	return "pending"
}
