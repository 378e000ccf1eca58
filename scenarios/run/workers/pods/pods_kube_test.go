package pods_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/chaos/kube"
	"brunt/chaos/kube/kubeconfig"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"

	"github.com/goccy/go-yaml"
)

// A bed is a real cluster that has the image of a brunt, and a server on this machine that pods reach and that counts.
type bed struct {
	*kube.Cluster
	program   string
	control   string // kills the API server
	host      string // that pods reach this machine by
	url       string
	namespace string

	mu           sync.Mutex
	seen         map[string]int         // requests, by path
	first        map[string]time.Time   // when each path was first asked for
	last         time.Time              // of the last request
	from, seenBy map[string][]time.Time // of the requests, by the connection; and those of the last count
}

// newBed builds brunt, and gives its image to the cluster. The namespace admits only what passes the restricted level
// of pod security.
func newBed(t *testing.T) *bed {
	b := &bed{
		control: os.Getenv("BRUNT_KUBE"), host: os.Getenv("BRUNT_KUBE_HOST"), seen: map[string]int{},
		first: map[string]time.Time{}, from: map[string][]time.Time{},
		namespace: "brunt-workers-" + strings.ToLower(rand.Text()[:6]),
	}
	if b.control == "" {
		t.Skip("BRUNT_KUBE names no program that gives a cluster images: .ci/kube test does")
	}
	t.Setenv("KUBECONFIG", os.Getenv("BRUNT_KUBECONFIG"))
	t.Setenv("CGO_ENABLED", "0")
	b.program = filepath.Join(t.TempDir(), "brunt")
	b.do(t, "go", "build", "-o", b.program, "brunt/cmd/brunt")
	archive := filepath.Join(t.TempDir(), "brunt.tar")
	b.do(t, b.program, "image", "-o", archive)
	b.do(t, b.control, "load", archive)
	var err error
	if b.Cluster, err = kubeconfig.Open(kube.Address{}, kube.Options{}); err != nil {
		t.Fatal(err)
	}
	ns := &kube.Namespace{ObjectMeta: kube.ObjectMeta{
		Name:   b.namespace,
		Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	if _, err := kube.Namespaces(b.Cluster).Create(t.Context(), ns, false); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		if err := kube.Namespaces(b.Cluster).Delete(ctx, b.namespace, kube.Deletion{}); err != nil {
			t.Error(err)
		}
		b.Close()
	})
	suite.Until(t, "the namespace takes pods", func() bool {
		pod := &kube.Pod{
			ObjectMeta: kube.ObjectMeta{Name: "dry"}, Spec: kube.PodSpec{Containers: []kube.Container{{Name: "a", Image: "b"}}},
		}
		_, err := kube.Pods(b.Cluster, b.namespace).Create(t.Context(), pod, true)
		return err != nil && strings.Contains(err.Error(), "PodSecurity") // and lacks no service account
	})
	l, err := net.Listen("tcp", net.JoinHostPort(b.host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	b.url = "http://" + l.Addr().String()
	srv := &http.Server{Handler: b}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	return b
}

func (b *bed) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	b.seen[r.URL.Path+" "+r.Header.Get("X-Token")]++
	b.last = time.Now()
	b.from[r.RemoteAddr] = append(b.from[r.RemoteAddr], b.last)
	if _, ok := b.first[r.URL.Path]; !ok {
		b.first[r.URL.Path] = b.last
	}
	b.mu.Unlock()
	if n, err := strconv.Atoi(path.Base(r.URL.Path)); err == nil && n%7 == 6 && strings.HasPrefix(r.URL.Path, "/even/") {
		w.WriteHeader(http.StatusServiceUnavailable) // what is answered depends on what is asked alone
	}
	fmt.Fprint(w, `{"token": "t1"}`)
}

// served is how many requests the server has seen, and forgets them.
func (b *bed) served() (n int, by map[string]int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	by, b.seen = b.seen, map[string]int{}
	b.seenBy, b.from = b.from, map[string][]time.Time{}
	for _, of := range by {
		n += of
	}
	return n, by
}

func (b *bed) do(t *testing.T, name string, args ...string) {
	t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// A trial is a run of brunt.
type trial struct {
	cmd  *exec.Cmd
	dir  string
	out  strings.Builder
	code int
}

// start starts a run of a load with three pods; workers are more settings of them, and load of the load.
func (b *bed) start(t *testing.T, workers, load, more string) *trial {
	return b.startIn(t, workers, load, more, "198.18.77.2")
}

// startIn starts a run whose workers may only be in the cluster at an address.
func (b *bed) startIn(t *testing.T, workers, load, more, cluster string) *trial {
	r := &trial{dir: t.TempDir()}
	if !strings.Contains(workers, "cpu") {
		workers = strings.TrimPrefix(workers+", cpu: 0.05", ", ")
	}
	text := fmt.Sprintf(`
version: 1
seed: 5
target: {url: "%s"}
workers: {count: 3, on: kubernetes, namespace: %s, memory: 256MiB, %s}
guard: {allow: {load: ["%s"], chaos: ["%s"]}}
load:
  main: {executor: constant-arrival-rate, %s}
%s`, b.url, b.namespace, workers, b.host, cluster, load, more)
	if err := os.WriteFile(filepath.Join(r.dir, "s.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	r.cmd = exec.Command(b.program, "run", "s.yaml", "-o", "out")
	r.cmd.Dir, r.cmd.Stdout, r.cmd.Stderr = r.dir, &r.out, &r.out
	r.cmd.Env = append(os.Environ(), "BRUNT_STATE="+t.TempDir(), "PATH_PART=row", "BRUNT_POLICY=")
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // where the test has failed before its end
		if r.cmd.ProcessState == nil {
			_ = r.cmd.Process.Signal(os.Interrupt)
			_ = r.cmd.Wait()
		}
	})
	return r
}

// wait waits for the end of a run, and returns its result. Nothing of it is in the cluster then.
func (b *bed) wait(t *testing.T, r *trial) *result.Result {
	t.Helper()
	_ = r.cmd.Wait()
	r.code = r.cmd.ProcessState.ExitCode()
	text, err := os.ReadFile(filepath.Join(r.dir, "out", "result.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, r.out.String())
	}
	res := &result.Result{}
	if err := json.Unmarshal(text, res); err != nil {
		t.Fatal(err)
	}
	b.empty(t)
	return res
}

// empty checks that the namespace has no Job and no pod.
func (b *bed) empty(t *testing.T) {
	t.Helper()
	jobs, err := kube.Jobs(b.Cluster, b.namespace).List(t.Context(), kube.Query{})
	pods, second := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{})
	if err != nil || second != nil || len(jobs)+len(pods) > 0 {
		t.Errorf("%d jobs and %d pods are left, %v, %v", len(jobs), len(pods), err, second)
	}
}

// begun waits until the server has seen a request.
func (b *bed) begun(t *testing.T) {
	t.Helper()
	if !suite.Within(90*time.Second, func() bool { b.mu.Lock(); defer b.mu.Unlock(); return len(b.seen) > 0 }) {
		t.Fatal("the load did not begin")
	}
}

// sums are what the workers of a run owed, reported, lost and were unsure of.
func sums(res *result.Result) (owed, reported, lost, unsure int64) {
	for _, w := range res.Workers {
		owed, reported, lost, unsure = owed+w.Owed, reported+w.Reported, lost+w.Lost, unsure+w.Unsure
	}
	return
}

// whole checks that a run passed, and that its figures are what the server has seen.
func (b *bed) whole(t *testing.T, r *trial, res *result.Result, want int) map[string]int {
	t.Helper()
	n, by := b.served()
	owed, reported, lost, _ := sums(res)
	if r.code != 0 || len(res.Workers) != 3 || owed != int64(want) || reported != int64(want) || lost != 0 || n != want {
		t.Errorf("exit code %d, %d workers owed %d, reported %d, lost %d, and the server saw %d, want %d\n%s", r.code,
			len(res.Workers), owed, reported, lost, n,
			want, r.out.String())
		for from, at := range b.seenBy {
			t.Logf("%d from %s, %s to %s", len(at), from, at[0].Format(time.StampMilli),
				at[len(at)-1].Format(time.StampMilli))
		}
	}
	return by
}

func TestPods_Kube(t *testing.T) {
	suite.Needs(t, suite.Kubernetes)
	b := newBed(t)
	t.Run("whole", b.wholeRun)
	t.Run("deleted", b.deleted)
	t.Run("stop", b.stop)
	t.Run("unschedulable", b.unschedulable)
	t.Run("no image", b.noImage)
	t.Run("a service", b.service)
	t.Run("another cluster", b.notAllowed)
	t.Run("environment", b.environment)
	t.Run("killed", b.killed)
	t.Run("rights", b.rights)
	t.Run("out of memory", b.outOfMemory)
	t.Run("kubelet hangs", b.hang)
	// The controllers of the cluster take up to half a minute until they go on after an outage, so these come last.
	t.Run("outage 2 s", func(t *testing.T) { b.outage(t, 2, "") })
	t.Run("outage 10 s", func(t *testing.T) { b.outage(t, 10, "") })
	t.Run("outage 40 s", func(t *testing.T) { b.outage(t, 40, "patience: 1m") })
	t.Run("outage of more than their patience", b.tooLong)
}

// wholeRun has data, variables of setup and of the environment, and files reach the pods: what they report is what the
// server saw.
func (b *bed) wholeRun(t *testing.T) {
	r := b.start(t, "",
		`rate: 60/s, duration: 5s, flow: [{get: "/${env.PATH_PART}/${data.n.value}", headers: {X-Token: "${var.token}"}}]`, `
setup: [{get: /login, extract: {token: "$.token"}}]
data: {n: {range: 1..400, pick: unique}}
slo: [errors < 1%]
`)
	res := b.wait(t, r)
	b.mu.Lock()
	delete(b.seen, "/login ")
	b.mu.Unlock()
	by := b.whole(t, r, res, 300)
	for path, n := range by {
		if n != 1 || !strings.HasPrefix(path, "/row/") || !strings.HasSuffix(path, " t1") {
			t.Errorf("%d times %q", n, path)
		}
	}
	for _, w := range res.Workers {
		if w.Pod == "" || w.Node == "" || w.Clock <= 0 || w.Clock > .01 {
			t.Errorf("worker %d: pod %q on %q, its clock known to %v s", w.N, w.Pod, w.Node, w.Clock)
		}
		t.Logf("worker %d: clock known to %.3f ms, p99 lag %.2f ms", w.N, float64(w.Clock)*1e3, float64(w.Lag)*1e3)
	}
}

// outage kills the API server for some seconds in the middle of the load.
func (b *bed) outage(t *testing.T, seconds int, workers string) {
	r := b.start(t, workers, fmt.Sprintf("rate: 100/s, duration: %ds, flow: [{get: /}]", seconds+6),
		"slo: [errors < 1%]\n")
	b.begun(t)
	b.do(t, b.control, "outage", fmt.Sprint(seconds))
	b.whole(t, r, b.wait(t, r), 100*(seconds+6))
}

// tooLong kills the API server for longer than the workers bear: they end, and the run says what it does not know.
func (b *bed) tooLong(t *testing.T) {
	r := b.start(t, "patience: 5s", "rate: 100/s, duration: 20s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	b.do(t, b.control, "outage", "15")
	res := b.wait(t, r)
	n, _ := b.served()
	_, reported, lost, unsure := sums(res)
	if r.code != 5 || lost == 0 || int64(n) < reported || int64(n) > reported+unsure || n > 100*20/2 {
		t.Errorf("exit code %d, reported %d, lost %d, unsure of %d, the server saw %d\n%s", r.code, reported, lost, unsure, n,
			r.out.String())
	}
	for _, w := range res.Workers {
		if !strings.Contains(w.LostWhy, "was not reached for 5s") {
			t.Errorf("worker %d: %s", w.N, w.LostWhy)
		}
	}
}

// hang stops kubelet, through which the run speaks to its workers, for some seconds in the middle of the load.
func (b *bed) hang(t *testing.T) {
	r := b.start(t, "", "rate: 100/s, duration: 12s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	b.do(t, b.control, "hang", "5")
	b.whole(t, r, b.wait(t, r), 1200)
}

// outOfMemory takes the memory from a pod until the kernel ends it: its share is lost, and the reason is that of the
// cluster.
func (b *bed) outOfMemory(t *testing.T) {
	r := b.start(t, "", "rate: 300/s, duration: 12s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	uid, limit := string(b.pod(t, 1).UID), ""
	_ = filepath.WalkDir("/sys/fs/cgroup/memory", func(name string, _ fs.DirEntry, _ error) error {
		if strings.Contains(name, uid) && filepath.Base(name) == "memory.usage_in_bytes" {
			if text, err := os.ReadFile(name); err == nil && !strings.Contains(filepath.Base(filepath.Dir(name)), uid) &&
				len(text) > len("9999999\n") {
				limit = filepath.Join(filepath.Dir(name), "memory.limit_in_bytes") // the other is of the pause container
			}
		}
		return nil
	})
	if limit == "" {
		_ = r.cmd.Process.Signal(os.Interrupt)
		_ = r.cmd.Wait()
		b.served()
		t.Skip("the memory of the cluster's pods is not seen from here")
	}
	for to := 256 << 20; to > 1<<20; to = max(to-to/16, 0) {
		if err := os.WriteFile(limit, []byte(strconv.Itoa(to)), 0o600); errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	res := b.wait(t, r)
	n, _ := b.served()
	owed, reported, lost, unsure := sums(res)
	if r.code != 5 || owed != 3600 || reported+lost != owed || lost == 0 || res.Workers[1].Lost != lost ||
		!strings.Contains(res.Workers[1].LostWhy, "OOMKilled") {
		t.Errorf("exit code %d, owed %d, reported %d, lost %d, %+v\n%s", r.code, owed, reported, lost, res.Workers[1],
			r.out.String())
	}
	if int64(n) < reported || int64(n) > reported+unsure {
		t.Errorf("the server saw %d, the workers report %d and are unsure of %d", n, reported, unsure)
	}
}

// deleted deletes a pod in the middle of the load: its share is lost, named, and bounded by what the server saw.
func (b *bed) deleted(t *testing.T) {
	r := b.start(t, "", "rate: 300/s, duration: 8s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	at := b.remove(t, 1)
	res := b.wait(t, r)
	n, _ := b.served()
	owed, reported, lost, unsure := sums(res)
	if r.code != 5 || owed != 2400 || reported+lost != owed || lost == 0 || res.Workers[1].Lost != lost ||
		!strings.Contains(res.Workers[1].LostWhy, "deleted") {
		t.Errorf("exit code %d, owed %d, reported %d, lost %d, %+v\n%s", r.code, owed, reported, lost, res.Workers[1],
			r.out.String())
	}
	if int64(n) < reported || int64(n) > reported+unsure {
		t.Errorf("the server saw %d, the workers report %d and are unsure of %d", n, reported, unsure)
	}
	t.Logf("lost %d of %d since %.2f s, unsure of %d, the server saw %d; seen %.2f s after its deletion", lost, owed,
		float64(res.Workers[1].LostAt), unsure, n,
		lostEvent(t, r).Sub(at).Seconds())
}

// remove deletes the pod of a worker at once, and returns when.
func (b *bed) remove(t *testing.T, index int) time.Time {
	t.Helper()
	pod, at := b.pod(t, index), time.Now()
	if err := kube.Pods(b.Cluster, b.namespace).Delete(t.Context(), pod.Name, kube.Deletion{Now: true}); err != nil {
		t.Fatal(err)
	}
	return at
}

// pod is the pod of a worker.
func (b *bed) pod(t *testing.T, index int) kube.Pod {
	t.Helper()
	pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(),
		kube.Query{Labels: fmt.Sprint("batch.kubernetes.io/job-completion-index=", index)})
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	return pods[0]
}

// lostEvent is when a run noted that a worker is lost.
func lostEvent(t *testing.T, r *trial) time.Time {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(r.dir, "out", "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e struct {
			Event string    `json:"event"`
			At    time.Time `json:"at"`
		}
		if json.Unmarshal([]byte(line), &e) == nil && e.Event == "worker.lost" {
			return e.At
		}
	}
	t.Fatal("no worker is noted as lost")
	return time.Time{}
}

// stop ends the run at the first worker that is lost.
func (b *bed) stop(t *testing.T) {
	r := b.start(t, "lost: stop", "rate: 100/s, duration: 60s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	b.remove(t, 0)
	if res := b.wait(t, r); r.code != 5 || res.Duration > 20 || !strings.Contains(r.out.String(), "A worker is lost") {
		t.Errorf("exit code %d after %v s\n%s", r.code, res.Duration, r.out.String())
	}
	b.served()
}

// unschedulable asks for more processors than there are.
func (b *bed) unschedulable(t *testing.T) {
	b.refused(t, "cpu: 200, join: 3s", "Insufficient cpu", "0 workers of 3 joined within 3s")
}

// noImage names an image that no node has, and that can't be pulled.
func (b *bed) noImage(t *testing.T) {
	b.refused(t, "image: brunt-nowhere.invalid/none:1, join: 8s", "brunt-nowhere.invalid/none:1",
		"`brunt image` writes it")
}

// service has the pods ask the name of a service, which this machine does not know: brunt asks from a pod whether it is
// there.
func (b *bed) service(t *testing.T) {
	host, port, _ := net.SplitHostPort(strings.TrimPrefix(b.url, "http://"))
	n, _ := strconv.Atoi(port)
	const name = "behind"
	if _, err := kube.Services(b.Cluster, b.namespace).Create(t.Context(), &kube.Service{
		ObjectMeta: kube.ObjectMeta{Name: name},
		Spec:       kube.ServiceSpec{Ports: []kube.ServicePort{{Port: 80, TargetPort: kube.FromInt(n)}}},
	}, false); err != nil {
		t.Fatal(err)
	}
	url, allowed := b.url, b.host
	b.url, b.host = "http://"+name, name
	defer func() { b.url, b.host = url, allowed }()
	b.refused(t, "join: 30s", "the service "+name+" in the namespace "+b.namespace+" leads to 0 ready pods")
	endpoints := kube.Like(b.Cluster, kube.Ref{API: "v1", Resource: "endpoints", Namespace: b.namespace})
	if _, err := endpoints.Create(t.Context(), &kube.Raw{
		"metadata": map[string]any{"name": name},
		"subsets": []any{map[string]any{
			"addresses": []any{map[string]any{"ip": host}}, "ports": []any{map[string]any{"port": n}},
		}},
	}, false); err != nil {
		t.Fatal(err)
	}
	r := b.start(t, "join: 30s", "rate: 60/s, duration: 5s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.whole(t, r, b.wait(t, r), 300)
}

// notAllowed leaves the API server's address out of what faults and workers may reach: doctor, a dry run and a run name
// it.
func (b *bed) notAllowed(t *testing.T) {
	r := b.startIn(t, "join: 20s", "rate: 300/s, duration: 1s, flow: [{get: /}]", "slo: [errors < 50%]\n", "192.0.2.1")
	_ = r.cmd.Wait()
	for _, args := range [][]string{{"doctor", "s.yaml"}, {"run", "--dry-run", "s.yaml"}} {
		cmd := exec.Command(b.program, args...)
		cmd.Dir = r.dir
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "guard.allow.chaos") {
			t.Errorf("%q: %v\n%s", args, err, out)
		}
	}
	if r.cmd.ProcessState.Success() || !strings.Contains(r.out.String(), "guard.allow.chaos") {
		t.Errorf("%s\n%s", r.cmd.ProcessState, r.out.String())
	}
	if n, _ := b.served(); n != 0 {
		t.Errorf("the server saw %d requests", n)
	}
	b.empty(t)
}

// environment has pods with variables of a text and of a Secret, with an affinity, and with a Secret for their image.
func (b *bed) environment(t *testing.T) {
	secrets := kube.Like(b.Cluster, kube.Ref{API: "v1", Resource: "secrets", Namespace: b.namespace})
	if _, err := secrets.Create(t.Context(), &kube.Raw{
		"metadata": map[string]any{"name": "keys"}, "stringData": map[string]any{"token": "t0"},
	}, false); err != nil {
		t.Fatal(err)
	}
	const affinity = "affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: " +
		"[{matchExpressions: [{key: kubernetes.io/os, operator: In, values: [OS]}]}]}}}"
	with := func(os, key string) string {
		return "join: 20s, pull_secrets: [registry], env: {SHOWN: plain, HIDDEN: {secret: keys, key: " + key + "}}, " +
			strings.ReplaceAll(affinity, "OS", os)
	}
	r := b.start(t, with("linux", "token"), "rate: 60/s, duration: 5s, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	pod := b.pod(t, 0)
	b.whole(t, r, b.wait(t, r), 300)
	env := map[string]kube.EnvVar{}
	for _, v := range pod.Spec.Containers[0].Env {
		env[v.Name] = v
	}
	if of := env["HIDDEN"].ValueFrom; env["SHOWN"].Value != "plain" || of == nil || of.SecretKeyRef == nil ||
		of.SecretKeyRef.Name != "keys" || of.SecretKeyRef.Key != "token" || env["HIDDEN"].Value != "" ||
		len(pod.Spec.ImagePullSecrets) != 1 || !strings.Contains(string(pod.Spec.Affinity), "kubernetes.io/os") {
		t.Errorf("%+v, pull secrets %v, affinity %s", env, pod.Spec.ImagePullSecrets, pod.Spec.Affinity)
	}
	b.refused(t, with("plan9", "token"), "didn't match Pod's node affinity")
	b.refused(t, with("linux", "absent"), "couldn't find key absent in Secret")
}

func (b *bed) refused(t *testing.T, workers string, want ...string) {
	r := b.start(t, workers, "rate: 300/s, duration: 1s, flow: [{get: /}]", "slo: [errors < 50%]\n")
	b.wait(t, r)
	for _, w := range want {
		if r.code != 5 || !strings.Contains(r.out.String(), w) {
			t.Errorf("exit code %d, want %q\n%s", r.code, w, r.out.String())
		}
	}
	if n, _ := b.served(); n != 0 {
		t.Errorf("the server saw %d requests", n)
	}
}

// read decodes a part of a manifest.
func read[T any](t *testing.T, manifest string) *T {
	t.Helper()
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(manifest), &tree); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(tree)
	if err != nil {
		t.Fatal(err)
	}
	out := new(T)
	if err := json.Unmarshal(text, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// rights has a user with the roles of `brunt rbac` run a load; without one verb of them it is refused by name, and
// `brunt doctor` names it too.
func (b *bed) rights(t *testing.T) {
	text, err := os.ReadFile(os.Getenv("BRUNT_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(t.TempDir(), "config")
	if err := os.WriteFile(config, []byte(strings.Replace(string(text), "user: {client", "user: {as: ann, client", 1)),
		0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KUBECONFIG", config)
	const load = "rate: 300/s, duration: 1s, flow: [{get: /}]"
	none := b.start(t, "join: 20s", load, "slo: [errors < 50%]\n")
	b.wait(t, none)
	if out := strings.Join(strings.Fields(none.out.String()), " "); none.code != 5 ||
		!strings.Contains(out, "create, delete jobs.batch "+b.namespace+" the workers list, watch, delete pods") {
		t.Errorf("without roles: exit code %d\n%s", none.code, none.out.String())
	}
	made, err := exec.Command(b.program, "rbac", filepath.Join(none.dir, "s.yaml"), "--for", "ann").Output()
	parts := strings.Split(string(made), "---\n")
	if err != nil || len(parts) != 3 {
		t.Fatalf("%v: %s", err, made)
	}
	role, err := kube.Roles(b.Cluster, b.namespace).Create(t.Context(), read[kube.Role](t, parts[1]), false)
	if err != nil {
		t.Fatal(err)
	}
	binding := read[kube.RoleBinding](t, parts[2])
	if _, err := kube.Bindings(b.Cluster, b.namespace).Create(t.Context(), binding, false); err != nil {
		t.Fatal(err)
	}
	suite.Until(t, "the roles to hold", func() bool {
		out, _ := exec.Command(b.program, "doctor", filepath.Join(none.dir, "s.yaml")).CombinedOutput()
		return strings.Contains(string(out), "all 8 that the workers take") &&
			strings.Contains(string(out), "admitted in the namespace "+b.namespace)
	})
	r := b.start(t, "join: 20s", load, "slo: [errors < 50%]\n")
	b.whole(t, r, b.wait(t, r), 300)
	for i := range role.Rules {
		if slices.Contains(role.Rules[i].Resources, "jobs") {
			role.Rules[i].Verbs = []string{"create"}
		}
	}
	if _, err := kube.Roles(b.Cluster, b.namespace).Update(t.Context(), role.Name, role); err != nil {
		t.Fatal(err)
	}
	lacks := "delete jobs.batch " + b.namespace + " the workers"
	suite.Until(t, "the role to lack a verb", func() bool {
		out, _ := exec.Command(b.program, "doctor", filepath.Join(none.dir, "s.yaml")).CombinedOutput()
		return strings.Contains(strings.Join(strings.Fields(string(out)), " "), lacks)
	})
	less := b.start(t, "join: 20s", load, "slo: [errors < 50%]\n")
	b.wait(t, less)
	if less.code != 5 ||
		!strings.Contains(strings.Join(strings.Fields(less.out.String()), " "), lacks+" `brunt") {
		t.Errorf("with one verb less: exit code %d\n%s", less.code, less.out.String())
	}
}

// killed kills brunt in the middle of the load: the pods end by themselves.
func (b *bed) killed(t *testing.T) {
	r := b.start(t, "patience: 3s", "rate: 100/s, duration: 2m, flow: [{get: /}]", "slo: [errors < 1%]\n")
	b.begun(t)
	if err := r.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait()
	began := time.Now()
	var last time.Time
	suite.Until(t, "the load to end", func() bool {
		b.mu.Lock()
		defer b.mu.Unlock()
		last = b.last
		return time.Since(last) > time.Second // a request comes each 10 ms
	})
	ended := last.Sub(began)
	if ended < time.Second || ended > 8*time.Second {
		t.Errorf("the load ended %s after brunt, with a patience of 3s", ended)
	}
	suite.Until(t, "the pods to end", func() bool {
		pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{})
		for _, p := range pods {
			if p.Status.Phase != kube.PodFailed && p.Status.Phase != kube.PodSucceeded {
				return false
			}
		}
		return err == nil
	})
	jobs, err := kube.Jobs(b.Cluster, b.namespace).List(t.Context(), kube.Query{})
	if err != nil || len(jobs) != 1 || jobs[0].Spec.TTLSecondsAfterFinished == nil {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	if err := kube.Jobs(b.Cluster, b.namespace).Delete(t.Context(), jobs[0].Name, kube.Deletion{}); err != nil {
		t.Error(err)
	}
	suite.Until(t, "the pods to be gone", func() bool {
		pods, err := kube.Pods(b.Cluster, b.namespace).List(t.Context(), kube.Query{})
		return err == nil && len(pods) == 0
	})
	b.served()
	t.Logf("the load ended %.1f s after brunt, all pods had ended after %.1f s", ended.Seconds(),
		time.Since(began).Seconds())
}
