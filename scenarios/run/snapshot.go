package run

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/observe"
	"brunt/scenarios/observe/traces"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A snapshot is the state of a run at one time. Both the result so far, which the live page shows, and the final
// result are composed from a snapshot.
type snapshot struct {
	session   *session
	plan      *plan.Plan
	loads     *loads
	observers *observers
	marks     *marks
	estimate  []timeline.Estimated   // times at which faults are due
	written   []*result.LedgerRecord // results of the ledgers; none while the loads go on
	// findings on registers; none while the loads go on
	consistent []*result.ConsistencyRecord
	delivered  []*result.DeliveryRecord // what became of the messages of deliveries; likewise

	at time.Duration // time up to which the loads have run; never when they are over
	// if the run was ended early, the time up to which all requests have ended or timed out; otherwise never
	whole   time.Duration
	early   bool // the run was ended before its loads were over
	slo     []slo.Objective
	steady  *slo.Objective // the condition on requests that did not hold, so that the run ended; nil if none
	causes  scenarios.Causes
	ends    []time.Duration // ends of the loads; planned ends while they go on
	records []*chaos.Record // records of the faults; while the loads go on, as far as events tell
	events  map[string]map[string]result.Event
	waits   *observe.Waits // waits for a processor; nil while the loads go on
}

// never is the time of a snapshot after the loads.
const never = time.Duration(math.MaxInt64)

// newSnapshot creates a snapshot of the faults and the loads.
func newSnapshot(f *faults, at time.Duration) *snapshot {
	return &snapshot{
		session: f.session, plan: f.plan, loads: f.loads, observers: f.observers, marks: f.marks, estimate: f.planned(),
		at: at, whole: never, causes: f.loads.scripts.Causes(),
	}
}

// snapshot returns the state while the loads go on.
func (l *live) snapshot() *snapshot {
	s := newSnapshot(l.faults, max(0, min(l.log.Now(), l.plan.End())))
	s.slo, s.events = l.plan.Objectives(l.session.o.NoChaos), l.log.OfFaults()
	for i := range l.plan.Loads {
		s.ends = append(s.ends, l.plan.Loads[i].Schedule.End())
	}
	s.records = s.recordsSoFar(l.loads.rec.Occurrences())
	return s
}

// snapshotAtEnd returns the state after the loads and the faults. If ctx has ended, it ended them early.
func (r *runner) snapshotAtEnd(ctx context.Context) *snapshot {
	s := newSnapshot(r.faults, never)
	s.slo, s.records, s.written = r.session.judgedBy(), r.faults.records, r.written
	s.consistent, s.delivered, s.waits = r.consistent, r.delivered, r.observers.usage.Waits()
	for i := range r.plan.Loads {
		s.ends = append(s.ends, max(0, r.loads.stats[i].End))
	}
	if why, lost := errors.AsType[unsteady](context.Cause(ctx)); lost {
		s.steady = why.of
	}
	if s.early = ctx.Err() != nil; s.early {
		s.whole = slices.Max(append([]time.Duration{0}, s.ends...)) - r.loads.timeout()
	}
	for _, rec := range s.records {
		if why := r.observers.usage.Unreached(rec, s.records, &r.requests.asks); why != "" && !r.plan.Smoke {
			rec.Traffic = &chaos.Traffic{Unit: "connections"}
			r.log.Note("%s", why)
		}
		if rec.N >= 0 && rec.Detect == nil && r.observers.observed.HasAlerts() {
			rec.Detect = r.observers.observed.Earliest(rec.Injected)
		}
	}
	return s
}

func (s *snapshot) final() bool { return s.at == never }

// loadInfos describes the loads of a case.
func (s *snapshot) loadInfos(c *judge.Case) []result.LoadInfo {
	out := []result.LoadInfo{}
	for i, span := range c.Loads {
		lp := &s.plan.Loads[i]
		out = append(out, result.LoadInfo{
			Name: lp.Name, Executor: lp.Executor, Engine: lp.EngineName(), Closed: lp.Schedule.Closed(),
			Start: result.Sec(span.From), End: result.Sec(span.To), Steps: s.loads.stepsOf(i),
			Timeout: result.Sec(lp.Timeout.D()),
		})
		if lp.Has("max_in_flight") {
			out[i].MaxInFlight = lp.MaxInFlight
		}
	}
	return out
}

// addTo adds to a result what the snapshot knows besides the findings. c is its case.
func (s *snapshot) addTo(res *result.Result, c *judge.Case) {
	res.Loads, res.Links = s.loadInfos(c), c.Links
	res.Usage, res.Series, res.Watches = c.Usage, c.Series,
		append(s.observers.observed.Watches(), s.session.sys.PodWatcher().States()...)
}

// traces returns what the spans of the target say about the baseline and each fault; nil if none were received.
func (s *snapshot) traces(all []result.Phase) *result.Traces {
	if s.session.spans == nil {
		return nil
	}
	phases := []traces.Phase{{Name: slo.Phase{Kind: slo.BaselinePhase}}}
	for _, p := range all {
		at := traces.Phase{Name: p.Name, From: p.Start.D(), To: p.End.D()}
		switch p.Name.Kind {
		case slo.BaselinePhase:
			phases[0] = at
		case slo.FaultPhase:
			phases = append(phases, at)
		}
	}
	return s.session.spans.Find(phases, s.plan.Scenario.Trace.Services)
}

// judgeCase returns the state in the form that the judge needs.
func (s *snapshot) judgeCase() judge.Case {
	sc := s.plan.Scenario
	c := judge.Case{
		SLO: s.slo, Steady: s.steady,
		Warmup: sc.Warmup, Hold: sc.Judge.HoldOr(), Limit: sc.Judge.LimitOr(), Causes: s.causes,
		Samples: s.loads.samples,
		Reactions: series.Reactions{
			Detected: map[int]series.Detection{}, Marks: map[series.MarkKey]time.Duration{},
			Stages: map[string]time.Duration{},
		},
	}
	for _, stage := range plan.Stages(s.plan.Loads) {
		c.Stages[stage.Name] = stage.From
	}
	for i := range s.plan.Loads {
		c.Loads = append(c.Loads, requests.Span{From: s.plan.Loads[i].Schedule.Start(), To: s.ends[i]})
	}
	for _, b := range s.session.o.Blocks {
		if b.To <= s.whole {
			c.Blocks = append(c.Blocks, requests.Span(b))
		}
	}
	entries := make(map[string]*timeline.Entry, len(s.plan.Faults))
	for _, e := range s.plan.Faults {
		entries[e.Name] = e
	}
	for _, rec := range s.records {
		if rec.Skipped {
			c.Skipped = append(c.Skipped, judge.Skipped{Fault: rec.Fault, Name: rec.Name, Why: rec.InjectErr.Error()})
		}
		if rec.N < 0 {
			continue
		}
		c.Occurrences = append(c.Occurrences, make([]judge.Occurrence, max(0, rec.N+1-len(c.Occurrences)))...)
		c.Occurrences[rec.N] = occurrenceOf(rec, entries[rec.Fault])
		if rec.Detect != nil {
			c.Detected[rec.N] = observe.DetectionOf(rec.Detect, sc.Secrets.Mask)
		}
		s.marks.addTo(c.Marks, rec.N, rec.Name)
	}
	c.EndedEarly = s.early
	s.observers.observed.JudgedBy(c.SLO, s.records, &c)
	if !s.final() {
		c.Usage, c.Series = s.observers.usage.SoFar(s.session.log.Events()), s.observers.observed.SoFar()
	} else {
		c.Usage, c.Series = s.observers.usage.Finish(s.session.log.Events()), s.observers.observed.Finished()
	}
	c.Links = s.observers.links.Counted()
	pods := s.session.sys.PodWatcher()
	c.Usage, c.Series = append(c.Usage, pods.Usage()...), append(c.Series, pods.Series()...)
	if !s.final() {
		return c
	}
	events := s.session.log.Events()
	unwell := unwellUnits(s.records, events)
	apart, recurring := apartFrom(s.records, events, slices.Max(append([]time.Duration{0}, s.ends...)))
	for n := range c.Occurrences {
		c.Occurrences[n].Unwell, c.Occurrences[n].Apart = unwell[n], apart[n]
	}
	c.Recurring, c.UnitWaits = recurring, s.waits.WaitedLeast
	c.Waited, c.Peers = s.waits.Waited, s.observers.usage.Peers()
	c.Held = spansOf(s.observers.health.Held())
	if s.loads.crew == nil { // a worker has processors of its own, or shares them with others
		c.Generator = s.observers.health.Seconds
		c.Used, c.Contested = spansOf(s.observers.health.Used(runtime.GOMAXPROCS(0))), spansOf(s.observers.health.Contested())
	}
	if s.loads.account != nil {
		c.Lost = s.loads.account.Lost
	}
	c.Consistency, c.Deliveries = s.consistent, s.delivered
	c.Strict, c.Ledgers = sc.Judge.Strict, s.written // has no effect on the result so far, which has no intervals
	if s.session.spans != nil {
		c.Traces = func(from, to time.Duration) (whole, n int64, came bool) {
			whole, n = s.session.spans.Whole(sc.Trace.Services, from, to)
			return whole, n, s.session.spans.Any()
		}
	}
	if sc.Trace.Sends() {
		c.TraceID = func(load int, low uint64) scenarios.TraceID {
			return scenarios.NewTraceID(s.session.traceHigh(s.plan.Loads[load].Name), low)
		}
	}
	return c
}

// occurrenceOf returns what the timeline knows of an occurrence of an entry.
func occurrenceOf(rec *chaos.Record, e *timeline.Entry) judge.Occurrence {
	out := judge.Occurrence{
		Hit: rec.HitUnits(), Unverified: rec.VerifyErr != nil, Partial: isPartial(rec.VerifyErr), Gone: isGone(rec),
		StaysDown: staysIn(rec),
	}
	if e != nil {
		out.RequireImpact, out.Group, out.OneShot = e.RequireImpact, e.Kind == result.GroupKind, e.OneShot()
	}
	if rec.Traffic != nil {
		out.NoTraffic = new(rec.Traffic.N == 0)
	}
	if rec.Cleared < rec.Until {
		out.Ended = new(rec.Cleared)
	}
	for _, step := range rec.Steps {
		if step.InjectErr == nil {
			out.Acts = append(out.Acts, step.Injected)
		}
	}
	return out
}

// unitWaits returns how long tasks of one of the units that a fault hit waited for a processor in a span, at least.
func unitWaits(rec *chaos.Record, waits *observe.Waits, in requests.Span) (waited time.Duration) {
	for _, unit := range rec.HitUnits() {
		waited = max(waited, waits.WaitedLeast(unit, in))
	}
	return waited
}

func spansOf(list []result.HeldSecond) (out []requests.Span) {
	for _, h := range list {
		out = append(out, requests.Span{From: h.From.D(), To: h.To.D()})
	}
	return out
}

// recordsSoFar returns the records of occurrences while the loads go on. The timeline's own records can't be used,
// because only the timeline may read them.
func (s *snapshot) recordsSoFar(occurrences []measure.Occurrence) []*chaos.Record {
	var out []*chaos.Record
	for n, oc := range occurrences {
		if oc.Name == "" {
			continue
		}
		e := s.events[oc.Name]
		rec := &chaos.Record{
			Name: oc.Name, Fault: oc.Fault, N: n, Injected: oc.Injected, Verified: e["fault.verified"].T.D(),
			Evidence: e["fault.verified"].Text,
			Cleared:  cmp.Or(e["fault.cleared"].T.D(), oc.Cleared), Until: oc.Cleared, Revert: "not yet",
			GoneText: cmp.Or(e["fault.gone"].Text, e["fault.cleared"].Text),
		}
		if oc.Over {
			reverted := e["fault.reverted"]
			rec.Revert = cmp.Or(chaos.Outcome(reverted.Outcome()), chaos.None)
			rec.Gone = rec.Revert != chaos.Unverified
		}
		if i := slices.IndexFunc(s.plan.Faults, func(p *timeline.Entry) bool { return p.Name == oc.Fault }); i >= 0 {
			rec.Kind, rec.Nature = s.plan.Faults[i].Kind, s.plan.Faults[i].Nature()
		}
		if i := slices.IndexFunc(s.estimate, func(p timeline.Estimated) bool { return p.Name == oc.Name }); i >= 0 {
			rec.Planned = s.estimate[i].At
		}
		switch noticed, ok := e["fault.detected"]; {
		case ok:
			rec.Detect = &chaos.Sighting{Noticed: true, At: noticed.T.D(), NotYet: noticed.T.D(), Text: noticed.Text}
		case s.ownDetect(oc.Fault):
			rec.Detect = &chaos.Sighting{NotYet: oc.Injected}
		case s.observers.observed.HasAlerts():
			rec.Detect = s.observers.observed.Earliest(oc.Injected)
		}
		out = append(out, rec)
	}
	return out
}

// ownDetect reports whether a fault has a `detect` of its own.
func (s *snapshot) ownDetect(fault string) bool {
	return slices.ContainsFunc(s.plan.Faults, func(e *timeline.Entry) bool { return e.Name == fault && e.Detect != nil })
}
