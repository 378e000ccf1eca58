//go:build unix

package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/suite"
)

// Bounds of what a watchdog in a cluster does.
const (
	byRemote = 15 * time.Second // it takes everything back: 10 s of silence, and what a busy machine adds
	byLever  = 5 * time.Second  // so does brunt, when a person at the cluster asks for it
)

// parts are the objects of watchdogs in the cluster, those of the whole cluster included.
func (b *podBed) parts(t *testing.T) (out []string) {
	t.Helper()
	for _, of := range []kube.Ref{
		{API: "v1", Resource: "configmaps", Namespace: b.namespace},
		{API: "coordination.k8s.io/v1", Resource: "leases", Namespace: b.namespace},
		{API: "v1", Resource: "serviceaccounts", Namespace: b.namespace},
		{API: "batch/v1", Resource: "jobs", Namespace: b.namespace},
		{API: "rbac.authorization.k8s.io/v1", Resource: "roles", Namespace: b.namespace},
		{API: "rbac.authorization.k8s.io/v1", Resource: "rolebindings", Namespace: b.namespace},
		{API: "v1", Resource: "pods", Namespace: b.namespace},
		{API: "rbac.authorization.k8s.io/v1", Resource: "clusterroles"},
		{API: "rbac.authorization.k8s.io/v1", Resource: "clusterrolebindings"},
	} {
		all, err := kube.Like(b.Cluster, of).List(t.Context(),
			kube.Query{Labels: cluster.PartLabel + "=" + cluster.WatchdogPart})
		if err != nil {
			return []string{err.Error()}
		}
		for _, o := range all {
			out = append(out, of.Resource+"/"+o.Text("metadata", "name"))
		}
	}
	return out
}

// removed waits until nothing of a watchdog is in the cluster.
func (b *podBed) removed(t *testing.T) {
	t.Helper()
	var parts []string // the controllers of a cluster take up to a minute until they go on after an outage
	if !suite.Within(2*time.Minute, func() bool { parts = b.parts(t); return len(parts) == 0 }) {
		t.Errorf("left of the watchdog: %q", parts)
	}
}

// back waits until nothing of a fault is in the cluster, and returns how long that took.
func (b *podBed) back(t *testing.T, since time.Time, most time.Duration) time.Duration {
	t.Helper()
	var left []string
	if !suite.Within(most+30*time.Second, func() bool {
		var err error
		left, err = b.left()
		return err == nil && len(left) == 0
	}) {
		t.Fatalf("left: %q", left)
	}
	took := time.Since(since)
	if took > most {
		t.Errorf("everything was taken back after %.1f s, want at most %s", took.Seconds(), most)
	}
	return took
}

// guard is the pod of the watchdog.
func (b *podBed) guard(t *testing.T) string {
	t.Helper()
	name := ""
	suite.Until(t, "the watchdog has a pod that runs", func() bool {
		pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(),
			kube.Query{Labels: cluster.PartLabel + "=" + cluster.WatchdogPart})
		for i := range pods {
			if name = pods[i].Name; err == nil && pods[i].DeletionTimestamp == nil && pods[i].Status.Phase == "Running" {
				return true
			}
		}
		return false
	})
	return name
}

// revertThere takes back by the journal in the cluster what is left, as from another machine.
func (b *podBed) revertThere(t *testing.T) string {
	t.Helper()
	out, err := b.brunt(t, t.TempDir(), "revert", "--context", b.context, "--namespace", b.namespace)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return out
}

// TestClusterWatchdog_Kube is the table of what may die while a fault is in a cluster: in the end nothing is left.
func TestClusterWatchdog_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	program := clusterProgram(t)
	if os.Getenv("BRUNT_KUBE") == "" {
		t.Skip("BRUNT_KUBE names no program that gives a cluster images, and kills its API server: .ci/kube test does")
	}
	b := newPodBed(t, program)
	for _, fault := range []string{"fail", "none", "cordon", "quota"} {
		t.Run(fault+", brunt killed", func(t *testing.T) {
			brunt, _ := b.in(t, t.TempDir(), fault)
			at := time.Now()
			_ = brunt.Process.Kill()
			_ = brunt.Wait()
			t.Logf("taken back after %.2f s", b.back(t, at, byLever).Seconds())
			b.removed(t)
			b.ready(t)
		})
		t.Run(fault+", both killed", func(t *testing.T) {
			brunt, run := b.in(t, t.TempDir(), fault)
			at := time.Now()
			killBoth(t, brunt)
			t.Logf("taken back after %.2f s", b.back(t, at, byRemote).Seconds())
			out, err := b.brunt(t, t.TempDir(), "status", "--context", "brunt-kube", "--namespace", b.namespace)
			if err != nil || !strings.Contains(out, run) || !strings.Contains(out, "its watchdog took it back") {
				t.Errorf("%v\n%s", err, out)
			}
			b.revertThere(t)
			b.removed(t)
			b.ready(t)
		})
	}
	t.Run("all killed", b.allKilled)
	t.Run("watchdog killed", b.guardKilled)
	t.Run("lever", b.levers)
	t.Run("no image", b.noWatchdog)
	// the controllers of the cluster take up to a minute until they go on after one
	for _, seconds := range []int{2, 10, 40} {
		t.Run(fmt.Sprintf("outage %d s", seconds), func(t *testing.T) { b.outage(t, seconds) })
	}
	b.removed(t)
}

// allKilled kills brunt and both watchdogs at once: the pod that comes in the place of the watchdog takes the fault
// back.
func (b *podBed) allKilled(t *testing.T) {
	brunt, _ := b.in(t, t.TempDir(), "none")
	pod, at := b.guard(t), time.Now()
	killBoth(t, brunt)
	if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), pod, kube.Deletion{Now: true}); err != nil {
		t.Fatal(err)
	}
	t.Logf("taken back after %.2f s", b.back(t, at, 2*byRemote).Seconds())
	b.revertThere(t)
	b.removed(t)
	b.ready(t)
}

// guardKilled kills the watchdog alone: the fault is taken back in time by brunt, and the next one waits for another
// watchdog.
func (b *podBed) guardKilled(t *testing.T) {
	out := b.begin(t, "none", "--for", "30s")
	pod := b.guard(t)
	if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), pod, kube.Deletion{Now: true}); err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	if next := b.guard(t); next == pod {
		t.Errorf("%s is there still", pod)
	}
	t.Logf("another watchdog runs after %.2f s", time.Since(at).Seconds())
	if code := out.wait(t); code != 0 {
		t.Errorf("exit code %d\n%s", code, out.text(t))
	}
	b.removed(t)
	b.ready(t)
}

// levers are what a person at the cluster can do without brunt. The run ends with the exit code of a stop, and nothing
// is left.
func (b *podBed) levers(t *testing.T) {
	lease := kube.Like(b.Cluster, kube.Ref{API: "coordination.k8s.io/v1", Resource: "leases", Namespace: b.namespace})
	annotate := []kube.Change{{Op: "add", Path: "/metadata/annotations/brunt.dev~1stop", Value: "now"}}
	for _, of := range []struct {
		name string
		pull func(ctx context.Context, name string) error
	}{
		{"the lease annotated", func(ctx context.Context, name string) error {
			_, err := lease.Patch(ctx, name, annotate...)
			return err
		}},
		{"the lease deleted", func(ctx context.Context,
			name string,
		) error {
			return lease.Delete(ctx, name, kube.Deletion{})
		}},
		{"the job deleted", func(ctx context.Context, name string) error {
			return kube.Jobs(b.Cluster, b.namespace).Delete(ctx, name, kube.Deletion{})
		}},
		{"the namespace annotated", func(ctx context.Context, _ string) error {
			stop := kube.Change{Op: "add", Path: "/metadata/annotations", Value: map[string]string{"brunt.dev/stop": "now"}}
			_, err := kube.Namespaces(b.Cluster).Patch(ctx, b.namespace, stop)
			return err
		}},
	} {
		for _, alive := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s, brunt alive %v", of.name, alive), func(t *testing.T) {
				out := b.begin(t, "none")
				if !alive {
					killBoth(t, out.cmd)
				}
				at := time.Now()
				if err := of.pull(t.Context(), "brunt-watchdog-"+out.run); err != nil {
					t.Fatal(err)
				}
				t.Logf("taken back after %.2f s", b.back(t, at, byLever).Seconds())
				if code := out.wait(t); alive && (code != 6 || !strings.Contains(out.text(t), "Stopped at the cluster: ")) {
					t.Errorf("exit code %d\n%s", code, out.text(t))
				}
				if !alive {
					b.revertThere(t)
				}
				b.removed(t)
				b.ready(t)
				if of.name != "the namespace annotated" {
					return
				}
				if text, err := b.brunt(t, t.TempDir(), "inject", b.scenario, "none"); err == nil ||
					!strings.Contains(text, "which holds faults off") {
					t.Errorf("%v\n%s", err, text)
				}
				b.removed(t)
				if _, err := kube.Namespaces(b.Cluster).Patch(t.Context(), b.namespace,
					kube.Change{Op: "remove", Path: "/metadata/annotations/brunt.dev~1stop"}); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// noWatchdog names an image that the cluster does not have: nothing is injected.
func (b *podBed) noWatchdog(t *testing.T) {
	text, err := os.ReadFile(b.scenario)
	if err != nil {
		t.Fatal(err)
	}
	file := scenarioOf(t, strings.Replace(string(text), "watchdog: pod", "image: \"198.18.77.1:1/none:1\"", 1))
	out, err := b.brunt(t, t.TempDir(), "inject", file, "none")
	named := strings.Contains(out, "198.18.77.1:1/none:1") && strings.Contains(out, "`brunt image` writes it")
	if err == nil || !named || strings.Contains(out, "fault.injected") {
		t.Errorf("%v\n%s", err, out)
	}
	b.removed(t)
}

// outage kills the API server while a fault is in: brunt goes on, or is dead with its watchdog.
func (b *podBed) outage(t *testing.T, seconds int) {
	for _, alive := range []bool{true, false} {
		t.Run(fmt.Sprintf("brunt alive %v", alive), func(t *testing.T) {
			out := b.begin(t, "none", "--for", "3s")
			done := make(chan error, 1)
			go func() { done <- exec.Command(os.Getenv("BRUNT_KUBE"), "outage", strconv.Itoa(seconds)).Run() }()
			if !alive {
				killBoth(t, out.cmd)
			}
			if err := <-done; err != nil {
				t.Fatal(err)
			}
			at := time.Now()
			t.Logf("taken back %.2f s after the API server was there again", b.back(t, at, byRemote).Seconds())
			code := out.wait(t)
			t.Logf("exit code %d", code)
			// After a long one, the controllers of the cluster may not make pods again in time: 3, or 7 if there are none
			// still as brunt ends.
			late := seconds >= 10 && (code == 3 || code == 7) && strings.Contains(out.text(t), " did not become ready in ")
			if alive && code != 0 && !late {
				t.Errorf("%s", out.text(t))
			}
			if !alive || code == 7 {
				b.revertThere(t)
			}
			b.ready(t)
		})
	}
}

// A begun is an injection of a fault that goes on.
type begun struct {
	cmd  *exec.Cmd
	file string
	run  string
}

// begin injects a fault until it is verified.
func (b *podBed) begin(t *testing.T, fault string, args ...string) *begun {
	t.Helper()
	o := &begun{file: filepath.Join(t.TempDir(), "out")}
	state := t.TempDir()
	o.cmd = b.start(t, o.file, state, append([]string{"inject", b.scenario, fault}, args...)...)
	suite.Until(t, "the fault is in", func() bool { return strings.Contains(o.text(t), "fault.verified") })
	names, err := filepath.Glob(filepath.Join(state, "*.journal"))
	if err != nil || len(names) != 1 {
		t.Fatalf("journals %q, %v", names, err)
	}
	o.run = strings.TrimSuffix(filepath.Base(names[0]), ".journal")
	return o
}

func (o *begun) text(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(o.file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// wait waits for the end of brunt, and returns its exit code.
func (o *begun) wait(t *testing.T) int {
	t.Helper()
	if !suite.Within(2*time.Minute, func() bool {
		return o.cmd.ProcessState != nil || o.cmd.Wait() != nil ||
			o.cmd.ProcessState != nil
	}) {
		t.Fatalf("brunt goes on\n%s", o.text(t))
	}
	return o.cmd.ProcessState.ExitCode()
}

// TestClusterWatchdog_KubeMoments kills brunt and its watchdog at random moments of the life of a fault, and in some
// the watchdog in the cluster too. BRUNT_MOMENTS says how many times each.
func TestClusterWatchdog_KubeMoments(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	program := clusterProgram(t)
	if os.Getenv("BRUNT_KUBE") == "" {
		t.Skip("BRUNT_KUBE names no program that gives a cluster images: .ci/kube test does")
	}
	kills(t, 5, func(t *testing.T) (*podBed, func(t *testing.T)) {
		b := newPodBed(t, program)
		return b, func(t *testing.T) {
			pods, _ := kube.Pods(b.Cluster, b.namespace).List(t.Context(),
				kube.Query{Labels: cluster.PartLabel + "=" + cluster.WatchdogPart})
			for i := range pods {
				_ = kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), pods[i].Name, kube.Deletion{Now: true})
			}
		}
	})
}

// kills kills classes of programs at random moments, each as often as BRUNT_MOMENTS says, or usual. The function makes
// a bed, and what kills the watchdog in its cluster.
func kills(t *testing.T, usual int, make func(t *testing.T) (*podBed, func(t *testing.T))) {
	moments, err := strconv.Atoi(os.Getenv("BRUNT_MOMENTS"))
	if err != nil {
		moments = usual
	}
	const beside = 4 // so many at once, each in a namespace of its own
	var mu sync.Mutex
	took := map[string][]time.Duration{}
	t.Run("beside", func(t *testing.T) {
		for i := range min(beside, moments) {
			t.Run(strconv.Itoa(i), func(t *testing.T) {
				t.Parallel()
				b, guard := make(t)
				for k := i; k < moments; k += beside {
					for _, class := range []string{"brunt", "both", "all three"} {
						back := b.moment(t, class, []string{"none", "fail", "quota"}[k%3], guard)
						mu.Lock()
						took[class] = append(took[class], back)
						mu.Unlock()
					}
				}
			})
		}
	})
	for class, all := range took {
		slices.Sort(all)
		t.Logf("%s killed at %d random moments: everything was as before after %.1f s at the median, %.1f s at most", class,
			len(all),
			all[len(all)/2].Seconds(), all[len(all)-1].Seconds())
	}
}

// moment kills a class of programs at a random moment, and waits until nothing is left.
func (b *podBed) moment(t *testing.T, class, fault string, guard func(t *testing.T)) time.Duration {
	t.Helper()
	state := t.TempDir()
	cmd := b.start(t, filepath.Join(t.TempDir(), "out"), state, "inject", b.scenario, fault, "--for", "2s")
	life := time.Duration(rand.Int64N(int64(5 * time.Second)))
	time.Sleep(life) // simulates a run that goes on until then
	at := time.Now()
	if class == "brunt" {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	} else {
		killBoth(t, cmd)
	}
	if class == "all three" {
		guard(t)
	}
	var left []string
	most := 3 * byRemote // a Job waits for 10 s, or more, until it makes another pod
	if !suite.Within(most, func() bool {
		var err error
		left, err = b.left()
		return err == nil && len(left) == 0
	}) {
		t.Errorf("%s killed after %s in %s: left after %s: %q", class, life, b.namespace, most, left)
	}
	took := time.Since(at)
	b.revertThere(t)
	b.removed(t)
	if _, err := b.brunt(t, state, "revert"); err != nil {
		t.Errorf("revert by the journal: %v", err)
	}
	b.ready(t)
	return took
}
