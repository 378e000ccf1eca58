//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/scenarios/suite"

	"github.com/goccy/go-yaml"
)

// A podBed is a namespace of a cluster with a deployment of two pods, and a program of brunt's that breaks them.
type podBed struct {
	*kube.Cluster
	context    string // of the kubeconfig
	program    string
	scenario   string
	namespace  string
	kubeconfig string
	web        kube.Ref
}

// newPodBed makes a bed in a real cluster.
func newPodBed(t *testing.T, program string) *podBed {
	watchdog := "pod"
	if os.Getenv("BRUNT_KUBE") == "" { // nothing gives the cluster an image
		watchdog = "none"
	}
	return newPodBedIn(t, &podBed{program: program, kubeconfig: os.Getenv("BRUNT_KUBECONFIG"), context: "brunt-kube"},
		watchdog)
}

// newPodBedIn makes a bed in the cluster of a kubeconfig; watchdog is the setting of the target.
func newPodBedIn(t *testing.T, b *podBed, watchdog string) *podBed {
	b.scenario, b.namespace = filepath.Join(t.TempDir(), "s.yaml"), "pods-"+strings.ToLower(rand.Text()[:6])
	var err error
	if b.Cluster, err = kubeconfig.Open(kube.Address{Kubeconfig: b.kubeconfig}, kube.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	if _, err := kube.Namespaces(b.Cluster).Create(t.Context(),
		&kube.Namespace{ObjectMeta: kube.ObjectMeta{Name: b.namespace}},
		false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := kube.Namespaces(b.Cluster).Delete(context.WithoutCancel(t.Context()),
			b.namespace, kube.Deletion{}); err != nil {
			t.Error(err)
		}
	})
	b.web = kube.Ref{API: "apps/v1", Resource: "deployments", Namespace: b.namespace, Name: "web"}
	labels := map[string]any{"app": "web"}
	pods := map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
		"terminationGracePeriodSeconds": 1,
		"containers": []any{map[string]any{
			"name": "app", "image": "docker.io/library/brunt-kube-pause:1",
			"imagePullPolicy": "Never",
		}},
	}}
	if _, err := kube.Like(b.Cluster, b.web).Create(t.Context(), &kube.Raw{
		"metadata": map[string]any{"name": "web"},
		"spec":     map[string]any{"replicas": 2, "selector": map[string]any{"matchLabels": labels}, "template": pods},
	}, false); err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(srv.Close)
	text := strings.NewReplacer("URL", srv.URL, "NS", b.namespace, "WATCHDOG", watchdog, "CONTEXT",
		b.context).Replace(`version: 1
target: {url: "URL", kubernetes: {context: CONTEXT, namespace: NS, watchdog: WATCHDOG}}
guard: {allow: {chaos: [kubernetes/CONTEXT/NS], nodes: {kubernetes.io/os: linux}}}
load: {main: {executor: constant-arrival-rate, rate: 10/s, duration: 400s, flow: [{get: /}]}}
chaos:
  fail: {at: 5s, for: 100s, pod.fail: {service: web}}
  none: {at: 110s, for: 60s, workload.scale: {service: web, to: 0}}
  evict: {at: 180s, pod.evict: {service: web}}
  cordon: {at: 190s, for: 30s, node.cordon: {of: web}}
  fewer: {at: 300s, for: 20s, workload.scale: {service: web, to: 1}}
  quota: {at: 230s, for: 60s, kube.apply: {manifest: {apiVersion: v1, kind: ResourceQuota, metadata: {name: full}, spec: {hard: {services: "9"}}},
    until: {"$.status.hard.services": "9"}}}
`)
	if err := os.WriteFile(b.scenario, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	b.ready(t)
	return b
}

// before returns the scenario of the bed up to a key, such as "load:".
func (b *podBed) before(t *testing.T, key string) string {
	t.Helper()
	text, err := os.ReadFile(b.scenario)
	if err != nil {
		t.Fatal(err)
	}
	before, _, found := strings.Cut(string(text), key)
	if !found {
		t.Fatalf("the scenario has no %s", key)
	}
	return before
}

// scenarioOf writes a scenario to a file of its own.
func scenarioOf(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "s.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// clusterProgram builds brunt, and gives its image to the cluster.
func clusterProgram(t *testing.T) string {
	do := func(name string, args ...string) {
		t.Helper()
		if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	dir := t.TempDir()
	program, archive := filepath.Join(dir, "brunt"), filepath.Join(dir, "brunt.tar")
	do("go", "build", "-o", program, ".")
	if control := os.Getenv("BRUNT_KUBE"); control != "" {
		do(program, "image", "-o", archive)
		do(control, "load", archive)
	}
	return program
}

// left lists what of faults is in the cluster: marks on objects, and a quota.
func (b *podBed) left() (out []string, err error) {
	ctx := context.Background()
	for _, of := range []kube.Ref{
		{API: "v1", Resource: "pods", Namespace: b.namespace},
		b.web,
		{API: "v1", Resource: "resourcequotas", Namespace: b.namespace},
		{API: "v1", Resource: "nodes"},
	} {
		all, lerr := kube.Like(b.Cluster, of).List(ctx, kube.Query{})
		err = errors.Join(err, lerr)
		for _, o := range all {
			if len(o.Marks()) > 0 || of.Resource == "resourcequotas" {
				out = append(out, of.Resource+"/"+o.Text("metadata", "name"))
			}
		}
	}
	o, oerr := kube.Like(b.Cluster, b.web).Get(ctx, "web")
	if err = errors.Join(err, oerr); err == nil && o.Number("spec", "replicas") != 2 {
		out = append(out, "replicas")
	}
	return out, err
}

// ready waits until both pods are ready and nothing of a fault is left.
func (b *podBed) ready(t *testing.T) {
	t.Helper()
	var left []string // after an outage, the controllers of a cluster take up to a minute until they go on
	if !suite.Within(3*time.Minute, func() (ok bool) {
		var err error
		left, err = b.left()
		o, oerr := kube.Like(b.Cluster, b.web).Get(t.Context(), "web")
		return err == nil && oerr == nil && len(left) == 0 && o.Number("status", "readyReplicas") == 2
	}) {
		t.Fatalf("the pods are not ready as before; left: %q", left)
	}
}

// brunt runs a command with a state directory.
func (b *podBed) brunt(t *testing.T, state string, args ...string) (string, error) {
	t.Helper()
	c := exec.Command(b.program, args...)
	c.Env = append(os.Environ(), "BRUNT_STATE="+state, "BRUNT_POLICY=", "KUBECONFIG="+b.kubeconfig)
	out, err := c.CombinedOutput()
	return string(out), err
}

// start starts a command with a state directory, whose output a file receives.
func (b *podBed) start(t *testing.T, output, state string, args ...string) *exec.Cmd {
	t.Helper()
	file, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	c := exec.Command(b.program, args...)
	c.Env = append(os.Environ(), "BRUNT_STATE="+state, "BRUNT_POLICY=", "KUBECONFIG="+b.kubeconfig)
	c.Stdout, c.Stderr = file, file
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // where the test has failed before its end
		if c.ProcessState == nil {
			_ = c.Process.Signal(os.Interrupt)
			_ = c.Wait()
		}
		// the kernel has copies of its entries
		if left, _ := filepath.Glob(filepath.Join(state, "*.journal")); len(left) > 0 {
			if out, err := b.brunt(t, state, "revert"); err != nil {
				t.Errorf("%v\n%s", err, out)
			}
		}
	})
	return c
}

// in injects a fault until it is verified, and returns brunt and its run.
func (b *podBed) in(t *testing.T, state, fault string) (brunt *exec.Cmd, run string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "out")
	brunt = b.start(t, file, state, "inject", b.scenario, fault)
	suite.Until(t, "the fault is in", func() bool {
		text, err := os.ReadFile(file)
		return err == nil && strings.Contains(string(text), "fault.verified")
	})
	names, err := filepath.Glob(filepath.Join(state, "*.journal"))
	if err != nil || len(names) != 1 {
		t.Fatalf("journals %q, %v", names, err)
	}
	return brunt, strings.TrimSuffix(filepath.Base(names[0]), ".journal")
}

// children are the processes that a process has started.
func children(t *testing.T, pid int) (out []int) {
	t.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/status")
	if err != nil {
		t.Fatal(err)
	}
	parent := regexp.MustCompile(`(?m)^Pid:\s+(\d+)\n(?:.*\n)*?PPid:\s+` + strconv.Itoa(pid) + `\n`)
	for _, file := range all {
		if text, err := os.ReadFile(file); err == nil {
			if m := parent.FindSubmatch(text); m != nil {
				child, _ := strconv.Atoi(string(m[1]))
				out = append(out, child)
			}
		}
	}
	return out
}

// killBoth kills brunt and its watchdog on this machine, which can't act before, and returns how many watchdogs there
// were.
func killBoth(t *testing.T, brunt *exec.Cmd) int {
	t.Helper()
	_ = brunt.Process.Signal(syscall.SIGSTOP)
	own := children(t, brunt.Process.Pid)
	for _, pid := range own {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	_ = brunt.Process.Kill()
	_ = brunt.Wait()
	for _, pid := range own {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	return len(own)
}

// TestPods_KubeKilled kills brunt, then brunt and its watchdog, while a fault on pods is in: its watchdog, the journal
// or the marks in the cluster take it back.
func TestPods_KubeKilled(t *testing.T) {
	suite.Needs(t, suite.Kubernetes, suite.In("kube"))
	b := newPodBed(t, clusterProgram(t))
	for _, fault := range []string{"fail", "none"} {
		t.Run(fault+", brunt killed", func(t *testing.T) {
			brunt, _ := b.in(t, t.TempDir(), fault)
			_ = brunt.Process.Kill()
			_ = brunt.Wait()
			b.ready(t)
		})
		for _, how := range []string{"journal", "marks"} {
			t.Run(fault+", both killed, by the "+how, func(t *testing.T) {
				state := t.TempDir()
				brunt, run := b.in(t, state, fault)
				if killBoth(t, brunt) == 0 {
					t.Fatal("brunt has no watchdog")
				}
				args := []string{"revert"}
				if how == "marks" {
					state = t.TempDir()
					args = []string{"revert", "--discover", "--yes", "--context", "brunt-kube", "--namespace", b.namespace, run}
				}
				if out, err := b.brunt(t, state, args...); err != nil || !strings.Contains(out, "taken back") {
					t.Errorf("%v\n%s", err, out)
				}
				b.ready(t)
			})
		}
	}
}

// TestPods_KubeStays injects faults for longer than a fault may fail to follow its units: those that are changes of
// workloads and nodes stay, though pods come and go by them.
func TestPods_KubeStays(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newPodBed(t, clusterProgram(t))
	for _, fault := range []string{"none", "fewer", "fail", "cordon"} {
		t.Run(fault, func(t *testing.T) {
			out, err := b.brunt(t, t.TempDir(), "inject", b.scenario, fault, "--for", "14s")
			if err != nil || strings.Contains(out, "fault.void") || strings.Contains(out, "fault.followed") {
				t.Errorf("%v\n%s", err, out)
			}
			b.ready(t)
		})
	}
}

// TestPods_KubeAdmission has a LimitRange that the watchdog's pod is beyond: doctor, validate, a dry run and a run say
// so, and the run starts nothing.
func TestPods_KubeAdmission(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newPodBed(t, clusterProgram(t))
	of := kube.Ref{API: "v1", Resource: "limitranges", Namespace: b.namespace}
	if _, err := kube.Like(b.Cluster, of).Create(t.Context(), &kube.Raw{
		"metadata": map[string]any{"name": "small"},
		"spec": map[string]any{"limits": []any{
			map[string]any{"type": "Container", "max": map[string]any{"memory": "64Mi"}},
		}},
	}, false); err != nil {
		t.Fatal(err)
	}
	said := func(args ...string) (string, error) {
		out, err := b.brunt(t, t.TempDir(), args...)
		return strings.Join(strings.Fields(out), " "), err
	}
	suite.Until(t, "the limit holds", func() bool {
		out, _ := said("doctor", b.scenario)
		return strings.Contains(out, "watchdog in the cluster bad")
	})
	const want = "maximum memory usage per Container is 64Mi, but limit is 128Mi"
	b.refuses(t, b.scenario, want)
	if out, err := said("validate", b.scenario); err != nil || !strings.Contains(out, "the cluster was not asked") {
		t.Errorf("%v\n%s", err, out)
	}
	b.removed(t)
}

// refuses has doctor, validate, a dry run and a run refuse a scenario for a reason.
func (b *podBed) refuses(t *testing.T, file, why string) {
	t.Helper()
	for _, args := range [][]string{
		{"doctor", file},
		{"validate", "--cluster", file},
		{"run", file, "--dry-run"},
		{"run", file, "-o", filepath.Join(t.TempDir(), "report")},
	} {
		out, err := b.brunt(t, t.TempDir(), args...)
		if err == nil || !strings.Contains(strings.Join(strings.Fields(out), " "), why) {
			t.Errorf("brunt %s: %v, without %q\n%s", args[0], err, why, out)
		}
	}
}

// TestPods_KubeRefused has a disruption budget refuse an eviction, and a cluster that lacks one right of the roles that
// `brunt rbac` prints.
func TestPods_KubeRefused(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newPodBed(t, clusterProgram(t))
	two := kube.FromInt(2)
	if _, err := kube.Budgets(b.Cluster, b.namespace).Create(t.Context(), &kube.PodDisruptionBudget{
		ObjectMeta: kube.ObjectMeta{Name: "all"},
		Spec: kube.PodDisruptionBudgetSpec{
			MinAvailable: &two,
			Selector:     &kube.LabelSelector{MatchLabels: map[string]string{"app": "web"}},
		},
	}, false); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the budget is counted", func() bool {
		of, err := kube.Budgets(b.Cluster, b.namespace).Get(t.Context(), "all")
		return err == nil && of.Status.CurrentHealthy == 2
	})
	out, err := b.brunt(t, t.TempDir(), "inject", b.scenario, "evict")
	if err == nil || !strings.Contains(out, "the cluster refuses to evict the pod") ||
		!strings.Contains(out, "The disruption budget all needs 2 healthy pods") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := kube.Budgets(b.Cluster, b.namespace).Delete(t.Context(), "all", kube.Deletion{}); err != nil {
		t.Fatal(err)
	}

	roles := b.least(t)
	lacking := strings.Replace(roles, "  - pods/eviction\n  verbs:\n  - create\n",
		"  - pods/eviction\n  verbs:\n  - get\n", 1)
	if lacking == roles {
		t.Fatalf("no right to evict is in\n%s", roles)
	}
	b.apply(t, lacking)
	suite.Until(t, "the right is gone", func() bool {
		out, err = b.brunt(t, t.TempDir(), "run", b.scenario, "--dry-run")
		return err != nil
	})
	want := "create pods/eviction " + b.namespace + " the fault evict"
	want = "verbs resource namespace for " + want + " `brunt"
	if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
		t.Errorf("without one right:\n%s", out)
	}
}

// least has the bed act as a user with no more than the roles that `brunt rbac` prints for its scenario, and returns
// these.
func (b *podBed) least(t *testing.T) (roles string) {
	t.Helper()
	user := "ann-" + b.namespace
	roles, err := b.brunt(t, t.TempDir(), "rbac", b.scenario, "--for", user)
	if err != nil {
		t.Fatalf("%v\n%s", err, roles)
	}
	roles = strings.ReplaceAll(roles, "  name: brunt\n", "  name: "+b.namespace+"\n")
	b.apply(t, roles)
	text, err := os.ReadFile(os.Getenv("BRUNT_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	as := filepath.Join(t.TempDir(), "config")
	text = bytes.Replace(text, []byte("user: {client-certificate-data"),
		[]byte("user: {as: "+user+", client-certificate-data"), 1)
	if err := os.WriteFile(as, text, 0o600); err != nil {
		t.Fatal(err)
	}
	b.kubeconfig = as
	out := ""
	if !suite.Within(time.Minute, func() bool {
		out, err = b.brunt(t, t.TempDir(), "run", b.scenario, "--dry-run")
		return err == nil
	}) {
		t.Fatalf("the roles do not suffice: %v\n%s", err, out)
	}
	return roles
}

// TestPods_KubeUnmet has scenarios that a cluster would not let run, each for one reason: doctor, validate, a dry run
// and a run say it, and the run starts nothing.
func TestPods_KubeUnmet(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newAgentBed(t)
	two := b.web
	two.Name = "two"
	labels := map[string]any{"app": "two"}
	container := func(name string) map[string]any {
		return map[string]any{
			"name": name, "image": "docker.io/library/brunt-kube-pause:1", "imagePullPolicy": "Never",
		}
	}
	if _, err := kube.Like(b.Cluster, two).Create(t.Context(), &kube.Raw{
		"metadata": map[string]any{"name": "two"},
		"spec": map[string]any{
			"replicas": 1, "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels}, "spec": map[string]any{
				"terminationGracePeriodSeconds": 1, "containers": []any{container("app"), container("mesh")},
			}},
		},
	}, false); err != nil {
		t.Fatal(err)
	}
	defer b.autoscaler(t, 4)()
	before := b.before(t, "load:")
	const load = "\nload: {main: {executor: constant-arrival-rate, rate: 10/s, duration: 8s, flow: [{get: /}]}}\n"
	for _, c := range []struct{ name, text, want string }{
		{
			"an autoscaler that would take the fault back",
			before + load + "chaos: {fewer: {at: 2s, for: 2s, workload.scale: {service: web, to: 1}}}\n",
			"the autoscaler web-4 sets the number of pods of",
		},
		{
			"a pod of two containers", before + load + "chaos: {hit: {at: 2s, for: 2s, process.freeze: {service: two}}}\n",
			"has the containers app, mesh: name one by target.kubernetes.services.NAME.container",
		},
		{
			"a namespace that is not there", strings.ReplaceAll(before, b.namespace, "absent") + load +
				"chaos: {hit: {at: 2s, for: 2s, process.freeze: {service: web}}}\n", `there is no namespace "absent"`,
		},
		{
			"a pod without a known port", before + load + "watch: {role: {of: two, path: /role}}\n",
			"two[0]: no port is known at which its pods are asked",
		},
		{
			"a watch of no unit", before + load + "watch: {role: {of: wep, path: /role}}\n",
			"the watch role asks wep, and there is no such unit",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			b.refuses(t, scenarioOf(t, c.text), c.want)
			b.unmanned(t)
			b.removed(t)
		})
	}
}

// apply creates the roles and bindings of a manifest, or replaces their rules.
func (b *podBed) apply(t *testing.T, manifest string) {
	t.Helper()
	for text := range strings.SplitSeq(manifest, "---\n") {
		var o kube.Raw
		if err := yaml.Unmarshal([]byte(text), &o); err != nil {
			t.Fatal(err)
		}
		if o == nil {
			continue
		}
		r := kube.Ref{
			API: "rbac.authorization.k8s.io/v1", Resource: strings.ToLower(o.Text("kind")) + "s",
			Namespace: o.Text("metadata", "namespace"), Name: o.Text("metadata", "name"),
		}
		_, err := kube.Like(b.Cluster, r).Create(t.Context(), &o, false)
		if kube.Is(err, kube.AlreadyExists) {
			err = nil
			if r.Resource == "roles" {
				_, err = kube.Like(b.Cluster, r).Patch(t.Context(),
					r.Name, kube.Change{Op: "replace", Path: "/rules", Value: o["rules"]})
			}
		} else if err == nil {
			t.Cleanup(func() {
				_ = kube.Like(b.Cluster, r).Delete(context.WithoutCancel(t.Context()), r.Name, kube.Deletion{})
			})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
