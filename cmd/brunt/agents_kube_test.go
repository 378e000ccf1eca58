//go:build unix

package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"brunt/chaos/cluster"
	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/scenarios"
	"brunt/scenarios/suite"
)

// An agentBed is a bed whose pods answer: two of web and two of store, behind a service. Its agents have a namespace of
// their own.
type agentBed struct {
	*podBed
	agents string
	first  *kube.Pod // the first unit of web, where a test keeps it
}

// loadVictim gives the cluster an image of a program that answers.
func loadVictim(t *testing.T, program string) {
	t.Helper()
	dir := t.TempDir()
	victim, archive := filepath.Join(dir, "victim"), filepath.Join(dir, "victim.tar")
	for _, args := range [][]string{
		{"go", "build", "-o", victim, "brunt/chaos/chaostest/victim"},
		{program, "image", "--program", victim, "--name", "brunt-victim:1", "-o", archive},
		{os.Getenv("BRUNT_KUBE"), "load", archive},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%q: %v\n%s", args, err, out)
		}
	}
}

// namespaceFor makes a namespace, with labels, for the time of the test.
func (b *podBed) namespaceFor(t *testing.T, name string, labels map[string]string) string {
	t.Helper()
	name += strings.ToLower(rand.Text()[:6])
	if _, err := kube.Namespaces(b.Cluster).Create(t.Context(),
		&kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: name, Labels: labels}}, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kube.Namespaces(b.Cluster).Delete(context.WithoutCancel(t.Context()), name, kube.Deletion{}); err != nil {
			t.Error(err)
		}
	})
	return name
}

// newAgentBed makes a bed in a real cluster.
func newAgentBed(t *testing.T) *agentBed { return newAgentBedOf(t, agentProgram(t)) }

// agentProgram builds brunt, and gives the cluster its image and the victim's.
func agentProgram(t *testing.T) string {
	program := clusterProgram(t)
	if os.Getenv("BRUNT_KUBE") == "" {
		t.Skip("BRUNT_KUBE names no program that gives a cluster images: .ci/kube test does")
	}
	loadVictim(t, program)
	return program
}

// newAgentBedOf makes a bed for a program whose image the cluster has.
func newAgentBedOf(t *testing.T, program string) *agentBed {
	b := &agentBed{podBed: &podBed{program: program, kubeconfig: os.Getenv("BRUNT_KUBECONFIG"), context: "brunt-kube"}}
	b.scenario = filepath.Join(t.TempDir(), "s.yaml")
	var err error
	if b.Cluster, err = kubeconfig.Open(kube.Address{Kubeconfig: b.kubeconfig}, kube.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	b.agents = b.namespaceFor(t, "agents-", map[string]string{"pod-security.kubernetes.io/enforce": "privileged"})
	b.namespace = b.namespaceFor(t, "hit-", nil)
	b.web = kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: b.namespace, Name: "web"}
	for _, name := range []string{"web", "store"} {
		labels := map[string]any{"app": name}
		pods := map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
			"terminationGracePeriodSeconds": 1, "dnsPolicy": "None",
			"dnsConfig": map[string]any{"nameservers": []any{"198.18.77.1"}},
			"containers": []any{map[string]any{
				"name": "app", "image": "docker.io/library/brunt-victim:1", "imagePullPolicy": "Never",
				"ports":          []any{map[string]any{"containerPort": 8080}},
				"readinessProbe": map[string]any{"httpGet": map[string]any{"path": "/", "port": 8080}, "periodSeconds": 1},
			}},
		}}
		of := b.web
		of.Name = name
		if _, err := kube.Like(b.Cluster, of).Create(t.Context(), &kube.Raw{
			"metadata": map[string]any{"name": name},
			"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": pods},
		}, false); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := kube.Services(b.Cluster, b.namespace).Create(t.Context(), &kube.Service{
		ObjectMeta: kube.ObjectMeta{Name: "store"},
		Spec: kube.ServiceSpec{
			Selector: map[string]string{"app": "store"},
			Ports:    []kube.ServicePort{{Port: 80, TargetPort: kube.FromInt(8080)}},
		},
	}, false); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	text := strings.NewReplacer("URL", srv.URL, "NS", b.namespace, "AGENTS", b.agents).Replace(`version: 1
target: {url: "URL", kubernetes: {context: brunt-kube, namespace: NS, agent_namespace: AGENTS}}
guard: {allow: {chaos: [kubernetes/brunt-kube/NS]}}
load: {main: {executor: constant-arrival-rate, rate: 10/s, duration: 900s, flow: [{get: /}]}}
chaos:
  freeze: {at: 5s, for: 100s, process.freeze: {unit: "web[0]"}}
  crash: {at: 110s, process.crash: {service: web}}
  slow: {at: 120s, for: 50s, network.latency: {from: web, to: store, delay: 100ms}}
  cut: {at: 180s, for: 50s, network.partition: {from: "web[0]", to: store}}
  lossy: {at: 240s, for: 50s, network.loss: {unit: "web[0]", percent: 40%}}
  dead: {at: 300s, for: 50s, network.blackhole: {unit: "web[0]"}}
  dns: {at: 360s, for: 50s, dns.spoof: {unit: "web[0]", answers: 192.0.2.1}}
  skew: {at: 420s, for: 50s, time.skew: {unit: "web[0]", offset: 1h}}
  files: {at: 480s, for: 50s, fd.exhaust: {unit: "web[0]"}}
  refused: {at: 30s, for: 50s, http.error: {from: "web[0]", to: store, status: 500, body: broken}}
  late: {at: 90s, for: 15s, http.delay: {from: web, to: store, delay: 300ms}}
  call: {at: 108s, for: 10s, grpc.error: {from: "web[0]", to: store, status: ABORTED}}
  redis: {at: 172s, for: 5s, redis.error: {from: "web[0]", to: store, command: GET}}
  sql: {at: 232s, for: 5s, sql.error: {from: "web[0]", to: store, sqlstate: "40001"}}
  close: {at: 292s, for: 5s, tcp.slow_close: {from: "web[0]", to: store, delay: 200ms}}
  limit: {at: 352s, for: 5s, tcp.limit: {from: "web[0]", to: store, bytes: 1KiB}}
  throttle: {at: 590s, for: 50s, cpu.throttle: {unit: "web[0]", share: 20%}}
  memory: {at: 650s, for: 50s, memory.limit: {unit: "web[0]", bytes: 96MiB}}
  one: {at: 540s, for: 50s, network.latency: {from: web, to: "store[0]", delay: 100ms}}
  alone: {at: 710s, for: 50s, network.latency: {service: web, pick: one, delay: 100ms}}
  after: {at: 770s, for: 50s, network.latency: {service: web, pick: one, follow: yes, delay: 100ms}}
`)
	if err := os.WriteFile(b.scenario, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.answering(t)
	return b
}

// answering waits until all pods are ready, which takes minutes where the controllers of the cluster begin again, or
// where the machine is busy.
func (b *agentBed) answering(t *testing.T) {
	t.Helper()
	if !suite.Within(3*time.Minute, func() bool {
		pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{Labels: "app"})
		ready := 0
		for i := range pods {
			if cluster.IsReady(&pods[i]) && pods[i].DeletionTimestamp == nil {
				ready++
			}
		}
		return err == nil && ready == 4
	}) {
		t.Fatal("the pods are not ready")
	}
}

// unit is the pod of a unit of a deployment, as brunt numbers them.
func (b *agentBed) unit(t *testing.T, service string, slot int) *kube.Pod {
	t.Helper()
	pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{Labels: "app=" + service})
	if err != nil || len(pods) != 2 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	first := pods[0].CreationTimestamp.Before(pods[1].CreationTimestamp.Time) ||
		pods[0].CreationTimestamp.Equal(pods[1].CreationTimestamp.Time) && pods[0].Name < pods[1].Name
	if (slot == 0) == first {
		return &pods[0]
	}
	return &pods[1]
}

// within is a process of a pod, which this machine sees too.
func within(t *testing.T, pod *kube.Pod) string {
	t.Helper()
	files, _ := filepath.Glob("/proc/[0-9]*/cgroup")
	for _, file := range files {
		text, err := os.ReadFile(file)
		pid := filepath.Base(filepath.Dir(file))
		name, _ := os.ReadFile("/proc/" + pid + "/cmdline")
		if err == nil && strings.Contains(string(text), "pod"+string(pod.UID)) && strings.HasPrefix(string(name), "/brunt") {
			return pid
		}
	}
	t.Skip("the processes of the cluster's pods are not seen from here, which says what is left")
	return ""
}

// leftAt is what of a fault is at a pod: of its process, or of its network.
func (b *agentBed) leftAt(t *testing.T, pod *kube.Pod) string {
	t.Helper()
	pid := within(t, pod)
	var out []string
	status, _ := os.ReadFile("/proc/" + pid + "/status")
	if regexp.MustCompile(`(?m)^State:\s+T`).Match(status) {
		out = append(out, "stopped")
	}
	for _, args := range [][]string{{"nft", "list", "tables"}, {"tc", "qdisc", "show", "dev", "eth0"}} {
		text, err := exec.Command("nsenter", append([]string{"-t", pid, "-n"}, args...)...).CombinedOutput()
		if s := strings.TrimSpace(string(text)); err == nil && s != "" && !strings.HasPrefix(s, "qdisc noqueue") {
			out = append(out, s)
		}
	}
	return strings.Join(out, ", ")
}

// clean waits until nothing is left at the pods, and returns how long that took: until the begin of the look that found
// nothing, since on a busy machine a look takes seconds.
func (b *agentBed) clean(t *testing.T, since time.Time, most time.Duration) time.Duration {
	t.Helper()
	left, took := "", time.Duration(0)
	pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{Labels: "app"})
	if err != nil {
		t.Fatal(err)
	}
	if !suite.Within(most+30*time.Second, func() bool {
		left, took = "", time.Since(since)
		for i := range pods {
			left += b.leftAt(t, &pods[i])
		}
		return left == ""
	}) {
		t.Fatalf("left: %s", left)
	}
	if took > most {
		t.Errorf("everything was taken back after %.1f s, want at most %s", took.Seconds(), most)
	}
	return took
}

// unmanned waits until no pod of an agent is there, and no role.
func (b *agentBed) unmanned(t *testing.T) {
	t.Helper()
	b.unmannedOnce(t)
	roles, err := kube.Roles(b.Cluster, b.agents).List(t.Context(), kube.Query{})
	if err != nil || len(roles) > 0 && !suite.Within(30*time.Second, func() bool {
		roles, err = kube.Roles(b.Cluster, b.agents).List(t.Context(), kube.Query{})
		return err == nil && len(roles) == 0
	}) {
		t.Errorf("%d roles are left in the namespace of the agents, %v", len(roles), err)
	}
}

// TestAgents_Kube injects faults that agents make, each of which is verified, and of which nothing is left.
func TestAgents_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newAgentBed(t)
	if out, err := b.brunt(t, t.TempDir(), "doctor", b.scenario); !strings.Contains(out,
		"admitted in the namespace "+b.agents) {
		t.Errorf("%v\n%s", err, out)
	}
	for _, fault := range []string{
		"freeze", "crash", "slow", "cut", "lossy", "dead", "dns", "skew", "files",
		"refused", "late", "call", "redis", "sql", "close", "limit",
	} {
		t.Run(fault, func(t *testing.T) {
			args := []string{"inject", b.scenario, fault}
			if fault != "crash" {
				args = append(args, "--for", "2s")
			}
			out, err := b.brunt(t, t.TempDir(), args...)
			if err != nil || !strings.Contains(out, "fault.verified") || !strings.Contains(out, "fault.cleared") {
				t.Errorf("%v\n%s", err, out)
			}
			b.clean(t, time.Now(), time.Second)
			b.unmanned(t)
			b.answering(t)
		})
	}
	t.Run("one of a service", func(t *testing.T) { // its callers' packets bear the address of the service
		out, err := b.brunt(t, t.TempDir(), "inject", b.scenario, "one", "--for", "2s")
		if err == nil || !strings.Contains(out, "which its callers can't tell apart") ||
			strings.Contains(out, "fault.injected") {
			t.Errorf("%v\n%s", err, out)
		}
		b.unmanned(t)
	})
	t.Run("the namespace of the agents is not there", func(t *testing.T) {
		text, err := os.ReadFile(b.scenario)
		if err != nil {
			t.Fatal(err)
		}
		file := scenarioOf(t, strings.Replace(string(text), b.agents, "absent", 1))
		out, err := b.brunt(t, t.TempDir(), "inject", file, "freeze", "--for", "2s")
		if err == nil || strings.Contains(out, "fault.injected") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// Bounds of what takes back what agents did.
const (
	byOwn    = 5 * time.Second  // brunt's watchdog on its machine
	bySilent = 15 * time.Second // 10 s of silence, and what a busy machine adds
)

// TestAgents_KubeKilled is the table of what may die while a fault of an agent is in: in the end nothing is left.
func TestAgents_KubeKilled(t *testing.T) {
	suite.Needs(t, suite.Kubernetes, suite.In("kube"))
	b := newAgentBed(t)
	for _, fault := range []string{"freeze", "slow", "lossy"} {
		t.Run(fault+", brunt killed", func(t *testing.T) {
			brunt, _ := b.in(t, t.TempDir(), fault)
			if b.leftAt(t, b.unit(t, "web", 0)) == "" {
				t.Fatal("nothing is seen of the fault")
			}
			at := time.Now()
			_ = brunt.Process.Kill()
			_ = brunt.Wait()
			t.Logf("taken back after %.2f s", b.clean(t, at, byOwn).Seconds())
			b.over(t)
		})
		t.Run(fault+", both killed", func(t *testing.T) {
			brunt, _ := b.in(t, t.TempDir(), fault)
			at := time.Now()
			killBoth(t, brunt)
			t.Logf("taken back after %.2f s", b.clean(t, at, bySilent).Seconds())
			b.over(t)
		})
		t.Run(fault+", the agent deleted by force", func(t *testing.T) { b.agentDead(t, fault, false) })
		t.Run(fault+", the agent killed", func(t *testing.T) { b.agentDead(t, fault, true) })
		t.Run(fault+", all killed", func(t *testing.T) {
			brunt, _ := b.in(t, t.TempDir(), fault)
			at := time.Now()
			b.killAgent(t)
			killBoth(t, brunt)
			t.Logf("taken back after %.2f s", b.clean(t, at, 2*bySilent).Seconds())
			b.over(t)
		})
	}
}

// over waits until nothing of a run is left, after the end of its brunt.
func (b *agentBed) over(t *testing.T) {
	t.Helper()
	b.unmannedOnce(t)
	b.revertThere(t)
	b.removed(t)
	b.unmanned(t)
	b.answering(t)
}

// unmannedOnce waits until no pod of an agent is there, which is before the watchdog of the run ends.
func (b *agentBed) unmannedOnce(t *testing.T) {
	t.Helper()
	suite.Until(t, "no pod of an agent is left", func() bool {
		pods, err := kube.Pods(b.Cluster, b.agents).List(t.Context(), kube.Query{})
		return err == nil && len(pods) == 0
	})
}

// killAgent kills the process of the agent, which can take nothing back then.
func (b *agentBed) killAgent(t *testing.T) {
	t.Helper()
	pods, err := kube.Pods(b.Cluster, b.agents).List(t.Context(), kube.Query{})
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d agents, %v", len(pods), err)
	}
	if out, err := exec.Command("kill", "-KILL", within(t, &pods[0])).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// agentDead ends the agent while brunt goes on: nothing is left, and the fault goes on by another agent or was over
// early. In both cases it was not in for its time.
func (b *agentBed) agentDead(t *testing.T, fault string, killed bool) {
	out := b.begin(t, fault, "--for", "8s")
	at := time.Now()
	most := byOwn
	if killed {
		b.killAgent(t)
		most = 2 * bySilent // what the kernel does not hold, brunt takes back by another agent when the fault is to end
	} else {
		pods, err := kube.Pods(b.Cluster, b.agents).List(t.Context(), kube.Query{})
		if err != nil || len(pods) != 1 {
			t.Fatalf("%d agents, %v", len(pods), err)
		}
		if err := kube.Pods(b.Cluster, b.agents).Delete(t.Context(), pods[0].Name, kube.Deletion{Now: true}); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("taken back after %.2f s", b.clean(t, at, most).Seconds())
	code, text := out.wait(t), out.text(t)
	lost := "over before its time, after "
	if strings.Contains(text, " joined: ") {
		lost = "was not in for all of its time: not on web[0] from "
	}
	if code != scenarios.Invalid.ExitCode() || !strings.Contains(text, "has ended, and the fault with it") ||
		!strings.Contains(text, lost) {
		t.Errorf("exit code %d, without %q\n%s", code, lost, text)
	}
	b.unmanned(t)
	b.removed(t)
	b.answering(t)
}
