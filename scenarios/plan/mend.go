package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios/impact"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// around is what is near an occurrence on the timeline.
type around struct {
	beside *chaos.Estimated // another fault that is in at the same time; nil is none
	next   time.Duration    // when the next fault comes, or the load ends
	by     *chaos.Estimated // the next fault; nil: the load ends
}

// around finds what is near occurrence i.
func (c objectiveCheck) around(i int, est []chaos.Estimated) around {
	e, a := est[i], around{next: c.plan.End()}
	for j := range est {
		other := &est[j]
		switch {
		case j == i:
		case other.At < e.Clear && e.At < other.Clear:
			if a.beside == nil {
				a.beside = other
			}
		case other.At >= e.At && other.At < a.next:
			a.next, a.by = other.At, other
		}
	}
	return a
}

// comes says what comes next.
func (a around) comes() string {
	if a.by == nil {
		return "the load ends"
	}
	return a.by.Name + " comes"
}

// apart says how to keep two faults apart that are in at the same time.
func (c objectiveCheck) apart(o slo.Objective, e, other chaos.Estimated) string {
	if other.At < e.At {
		e, other = other, e
	}
	at := quantity.WholeSeconds(e.Clear + c.hold(o, e.Clear))
	return fmt.Sprintf("move %s to %s, or make both one group by `steps`, or ask of both `recover < 10s after incident`", other.Name, Brief(at))
}

// room says how to leave time for what must fit in before need. Gap is what is left for the hold, so
// that a shorter one is another way; zero is none.
func (c objectiveCheck) room(a around, need, gap time.Duration) string {
	s := "let the load last until " + Brief(quantity.WholeSeconds(need))
	if lp := c.onlyLoad(slo.Objective{}); lp != nil && lp.Shape.With.Get("duration") != nil {
		s = "duration: " + Brief(quantity.WholeSeconds(need-lp.Schedule.Start()))
	}
	if a.by != nil {
		s = "move " + a.by.Name + ", and what follows it, to " + Brief(quantity.WholeSeconds(need))
	}
	if gap = gap.Truncate(time.Second); gap >= time.Second && gap >= c.leastHold(slo.Objective{}, need) {
		s += ", or judge: {hold: " + Brief(gap) + "}"
	}
	return s
}

// untold notes each fault whose outcome the run can't tell, and how to mend that: it is refused only
// where an objective asks for it.
func (c objectiveCheck) untold(est []chaos.Estimated) {
	least := time.Duration(math.MaxInt64) // the shortest hold that all of them leave
	type short struct {
		e    chaos.Estimated
		from time.Duration
		hold time.Duration
		around
	}
	var all []short
	noted := map[string]bool{}
	for i, e := range est {
		a := c.around(i, est)
		if a.beside != nil {
			if !noted[e.Entry.Name] {
				c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("%s: what it does can't be told from what %s does, which is in at the same time: %s.",
					e.Name, a.beside.Name, c.apart(slo.Objective{}, e, *a.beside)))
			}
			noted[e.Entry.Name] = true
			continue
		}
		from := e.Clear
		if e.Entry.OneShot() { // its unit may be back at once
			from = e.At
		}
		if hold := c.hold(slo.Objective{}, from); a.next < from+hold {
			least = min(least, a.next-from)
			all = append(all, short{e, from, hold, a})
		}
	}
	for _, s := range all {
		if noted[s.e.Entry.Name] {
			continue
		}
		noted[s.e.Entry.Name] = true
		what := "what it does can't be told"
		if s.next >= s.e.At+s.hold {
			what = "if it does harm to its end, recovery can't be shown"
		}
		c.plan.Notes = append(c.plan.Notes, fmt.Sprintf("%s: %s, because %s at %s, and a hold of %s from %s on must be free: %s.",
			s.e.Name, what, s.comes(), Brief(s.next), Brief(s.hold), Brief(s.from), c.room(s.around, s.from+s.hold, least)))
	}
}

// leastHold is the shortest hold in which the load offers enough requests to show recovery at time at.
func (c objectiveCheck) leastHold(o slo.Objective, at time.Duration) time.Duration {
	rate := c.rate(o, at, at+c.sc.Judge.HoldOr())
	if rate.n == 0 {
		return 0
	}
	return time.Duration(math.Ceil(float64(impact.EnoughFor(c.sc.Judge.LimitOr()))/rate.n)) * time.Second
}

// onlyLoad is the load that an objective is about, if it is one alone.
func (c objectiveCheck) onlyLoad(o slo.Objective) *Load {
	i := slices.IndexFunc(c.plan.Loads, func(lp Load) bool { return lp.Name == o.Load })
	switch {
	case i >= 0:
		return &c.plan.Loads[i]
	case o.Load == "" && len(c.plan.Loads) == 1:
		return &c.plan.Loads[0]
	}
	return nil
}

// more says how to get more requests into the span of an objective, by a factor.
func (c objectiveCheck) more(o slo.Objective, span measureSpan, factor float64) string {
	lasts := quantity.WholeSeconds(time.Duration(float64(span.to-span.from) * factor))
	var ways []string
	lp := c.onlyLoad(o)
	of := func(key string) bool { return lp != nil && lp.Shape.With.Get(key) != nil }
	switch phase := o.PhaseOrRun(); {
	case phase == "baseline":
		ways = append(ways, "let the first fault come at "+Brief(lasts))
	case phase != "run":
		if i := slices.IndexFunc(c.plan.Faults, func(e *chaos.Entry) bool { return e.Name == phase && !e.OneShot() && e.Has("for") }); i >= 0 {
			ways = append(ways, "for: "+Brief(lasts))
		}
	case of("duration"):
		ways = append(ways, "duration: "+Brief(lasts))
	}
	if of("rate") && !lp.Schedule.Closed() {
		ways = append(ways, "rate: "+quantity.Rate(math.Ceil(lp.Schedule.Rate.At(span.from)*factor)).String())
	}
	if len(ways) == 0 {
		return fmt.Sprintf("offer %.3g times the load there", math.Ceil(factor*10)/10)
	}
	return strings.Join(ways, ", or ")
}
