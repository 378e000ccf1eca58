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

// A pod holds the state of one pod.
type pod struct {
	last     kube.Pod
	service  string
	unit     string          // the unit whose place it has or had; the service if it never had one
	reported map[string]bool // reasons for which its containers wait that were already reported
	dead     bool            // the pod no longer exists
}

// olderThan reports whether a is an earlier version of a pod than b. Versions are increasing numbers.
func olderThan(a, b *kube.Pod) bool {
	x, xerr := strconv.ParseUint(a.ResourceVersion, 10, 64)
	y, yerr := strconv.ParseUint(b.ResourceVersion, 10, 64)
	return xerr == nil && yerr == nil && x < y
}

// take records the present state of a pod, and returns the events that follow. Without tell there are no events,
// because the state is the one at the beginning of the watch. The caller holds mu.
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

// changes reports the events that changed the pod from was to its present state.
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

// container reports the events that changed a container of the pod from was to is.
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

// reason formats a reason and a message of the cluster, to follow a name.
func reason(of, message string) string {
	var out strings.Builder
	for _, s := range []string{of, message} {
		if s != "" {
			out.WriteString(": " + s)
		}
	}
	return out.String()
}

// same reports whether a and b are the same termination of a container.
func same(a, b *kube.ContainerStateTerminated) bool {
	return b != nil && a.ContainerID == b.ContainerID && a.FinishedAt.Equal(b.FinishedAt.Time)
}

// containerOf returns the status of a pod's container with a name, or the zero value.
func containerOf(of *kube.Pod, name string) *kube.ContainerStatus {
	for i := range of.Status.ContainerStatuses {
		if c := &of.Status.ContainerStatuses[i]; c.Name == name {
			return c
		}
	}
	return &kube.ContainerStatus{}
}

// condition returns a condition of a pod, or the zero value.
func condition(of *kube.Pod, kind kube.PodConditionType) kube.PodCondition {
	for _, c := range of.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return kube.PodCondition{}
}

// grace returns how many seconds the containers of a deleted pod may take to end.
func grace(of *kube.Pod) int64 {
	if s := of.DeletionGracePeriodSeconds; s != nil {
		return *s
	}
	return 0
}

// gone records that a pod no longer exists. The caller holds mu.
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

// restarts returns how often the containers of a pod were started again.
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

// stateOf returns the state of a pod in words.
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
