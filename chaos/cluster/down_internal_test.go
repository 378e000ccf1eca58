package cluster

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

// TestPod_IsBack: a fault is over once the node starts the container again, however long that takes: a back-off, or a slow start, is no
// fault that is left.
func TestPod_IsBack(t *testing.T) {
	waiting := func(reason string) corev1.ContainerState {
		return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: "said so"}}
	}
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	for _, row := range []struct {
		name  string
		state corev1.ContainerState
		ready corev1.ConditionStatus
		want  string
		over  bool
	}{
		{"ready", running, corev1.ConditionTrue, "is ready again", true},
		{"starting", running, corev1.ConditionFalse, "is not ready yet", true},
		{"backing off", waiting("CrashLoopBackOff"), corev1.ConditionFalse, "the container app waits (CrashLoopBackOff said so)", true},
		{"not seen by its node", waiting(badName), corev1.ConditionFalse, "waits still", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			is := &corev1.Pod{Status: corev1.PodStatus{
				Conditions:        []corev1.PodCondition{{Type: corev1.PodReady, Status: row.ready}},
				ContainerStatuses: []corev1.ContainerStatus{{Name: "app", State: row.state}},
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
