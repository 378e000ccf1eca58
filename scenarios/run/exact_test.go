//go:build unix

package run_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// needsBacklog skips a test where a listener can't hold as many waiting connections as the load
// opens while its target is frozen: Go's listeners ask for net.core.somaxconn, and the kernel
// retries a connection without room a second later.
func needsBacklog(t *testing.T) {
	t.Helper()
	const least = 1024
	have := 0
	if runtime.GOOS == "linux" {
		b, _ := os.ReadFile("/proc/sys/net/core/somaxconn")
		have, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	}
	if have < least {
		suite.Lack(t, "a listener holds %d waiting connections here, and %d are needed: sysctl -w net.core.somaxconn=4096",
			have, least)
	}
}

// frozenFor is how long a server is frozen.
const frozenFor = time.Second

// freeze stops a process for a while and returns the start and end of the stop.
func freeze(t *testing.T, pid int) (from, to time.Time) {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Error(err)
	}
	from = time.Now()
	time.Sleep(time.Until(from.Add(frozenFor))) // simulates a freeze of this length
	to = time.Now()
	if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
		t.Error(err)
	}
	return from, to
}

// A frozen is a run whose target was frozen for a while.
type frozen struct {
	*result.Result
	intended []time.Duration // intended times by the schedule
	answered []time.Duration // times at the target itself, in the order of the schedule
	from, to time.Duration   // start and end of the freeze
}

// freezeRun runs 1000/s for 10 s against a server that is frozen in between.
func freezeRun(t *testing.T, arrivals, scheme, version, engine string) frozen {
	t.Helper()
	needsBacklog(t)
	s := newServer(t, "serve")
	if version != "1.1" {
		s = newServer(t, "frames", scheme)
	}
	text := fmt.Sprintf(`
version: 1
name: frozen for a second
seed: 7
target: {url: "%s://%s", tls: {insecure_skip_verify: true}}
data: {n: {range: 0..20000, pick: next}}
load:
  main:
    executor: constant-arrival-rate
    rate: 1000/s
    arrivals: %s
    duration: 10s
    timeout: 5s
    max_in_flight: 3000
    connections: {http: %s}
    engine: %s
    flow: [{get: "/${data.n.value}"}]
`, scheme, s.addr, arrivals, version, engine)
	var f frozen
	runs := 0
	inTime(t, func() *result.Result {
		runs++
		plan := mustCompile(t, text)
		var freezer sync.WaitGroup
		var once sync.Once
		var from, to time.Time
		res, err := run.Run(t.Context(), plan, run.Options{Live: func(iv result.Interval) {
			if iv.At > 3*time.Second {
				once.Do(func() { freezer.Go(func() { from, to = freeze(t, s.pid) }) })
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		freezer.Wait()
		f = frozen{Result: res, intended: schedule(plan), from: from.Sub(res.T0), to: to.Sub(res.T0)}
		return res
	})
	at := map[int]int64{}
	if scheme == "https" || version != "1.1" {
		for n, times := range s.answers2(t, scheme) {
			if at[n] = times[len(times)-1]; len(times) != runs {
				t.Errorf("%d was answered %d times in %d runs", n, len(times), runs)
			}
		}
	} else {
		resp, err := http.Get("http://" + s.addr + "/answers")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if err := json.NewDecoder(resp.Body).Decode(&at); err != nil {
			t.Fatal(err)
		}
	}
	for n := range f.intended {
		f.answered = append(f.answered, time.Duration(at[n]-f.T0.UnixNano()))
	}
	return f
}

// quantile returns the q-quantile of n spans, in seconds: the smallest of them that a share q does
// not exceed.
func quantile(q float64, n int, span func(i int) time.Duration) float64 {
	list := make([]time.Duration, n)
	for i := range list {
		list[i] = span(i)
	}
	slices.Sort(list)
	return list[int(math.Ceil(q*float64(n)-1e-9))-1].Seconds()
}

// ideal is the response time of arrival i at a target that answers at once except while frozen.
func (f *frozen) ideal(i int) time.Duration {
	if at := f.intended[i]; at >= f.from && at < f.to {
		return f.to - at
	}
	return 0
}

// TestFrozen checks from scenario to result that no stall is hidden. The response time of a request
// to the frozen target includes its whole wait, compared with the schedule and the freeze, and with
// the target's own record.
func TestFrozen(t *testing.T) {
	if testing.Short() {
		t.Skip("10 s each, of 1000/s")
	}
	for _, c := range []struct{ name, arrivals, scheme, version, spoken, engine string }{
		{"even", "even", "http", "1.1", "HTTP/1.1", "native"},
		{"poisson", "poisson", "http", "1.1", "HTTP/1.1", "native"},
		{"even over h2", "even", "https", "auto", "HTTP/2", "native"},
		{"even over h2c", "even", "http", "h2c", "h2c", "native"},
		{"even by vegeta", "even", "http", "1.1", "HTTP/1.1", "vegeta"},
	} {
		t.Run(c.name, func(t *testing.T) {
			try(t, func(wrong *complaints) { // a busy machine freezes for longer, or serves the waiting requests slowly
				f := freezeRun(t, c.arrivals, c.scheme, c.version, c.engine)
				f.check(t, c.arrivals, wrong)
				if got := f.Generator.Spoken; !slices.Equal(got, []string{c.spoken}) {
					t.Errorf("spoken: %q", got)
				}
			})
		})
	}
}

// check compares the measured times with the true ones.
func (f *frozen) check(t *testing.T, arrivals string, wrong *complaints) {
	n := len(f.intended)
	run, ok := cellOf(f.Result, "run", "*"), cellOf(f.Result, "run", "ok")
	if run.Count != int64(n) || f.Generator.Offered != run.Count || f.Generator.Sent != run.Count ||
		ok.Count != run.Count {
		t.Errorf("%d counted, %d offered, %d sent, %d ok; the schedule has %d", run.Count, f.Generator.Offered,
			f.Generator.Sent, ok.Count, n)
	}
	if arrivals == "even" {
		if n != 10000 {
			t.Errorf("%d arrivals, want 10 000", n)
		}
	}
	// Waiting requests are served one after the other, so some wait longer than the freeze alone.
	served := time.Duration(0)
	for i := range f.intended {
		if f.ideal(i) > 0 {
			served = max(served, f.answered[i]-f.to)
		}
	}
	for _, c := range []struct {
		q        float64
		got      result.Num
		from, to float64 // for even arrivals and the fastest possible target
	}{{.95, run.Response.P95, .45, .55}, {.99, run.Response.P99, .85, .95}, {.999, run.Response.P999, .97, 1.03}} {
		ideal := quantile(c.q, n, f.ideal)
		target := quantile(c.q, n, func(i int) time.Duration { return f.answered[i] - f.intended[i] })
		got := float64(c.got)
		t.Logf("p%g: %.4g; the freeze has %.4g, the target itself %.4g", 100*c.q, got, ideal, target)
		if got < .99*ideal || got > 1.01*ideal+served.Seconds() {
			wrong.addf("p%g is %g, want %g and up to %s more", 100*c.q, got, ideal, served)
		}
		if slow := target < c.from || target > c.to; arrivals == "even" && !slow && (got < c.from || got > c.to) {
			wrong.addf("p%g is %g, want %g to %g", 100*c.q, got, c.from, c.to)
		}
		if math.Abs(got-target) > .01*target {
			wrong.addf("p%g is %g, and the target itself has %g", 100*c.q, got, target)
		}
	}
	t.Logf("frozen for %s, then busy with what waited for %s; lag %+v", f.to-f.from, served, f.Generator.Lag)
}

// sink keeps outcomes.
type sink struct {
	mu   sync.Mutex
	list []scenarios.Outcome
}

func (s *sink) Record(o *scenarios.Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.list = append(s.list, *o)
}

// outcomes drives the only load of a plan as a run does, and returns the outcomes of its requests.
func outcomes(t *testing.T, plan *plan.Plan) []scenarios.Outcome {
	t.Helper()
	var out sink
	if err := run.Play(t.Context(), plan, &out); err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(out.list, func(o scenarios.Outcome) bool { return o.Step == scenarios.IterationStep })
}

// TestSpike compares the scheduled and the sent requests of a spike with the area under it, every
// millisecond.
func TestSpike(t *testing.T) {
	if testing.Short() {
		t.Skip("5000/s")
	}
	// In vegeta, a request passes four goroutines until it is written.
	for engine, late := range map[string]time.Duration{"native": time.Millisecond, "vegeta": 2 * time.Millisecond} {
		t.Run(engine, func(t *testing.T) { spikeBy(t, engine, late) })
	}
}

// spikeBy allows requests to be sent late by a span.
func spikeBy(t *testing.T, engine string, late time.Duration) {
	s := newServer(t, "serve")
	text := fmt.Sprintf(`
version: 1
name: a spike
target: {url: "http://%s"}
load:
  main: {engine: %s, executor: spike, base: 500/s, peak: 5000/s, before: 1s, rise: 1s, hold: 1s, fall: 1s, after: 1s, timeout: 5s, flow: [{get: /}]}
`, s.addr, engine)
	for try := range lateTries {
		plan := mustCompile(t, text)
		shape := plan.Loads[0].Schedule.Rate
		list := outcomes(t, plan)
		var intended, sent, lags []time.Duration
		for i := range list {
			intended, lags = append(intended, list[i].Intended), append(lags, list[i].Lag())
			if list[i].WasSent {
				sent = append(sent, list[i].Sent)
			}
		}
		if want := int(plan.Loads[0].Schedule.Arrivals()); len(intended) != want || len(sent) != want || want != 11500 {
			t.Fatalf("%d counted, %d sent, want %d", len(intended), len(sent), want)
		}
		slices.Sort(intended)
		slices.Sort(sent)
		away := func(list []time.Duration, at time.Duration) float64 {
			n, _ := slices.BinarySearch(list, at)
			return math.Abs(float64(n) - shape.Area(at))
		}
		samples, near := 0, 0
		for at := time.Duration(0); at < shape.End(); at += time.Millisecond {
			if d := away(intended, at); d > 1+1e-6 {
				t.Fatalf("at %s what is asked for is %g arrivals from the area", at, d)
			}
			samples++
			if away(sent, at) <= max(2, shape.At(at)*late.Seconds()) {
				near++
			}
		}
		lag := quantile(.99, len(lags), func(i int) time.Duration { return lags[i] })
		t.Logf("%d of %d samples are near the area; p99 lag %s", near, samples, quantity.FormatSeconds(lag))
		// close to the schedule, in a healthy run
		if share := float64(near) / float64(samples); share >= .99 && lag <= run.LagLimit(nil).Seconds() {
			return
		} else if lag <= .1*run.LagLimit(nil).Seconds() && try > 1 {
			t.Fatalf("in time, and yet only %g of the samples are near the area", share)
		}
	}
	t.Fatalf("this machine is too busy: brunt was late %d times", lateTries)
}

// TestOutage freezes a service for twelve times the timeout. Every scheduled request is counted,
// brunt causes no storm of requests afterwards, and the recovery is found to the second.
func TestOutage(t *testing.T) {
	if testing.Short() {
		t.Skip("40 s")
	}
	needsBacklog(t)
	const rate, timeout, silent, seconds = 1000, 2, 24, 40
	text := fmt.Sprintf(`
version: 1
name: a long silence
seed: 7
target:
  processes:
    web: {command: [ECHO], ready: {get: /}}
load:
  main: {executor: constant-arrival-rate, rate: %d/s, duration: %ds, timeout: %ds, max_in_flight: 800, flow: [{get: /}]}
chaos:
  silence: {at: 5s, for: %ds, process.freeze: {service: web}}
judge: {hold: 5s}
slo: [recover < %ds after silence, heal < 4s after silence]
`, rate, seconds, timeout, silent, silent+5)
	// does not wait for a turn alone
	res, err := run.Run(t.Context(), mustCompile(t, text), run.Options{State: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	var wrong complaints
	if wrong.passed(res); len(wrong) > 0 {
		t.Errorf("%q", wrong)
	}
	const all = rate * seconds
	run, ok, bad := cellOf(res, "run", "*"), cellOf(res, "run", "ok"), cellOf(res, "run", "error")
	if run.Count != all || ok.Count+bad.Count != all || res.Generator.Offered != all {
		t.Errorf("%d counted, %d of them ok and %d errors; %d were asked for", run.Count, ok.Count, bad.Count, all)
	}
	if len(res.Faults) != 1 {
		t.Fatalf("%d faults", len(res.Faults))
	}
	f := res.Faults[0]
	// A request of its last seconds is answered within the timeout, and so counts as good.
	const lost = (silent - timeout) * rate
	if n := bad.Count; n < lost-rate || n > lost+3*rate {
		t.Errorf("%d errors, want about %d", n, lost)
	}
	if most := float64(ok.Response.Max); most > timeout+.25 {
		t.Errorf("a request took %g s, and the timeout is %d s", most, timeout)
	}
	good := result.Num(0) // good requests from here on
	for _, w := range res.Windows {
		if w.Load != "*" || w.Step != "*" {
			continue
		}
		if w.Sent > (timeout+1)*rate {
			t.Errorf("%d were sent in the window at %g s", w.Sent, w.T)
		}
		if w.T > f.Cleared+timeout && w.Sent > rate*12/10 {
			t.Errorf("%d were still sent in the window at %g s, long after the outage", w.Sent, w.T)
		}
		if float64(w.Error) > .01*float64(w.Offered) {
			good = w.T + w.D
		}
	}
	if math.Abs(float64(good-f.RecoveredAt)) > 1 {
		t.Errorf("recovered at %g s, and all is good from %g s on", f.RecoveredAt, good)
	}
	t.Logf("silent from %.2f to %.2f s, recovered at %.2f s, good from %.2f s on; %d errors, %d never sent", f.Injected,
		f.Cleared, f.RecoveredAt, good, bad.Count, all-res.Generator.Sent)
}
