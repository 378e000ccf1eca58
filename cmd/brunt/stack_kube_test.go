//go:build unix

package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// stackBed is a cluster in which runs make the built-in system.
func stackBed(t *testing.T) *podBed {
	b := &podBed{program: clusterProgram(t), kubeconfig: os.Getenv("BRUNT_KUBECONFIG"), context: "brunt-kube"}
	if os.Getenv("BRUNT_KUBE") == "" {
		t.Skip("BRUNT_KUBE names no program that gives a cluster images: .ci/kube test does")
	}
	var err error
	if b.Cluster, err = kubeconfig.Open(kube.Address{Kubeconfig: b.kubeconfig}, kube.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	b.scenario = filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(b.scenario, []byte(`version: 1
target: {stack: demo, platform: kubernetes, kubernetes: {context: brunt-kube}}
load: {read: {executor: constant-arrival-rate, rate: 40/s, duration: 25s, flow: [{get: "/posts?page=1"}]}}
chaos: {slow: {at: 6s, for: 12s, network.latency: {from: posts, to: store, delay: 100ms}}}
slo: [errors < 5%]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	return b
}

// made lists the namespaces that runs have made.
func (b *podBed) made(t *testing.T) (out []string) {
	t.Helper()
	all, err := kube.Namespaces(b.Cluster).List(context.WithoutCancel(t.Context()), kube.Query{Labels: cluster.RunLabel})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		out = append(out, all[i].Name)
	}
	return out
}

// TestStack_Kube runs the built-in system in a cluster, and kills brunt while a fault is in, then brunt and its
// watchdog: no namespace is left.
func TestStack_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := stackBed(t)
	bring := func(t *testing.T) *begun {
		o := &begun{file: filepath.Join(t.TempDir(), "out")}
		o.cmd = b.start(t, o.file, t.TempDir(), "run", b.scenario, "-o", filepath.Join(filepath.Dir(o.file), "report"),
			"--log-level", "info")
		suite.Until(t, "the fault is in", func() bool {
			return strings.Contains(o.text(t), "fault.verified") ||
				o.cmd.ProcessState != nil
		})
		if len(b.made(t)) != 2 {
			t.Errorf("namespaces %q, want one of the target and one of its agents", b.made(t))
		}
		return o
	}
	gone := func(t *testing.T, since time.Time, most time.Duration) {
		if !suite.Within(most, func() bool { return len(b.made(t)) == 0 }) {
			t.Fatalf("namespaces %q are left after %s", b.made(t), most)
		}
		t.Logf("nothing is left after %.1f s", time.Since(since).Seconds())
	}
	t.Run("to its end", func(t *testing.T) {
		o := bring(t)
		if code := o.wait(t); code != 0 && code != scenarios.ExitInvalid { // a busy machine makes brunt late
			t.Errorf("exit code %d\n%s", code, o.text(t))
		}
		gone(t, time.Now(), time.Second)
		logs, _ := filepath.Glob(filepath.Join(filepath.Dir(o.file), "report", "logs", "posts-[01].log"))
		if len(logs) != 2 {
			t.Errorf("logs %q, want those of the pods of posts\n%s", logs, o.text(t))
		}
	})
	t.Run("brunt killed", func(t *testing.T) {
		o := bring(t)
		at := time.Now()
		_ = o.cmd.Process.Kill()
		_ = o.cmd.Wait()
		gone(t, at, time.Minute)
	})
	t.Run("both killed", func(t *testing.T) {
		o := bring(t)
		at := time.Now()
		killBoth(t, o.cmd)
		gone(t, at, 90*time.Second)
	})
}

// TestExample_Kube runs the examples that want a cluster.
func TestExample_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes, suite.In("examples"))
	b := stackBed(t)
	t.Setenv("KUBECONFIG", b.kubeconfig)
	for _, c := range []struct {
		name, file, set string
		fails           []string
	}{
		{name: "22-scale-out", file: "scenario.yaml"},
		{
			name: "22-scale-out", file: "scenario.yaml", set: "least=3",
			fails: []string{"scaled(posts, 4) < 45s after autoscaler", "scaled(posts, 4) < 50s after sale.hold"},
		},
		{name: "23-pods-and-nodes", file: "scenario.yaml"},
		{name: "23-pods-and-nodes", file: "scenario.yaml", set: "defences=off", fails: []string{"errors < 1% in failed"}},
		{name: "23-pods-and-nodes", file: "nodes.yaml"},
	} {
		t.Run(c.name+" "+c.file+" "+c.set, func(t *testing.T) {
			args := []string{"run", filepath.Join("..", "..", "examples", c.name, c.file), "--set", "context=" + b.context}
			if c.set != "" {
				args = append(args, "--set", c.set)
			}
			res := &result.Result{}
			out := ""
			for range 3 { // on a busy machine brunt may be late
				dir := filepath.Join(t.TempDir(), "report")
				out, _ = b.brunt(t, t.TempDir(), append(slices.Clone(args), "-o", dir)...)
				text, err := os.ReadFile(filepath.Join(dir, "result.json"))
				if err != nil || json.Unmarshal(text, res) != nil {
					t.Fatalf("%v\n%s", err, out)
				}
				if res.Verdict != scenarios.Invalid {
					break
				}
				t.Logf("again: %s", res.Reason)
			}
			want := scenarios.Pass
			if c.fails != nil {
				want = scenarios.Fail
			}
			if res.Verdict != want {
				t.Errorf("%s: %s\n%s", res.Verdict, res.Reason, out)
			}
			for _, o := range res.Objectives {
				if slices.Contains(c.fails, o.Text) && o.Verdict != scenarios.Fail {
					t.Errorf("%s: %s, measured %g (%s)", o.Text, o.Verdict, o.Measured, o.Note)
				}
			}
			if left := b.made(t); len(left) > 0 {
				t.Errorf("namespaces %q are left", left)
			}
		})
	}
}
