package forecast

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// around holds the neighbours of an occurrence on the timeline.
type around struct {
	beside *timeline.Estimated // another fault that is active at the same time; nil if there is none
	next   time.Duration       // when the next fault is injected, or the load ends
	by     *timeline.Estimated // the next fault; nil means the end of the load
	again  bool                // by is the same fault, which occurs several times
}

// around finds what is near occurrence i.
func (c *check) around(i int, est []timeline.Estimated) around {
	e := est[i]
	a := around{next: c.end - e.Spare} // as with the seed that leaves the least time
	for j := range est {
		other := &est[j]
		switch {
		case j == i:
		case other.At < e.Clear && e.At < other.Clear:
			if a.beside == nil {
				a.beside = other
			}
		case other.At >= e.At && other.At-other.Drawn-e.Spare < a.next:
			a.next, a.by, a.again = other.At-other.Drawn-e.Spare, other, other.Entry == e.Entry && e.Entry.Every > 0
		}
	}
	return a
}

// comes words the next event.
func (a around) comes() string {
	if a.by == nil {
		return "the load ends"
	}
	if a.by.Entry.Jitter > 0 {
		return a.by.Name + " may come"
	}
	return a.by.Name + " comes"
}

// apart says how to separate two faults that are active at the same time.
func (c *check) apart(o slo.Objective, e, other timeline.Estimated) string {
	if other.At < e.At {
		e, other = other, e
	}
	at := quantity.WholeSeconds(e.Clear + c.leastHold(o, e.Clear).needs())
	return fmt.Sprintf("move %s to %s, or make both one group by `steps`, or ask of both `recover < 10s after incident`",
		other.Name, quantity.Brief(at))
}

// room says how to make enough time for a hold. need is the time until which the load must go on without another
// fault. gap is the time that is left for the hold, so a hold of that length would fit as well; zero means that no
// time is left.
func (c *check) room(a around, need time.Duration, h hold, gap time.Duration) string {
	s := "let the load last until " + quantity.Brief(quantity.WholeSeconds(need))
	if lp := c.onlyLoad(slo.Objective{}); lp != nil && lp.Shape.With.Get("duration") != nil {
		s = "duration: " + quantity.Brief(quantity.WholeSeconds(need-lp.Schedule.Start()))
	}
	switch {
	case a.again:
		s = "every: " + quantity.Brief(quantity.WholeSeconds(a.by.Entry.Every.D()+need-a.next))
	case a.by != nil:
		s = "move " + a.by.Name + ", and what follows it, to " + quantity.Brief(quantity.WholeSeconds(need))
	}
	if gap = min(h.set, gap).Truncate(time.Second); gap >= time.Second && gap >= h.least {
		s += ", or judge: {hold: " + quantity.Brief(gap) + "}"
	}
	return s
}

// undecidable notes each fault whose outcome the run can't show, with a remedy. Such a fault is refused only if an
// objective is on it.
func (c *check) undecidable(est []timeline.Estimated) {
	least := time.Duration(math.MaxInt64) // the shortest time that all of them leave for a hold
	type short struct {
		e    timeline.Estimated
		from time.Duration
		hold hold
		around
	}
	var all []short
	noted := map[string]bool{}
	for i, e := range est {
		a := c.around(i, est)
		if a.beside != nil {
			if !noted[e.Entry.Name] {
				c.doubt(Inseparable,
					fmt.Sprintf("%s: its effect can't be separated from the effect of %s, which is in at the same time: %s.",
						e.Name, a.beside.Name, c.apart(slo.Objective{}, e, *a.beside)))
			}
			noted[e.Entry.Name] = true
			continue
		}
		from := e.Clear
		if e.Entry.OneShot() { // the unit may be back at once
			from = e.At
		}
		if h := c.leastHold(slo.Objective{}, from); a.next < from+h.needs() {
			least = min(least, a.next-from)
			all = append(all, short{e, from, h, a})
		}
	}
	for _, s := range all {
		if noted[s.e.Entry.Name] {
			continue
		}
		noted[s.e.Entry.Name] = true
		what := "its effect can't be measured"
		if s.next >= s.e.At+s.hold.needs() {
			what = "if it does harm to its end, recovery can't be shown"
		}
		c.doubt(NoRoom, fmt.Sprintf("%s: %s, because %s at %s, and a hold of %s from %s on must be free: %s.",
			s.e.Name, what, s.comes(), quantity.Brief(s.next), s.hold, quantity.Brief(s.from),
			c.room(s.around, s.from+s.hold.needs(), s.hold, least)))
	}
}

// slightHarm notes each fault with an objective that so few requests meet, or follow, that a little harm can't be told
// from chance: a window that is bad decides only with those after it.
func (c *check) slightHarm(est []timeline.Estimated) {
	noted := map[string]bool{}
	for i, e := range est {
		o := c.effectOn(e)
		if o == nil || noted[e.Entry.Name] {
			continue
		}
		a := c.around(i, est)
		if o.After.Kind == slo.IncidentPhase {
			a = around{next: c.end}
		}
		rate := c.rate(*o, e.At, a.next)
		if rate.n == 0 || a.beside != nil {
			continue
		}
		width, n := effect.Windows(rate.n, c.plan.Scenario.Judge.LimitOr())
		need := e.At + time.Duration(n)*width
		if a.next >= need {
			continue
		}
		noted[e.Entry.Name] = true
		c.doubt(SlightHarm, fmt.Sprintf("%s: if it harms few requests, that can't be told from chance, because %s at "+
			"%s, and %d windows of %s from %s on must be free: %s.", e.Name, a.comes(), quantity.Brief(a.next), n,
			quantity.Brief(width), quantity.Brief(e.At), c.room(a, need, hold{}, 0)))
	}
}

// effectOn returns the first objective with an upper bound on the effect of an occurrence; nil if there is none.
func (c *check) effectOn(e timeline.Estimated) *slo.Objective {
	for i := range c.plan.Scenario.SLO {
		o := &c.plan.Scenario.SLO[i]
		of := o.After.Kind == slo.IncidentPhase || o.After.Includes(e.Phase())
		if of && o.Metric.Row().Effect != nil && o.Upper() {
			return o
		}
	}
	return nil
}

// slowAnswers notes that the baseline is too short to compute a limit of slow answers, if an objective is on how long
// a fault lasted. A fault that only slows the target down then lasts for an unknown time.
func (c *check) slowAnswers(est []timeline.Estimated) {
	asked := slices.ContainsFunc(c.plan.Scenario.SLO,
		func(o slo.Objective) bool { return o.Metric.Row().Effect != nil && o.Metric.Span == 0 && o.Upper() })
	if len(est) == 0 || !asked || c.plan.Scenario.Judge.Slow > 0 {
		return
	}
	baseline := slo.Objective{Phase: slo.Phase{Kind: slo.BaselinePhase}}
	in, need := c.phaseSpans(baseline, est)[0], effect.EnoughFor(c.plan.Scenario.Judge.LimitOr()/2)
	got, known := c.expected(baseline, in.from, in.to)
	if !known || got.n >= float64(need) {
		return
	}
	c.doubt(SlowUnknown,
		fmt.Sprintf("%s before the first fault, and %d good answers are needed to tell which are slow: if a fault only "+
			"slows the target down, its recovery can't be shown: %s, or judge: {slow: 500ms}.",
			got.sentence("comes", "come"), need, c.more(baseline, in, float64(need), got.n)))
}

// fewAnswers notes each fault with an objective that too few requests will meet to show that it made no answers
// slower. The objective then passes only if requests fail.
func (c *check) fewAnswers(est []timeline.Estimated) {
	if c.plan.Scenario.Judge.Slow > 0 {
		return
	}
	noted := map[string]bool{}
	for _, e := range est {
		i := slices.IndexFunc(c.plan.Scenario.SLO, func(o slo.Objective) bool {
			of := o.After.Kind == slo.IncidentPhase || o.After.Includes(e.Phase())
			return of && o.Metric.Row().Effect != nil && o.Metric.Span == 0 && o.Upper()
		})
		if i < 0 || noted[e.Entry.Name] {
			continue
		}
		during := slo.Objective{Phase: slo.ParseOccurrence(e.Entry.Name)}
		in, need := span{e.At, min(e.Clear, c.end)}, effect.EnoughForFar(1)
		got, known := c.expected(during, in.from, in.to)
		if !known || got.n >= float64(need) {
			continue
		}
		noted[e.Entry.Name] = true
		c.doubt(FewAnswers, fmt.Sprintf("%s: %s it, and %d good answers are needed to show that it "+
			"made none far slower, if one of them is by chance; with fewer, `%s` may not pass if no request fails: %s, or "+
			"judge: {slow: 500ms}.",
			e.Name, got.sentence("meets", "meet"), need, c.plan.Scenario.SLO[i].Text,
			c.more(during, in, float64(need), got.n)))
	}
}

// hold is the time for which requests must be good to show recovery.
type hold struct {
	set   time.Duration // judge.hold
	least time.Duration // the time in which enough requests come; zero if their rate is unknown
	need  int64         // how many are enough
}

// needs returns how long the hold lasts.
func (h hold) needs() time.Duration { return max(h.set, h.least) }

// String words the hold, and why it is longer than the scenario's hold.
func (h hold) String() string {
	if h.least <= h.set {
		return quantity.Brief(h.set)
	}
	return fmt.Sprintf("%s (in the %s of `judge.hold` too few requests come: %d are needed)",
		quantity.Brief(h.least), quantity.Brief(h.set), h.need)
}

// holdFor returns the hold of requests that o selects, from time at on, in which need good requests come. It is a lower
// bound if the rate of the load is an upper bound.
func (c *check) holdFor(o slo.Objective, at time.Duration, need int64) hold {
	h := hold{set: c.plan.Scenario.Judge.HoldOr(), need: need}
	at = max(0, min(at, c.end-h.set)) // a load that is made longer goes on as at its end
	if rate := c.rate(o, at, at+h.set); rate.n > 0 {
		h.least = time.Duration(math.Ceil(float64(h.need)/rate.n)) * time.Second
	}
	return h
}

// leastHold returns the hold that shows recovery from a full outage.
func (c *check) leastHold(o slo.Objective, at time.Duration) hold {
	return c.holdFor(o, at, effect.EnoughFor(c.plan.Scenario.Judge.LimitOr()))
}

// worstHold returns the hold from time at on that shows recovery whatever the fault did: see [effect.EnoughToRecover].
// If it does not fit in before the next fault or the end of the load, it is the hold of a run that is as much longer.
func (c *check) worstHold(o slo.Objective, at, injected time.Duration, a around) hold {
	limit := c.plan.Scenario.Judge.LimitOr()
	h := c.holdFor(o, at, effect.EnoughToRecover(limit, max(a.next, at+c.plan.Scenario.Judge.HoldOr())-injected))
	if until := at + h.needs(); until > a.next {
		h = c.holdFor(o, at, effect.EnoughToRecover(limit, until-injected))
	}
	return h
}

// onlyLoad returns the load that an objective names, or the only load of the plan. It returns nil if an objective
// that names none is about several loads.
func (c *check) onlyLoad(o slo.Objective) *Load {
	i := slices.IndexFunc(c.plan.Loads, func(lp Load) bool { return lp.Name == o.Load })
	switch {
	case i >= 0:
		return &c.plan.Loads[i]
	case o.Load == "" && len(c.plan.Loads) == 1:
		return &c.plan.Loads[0]
	}
	return nil
}

// longer says how to let the phase of an objective last so long; empty if no setting does.
func (c *check) longer(o slo.Objective, lasts time.Duration) string {
	brief := quantity.Brief(quantity.WholeSeconds(lasts))
	switch phase, lp := o.PhaseOrRun(), c.onlyLoad(o); {
	case lasts >= quantity.MaxDuration:
	case phase.Kind == slo.RecoveryPhase:
		return "judge: {hold: " + brief + "}"
	case phase.Kind == slo.BaselinePhase:
		return "let the first fault come at " + quantity.Brief(quantity.WholeSeconds(lasts+inFlight))
	case phase.Kind != slo.RunPhase:
		if slices.ContainsFunc(c.plan.Faults, func(e *timeline.Entry) bool {
			return slo.ParseOccurrence(e.Name) == phase && !e.OneShot() && e.Has("for")
		}) {
			return "for: " + brief
		}
	case lp != nil && lp.Shape.With.Get("duration") != nil:
		return "duration: " + quantity.Brief(quantity.WholeSeconds(max(lasts-lp.Schedule.Start(), time.Second)))
	}
	return ""
}

// more says how to get need requests into the span of an objective, which holds got of them so far.
func (c *check) more(o slo.Objective, in span, need, got float64) string {
	var mends []string
	lp := c.onlyLoad(o)
	of := func(key string) bool { return lp != nil && lp.Shape.With.Get(key) != nil }
	begin := in.from // of its requests
	if lp != nil {
		begin = max(begin, lp.Schedule.Start())
	}
	before := begin >= in.to // the load begins after the span
	if before {
		in.to = begin + time.Second
		later, _ := c.expected(o, begin, in.to)
		got = later.n
	}
	if got <= 0 {
		return "let the load begin before it, or last into it"
	}
	factor := need / got
	if of("iterations") && lp.Schedule.Shared > 0 { // more time brings no more of them
		return fmt.Sprintf("iterations: %.0f", math.Ceil(float64(lp.Schedule.Shared)*factor))
	}
	seconds := min((in.to-begin).Seconds()*factor, quantity.MaxDuration.Seconds())
	if mend := c.longer(o, begin-in.from+time.Duration(seconds*float64(time.Second))); mend != "" {
		mends = append(mends, mend)
	}
	if of("rate") && !lp.Schedule.Closed() && !before {
		mends = append(mends, "rate: "+quantity.Rate(math.Ceil(lp.Schedule.Rate.At(begin)*factor)).String())
	}
	if len(mends) == 0 {
		return fmt.Sprintf("offer %.3g times the load there", math.Ceil(factor*10)/10)
	}
	return strings.Join(mends, ", or ")
}
