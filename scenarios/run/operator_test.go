package run_test

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// A breakable server answers 503 from POST /break until fix. Its log has the times of the last bad and of the first
// good answer to the load.
type breakable struct {
	*httptest.Server
	mu                      sync.Mutex
	broken                  bool
	brokenAt, lastBad, good time.Time
	broke                   chan struct{}
}

func newBreakable(t *testing.T) *breakable {
	t.Helper()
	b := &breakable{broke: make(chan struct{})}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		defer b.mu.Unlock()
		switch r.URL.Path {
		case "/break":
			if b.broken = true; b.brokenAt.IsZero() {
				b.brokenAt = time.Now()
				close(b.broke)
			}
		case "/state":
			fmt.Fprint(w, map[bool]string{true: "broken", false: "whole"}[b.broken])
		default:
			if b.broken {
				b.lastBad = time.Now()
				w.WriteHeader(http.StatusServiceUnavailable)
			} else if !b.lastBad.IsZero() && b.good.IsZero() {
				b.good = time.Now()
			}
		}
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *breakable) fix() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.broken = false
}

// attendedScenario breaks the server once an operator continues, until the operator has mended it.
func attendedScenario(url string) string {
	return strings.ReplaceAll(`
version: 1
name: game day
target: {url: "URL"}
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 10s, timeout: 500ms, flow: [{get: /}]}}
chaos:
  outage:
    at: 1s
    wait: {for: operator, at_most: 4s}
    within: 5s
    webhook: {inject: {post: "URL/break"}, verify: {get: "URL/state", check: {body: broken}}, revert: none, gone: {get: "URL/state", check: {body: whole}}}
judge: {hold: 500ms, limit: 5%, slow: 2s}
slo: [errors < 90%]
`, "URL", url)
}

// An attendant plays the operator, and keeps its own times.
type attendant struct {
	s                                  *breakable
	mark                               run.Marker
	waits                              chan struct{}
	continued, seen, understood, acted time.Time
	done                               chan struct{}
}

// attend returns options with which the attendant plays the operator.
func attend(t *testing.T, s *breakable) (*attendant, run.Options) {
	t.Helper()
	a := &attendant{s: s, waits: make(chan struct{}), done: make(chan struct{})}
	return a, run.Options{
		Attended: func(mark run.Marker) {
			a.mark = mark
			go a.play(t)
		},
		Event: func(e result.Event) {
			if e.Event == "operator.waiting" {
				close(a.waits)
			}
		},
	}
}

func (a *attendant) play(t *testing.T) {
	defer close(a.done)
	say := func(k result.MarkKind, by string) time.Time {
		at := time.Now()
		if err := a.mark(k, "outage", by, at); err != nil {
			t.Errorf("%s: %v", k, err)
		}
		return at
	}
	if err := a.mark(result.Continued, "outage", "", time.Now()); err == nil {
		t.Error("continued before its time")
	}
	select {
	case <-a.waits:
	case <-t.Context().Done():
		return
	}
	for k, fault := range map[result.MarkKind]string{
		result.Seen: "outage", result.Continued: "outrage", "thought": "outage",
	} {
		if err := a.mark(k, fault, "", time.Now()); err == nil {
			t.Errorf("%s of %s was taken", k, fault)
		} else if fault == "outrage" && !strings.Contains(err.Error(), `did you mean "outage"`) {
			t.Error(err)
		}
	}
	a.continued = say(result.Continued, "ann")
	<-a.s.broke
	time.Sleep(300 * time.Millisecond) // simulates a person who looks at the dashboard
	a.seen = say(result.Seen, "ann")
	if err := a.mark(result.Seen, "outage", "bob", time.Now()); err == nil || !strings.Contains(err.Error(), "by ann") {
		t.Errorf("seen twice: %v", err)
	}
	time.Sleep(500 * time.Millisecond) // simulates a person who thinks
	a.understood = say(result.Understood, "")
	time.Sleep(200 * time.Millisecond) // simulates a person who types
	a.acted = say(result.Acted, "bob")
	time.Sleep(400 * time.Millisecond) // simulates a machine that starts again
	a.s.fix()
}

// TestOperator holds the split of an outage against the clock of the person who plays the operator, and the log of the
// server that the person mends: in one process, and with workers.
func TestOperator(t *testing.T) {
	if testing.Short() {
		t.Skip("some seconds")
	}
	t.Parallel()
	for _, n := range []int{0, 2} {
		t.Run(fmt.Sprint(n, " workers"), func(t *testing.T) {
			t.Parallel()
			s := newBreakable(t)
			a, o := attend(t, s)
			text := strings.Replace(attendedScenario(s.URL), "errors < 90%",
				"errors < 90%, seen < 4s after outage, acted < 4s after outage", 1)
			var res *result.Result
			if n > 0 {
				res = withWorkers(t, n, text, o)
			} else {
				res = runOnce(t, text, o)
			}
			<-a.done
			if len(res.Faults) != 1 || res.Faults[0].Operator == nil || res.Faults[0].Operator.Split == nil {
				t.Fatalf("%s: %s; %+v", res.Verdict, res.Reason, res.Faults)
			}
			a.holds(t, &res.Faults[0])
			f := &res.Faults[0]
			for i, mark := range []*result.Mark{f.Operator.Seen, f.Operator.Acted} {
				o, want := &res.Objectives[i+1], mark.At-f.Injected
				if math.Abs(float64(o.Measured-want)) > 1e-6 || o.Verdict != scenarios.Pass {
					t.Errorf("%s: %s of %v, want %v", o.Text, o.Verdict, o.Measured, want)
				}
			}
			kinds := map[string]int{}
			for _, e := range res.Events {
				kinds[e.Event]++
			}
			for _, want := range []string{"waiting", "continued", "seen", "understood", "acted"} {
				if kinds["operator."+want] != 1 {
					t.Errorf("%d events operator.%s", kinds["operator."+want], want)
				}
			}
		})
	}
}

// holds compares the record of the fault with the attendant's clock and the server's log.
func (a *attendant) holds(t *testing.T, f *result.FaultRecord) {
	t.Helper()
	o, s := f.Operator, f.Operator.Split
	t.Logf("%+v; waited %v to %v", *s, o.Asked, o.Continued.At)
	a.s.mu.Lock()
	defer a.s.mu.Unlock()

	const exact = 1e-6
	for _, c := range []struct {
		name      string
		got       result.Num
		low, high time.Duration
	}{
		// the injecting call follows the order to continue, and reaches the server after the injection
		{"detect", s.Detect, a.seen.Sub(a.s.brokenAt), a.seen.Sub(a.continued)},
		{"decide", s.Decide, a.understood.Sub(a.seen), a.understood.Sub(a.seen)},
		{"act", s.Act, a.acted.Sub(a.understood), a.acted.Sub(a.understood)},
		{"recover", s.Recover, a.s.lastBad.Sub(a.acted) - 500*time.Millisecond, a.s.good.Sub(a.acted)},
		{"the machine's", s.Machine, a.s.lastBad.Sub(a.acted) - 500*time.Millisecond, a.s.good.Sub(a.acted)},
		{"total", s.Total, a.s.lastBad.Sub(a.s.brokenAt) - 500*time.Millisecond, a.s.good.Sub(a.continued)},
	} {
		if float64(c.got) < c.low.Seconds()-exact || float64(c.got) > c.high.Seconds()+exact {
			t.Errorf("%s took %v, want %s to %s", c.name, c.got, c.low, c.high)
		}
	}
	if sum := s.Detect + s.Decide + s.Act + s.Recover; float64(sum-s.Total) > exact || float64(s.Total-sum) > exact {
		t.Errorf("the parts are %v in all, and the whole is %v", sum, s.Total)
	}
	if o.Continued.By != "ann" || o.Seen.By != "ann" || o.Understood.By != "" || o.Acted.By != "bob" {
		t.Errorf("%+v", o)
	}
	if o.Continued.At < o.Asked || f.Injected < o.Continued.At {
		t.Errorf("waited from %v to %v, and injected at %v", o.Asked, o.Continued.At, f.Injected)
	}
}

// TestOperator_Absent: if no operator continues a fault, the run ends with a finding that is not brunt's own fault: the
// fault and one that follows it are skipped, and objectives on them are inconclusive.
func TestOperator_Absent(t *testing.T) {
	t.Parallel()
	s := newBreakable(t)
	text := strings.NewReplacer("at_most: 4s", "at_most: 300ms", "duration: 10s", "duration: 3s", "within: 5s", "within: 1s",
		"slo: [errors < 90%]", "slo: [errors < 90%, errors < 90% in outage]").Replace(attendedScenario(s.URL))
	text = strings.Replace(text, "judge:", `  next: {after: outage, from: injection, wait: 100ms, for: 200ms, network.latency: {from: load, to: target,
    delay: 5ms}}
judge:`, 1)
	res := runOnce(t, text, run.Options{Proxies: self("proxies")})
	if res.Verdict != scenarios.Inconclusive || res.Reasons[0].Kind != result.OperatorAbsent ||
		!strings.Contains(res.Reason, "no operator continued it within 300ms") {
		t.Errorf("%s: %s; %+v", res.Verdict, res.Reason, res.Reasons)
	}
	for i := range res.Faults {
		f := &res.Faults[i]
		if !f.Skipped || f.Injected.Known() {
			t.Errorf("%s was not skipped: %+v", f.Name, f)
		}
		o := f.Operator
		if f.Name == "outage" && (o == nil || !o.Asked.Known() || o.Continued != nil || o.Split != nil) {
			t.Errorf("%+v", o)
		}
	}
	for _, o := range res.Objectives[1:] {
		if o.Verdict != scenarios.Inconclusive {
			t.Errorf("%s: %s", o.Text, o.Verdict)
		}
	}
	if !s.lastBad.IsZero() {
		t.Error("the server was broken")
	}
}

// TestOperator_Interrupted: Ctrl-C during the wait takes back the fault that is in meanwhile, and leaves nothing.
func TestOperator_Interrupted(t *testing.T) {
	t.Parallel()
	s := newBreakable(t)
	text := strings.Replace(attendedScenario(s.URL), "judge:",
		`  slow: {at: 100ms, for: 6s, network.latency: {from: load, to: target, delay: 5ms}}
judge:`, 1)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	state := t.TempDir()
	res, err := run.Run(ctx, mustCompile(t, text), run.Options{
		State: state, Proxies: self("proxies"), Event: func(e result.Event) {
			if e.Event == "operator.waiting" {
				cancel(run.Interrupt{Code: 130})
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if res.Verdict != scenarios.Interrupted || res.ExitCode != 130 {
		t.Errorf("%s, %d: %s", res.Verdict, res.ExitCode, res.Reason)
	}
	for i := range res.Faults {
		if f := &res.Faults[i]; f.Name == "slow" && (f.Revert != "ok" || !f.Gone) {
			t.Errorf("slow: %s, gone %v", f.Revert, f.Gone)
		}
	}
	if left, _ := os.ReadDir(state); len(left) > 0 {
		t.Errorf("it left %v", left)
	}
}
