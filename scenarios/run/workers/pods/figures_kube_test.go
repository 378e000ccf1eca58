package pods_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/suite"
)

// TestPods_KubeFigures measures what scenarios/README.md says of workers on Kubernetes. A row of what is exact fails
// where it is not; a row of time or of processors is printed beside what is wanted, as a busy machine says nothing
// about brunt.
func TestPods_KubeFigures(t *testing.T) {
	suite.Needs(t, suite.Kubernetes, suite.In("figures"))
	if os.Getenv("BRUNT_FIGURES") == "" {
		t.Skip("BRUNT_FIGURES is not set: .ci/kube figures sets it")
	}
	b := newBed(t)
	t.Run("equal", b.equal)
	t.Run("hired 4", func(t *testing.T) { b.hired(t, 4, 3) })
	t.Run("hired 50", func(t *testing.T) { b.hired(t, 50, 15) })
	t.Run("lost", b.lostShare)
	t.Run("bytes", b.bytes)
	t.Run("cpu", b.cpu)
	t.Run("cut", b.cut)
}

// figure prints a row of the table.
func figure(t *testing.T, what, want, format string, args ...any) {
	t.Helper()
	t.Logf("| %s | %s | %s |", what, fmt.Sprintf(format, args...), want)
}

// An attempt is a run of a scenario of its own.
type attempt struct {
	dir  string
	cmd  *exec.Cmd
	out  strings.Builder
	env  []string
	text string
}

// begin starts an attempt. The scenario's URL, NS and HOST are those of the bed.
func (b *bed) begin(t *testing.T, text string, env ...string) *attempt {
	a := &attempt{
		dir: t.TempDir(), env: env, text: strings.NewReplacer("URL", b.url, "NS", b.namespace, "HOST", b.host).Replace(text),
	}
	if err := os.WriteFile(filepath.Join(a.dir, "s.yaml"), []byte(a.text), 0o600); err != nil {
		t.Fatal(err)
	}
	a.cmd = exec.Command(b.program, "run", "s.yaml", "-o", "out")
	a.cmd.Dir, a.cmd.Stdout, a.cmd.Stderr = a.dir, &a.out, &a.out
	a.cmd.Env = append(append(os.Environ(), "BRUNT_STATE="+a.dir, "BRUNT_POLICY="), env...)
	if err := a.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if a.cmd.ProcessState == nil {
			_ = a.cmd.Process.Signal(os.Interrupt)
			_ = a.cmd.Wait()
		}
	})
	return a
}

// end waits for the end of an attempt.
func (a *attempt) end(t *testing.T) (*result.Result, int) {
	t.Helper()
	_ = a.cmd.Wait()
	text, err := os.ReadFile(filepath.Join(a.dir, "out", "result.json"))
	if err != nil {
		t.Fatalf("%v\n%s", err, a.out.String())
	}
	res := &result.Result{}
	if err := json.Unmarshal(text, res); err != nil {
		t.Fatal(err)
	}
	return res, a.cmd.ProcessState.ExitCode()
}

// events are the events of an attempt of a kind.
func (a *attempt) events(t *testing.T, kind string) (out []result.Event) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(a.dir, "out", "events.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		var e result.Event
		if json.Unmarshal([]byte(line), &e) == nil && e.Event == kind {
			out = append(out, e)
		}
	}
	return out
}

// asked is how many requests of a run were sent.
func asked(res *result.Result) (n int64) {
	for _, c := range res.Cells {
		if c.Phase == slo.ParsePhase("run") && c.Load == "*" && c.Step == "*" && c.Outcome != "*" && c.Outcome != "skipped" {
			n += c.Count
		}
	}
	return n
}

// mixed is a scenario of two executors: rows of data are answered by what they are, each seventh with an error, and
// numbers are drawn from the seed. Two arrivals of a moment may take their rows in either order, so no request has a
// row and a number.
const mixed = `version: 1
seed: 7
target: {url: "URL"}
guard: {allow: {load: ["HOST"], chaos: ["198.18.77.2"]}}
data: {n: {range: 1..9000, pick: unique}, m: {range: 1..9000, pick: next}}
load:
  even: {executor: constant-arrival-rate, rate: 60/s, duration: 12s, flow: [{get: "/even/${data.n.value}"}]}
  rising: {executor: ramping-arrival-rate, start_rate: 10/s, stages: [{duration: 12s, rate: 90/s}], arrivals: poisson, flow: [
    {name: rows, get: "/rising/${data.m.value}"}, {name: drawn, get: "/drawn/${int(1, 1000)}"}]}
slo: [errors < 50%]
`

// equal has four pods make what one process makes: the server sees the same requests, and each second has the same
// counts.
func (b *bed) equal(t *testing.T) {
	type seen struct {
		paths map[string]int
		cells []string
	}
	by := func(workers string) (s seen) {
		a := b.begin(t, mixed+workers)
		res, code := a.end(t)
		if code != 0 {
			t.Fatalf("exit code %d\n%s", code, a.out.String())
		}
		var n, merged int
		n, s.paths = b.served()
		merged = int(asked(res))
		if merged != n {
			t.Errorf("the server saw %d requests, brunt reports %d", n, merged)
		}
		for _, w := range res.Windows { // what is sorted by the intended instant
			kinds := slices.Sorted(maps.Keys(w.Kinds))
			for i, k := range kinds {
				kinds[i] = fmt.Sprint(k, w.Kinds[k])
			}
			s.cells = append(s.cells, fmt.Sprint(w.T, w.D, w.Load, w.Step, w.Offered, w.OK, w.Shed, w.Error, w.Skipped, kinds))
		}
		slices.Sort(s.cells)
		return s
	}
	one, four := by(""), by("workers: {count: 4, on: kubernetes, namespace: NS, cpu: 0.05, memory: 128MiB}\n")
	if !maps.Equal(one.paths, four.paths) {
		t.Errorf("the server saw other requests of one process, %d, than of four pods, %d", len(one.paths), len(four.paths))
	}
	if !slices.Equal(one.cells, four.cells) {
		for i := range min(len(one.cells), len(four.cells)) {
			if one.cells[i] != four.cells[i] {
				t.Fatalf("one process: %s\nfour pods:   %s", one.cells[i], four.cells[i])
			}
		}
		t.Errorf("%d cells of one process, %d of four pods", len(one.cells), len(four.cells))
	}
	n := 0
	for _, k := range four.paths {
		n += k
	}
	figure(t, "requests of four pods against those of one process: contents, and counts of each second by load, step "+
		"and outcome", "equal",
		"equal: %d requests, %d cells", n, len(four.cells))
	figure(t, "served by the target less reported", "0", "0")
}

// hired is how long it takes until all pods have joined, and how far their first arrivals are off the schedule.
func (b *bed) hired(t *testing.T, pods int, want float64) {
	const rounds = 3
	var joined, off, clock []float64
	for range rounds {
		began := time.Now()
		a := b.begin(t, fmt.Sprintf(`version: 1
target: {url: "URL"}
guard: {allow: {load: ["HOST"], chaos: ["198.18.77.2"]}}
workers: {count: %d, on: kubernetes, namespace: NS, cpu: 0.01, memory: 64MiB, join: 120s}
data: {n: {range: 0..999, pick: next}}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 3s, flow: [{get: "/${data.n.value}"}]}}
slo: [errors < 1%%]
`, pods))
		res, code := a.end(t)
		n, _ := b.served()
		first := b.firsts()
		if code != 0 || n != 300 {
			t.Fatalf("exit code %d\n%s", code, a.out.String())
		}
		var last time.Time
		for _, e := range a.events(t, "worker.joined") {
			if e.At.After(last) {
				last = e.At
			}
		}
		joined = append(joined, last.Sub(began).Seconds())
		var most time.Duration
		for k := range pods { // the first arrival of worker k is arrival k, a hundredth of a second after the one before
			at, ok := first["/"+strconv.Itoa(k)]
			if !ok {
				t.Fatalf("arrival %d was not seen, of %d", k, len(first))
			}
			most = max(most, at.Sub(res.T0.Add(time.Duration(k)*10*time.Millisecond)).Abs())
		}
		off = append(off, most.Seconds()*1e3)
		for _, w := range res.Workers {
			clock = append(clock, float64(w.Clock)*1e3)
		}
		b.empty(t)
	}
	figure(t, fmt.Sprintf("%d pods: from the command to the last one that has joined, image there, %d runs", pods, rounds),
		fmt.Sprintf("<= %.0f s", want), "%s s", list(joined, 2))
	figure(t, fmt.Sprintf("%d pods: the first arrival of each at the server, against the schedule: the most of each run",
		pods), "<= 2 ms",
		"%s ms; clocks known to %.2f ms in the median, %.2f at most", list(off, 2), median(clock), slices.Max(clock))
}

// lostShare deletes a pod at random moments: its share is exact, and seen soon.
func (b *bed) lostShare(t *testing.T) {
	var seen []float64
	const rounds = 5
	for range rounds {
		r := b.start(t, "", "rate: 300/s, duration: 8s, flow: [{get: /}]", "slo: [errors < 1%]\n")
		b.begun(t)
		time.Sleep(rand.N(3 * time.Second)) // simulates a deletion at any moment
		at := b.remove(t, 1)
		res := b.wait(t, r)
		n, _ := b.served()
		owed, reported, lost, unsure := sums(res)
		if r.code != 5 || owed != 2400 || res.Workers[1].Owed != 800 || reported+lost != owed || int64(n) < reported ||
			int64(n) > reported+unsure {
			t.Errorf("exit code %d, owed %d, reported %d, lost %d, unsure of %d, the server saw %d", r.code, owed, reported,
				lost, unsure, n)
		}
		seen = append(seen, lostEvent(t, r).Sub(at).Seconds())
	}
	figure(t, fmt.Sprintf("a pod that is deleted by force: until the run says so, %d runs", rounds), "<= 1 s", "%s s",
		list(seen, 2))
	figure(t, "its share against the schedule", "exact", "exact, to the arrival")
}

// ten is a load of ten steps over pods.
const ten = `version: 1
target: {url: "URL"}
guard: {allow: {load: ["HOST"], chaos: ["198.18.77.2"]}}
workers: {count: %d, on: kubernetes, namespace: NS, cpu: 0.05, memory: 128MiB}
load: {main: {executor: constant-arrival-rate, rate: %d/s, duration: 24s, flow: [%s]}}
slo: [errors < 1%%]
`

// bytes is what crosses the API server for each worker, and the coordinator's processors.
func (b *bed) bytes(t *testing.T) {
	through := relayTo(t)
	var steps []string
	for k := range 10 {
		steps = append(steps, fmt.Sprintf("{get: /s%d}", k))
	}
	used := map[int]float64{}
	for _, n := range []int{2, 10} {
		a := b.begin(t, fmt.Sprintf(ten, n, 5*n, strings.Join(steps, ", ")), "KUBECONFIG="+through.config)
		b.begun(t)
		time.Sleep(2 * time.Second) // simulates the begin of the load, which is not measured
		from, cpu, at := through.n.Load(), processor(t, a.cmd.Process.Pid), time.Now()
		time.Sleep(18 * time.Second) // simulates the load whose bytes are counted
		d := time.Since(at).Seconds()
		used[n] = (processor(t, a.cmd.Process.Pid) - cpu) / d
		figure(t, fmt.Sprintf("%d pods of 10 steps: over the API server, both ways", n), "<= 10 kB a worker and second",
			"%.1f kB a worker and second",
			float64(through.n.Load()-from)/1e3/d/float64(n))
		if _, code := a.end(t); code != 0 {
			t.Errorf("exit code %d\n%s", code, a.out.String())
		}
		b.served()
	}
	figure(t, "the coordinator's processor for each more worker, of 10 against 2", "<= 0.5 % of a core",
		"%.2f %% of a core (%.1f %% with 10)",
		(used[10]-used[2])/8*100, used[10]*100)
}

// cpu compares a worker's processor time for a request with that of a run without workers, in turns.
func (b *bed) cpu(t *testing.T) {
	const each = 6
	srv := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }),
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = srv.Serve(l) }()
	t.Cleanup(func() { _ = srv.Close() })
	var ratios, micros []float64
	for range 7 {
		per := map[bool]float64{}
		for _, worker := range []bool{false, true} {
			text := fmt.Sprintf(`version: 1
target: {url: "http://%s"}
load: {main: {executor: constant-arrival-rate, rate: 4000/s, duration: %ds, flow: [{get: /}]}}
slo: [errors < 1%%]
`, l.Addr(), each)
			if worker {
				text += "workers: {count: 1, on: process}\n"
			}
			a := b.begin(t, text)
			res, code := a.end(t)
			if code != 0 {
				t.Fatalf("exit code %d\n%s", code, a.out.String())
			}
			cores, sent := float64(res.Generator.CPU), 4000*each
			if worker {
				cores = float64(res.Workers[0].CPU)
			}
			per[worker] = cores * each / float64(sent) * 1e6
		}
		ratios, micros = append(ratios, per[true]/per[false]), append(micros, per[false])
	}
	figure(t, "a worker's processor time for a request, against that of a run without workers, 7 rounds in turns",
		"<= 1.02",
		"%.3f in the median (%s; %.1f us alone)", median(ratios), list(ratios, 3), median(micros))
}

// cut takes the API server away for two seconds at random moments of a hundred runs: none becomes invalid, and nothing
// is missing.
func (b *bed) cut(t *testing.T) {
	runs, at := 100, 5
	if n, err := strconv.Atoi(os.Getenv("BRUNT_CUTS")); err == nil {
		runs = n
	}
	var bad, sent atomic.Int64
	work := make(chan int)
	var all sync.WaitGroup
	for range at {
		all.Go(func() {
			for k := range work {
				through := relayTo(t)
				a := b.begin(t, fmt.Sprintf(`version: 1
target: {url: "URL"}
guard: {allow: {load: ["HOST"], chaos: ["198.18.77.2"]}}
workers: {count: 2, on: kubernetes, namespace: NS, cpu: 0.02, memory: 64MiB, join: 120s}
load: {main: {executor: constant-arrival-rate, rate: 20/s, duration: 8s, flow: [{get: "/run-%d"}]}}
slo: [errors < 50%%]
`, k), "KUBECONFIG="+through.config)
				suite.Within(120*time.Second,
					func() bool { b.mu.Lock(); defer b.mu.Unlock(); return b.seen[fmt.Sprintf("/run-%d ", k)] > 0 })
				time.Sleep(rand.N(9 * time.Second)) // simulates a cut at any moment
				through.away(2 * time.Second)
				res, code := a.end(t)
				merged := asked(res)
				b.mu.Lock()
				served := b.seen[fmt.Sprintf("/run-%d ", k)]
				b.mu.Unlock()
				sent.Add(merged)
				if code != 0 || served != 160 || merged != 160 {
					bad.Add(1)
					t.Errorf("run %d: exit code %d, served %d, reported %d of 160\n%s", k, code, served, merged, a.out.String())
				}
			}
		})
	}
	for k := range runs {
		work <- k
	}
	close(work)
	all.Wait()
	b.served()
	figure(t, fmt.Sprintf("runs of %d that a cut of 2 s at a random moment made invalid, or that miss a request", runs),
		"0",
		"%d (%d requests)", bad.Load(), sent.Load())
}

// A relay passes connections to the API server on, counts their bytes, and goes away when it is told to.
type relay struct {
	config string // a kubeconfig that leads through it
	n      atomic.Int64

	mu    sync.Mutex
	until time.Time
	conns map[net.Conn]bool
}

// relayTo starts a relay to the cluster's API server.
func relayTo(t *testing.T) *relay {
	text, err := os.ReadFile(os.Getenv("BRUNT_KUBECONFIG"))
	if err != nil {
		t.Fatal(err)
	}
	const server = "198.18.77.2"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	r := &relay{config: filepath.Join(t.TempDir(), "kubeconfig"), conns: map[net.Conn]bool{}}
	from, to := `server: "https://`+server+`:6443"`,
		fmt.Sprintf("server: %q, tls-server-name: %q", "https://"+l.Addr().String(), server)
	with := strings.Replace(string(text), from, to, 1)
	if with == string(text) {
		t.Fatal("the kubeconfig names another server")
	}
	if err := os.WriteFile(r.config, []byte(with), 0o600); err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go r.pass(c, server+":6443")
		}
	}()
	return r
}

// pass passes a connection on until one of both ends it.
func (r *relay) pass(c net.Conn, to string) {
	defer c.Close()
	if !r.add(c) {
		return
	}
	defer r.remove(c)
	up, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer up.Close()
	done := make(chan bool, 2)
	for _, d := range [][2]net.Conn{{c, up}, {up, c}} {
		go func() {
			_, _ = io.Copy(counted{d[1], &r.n}, d[0])
			done <- true
		}()
	}
	<-done
}

// counted counts what is written.
type counted struct {
	io.Writer
	n *atomic.Int64
}

func (c counted) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.n.Add(int64(n))
	return n, err
}

func (r *relay) add(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Now().Before(r.until) {
		return false
	}
	r.conns[c] = true
	return true
}

func (r *relay) remove(c net.Conn) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

// away ends all connections, and takes none for a while.
func (r *relay) away(d time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.until = time.Now().Add(d)
	for c := range r.conns {
		_ = c.Close()
	}
}

// firsts is when each path was first seen since the last call.
func (b *bed) firsts() map[string]time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	first := b.first
	b.first = map[string]time.Time{}
	return first
}

// processor is the processor time of a process, in seconds, of which the kernel counts a hundred ticks each.
func processor(t *testing.T, pid int) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil || runtime.GOOS != "linux" {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.Atoi(fields[11])
	system, _ := strconv.Atoi(fields[12])
	return float64(user+system) / 100
}

func median(of []float64) float64 {
	of = slices.Sorted(slices.Values(of))
	return of[len(of)/2]
}

// list is figures in words.
func list(of []float64, digits int) string {
	words := make([]string, len(of))
	for i, v := range of {
		words[i] = strconv.FormatFloat(v, 'f', digits, 64)
	}
	return strings.Join(words, ", ")
}
