//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// TestAgents_KubeFigures measures what chaos/README.md says of faults on pods: how long they take to be in, and how
// exact they are. The effects are measured beside brunt: by connections from inside a pod, and by what its program
// gets.
func TestAgents_KubeFigures(t *testing.T) {
	suite.Needs(t, suite.Kubernetes, suite.In("figures"))
	if os.Getenv("BRUNT_FIGURES") == "" {
		t.Skip("BRUNT_FIGURES is not set: .ci/kube figures sets it")
	}
	b := newAgentBed(t)
	t.Run("verified", b.verified)
	t.Run("effects", b.effects)
}

// verified is how long it takes from the call of a fault until its effect is proved, by kind.
func (b *agentBed) verified(t *testing.T) {
	const times = 5
	for _, row := range []struct{ name, fault, span, want string }{
		{"`pod.delete`", "pod.delete: {service: web, grace: 1s}", "", "<= 1 s"},
		{"`pod.fail`", "pod.fail: {unit: \"web[0]\"}", ", for: 8s", "<= 0.3 s"},
		{"`network.latency`", "network.latency: {from: web, to: store, delay: 100ms}", ", for: 2s", "<= 0.5 s"},
		{"`network.loss`", "network.loss: {unit: \"web[0]\", percent: 40%}", ", for: 2s", "<= 0.5 s"},
		{"`network.partition`", "network.partition: {from: \"web[0]\", to: store}", ", for: 2s", "<= 0.5 s"},
		{"`network.bandwidth`", "network.bandwidth: {from: \"web[0]\", to: store, rate: 1MB/s}", ", for: 2s", "<= 0.5 s"},
		{"`process.freeze`", "process.freeze: {unit: \"web[0]\"}", ", for: 2s", "-"},
		{"`process.crash`", "process.crash: {unit: \"web[0]\"}", "", "-"},
		{"`cpu.throttle`", "cpu.throttle: {unit: \"web[0]\", share: 20%}", ", for: 2s", "-"},
	} {
		file := scenarioOf(t, b.before(t, "chaos:\n")+fmt.Sprintf("chaos: {x: {at: 5s%s, %s}}\n", row.span, row.fault))
		var took, down []float64
		for range times {
			b.answering(t)
			hit := b.unit(t, "web", 0)
			ended := endOf(within(t, hit))
			out, err := b.brunt(t, t.TempDir(), "inject", file, "x", "--format", "json")
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			var said struct{ Events []result.Event }
			if err := json.Unmarshal([]byte(out), &said); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			at := map[string]time.Time{}
			for _, e := range said.Events {
				if at[e.Event].IsZero() {
					at[e.Event] = e.At
				}
			}
			if at["fault.injected"].IsZero() || at["fault.verified"].IsZero() {
				t.Fatalf("no such events\n%s", out)
			}
			took = append(took, at["fault.verified"].Sub(at["fault.injected"]).Seconds())
			// kubelet starts what ends again and again ever later
			if strings.Contains(row.fault, "pod.fail") || strings.Contains(row.fault, "process.crash") {
				down = append(down, (<-ended).Sub(at["fault.injected"]).Seconds())
				if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), hit.Name, kube.Deletion{Now: true}); err != nil {
					t.Fatal(err)
				}
			}
		}
		if slices.Sort(down); len(down) > 0 {
			t.Logf("| %s: injected until the process is gone, %d times | %.2f s in the median, %.2f at most | %s |", row.name,
				times, down[len(down)/2],
				down[len(down)-1], row.want)
		}
		slices.Sort(took)
		t.Logf("| %s: injected until verified, %d times | %.2f s in the median, %.2f at most | %s |", row.name, times,
			took[len(took)/2], took[len(took)-1], row.want)
	}
}

// endOf says when a process ends, as the kernel has it.
func endOf(pid string) <-chan time.Time {
	out := make(chan time.Time, 1)
	go func() {
		suite.Within(time.Minute, func() bool { _, err := os.Stat("/proc/" + pid); return err != nil })
		out <- time.Now()
	}()
	return out
}

// through runs curl in the network of a pod and returns what it prints.
func through(t *testing.T, pod *kube.Pod, args ...string) string {
	t.Helper()
	out, _ := exec.Command("nsenter", append([]string{"-t", within(t, pod), "-n", "curl", "-s", "-m", "5"},
		args...)...).Output()
	return string(out)
}

// effects are what faults do inside pods, as seen from outside of brunt.
func (b *agentBed) effects(t *testing.T) {
	b.answering(t)
	web, store := b.unit(t, "web", 0), b.unit(t, "store", 0)
	url := "http://" + store.Status.PodIP + ":8080/"
	connects := func(n int) (out []float64, lost int) {
		for range n {
			v, err := strconv.ParseFloat(through(t, web, "-o", "/dev/null", "-w", "%{time_connect}", url), 64)
			if err != nil || v == 0 {
				lost++
				continue
			}
			out = append(out, v*1e3)
		}
		slices.Sort(out)
		return out, lost
	}
	for _, row := range []struct {
		fault   string
		measure func() string
	}{
		{"network.latency: {from: \"web[0]\", to: store, delay: 100ms}", func() string {
			v, _ := connects(15)
			return fmt.Sprintf("a connection takes %.1f ms in the median, %.1f to %.1f", v[len(v)/2], v[0], v[len(v)-1])
		}},
		{"network.loss: {unit: \"web[0]\", percent: 40%}", func() string {
			// a SYN that is lost is sent again after a second: by how many connections took that long
			v, lost := connects(40)
			late := lost
			for _, x := range v {
				if x > 500 {
					late++
				}
			}
			return fmt.Sprintf("%d of 40 connections sent their SYN again", late)
		}},
		{"cpu.throttle: {unit: \"web[0]\", share: 20%}", func() string {
			return "a thread that wants a core has " + through(t, web, "http://127.0.0.1:8080/cpu?for=3s")
		}},
		{"network.bandwidth: {from: \"web[0]\", to: store, rate: 1MB/s}", func() string {
			took, _ := strconv.ParseFloat(through(t, web, "-H", "Expect:", "-o", "/dev/null", "-w", "%{time_total}", "-m", "60",
				"--data-binary",
				"@"+megabytes(t, 10), url), 64)
			return fmt.Sprintf("a body of 10 MiB takes %.2f s: %.2f MB/s", took, 10*1.048576/took)
		}},
	} {
		file := scenarioOf(t, b.before(t, "chaos:\n")+"chaos: {x: {at: 5s, for: 100s, "+row.fault+"}}\n")
		output := filepath.Join(t.TempDir(), "out")
		cmd := b.start(t, output, t.TempDir(), "inject", file, "x")
		suite.Until(t, "the fault is in", func() bool {
			text, err := os.ReadFile(output)
			return err == nil && strings.Contains(string(text), "fault.verified")
		})
		said := row.measure()
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		kind := regexp.MustCompile(`^[a-z.]+`).FindString(row.fault)
		t.Logf("| `%s` in a pod, %s | %s |", kind, row.fault[len(kind)+2:], said)
		b.unmanned(t)
	}
}

// megabytes is a file of so many.
func megabytes(t *testing.T, n int) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(name, make([]byte, n<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}
