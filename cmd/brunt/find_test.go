package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/decide/capacity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/run"
	"brunt/scenarios/suite"
)

// A counter serves one request at a time, each for the same time: a queue with a fixed service
// time. It computes completion times and does not sleep for each, so that its capacity is
// 1/service however late this machine wakes it up.
type counter struct {
	service time.Duration
	mu      sync.Mutex
	free    time.Time // when the earlier requests are done
}

func (c *counter) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	c.mu.Lock()
	if c.free.Before(now) {
		c.free = now
	}
	c.free = c.free.Add(c.service)
	done := c.free
	c.mu.Unlock()
	time.Sleep(time.Until(done)) // simulates work
	fmt.Fprint(w, "ok")
}

const findScenario = `version: 1
name: counter
target: {url: "%s"}
load: {main: {executor: constant-arrival-rate, rate: 300/s, duration: 5s, flow: [{get: /}]}}
slo: [p95 < 100ms]
`

// TestFind_Capacity finds the known capacity of a server. A trial takes about two minutes on an
// otherwise idle machine, so it runs only if BRUNT_FIND gives the number of trials.
func TestFind_Capacity(t *testing.T) {
	trials, _ := strconv.Atoi(os.Getenv("BRUNT_FIND"))
	if trials < 1 {
		t.Skip("BRUNT_FIND=10 makes ten trials, which take some twenty minutes")
	}
	const capacityOf = 500 // per second
	for i := range trials {
		srv := httptest.NewServer(&counter{service: time.Second / capacityOf})
		dir := t.TempDir()
		scenario, found := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "found.json")
		if err := os.WriteFile(scenario, fmt.Appendf(nil, findScenario, srv.URL), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Setenv("BRUNT_STATE", filepath.Join(dir, "state"))
		code := execute([]string{"find", scenario, "--probe", "4s", "--cool-down", "500ms", "--json", found})
		srv.Close()
		var f search.Found
		b, err := os.ReadFile(found)
		if err == nil {
			err = json.Unmarshal(b, &f)
		}
		if code != 0 || err != nil {
			t.Errorf("trial %d ended with %d: %v", i+1, code, err)
			continue
		}
		off := f.Middle()/capacityOf - 1
		t.Logf("trial %d: between %.1f/s and %.1f/s, %+.1f %% off, %d probes", i+1, f.Low, f.High, 100*off, len(f.Tries))
		if math.Abs(off) > .05 || f.High == 0 {
			t.Errorf("trial %d is not within 5 %%", i+1)
		}
	}
}

// TestFind_UnderFault finds the capacity of the example, whose replicas serve 60 requests a second each, with and
// without one of them.
func TestFind_UnderFault(t *testing.T) {
	suite.Needs(t, suite.In("examples"))
	if testing.Short() {
		t.Skip("a search takes some four minutes")
	}
	dir, state := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "found.json")
	cmd := exec.Command(built(t, "."), "find", example("32-capacity-under-a-fault"), "--without", "posts[1]", "--from", "40/s",
		"--probe", "4s", "--settle", "20s", "--precision", "8%", "--peak", "80/s", "--at-least", "80/s", "--json", file)
	cmd.Env = append(os.Environ(), "BRUNT_STATE="+state)
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	b, rerr := os.ReadFile(file)
	var c search.Capacity
	if rerr == nil {
		rerr = json.Unmarshal(b, &c)
	}
	if rerr != nil || len(c.Under) != 1 {
		t.Fatal(err, rerr)
	}
	if c.High == 0 || c.Under[0].High == 0 {
		t.Skip("this machine is too busy for the load")
	}
	// in 4 s, the backlog of a rate that is 6 % too high delays p95 by 200 ms
	for _, one := range []struct {
		search.Interval
		truth float64
	}{{c.Interval, 120}, {c.Under[0].Interval, 60}} {
		if one.Low > 1.1*one.truth || one.High < one.truth || one.High > 1.2*one.truth {
			t.Errorf("between %v and %v, want %v to %v", one.Low, one.High, one.truth, 1.06*one.truth)
		}
	}
	u := c.Under[0]
	if u.Share.Low > .5 || u.Share.High < .5 || u.Evidence == "" || u.GoneEvidence == "" {
		t.Errorf("a share of %+v; in: %q; gone: %q", u.Share, u.Evidence, u.GoneEvidence)
	}
	if code := cmd.ProcessState.ExitCode(); code != scenarios.ExitFail || c.Peak.All != search.Fits ||
		c.Peak.Under[0] != search.TooMuch {
		t.Errorf("exit code %d; the peak: %+v", code, c.Peak)
	}
	if left, _ := os.ReadDir(state); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}

// A latch is overloaded above a number of requests in the last second. It answers with 502 then, and if it has a
// hysteresis, until fewer than another number came in a second.
type latch struct {
	most, free int // free is 0 without a hysteresis

	mu    sync.Mutex
	came  []time.Time // in the last second
	stuck bool
	pause time.Duration // the longest time without a request, in the second before it came back; of all times
}

func (l *latch) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.came = append(l.came, now)
	for now.Sub(l.came[0]) > time.Second {
		l.came = l.came[1:]
	}
	switch n := len(l.came); {
	case n > l.most:
		l.stuck = true
	case l.stuck && (l.free == 0 || n < l.free):
		l.stuck = false
		for i, at := range l.came[1:] {
			l.pause = max(l.pause, at.Sub(l.came[i]))
		}
	}
	if l.stuck {
		w.WriteHeader(http.StatusBadGateway)
	}
	fmt.Fprint(w, "ok")
}

// disturbed says why a search tells nothing of the server: this machine made another load than the search asked for,
// by the log of the server and by the counts of the search. It is empty if it made that load.
func (l *latch) disturbed(o *result.Overload) string {
	for _, s := range o.Escape.Steps {
		if want := 50 * float64(s.Share) * float64(s.Hold); math.Abs(float64(s.Offered)-want) > 2 {
			return fmt.Sprintf("%d requests, want %v", s.Offered, want)
		}
	}
	// 35/s are fewer than 30 in a second after a pause of 140 ms
	if l.pause > 100*time.Millisecond {
		return fmt.Sprintf("no load for %s, which freed the server", l.pause)
	}
	return ""
}

// TestFind_Hysteresis looks for a hysteresis of two servers that break at the same rate. One of them stays bad until
// the load is lower. A search that this machine disturbed is made again.
func TestFind_Hysteresis(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute: a search, and the way back from an overload")
	}
	const attempts = 3
	for _, tt := range []struct {
		name string
		free int
		want result.OverloadAnswer
	}{
		{"with", 30, result.Hysteresis},
		{"without", 0, result.NoHysteresis},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for n := range attempts {
				l := &latch{most: 120, free: tt.free}
				c, page, why := l.search(t)
				if why == "" {
					why = l.disturbed(c.Hysteresis)
				}
				if why != "" {
					t.Logf("attempt %d: this machine disturbed it: %s", n+1, why)
					continue
				}
				o := c.Hysteresis
				if o.Answer() != tt.want || o.Escape.Rate != 50 || math.Abs(float64(o.Push.Share)-2*c.High/50) > .01 {
					t.Errorf("it is %s at %v/s; the overload is %v times that", o.Answer(), o.Escape.Rate, o.Push.Share)
				}
				if tt.want == result.Hysteresis && o.Escape.Back != .5 { // 35/s is above 30/s, and 25/s below it
					t.Errorf("it came back at %v of the load", o.Escape.Back)
				}
				if !strings.Contains(page, `id="loop-curve-good"`) {
					t.Error("the page has no loop")
				}
				return
			}
			t.Skipf("this machine disturbed %d searches", attempts)
		})
	}
}

// search searches for the capacity of the server and for its hysteresis at 50/s. Why says why this machine was too busy
// for an answer; empty if it was not.
func (l *latch) search(t *testing.T) (c search.Capacity, page, why string) {
	t.Helper()
	srv := httptest.NewServer(l)
	defer srv.Close()
	dir := t.TempDir()
	scenario, found := filepath.Join(dir, "s.yaml"), filepath.Join(dir, "found.json")
	file := filepath.Join(dir, "find.html")
	text := fmt.Sprintf(`version: 1
name: latch
target: {url: %q}
judge: {hold: 1s}
load: {main: {executor: constant-arrival-rate, rate: 70/s, duration: 5s, timeout: 500ms, flow: [{get: /}]}}
slo: [errors < 5%%]
`, srv.URL)
	if err := os.WriteFile(scenario, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BRUNT_STATE", filepath.Join(dir, "state"))
	code := execute([]string{
		"find", scenario, "--probe", "2s", "--cool-down", "1500ms", "--confirm", "1", "--precision", "30%",
		"--hysteresis=50/s", "--json", found, "--html", file,
	})
	if code == scenarios.ExitInvalid {
		return c, "", "probes were invalid"
	}
	b, err := os.ReadFile(found)
	if err == nil {
		err = json.Unmarshal(b, &c)
	}
	if err == nil && code == 0 && c.High == 0 {
		return c, "", "the generator reached its limit"
	}
	if code != 0 || err != nil || c.Hysteresis == nil || c.Hysteresis.Escape == nil {
		t.Fatalf("it ended with %d: %v; %s", code, err, b)
	}
	t.Logf("between %v/s and %v/s; %+v; %+v; %+v", c.Low, c.High, c.Hysteresis.Before, c.Hysteresis.Push,
		*c.Hysteresis.Escape)
	shown, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return c, string(shown), ""
}

// TestAnswerError: what a lower bound decides does not hide an error that came after it and takes precedence.
func TestAnswerError(t *testing.T) {
	probe := func(v scenarios.Verdict) error { return capacity.ProbeError{Verdict: v, Reason: "why"} }
	for _, c := range []struct {
		name                   string
		answer, after, decided error
		code                   int
		text                   bool
	}{
		{"all is well", nil, nil, nil, 0, false},
		{"it holds too little", nil, nil, exit(scenarios.ExitFail), scenarios.ExitFail, false},
		{"no rate held", capacity.ErrNoRate, nil, exit(scenarios.ExitInconclusive), scenarios.ExitInconclusive, false},
		{
			"a fault was left behind", nil, probe(scenarios.NotReverted), exit(scenarios.ExitFail),
			scenarios.ExitNotReverted, true,
		},
		{"a signal", nil, run.Interrupt{Code: 143}, exit(scenarios.ExitFail), 143, true},
		{"an overload that shows nothing", nil, probe(scenarios.Invalid), exit(scenarios.ExitFail), scenarios.ExitFail, true},
		{"a page that can't be written", nil, errors.New("disk full"), exit(scenarios.ExitFail), scenarios.ExitError, true},
	} {
		err := answerError(c.answer, c.after, c.decided)
		if got, text := codeOf(err), withoutExits(err) != nil; got != c.code || text != c.text {
			t.Errorf("%s: exit code %d, want %d; it says why: %t", c.name, got, c.code, text)
		}
	}
}
