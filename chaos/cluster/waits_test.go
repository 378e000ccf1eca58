package cluster_test

import (
	"strings"
	"testing"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
)

// TestWaitsFor: how a cluster gets an image is said where a container lacks its image, whatever the message of the
// node says.
func TestWaitsFor(t *testing.T) {
	for _, c := range []struct {
		reason, message string
		vain, advised   bool
	}{
		{"ImagePullBackOff", "Back-off pulling it", true, true},
		{"ErrImagePull", "no such host", false, true},
		{"InvalidImageName", "couldn't parse it", true, true},
		{"CreateContainerError", "the user of the image is not known", true, false},
		{"ContainerCreating", "", false, false},
	} {
		pod := &kube.Pod{Status: kube.PodStatus{Phase: "Pending", ContainerStatuses: []kube.ContainerStatus{
			{State: kube.ContainerState{Waiting: &kube.ContainerStateWaiting{Reason: c.reason, Message: c.message}}},
		}}}
		why, vain := cluster.WaitsFor(pod, "web[0]", "brunt:1")
		if vain != c.vain || strings.Contains(why, "`brunt image`") != c.advised ||
			!strings.HasPrefix(why, "web[0] waits: "+c.reason) {
			t.Errorf("%s: vain is %v: %s", c.reason, vain, why)
		}
	}
}
