package pods

import (
	"cmp"
	"fmt"
	"strings"

	"brunt/chaos/kube"
)

// refusals are parts of messages that say that the cluster refuses a pod, so that waiting does not help.
var refusals = []string{"violates PodSecurity", "exceeded quota", "denied the request"}

// waiting returns why a pod does not run; sure says that it never will.
func waiting(p *kube.Pod) (why string, sure bool) {
	if status := containerOf(p); status != nil && status.State.Waiting != nil &&
		status.State.Waiting.Reason != "ContainerCreating" {
		w := status.State.Waiting
		return join(w.Reason, w.Message), kube.Hopeless(w.Reason)
	}
	for _, c := range p.Status.Conditions {
		if c.Type == kube.PodScheduled && c.Status == kube.ConditionFalse {
			return "not scheduled: " + cmp.Or(c.Message, c.Reason), false
		}
	}
	if p.Spec.NodeName != "" {
		return "its container is being made on " + p.Spec.NodeName, false
	}
	return "not scheduled yet", false
}

// ending returns how a pod ended; nil if it runs, or ended in order.
func ending(p *kube.Pod) error {
	if status := containerOf(p); status != nil && status.State.Terminated != nil {
		t := status.State.Terminated
		if t.ExitCode == 0 {
			return nil
		}
		why := cmp.Or(t.Reason, "Error")
		if why == "Error" {
			why = fmt.Sprintf("exit code %d", t.ExitCode)
		}
		return fmt.Errorf("%s", join(disruption(p), join(why, t.Message)))
	}
	switch p.Status.Phase {
	case kube.PodFailed:
		return fmt.Errorf("%s", join(disruption(p), cmp.Or(join(p.Status.Reason, p.Status.Message), "it failed")))
	case kube.PodSucceeded:
		return nil
	}
	return fmt.Errorf("%s", cmp.Or(disruption(p), "the pod was deleted"))
}

// disruption describes a disruption that removed the pod, if there was one.
func disruption(p *kube.Pod) string {
	for _, c := range p.Status.Conditions {
		if c.Type == kube.DisruptionTarget && c.Status == kube.ConditionTrue {
			return join(c.Reason, c.Message)
		}
	}
	if p.DeletionTimestamp != nil {
		return "the pod was deleted"
	}
	return ""
}

// containerOf returns the state of the worker's container; nil if there is none yet.
func containerOf(p *kube.Pod) *kube.ContainerStatus {
	for i := range p.Status.ContainerStatuses {
		if p.Status.ContainerStatuses[i].Name == container {
			return &p.Status.ContainerStatuses[i]
		}
	}
	return nil
}

// mostSaid is the maximum number of bytes that are repeated of a message of the cluster.
const mostSaid = 400

// join joins two texts with a colon. Either may be empty.
func join(a, b string) string {
	b = strings.Join(strings.Fields(b), " ")
	if len(b) > mostSaid {
		b = strings.ToValidUTF8(b[:mostSaid], "") + " …"
	}
	if a == "" || b == "" {
		return a + b
	}
	return a + ": " + b
}
