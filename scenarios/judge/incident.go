package judge

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// An incident is an incident of the run, with the counts of the windows that it overlaps. An outage of which the
// load was not shown to have recovered in between may be several incidents; see divided.
type incident struct {
	effect.Incident
	claim
	outage int // number of the outage that it is part of
	// time of its first bad request; equal to Begin, unless that request was in flight at an injection
	first    time.Duration
	stalled  time.Duration // length of windows in which requests were in flight and none ended, or of a pause
	requests float64
	bad      int64
	steps    map[int]result.IncidentStep // by number of the step; without names
	kinds    map[string]int64
}

// incidents finds the incidents of the run. A surge of shed requests is an incident too, unless an objective bounds
// how much of the run may be shed.
func incidents(f *effects) []*incident {
	every := func(measure.Key, []int32) bool { return true }
	q := effect.Question{
		Horizon: f.read.end, Limit: f.read.c.Limit, Hold: f.read.c.Hold,
		Slices: f.read.slices(f.read.run(), slo.Objective{}, every),
	}
	q.UnderWay, q.Closed = f.read.waits(slo.Objective{})
	found := effect.Incidents(q)
	records := withoutShed(f).records
	if records != nil {
		read := *f.read
		read.records = records
		q.Slices = read.slices(f.read.run(), slo.Objective{}, every)
		q.Limit = surge(q.Limit, shedBefore(&read))
		found = effect.Union(found, effect.Incidents(q))
	}
	var out []*incident
	for n, in := range found {
		parts := in.Parts
		if parts == nil {
			parts = []effect.Incident{in}
		}
		var list []*incident
		for _, part := range parts {
			one := &incident{
				Incident: part, first: part.Begin, outage: n,
				steps: map[int]result.IncidentStep{}, kinds: map[string]int64{},
			}
			one.notBefore(f, records, q.Limit)
			list = append(list, one)
		}
		out = append(out, f.divided(list)...)
	}
	for _, in := range out {
		for _, s := range begunIn(requests.Span{From: in.Begin - time.Second, To: in.End}, q.Slices) {
			if s.Stalled() {
				in.stalled += max(0, min(s.End, in.End)-max(s.Start, in.Begin))
			}
		}
		in.stalled = max(in.stalled, in.Paused)
	}
	f.attribute(out)
	return out
}

// notBefore moves the begin of an incident to the injection of a fault if the fault explains all bad requests before
// it: each was in flight at the injection, for no longer than answers usually take. Shed are the records of
// withoutShed; a window before the injection in which more than limit of the requests were bad or shed keeps the
// begin where it is, and so do requests that hung before the injection.
func (in *incident) notBefore(f *effects, shed []record, limit float64) {
	_, most := f.read.Config.SlowRange()
	if most == 0 {
		most = slices.Max(f.read.longest)
	}
	for i := range f.read.Faults {
		oc := &f.read.Faults[i]
		if oc.Name == "" || oc.Injected <= in.Begin || oc.Injected > in.End {
			continue
		}
		earlier := f.ask(i, wholeLoad).HungBefore
		// a bad request is marked within the second of its window
		from := f.read.index().First[f.read.index().Begun(measure.FloorSecond(in.Begin))]
		for j := from; j < len(f.read.records) && f.read.records[j].Start < oc.Injected; j++ {
			r := &f.read.records[j]
			if !f.read.Config.InSums(int(r.Series)) {
				continue
			}
			without := !slices.Contains(f.read.Sets[r.Set], int32(i))
			if e := &r.edges; e.Bad && e.LastBad >= in.Begin {
				earlier = earlier || without && e.FirstBad < oc.Injected || max(in.Begin, e.FirstBad) < oc.Injected-most
			}
			if without && r.Kinds[scenarios.Shed] > 0 && shed != nil && f.read.EndOf(r.Start) > in.Begin {
				s := &shed[j]
				earlier = earlier || float64(s.Bad()) > limit*float64(s.Offered()) && s.Bad() > r.Bad()
			}
		}
		if !earlier {
			at := result.Sec(oc.Injected)
			in.Begin, in.BeginIn = oc.Injected, effect.Range{Low: at, High: max(at, in.BeginIn.High)}
			return
		}
	}
}

// shedBefore returns the share of bad requests of the baseline. In a run without faults a surge would be a part of
// the baseline, so the share is the lower quartile of the tenths of the run.
func shedBefore(f *readings) float64 {
	parts := 1
	if f.FirstInjection() == measure.Never {
		parts = 10
	}
	n, bad := make([]float64, parts), make([]float64, parts)
	for i := range f.records {
		if r := &f.records[i]; f.InBaseline(r.Key) && f.Config.InSums(int(r.Series)) {
			part := min(parts-1, int(int64(r.Start)*int64(parts)/max(1, int64(f.end))))
			n[part] += float64(r.Offered())
			bad[part] += float64(r.Bad())
		}
	}
	var shares []float64
	for i := range n {
		if n[i] > 0 {
			shares = append(shares, bad[i]/n[i])
		}
	}
	if len(shares) == 0 {
		return 0
	}
	slices.Sort(shares)
	return shares[(len(shares)-1)/4]
}

// add counts a cell of a step in the incidents that its window overlaps. What brunt itself caused is
// left out.
func (in *incident) add(f *effects, k measure.Key, c *measure.Cell) {
	if !in.count(f, k, c.Counts(), &c.Edges) {
		return
	}
	for _, e := range c.Causes {
		if n := e.N; !e.Cause.Own() {
			if e.Cause == scenarios.Timeout {
				n -= c.Counts().Own.Timeouts
			}
			kind, step := f.read.c.Causes.Name(e.Cause), in.steps[int(k.Series)]
			if step.Kinds == nil {
				step.Kinds = map[string]int64{}
			}
			in.kinds[kind], step.Kinds[kind] = in.kinds[kind]+n, step.Kinds[kind]+n
			in.steps[int(k.Series)] = step
		}
	}
}

// count adds the requests of a step in a window without the causes of its errors, and reports whether
// any was bad. A window before the incident counts as well where brunt sent bad requests of it late,
// within the incident.
func (in *incident) count(f *effects, k measure.Key, c *measure.Counts, e *measure.Edges) bool {
	end := f.read.EndOf(k.Start)
	within := max(0, min(end, in.End)-max(k.Start, in.first))
	late := e.Bad && e.FirstBad < in.End && e.LastBad >= in.first
	if !f.read.Config.InSums(int(k.Series)) || within == 0 && !late {
		return false
	}
	n := c.Punctual()
	bad := n.Bad() + n.Slow
	if shed := n.Kinds[scenarios.Shed]; shed > 0 && !withoutShed(f).covered[k.Series] {
		bad += shed
		in.kinds["shed"] += shed
	}
	part := float64(within) / float64(end-k.Start)
	if part > 0 && part < 1 {
		part = goodWithin(e, requests.Span{From: in.first, To: in.End}, part)
	}
	in.requests += float64(bad) + part*float64(n.Offered()-bad)
	if bad == 0 {
		return false
	}
	in.bad += bad
	skipped := n.Kinds[scenarios.Skipped]
	step := in.steps[int(k.Series)]
	step.Bad, step.Skipped = step.Bad+bad, step.Skipped+skipped
	in.steps[int(k.Series)] = step
	if skipped > 0 {
		in.kinds["skipped"] += skipped
	}
	if n.Slow > 0 {
		in.kinds["slow"] += n.Slow
	}
	return true
}

// goodWithin returns the share of the good requests of a window that were due in a span. The users of a closed load who
// waited send nearly all of theirs when the target is good again. If no good request is known, it returns part.
func goodWithin(e *measure.Edges, in requests.Span, part float64) float64 {
	all, within := 0, 0
	own := e.Clone() // of a cell that is read, which keeps the memory of others
	for _, m := range own.Marks(nil) {
		if m.Bad {
			continue
		}
		all++
		if m.At >= in.From && m.At < in.To {
			within++
		}
	}
	if all == 0 {
		return part
	}
	return float64(within) / float64(all)
}

// bySecond lists the incidents by the seconds of the windows that may count in them.
func (f *effects) bySecond() map[time.Duration][]*incident {
	out := map[time.Duration][]*incident{}
	for _, in := range f.incidents {
		for at := measure.FloorSecond(in.first); at <= min(in.End, f.read.end); at += time.Second {
			out[at] = append(out[at], in)
		}
	}
	return out
}

// overlaps reports whether occurrence i was in at any time of an incident, up to its true end.
func (in *incident) overlaps(f *readings, i int) bool {
	oc := &f.Faults[i]
	return oc.Name != "" && oc.Injected <= in.End && f.overAt(i) >= in.Begin
}

// planned reports whether an incident began while occurrence i was in, or within a hold of its end.
func (in *incident) planned(f *readings, i int) bool {
	oc := &f.Faults[i]
	return oc.Name != "" && in.Begin >= oc.Injected && (!oc.Over || in.Begin-f.c.Hold <= f.inUntil(i))
}

// row returns the incident for result.json.
func (in *incident) row(f *readings) result.Incident {
	out := result.Incident{
		Begin: result.Sec(in.Begin), BeginLow: in.BeginIn.Low, BeginHigh: in.BeginIn.High,
		End: result.Sec(in.End), EndLow: in.EndIn.Low, EndHigh: in.EndIn.High, Over: in.Over,
		Degraded: result.Sec(in.Degraded),
		Stalled:  result.Sec(in.stalled),
		Bad:      in.bad, Requests: max(in.bad, int64(math.Round(in.requests))), Kinds: in.kinds, Faults: []string{},
		Steps: []result.IncidentStep{},
	}
	if !in.Over {
		out.EndLow = result.Sec(in.NotBefore)
	}
	for i := range f.Faults {
		out.Planned = out.Planned || in.planned(f, i)
	}
	for _, i := range in.of {
		out.Faults = append(out.Faults, f.Faults[i].Name)
	}
	if len(in.of) == 1 && in.evidence != "" {
		out.By, out.Evidence = out.Faults[0], in.evidence
	}
	for _, s := range slices.Sorted(maps.Keys(in.steps)) {
		step := in.steps[s]
		step.Load, step.Step = f.Config.Loads[f.Config.Steps[s].Load].Name, f.Config.Steps[s].Name
		out.Steps = append(out.Steps, step)
	}
	// a step that is skipped because another one failed is no step that failed
	slices.SortStableFunc(out.Steps, func(a, b result.IncidentStep) int {
		return cmp.Or(cmp.Compare(b.Made(), a.Made()), cmp.Compare(b.Bad, a.Bad))
	})
	return out
}

// judgeIncidents judges an objective `after incident`, as far as brunt saw what the target did.
func (f *effects) judgeIncidents(o slo.Objective) result.ObjectiveResult {
	return f.seen(&faultAsk{
		o: o, of: f.injected(),
		judge: func(f *effects) result.ObjectiveResult {
			f.incidents = incidents(f)
			return judgeIncident(f, o)
		},
		unseen: func(f *effects, i int) []requests.Span { return f.unseenAround(o, i) },
	}, judgeIncident(f, o))
}

// judgeIncident judges `recover < D after incident` by the outage that overlaps a fault and has the worst answer: an
// outage that several faults caused has one recovery time. Without one it is 0.
//
// Of an outage, the recovery runs from the first begin to the last end of the incidents that belong to one fault. An
// incident that belongs to none counts by itself if a fault was in at any instant of it. If it began within a hold
// of the end of a fault, or may be a relapse, it may be the fault's or not: the objective is inconclusive if that
// decides. So it is for an incident that began while a fault was in, and of which nothing shows that the fault did it.
//
// A pass needs requests after each fault that show an incident, or enough of them to show that there was none.
func judgeIncident(f *effects, o slo.Objective) result.ObjectiveResult {
	if f.read.FirstInjection() == measure.Never {
		return absent(o.After, result.FaultAbsent)
	}
	worst := requests.Unanswered(o.After)
	counted, known := map[int]bool{}, map[string]bool{}
	judge := func(outage int, r result.ObjectiveResult) {
		if len(counted) == 0 || requests.Worse(o, &r, &worst) {
			worst = r
		}
		counted[outage] = true
	}
	for first := 0; first < len(f.incidents); {
		outage, of := f.incidents[first].outage, map[int]harm{} // by occurrence
		last := first
		for ; last < len(f.incidents) && f.incidents[last].outage == outage; last++ {
			in := f.incidents[last]
			for i := range f.read.Faults {
				if in.overlaps(f.read, i) && len(in.of) > 0 { // a recovery from all of them is one from each
					known[f.read.Faults[i].Name] = true
				}
			}
			for _, i := range in.of {
				known[f.read.Faults[i].Name] = true
				of[i] = of[i].with(in)
			}
		}
		for _, i := range slices.Sorted(maps.Keys(of)) {
			judge(outage, f.unlessNoise(o, i, of[i]))
		}
		for _, in := range f.incidents[first:last] {
			if r, counts := f.ofNone(o, in, known); counts {
				judge(outage, r)
			}
		}
		first = last
	}
	if len(counted) == 0 {
		worst.Measured, worst.Because = 0, result.Notes{{Kind: result.IncidentNone}}
		worst.Verdict = requests.VerdictIf(o.Holds(0))
	}
	if worst.Verdict == scenarios.Pass {
		if v, untold, why := f.untold(o, known); untold != nil {
			worst.Verdict, worst.Because, worst.Why = v, untold, why
			if len(counted) == 0 {
				worst.Measured = result.NaN
			}
		}
	}
	worst.Count = int64(len(counted))
	return worst
}

// harm is what belongs to one occurrence in an outage, as one incident: all of it, and apart the noise and the rest. A
// part without an incident is nil.
type harm struct{ all, noise, rest *incident }

// with returns the harm with a later incident.
func (h harm) with(in *incident) harm {
	to := &h.rest
	if in.noise {
		to = &h.noise
	}
	for _, part := range []**incident{&h.all, to} {
		if *part == nil {
			*part = &incident{Incident: in.Incident}
		}
		(*part).extend(in)
	}
	return h
}

// unlessNoise judges the recovery from the harm of occurrence i in an outage. A failure stands if it is one without the
// noise as well. Else the objective is inconclusive, because it holds if the occurrence did not make the noise.
func (f *effects) unlessNoise(o slo.Objective, i int, of harm) result.ObjectiveResult {
	r := recoveryOf(o, of.all)
	if of.noise == nil || r.Verdict != scenarios.Fail {
		return r
	}
	if of.rest != nil && recoveryOf(o, of.rest).Verdict == scenarios.Fail {
		return r
	}
	oc, begin := &f.read.Faults[i], of.noise.Begin
	r.Verdict, r.Measured, r.Because = scenarios.Inconclusive, result.NaN, result.Notes{{
		Kind: result.HarmDuring, Of: oc.Name, From: result.Sec(begin), For: result.Sec(begin - oc.Injected),
		To: endIf(result.Sec(of.noise.End), of.noise.Over),
	}}
	return r
}

// ofNone judges the recovery from an incident that belongs to no fault, and reports whether it counts. It adds the
// faults that it may be an incident of to known.
func (f *effects) ofNone(o slo.Objective, in *incident, known map[string]bool) (r result.ObjectiveResult, counts bool) {
	if len(in.of) > 0 {
		return r, false
	}
	overlaps, after := false, -1
	for i := range f.read.Faults {
		switch back := f.ask(i, wholeLoad).RecoveredAt; {
		case in.overlaps(f.read, i):
			overlaps = true
		case back.Known() && back > result.Sec(f.read.Faults[i].Injected) && in.Begin-back.D() > f.read.c.Hold:
			continue // a hold of good requests after the harm of the fault
		case in.planned(f.read, i), f.mayRelapse(in, i):
			after = i
		default:
			continue
		}
		known[f.read.Faults[i].Name] = true
	}
	if !overlaps && after < 0 {
		return r, false
	}
	r = recoveryOf(o, in)
	if after >= 0 { // also if another fault was injected meanwhile
		note := result.Note{
			Kind: result.HarmAfter, Of: f.read.Faults[after].Name, From: result.Sec(in.Begin),
			For: result.Sec(in.Begin - f.read.overAt(after)), To: endIf(result.Sec(in.End), in.Over),
		}
		switch r.Verdict {
		case scenarios.Pass:
			r.Because = r.Because.And(note)
		case scenarios.Fail: // it holds if the fault did not do it
			r.Verdict, r.Measured, r.Because = scenarios.Inconclusive, result.NaN, result.Notes{note}
		default:
		}
	}
	return r, true
}

// untold explains why it is unknown whether a fault that is not among known had an incident that fails an objective,
// and returns the verdict that this allows. Notes are nil if it is known of each fault. A fault that another one
// follows too soon counts as one fault with it, because an incident needs no single cause.
func (f *effects) untold(
	o slo.Objective, known map[string]bool,
) (v scenarios.Verdict, notes result.Notes, why result.Why) {
	whole := slo.Objective{Metric: slo.Metric{Name: "recover"}}
	because := func(kind result.NoteKind, name string, notes result.Notes) (scenarios.Verdict, result.Notes, result.Why) {
		return scenarios.Inconclusive, append(result.Notes{{Kind: kind, Of: name}}, notes...), ""
	}
	ofOne := func(i int, slow result.Notes) (scenarios.Verdict, result.Notes, result.Why) {
		slow = append(result.Notes{{Kind: result.OfOne, Of: f.read.Faults[i].Name}}, slow...)
		if f.slowdown(i).Answer != result.Untested {
			return scenarios.Inconclusive, slow, ""
		}
		return f.maySlow(i, slow)
	}
	for i := range f.read.Faults {
		name := f.read.Faults[i].Name
		if name == "" {
			continue
		}
		if known[name] {
			if slow := f.slowUntoldAt(whole, i, f.ask(i, whole)); slow != nil {
				return ofOne(i, slow)
			}
			continue
		}
		if v, unknown, why := f.unknown(i); unknown != nil {
			return v, unknown, why
		}
		if slow := f.read.slowUntold(whole, f.slowdown(i)); slow != nil {
			return ofOne(i, slow)
		}
		a, of := f.ask(i, whole), f.confoundedWith(i)
		if len(of) > 1 {
			a = f.joint(of, whole)
		}
		for next := of[len(of)-1] + 1; !a.Tells() && next < len(f.read.Faults); next++ {
			if f.read.Faults[next].Name != "" {
				of = append(of, next)
				a = f.joint(of, whole)
			}
		}
		harm := &a
		if a.FewBad() {
			harm = a.Doubted
		}
		long := harm.OnsetAt.Known() && !requests.Meets(o, float64(harm.RecoveredIn.High-harm.OnsetIn.Low))
		if !a.Tells() || long {
			return because(result.IncidentUntold, name, a.Notes)
		}
	}
	return "", nil, ""
}

// mayRelapse reports whether an incident may be a relapse after the recovery from occurrence i, although nothing shows
// that it is.
func (f *effects) mayRelapse(in *incident, i int) bool {
	with, next := f.ask(i, wholeLoad).Doubted, f.read.after(i)
	return with != nil && with.RelapsedAt.Known() && in.BeginIn.High >= with.RelapsedAt &&
		(next == nil || in.Begin < next.Injected)
}

// recoveryOf judges the length of one incident, from its first bad request to the first good one after
// its last.
func recoveryOf(o slo.Objective, in *incident) result.ObjectiveResult {
	r := requests.Unanswered(o.After)
	if least := (in.NotBefore - in.Begin).Seconds(); !in.Over {
		r.Low, r.Because = result.Num(least), result.Notes{{Kind: result.IncidentOpen, For: result.Num(least)}}
		if !requests.Meets(o, least) {
			r.Measured, r.Verdict = result.Num(math.Inf(1)), scenarios.Fail
		}
		return r
	}
	lasted := (in.End - in.Begin).Seconds()
	r.Measured = result.Num(lasted)
	r.Low, r.High = max(0, in.EndIn.Low-in.BeginIn.High), in.EndIn.High-in.BeginIn.Low
	if requests.EndsDiffer(o, &r) {
		r.Because = requests.EndsDecide(&r)
		return r
	}
	r.Verdict = requests.VerdictIf(requests.Meets(o, lasted))
	r.Because = result.Notes{{Kind: result.IncidentWas, From: result.Sec(in.Begin), To: result.Sec(in.End)}}
	return r
}
