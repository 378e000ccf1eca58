package judge

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// effects computes the effects of faults on the load, and judges objectives on faults.
type effects struct {
	read    *readings
	answers []effect.Answer // one for each occurrence
	asked   map[asked]effect.Answer
	befores map[asked]before // by occurrence and selection; nil keeps none
	shed    shedViews

	slow      map[selected]*slowness // of each selection of requests that is asked; of all alone while the run goes on
	incidents []*incident            // of the run
}

// selected is a selection of requests: those of a step, of a load, or all.
type selected struct{ step, load string }

// selectedBy returns the selection of an objective.
func selectedBy(o slo.Objective) selected { return selected{o.Step, o.Load} }

// slowness tells whether good answers were slower than in the baseline.
type slowness struct {
	test *requests.SlowdownTest // nil if no fault was injected
	// by occurrence, when all cells are read: whether they were slower, and whether there are enough for the test
	slower []requests.Slowdown
	tells  []bool
}

// supposing returns a copy of f that uses other readings of the same recording. Using the copy does not change f.
func (f *effects) supposing(read readings) *effects {
	g := *f
	g.read, g.asked, g.befores, g.shed = &read, map[asked]effect.Answer{}, map[asked]before{}, shedViews{}
	return &g
}

// mainObjective returns the objective whose requests the record of the fault shows: the objective on the fault with
// the highest rank, the first if there are several. Without such an objective it returns one that selects all
// requests.
func (f *effects) mainObjective(fault string) slo.Objective {
	main := slo.Objective{Metric: slo.Metric{Name: "recover"}}
	rank := -1
	for _, o := range f.read.c.SLO {
		if row := o.Metric.Row(); row.Effect != nil && row.Rank > rank && o.After.Fault == fault {
			main, rank = o, row.Rank
		}
	}
	return main
}

// asked identifies an answer, by the occurrence and by the selection of requests and of bad ones.
type asked struct {
	i          int
	step, load string
	span       time.Duration
}

// ask returns the effect of occurrence i on the requests that objective o selects. Objectives with the same selection
// share an answer.
func (f *effects) ask(i int, o slo.Objective) effect.Answer {
	k := asked{i, o.Step, o.Load, o.Metric.Span}
	a, known := f.asked[k]
	if !known {
		a = f.find(i, o)
		f.asked[k] = a
	}
	if a.Impact != result.NotImpacted && a.Doubted == nil {
		return a
	}
	own := f.slowdownOf(o, i)
	switch {
	case lostTo(f, i).n > 0:
		a.Impact = result.Impacted
	case f.slowdown(i).Answer == result.Yes, own.Answer == result.Yes:
		a.Impact = result.Impacted
	case a.Impact == result.NotImpacted && f.read.slowUntold(o, own) != nil:
		a = notCertain(a, own)
	}
	return a
}

// slowdown returns the answer to whether occurrence i made good answers slower, of all steps together.
func (f *effects) slowdown(i int) requests.Slowdown { return f.slowdownOf(slo.Objective{}, i) }

// slowdownOrStep is slowdown, but yes if the answers that the main objective selects were slower, and untested instead
// of no if the answers of one step were far slower. They may be too few beside those of all steps to change an answer
// on all of them.
func (f *effects) slowdownOrStep(i int) requests.Slowdown {
	s := f.slowdown(i)
	if own := f.slowdownOf(f.mainObjective(f.read.Faults[i].Fault), i); own.Answer == result.Yes {
		return own
	}
	if s.Answer != result.No {
		return s
	}
	if step, far, n, found := f.slownessOf(slo.Objective{}).test.FarStep(i); found {
		s.Told = result.NotTold(result.Note{
			Kind: result.SlowerStep, Of: f.read.stepName(step), Part: far, Count: n,
		})
	}
	return s
}

// stepName names a step, with its load in front if another load has a step of that name.
func (f *readings) stepName(step int) string {
	s := f.Config.Steps[step]
	also := func(x measure.SeriesStep) bool { return x.Name == s.Name && x.Load != s.Load }
	if slices.ContainsFunc(f.Config.Steps, also) {
		return f.Config.Loads[s.Load].Name + ": " + s.Name
	}
	return s.Name
}

// slowdownOf returns the answer to whether occurrence i made good answers slower, of those that objective o selects.
// The answer is no until all cells are read, and for an occurrence that was not injected.
func (f *effects) slowdownOf(o slo.Objective, i int) requests.Slowdown {
	if s := f.slownessOf(o); s.slower != nil && f.read.Faults[i].Name != "" {
		return s.slower[i]
	}
	return requests.Slowdown{Told: result.Told{Answer: result.No}, Far: result.No}
}

// slownessOf returns the slowness of the answers that an objective selects. While the run goes on it is that of all.
func (f *effects) slownessOf(o slo.Objective) *slowness {
	return cmp.Or(f.slow[selectedBy(o)], f.slow[selected{}], &slowness{})
}

// testSlowness prepares the tests of slower answers: of all answers, and of those that each objective on a fault
// selects. The baseline is by series.
func (f *effects) testSlowness(baseline []measure.Cell) {
	f.slow = map[selected]*slowness{}
	prepare := func(o slo.Objective) {
		if k := selectedBy(o); f.slow[k] == nil {
			f.slow[k] = &slowness{test: requests.NewSlowdownTest(f.read.Recording, o, baseline, f.read.c.Hold)}
		}
	}
	prepare(slo.Objective{})
	for _, o := range f.read.c.SLO {
		if o.Metric.OfFault() && o.Metric.Row().Effect != nil {
			prepare(o)
		}
	}
}

// finishSlowness answers by the tests, when all cells are added.
func (f *effects) finishSlowness() {
	for _, s := range f.slow {
		s.test.Finish()
		for i := range f.read.Faults {
			s.slower = append(s.slower, f.slowdownBy(s.test, i))
			s.tells = append(s.tells, s.test.Tells(i))
		}
	}
}

const (
	leastSlow = 5 * time.Second // the shortest span in which slower answers are looked for: a second or two show little
	slowEnd   = 3 * time.Second // the last part of a fault, in which answers are slower if that lasts until it is over
)

// slowdownBy is [requests.SlowdownTest.Slower] for occurrence i, with evidence: untested if answers were slower, and
// nothing shows, besides the time, that the occurrence made them so. They were slower within a hold of the injection,
// of a later step of a group, or of the time when a unit that it hit fell ill; or until it was over, and no longer
// from a hold after that to the next injection.
func (f *effects) slowdownBy(test *requests.SlowdownTest, i int) requests.Slowdown {
	s := test.Slower(i)
	if s.Answer != result.Yes {
		return s
	}
	oc, hold, over := &f.read.Faults[i], max(f.read.c.Hold, leastSlow), f.read.overAt(i)
	next := measure.Never // the first injection after the occurrence was over
	for _, other := range f.read.Faults {
		if other.Name != "" && other.Injected >= over {
			next = min(next, other.Injected)
		}
	}
	slowerIn := test.SlowerIn(i)
	slower := func(from, to time.Duration) bool { return slowerIn(requests.Span{From: from, To: to}) == result.Yes }
	shown := slower(0, oc.Injected+hold) ||
		slices.ContainsFunc(f.read.c.Occurrences[i].Acts, func(at time.Duration) bool { return slower(at, at+hold) }) ||
		slices.ContainsFunc(f.read.c.Occurrences[i].Unwell, func(in requests.Span) bool {
			return in.From > oc.Injected && in.From < over && slower(in.From-hold, in.From+hold)
		}) ||
		oc.Over && slower(over-slowEnd, over) &&
			test.SlowerAfter(requests.Span{From: over + hold, To: over + 2*hold}, next) == result.No
	if !shown {
		s.Told = result.NotTold(result.Note{Kind: result.SlowerDuring})
	}
	return s
}

// asksSlow reports whether the scenario says which answers are slow and therefore bad for an objective.
func (f *readings) asksSlow(o slo.Objective) bool {
	return o.Metric.Span > 0 || f.Config.SlowShare == 0 && f.Config.Slow > 0
}

// notCertain returns an answer without an impact as an unknown one, because the slowdown is untested.
func notCertain(a effect.Answer, s requests.Slowdown) effect.Answer {
	a.Impact, a.Notes, a.RecoveredAt, a.MaySlow = result.UnknownYet, untold(s), result.NaN, true
	return a
}

// untold says that it is not certain whether an occurrence made answers slower, and why.
func untold(s requests.Slowdown) result.Notes {
	if s.Why.Has(result.SlowerDuring) { // they were slower, and only the cause is open
		return s.Why
	}
	return append(result.Notes{{Kind: result.SlowUntold}}, s.Why...)
}

func (f *effects) find(i int, o slo.Objective) effect.Answer {
	oc := f.read.Faults[i]
	if oc.Name == "" {
		return effect.Unknown(result.NotInjected)
	}
	a := f.joint([]int{i}, o)
	f.confound(i, o, &a, f.read.after(i))
	return a
}

// questionOn describes the load that objective o selects around an occurrence, or around several occurrences, in the
// order of injection, that count as one fault.
func questionOn(f *effects, of []int, o slo.Objective) effect.Question {
	oc := f.read.Faults[of[0]]
	q := effect.Question{Injected: oc.Injected, Horizon: f.read.end, Limit: f.read.c.Limit, Hold: f.read.c.Hold}
	for _, i := range of {
		q.Cleared = max(q.Cleared, f.read.overAt(i))
	}
	if len(of) == 1 {
		q.Cleared = f.read.inUntil(of[0])
	}
	other := func(j int32) bool { return !slices.Contains(of, int(j)) }
	// blames reports whether occurrence j may have made the requests of a cell that met it bad. It did not if the
	// target hung before: if they had been under way for twice as long as any good answer of the step in the
	// baseline.
	blames := func(k measure.Key, j int32) bool {
		usual := f.read.longest[k.Series]
		hung := f.read.EndOf(k.Start) + f.read.late[k.Start] + 2*usual + 20*time.Millisecond
		return usual == 0 || hung >= f.read.Faults[j].Injected
	}
	next := f.read.after(of[len(of)-1])
	if next != nil && next.Injected < q.Horizon {
		q.Horizon, q.Next = next.Injected, next.Name
	}
	// a later fault is responsible for requests that overlap it, unless those hung by then
	q.Slices = f.read.slices(f.read.index().Around(requests.Span{From: oc.Injected, To: q.Horizon}, f.read.end), o,
		func(k measure.Key, set []int32) bool {
			return !slices.ContainsFunc(set, func(j int32) bool {
				return other(j) && f.read.Faults[j].Injected > oc.Injected &&
					blames(k, j)
			})
		})
	q.UnderWay, q.Closed = f.read.waits(o)
	q.Baseline = f.baseline(o)
	calm := requests.Span{From: f.before(of[0], o).calm, To: oc.Injected}
	q.Before = f.read.slices(calm, o, func(k measure.Key, set []int32) bool {
		return !slices.ContainsFunc(set, func(j int32) bool {
			return f.read.Faults[j].Injected >= oc.Injected && blames(k, j)
		})
	})
	caught := requests.Span{From: oc.Injected, To: oc.Injected} // from the first request that met the occurrences
	for _, i := range of {
		if met := f.read.index().Affected[i]; len(met) > 0 {
			caught.From = min(caught.From, f.read.records[met[0]].Start)
		}
	}
	for _, s := range f.read.slices(caught, o, func(_ measure.Key, set []int32) bool {
		return len(set) > 0 && !slices.ContainsFunc(set, other)
	}) {
		q.Caught.N += s.N
		q.Caught.Bad += s.Bad
	}
	return q
}

// waits returns twice the time of the longest good answer in the baseline of the requests that objective o selects,
// zero if it is unknown, and whether only users of closed loads send them.
func (f *readings) waits(o slo.Objective) (long time.Duration, closed bool) {
	for s, usual := range f.longest {
		if requests.Selects(&f.Config.Series, o, s) {
			long = max(long, 2*usual)
		}
	}
	return long, !slices.ContainsFunc(f.loadsOf(o), func(l int) bool { return !f.Config.Loads[l].Closed })
}

// baseline returns the requests of the baseline that objective o selects.
func (f *effects) baseline(o slo.Objective) []effect.Slice {
	return f.read.slices(requests.Span{To: f.read.FirstInjection()}, o,
		func(k measure.Key, _ []int32) bool { return f.read.InBaseline(k) })
}

// overAt returns the true end of occurrence i, which may be before the end of its phase: the phase of a unit that is
// back at once still lasts some seconds. It is [measure.Never] if the occurrence was not cleared.
func (f *readings) overAt(i int) time.Duration {
	if early := f.c.Occurrences[i].Ended; early != nil && f.Faults[i].Over {
		return *early
	}
	return f.Faults[i].Until()
}

// inUntil returns until when occurrence i is in: until its true end, or for good if nothing starts its unit again.
func (f *readings) inUntil(i int) time.Duration {
	if f.c.Occurrences[i].StaysDown {
		return measure.Never
	}
	return f.overAt(i)
}

// before says what the faults before an occurrence left behind.
type before struct {
	calm time.Duration // from when they were over, and the target had recovered
	open string        // the last one of whose effect the end was not seen; empty if there is none
}

// before returns the state before occurrence i, for the requests that objective o selects.
//
// The effect of a fault is open if the load had not recovered from it, or if it can't be separated from that of another
// fault. It is open no more once a hold of good requests has passed; see [effect.Settled].
func (f *effects) before(i int, o slo.Objective) before {
	k := asked{i, o.Step, o.Load, o.Metric.Span}
	b, known := f.befores[k]
	if !known {
		b = f.findBefore(i, o)
		early := false // harmAsNext asks of a later occurrence before the answers of all earlier ones are known
		for j := range i {
			early = early || f.read.Faults[j].Name != "" && f.answers[j].Impact == ""
		}
		if f.befores != nil && !early {
			f.befores[k] = b
		}
	}
	return b
}

func (f *effects) findBefore(i int, o slo.Objective) before {
	var b before
	open := -1 // the open fault that was over last
	for j := range f.read.Faults[:i] {
		if f.read.Faults[j].Name == "" {
			continue
		}
		if f.read.Faults[j].Over {
			b.calm = max(b.calm, f.read.overAt(j))
		}
		a := f.answers[j].Harm()
		switch {
		case a.RecoveredAt.Known():
			b.calm = max(b.calm, a.RecoveredAt.D())
		case a.RelapsedAt.Known():
			b.calm = max(b.calm, a.RelapsedAt.D())
		}
		switch {
		// the load had recovered, so bad requests after that mean that the steady state failed
		case a.RelapsedAt.Known():
		case a.Impact == result.NotRecovered, a.Impact == result.Confounded,
			a.OnsetAt.Known() && !a.RecoveredAt.Known():
			if open < 0 || f.read.overAt(j) >= f.read.overAt(open) {
				open = j
			}
		case a.RecoveredAt.Known() && open >= 0 && f.read.overAt(open) <= f.read.Faults[j].Injected:
			open = -1 // a hold of good requests followed this one
		}
	}
	if open < 0 {
		return b
	}
	b.open = f.read.Faults[open].Name
	to := f.read.Faults[i].Injected
	if over := f.read.overAt(open); over < to && to-over >= f.read.c.Hold {
		q := effect.Question{
			Injected: f.read.Faults[open].Injected, Cleared: over, Horizon: to,
			Limit: f.read.c.Limit, Hold: f.read.c.Hold, Baseline: f.baseline(o),
		}
		q.Slices = f.read.slices(requests.Span{From: q.Injected, To: to}, o, func(_ measure.Key, set []int32) bool {
			return !slices.ContainsFunc(set, func(j int32) bool { return f.read.Faults[j].Injected >= to })
		})
		if since, settled := effect.Settled(q); settled {
			b.calm, b.open = max(b.calm, since), ""
		}
	}
	return b
}

// confound marks an answer that cannot be separated from the effect of another fault. Harm that begins as one fault
// ends and another one begins is of neither alone. If the target had only not recovered before the next injection, the
// answer keeps its lower bounds of the recovery and of the failover.
func (f *effects) confound(i int, o slo.Objective, a *effect.Answer, next *measure.Occurrence) {
	oc := f.read.Faults[i]
	var why result.Notes
	least := result.NaN // the lower bound of the recovery; unknown if another fault was active meanwhile
	if open := f.before(i, o).open; open != "" {
		why = result.Notes{{Kind: result.OtherOpen, Of: open}}
	}
	for j := range i {
		switch g := &f.read.Faults[j]; {
		case g.Name == "":
		case f.read.overAt(j) > oc.Injected:
			why = result.Notes{{Kind: result.OtherIn, Of: g.Name}}
		case why == nil && f.read.relieves(i, j) && a.OnsetAt.Known() && a.OnsetIn.With(f.read.overAt(j)):
			why = result.Notes{{Kind: result.OtherAtOnce, Of: g.Name}}
		}
	}
	if why != nil { // the earlier fault caused the errors before this one
		a.BadBefore, a.StuckBefore = false, false
	}
	if next != nil && why == nil && !a.BadBefore {
		switch {
		case next.Injected < f.read.overAt(i):
			why = result.Notes{{Kind: result.OtherIn, Of: next.Name}}
		case f.harmAsNext(i, o):
			why = result.Notes{{Kind: result.OtherAtOnce, Of: next.Name}}
		case a.OnsetAt.Known() && !a.RecoveredAt.Known() && !a.RelapsedAt.Known():
			open := result.Note{Kind: result.OtherNext, Of: next.Name}
			if len(a.Notes) > 0 && a.Notes[0].Kind == result.EndBeforeHold {
				open.For, open.Count, open.Need = a.Notes[0].For, a.Notes[0].Count, a.Notes[0].Need
			}
			why, least = append(result.Notes{open}, a.Usual...), a.NotBefore
		}
	}
	if why != nil {
		failover, lacks := a.FailoverNotBefore, a.FailoverLacks
		a.Impact, a.Notes = result.Confounded, why
		a.Hide()
		if a.NotBefore = least; least.Known() {
			a.FailoverNotBefore, a.FailoverLacks = failover, lacks
		}
	}
}

// relieves reports whether occurrence i began as occurrence j ended, so that harm that begins then may be of either.
func (f *readings) relieves(i, j int) bool {
	apart := f.Faults[i].Injected - f.overAt(j)
	return apart >= 0 && apart < effect.AtOnce && f.Faults[j].Over
}

// harmAsNext reports whether another occurrence began as occurrence i ended, and harm with both.
func (f *effects) harmAsNext(i int, o slo.Objective) bool {
	for j := range f.read.Faults {
		if f.read.Faults[j].Name == "" || j == i || !f.read.relieves(j, i) {
			continue
		}
		if a := f.joint([]int{j}, o); a.OnsetAt.Known() && a.OnsetIn.With(f.read.overAt(i)) {
			return true
		}
	}
	return false
}

// confoundedWith lists occurrence i and the occurrences that overlap it in time, directly or through others, in the
// order of injection.
func (f *effects) confoundedWith(i int) []int {
	in := requests.Span{From: f.read.Faults[i].Injected, To: f.read.overAt(i)}
	var out []int
	for known := 0; ; known = len(out) {
		out = out[:0]
		for j := range f.read.Faults {
			g := &f.read.Faults[j]
			if g.Name == "" || g.Injected >= in.To && j != i || f.read.overAt(j) <= in.From && j != i {
				continue
			}
			out = append(out, j)
			in.From, in.To = min(in.From, g.Injected), max(in.To, f.read.overAt(j))
		}
		if len(out) == known {
			slices.SortFunc(out, func(a, b int) int { return cmp.Compare(f.read.Faults[a].Injected, f.read.Faults[b].Injected) })
			return out
		}
	}
}

// joint returns the effect of several occurrences whose effects can't be separated, as one fault that lasts from the
// first injection to the last clearing.
func (f *effects) joint(of []int, o slo.Objective) effect.Answer {
	q := questionOn(f, of, o)
	return f.shown(of, q, withShed(f, of, o, effect.Ask(q)))
}

// shown returns answer a to question q about occurrences that count as one fault, without harm that nothing shows to be
// theirs.
//
// Harm that begins while a fault is in, or after it is over, is the fault's only if evidence shows that, see
// [readings.tied] and [readings.unwell]. That it is next in time shows nothing. If the load was good for a hold after
// the end, later harm is no effect of the fault; otherwise it is unknown whether harm without evidence is.
//
// Requests that are bad again more than a hold after the load had recovered are the fault's only with such evidence,
// whether another fault follows or not.
func (f *effects) shown(of []int, q effect.Question, a effect.Answer) effect.Answer {
	onset, over := a.OnsetAt.D(), q.Cleared
	if b, noise := f.withoutNoise(of, q, a); noise {
		return b
	}
	if b, late := f.withoutLateRelapse(of, q, a); late {
		a = b
	}
	if !a.OnsetAt.Known() || onset <= over || f.read.begins(a.OnsetIn, over) {
		return a
	}
	in := requests.Span{From: onset, To: q.Horizon}
	if a.RecoveredAt.Known() {
		in.To = a.RecoveredAt.D()
	}
	if slices.ContainsFunc(of, func(i int) bool { return f.read.unwell(i, in) }) {
		return a
	}
	b := effect.Ask(q.Until(onset))
	if b.BadBefore || b.Impact == result.NotImpacted && onset > over+q.Hold {
		return b
	}
	b.Doubt(a, result.Note{
		Kind: result.HarmAfter, Of: f.read.Faults[of[len(of)-1]].Name, From: a.OnsetAt, For: result.Sec(onset - over),
		To: endIf(a.RecoveredAt, !a.RelapsedAt.Known()),
	})
	return b
}

// endIf returns the end of harm for a note, if it is known and single says that it is the end of all harm that the note
// tells; else 0, which a note leaves out.
func endIf(end result.Num, single bool) result.Num {
	if !single || !end.Known() {
		return 0
	}
	return end
}

// withoutNoise returns answer a without the harm that began while the occurrences were in, and of which nothing shows
// that one of them did it. noise is false if there is no such harm, or if the target did not recover from other harm.
//
// Harm after the first is asked as well, if the target is shown to have failed over before it. Otherwise it is a part
// of the harm before.
func (f *effects) withoutNoise(of []int, q effect.Question, a effect.Answer) (b effect.Answer, noise bool) {
	var found []effect.Incident
	for rest, next := q, a; ; {
		harm, during := harmIn(rest, next)
		if !during {
			break
		}
		theirs := slices.ContainsFunc(of, func(i int) bool { return f.read.tied(i, harm) != "" })
		if theirs && !next.FailoverAt.Known() {
			break
		}
		rest = rest.Without(harm)
		if next = effect.Ask(rest); next.OnsetAt == result.Sec(harm.Begin) { // no window overlaps the harm
			break
		}
		if !theirs {
			found = append(found, harm)
		}
	}
	if len(found) == 0 {
		return b, false
	}
	begin := found[0].Begin
	last := of[0] // that was in when the harm began
	for _, i := range of {
		if f.read.Faults[i].Injected <= begin {
			last = i
		}
	}
	for _, harm := range found {
		q = q.Without(harm)
	}
	b = f.shown(of, q, effect.Ask(q))
	note := result.Note{
		Kind: result.HarmDuring, Of: f.read.Faults[last].Name, From: result.Sec(begin),
		For: result.Sec(begin - f.read.Faults[last].Injected),
		To:  endIf(result.Sec(found[0].End), len(found) == 1 && found[0].Over),
	}
	switch {
	case b.OnsetAt.Known() && !b.RecoveredAt.Known():
		return b, false
	case b.OnsetAt.Known():
		b.Doubted, b.Notes = &a, result.Notes{note}
	case b.Impact == result.NotImpacted || b.Doubted != nil:
		b.Doubt(a, note)
	}
	return b, true
}

// harmIn returns the first harm of an answer, up to the failover, or to the recovery before any relapse. during is
// false without harm, or if it began with the end of the fault or later.
func harmIn(q effect.Question, a effect.Answer) (harm effect.Incident, during bool) {
	harm = effect.Incident{Begin: a.OnsetAt.D(), BeginIn: a.OnsetIn, End: q.Horizon}
	switch {
	case !a.OnsetAt.Known() || harm.Begin > q.Cleared || harm.BeginIn.With(q.Cleared):
		return harm, false
	case a.FailoverAt.Known():
		harm.End, harm.EndIn, harm.Over = a.FailoverAt.D(), a.FailoverIn, true
	case a.RelapsedAt.Known():
		if b := effect.Ask(q.Until(a.RelapsedAt.D())); b.RecoveredAt.Known() {
			harm.End, harm.EndIn, harm.Over = b.RecoveredAt.D(), b.RecoveredIn, true
		}
	case a.RecoveredAt.Known():
		harm.End, harm.EndIn, harm.Over = a.RecoveredAt.D(), a.RecoveredIn, true
	}
	return harm, true
}

// withoutLateRelapse returns answer a up to the first relapse that began more than a hold after the recovery, and of
// which nothing shows that one of the occurrences did it: it is an incident of its own. late is false if there was no
// such relapse.
func (f *effects) withoutLateRelapse(of []int, q effect.Question, a effect.Answer) (b effect.Answer, late bool) {
	for _, again := range a.Relapses {
		after := requests.Span{From: again.D(), To: q.Horizon}
		if slices.ContainsFunc(of, func(i int) bool { return f.read.unwell(i, after) }) {
			continue
		}
		b = effect.Ask(q.Until(after.From))
		if b.Impact != result.Impacted || !b.RecoveredAt.Known() || b.BadBefore {
			continue
		}
		if after.From-b.RecoveredAt.D() > q.Hold {
			return b, true
		}
	}
	return b, false
}
