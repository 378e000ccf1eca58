package played

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/forecast"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// A drawn scenario is a random one, such as authors write.
type drawn struct {
	rate    int
	users   *truth.Users // in place of the rate
	seconds int
	faults  []span
	repeats bool     // the faults are occurrences of one
	group   bool     // the fault is a group of two steps
	ledger  bool     // each request is a write, which is read back
	judge   []string // settings
	slo     []string
	plan    *plan.Plan
}

// pick returns one of some values.
func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// draw returns a random scenario of which validate promises that the run decides it; ok is false if validate refuses
// it, or notes what the run may not decide. Two of three are as short as validate allows.
func draw(r *rand.Rand) (d drawn, ok bool) {
	d.rate, d.seconds = 5+r.IntN(pick(r, 20, 100, 200)), 30+r.IntN(150)
	if r.IntN(5) == 0 {
		d.users = &truth.Users{Users: pick(r, 2, 5, 10, 20), Think: pick(r, 100*ms, 200*ms, 500*ms)}
	}
	at := 0
	for range pick(r, 0, 1, 1, 1, 2) {
		at += 5 + r.IntN(40)
		stays := pick(r, 2, 3, 5, 8, 10, 20)
		d.faults = append(d.faults, span{time.Duration(at) * sec, time.Duration(at+stays) * sec})
		at += stays
	}
	switch r.IntN(6) {
	case 0:
		d.repeats, d.faults = true, nil
		at, stays, every := 5+r.IntN(30), pick(r, 2, 3, 5), pick(r, 15, 25, 40)
		for range 2 + r.IntN(4) {
			d.faults = append(d.faults, span{time.Duration(at) * sec, time.Duration(at+stays) * sec})
			at += every
		}
	case 1:
		d.group = len(d.faults) == 1
	}
	d.ledger = d.users == nil && r.IntN(4) == 0
	if r.IntN(3) == 0 {
		d.judge = append(d.judge, fmt.Sprintf("hold: %ds", pick(r, 2, 3, 4, 5, 8, 15)))
	}
	if r.IntN(4) == 0 {
		d.judge = append(d.judge, "limit: "+pick(r, "0.5%", "2%", "5%", "10%"))
	}
	if r.IntN(3) == 0 {
		d.judge = append(d.judge, "slow: "+pick(r, "400ms", "30s"))
	}
	for range 1 + r.IntN(4) {
		d.slo = append(d.slo, objective(r, d))
	}
	longest := 300
	if r.IntN(3) == 0 {
		longest = d.seconds
	} else {
		d.seconds = sort.Search(longest, func(n int) bool {
			short := d
			short.seconds = n
			return n > 0 && short.compile()
		})
	}
	return d, d.seconds <= longest && d.compile()
}

// text is the scenario as an author writes it.
func (d drawn) text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "version: 1\ntarget: {url: \"http://127.0.0.1:8080\"}\nload: {main: {duration: %ds, ", d.seconds)
	switch {
	case d.ledger:
		fmt.Fprintf(&b, "executor: constant-arrival-rate, rate: %d/s, flow: [{post: /w, name: read, body: "+
			"\"${ledger.id}\"}]}}\n", d.rate)
		b.WriteString("ledger: {write: read, id: \"${ledger.id}\", read: {get: \"/w/${id}\"}, count: \"$.n\"}\n")
	case d.users != nil:
		fmt.Fprintf(&b, "executor: constant-vus, vus: %d, flow: [{get: /, name: read}, {think: %s}]}}\n", d.users.Users,
			d.users.Think)
	default:
		fmt.Fprintf(&b, "executor: constant-arrival-rate, rate: %d/s, flow: [{get: /, name: read}]}}\n", d.rate)
	}
	for i, f := range d.faults {
		if i == 0 {
			b.WriteString("chaos:\n")
		}
		again, do := "", "exec: {inject: a, verify: b, revert: c}"
		if d.repeats {
			if i > 0 {
				break
			}
			again = fmt.Sprintf("every: %s, repeat: %d, ", d.faults[1].from-f.from, len(d.faults))
		}
		if d.group {
			do = "steps: [{name: one, " + do + "}, {name: two, after: 1s, " + do + "}]"
		}
		fmt.Fprintf(&b, "  %c: {at: %s, %sfor: %s, %s}\n", 'f'+i, f.from, again, f.to-f.from, do)
	}
	fmt.Fprintf(&b, "judge: {%s}\nslo:\n", strings.Join(d.judge, ", "))
	for _, o := range d.slo {
		fmt.Fprintf(&b, "  - %q\n", o)
	}
	return b.String()
}

// compile plans the scenario, and reports whether validate promises that the run decides it.
func (d *drawn) compile() bool {
	p, err := plantest.CompileText(d.text())
	if err != nil {
		return false
	}
	d.plan = p
	return len(p.Doubts) == 0
}

// objective returns a random objective.
func objective(r *rand.Rand, d drawn) string {
	counted := []string{
		"errors < 0.5%", "errors < 1%", "errors < 2%", "errors < 5%", "errors < 10%", "errors = 0%", "availability > 99%",
		"availability > 99.5%", "availability > 95%", "p50 < 400ms", "p90 < 400ms", "p95 < 400ms", "p99 < 600ms",
		"within(400ms) > 95%", "within(600ms) > 99%", "timeouts = 0",
	}
	if d.ledger && r.IntN(2) == 0 {
		return pick(r, "lost = 0", "lost < 1%", "lost < 5%", "duplicated = 0", "stale < 2%", "rpo < 5s")
	}
	if len(d.faults) == 0 {
		return pick(r, append(counted, "burn(99%, 10s) < 3", "slices(1s, 95%) > 90%")...)
	}
	fault := string(rune('f' + r.IntN(len(d.faults))))
	if d.repeats {
		fault = pick(r, "f", "f", fmt.Sprintf("f#%d", 1+r.IntN(len(d.faults))))
	}
	if r.IntN(2) == 0 {
		return pick(r, counted...) + pick(r, "", " in baseline", " in "+fault, " in recovery/"+fault, " in rest/"+fault)
	}
	limit := pick(r, 1, 2, 3, 5, 8, 10, 15, 20, 30)
	return fmt.Sprintf(pick(r, "recover < %ds after %s", "recover < %ds after %s", "heal < %ds after %s",
		"degraded < %ds after %s", "area < %ds after %s", "failed < %d after %s", "recover(400ms) < %ds after %s",
		"recover < %ds after incident%.0s", "failover < %ds after %s"), limit, fault)
}

// A badness is how a system misbehaves from an instant on.
type badness struct {
	kind  string
	share float64 // of requests that it hits
	lasts time.Duration
}

func (b badness) String() string {
	if b.kind == "" {
		return "no fault of its own"
	}
	return fmt.Sprintf("%s of %.0f%% for %v", b.kind, 100*b.share, b.lasts)
}

// misbehave returns a way to be bad, which is often as long as an objective allows.
func misbehave(r *rand.Rand, d drawn) badness {
	b := badness{kind: pick(r, "errors", "freeze", "slow", "errors", "freeze"), share: 1}
	b.lasts = time.Duration(float64(sec) * math.Exp(r.Float64()*5-1)) // 0.4 s to 55 s
	switch o := pick(r, d.plan.Scenario.SLO...); {
	case r.IntN(6) == 0:
		b.lasts = time.Hour
	case o.Metric.OfFault() && r.IntN(2) == 0: // within the objective, just so
		b.lasts = max(100*ms, result.Num(o.Value).D()-time.Duration(1+r.IntN(900))*ms)
	}
	if b.kind == "errors" && r.IntN(2) == 0 {
		b.share = .02 + pick(r, .05, .98)*r.Float64()
	}
	return b
}

// act returns the reaction of a system to a request at an instant.
func (b badness) act(d drawn, at time.Duration, r *rand.Rand) truth.Act {
	sigma := math.Log(3) / 2.326 // the 99th percentile of a normal deviate
	a := truth.Act{Delay: time.Duration(20 * float64(ms) * math.Exp(sigma*r.NormFloat64()))}
	chance := r.Float64()
	if b.kind == "" {
		return a
	}
	if len(d.faults) == 0 {
		if chance < b.share {
			return f503
		}
		return a
	}
	for _, f := range d.faults {
		if at < f.from || at >= f.from+b.lasts || chance >= b.share {
			continue
		}
		switch b.kind {
		case "errors":
			return f503
		case "slow":
			a.Delay *= 50
		case "freeze":
			a.Delay += f.from + b.lasts - at
		}
	}
	return a
}

// judged plays a system, and returns its objectives.
func (d drawn) judged(t *testing.T, b badness, seed uint64) []result.ObjectiveResult {
	j := d.plan.Scenario.Judge
	p := playedCase{
		rate: d.rate, seconds: d.seconds, faults: d.faults, hold: j.HoldOr(), limit: j.LimitOr(), slow: j.Slow.D(),
		users: d.users, again: d.repeats, group: d.group,
	}
	if p.slow == 0 {
		p.slowShare = j.LimitOr() / 2
	}
	end, t0 := time.Duration(d.seconds)*sec, time.Unix(1_000_000, 0)
	l := truth.Load{Rate: d.rate, Timeout: 10 * sec, T0: t0, Requests: d.rate * d.seconds}
	random := rand.New(rand.NewPCG(seed, 5))
	var log []truth.Entry
	if d.users != nil {
		u := *d.users
		u.T0, u.For, u.Timeout = t0, end, l.Timeout
		log = u.Play(func(at time.Duration) truth.Act { return b.act(d, at, random) })
	} else {
		log = l.Play(func(n int) truth.Act { return b.act(d, l.Intended(n), random) })
	}
	outcomes := p.outcomes(l, log)
	if d.ledger {
		p.ledger = []*result.LedgerRecord{b.written(outcomes, random)}
	}
	return p.play(t, slices.Clone(d.plan.Scenario.SLO), outcomes, end).Objectives
}

// written returns the ledger of a system that keeps each write, or loses some if it misbehaves.
func (b badness) written(outcomes []scenarios.Outcome, r *rand.Rand) *result.LedgerRecord {
	l := &result.LedgerRecord{Write: "read", Read: true, RPO: 0, RPOLow: 0}
	for _, o := range outcomes {
		if o.Kind == scenarios.OK {
			l.Acknowledged++
		}
	}
	if b.kind != "" && l.Acknowledged > 0 {
		l.Lost = min(l.Acknowledged, int64(float64(l.Acknowledged)*pick(r, 0, .001, .01, .03, .2))+int64(r.IntN(2)))
	}
	if l.Lost > 0 {
		l.RPOLow, l.RPO = result.Sec(b.lasts/2), result.Sec(b.lasts)
	}
	l.Held = l.Acknowledged - l.Lost
	return l
}

// lacking are the notes by which an objective lacks time or requests.
var lacking = []result.NoteKind{
	result.FewRequests, result.NotShown, result.RequestsNone, result.PhaseEmpty, result.PhaseAbsent, result.BaselineNone,
	result.FewAfter, result.EndWithinHold, result.EndAfterBad, result.EndBeforeHold, result.OtherNext,
	result.SlowUnlimited, result.SlowUnderLimit, result.SlowerFew, result.IncidentOpen, result.RecoveryNone,
	result.FewOccurrences, result.FailoverUntold, result.FewWrites, result.WritesNotShown,
}

// lacks reports whether an objective is inconclusive for want of time or requests.
//
// Some systems are neither good nor bad: their share of bad requests, or of slow answers, is so near the target that
// only many more requests would tell. How many requests a closed load makes while its users wait depends on the target.
// A loss that goes on, because the target never recovers, has no length that validate could promise; nor has slight
// harm that lasts for longer than the loss that an objective allows.
func (d drawn) lacks(o *result.ObjectiveResult, b badness) bool {
	if o.Verdict != scenarios.Inconclusive {
		return false
	}
	if len(o.Because) == 0 {
		return true
	}
	return slices.ContainsFunc(o.Because, func(n result.Note) bool {
		switch {
		case (n.Kind == result.NotShown || n.Kind == result.WritesNotShown) && n.Value != 0 && n.Value != 1,
			d.users != nil && (n.Kind == result.FewRequests || n.Kind == result.FewAfter || n.Kind == result.EndAfterBad),
			n.Kind == result.RecoveryNone && o.Of().Row().Lasts,
			n.Kind == result.EndAfterBad && o.Of().Row().Lasts && b.lasts.Seconds() > float64(o.Target):
			return false
		}
		return slices.Contains(lacking, n.Kind)
	})
}

// TestPromise_Freeze freezes a target in which no request is bad, because none may be slow, for nearly as long as an
// objective allows, in the shortest load in which validate has no doubt of that objective. So little harm needs more
// good requests than an outage.
func TestPromise_Freeze(t *testing.T) {
	for _, rate := range []int{25, 50, 100, 200} {
		d := drawn{rate: rate, faults: fault(3 * sec), judge: []string{"slow: 30s"}, slo: []string{"recover < 8s after f"}}
		d.seconds = 30 + sort.Search(100, func(n int) bool {
			short := d
			short.seconds = 30 + n
			p, err := plantest.CompileText(short.text())
			return err == nil && !slices.Contains(p.Doubts, forecast.RecoveryOpen)
		})
		d.compile() // which notes harm that is slighter still
		r := d.judged(t, badness{kind: "freeze", share: 1, lasts: 7500 * ms}, 1)[0]
		if r.Verdict != scenarios.Pass || r.Measured != 7 {
			t.Errorf("%d/s for %d s: %s, measured %v: %s", rate, d.seconds, r.Verdict, r.Measured, r.Note)
		}
		d.seconds -= 3 // a stall is known to the second, so that one second is to spare
		if r := d.judged(t, badness{kind: "freeze", share: 1, lasts: 7500 * ms}, 1)[0]; r.Verdict != scenarios.Inconclusive ||
			len(r.Because) != 1 || r.Because[0].Kind != result.EndBeforeHold || r.Because[0].For < 1 || r.Because[0].For > 3 {
			t.Errorf("3 s less: %s: %s", r.Verdict, r.Note)
		}
	}
}

// TestPromise plays random scenarios that validate calls decidable, each on a good and on a bad system. No objective
// ends inconclusive for want of time or requests, and on the good system all hold.
func TestPromise(t *testing.T) {
	want := suite.Trials(500)
	played, refused := 0, 0
	verdicts, kinds := map[scenarios.Verdict]int{}, map[string]int{}
	for seed := uint64(0); played < want; seed++ {
		r := rand.New(rand.NewPCG(seed, 9))
		d, ok := draw(r)
		if !ok {
			refused++
			continue
		}
		played++
		for kind, is := range map[string]bool{
			"users": d.users != nil, "repeats": d.repeats, "groups": d.group, "ledgers": d.ledger,
		} {
			if is {
				kinds[kind]++
			}
		}
		for _, b := range []badness{{}, misbehave(r, d)} {
			for _, o := range d.judged(t, b, seed) {
				verdicts[o.Verdict]++
				switch {
				case d.lacks(&o, b):
					t.Errorf("scenario %d: validate accepts it, and on a system with %v `%s` is inconclusive: %s\n%s", seed, b,
						o.Text, o.Note, d.text())
				case b.kind == "" && o.Verdict != scenarios.Pass:
					t.Errorf("scenario %d: on a good system `%s` is %s: %s\n%s", seed, o.Text, o.Verdict, o.Note, d.text())
				}
			}
		}
	}
	t.Logf("%d scenarios, of each two systems; %d were refused; %v; verdicts: %v", played, refused, kinds, verdicts)
	if want >= 50 && len(kinds) < 4 {
		t.Errorf("the scenarios lack a kind: %v", kinds)
	}
	if refused > 4*played {
		t.Errorf("validate refuses %d of %d", refused, refused+played)
	}
}
