package forecast

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/load"
	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// noVerdict notes that a scenario without objectives has no verdict. A script may have thresholds of its
// own.
func (c *check) noVerdict() {
	if len(c.plan.Scenario.SLO) == 0 && !slices.ContainsFunc(c.plan.Loads, func(l Load) bool { return l.Scripted }) {
		c.notes = append(c.notes, "no objective is set, so a run has no verdict: it exits 0 only if every request and check "+
			"was good. Such as `slo: [errors < 1%]`.")
	}
}

// shedding notes the first step of each load that may shed load while no objective over the run limits shed requests:
// such a run has no errors, whatever the target refuses.
func (c *check) shedding() {
	for i := range c.plan.Loads {
		if step := c.shedsUnasked(&c.plan.Loads[i]); step != "" {
			c.notes = append(c.notes, fmt.Sprintf("step %q may shed load, and no objective over the run says how much: shed "+
				"requests are not errors. Such as `shed < 5%%` or `availability > 99%%`.", step))
		}
	}
}

// shedsUnasked returns the first step of a load that may shed load and that no objective on shed requests covers;
// empty if there is none.
func (c *check) shedsUnasked(lp *Load) string {
	for _, f := range lp.Flows {
		for _, s := range f.Steps {
			if s.Call == nil || !s.Call.Traits().Sheds || slices.ContainsFunc(c.plan.Scenario.SLO, func(o slo.Objective) bool {
				row := o.Metric.Row()
				bounded := o.Op == "=" || o.Upper() == (row.Better == slo.LowerIsBetter)
				return row.CountsShed && bounded && o.PhaseOrRun().Kind == slo.RunPhase && (o.Load == "" || o.Load == lp.Name) &&
					(o.Step == "" || o.Step == "iteration" || o.Step == s.Call.Name())
			}) {
				continue
			}
			return s.Call.Name()
		}
	}
	return ""
}

// lostWrites notes a ledger without an objective on lost writes: a run would pass even if it lost some.
func (c *check) lostWrites() {
	for _, l := range c.plan.Scenario.Ledgers {
		asks := func(o slo.Objective) bool {
			return o.Metric.Row().OfLosses && !o.OfDelivery() && c.plan.Scenario.LedgerOf(o.Metric.Source) == l
		}
		if slices.ContainsFunc(c.plan.Scenario.SLO, asks) {
			continue
		}
		such, of := "lost = 0", ""
		if l.Name != "" {
			such, of = "lost("+l.Name+") = 0", " of "+l.Name
		}
		c.notes = append(c.notes,
			fmt.Sprintf("writes%s are read back, and no objective asks whether any was lost. Such as `%s`.", of, such))
	}
}

// deliveriesUnasked notes deliveries without an objective on lost messages: a run would pass even if it lost some.
func (c *check) deliveriesUnasked() {
	for _, d := range c.plan.Scenario.Deliveries {
		asks := func(o slo.Objective) bool { return o.Metric.Row().OfLosses && o.OfDelivery() && o.Step == d.Name }
		if !slices.ContainsFunc(c.plan.Scenario.SLO, asks) {
			c.notes = append(c.notes, fmt.Sprintf(
				"the messages of %s are waited for, and no objective asks whether any was lost. Such as `lost = 0 of %s`.",
				d.Name, d.Name))
		}
	}
}

// registersUnasked notes registers without an objective: a run would pass whatever their reads returned.
func (c *check) registersUnasked() {
	for _, r := range c.plan.Scenario.Consistency {
		asks := func(o slo.Objective) bool {
			return o.Metric.OfRegister() && c.plan.Scenario.ConsistencyOf(o.Metric.Source) == r
		}
		if !slices.ContainsFunc(c.plan.Scenario.SLO, asks) {
			c.notes = append(c.notes, fmt.Sprintf(
				"the reads and writes of %s are checked, and no objective asks about them. Such as `anomalies(%s) = 0`.",
				r.Name, r.Name))
		}
	}
}

// withinLoad refuses faults outside the time of the load.
func (c *check) withinLoad(est []timeline.Estimated) {
	end := c.end
	seen := map[string]bool{}
	for _, e := range est {
		if seen[e.Entry.Name] {
			continue
		}
		switch {
		case e.At >= end:
			c.plan.Mistakes.AddHint(e.Entry.Fault.Place.At, c.inside(e),
				"fault %q comes at %s, and the load ends at %s", e.Name, quantity.Brief(e.At), quantity.Brief(end))
			seen[e.Entry.Name] = true
		case !e.Entry.OneShot() && e.Clear > end:
			c.plan.Mistakes.AddHint(e.Entry.Fault.Place.At, c.inside(e),
				"fault %q stays until %s, and the load ends at %s", e.Name, quantity.Brief(e.Clear), quantity.Brief(end))
			seen[e.Entry.Name] = true
		}
	}
}

// inside says how to bring a fault into the time of the load: a longer load, or fewer of its occurrences.
func (c *check) inside(e timeline.Estimated) string {
	s := c.room(around{}, e.Clear+c.plan.Scenario.Judge.HoldOr(), hold{}, 0)
	if before := slo.ParseOccurrence(e.Name).Occurrence - 1; before > 0 && e.Entry.Every > 0 {
		s = fmt.Sprintf("repeat: %d, or %s", before, s)
	}
	return s
}

// occurrences refuses objectives on an occurrence that a fault does not have.
func (c *check) occurrences(est []timeline.Estimated) {
	for _, o := range c.plan.Scenario.SLO {
		need, n := requests.NeedOccurrences(o), comes(o.After.Fault, est)
		if n > 0 && n < need {
			c.plan.Mistakes.AddHint(o.Pos, fmt.Sprintf("repeat: %d", need),
				"`%s` can't be judged: %s comes %s, and %d are needed", o.Text, o.After, times(n), need)
			continue
		}
		for _, p := range []slo.Phase{o.After, o.Phase, o.Reference.Phase} {
			p = p.Of(slo.FaultPhase)
			if p.Occurrence == 0 || slices.ContainsFunc(est, func(e timeline.Estimated) bool { return e.Phase() == p }) {
				continue
			}
			var has []string
			for _, e := range est {
				if e.Entry.Name == p.Fault {
					has = append(has, e.Name)
				}
			}
			c.plan.Mistakes.AddHint(o.Pos, "it has "+strings.Join(has, ", "), "%s does not come so often", p.Fault)
		}
	}
}

// times words how often something happens.
func times(n int) string {
	if n == 1 {
		return "once"
	}
	return fmt.Sprintf("%d times", n)
}

// comes returns how often a fault occurs.
func comes(fault string, est []timeline.Estimated) int {
	n := 0
	for _, e := range est {
		if e.Entry.Name == fault {
			n++
		}
	}
	return n
}

// recoveries compares the time around each judged fault with the needs of its objectives: a baseline
// before it, no other fault during it, and quiet load after it.
func (c *check) recoveries(est []timeline.Estimated) {
	first := time.Duration(math.MaxInt64)
	for _, e := range est {
		first = min(first, e.At)
	}
	for _, o := range c.plan.Scenario.SLO {
		if !o.Metric.OfFault() || o.Metric.Row().Lasts && !o.Upper() {
			continue
		}
		if o.After.Kind == slo.IncidentPhase {
			c.incidentFits(o, est)
			continue
		}
		for i, e := range est {
			if !o.After.Includes(e.Phase()) {
				continue
			}
			if first < time.Second {
				c.plan.Mistakes.Add(e.Entry.Fault.Place.At,
					"fault %q comes at %s, which leaves no baseline to judge `%s` against; let load flow for "+
						"some seconds first", e.Name, quantity.Brief(e.At), o.Text)
				break
			}
			if c.crowded(o, i, est) || c.failsOver(o, e) {
				break
			}
		}
	}
}

// failsOver refuses an objective on a failover if the fault is over too soon to show any: a failover shows only by good
// requests while the fault is in. It notes the objective if a failover as late as the limit may not show, and if the
// fault ends by itself, at a time that is not known. It reports whether it did either.
func (c *check) failsOver(o slo.Objective, e timeline.Estimated) bool {
	traits := e.Entry.Traits(c.plan.Scope)
	if o.Metric.Row().Name != "failover" || traits.OneShot && traits.StaysDown {
		return false
	}
	from, limit := e.At+e.Entry.LastStep(), result.Num(o.Value).D()
	stays, h := e.Clear-from, c.leastHold(o, from+limit)
	if traits.OneShot {
		c.doubt(FailoverOpen,
			fmt.Sprintf("`%s` may not be decided: %s ends by itself, and before that a hold of %s must be good: ask `%s`.",
				o.Text, e.Name, h, strings.Replace(o.Text, "failover", "recover", 1)))
		return true
	}
	never := stays <= max(time.Second, h.least)
	if !never {
		h = c.worstHold(o, from+limit, e.At, around{next: e.Clear})
	}
	if stays >= limit+h.needs() {
		return false
	}
	mend := "let it stay for " + quantity.Brief(quantity.WholeSeconds(e.Clear-e.At+limit+h.needs()-stays))
	if gap := (stays - limit).Truncate(time.Second); gap >= time.Second && gap >= h.least {
		mend += ", or judge: {hold: " + quantity.Brief(gap) + "}"
	}
	if never {
		c.plan.Mistakes.AddHint(o.Pos, mend,
			"`%s` can't pass: %s is over %s later, and before that a hold of %s must be good", o.Text, e.Name,
			quantity.Brief(stays), h)
		return true
	}
	c.doubt(FailoverOpen,
		fmt.Sprintf("`%s` may not be decided for a failover of more than %s: %s is over %s later, and before that a hold of "+
			"%s must be good: %s.",
			o.Text, quantity.Brief(max(0, stays-h.needs())), e.Name, quantity.Brief(stays), h, mend))
	return true
}

// crowded refuses a judged fault that overlaps another, or that is followed by too little load without a fault. It
// allows objectives on recovery from faults that overlap, and on how long they last, because these are judged by the
// joint effect.
func (c *check) crowded(o slo.Objective, i int, est []timeline.Estimated) bool {
	e, a := est[i], c.around(i, est)
	together := (o.Metric.Row().Recovers || o.Metric.Row().Lasts) && o.OfWorst()
	if other := a.beside; other != nil && !together {
		c.plan.Mistakes.AddHint(o.Pos, c.apart(o, e, *other),
			"`%s` can't be judged: %s (%s to %s) and %s (%s to %s) are in at the same time", o.Text,
			e.Name, quantity.Brief(e.At), quantity.Brief(e.Clear), other.Name, quantity.Brief(other.At),
			quantity.Brief(other.Clear))
		return true
	}
	return c.cramped(o, e, a)
}

// incidentFits refuses an objective on incidents if the load ends too early to show the incident of a fault. Other
// faults may be injected meanwhile, because an incident may have several causes.
func (c *check) incidentFits(o slo.Objective, est []timeline.Estimated) {
	for _, e := range est {
		if c.cramped(o, e, around{next: c.end}) {
			return
		}
	}
}

// cramped refuses an objective on a fault that is followed by too little load without a fault to show recovery
// from an
// outage. If the load shows that, but not recovery from slight harm, or how long a loss lasted, it notes the
// objective.
// It reports whether it did either.
func (c *check) cramped(o slo.Objective, e timeline.Estimated, a around) bool {
	from, word := e.At, "injection"
	if last := e.Entry.LastStep(); last > 0 { // the incident of a group may begin with its last step
		from, word = from+last, "last step"
	}
	row, limit := o.Metric.Row(), c.mostHarm(o, e)
	switch {
	case row.Healing:
		from, word = e.Clear, "clearing"
	case row.Lasts && e.Clear > from+limit: // harm may last as long as the fault
		from, word, limit = e.Clear, "clearing", 0
	}
	h := c.leastHold(o, from+limit)
	if o.Metric.OfMonitoring() {
		h = hold{}
	}
	lacks := func(need time.Duration, h hold) string {
		var must []string
		if limit > 0 {
			must = append(must, quantity.Brief(limit))
		}
		if h.needs() > 0 {
			must = append(must, "a hold of "+h.String())
		}
		return fmt.Sprintf("from the %s of %s at %s on, %s must fit in, and %s at %s already; %s more is needed", word,
			e.Name, quantity.Brief(from), strings.Join(must, " and "), a.comes(), quantity.Brief(a.next),
			quantity.Brief(need-a.next))
	}
	if need := from + limit + h.needs(); a.next < need && !row.Lasts {
		c.plan.Mistakes.AddHint(o.Pos, c.room(a, need, h, a.next-from-limit), "`%s` can't be judged: %s", o.Text,
			lacks(need, h))
		return true
	}
	if row.Effect == nil {
		return false
	}
	good := quantity.WholeSeconds(from + limit) // a hold begins with a window
	h = c.worstHold(o, good, e.At, a)
	need := good + h.needs()
	if a.next >= need {
		return false
	}
	c.doubt(RecoveryOpen, fmt.Sprintf("`%s` may not be decided if the harm is slight, or lasts as long as it may: "+
		"%s: %s.", o.Text, lacks(need, h), c.room(a, need, h, a.next-good)))
	return true
}

// mostHarm returns how long a full outage may last within an objective on a fault.
func (c *check) mostHarm(o slo.Objective, e timeline.Estimated) time.Duration {
	if o.Metric.Unit != slo.Count {
		return result.Num(o.Value).D()
	}
	rate := c.rate(o, e.At, e.At+c.plan.Scenario.Judge.HoldOr())
	if rate.n == 0 {
		return 0
	}
	return result.Num(o.Value / rate.n).D()
}

// offer is the number of requests that the loads offer in a span.
type offer struct {
	n    float64
	most bool // n is an upper bound, because it includes closed loads, whose rate depends on response times
}

// sentence says what the requests do, such as "about 7 requests come", with a verb for one request and for many.
func (o offer) sentence(one, many string) string {
	about, verb := "about", many
	if o.most {
		about = "at most"
	}
	if int(o.n) == 1 {
		verb = one
	}
	return fmt.Sprintf("%s %s %s", about, syntax.Amount(int(o.n), "request"), verb)
}

// expected returns how many requests o selects in a span. known is false if a closed load among them has no upper
// bound, and for steps of init, whose number depends on how many users the load comes to need.
func (c *check) expected(o slo.Objective, from, to time.Duration) (sum offer, known bool) {
	if slices.ContainsFunc(c.plan.Series.Steps, func(s measure.SeriesStep) bool { return s.Init && s.Name == o.Step }) {
		return offer{}, false
	}
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		if o.Load != "" && lp.Name != o.Load {
			continue
		}
		if lp.Scripted { // the requests of a script's iterations are not known beforehand
			return offer{}, false
		}
		share := c.stepsPerIteration(lp, o)
		if share == 0 {
			continue
		}
		if !lp.Schedule.Closed() {
			sum.n += share * (lp.Schedule.Rate.Area(to) - lp.Schedule.Rate.Area(from))
			continue
		}
		most := c.mostIterations(lp, from, to)
		if math.IsInf(most, 1) {
			return offer{}, false
		}
		sum.n += share * most
		sum.most = true
	}
	return sum, true
}

// mostIterations returns an upper bound of the iterations of a closed load that begin within a span. It follows from
// the total number of iterations, and from the think time in each. Without either it is infinite.
func (c *check) mostIterations(lp *Load, from, to time.Duration) float64 {
	users := lp.Schedule.Users
	busy := users.Area(to) - users.Area(from)
	if busy <= 0 {
		return 0
	}
	most := math.Inf(1)
	if n := lp.Schedule.Shared; n > 0 {
		most = float64(n)
	}
	if n := lp.Schedule.PerVU; n > 0 {
		most = users.Max() * float64(n)
	}
	think := leastThink(lp).Seconds()
	switch {
	case think > 0 && c.answer > 0:
		most = min(most, busy/(think+c.answer.Seconds()*c.stepsPerIteration(lp, slo.Objective{})))
	case think > 0:
		most = min(most, busy/think+users.Max()) // each user begins with an iteration at once
	}
	return most
}

// leastThink returns a lower bound of the mean think time of an iteration.
func leastThink(lp *Load) time.Duration {
	sum, weights := 0.0, 0.0
	for _, f := range lp.Flows {
		weights += f.Weight
		for _, s := range f.Steps {
			if s.Call == nil {
				sum += f.Weight * float64(s.Think.Min)
			} else {
				sum += f.Weight * float64(s.Call.Traits().Paced)
			}
		}
	}
	if weights == 0 {
		return 0
	}
	return time.Duration(sum / weights)
}

// stepsPerIteration returns the mean number of requests per iteration that o selects. `whole` counts the requests of
// steps with `want` alone, and the iterations with such a step.
func (c *check) stepsPerIteration(lp *Load, o slo.Objective) float64 {
	counts := func(s load.Step) bool { return s.Call != nil && (!o.Metric.Row().NeedsWant || s.Call.Traits().Wants) }
	sum, n := 0.0, 0.0
	for _, f := range lp.Flows {
		sum += f.Weight
		if o.Step == "iteration" {
			if slices.ContainsFunc(f.Steps, counts) {
				n += f.Weight
			}
			continue
		}
		for _, s := range f.Steps {
			if counts(s) && c.selects(o, s) {
				n += f.Weight * float64(max(1, s.Call.Traits().Times))
			}
		}
	}
	if sum == 0 {
		return 0
	}
	return n / sum
}

// selects reports whether o is about the requests of a step with a call.
func (c *check) selects(o slo.Objective, s load.Step) bool {
	return o.Step == "" || s.Call.Name() == o.Step || c.hasPart(s, o.Step) || c.sends(s, o.Step)
}

// meet reports whether a and b are about requests of the same flow, so that what fails one may fail the other.
func (c *check) meet(a, b slo.Objective) bool {
	in := func(o slo.Objective, f load.Flow) bool {
		return o.Step == "iteration" ||
			slices.ContainsFunc(f.Steps, func(s load.Step) bool { return s.Call != nil && c.selects(o, s) })
	}
	return slices.ContainsFunc(c.plan.Loads, func(lp Load) bool {
		of := func(o slo.Objective) bool { return o.Load == "" || o.Load == lp.Name }
		return of(a) && of(b) && (lp.Scripted ||
			slices.ContainsFunc(lp.Flows, func(f load.Flow) bool { return in(a, f) && in(b, f) }))
	})
}

// sends reports whether a step sends what the delivery of that name expects to see.
func (c *check) sends(s load.Step, name string) bool {
	d := c.plan.Scenario.DeliveryOf(name)
	return d != nil && s.Call.Name() == d.Sent
}

// hasPart reports whether a step has a part of that name.
func (c *check) hasPart(s load.Step, name string) bool {
	return slices.ContainsFunc(s.Parts, func(n int32) bool { return c.plan.Series.Steps[n].Name == name })
}

// rate returns the mean rate of requests that o selects; 0 means unknown.
func (c *check) rate(o slo.Objective, from, to time.Duration) offer {
	to = min(to, c.end)
	if to <= from {
		return offer{}
	}
	got, known := c.expected(o, from, to)
	if !known {
		return offer{}
	}
	got.n /= (to - from).Seconds()
	return got
}

// samples refuses objectives that can't get enough requests.
func (c *check) samples(est []timeline.Estimated) {
	for _, o := range requests.WithReferences(c.plan.Scenario.SLO) {
		for _, part := range c.phaseSpans(o, est) {
			if !c.enough(o, part, o.PhaseOrRun().String()) {
				break
			}
		}
	}
	if len(est) > 0 { // the first injection ends the baseline
		baseline := c.phaseSpans(slo.Objective{Phase: slo.Phase{Kind: slo.BaselinePhase}}, est)[0]
		for _, o := range c.plan.Scenario.Steady {
			c.enough(o, baseline, "the baseline")
		}
	}
}

// enough reports whether the load offers what an objective needs within a span, and refuses the
// objective otherwise.
func (c *check) enough(o slo.Objective, in span, phase string) bool {
	need, ok := requests.Need(o)
	if !ok || o.Metric.OfFault() {
		return true
	}
	of := o
	if o.Metric.OfLedger() && !o.OfDelivery() {
		if l := c.plan.Scenario.LedgerOf(o.Metric.Source); l != nil {
			of.Step = l.Write
		}
	}
	got, known := c.expected(of, in.from, in.to)
	switch {
	case in.to <= in.from && in.from < c.end:
		why := fmt.Sprintf("another fault comes before %s is over", o.PhaseOrRun().Of(slo.FaultPhase))
		if in.from == 0 { // the baseline
			why = "the first fault comes, or the load ends, within " + quantity.Brief(inFlight)
		}
		c.plan.Mistakes.Add(o.Pos, "`%s` can't be judged: %s is empty, because %s", o.Text, phase, why)
		return false
	case !known || got.n >= float64(need):
		return true
	}
	from := ""
	if o.Metric.Row().NeedsWant {
		from = " from steps with `want`"
	}
	c.plan.Mistakes.AddHint(o.Pos, c.more(of, in, float64(need), got.n),
		"`%s` can't be judged: %s%s in %s (%s to %s), and %d are needed", o.Text,
		got.sentence("is expected", "are expected"), from, phase, quantity.Brief(in.from), quantity.Brief(in.to), need)
	return false
}

// inFlight is the assumed response time of requests before the first injection: requests sent within this time are
// still in flight at the injection, and so are not part of the baseline.
const inFlight = 200 * time.Millisecond

// phaseSpans returns the spans in which an objective is judged, as far as they are known beforehand.
func (c *check) phaseSpans(o slo.Objective, est []timeline.Estimated) []span {
	end := c.end
	switch p := o.PhaseOrRun(); p.Kind {
	case slo.RunPhase:
		return []span{{0, end}}
	case slo.BaselinePhase:
		first := end
		for _, e := range est {
			first = min(first, e.At)
		}
		return []span{{0, max(0, first-inFlight)}}
	default:
		var out []span
		for i, e := range est {
			if p.Of(slo.FaultPhase).Includes(e.Phase()) {
				out = append(out, c.spanOf(p.Kind, i, est))
			}
		}
		return out
	}
}

// spanOf returns the span of a phase of an occurrence. A recovery ends a hold after the target is good again,
// which it
// may be when the fault is cleared.
func (c *check) spanOf(kind slo.PhaseKind, i int, est []timeline.Estimated) span {
	e := est[i]
	if kind == slo.FaultPhase {
		return span{e.At, min(e.Clear, c.end)}
	}
	over := c.end
	for j := range est {
		if j != i && est[j].At >= e.At {
			over = min(over, est[j].At)
		}
	}
	if kind == slo.RecoveryPhase {
		over = min(over, quantity.WholeSeconds(e.Clear+c.plan.Scenario.Judge.HoldOr()))
	}
	return span{e.Clear, max(e.Clear, over)}
}

// stopConditions refuses a condition that would end the run before recovery is possible, if both are about requests of
// the same flow. A condition without `for` ends the run in the first bad second.
func (c *check) stopConditions(est []timeline.Estimated) {
	for _, s := range c.plan.Scenario.Stop {
		for _, o := range c.plan.Scenario.SLO {
			if at := decidedAfter(o, est); at > 0 && s.For <= at && c.meet(s, o) {
				c.plan.Mistakes.AddHint(s.Pos, "`"+s.Lasting(quantity.WholeSeconds(at+1))+"`",
					"the stop condition `%s` would end the run before `%s` is decided: let it last longer than %s", s.Text, o.Text,
					quantity.Brief(at))
				break
			}
		}
	}
}

// decidedAfter returns how long after the injection an objective on recovery can still be met; 0 for other
// objectives.
func decidedAfter(o slo.Objective, est []timeline.Estimated) time.Duration {
	at := result.Num(o.Value).D()
	switch row := o.Metric.Row(); {
	case !o.Upper() || !row.UntilGood && !o.Metric.OfMonitoring():
		return 0
	case !row.Healing:
		return at
	}
	stay := time.Duration(0)
	for _, e := range est {
		if o.After.Includes(e.Phase()) {
			stay = max(stay, e.Clear-e.At)
		}
	}
	return stay + at
}

// uniqueData refuses an open load that needs more rows than a unique table has.
func (c *check) uniqueData() {
	for slot, t := range c.plan.Scenario.Tables {
		if t.Pick != "unique" {
			continue
		}
		need := 0.0
		if slices.ContainsFunc(c.plan.Once, func(s load.Step) bool { return usesTable(s, slot) }) {
			need++
		}
		for i := range c.plan.Loads {
			lp := &c.plan.Loads[i]
			if lp.Schedule.Closed() {
				continue
			}
			iterations := lp.Schedule.Rate.Total()
			if lp.Load.Start == 0 {
				iterations += lp.Schedule.Rate.First() * c.plan.Scenario.Warmup.Seconds()
			}
			need += iterations * tableShare(lp, slot)
		}
		if need > float64(len(t.Rows)) {
			c.plan.Mistakes.AddHint(t.Pos, "give it that many rows, or pick: next",
				"data %q has %s, each used once, and the load has about %d iterations that need one", t.Name,
				syntax.Amount(len(t.Rows), "row"), int(math.Ceil(need)))
		}
	}
}

// tableShare returns the share of a load's iterations that take a row of a table.
func tableShare(lp *Load, slot int) float64 {
	sum, uses := 0.0, 0.0
	for _, f := range lp.Flows {
		sum += f.Weight
		if slices.ContainsFunc(f.Steps, func(s load.Step) bool { return usesTable(s, slot) }) {
			uses += f.Weight
		}
	}
	if sum == 0 {
		return 0
	}
	return uses / sum
}

func usesTable(s load.Step, slot int) bool {
	return s.Call != nil && slices.ContainsFunc(s.Call.Traits().Refs,
		func(r *syntax.Ref) bool { return r.Kind == syntax.RefData && r.Slot == slot })
}

// closedLoads notes that closed loads hide stalls.
func (c *check) closedLoads() {
	for i := range c.plan.Loads {
		if lp := &c.plan.Loads[i]; lp.Scripted {
			c.notes = append(c.notes, fmt.Sprintf("load %q is a script of k6, whose times are service time: k6 knows no "+
				"intended time, and so hides the wait for a virtual user; an iteration that finds none free is an error `dropped`.",
				lp.Name))
		} else if lp.Schedule.Closed() {
			c.notes = append(c.notes, fmt.Sprintf("load %q (%s) is closed: it offers less while the target stalls, and so "+
				"hides stalls; its response time is service time. An arrival-rate executor shows them.", lp.Name, lp.Executor))
		}
	}
}

// slowUsers notes each objective that a closed load decides only if the target answers faster than usual: its
// users ask
// again when they have the answer, so their think time alone gives the most requests.
func (c *check) slowUsers(est []timeline.Estimated) {
	closed := slices.ContainsFunc(c.plan.Loads, func(l Load) bool { return l.Schedule.Closed() })
	if !closed || c.plan.Mistakes.Len() > 0 {
		return
	}
	slow := check{plan: c.plan, end: c.end, answer: inFlight}
	slow.plan.Mistakes = new(syntax.Mistakes)
	slow.recoveries(est)
	slow.samples(est)
	lacks := slow.notes
	if len(slow.doubts) > 0 || slow.plan.Mistakes.Len() > 0 {
		c.doubts = append(c.doubts, SlowUsers)
	}
	if refused, ok := errors.AsType[*syntax.MistakesError](slow.plan.Mistakes.Err()); ok {
		for _, m := range refused.List() {
			lacks = append(lacks, m.What+"; "+m.Hint+".")
		}
	}
	for _, what := range lacks {
		if !slices.Contains(c.notes, what) {
			c.notes = append(c.notes, "if answers take "+quantity.FormatDuration(inFlight)+": "+what)
		}
	}
}

// resolution notes the smallest outage and the smallest error rate that this load can show. Faults
// with the same values share a note.
func (c *check) resolution(est []timeline.Estimated) {
	var order []string
	faults := map[string][]string{}
	seen := map[string]bool{}
	for _, e := range est {
		rate := c.rate(slo.Objective{}, e.At, e.At+c.plan.Scenario.Judge.HoldOr())
		if seen[e.Entry.Name] || rate.n == 0 || rate.most {
			continue
		}
		seen[e.Entry.Name] = true
		limit := c.plan.Scenario.Judge.LimitOr()
		outage, share, window := effect.Smallest(rate.n, limit)
		text := fmt.Sprintf("at %s requests/s the smallest outage that shows is %s, the smallest lasting error rate %s "+
			"(limit %s, windows of %s)",
			trim(rate.n), quantity.FormatSeconds(outage.Seconds()), quantity.FormatShare(math.Round(share*1e4)/1e4),
			quantity.FormatShare(limit), quantity.Brief(window))
		if faults[text] == nil {
			order = append(order, text)
		}
		faults[text] = append(faults[text], e.Entry.Name)
	}
	for _, text := range order {
		c.notes = append(c.notes, strings.Join(faults[text], ", ")+": "+text)
	}
}

func trim(f float64) string {
	if f >= 10 {
		return fmt.Sprintf("%.0f", f)
	}
	return fmt.Sprintf("%.2g", f)
}
