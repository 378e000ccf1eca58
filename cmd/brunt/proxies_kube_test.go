//go:build unix

package main

import (
	"os/exec"
	"strings"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/scenarios/suite"
)

// asks asks the service store from inside the network of a pod, and returns the status and the body.
func (b *agentBed) asks(t *testing.T, pod *kube.Pod) string {
	t.Helper()
	is, err := kube.Services(b.Cluster, b.namespace).Get(t.Context(), "store")
	if err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("nsenter", "-t", within(t, pod), "-n", "curl", "-s", "-m", "5", "-w",
		" %{http_code} %{time_total}",
		"http://"+is.Spec.ClusterIP+"/").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	return string(out)
}

// TestProxies_Kube has a proxy of an agent answer what one pod asks of a service, and no other pod, until the fault or
// all that holds it has ended.
func TestProxies_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newAgentBed(t)
	hit, other := b.unit(t, "web", 0), b.unit(t, "web", 1)
	sees := func(t *testing.T, pod *kube.Pod, want string) {
		t.Helper()
		if got := b.asks(t, pod); !strings.HasPrefix(got, want) {
			t.Errorf("%s is answered %q, want %q", pod.Name, got, want)
		}
	}
	t.Run("one pod is hit", func(t *testing.T) {
		out := b.begin(t, "refused", "--for", "3s")
		sees(t, hit, "broken 500")
		sees(t, other, "ok")
		if code := out.wait(t); code != 0 || !strings.Contains(out.text(t), "fault.cleared") {
			t.Errorf("exit code %d\n%s", code, out.text(t))
		}
		b.clean(t, time.Now(), time.Second)
		sees(t, hit, "ok")
		b.unmanned(t)
	})
	t.Run("brunt killed", func(t *testing.T) {
		brunt, _ := b.in(t, t.TempDir(), "refused")
		at := time.Now()
		_ = brunt.Process.Kill()
		_ = brunt.Wait()
		t.Logf("taken back after %.2f s", b.clean(t, at, byOwn).Seconds())
		sees(t, hit, "ok")
		b.over(t)
	})
	t.Run("both killed", func(t *testing.T) {
		brunt, _ := b.in(t, t.TempDir(), "refused")
		sees(t, hit, "broken 500")
		at := time.Now()
		killBoth(t, brunt)
		t.Logf("taken back after %.2f s", b.clean(t, at, bySilent).Seconds())
		sees(t, hit, "ok")
		b.over(t)
	})
	t.Run("the agent deleted by force", func(t *testing.T) { b.agentDead(t, "refused", false) })
	t.Run("the agent killed", func(t *testing.T) { b.agentDead(t, "refused", true) })
	t.Run("beside a mesh", func(t *testing.T) {
		nft := func(args ...string) {
			if out, err := exec.Command("nsenter",
				append([]string{"-t", within(t, hit), "-n", "nft"}, args...)...).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		nft("add table ip mesh; add chain ip mesh out { type nat hook output priority -100; }; add rule ip mesh out tcp " +
			"dport 15000 redirect to :15001")
		defer nft("delete table ip mesh")
		out, err := b.brunt(t, t.TempDir(), "inject", b.scenario, "refused", "--for", "2s")
		if err == nil || !strings.Contains(out, "something else redirects its connections already") ||
			strings.Contains(out, "fault.injected") {
			t.Errorf("%v\n%s", err, out)
		}
		b.unmanned(t)
	})
}
