package played

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/truth"
)

// An ordinary scenario is one of 1 to 5 minutes as authors write them, of a target that meets its objectives
// or misses them clearly.
type ordinary struct {
	name    string
	rate    int
	minutes float64
	errors  float64       // share of requests that fail by chance
	median  time.Duration // of response times, which have a heavy tail: the 99th percentile is at 5 times as much
	outage  time.Duration // after the injection of the fault, in which every request fails
	faults  []span
	slo     []string // those with a ! at the end fail
}

// fault is in from 20 s on for so long.
func fault(stays time.Duration) []span { return []span{{20 * sec, 20*sec + stays}} }

var ordinaryScenarios = []ordinary{
	{"a smoke load", 10, 1, 0, 8 * ms, 0, nil, []string{"errors < 1%", "p95 < 200ms"}},
	{"a small service", 20, 1, .0005, 12 * ms, 0, nil, []string{"errors < 1%", "p95 < 100ms", "p99 < 500ms"}},
	{
		"a service with a few errors", 100, 1, .002, 20 * ms, 0, nil,
		[]string{"errors < 1%", "availability > 99%", "p95 < 200ms"},
	},
	{"three nines", 100, 2, 0, 20 * ms, 0, nil, []string{"availability > 99.9%", "p99 < 500ms"}},
	{
		"three nines, with errors", 500, 2, .0003, 10 * ms, 0, nil,
		[]string{"availability > 99.9%", "p99.9 < 1s", "within(200ms) > 99%"},
	},
	{"a busy service", 1000, 1, .001, 3 * ms, 0, nil, []string{"errors < 0.5%", "p50 < 10ms", "p99 < 50ms"}},
	{"too slow", 100, 1, 0, 90 * ms, 0, nil, []string{"p95 < 100ms!", "errors < 1%"}},
	{"too many errors", 50, 1, .03, 20 * ms, 0, nil, []string{"errors < 1%!", "p90 < 200ms"}},
	{"a budget", 200, 2, .001, 15 * ms, 0, nil, []string{"burn(99%, 30s) < 1", "slices(1s, 95%) > 90%", "errors = 0%!"}},
	{"a check of every answer", 30, 2, 0, 15 * ms, 0, nil, []string{"checks = 100%", "errors = 0%", "timeouts = 0"}},
	{
		"a crash", 100, 1, .0005, 10 * ms, 1500 * ms, fault(5 * sec),
		[]string{"recover < 5s after f", "errors < 5%", "p95 < 200ms in baseline"},
	},
	{
		"a crash at a low rate", 20, 1.5, 0, 15 * ms, 2 * sec, fault(5 * sec),
		[]string{"recover < 10s after f", "errors < 10%"},
	},
	{
		"a slow failover", 50, 2, .0005, 12 * ms, 12 * sec, fault(25 * sec),
		[]string{"recover < 10s after f!", "recover < 30s after f", "failover < 20s after f"},
	},
	{
		"harmless", 200, 1, .0005, 8 * ms, 0, fault(10 * sec),
		[]string{"recover < 1s after f", "errors < 1% in f", "p95 < 200ms in f"},
	},
	{
		"good again after it", 100, 1, 0, 10 * ms, 3 * sec, fault(3 * sec),
		[]string{"errors < 1% in rest/f", "p95 < 200ms in recovery/f", "heal < 2s after f"},
	},
	{
		"an incident", 100, 1.5, .0005, 10 * ms, 4 * sec, fault(8 * sec),
		[]string{"recover < 10s after incident", "degraded < 5s after f", "failed < 600 after f"},
	},
	{
		"two faults", 100, 2, .0005, 10 * ms, 2 * sec,
		[]span{{20 * sec, 24 * sec}, {60 * sec, 64 * sec}},
		[]string{"recover < 5s after f", "recover < 5s after g", "errors < 10%"},
	},
	{
		"five minutes", 50, 5, .001, 25 * ms, 3 * sec, fault(5 * sec),
		[]string{"errors < 2.5%", "p95 < 1s in baseline", "recover < 5s after f", "availability > 97%"},
	},
	{
		"five busy minutes", 300, 5, .0005, 5 * ms, 500 * ms, fault(5 * sec),
		[]string{"availability > 99.5%", "recover < 1s after f", "p95 < 100ms"},
	},
	{
		"an outage that is too long", 100, 1, 0, 10 * ms, 6 * sec, fault(6 * sec),
		[]string{"recover < 5s after f!", "errors < 5%!", "onset < 1s after f"},
	},
}

// script is the target: errors by chance, a heavy tail, and an outage after each injection.
func (o ordinary) script(seed uint64) truth.Script {
	return func(n int) truth.Act {
		r := rand.New(rand.NewPCG(seed, uint64(n)))
		at := time.Duration(float64(n) / float64(o.rate) * float64(sec))
		for _, f := range o.faults {
			if at >= f.from && at < f.from+o.outage {
				return f503
			}
		}
		if r.Float64() < o.errors {
			return f503
		}
		sigma := math.Log(5) / 2.326 // the 99th percentile of a normal deviate
		return truth.Act{Delay: time.Duration(float64(o.median) * math.Exp(sigma*r.NormFloat64()))}
	}
}

// text is the scenario as an author writes it.
func (o ordinary) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\ntarget: {url: \"http://127.0.0.1:8080\"}\nload: {main: {executor: "+
		"constant-arrival-rate, rate: %d/s, duration: %ds, "+
		"flow: [{get: /, name: read}]}}\n", o.rate, int(o.minutes*60))
	for i, f := range o.faults {
		if i == 0 {
			b.WriteString("chaos:\n")
		}
		fmt.Fprintf(&b, "  %c: {at: %s, for: %s, exec: {inject: a, verify: b, revert: c}}\n", 'f'+i, f.from, f.to-f.from)
	}
	b.WriteString("slo:\n")
	for _, s := range o.slo {
		fmt.Fprintf(&b, "  - %q\n", strings.TrimSuffix(s, "!"))
	}
	return b.String()
}

// objectives are those of the scenario, and the verdict that each has to have, by its text.
func (o ordinary) objectives(t *testing.T) (all []slo.Objective, want map[string]scenarios.Verdict) {
	want = map[string]scenarios.Verdict{}
	for _, text := range o.slo {
		text, fails := strings.CutSuffix(text, "!")
		parsed, err := slo.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		if want[parsed.Text] = scenarios.Pass; fails {
			want[parsed.Text] = scenarios.Fail
		}
		all = append(all, parsed)
	}
	return all, want
}

// played is the scenario as a case.
func (o ordinary) played() playedCase {
	return playedCase{rate: o.rate, seconds: int(o.minutes * 60), faults: o.faults, slowShare: .005}
}

// play judges objectives on the target of a seed, in a case of the scenario.
func (o ordinary) play(t *testing.T, p playedCase, objectives []slo.Objective, seed uint64) []result.ObjectiveResult {
	l := truth.Load{Rate: o.rate, Timeout: 10 * sec, T0: time.Unix(1_000_000, 0), Requests: o.rate * p.seconds}
	return p.play(t, objectives, p.outcomes(l, l.Play(o.script(seed))), time.Duration(p.seconds)*sec).Objectives
}

// TestOrdinary checks that a pass needs its bound at the cost of no ordinary scenario: validate accepts each of
// 20, and every objective of each is decided, and rightly, for five targets drawn by chance.
func TestOrdinary(t *testing.T) {
	if n := len(ordinaryScenarios); n != 20 {
		t.Errorf("%d scenarios, want 20", n)
	}
	for _, o := range ordinaryScenarios {
		t.Run(o.name, func(t *testing.T) {
			t.Parallel()
			if _, err := plantest.CompileText(o.text()); err != nil {
				t.Fatalf("it is refused: %s", plantest.Explained(err))
			}
			objectives, want := o.objectives(t)
			for seed := range uint64(5) {
				p := o.played()
				for _, r := range o.play(t, p, objectives, seed) {
					if r.Verdict != want[r.Text] {
						t.Errorf("target %d: %s is %s, measured %v from %v to %v, bound %v (%s); want %s", seed, r.Text, r.Verdict,
							r.Measured, r.Low, r.High,
							r.Bound, r.Note, want[r.Text])
					}
				}
			}
		})
	}
}

// TestOrdinary_Busy checks that a busy machine costs few verdicts: brunt stands still ten times a minute, for 70 to 400
// ms, as on two processors with a load of 25. Objectives on faults fail where they have to, and at most 4 of 100 others
// are invalid: those by whose instant brunt stood still for a good part of what they allow.
func TestOrdinary_Busy(t *testing.T) {
	judged, turned := 0, 0
	for n, o := range ordinaryScenarios {
		if len(o.faults) == 0 {
			continue
		}
		objectives, want := o.objectives(t)
		objectives = slices.DeleteFunc(objectives, func(of slo.Objective) bool { return !of.Metric.OfFault() })
		for seed := range uint64(5) {
			r := rand.New(rand.NewPCG(seed, uint64(n)))
			p := o.played()
			for at := time.Duration(0); ; {
				if at += time.Duration(r.ExpFloat64() * 6 * float64(sec)); at >= time.Duration(p.seconds)*sec {
					break
				}
				z := measure.Freeze{From: at, To: at + 70*ms + time.Duration(r.Int64N(int64(330*ms)))}
				p.freezes, at = append(p.freezes, z), z.To
			}
			for _, v := range o.play(t, p, objectives, seed) {
				judged++
				switch {
				case v.Verdict == scenarios.Invalid && want[v.Text] == scenarios.Pass:
					turned++
					t.Logf("%s, target %d: %s is invalid, measured %v (%s)", o.name, seed, v.Text, v.Measured, v.Note)
				case v.Verdict != want[v.Text]:
					t.Errorf("%s, target %d: %s is %s, measured %v from %v to %v (%s); want %s", o.name, seed, v.Text, v.Verdict,
						v.Measured, v.Low, v.High, v.Note,
						want[v.Text])
				}
			}
		}
	}
	if 25*turned > judged {
		t.Errorf("%d of %d objectives on faults are invalid, want at most 4 %%", turned, judged)
	}
}
