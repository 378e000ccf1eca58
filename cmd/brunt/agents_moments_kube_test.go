//go:build unix

package main

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios/suite"
)

// momentFaults are of each way in which a fault stays in: of a process, of a network, of a control group, of a clock,
// and of limits.
var momentFaults = []string{"freeze", "lossy", "throttle", "skew", "slow", "memory", "files"}

// A death is what dies at a moment, of a run whose fault an agent makes.
type death struct {
	name  string
	kill  func(b *agentBed, t *testing.T, brunt *exec.Cmd)
	alive bool          // brunt goes on
	most  time.Duration // until nothing is left, where the fault was in; zero: it goes on
}

var deaths = []death{
	{"brunt", func(_ *agentBed, _ *testing.T, brunt *exec.Cmd) {
		_ = brunt.Process.Kill()
		_ = brunt.Wait()
	}, false, byOwn},
	{"both", func(_ *agentBed, t *testing.T, brunt *exec.Cmd) { killBoth(t, brunt) }, false, bySilent},
	{"agent deleted by force", func(b *agentBed, t *testing.T,
		_ *exec.Cmd,
	) {
		b.deleteForced(t, b.agents, "", cluster.AgentPart)
	}, true, byOwn},
	{"agent killed", func(b *agentBed, t *testing.T, _ *exec.Cmd) { b.killAgents(t, false) }, true, 2 * bySilent},
	{"container killed", func(b *agentBed, t *testing.T, _ *exec.Cmd) { b.killAgents(t, true) }, true, 2 * bySilent},
	{"all three", func(b *agentBed, t *testing.T, brunt *exec.Cmd) {
		b.killAgents(t, true)
		killBoth(t, brunt)
	}, false, 2 * bySilent},
	{"watchdog in the cluster", func(b *agentBed, t *testing.T,
		_ *exec.Cmd,
	) {
		b.deleteForced(t, b.namespace, "", cluster.WatchdogPart)
	}, true, 0},
}

// deleteForced deletes the pods of a part of brunt, at once.
func (b *agentBed) deleteForced(t *testing.T, namespace, also, part string) {
	t.Helper()
	pods, err := kube.Pods(b.Cluster, namespace).List(t.Context(),
		kube.Query{Labels: also + cluster.PartLabel + "=" + part})
	if err != nil {
		t.Error(err)
	}
	for i := range pods {
		if err := kube.Pods(b.Cluster, namespace).Delete(t.Context(), pods[i].Name, kube.Deletion{Now: true}); err != nil &&
			!kube.Is(err, kube.NotFound) {
			t.Error(err)
		}
	}
}

// killAgents kills what the pods of agents run: all of it, or what does the work.
func (b *agentBed) killAgents(t *testing.T, all bool) {
	t.Helper()
	pods, err := kube.Pods(b.Cluster, b.agents).List(t.Context(), kube.Query{})
	if err != nil {
		t.Error(err)
	}
	for i := range pods {
		pids := processesOf(string(pods[i].UID))
		if !all && len(pids) > 1 {
			pids = pids[len(pids)-1:] // started by the others
		}
		for _, sig := range []syscall.Signal{syscall.SIGSTOP, syscall.SIGKILL} {
			for _, pid := range pids {
				_ = syscall.Kill(pid, sig)
			}
		}
	}
}

// processesOf are the processes of brunt's program, or of the victim's, in a pod, in the order in which they began.
func processesOf(pod string) (out []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, file := range files {
		text, err := os.ReadFile(file)
		name, _ := os.ReadFile(filepath.Join(filepath.Dir(file), "cmdline"))
		if err == nil && strings.Contains(string(text), "pod"+pod) && bytes.Contains(name, []byte("/brunt")) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			out = append(out, pid)
		}
	}
	slices.Sort(out)
	return out
}

// settings are what faults change of a process that its kernel does not take back with who changed it: limits, control
// groups, and the clock.
func settings(pid string) string {
	var out strings.Builder
	limits, _ := os.ReadFile("/proc/" + pid + "/limits")
	for line := range strings.Lines(string(limits)) {
		if strings.HasPrefix(line, "Max open files") {
			out.WriteString(line)
		}
	}
	groups, _ := os.ReadFile("/proc/" + pid + "/cgroup")
	for line := range strings.Lines(string(groups)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		for _, file := range []string{
			"cpu.cfs_quota_us", "cpu.max", "memory.limit_in_bytes", "memory.max", "freezer.state", "cgroup.freeze",
		} {
			if text, err := os.ReadFile(filepath.Join("/sys/fs/cgroup", part[1], part[2], file)); err == nil {
				fmt.Fprintf(&out, "%s %s", file, text)
			}
		}
	}
	fmt.Fprintf(&out, "the clock is the kernel's: %v\n", slices.Equal(clockOf(pid), clockOf("self")))
	return out.String()
}

// clockOf is the code by which a process reads the clock.
func clockOf(pid string) []byte {
	maps, _ := os.ReadFile("/proc/" + pid + "/maps")
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		if n, _ := fmt.Sscanf(line, "%x-%x", &from, &to); n == 2 && strings.Contains(line, "[vdso]") {
			memory, err := os.Open("/proc/" + pid + "/mem")
			if err != nil {
				return nil
			}
			defer memory.Close()
			b := make([]byte, to-from)
			_, _ = memory.ReadAt(b, from)
			return b
		}
	}
	return nil
}

// A moment is how one of them went.
type moment struct {
	in   bool // the fault was
	took time.Duration
}

// killedAt has something die at a random moment of the life of a fault, from before its injection until after its
// revert, and waits until nothing is left.
func (b *agentBed) killedAt(t *testing.T, of death, fault string, begun bool, prior map[string]string) (m moment) {
	t.Helper()
	state, file := t.TempDir(), filepath.Join(t.TempDir(), "out")
	brunt := b.start(t, file, state, "inject", b.scenario, fault, "--for", "3s")
	life := time.Duration(rand.Int64N(int64(9 * time.Second)))
	if begun { // from the injection on
		life = time.Duration(rand.Int64N(int64(4 * time.Second)))
		if !suite.Within(time.Minute, func() bool { return strings.Contains(readText(file), "fault.injected") }) {
			t.Errorf("%s, %s: it is not injected:\n%s", of.name, fault, readText(file))
		}
	}
	time.Sleep(life) // simulates a run that goes on until then
	m.in = b.leftSince(t, prior) != ""
	at := time.Now()
	of.kill(b, t, brunt)
	if m.in && of.most > 0 || !of.alive {
		left := ""
		if !suite.Within(of.most+30*time.Second,
			func() bool { left = b.leftSince(t, prior); m.took = time.Since(at); return left == "" }) {
			t.Errorf("%s, %s after %.2f s: left %s", of.name, fault, life.Seconds(), left)
		} else if m.took > of.most {
			t.Errorf("%s, %s after %.2f s: taken back after %.2f s, want at most %s", of.name, fault, life.Seconds(),
				m.took.Seconds(), of.most)
		}
	}
	if of.alive {
		ended := make(chan struct{})
		go func() { _ = brunt.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(90 * time.Second):
			t.Errorf("%s, %s after %.2f s: brunt goes on", of.name, fault, life.Seconds())
			_ = brunt.Process.Kill()
			<-ended
		}
		if left := b.leftSince(t, prior); left != "" {
			t.Errorf("%s, %s after %.2f s: left after the end of brunt, %s: %s", of.name, fault, life.Seconds(),
				brunt.ProcessState, left)
		}
	}
	if there := b.revertThere(t); t.Failed() {
		t.Logf("%s, %s after %.2f s in %s:\n%s\nrevert there: %s", of.name, fault, life.Seconds(), b.namespace,
			readText(file), there)
	}
	if out, err := b.brunt(t, state, "revert"); err != nil {
		t.Errorf("%s, %s after %.2f s: revert by the journal: %v\n%s", of.name, fault, life.Seconds(), err, out)
	}
	if left := b.leftSince(t, prior); left != "" {
		t.Errorf("%s, %s after %.2f s: left in the end: %s", of.name, fault, life.Seconds(), left)
	}
	b.removed(t)
	b.unmanned(t)
	b.answering(t)
	t.Logf("%s, %s after %.2f s, fault in: %v: nothing is left after %.2f s", of.name, fault, life.Seconds(), m.in,
		m.took.Seconds())
	return m
}

func readText(file string) string {
	text, _ := os.ReadFile(file)
	return string(text)
}

// leftSince is what of a fault is at the first pod of web, against what there was before.
func (b *agentBed) leftSince(t *testing.T, prior map[string]string) string {
	t.Helper()
	pod := b.first
	pid := within(t, pod)
	left := b.leftAt(t, pod)
	if is, was := settings(pid), prior[pid]; was != "" && is != was {
		left += "\n" + is + "was\n" + was
	}
	return left
}

// TestAgents_KubeMoments has what a fault of an agent depends on die at random moments: nothing is left in the end.
// BRUNT_MOMENTS says how many times each.
func TestAgents_KubeMoments(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	moments, err := strconv.Atoi(os.Getenv("BRUNT_MOMENTS"))
	if err != nil {
		moments = 2
	}
	const beside = 5 // so many at once, each in namespaces of its own
	program := agentProgram(t)
	beds, priors := make([]*agentBed, min(beside, moments)), make([]map[string]string, min(beside, moments))
	for i := range beds {
		beds[i] = newAgentBedOf(t, program)
		beds[i].first = beds[i].unit(t, "web", 0)
		pid := within(t, beds[i].first)
		priors[i] = map[string]string{pid: settings(pid)}
		if !strings.Contains(priors[i][pid], "the clock is the kernel's: true") {
			t.Errorf("the clock of a process can't be read: %s", priors[i][pid])
		}
	}
	for _, of := range deaths {
		t.Run(of.name, func(t *testing.T) {
			var mu sync.Mutex
			var took []time.Duration
			all := 0
			t.Run("beside", func(t *testing.T) {
				for i, b := range beds {
					t.Run(strconv.Itoa(i), func(t *testing.T) {
						t.Parallel()
						for k := i; k < moments; k += len(beds) {
							m := b.killedAt(t, of, momentFaults[k%len(momentFaults)], k >= moments/2, priors[i])
							mu.Lock()
							all++
							if m.in {
								took = append(took, m.took)
							}
							mu.Unlock()
						}
					})
				}
			})
			slices.Sort(took)
			if len(took) > 0 {
				t.Logf("%d of %d moments, %d with the fault in: taken back after %.2f s at the median, %.2f s at most", all,
					moments, len(took),
					took[len(took)/2].Seconds(), took[len(took)-1].Seconds())
			} else {
				t.Logf("%d of %d moments, none with the fault in", all, moments)
			}
		})
	}
}
