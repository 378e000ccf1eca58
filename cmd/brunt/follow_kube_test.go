//go:build unix

package main

import (
	"context"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// joins is the most time until a pod that is there is hit by a fault that follows.
const joins = 8 * time.Second

// scaleTo changes how many pods web has.
func (b *agentBed) scaleTo(t *testing.T, n int) {
	t.Helper()
	if _, err := kube.Like(b.Cluster, b.web).Patch(context.WithoutCancel(t.Context()), b.web.Name,
		kube.Change{Op: "replace", Path: "/spec/replicas", Value: n}); err != nil {
		t.Fatal(err)
	}
}

// readyOf lists the ready pods of a service once there are n, and none that goes.
func (b *agentBed) readyOf(t *testing.T, service string, n int) (out []kube.Pod) {
	t.Helper()
	if !suite.Within(time.Minute, func() bool {
		pods, err := kube.Pods(b.Cluster, b.namespace).List(context.WithoutCancel(t.Context()),
			kube.Query{Labels: "app=" + service})
		ready := 0
		for i := range pods {
			if cluster.IsReady(&pods[i]) && pods[i].DeletionTimestamp == nil {
				ready++
			}
		}
		out = pods
		return err == nil && ready == n && len(pods) == n
	}) {
		t.Fatalf("%d pods of %s are not ready", n, service)
	}
	return out
}

// hit waits until something is set at all of some pods, as seen from outside.
func (b *agentBed) hit(t *testing.T, pods []kube.Pod, has ...string) {
	t.Helper()
	at := time.Now()
	for i := range pods {
		left := ""
		if !suite.Within(joins, func() bool {
			left = b.leftAt(t, &pods[i])
			for _, text := range has {
				if !strings.Contains(left, text) {
					return false
				}
			}
			return left != ""
		}) {
			t.Errorf("%s is not hit: %q", pods[i].Name, left)
		}
	}
	t.Logf("hit %.2f s after they were ready", time.Since(at).Seconds())
}

// TestFollow_Kube scales a service out while packets of it are delayed, and deletes pods of both ends.
func TestFollow_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newAgentBed(t)
	t.Run("a pod joins", func(t *testing.T) {
		out := b.begin(t, "slow", "--for", "25s")
		defer b.restore(t)
		b.scaleTo(t, 3)
		b.hit(t, b.readyOf(t, "web", 3))
		b.ended(t, out, "web[2] joined: ")
	})
	t.Run("a pod is replaced", func(t *testing.T) {
		out := b.begin(t, "slow", "--for", "25s")
		b.delete(t, b.unit(t, "web", 1).Name)
		b.hit(t, b.readyOf(t, "web", 2))
		b.ended(t, out, "web[1] joined: ")
	})
	t.Run("a caller is replaced", func(t *testing.T) {
		out := b.begin(t, "late", "--for", "25s")
		b.delete(t, b.unit(t, "web", 1).Name)
		b.hit(t, b.readyOf(t, "web", 2))
		b.ended(t, out, "web[1] joined: ")
	})
	t.Run("a peer is replaced", func(t *testing.T) {
		out := b.begin(t, "slow", "--for", "25s")
		b.delete(t, b.unit(t, "store", 1).Name)
		b.readyOf(t, "store", 2)
		next := b.unit(t, "store", 1).Status.PodIP
		suite.Until(t, "it aims at the new pod", func() bool {
			_, since, _ := strings.Cut(out.text(t), "its peers are others now")
			return strings.Contains(since, next)
		})
		b.ended(t, out, "fault.again")
	})
	t.Run("the only pod that is hit is replaced", func(t *testing.T) {
		out := b.begin(t, "after", "--for", "25s")
		b.delete(t, b.hitOne(t).Name)
		b.hitOne(t)
		b.ended(t, out, "joined: ")
	})
	t.Run("the only pod that is hit is gone", func(t *testing.T) { // its replacement is not hit
		out := b.begin(t, "alone", "--for", "12s")
		b.delete(t, b.hitOne(t).Name)
		b.readyOf(t, "web", 2)
		code, text := out.wait(t), out.text(t)
		if code != scenarios.Invalid.ExitCode() || !strings.Contains(text, "fault.void") ||
			strings.Contains(text, "joined: ") {
			t.Errorf("exit code %d\n%s", code, text)
		} else {
			t.Log(text)
		}
		b.clean(t, time.Now(), time.Second)
		b.unmanned(t)
	})
	t.Run("brunt and its watchdog are killed", func(t *testing.T) {
		out := b.begin(t, "slow", "--for", "40s")
		defer b.restore(t)
		b.scaleTo(t, 3)
		b.hit(t, b.readyOf(t, "web", 3))
		at := time.Now()
		killBoth(t, out.cmd)
		t.Logf("taken back after %.2f s", b.clean(t, at, bySilent).Seconds())
		b.unmannedOnce(t)
		b.revertThere(t)
		b.removed(t)
		b.unmanned(t)
	})
}

// hitOne waits until exactly one of two ready pods of web is hit, and returns it.
func (b *agentBed) hitOne(t *testing.T) (hit *kube.Pod) {
	t.Helper()
	pods, n := b.readyOf(t, "web", 2), 0
	if !suite.Within(joins, func() bool {
		n = 0
		for i := range pods {
			if b.leftAt(t, &pods[i]) != "" {
				hit, n = &pods[i], n+1
			}
		}
		return n == 1
	}) {
		t.Fatalf("%d pods of web are hit", n)
	}
	return hit
}

// restore sets the number of pods of web as it was.
func (b *agentBed) restore(t *testing.T) {
	b.scaleTo(t, 2)
	b.readyOf(t, "web", 2)
}

func (b *agentBed) delete(t *testing.T, pod string) {
	t.Helper()
	if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), pod, kube.Deletion{}); err != nil {
		t.Fatal(err)
	}
}

// ended waits for the end of a fault: it said something, it was not void, and nothing of it is left.
func (b *agentBed) ended(t *testing.T, out *begun, said string) {
	t.Helper()
	code := out.wait(t)
	if text := out.text(t); code != 0 || strings.Contains(text, "fault.void") || !strings.Contains(text, said) {
		t.Errorf("exit code %d\n%s", code, text)
	} else {
		t.Log(text)
	}
	b.clean(t, time.Now(), time.Second)
	b.unmanned(t)
	b.readyOf(t, "store", 2)
}
