package play

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// TestCampaign_Settle: a system that goes on between drills is held against what it answered before the first, also by
// a process that continues.
func TestCampaign_Settle(t *testing.T) {
	var broken atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if broken.Load() {
			w.WriteHeader(http.StatusBadGateway)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	state := t.TempDir()
	open := func() *Campaign {
		c := &Campaign{
			Subject: Subject{URL: server.URL, Rate: "40", Compile: compile}, Settle: time.Second, Dir: dir,
			Probe: func(ctx context.Context, p *plan.Plan) (*result.Result, error) {
				return run.Run(ctx, p, run.Options{ID: run.NewID(), State: state})
			},
			Waiting: func(string) {},
			steady:  steadyState{lasts: time.Second},
		}
		base, err := c.Subject.base(nil, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.prepareSteady(base.Plan)
		return c
	}
	asks := func(c *Campaign, want bool, ask func() (bool, error)) {
		t.Helper()
		goes, err := ask()
		if err != nil || goes != want {
			t.Fatalf("%v, %v: %s", goes, err, c.steady.broken)
		}
		code := c.ExitCode(t.Context(), scenarios.Pass, scenarios.ExitPass)
		if broken := c.steady.broken != ""; broken == want || broken != (code == scenarios.ExitFail) {
			t.Errorf("exit code %d: %s", code, c.Stopped())
		}
	}
	c := open()
	settled := func() (bool, error) { return c.settled(t.Context()) }
	asks(c, true, settled)
	if all := c.steady.before.Steps["requests: GET /"]; all.All != 40 || all.Bad != 0 {
		t.Errorf("before the first drill %+v", c.steady.before)
	}
	broken.Store(true)
	asks(c, false, func() (bool, error) { return c.settleAfter(t.Context(), "replica-crash") })
	const lost = "The system did not come back after replica-crash, within 1s: all of 40 requests failed. Once it is " +
		"mended,"
	if got := c.Stopped(); !strings.HasPrefix(got, lost) {
		t.Errorf("it says %q", got)
	}
	asks(c, false, settled) // of the next drill
	c = open()
	asks(c, false, settled) // of another process
	if got := c.Stopped(); !strings.Contains(got, "does not answer as it did before the first drill") ||
		!strings.Contains(got, "steady.json") {
		t.Errorf("it says %q", got)
	}
	broken.Store(false)
	c = open()
	asks(c, true, settled)
	broken.Store(true)
	c = open()
	c.Dir = t.TempDir()
	asks(c, false, settled) // there is nothing that a system could come back to
	if got := c.Stopped(); !strings.HasPrefix(got,
		"The system does not answer before the first drill: all of 40 requests failed. Nothing was started.") {
		t.Errorf("it says %q", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if why := c.steady.why(ctx); why != "interrupted before it" {
		t.Errorf("it says %q", why)
	}
}

// compile compiles a scenario as a command without flags does.
func compile(s Source) (*plan.Plan, error) {
	o := scenarios.Options{Set: s.Set}
	if s.Text != "" {
		o.Read = func(string) ([]byte, error) { return []byte(s.Text), nil }
	}
	sc, err := scenarios.Parse(s.Path, o)
	if err != nil {
		return nil, err
	}
	return plan.Compile(sc, plan.CompileOptions{Unjudged: s.Trial})
}
