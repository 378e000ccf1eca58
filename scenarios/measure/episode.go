package measure

import (
	"math"
	"strings"

	"brunt/scenarios"
)

// mainObjective is the objective whose view of the fault its record shows: the
// first that is measured from it, else one of all requests.
func (f *finisher) mainObjective(fault string) scenarios.Objective {
	for _, name := range []string{"recover", "heal", "failover", "onset", "degraded", "failed", "area"} {
		for _, o := range f.c.SLO {
			if o.Metric.Name == name && baseName(o.After) == fault {
				return o
			}
		}
	}
	return scenarios.Objective{Metric: scenarios.Metric{Name: "recover"}}
}

// baseName is the fault's name without the number of its occurrence.
func baseName(s string) string {
	s, _, _ = strings.Cut(s, "#")
	return s
}

// LimitOf is L of a fault under the objectives slo, the share of bad requests that
// counts as impact: that of the tightest objective on errors or availability that
// covers the fault, else 1 %. An objective covers a fault when it is judged over
// the run, the fault's phase or its recovery. One that allows no error at all has
// no share that could be seen, and is left out.
func LimitOf(slo []scenarios.Objective, fault string) float64 {
	limit := math.Inf(1)
	for _, o := range slo {
		p := baseName(o.PhaseOrRun())
		if p != "run" && p != fault && p != "recovery/"+fault {
			continue
		}
		switch {
		case o.Metric.Name == "errors" && o.Upper() && o.Value > 0:
			limit = min(limit, o.Value)
		case o.Metric.Name == "availability" && !o.Upper() && o.Value < 1:
			limit = min(limit, 1-o.Value)
		}
	}
	if math.IsInf(limit, 1) {
		return scenarios.DefaultLimit
	}
	return limit
}

// ask finds what occurrence i did, as the objective o sees it.
func (f *finisher) ask(i int, o scenarios.Objective) Answer {
	oc := f.faults[i]
	if oc.Name == "" {
		return unasked(scenarios.NotInjected, "")
	}
	q := Question{Injected: oc.Injected, Cleared: never, Horizon: f.end, Limit: LimitOf(f.c.SLO, oc.Fault), Hold: f.c.Hold}
	if oc.Over {
		q.Cleared = oc.Cleared
	}
	next := f.after(i)
	if next != nil {
		q.Horizon = min(q.Horizon, next.Injected)
	}
	// requests that lived into a later fault are its doing
	q.Slices = f.slices(o, func(_ key, set []int32) bool {
		for _, j := range set {
			if f.faults[j].Injected > oc.Injected {
				return false
			}
		}
		return true
	})
	for _, s := range f.slices(o, func(k key, _ []int32) bool { return f.inBaseline(k) }) {
		if s.Start < f.firstInjection() {
			q.Baseline = append(q.Baseline, s)
		}
	}
	for _, s := range f.slices(o, func(_ key, set []int32) bool { return len(set) == 1 && set[0] == int32(i) }) {
		if s.Start < oc.Injected {
			q.Caught.N += s.N
			q.Caught.Bad += s.Bad
		}
	}
	a := Ask(q)
	f.confound(i, &a, next)
	return a
}

// after gives the first fault that was injected after occurrence i.
func (f *finisher) after(i int) *Occurrence {
	var next *Occurrence
	for j := range f.faults {
		if g := &f.faults[j]; j > i && g.Name != "" && (next == nil || g.Injected < next.Injected) {
			next = g
		}
	}
	return next
}

// confound marks an answer that can't be told apart from another fault's doing.
func (f *finisher) confound(i int, a *Answer, next *Occurrence) {
	oc := f.faults[i]
	why := ""
	for j := range i {
		g := f.faults[j]
		switch {
		case g.Name == "":
		case !g.Over || g.Cleared > oc.Injected:
			why = g.Name + " was in as well"
		case f.answers[j].Impact == scenarios.NotRecovered || f.answers[j].Impact == scenarios.Confounded || f.answers[j].OnsetAt.Known() && !f.answers[j].RecoveredAt.Known():
			why = g.Name + " had not been recovered from"
		}
	}
	if next != nil && why == "" {
		switch {
		case !oc.Over || next.Injected < oc.Cleared:
			why = next.Name + " was in as well"
		case a.OnsetAt.Known() && !a.RecoveredAt.Known():
			why = next.Name + " was injected before recovery could show"
		}
	}
	if why != "" {
		a.Impact, a.Note = scenarios.Confounded, why
		a.RecoveredAt, a.FailoverAt, a.NotBefore = scenarios.NaN, scenarios.NaN, scenarios.NaN
	}
}
