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
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/plan"
	"brunt/scenarios/plan/forecast"
	"brunt/scenarios/plan/plantest"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
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
	sends   bool     // each request sends a message of the delivery order
	second  bool     // an iteration has a second step, list
	side    int      // requests a second of a second load, side, whose step is other; zero: no second load
	shed    bool     // status 503 is shed
	series  int      // the time in seconds between two readings of the metric backlog; zero: it is not read
	alerts  bool     // the team's own monitoring has the alert down
	stage   bool     // the first fault comes with the stage busy of the load
	retries bool     // the load sends again
	warmup  bool     // a warm-up of 5 s comes before the run
	steady  bool     // the steady state is checked before the first fault
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
	hold := 0 // s; zero is the usual one
	if r.IntN(3) == 0 {
		hold = pick(r, 2, 3, 4, 5, 8, 15)
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
		at, stays, every, times := 5+r.IntN(30), pick(r, 2, 3, 5), pick(r, 15, 25, 40), 2+r.IntN(7)
		if r.IntN(3) == 0 { // as many as a share of 90 % needs
			at, stays, every, times, hold = 10, 1, 8, 28+r.IntN(3), 3
		}
		for range times {
			d.faults = append(d.faults, span{time.Duration(at) * sec, time.Duration(at+stays) * sec})
			at += every
		}
		d.seconds = max(d.seconds, at+30)
	case 1:
		d.group = len(d.faults) == 1
	}
	if hold > 0 {
		d.judge = append(d.judge, fmt.Sprintf("hold: %ds", hold))
	}
	if open := d.users == nil; open {
		switch r.IntN(8) {
		case 0, 1:
			d.ledger = true
		case 2:
			d.sends = true
		}
		if r.IntN(5) == 0 {
			d.side = 5 + r.IntN(50)
		}
		d.stage = len(d.faults) > 0 && !d.repeats && !d.group && r.IntN(6) == 0
		d.retries = r.IntN(6) == 0
	}
	d.second, d.shed = r.IntN(5) == 0, r.IntN(6) == 0
	if r.IntN(5) == 0 {
		d.series = []int{1, 2, 5}[d.rate%3]
	}
	d.alerts = len(d.faults) > 0 && r.IntN(6) == 0
	d.warmup, d.steady = r.IntN(6) == 0, len(d.faults) > 0 && r.IntN(6) == 0
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
	b.WriteString("version: 1\ntarget: {url: \"http://127.0.0.1:8080\"}\n")
	step := "get: /"
	switch {
	case d.ledger:
		step = "post: /w, body: \"${ledger.id}\""
		b.WriteString("ledger: {write: read, id: \"${ledger.id}\", read: {get: \"/w/${id}\"}, count: \"$.n\"}\n")
	case d.sends:
		step = "post: /w, json: {id: \"${delivery.id}\", key: \"c${int(1,3)}\"}"
		b.WriteString("deliveries: {order: {sent: read, seen: {http: \":0/hook\", id: \"$.id\"}, key: \"$.key\", " +
			"within: 5s}}\n")
	}
	for _, part := range []struct {
		is   bool
		text string
	}{
		{d.series > 0, fmt.Sprintf("metrics: {backlog: {scrape: \"http://127.0.0.1:8080/metrics\", metric: backlog, "+
			"every: %ds}}", d.series)},
		{d.alerts, "alerts: {down: {prometheus: \"http://127.0.0.1:9090\"}}"},
		{d.warmup, "warmup: {for: 5s}"},
		{d.steady, "steady: [errors < 5%]"},
	} {
		if part.is {
			b.WriteString(part.text + "\n")
		}
	}
	executor := fmt.Sprintf("executor: constant-arrival-rate, rate: %d/s, duration: %ds", d.rate, d.seconds)
	switch {
	case d.users != nil:
		executor = fmt.Sprintf("executor: constant-vus, vus: %d, duration: %ds", d.users.Users, d.seconds)
	case d.stage:
		calm := int(d.faults[0].from / sec)
		executor = fmt.Sprintf("executor: ramping-arrival-rate, start_rate: %d/s, stages: ["+
			"{rate: %d/s, duration: %ds, name: calm}, {rate: %d/s, duration: %ds, name: busy}]",
			d.rate, d.rate, calm, d.rate, d.seconds-calm)
	}
	if d.retries {
		executor += ", retry: {times: 3}"
	}
	fmt.Fprintf(&b, "load:\n  main: {%s, flow: [{%s, name: read", executor, step)
	if d.shed {
		b.WriteString(", check: {shed: [503]}")
	}
	b.WriteString("}")
	if d.second {
		b.WriteString(", {get: /list, name: list}")
	}
	if d.users != nil {
		fmt.Fprintf(&b, ", {think: %s}", d.users.Think)
	}
	b.WriteString("]}\n")
	if d.side > 0 {
		fmt.Fprintf(&b, "  side: {executor: constant-arrival-rate, rate: %d/s, duration: %ds, "+
			"flow: [{get: /o, name: other}]}\n", d.side, d.seconds)
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
		when := "at: " + f.from.String()
		if d.stage && i == 0 {
			when = "during: main.busy"
		}
		fmt.Fprintf(&b, "  %c: {%s, %sfor: %s, %s}\n", 'f'+i, when, again, f.to-f.from, do)
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
	of, rate := " of read", d.rate
	switch {
	case r.IntN(2) == 0:
		of = ""
	case d.second && r.IntN(2) == 0:
		of = " of list"
	case d.side > 0:
		of = " of load main"
		if r.IntN(2) == 0 {
			of, rate = " of load side", d.side
		}
	}
	counted := []string{
		"errors < 0.5%", "errors < 1%", "errors < 2%", "errors < 5%", "errors < 10%", "errors = 0%", "availability > 99%",
		"availability > 99.5%", "availability > 95%", "p50 < 400ms", "p90 < 400ms", "p95 < 400ms", "p99 < 600ms",
		"within(400ms) > 95%", "within(600ms) > 99%", "timeouts = 0", "mean < 100ms", "max < 5s", "ok.p95 < 400ms",
		"ok.max < 5s", "service.p90 < 400ms", "checks > 98%", "availability.admitted > 98%", "attempts < 1.5",
	}
	if d.users == nil {
		counted = append(counted, fmt.Sprintf("rate > %d/s", rate*6/10), fmt.Sprintf("goodput > %d/s", rate*6/10))
	}
	if d.shed {
		counted = append(counted, "shed < 1%", "shed < 5%", "shed = 0%")
	}
	if r.IntN(2) == 0 {
		switch {
		case d.ledger:
			return pick(r, "lost = 0", "lost < 3", "lost <= 10", "duplicated = 0", "stale < 2%", "rpo < 5s")
		case d.sends:
			return pick(r, "lost = 0", "lost <= 3", "duplicated = 0", "duplicated <= 2", "reordered = 0", "reordered <= 5") +
				" of order"
		}
	}
	figures := []string{
		"metric(backlog) < 100", "mean(backlog) < 100", "last(backlog) < 100", "slope(backlog) < 9999/s",
		"increase(backlog) < 999999", "per_request(backlog) < 999999",
	}
	if len(d.faults) == 0 {
		if d.series > 0 && r.IntN(3) == 0 {
			return pick(r, figures...)
		}
		return pick(r, append(counted, "burn(99%, 10s) < 3", "slices(1s, 95%) > 90%")...) + of
	}
	fault := string(rune('f' + r.IntN(len(d.faults))))
	if d.repeats {
		fault = pick(r, "f", "f", fmt.Sprintf("f#%d", 1+r.IntN(len(d.faults))))
	}
	in := pick(r, "", " in baseline", " in "+fault, " in recovery/"+fault, " in rest/"+fault)
	limit := pick(r, 1, 2, 3, 5, 8, 10, 15, 20, 30)
	var spread []string // of occurrences, of which nearly enough come
	if d.repeats {
		limit = min(limit, max(1, int((d.faults[1].from-d.faults[0].to)/sec)-5))
	}
	if n := len(d.faults); d.repeats && n >= 4 {
		spread = []string{"recover < %ds for 50%% after f", "heal < %ds for 50%% after f"}
		if n >= 28 {
			spread = append(spread, "recover.p50 < %ds after f", "heal.p90 < %ds after f", "recover < %ds for 90%% after f")
		}
	}
	switch {
	case d.series > 0 && r.IntN(3) == 0:
		if n := r.IntN(len(figures) + 2); n < len(figures) {
			return figures[n] + in
		} else if n == len(figures) {
			return "metric(backlog) < 3x of baseline in " + fault
		}
		return fmt.Sprintf("reach(metric(backlog) < 100) < %ds after %s", limit+d.series, fault)
	case d.alerts && r.IntN(3) == 0:
		return fmt.Sprintf(pick(r, "alert(down) < %ds after %s", "resolved(down) < %ds after %s"), 4+limit, fault)
	case len(spread) > 0 && r.IntN(2) == 0:
		return fmt.Sprintf(pick(r, spread...), limit)
	case r.IntN(6) == 0:
		return pick(r, "p50 < 2x", "p95 < 4x", "ok.p95 < 4x", "errors <= 3x", "availability >= 0.9x",
			"within(400ms) >= 0.8x") + " of baseline" + of + pick(r, " in "+fault, " in recovery/"+fault, " in rest/"+fault)
	case d.side > 0 && r.IntN(6) == 0:
		return pick(r, "p50 < 2x", "p95 < 4x", "errors <= 3x") + " of load side of load main" + in
	case r.IntN(2) == 0:
		return pick(r, counted...) + of + in
	}
	return fmt.Sprintf(pick(r, "recover < %ds after %s", "recover < %ds after %s", "heal < %ds after %s",
		"degraded < %ds after %s", "area < %ds after %s", "failed < %d after %s", "recover(400ms) < %ds after %s",
		"recover < %ds after incident%.0s", "failover < %ds after %s"), limit, fault) + pick(r, "", of)
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
		users: d.users, again: d.repeats, group: d.group, side: d.side > 0, shed: d.shed, steps: 1,
		warmup: d.plan.Scenario.Warmup,
	}
	if d.second {
		p.steps, p.named = 2, []string{"main", "read", "list"}
	}
	if p.slow == 0 {
		p.slowShare = j.LimitOr() / 2
	}
	end, t0 := time.Duration(d.seconds)*sec, time.Unix(1_000_000, 0)
	random := rand.New(rand.NewPCG(seed, 5))
	l := truth.Load{Timeout: 10 * sec, T0: t0}
	open := func(rate int) []truth.Entry {
		l.Rate, l.Requests = rate, rate*d.seconds
		return l.Play(func(n int) truth.Act { return b.act(d, l.Intended(n), random) })
	}
	var log []truth.Entry
	if d.users != nil {
		u := *d.users
		u.T0, u.For, u.Timeout = t0, end, l.Timeout
		log = u.Play(func(at time.Duration) truth.Act { return b.act(d, at, random) })
	} else {
		log = open(d.rate)
	}
	outcomes := iterated(p.outcomes(l, log), random)
	switch {
	case d.ledger:
		p.ledger = []*result.LedgerRecord{b.written(outcomes, random)}
	case d.sends:
		p.deliveries = []*result.DeliveryRecord{b.delivered(outcomes, random)}
	}
	if d.side > 0 {
		for _, o := range iterated(playedCase{}.outcomes(l, open(d.side)), random) {
			if o.Load = 1; o.Step == 0 {
				o.Step = int32(p.steps)
			}
			outcomes = append(outcomes, o)
		}
	}
	if d.series > 0 {
		p.observed = []result.Series{b.backlog(d, random)}
	}
	if d.alerts {
		p.reactions = b.reactions(d)
	}
	return p.play(t, slices.Clone(d.plan.Scenario.SLO), outcomes, end).Objectives
}

// iterated returns the requests of a load with their iterations. A second step, which the system answers at once in the
// log, takes some milliseconds.
func iterated(all []scenarios.Outcome, r *rand.Rand) []scenarios.Outcome {
	for i := range all {
		o := &all[i]
		switch {
		case o.Step == 0:
			it := *o
			it.Step = scenarios.IterationStep
			all = append(all, it)
		case o.Kind == scenarios.OK:
			o.First += time.Duration(float64(10*ms) * (1 + r.Float64()))
			o.End = o.First
		}
	}
	return all
}

// bad reports whether the system misbehaves at an instant.
func (b badness) bad(d drawn, at time.Duration) bool {
	return b.kind != "" && (len(d.faults) == 0 ||
		slices.ContainsFunc(d.faults, func(f span) bool { return at >= f.from && at < f.from+b.lasts }))
}

// backlog returns the readings of a metric that is large while the system misbehaves.
func (b badness) backlog(d drawn, r *rand.Rand) result.Series {
	s := result.Series{Name: "backlog", Every: result.Num(d.series)}
	for i := 0; i < d.seconds; i += d.series {
		at := time.Duration(i)*sec + 100*ms
		v := 10 + 10*r.Float64()
		if b.bad(d, at) {
			v *= 50
		}
		s.Points = append(s.Points, result.Point{T: result.Sec(at), V: result.Num(v)})
	}
	return s
}

// reactions returns when a monitoring that asks twice a second had an alert, and when it was resolved: within 2 s of
// the injection and of the end, or as late as the system misbehaves.
func (b badness) reactions(d drawn) (c series.Reactions) {
	c.Alerts, c.Resolved = map[series.AlertKey]series.Detection{}, map[series.AlertKey]series.Resolution{}
	for i, f := range d.faults {
		key, fires, over := series.AlertKey{Occurrence: i, Alert: "down"}, f.from+1500*ms, f.to+1500*ms
		if b.kind != "" {
			fires, over = fires+b.lasts/2, over+b.lasts
		}
		c.Alerts[key] = series.Detection{At: fires, NotYet: fires - 500*ms}
		c.Resolved[key] = series.Resolution{At: over, Still: over - 500*ms}
		end := time.Duration(d.seconds) * sec
		if fires > end {
			c.Alerts[key] = series.Detection{NotYet: end}
		}
		if over > end {
			c.Resolved[key] = series.Resolution{Still: end}
		}
	}
	return c
}

// delivered returns the delivery of a system that delivers each message once, or loses, doubles or reorders some if
// it misbehaves.
func (b badness) delivered(outcomes []scenarios.Outcome, r *rand.Rand) *result.DeliveryRecord {
	d := &result.DeliveryRecord{Name: "order", Sent: "read", Settled: true, Ordered: true}
	for _, o := range outcomes {
		if o.Step == 0 && o.Kind == scenarios.OK {
			d.Acknowledged++
		}
	}
	if b.kind != "" {
		some := func() int64 { return min(d.Acknowledged/3, int64(pick(r, 0, 1, 2, 3, 10))) }
		d.Lost, d.Duplicated, d.Reordered = some(), some(), some()
	}
	d.Held = d.Acknowledged - d.Lost - d.Duplicated - d.Reordered
	d.Sightings = d.Acknowledged - d.Lost + d.Duplicated
	return d
}

// written returns the ledger of a system that keeps each write, or loses some if it misbehaves.
func (b badness) written(outcomes []scenarios.Outcome, r *rand.Rand) *result.LedgerRecord {
	l := &result.LedgerRecord{Write: "read", Read: true, RPO: 0, RPOLow: 0}
	for _, o := range outcomes {
		if o.Step == 0 && o.Kind == scenarios.OK {
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
	result.SlowUnlimited, result.SlowUnderLimit, result.SlowerFew, result.SlowerShort, result.IncidentOpen,
	result.RecoveryNone,
	result.FewOccurrences, result.FailoverUntold, result.FewWrites, result.WritesNotShown, result.ReferenceUndone,
	result.ReferenceAbsent, result.ReferenceUnknown, result.ValueUnknown, result.ValuesNone, result.ValuesUnread,
	result.ValuesUnreadFor, result.ValuesMissing, result.FewValues, result.FewReadings, result.GrowthMissing,
	result.ShareOpen,
}

// lacks reports whether an objective is inconclusive for want of time or requests.
//
// Some systems are neither good nor bad: their share of bad requests, or of slow answers, is so near the target that
// only many more requests would tell, although there are as many as a good system needs. How many requests a closed
// load makes while its users wait depends on the target, and so does when it answers the first step, with which the
// second one begins, and how many requests it does not refuse.
// A loss that goes on, because the target never recovers, has no length that validate could promise; nor has slight
// harm that never ends, or lasts for longer than the loss that an objective allows. A number of requests that may fail
// says not for how long after a fault a target may stand still.
func (d drawn) lacks(asked slo.Objective, o *result.ObjectiveResult, b badness) bool {
	if o.Verdict != scenarios.Inconclusive {
		return false
	}
	if len(o.Because) == 0 {
		return true
	}
	need, _ := requests.Need(asked) // zero for a multiple of a reference
	few := []result.NoteKind{result.FewRequests, result.RequestsNone}
	fewer := []result.NoteKind{result.FewRequests, result.FewAfter, result.EndAfterBad, result.SlowerFew}
	answered := d.second || d.shed || asked.Metric.Of != ""
	return slices.ContainsFunc(o.Because, func(n result.Note) bool {
		switch {
		case n.Kind == result.NotShown && n.Value != 0 && n.Value != 1 && n.Count >= need,
			n.Kind == result.WritesNotShown && n.Value != 0 && n.Value != 1,
			b.kind != "" && (answered && slices.Contains(few, n.Kind) || n.Kind == result.FewWrites),
			d.users != nil && slices.Contains(fewer, n.Kind),
			n.Kind == result.RecoveryNone && o.Of().Row().Lasts,
			n.Kind == result.EndBeforeHold && o.Of().Name == "failed" && d.outlasted(b),
			n.Kind == result.EndAfterBad && b.share < 1 && b.lasts == time.Hour,
			n.Kind == result.EndAfterBad && o.Of().Row().Lasts && b.lasts.Seconds() > float64(o.Target):
			return false
		}
		return slices.Contains(lacking, n.Kind)
	})
}

// outlasted reports whether a system is bad for longer than any fault is in.
func (d drawn) outlasted(b badness) bool {
	return !slices.ContainsFunc(d.faults, func(s span) bool { return s.to-s.from >= b.lasts })
}

// kinds returns what a scenario has.
func (d drawn) kinds() (out []string) {
	for kind, is := range map[string]bool{
		"users": d.users != nil, "repeats": d.repeats, "groups": d.group, "ledgers": d.ledger, "deliveries": d.sends,
		"second steps": d.second, "second loads": d.side > 0, "shed": d.shed, "series": d.series > 0, "alerts": d.alerts,
		"stages": d.stage, "retries": d.retries, "warm-ups": d.warmup, "steady states": d.steady,
		"relative": d.asks(slo.Objective.Relative), "spread": d.asks(func(o slo.Objective) bool { return !o.OfWorst() }),
		"rates": d.asks(func(o slo.Objective) bool { return o.Metric.Row().Rate != nil }),
		"of":    d.asks(func(o slo.Objective) bool { return o.Step != "" || o.Load != "" }),
	} {
		if is {
			out = append(out, kind)
		}
	}
	return out
}

// asks reports whether an objective of the scenario is of a kind.
func (d drawn) asks(is func(slo.Objective) bool) bool {
	return slices.ContainsFunc(d.plan.Scenario.SLO, is)
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
	if !suite.Full() {
		want = want * 3 / 4 // 60 ms of processor time each
	}
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
		for _, kind := range d.kinds() {
			kinds[kind]++
		}
		for _, b := range []badness{{}, misbehave(r, d)} {
			for i, o := range d.judged(t, b, seed) {
				verdicts[o.Verdict]++
				switch {
				case d.lacks(d.plan.Scenario.SLO[i], &o, b):
					t.Errorf("scenario %d: validate accepts it, and on a system with %v `%s` is inconclusive: %s\n%s", seed, b,
						o.Text, o.Note, d.text())
				case b.kind == "" && o.Verdict != scenarios.Pass:
					t.Errorf("scenario %d: on a good system `%s` is %s: %s\n%s", seed, o.Text, o.Verdict, o.Note, d.text())
				}
			}
		}
	}
	t.Logf("%d scenarios, of each two systems; %d were refused; %v; verdicts: %v", played, refused, kinds, verdicts)
	if want >= 500 && len(kinds) < 18 {
		t.Errorf("the scenarios lack a kind: %v", kinds)
	}
	if refused > 4*played {
		t.Errorf("validate refuses %d of %d", refused, refused+played)
	}
}
