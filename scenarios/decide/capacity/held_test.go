package capacity

import (
	"context"
	"math"
	"strings"
	"testing"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/syntax"
)

const heldScenario = `version: 1
name: held
target: {stack: demo, with: {posts: {zones: [a, b]}}}
warmup: {for: 2s}
load: {main: {executor: constant-arrival-rate, rate: 100/s, duration: 20s, flow: [{get: "/posts?page=1"}]}}
chaos:
  slow-store: {at: 5s, for: 5s, network.latency: {from: posts, to: store, delay: 30ms}}
  pulses: {at: 5s, for: 5s, pulse: {on: 1s, off: 1s}, network.latency: {from: posts, to: store, delay: 30ms}}
  crash: {at: 12s, process.crash: {service: posts, pick: one}}
  ends: {at: 15s, exec: {inject: ["true"], verify: ["true"], revert: none, gone: ["true"]}}
slo: [p95 < 100ms, errors < 1%]
`

// A target is a simulated target of a search under a fault.
type target struct {
	alone, under float64       // capacities
	transient    time.Duration // after each injection
	never        bool          // it is not good again at the low load
	unproved     bool          // the fault is not proved at the end of a probe
	remains      bool          // the end of the fault is not seen
	usual        int64         // bad requests of ten, all the time
	void         int           // this many runs that inject the fault at the low load, and are invalid
	plans        []*plan.Plan
}

// run answers as a run of the plan would: the plan says whether the fault is in, and at which rate.
func (s *target) run(_ context.Context, p *plan.Plan, control bool) (*result.Result, error) {
	s.plans = append(s.plans, p)
	rate := p.Loads[0].Schedule.Rate.First()
	res := &result.Result{Verdict: scenarios.Pass, Generator: result.Generator{Healthy: true}}
	if !control {
		if s.void--; s.void >= 0 {
			res.Because(result.Reason{Kind: result.InjectionFailed, Verdict: scenarios.Invalid, Text: "no time"})
			return res, nil
		}
		f := result.FaultRecord{
			Name: p.Faults[0].Name, Kind: p.Faults[0].Kind, Units: []string{"posts[1]"}, Injected: 5, Verified: 5.1,
			Gone: !s.remains, Failover: result.Sec(s.transient), OnsetAt: 5, Failed: 7, Impact: result.Impacted,
		}
		if s.never {
			f.Failover, f.Impact = result.NaN, result.NotRecovered
		}
		res.Faults = []result.FaultRecord{f}
		return res, nil
	}
	of := s.alone
	for _, e := range p.Conditions {
		of = s.under
		c := result.Condition{
			Name: e.Name, Injected: result.Sec(e.At.D()), Gone: !s.remains, Still: "it is down", Evidence: "down",
		}
		c.Verified = c.Injected + .1
		if s.unproved {
			c.Still, c.Note = "", "no answer"
		}
		res.Conditions = append(res.Conditions, c)
		for t := -p.Scenario.Warmup; t < 0; t += time.Second {
			w := result.Window{T: result.Sec(t), Load: "*", Step: "*", Offered: 10, OK: 10 - s.usual, Error: s.usual}
			if since := t - e.At.D(); since >= 0 && since < s.transient {
				w.OK, w.Error = 5, 5
			}
			res.Windows = append(res.Windows, w)
		}
	}
	o := result.ObjectiveResult{Text: "p95 < 100ms", Metric: "p95", Measured: .01, Verdict: scenarios.Pass}
	if rate > of {
		o.Verdict, o.Measured, res.Verdict = scenarios.Fail, result.Num(math.Inf(1)), scenarios.Fail
	}
	res.Objectives = []result.ObjectiveResult{o}
	return res, nil
}

func prober(t *testing.T, s *target, held ...search.Held) *RunProber {
	t.Helper()
	return &RunProber{
		Parse: func() (*scenarios.Scenario, error) {
			return scenarios.Parse("held.yaml", scenarios.Options{
				Read: func(string) ([]byte, error) { return []byte(heldScenario), nil },
			})
		},
		Run: s.run, Length: 2 * time.Second, Settle: 20 * time.Second, Held: held,
	}
}

// TestHold finds the capacity of a target with and without a fault. The fault is injected at a low load, the rate is
// judged after the transient, and the search without a fault injects none.
func TestHold(t *testing.T) {
	for _, h := range []search.Held{
		{Without: "posts[1]"}, {Without: "posts"}, {Without: "zone=a"}, {During: "slow-store"},
	} {
		s := &target{alone: 1000, under: 430, transient: 3 * time.Second}
		r := prober(t, s, h)
		if mean, err := r.Check(); err != nil || mean != 100 {
			t.Fatalf("%s: %v, %v", h, mean, err)
		}
		all, err := Find(t.Context(), r, Options{From: 100})
		if err != nil || all.Low > 1000 || all.High < 1000 {
			t.Fatalf("%s: alone %+v, %v", h, all, err)
		}
		for _, p := range s.plans {
			if len(p.Conditions) > 0 || len(p.Faults) != 1 {
				t.Fatalf("%s: the search without a fault has %d conditions and %d faults", h, len(p.Conditions), len(p.Faults))
			}
		}
		s.plans = nil
		under, u, err := r.Hold(t.Context(), h, all)
		if err != nil || u.Transient.Lasted != 3 || u.Transient.Failed != 7 || u.Transient.Rate != .2*all.Low {
			t.Fatalf("%s: %+v, %v", h, u.Transient, err)
		}
		found, err := Find(t.Context(), under, Options{From: all.Low / 2})
		if err != nil || found.Low > 430 || found.High < 430 || found.High/found.Low > 1.05 {
			t.Fatalf("%s: under it %+v, %v", h, found, err)
		}
		for _, p := range s.plans[1:] {
			l := p.Loads[0].Schedule
			if len(p.Conditions) != 1 || p.Conditions[0].At.D() != -(8+2)*time.Second || l.Calm.For != 9*time.Second ||
				math.Abs(l.Calm.Rate-min(.2*all.Low, l.Rate.First())) > 1e-6 || p.Scenario.Warmup != 11*time.Second {
				t.Fatalf("%s: injected at %v, calm %+v, warm-up %s", h, p.Conditions[0].At, l.Calm, p.Scenario.Warmup)
			}
		}
	}
}

// TestHold_Refused: what can't be shown is no answer, and says so.
func TestHold_Refused(t *testing.T) {
	h := search.Held{Without: "posts[1]"}
	all := &search.Found{Low: 1000, High: 1040}
	for _, tt := range []struct {
		name   string
		target target
		want   string
	}{
		{"its end is not seen", target{remains: true}, "its end was not seen"},
		{"it is not proved at the end", target{under: 500, unproved: true}, "it was not proved at the end of 3 probes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := prober(t, &tt.target, h)
			if _, err := r.Check(); err != nil {
				t.Fatal(err)
			}
			under, _, err := r.Hold(t.Context(), h, all)
			if err == nil {
				_, err = under.Probe(t.Context(), 100)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v; want %q", err, tt.want)
			}
		})
	}
	s := &target{never: true}
	r := prober(t, s, h)
	if _, err := r.Check(); err != nil {
		t.Fatal(err)
	}
	under, u, err := r.Hold(t.Context(), h, all)
	if under != nil || err != nil || u.Low != 0 || u.High != 200 || u.Transient.Lasted.Known() {
		t.Errorf("never good again: %v, %+v, %v", under, u, err)
	}
}

// TestHold_Void: an invalid run at the low load is made again, and said. The third in a row ends the search.
func TestHold_Void(t *testing.T) {
	h := search.Held{Without: "posts[1]"}
	for void, want := range map[int]string{2: "", 3: "it was not injected at 200/s"} {
		s := &target{alone: 1000, under: 500, void: void}
		r := prober(t, s, h)
		var said []search.Try
		r.Tried = func(t search.Try) { said = append(said, t) }
		if _, err := r.Check(); err != nil {
			t.Fatal(err)
		}
		under, _, err := r.Hold(t.Context(), h, &search.Found{Low: 1000, High: 1040})
		switch {
		case want == "" && (err != nil || under == nil), want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%d invalid runs: %v", void, err)
		case len(said) != 2 || said[0].Answer != search.Disturbed || said[0].Rate != 200:
			t.Errorf("%d invalid runs: it said %+v", void, said)
		}
	}
}

// TestHold_LateRecovery: a probe whose load is still bad before the rate is repeated with more time.
func TestHold_LateRecovery(t *testing.T) {
	h := search.Held{Without: "posts[1]"}
	s := &target{under: 500, transient: time.Second}
	r := prober(t, s, h)
	if _, err := r.Check(); err != nil {
		t.Fatal(err)
	}
	under, _, err := r.Hold(t.Context(), h, &search.Found{Low: 1000, High: 1040})
	if err != nil {
		t.Fatal(err)
	}
	s.plans, s.transient = nil, 9*time.Second
	if try, err := under.Probe(t.Context(), 100); err != nil || try.Answer != search.Holds || len(s.plans) != 3 {
		t.Errorf("%+v after %d runs, %v; want the third run, after 16 s", try, len(s.plans), err)
	}
	s.transient = time.Hour
	if _, err := under.Probe(t.Context(), 100); err == nil || !strings.Contains(err.Error(), "--settle allows more") {
		t.Errorf("never good: %v", err)
	}
}

// TestHold_UsualErrors: requests are good again if no more of them are bad than judge.limit allows.
func TestHold_UsualErrors(t *testing.T) {
	h := search.Held{Without: "posts[1]"}
	for _, c := range []struct {
		limit string
		good  bool
	}{{"1%", false}, {"25%", true}} {
		r := prober(t, &target{under: 500, transient: time.Second, usual: 2}, h)
		r.Parse = func() (*scenarios.Scenario, error) {
			return scenarios.Parse("held.yaml", scenarios.Options{Read: func(string) ([]byte, error) {
				return []byte(heldScenario + "judge: {limit: " + c.limit + "}\n"), nil
			}})
		}
		if _, err := r.Check(); err != nil {
			t.Fatal(err)
		}
		under, _, err := r.Hold(t.Context(), h, &search.Found{Low: 1000, High: 1040})
		if err != nil {
			t.Fatal(err)
		}
		try, err := under.Probe(t.Context(), 100)
		if good := err == nil && try.Answer == search.Holds; good != c.good {
			t.Errorf("judge.limit %s: %+v, %v", c.limit, try, err)
		}
	}
}

// TestCheckHeld refuses faults that can't be held or repeated, before anything runs.
func TestCheckHeld(t *testing.T) {
	for _, tt := range []struct {
		held search.Held
		want string
	}{
		{search.Held{During: "slow-stor"}, `did you mean "slow-store"?`},
		{search.Held{During: "crash"}, "process.crash is over once it is done"},
		{search.Held{During: "pulses"}, "take the `pulse` out"},
		{search.Held{During: "ends"}, "exec is over once it is done"},
		{search.Held{Without: "posts[2]"}, "posts has 2 replicas"},
		{search.Held{Without: "zone=c"}, `there is no zone "c"`},
		{search.Held{Without: "post"}, "post"},
	} {
		s := &target{}
		_, err := prober(t, s, tt.held).Check()
		if err == nil || !strings.Contains(err.Error(), tt.want) || len(s.plans) > 0 {
			t.Errorf("%s: %v after %d runs; want %q", tt.held, err, len(s.plans), tt.want)
		}
	}
	h := search.Held{Without: "posts[1]"}
	if _, err := prober(t, &target{}, h, h).Check(); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("twice: %v", err)
	}
}

// TestUnholdable_Irreversible: a unit that brunt can't start again would be down for every later rate.
func TestUnholdable_Irreversible(t *testing.T) {
	e := &timeline.Entry{Kind: "process.stop"}
	e.Block.With = &syntax.Node{Kind: syntax.Map, Fields: []syntax.Field{
		{Key: "irreversible", Value: &syntax.Node{Value: "true"}},
	}}
	why, do := unholdable(&plan.Plan{Faults: []*timeline.Entry{e}}, 0)
	if !strings.Contains(why, "ends its unit for good") || do == "" {
		t.Errorf("%q; %q", why, do)
	}
	e.Block.With.Fields = nil
	if why, _ := unholdable(&plan.Plan{Faults: []*timeline.Entry{e}}, 0); why != "" {
		t.Errorf("a stop that is taken back is refused: %s", why)
	}
}
