//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
)

// Rates of the load and of the prober, and how far apart their times may be: the distance between requests of the load,
// and 20 ms.
const (
	probedRate  = 25
	probeEach   = 20 * time.Millisecond
	probedApart = time.Second/probedRate + 20*time.Millisecond
	probeSlack  = 20 * time.Millisecond
)

// A kubeProbe is one request of the prober. Pod is the caller that answered it.
type kubeProbe struct {
	sent time.Time
	bad  bool
	pod  string
}

// A kubeProber asks the same as the load, by connections of its own, until stop is closed. Like the load, it opens a
// connection for each request.
type kubeProber struct {
	url    string
	stop   chan struct{}
	ended  sync.WaitGroup
	mu     sync.Mutex
	probes []kubeProbe
}

func startKubeProber(url string) *kubeProber {
	p := &kubeProber{url: url, stop: make(chan struct{})}
	client := &http.Client{Timeout: 2 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	p.ended.Go(func() {
		tick := time.NewTicker(probeEach)
		defer tick.Stop()
		for {
			select {
			case <-p.stop:
				return
			case <-tick.C:
				p.ended.Go(func() { p.one(client) })
			}
		}
	})
	return p
}

func (p *kubeProber) one(client *http.Client) {
	probe := kubeProbe{sent: time.Now(), bad: true}
	resp, err := client.Get(p.url)
	if err == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		probe.bad, probe.pod = err != nil || resp.StatusCode != http.StatusOK, resp.Header.Get("Victim")
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.probes = append(p.probes, probe)
}

// end ends the prober, and returns its probes by the times at which they were sent.
func (p *kubeProber) end() []kubeProbe {
	close(p.stop)
	p.ended.Wait()
	slices.SortFunc(p.probes, func(a, b kubeProbe) int { return a.sent.Compare(b.sent) })
	return p.probes
}

// A span is a time without a good probe: from the first bad one to the first good one after the last bad one.
type span struct {
	from, to time.Time
	quiet    time.Duration // for how long the prober had sent nothing at its end, as it got no processor
}

// spans lists the times in which at least one probe in share is bad, which are over once a second of good ones follows.
func spans(probes []kubeProbe) (out []span) {
	for i, p := range probes {
		if !p.bad {
			continue
		}
		if len(out) == 0 || p.sent.Sub(out[len(out)-1].to) > time.Second {
			out = append(out, span{from: p.sent})
		}
		next := probes[min(i+1, len(probes)-1)].sent
		out[len(out)-1].to, out[len(out)-1].quiet = next, next.Sub(p.sent)
	}
	return out
}

// A probedBed is a bed whose callers and peers are four each. The callers ask the service store over a new connection
// for each request.
type probedBed struct {
	*agentBed
	node string // its address
	url  string // of the callers
	peer string // the service store, as the callers name it
}

// newProbedBed makes a bed in the real cluster.
func newProbedBed(t *testing.T, program string) *probedBed {
	b := &probedBed{agentBed: newAgentBedOf(t, program)}
	for _, name := range []string{"web", "store"} {
		of := b.web
		of.Name = name
		spec := kube.Change{Op: "add", Path: "/spec/template/spec/dnsPolicy", Value: "ClusterFirst"}
		drop := kube.Change{Op: "remove", Path: "/spec/template/spec/dnsConfig"}
		four := kube.Change{Op: "replace", Path: "/spec/replicas", Value: 4}
		if _, err := kube.Like(b.Cluster, of).Patch(t.Context(), name, spec, drop, four); err != nil {
			t.Fatal(err)
		}
	}
	services := kube.Ref{API: "v1", Resource: "services", Namespace: b.namespace}
	made, err := kube.Like(b.Cluster, services).Create(t.Context(),
		&kube.Raw{
			"metadata": map[string]any{"name": "web"},
			"spec": map[string]any{
				"type": "NodePort", "selector": map[string]any{"app": "web"},
				"ports": []any{map[string]any{"port": 80, "targetPort": 8080}},
			},
		}, false)
	if err != nil {
		t.Fatal(err)
	}
	var of struct {
		Spec struct{ Ports []struct{ NodePort int } }
	}
	if text, err := json.Marshal(made); err != nil || json.Unmarshal(text, &of) != nil || len(of.Spec.Ports) != 1 {
		t.Fatalf("%v: %s", err, text)
	}
	b.node = b.readyOf(t, "web", 4)[0].Status.HostIPs[0].IP
	b.url = "http://" + net.JoinHostPort(b.node, fmt.Sprint(of.Spec.Ports[0].NodePort))
	b.readyOf(t, "store", 4)
	store, err := kube.Services(b.Cluster, b.namespace).Get(t.Context(), "store")
	if err != nil {
		t.Fatal(err)
	}
	b.peer = store.Spec.ClusterIP
	if !suite.Within(3*time.Minute, func() bool {
		p := &kubeProber{url: b.asked()}
		for range 8 {
			p.one(http.DefaultClient)
		}
		return !slices.ContainsFunc(p.probes, func(p kubeProbe) bool { return p.bad })
	}) {
		t.Fatal("the callers do not reach the store")
	}
	return b
}

func (b *probedBed) asked() string { return b.url + "/via?url=http://" + b.peer + "/" }

// A probed run is its result beside what the prober saw.
type probed struct {
	*result.Result
	fault  *result.FaultRecord
	probes []kubeProbe
	spans  []span
	text   string // what brunt printed
}

// at returns a time of the run.
func (p *probed) at(offset result.Num) time.Time {
	return p.T0.Add(time.Duration(float64(offset) * float64(time.Second)))
}

// play plays a fault beside the prober. While it is in, during is called.
func (b *probedBed) play(t *testing.T, fault, stays string, seconds int, during func(t *testing.T)) *probed {
	t.Helper()
	text := strings.NewReplacer("URL", b.url, "NODE", b.node, "PEER", b.peer, "NS", b.namespace, "AGENTS",
		b.agents, "SECONDS", fmt.Sprint(seconds), "RATE", fmt.Sprint(probedRate), "STAYS", stays, "FAULT",
		fault).Replace(`version: 1
target: {url: "URL", kubernetes: {context: brunt-kube, namespace: NS, agent_namespace: AGENTS}}
guard: {allow: {load: [NODE], chaos: [kubernetes/brunt-kube/NS]}}
judge: {hold: 2s, limit: 10%, slow: 1s}
load:
  main: {executor: constant-arrival-rate, rate: RATE/s, duration: SECONDSs, timeout: 2s, connections: {keep_alive: off},
    flow: [{get: "/via?url=http://PEER/", check: {status: 200}}]}
chaos: {hit: {at: 6s, STAYS FAULT}}
`)
	dir := t.TempDir()
	file, output, report := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "out"), filepath.Join(dir, "report")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	prober := startKubeProber(b.asked())
	brunt := b.start(t, output, t.TempDir(), "run", file, "-o", report, "--log-level", "info")
	if during != nil {
		if !suite.Within(time.Minute, func() bool { return strings.Contains(readText(output), "fault.verified") }) {
			t.Fatalf("the fault is not in:\n%s", readText(output))
		}
		during(t)
	}
	_ = brunt.Wait() // its exit code is that of the verdict
	p := &probed{Result: &result.Result{}, probes: prober.end(), text: readText(output)}
	said, err := os.ReadFile(filepath.Join(report, "result.json"))
	if err != nil || json.Unmarshal(said, p.Result) != nil || len(p.Faults) != 1 {
		t.Fatalf("%v\n%s", err, p.text)
	}
	p.fault = &p.Faults[0]
	for _, s := range spans(p.probes) {
		if !p.fault.Injected.Known() || s.to.After(p.at(p.fault.Injected)) {
			p.spans = append(p.spans, s)
		}
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("%s: %s\nspans %s\n%s", p.Verdict, p.Reason, p.seen(), p.text)
		}
	})
	return p
}

// seen describes what the prober saw, as offsets from the begin of the run.
func (p *probed) seen() string {
	var out []string
	for _, s := range p.spans {
		out = append(out, fmt.Sprintf("%.3f to %.3f s", s.from.Sub(p.T0).Seconds(), s.to.Sub(p.T0).Seconds()))
	}
	return strings.Join(out, ", ")
}

// recovers compares the recovery with the prober's.
func (p *probed) recovers(t *testing.T) {
	t.Helper()
	if len(p.spans) == 0 || !p.fault.RecoveredAt.Known() {
		t.Errorf("recovered at %g, and the prober saw %q", p.fault.RecoveredAt, p.seen())
		return
	}
	last := p.spans[0] // the one that ends as the fault does: later the machine may stall
	for _, s := range p.spans {
		if !s.from.After(p.at(p.fault.Cleared)) {
			last = s
		}
	}
	apart := p.at(p.fault.RecoveredAt).Sub(last.to)
	t.Logf("%s: recovered %.3f s after the injection, %.0f ms from the prober's time", p.Verdict, p.fault.Recover,
		apart.Seconds()*1000)
	if most := probedApart + max(0, last.quiet-probeEach-probeSlack); apart.Abs() > most {
		t.Errorf("recovered %s from the prober's time, want at most %s", apart, most)
	}
}

// valid requires that nothing of brunt failed.
func (p *probed) valid(t *testing.T) {
	t.Helper()
	if p.Verdict == scenarios.Invalid {
		t.Errorf("invalid: %s", p.Reason)
	}
}

// badPods lists the callers that answered bad probes.
func (p *probed) badPods() (out []string) {
	for _, one := range p.probes {
		if one.bad && one.pod != "" && !slices.Contains(out, one.pod) {
			out = append(out, one.pod)
		}
	}
	return out
}

// TestProber_Kube plays faults between four callers and four peers beside an independent prober, while what brunt
// depends on, or what it hits, changes.
func TestProber_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newProbedBed(t, agentProgram(t))
	const refuse = `http.error: {from: web, to: store, status: 500}`
	t.Run("all callers", func(t *testing.T) {
		p := b.play(t, refuse, "for: 6s,", 24, nil)
		p.valid(t)
		p.recovers(t)
	})
	t.Run("one caller", func(t *testing.T) {
		hit := b.unit4(t, "web", 1)
		p := b.play(t, `http.error: {from: "web[1]", to: store, status: 500}`, "for: 6s,", 24, nil)
		p.valid(t) // a quarter of so few requests decides nothing on a recovery
		other := slices.ContainsFunc(p.fault.Hit(), func(link string) bool { return !strings.HasPrefix(link, "web[1]->") })
		if bad := p.badPods(); !slices.Equal(bad, []string{hit}) || other {
			t.Errorf("brunt hit %v, which is %s; bad probes are of %v", p.fault.Hit(), hit, bad)
		}
	})
	address := b.peer
	b.peer = "store"
	t.Run("by the short name", func(t *testing.T) {
		p := b.play(t, `dns.fail: {service: web, pick: all, names: [store]}`, "for: 6s,", 24, nil)
		p.valid(t)
		p.recovers(t)
		if p.fault.Traffic == 0 || p.fault.Failed < 3*probedRate {
			t.Errorf("%d %s were hit, and %d requests failed", p.fault.Traffic, p.fault.TrafficUnit, p.fault.Failed)
		}
	})
	t.Run("a name that nobody asks", func(t *testing.T) {
		p := b.play(t, `dns.fail: {service: web, pick: all, names: [nobody]}`, "for: 4s,", 20, nil)
		if !p.fault.Cleared.Known() || len(p.spans) > 0 || p.fault.Failed > 0 {
			t.Errorf("%s, %d requests failed; the prober saw %q", p.fault.Impact, p.fault.Failed, p.seen())
		}
	})
	b.peer = address
	t.Run("the callers are rolled out", func(t *testing.T) {
		before := b.readyOf(t, "web", 4)
		p := b.play(t, refuse, "for: 20s,", 36, func(t *testing.T) { b.rollOut(t, "web") })
		p.valid(t)
		p.recovers(t)
		for i := range before {
			if !strings.Contains(p.text, "is gone, and the fault on it") {
				t.Errorf("nothing is said of the end of %s", before[i].Name)
			}
		}
		b.readyOf(t, "web", 4)
	})
	t.Run("the agent is deleted", func(t *testing.T) {
		p := b.play(t, refuse, "for: 24s,", 44, func(t *testing.T) { b.deleteForced(t, b.agents, "", cluster.AgentPart) })
		p.gap(t)
		p.recovers(t)
	})
	for _, outage := range []int{4, 20} {
		t.Run(fmt.Sprintf("the API is away for %d s", outage), func(t *testing.T) {
			p := b.play(t, refuse, "for: 40s,", 60, func(t *testing.T) {
				if out, err := exec.Command(os.Getenv("BRUNT_KUBE"), "outage", fmt.Sprint(outage)).CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			})
			switch {
			case outage < 10:
				p.valid(t)
			case strings.Contains(p.text, "fault.followed"):
				p.gap(t)
			// The agents end after 10 s, and kubelet hears of new ones up to 60 s after the outage: its client doubles its
			// pause to 30 s and adds as much again at random. A fault that is lost for longer than 10 s is over.
			case p.Verdict != scenarios.Invalid || !strings.Contains(p.text, "fault.void") || len(p.spans) != 1:
				t.Errorf("%s, and the prober saw %q", p.Verdict, p.seen())
			}
			p.recovers(t)
		})
	}
}

// TestProber_KubeMemory takes the memory of a caller until the kernel kills it, beside an independent prober: the end
// of the caller is the effect of the fault, and what its callers lack is its impact.
func TestProber_KubeMemory(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newProbedBed(t, agentProgram(t))
	if _, err := kube.Like(b.Cluster, b.web).Patch(t.Context(), b.web.Name, kube.Change{
		Op: "add", Path: "/spec/template/spec/containers/0/resources",
		Value: map[string]any{"limits": map[string]any{"memory": "96Mi"}, "requests": map[string]any{"memory": "32Mi"}},
	}); err != nil {
		t.Fatal(err)
	}
	b.readyOf(t, "web", 4)
	p := b.play(t, `stress.memory: {service: web, pick: one, percent: 100%, oom: unit}`, "for: 4s,", 24, nil)
	p.valid(t)
	skipped := slices.ContainsFunc(p.fault.Because, func(n result.Note) bool { return n.Kind == result.FaultSkipped })
	if skipped || !p.fault.Verified.Known() || !strings.Contains(p.fault.Evidence, "the kernel killed it") {
		t.Errorf("verified at %g: %q; %v", p.fault.Verified, p.fault.Evidence, p.fault.Because)
	}
	if len(p.spans) > 0 && p.fault.Failed == 0 {
		t.Errorf("%s; the prober saw %q", p.fault.Impact, p.seen())
	}
	t.Logf("%d requests failed: %s; the prober saw %q", p.fault.Failed, p.fault.Impact, p.seen())
}

// gap requires that the fault was lost and in again, that the result says when, and that the run is invalid.
func (p *probed) gap(t *testing.T) {
	t.Helper()
	missing := slices.ContainsFunc(p.fault.Because, func(n result.Note) bool { return n.Kind == result.FaultMissing })
	if p.Verdict != scenarios.Invalid || !p.fault.Injected.Known() || !missing {
		t.Errorf("%s, injected at %g, with %v", p.Verdict, p.fault.Injected, p.fault.Because)
	}
	in := slices.IndexFunc(p.spans, func(s span) bool { return s.from.After(p.at(p.fault.Cleared)) })
	if in < 0 {
		in = len(p.spans)
	}
	if in != 2 {
		t.Errorf("the prober saw %q, want the fault twice", p.seen())
	}
}

// unit4 is the name of the pod of a unit.
func (b *probedBed) unit4(t *testing.T, service string, slot int) string {
	t.Helper()
	pods := b.readyOf(t, service, 4)
	slices.SortFunc(pods, func(a, b kube.Pod) int {
		if c := a.CreationTimestamp.Compare(b.CreationTimestamp.Time); c != 0 {
			return c
		}
		return strings.Compare(a.Name, b.Name)
	})
	return pods[slot].Name
}

// rollOut replaces all pods of a deployment, as kubectl rollout restart does.
func (b *probedBed) rollOut(t *testing.T, name string) {
	t.Helper()
	of := b.web
	of.Name = name
	if _, err := kube.Like(b.Cluster, of).Patch(context.WithoutCancel(t.Context()), name, kube.Change{
		Op: "add", Path: "/spec/template/metadata/annotations", Value: map[string]string{"again": time.Now().String()},
	}); err != nil {
		t.Fatal(err)
	}
}
