package cluster

import (
	"strings"
	"testing"

	"brunt/chaos/kube"
)

// TestPod_IsBack: a fault is over once the node starts the container again, however long that takes: a back-off, or a
// slow start, is no fault that is left.
func TestPod_IsBack(t *testing.T) {
	waiting := func(reason string) kube.ContainerState {
		return kube.ContainerState{Waiting: &kube.ContainerStateWaiting{Reason: reason, Message: "said so"}}
	}
	running := kube.ContainerState{Running: &kube.ContainerStateRunning{}}
	for _, row := range []struct {
		name  string
		state kube.ContainerState
		ready kube.ConditionStatus
		want  string
		over  bool
	}{
		{"ready", running, kube.ConditionTrue, "is ready again", true},
		{"starting", running, kube.ConditionFalse, "is not ready yet", true},
		{
			"backing off", waiting("CrashLoopBackOff"), kube.ConditionFalse,
			"the container app waits (CrashLoopBackOff said so)", true,
		},
		{"not seen by its node", waiting(badName), kube.ConditionFalse, "waits still", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			is := &kube.Pod{Status: kube.PodStatus{
				Conditions:        []kube.PodCondition{{Type: kube.PodReady, Status: row.ready}},
				ContainerStatuses: []kube.ContainerStatus{{Name: "app", State: row.state}},
			}}
			text, err := (&Pod{of: &service{name: "web"}}).isBack(is)
			if err != nil {
				text = err.Error()
			}
			if (err == nil) != row.over || !strings.Contains(text, row.want) {
				t.Errorf("%q, %v; want %q", text, err, row.want)
			}
		})
	}
}
