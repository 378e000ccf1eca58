//go:build linux

package main

import (
	"context"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubetest"
	"brunt/scenarios/suite"
)

// A node runs the watchdogs of a cluster for tests, as processes of this machine: a pod's program that fails is started
// again.
type node struct {
	b    *podBed
	mu   sync.Mutex
	pids map[int]bool // of the watchdogs
	all  sync.WaitGroup
}

// runs runs the Jobs of the namespace until ctx ends.
func (n *node) runs(ctx context.Context) {
	ends := map[string]context.CancelFunc{}
	_ = kube.Jobs(n.b.Cluster, n.b.namespace).Watch(ctx, kube.Query{}, func(e kube.Event[kube.Job]) bool {
		uid := string(e.Object.UID)
		switch end := ends[uid]; {
		case e.Gone && end != nil:
			end()
		case !e.Gone && end == nil:
			ctx, end := context.WithCancel(ctx)
			ends[uid] = end
			n.all.Go(func() { n.keep(ctx, e.Object.Spec.Template.Spec.Containers[0].Args) })
		}
		return true
	})
	for _, end := range ends {
		end()
	}
	n.all.Wait()
}

// keep runs a program until it succeeds, or ctx ends.
func (n *node) keep(ctx context.Context, args []string) {
	for ctx.Err() == nil {
		c := exec.CommandContext(ctx, n.b.program, args...)
		c.Cancel = func() error { return c.Process.Signal(syscall.SIGTERM) }
		c.WaitDelay = 30 * time.Second
		c.Env = append(os.Environ(), "KUBECONFIG="+n.b.kubeconfig)
		if c.Start() != nil {
			return
		}
		n.note(c.Process.Pid, true)
		err := c.Wait()
		n.note(c.Process.Pid, false)
		if err == nil {
			return
		}
	}
}

func (n *node) note(pid int, runs bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if delete(n.pids, pid); runs {
		n.pids[pid] = true
	}
}

// kill kills the watchdogs that run.
func (n *node) kill(*testing.T) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for pid := range n.pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// TestClusterWatchdog_Moments kills brunt, its watchdog and the one in the cluster at random moments, on a server for
// tests.
func TestClusterWatchdog_Moments(t *testing.T) {
	program, err := exec.LookPath("brunt") // this one, by testscript
	if err != nil {
		t.Fatal(err)
	}
	usual := 1
	if suite.Full() {
		usual = 8
	}
	kills(t, usual, func(t *testing.T) (*podBed, func(*testing.T)) {
		s := kubetest.Start(t)
		s.Node("n1", map[string]string{"kubernetes.io/os": "linux"})
		b := newPodBedIn(t, &podBed{program: program, kubeconfig: s.Kubeconfig(t, ""), context: "test"}, "pod")
		n := &node{b: b, pids: map[int]bool{}}
		ctx, end := context.WithCancel(context.Background())
		done := make(chan struct{})
		go func() { defer close(done); n.runs(ctx) }()
		t.Cleanup(func() { end(); <-done })
		return b, n.kill
	})
}
