package cluster

import (
	"fmt"
	"strings"

	"brunt/chaos/kube"
)

// WaitsFor says what one of brunt's own pods waits for, or how it ended; vain says that waiting does not help. name
// stands for the pod in the sentence, and image is the image that it runs.
func WaitsFor(p *kube.Pod, name, image string) (why string, vain bool) {
	why = name + " is " + string(p.Status.Phase)
	if p.Status.Message != "" {
		why += ": " + p.Status.Reason + " " + p.Status.Message
	}
	for _, c := range p.Status.Conditions {
		if c.Type == kube.PodScheduled && c.Status == kube.ConditionFalse {
			why = name + " is not scheduled: " + c.Message
		}
	}
	noImage := false
	for _, c := range p.Status.ContainerStatuses {
		switch {
		case c.State.Waiting != nil:
			why = strings.TrimSpace(fmt.Sprintf("%s waits: %s %s", name, c.State.Waiting.Reason, c.State.Waiting.Message))
			vain = kube.Hopeless(c.State.Waiting.Reason) || c.State.Waiting.Reason == "ImagePullBackOff"
			noImage = noImage || kube.WantsImage(c.State.Waiting.Reason)
		case c.State.Terminated != nil:
			why = strings.TrimSpace(fmt.Sprintf("%s ended with %d: %s", name, c.State.Terminated.ExitCode,
				c.State.Terminated.Message))
		}
	}
	if noImage {
		why += fmt.Sprintf(" (the image is %s: `brunt image` writes it, and says how a cluster gets it; "+
			"target.kubernetes.image and BRUNT_IMAGE name another)", image)
	}
	return why, vain
}
