//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/suite"
)

// containerFaults are faults on containers, which run on those of Docker too.
const containerFaults = `chaos:
  pause: {at: 5s, for: 4s, container.pause: {unit: "web[0]"}}
  kill: {at: 30s, for: 7s, container.kill: {unit: "web[0]"}}
  term: {at: 60s, for: 7s, container.kill: {unit: "web[0]", signal: TERM}}
  stop: {at: 90s, for: 7s, container.stop: {unit: "web[0]", grace: 1s}}
  again: {at: 120s, container.restart: {unit: "web[0]", grace: 1s}}
  process: {at: 150s, process.restart: {unit: "web[0]", grace: 1s}}
  all: {at: 180s, for: 7s, container.kill: {service: web, pick: all}}
`

// runsIn are the processes of a pod's containers.
func runsIn(pod *kube.Pod) (out []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, file := range files {
		text, err := os.ReadFile(file)
		pid := filepath.Base(filepath.Dir(file))
		name, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if err == nil && strings.Contains(string(text), "pod"+string(pod.UID)) && strings.HasPrefix(string(name), "/brunt") {
			out = append(out, pid)
		}
	}
	return out
}

// now is the pod as it is.
func (b *agentBed) now(t *testing.T, was *kube.Pod) *kube.Pod {
	t.Helper()
	is, err := kube.Pods(b.Cluster, b.namespace).Get(t.Context(), was.Name)
	if err != nil || is.UID != was.UID {
		t.Fatalf("the pod %s is not there: %v", was.Name, err)
	}
	return is
}

// fresh replaces the pods of web: their node waits longer with each end of a container until it starts it again.
func (b *agentBed) fresh(t *testing.T) {
	t.Helper()
	for _, pod := range b.readyOf(t, "web", 2) {
		if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(),
			pod.Name, kube.Deletion{UID: string(pod.UID)}); err != nil {
			t.Fatal(err)
		}
	}
	b.readyOf(t, "web", 2)
}

// staysDown looks for a while that no container of a pod runs, at the node and in the cluster.
func (b *agentBed) staysDown(t *testing.T, pod *kube.Pod, span time.Duration) {
	t.Helper()
	n := 0
	suite.Within(span, func() bool {
		is := b.now(t, pod)
		n++
		if pids := runsIn(pod); len(pids) > 0 || is.Status.ContainerStatuses[0].State.Running != nil || cluster.IsReady(is) {
			t.Errorf("it runs: %q, %+v", pids, is.Status.ContainerStatuses[0].State)
			return true
		}
		return false
	})
	t.Logf("down at %d looks in %s", n, span)
}

// TestContainers_Kube injects each fault on containers into one of a pod: it is verified, it holds for its time, and
// nothing of it is left.
func TestContainers_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes, suite.In("docker"))
	b := newAgentBed(t)
	b.scenario = scenarioOf(t, b.before(t, "chaos:\n")+containerFaults)
	for _, c := range []struct {
		fault    string
		in       func(t *testing.T, pod *kube.Pod) // looks while the fault is in
		restarts bool
	}{
		{"pause", func(t *testing.T, pod *kube.Pod) {
			if got := b.leftAt(t, pod); got != "stopped" {
				t.Errorf("the container is %q", got)
			}
		}, false},
		{"kill", func(t *testing.T, pod *kube.Pod) { b.staysDown(t, pod, 4*time.Second) }, true},
		{"term", func(t *testing.T, pod *kube.Pod) { b.staysDown(t, pod, 4*time.Second) }, true},
		{"stop", func(t *testing.T, pod *kube.Pod) { b.staysDown(t, pod, 4*time.Second) }, true},
		{"again", nil, true},
		{"process", nil, true},
		{"all", func(t *testing.T, pod *kube.Pod) {
			b.staysDown(t, pod, 2*time.Second)
			b.staysDown(t, b.unit(t, "web", 1), time.Second)
		}, true},
	} {
		t.Run(c.fault, func(t *testing.T) {
			b.fresh(t)
			was := b.unit(t, "web", 0)
			out := b.begin(t, c.fault)
			if c.in != nil {
				c.in(t, was)
			}
			if code, said := out.wait(t), out.text(t); code != 0 || !strings.Contains(said, "fault.cleared") ||
				strings.Contains(said, "fault.void") {
				t.Errorf("exit code %d\n%s", code, said)
			} else {
				t.Log(said)
			}
			if c.fault == "kill" && !strings.Contains(out.text(t), "exit code 137") {
				t.Error("the container has ended in good order")
			}
			is := b.now(t, was)
			before, after := was.Status.ContainerStatuses[0], is.Status.ContainerStatuses[0]
			if (before.ContainerID != after.ContainerID) != c.restarts ||
				(before.RestartCount < after.RestartCount) != c.restarts {
				t.Errorf("%d restarts of %s before, %d of %s after", before.RestartCount, before.ContainerID, after.RestartCount,
					after.ContainerID)
			}
			if !cluster.IsReady(is) || is.Spec.Containers[0].Image != was.Spec.Containers[0].Image ||
				len(is.Annotations) != len(was.Annotations) {
				t.Errorf("the pod is not as before: %s, %v", is.Spec.Containers[0].Image, is.Annotations)
			}
			b.answering(t)
			b.clean(t, time.Now(), byOwn) // a look itself takes long on a busy machine
			b.removed(t)
			b.unmanned(t)
		})
	}
	t.Run("kill, both killed", func(t *testing.T) {
		b.fresh(t)
		was := b.unit(t, "web", 0)
		brunt, _ := b.in(t, t.TempDir(), "kill")
		killBoth(t, brunt)
		suite.Until(t, "the pod is as before", func() bool {
			is, err := kube.Pods(b.Cluster, b.namespace).Get(t.Context(), was.Name)
			return err == nil && is.Spec.Containers[0].Image == was.Spec.Containers[0].Image && cluster.IsReady(is)
		})
		b.over(t)
	})
	t.Run("pause, all killed", func(t *testing.T) { // another agent takes it back, by the journal
		brunt, _ := b.in(t, t.TempDir(), "pause")
		at := time.Now()
		b.killAgent(t)
		killBoth(t, brunt)
		t.Logf("taken back after %.2f s", b.clean(t, at, 2*bySilent).Seconds())
		b.over(t)
	})
	out, err := b.brunt(t, t.TempDir(), "rbac", b.scenario)
	if err != nil || !strings.Contains(out, "patch") {
		t.Errorf("%v\n%s", err, out)
	}
}
