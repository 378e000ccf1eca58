package run_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
	"brunt/scenarios/slo"
)

// retries is a server that makes a call to store for each request, and again up to RETRIES times when that fails. With
// BUDGET it retries that share of its requests at most. It also probes store every 100 ms. It writes the time of each
// request, and of each call for a request, to LOG.
func retries() error {
	most, err := strconv.Atoi(os.Getenv("RETRIES"))
	if err != nil {
		return err
	}
	budget, err := strconv.ParseFloat(os.Getenv("BUDGET"), 64)
	if err != nil {
		return err
	}
	log, err := os.Create(os.Getenv("LOG"))
	if err != nil {
		return err
	}
	store := "http://" + os.Getenv("LINK_STORE")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 100}}
	call := func(path string) error {
		resp, err := client.Post(store+path, "text/plain", nil) //nolint:noctx // the run ends the process
		if err != nil {
			return err
		}
		defer resp.Body.Close()
		if _, err = io.Copy(io.Discard, resp.Body); err == nil && resp.StatusCode != http.StatusOK {
			err = errors.New(resp.Status)
		}
		return err
	}
	go func() {
		for {
			_ = call("/probe")
			time.Sleep(100 * time.Millisecond) // simulates the interval of probes
		}
	}()
	var mu sync.Mutex
	var requests, again float64
	note := func(what string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintf(log, "%s %d\n", what, time.Now().UnixNano())
	}
	may := func() bool {
		mu.Lock()
		defer mu.Unlock()
		if again >= budget*requests {
			return false
		}
		again++
		return true
	}
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		note("request")
		mu.Lock()
		requests++
		mu.Unlock()
		for i := 0; ; i++ {
			note("call")
			if err := call("/"); err == nil {
				return
			} else if i == most || !may() {
				http.Error(w, err.Error(), http.StatusBadGateway)
				return
			}
		}
	})
	return http.ListenAndServe(os.Getenv("BRUNT_ADDR"), nil)
}

// callLog is the log of the server: the times of its requests and calls.
type callLog struct{ requests, calls []time.Time }

func readCallLog(t *testing.T, file string) (log callLog) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		what, at, _ := strings.Cut(lines.Text(), " ")
		if what != "call" && what != "request" {
			continue
		}
		n, err := strconv.ParseInt(at, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if what == "call" {
			log.calls = append(log.calls, time.Unix(0, n))
		} else {
			log.requests = append(log.requests, time.Unix(0, n))
		}
	}
	return log
}

// within counts times in a span.
func within(times []time.Time, from, to time.Time) (n float64) {
	for _, t := range times {
		if !t.Before(from) && t.Before(to) {
			n++
		}
	}
	return n
}

// TestAmplification holds the calls per request that a run finds against the log of a server whose retries are set by
// hand: none, two, and two with a budget. The server's probes are taken off.
func TestAmplification(t *testing.T) {
	if testing.Short() {
		t.Skip("runs of 10 s")
	}
	t.Parallel()
	for _, tt := range []struct {
		name    string
		retries int
		budget  float64
		want    float64 // calls per request while all calls fail
		verdict scenarios.Verdict
	}{
		{"none", 0, 0, 1, scenarios.Pass},
		{"two", 2, 10, 3, scenarios.Fail},
		{"two with a budget", 2, .1, 1.2, scenarios.Pass}, // the budget of the requests before the fault is left
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "calls.log")
			res := runOnce(t, fmt.Sprintf(`version: 1
name: retries
seed: 7
target:
  processes:
    web:
      command: [%q, role, retries]
      env: {RETRIES: "%d", BUDGET: "%g", LOG: %q}
      links: [store]
      ready: {get: /healthz}
    store: {command: [ECHO], ready: {get: /}}
  entry: web
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 9s, flow: [{get: /, name: read}]}}
chaos: {errs: {at: 3s, for: 3s, http.error: {from: web, to: store, status: 503}}}
judge: {hold: 2s}
slo:
  - amplification(web -> store) < 1.6 in errs
  - amplification(web -> store) < 1.6 in baseline
  - amplification(web[0] -> store[0]) < 1.6 in recovery/errs
`, os.Args[0], tt.retries, tt.budget, file), run.Options{State: t.TempDir(), Proxies: self("proxies")})
			log := readCallLog(t, file)
			f := &res.Faults[0]
			for i, phase := range []slo.Phase{f.Phase(), {Kind: slo.BaselinePhase}} {
				o := &res.Objectives[i]
				span := phaseOf(t, res, phase)
				from, to := res.T0.Add(span.Start.D()), res.T0.Add(span.End.D())
				requests := within(log.requests, from, to)
				truth := within(log.calls, from, to) / requests
				// A call is in the log a little before the proxy counts it, and both ends of the phase may fall in
				// between.
				near := func(t time.Time) float64 {
					return within(log.calls, t.Add(-countedWithin), t.Add(countedWithin))
				}
				slack := (near(from) + near(to)) / requests
				if float64(o.Low)-slack > truth || truth > float64(o.High)+slack {
					t.Errorf("%s: %v in %v to %v (%s); by the log %v", o.Text, o.Measured, o.Low, o.High, o.Note, truth)
				}
				if want := []float64{tt.want, 1}[i]; math.Abs(truth-want) > .25 {
					t.Errorf("%s: by the log of the server %v, and it should make %v", o.Text, truth, want)
				}
				if want := []scenarios.Verdict{tt.verdict, scenarios.Pass}[i]; o.Verdict != want {
					t.Errorf("%s: %s, want %s: %s", o.Text, o.Verdict, want, o.Note)
				}
				t.Logf("%s: %.3f in %.3f to %.3f, by the log %.3f; without load %.1f/s",
					o.Text, o.Measured, o.Low, o.High, truth, res.Links[0].Background)
			}
		})
	}
}

// countedWithin is how much later than in the log of the server a call may count at the proxy.
const countedWithin = 50 * time.Millisecond

// phaseOf returns a phase of a result.
func phaseOf(t *testing.T, res *result.Result, name slo.Phase) result.Phase {
	t.Helper()
	for _, p := range res.Phases {
		if p.Name == name {
			return p
		}
	}
	t.Fatalf("no phase %s in %+v", name, res.Phases)
	return result.Phase{}
}
