package run

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// faultRecords joins the record of each fault with its effect on the load.
func (s *snapshot) faultRecords(f *judge.Findings) []result.FaultRecord {
	var out []result.FaultRecord
	for _, c := range s.records {
		var effect *judge.FaultFinding
		if c.N >= 0 && c.N < len(f.Faults) {
			effect = &f.Faults[c.N]
		}
		rec := s.faultRecord(c, effect)
		if !s.final() {
			s.untilNow(&rec, c, effect)
		}
		if rec.Operator = s.marks.record(c.Fault, c.Name); rec.Operator != nil {
			rec.Operator.Split = rec.SplitTime()
		}
		rec.Say()
		out = append(out, rec)
	}
	slices.SortStableFunc(out, func(a, b result.FaultRecord) int { return cmp.Compare(when(a), when(b)) })
	return out
}

func when(r result.FaultRecord) float64 {
	if r.Injected.Known() {
		return float64(r.Injected)
	}
	return float64(r.Planned)
}

// faultRecord joins the record of a fault with its effect on the load; a nil f means no effect.
func (s *snapshot) faultRecord(c *chaos.Record, f *judge.FaultFinding) result.FaultRecord {
	mask := s.plan.Scenario.Secrets.Mask
	rec := result.FaultRecord{
		Name: c.Name, Kind: c.Kind, Nature: c.Nature, Units: c.Units, Links: c.Links, Zones: c.Zones,
		Leader: c.Role == chaos.RoleLeader,
		Role:   c.Role, RoleSaid: mask(c.RoleSaid), Led: c.Led,
		Skipped: c.Skipped, Via: c.Via, Planned: result.Sec(c.Planned),
		Injected: result.NaN, Verified: result.NaN, Cleared: result.NaN, Until: result.NaN, Onset: result.NaN,
		Failover: result.NaN,
		Recover:  result.NaN, Heal: result.NaN, Rejoin: result.NaN, RejoinAt: result.NaN, Back: result.NaN,
		Detect: result.NaN, DetectResolution: result.NaN, OnsetAt: result.NaN,
		RecoveredAt:  result.NaN,
		RecoveredLow: result.NaN, RecoveredHigh: result.NaN, RelapsedAt: result.NaN,
		Within: result.NaN, Slow: result.NaN, Impact: result.NotInjected, Revert: string(chaos.None),
		Evidence: mask(c.Evidence), NotShown: mask(c.NotShown), GoneEvidence: mask(c.GoneText),
	}
	if rec.Units == nil {
		rec.Units = []string{}
	}
	rec.Expect = s.expected(c.Fault)
	rec.StaysDown, rec.Part = c.LeftDown, c.Part
	if c.OneShot {
		rec.Within = result.Sec(c.Within)
	}
	if f != nil {
		addEffect(&rec, c, f)
		if rec.Slow.Known() && slowShare(s.plan.Scenario, false) > 0 {
			rec.SlowFrom = "baseline"
		}
	}
	failed := *c
	if errors.As(c.Void, new(chaos.MissingError)) { // each time without the fault has a note
		failed.Void = nil
	}
	if err := failed.Err(); err != nil {
		text := strings.ReplaceAll(mask(err.Error()), "\n", "; ")
		rec.Because = result.Notes{{Kind: result.FaultFailed, Text: text}}
	}
	rec.RevertedBy = takenBackBy(c)
	if c.Late != "" {
		rec.Because = rec.Because.And(result.Note{Kind: result.FaultLate, Text: c.Late})
	}
	for _, a := range c.Absent {
		rec.Because = rec.Because.And(result.Note{Kind: result.FaultMissing, Text: mask(a.String())})
	}
	rec.Because = rec.Because.And(cutNotes(c)...)
	for _, step := range c.Steps {
		rec.Steps = append(rec.Steps, faultStep(step, mask))
	}
	if c.Detect != nil && c.N >= 0 {
		s.addDetection(&rec, c)
	}
	if c.N >= 0 {
		rec.Alerts = s.observers.observed.After(c.Injected, c.Cleared)
	}
	return rec
}

// expected returns what the scenario expects of a fault; nil if it states nothing.
func (s *snapshot) expected(fault string) *result.Expectation {
	for i := range s.plan.Scenario.Faults {
		if f := &s.plan.Scenario.Faults[i]; f.Name == fault && f.Expect != nil {
			return &result.Expectation{
				Text: s.plan.Scenario.Secrets.Mask(f.Expect.Text), Outcome: result.Impact(f.Expect.Outcome),
			}
		}
	}
	return nil
}

// takenBackBy names the watchdog or process that took a fault back; it is empty if brunt itself did.
func takenBackBy(c *chaos.Record) string {
	if taken, ok := errors.AsType[chaos.TakenBackError](c.Void); ok {
		return cmp.Or(taken.By, "watchdog")
	}
	return ""
}

// faultStep returns the record of one step of a group.
func faultStep(c *chaos.Record, mask func(string) string) result.FaultStep {
	out := result.FaultStep{
		Name: c.Name, Kind: c.Kind, Nature: c.Nature, Units: c.Units, Links: c.Links, Leader: c.Role == chaos.RoleLeader,
		Role:     c.Role,
		RoleSaid: mask(c.RoleSaid), Led: c.Led,
		Via: c.Via, Planned: result.Sec(c.Planned), Injected: result.NaN, Verified: result.NaN,
		Cleared: result.NaN, Evidence: mask(c.Evidence), NotShown: mask(c.NotShown), GoneEvidence: mask(c.GoneText),
		Revert:     cmp.Or(string(c.Revert), string(chaos.None)),
		RevertedBy: takenBackBy(c), StaysDown: c.LeftDown,
	}
	if out.Units == nil {
		out.Units = []string{}
	}
	if c.InjectErr == nil {
		out.Injected = result.Sec(c.Injected)
		if c.VerifyErr == nil && c.Verified > 0 {
			out.Verified = result.Sec(c.Verified)
		}
		if c.Cleared > 0 {
			out.Cleared = result.Sec(c.Cleared)
		}
	}
	if err := c.Err(); err != nil {
		out.Note = strings.ReplaceAll(mask(err.Error()), "\n", "; ")
	}
	return out
}

// addEffect adds the effect on the load to the record of a fault.
func addEffect(rec *result.FaultRecord, c *chaos.Record, f *judge.FaultFinding) {
	rec.Injected, rec.Cleared, rec.Until = result.Sec(c.Injected), result.Sec(c.Cleared), result.Sec(c.Until)
	if c.VerifyErr == nil {
		rec.Verified = result.Sec(c.Verified)
	}
	rec.Gone, rec.Revert = c.Gone, string(c.Revert)
	rec.Traffic, rec.TrafficUnit = f.Requests, "requests"
	if c.Traffic != nil {
		rec.Traffic, rec.TrafficUnit = c.Traffic.N, c.Traffic.Unit
	}
	since := func(at result.Num, from time.Duration) result.Num {
		return result.Num(max(0, float64(at)-from.Seconds()))
	}
	rec.Impact, rec.Because, rec.Limit = f.Impact, f.Notes, result.Num(f.Limit)
	if f.Slow > 0 {
		rec.Slow = result.Sec(f.Slow)
	}
	if f.SlowLeast < f.Slow {
		rec.SlowLeast = result.Sec(f.SlowLeast)
	}
	rec.Resolution, rec.Area, rec.Degraded, rec.Failed = result.Sec(f.Resolution), result.Num(f.Area),
		result.Sec(f.Degraded), f.Failed
	rec.Parts = f.Parts
	rec.OnsetAt, rec.RecoveredAt = f.OnsetAt, f.RecoveredAt
	rec.RecoveredLow, rec.RecoveredHigh, rec.RelapsedAt = f.RecoveredIn.Low, f.RecoveredIn.High, f.RelapsedAt
	begin := c.Injected
	if c.Kind == result.GroupKind && f.OnsetAt.Known() { // the harm need not come from the group's first step
		begin = f.OnsetAt.D()
	}
	rec.Onset, rec.Failover = since(f.OnsetAt, c.Injected), since(f.FailoverAt, begin)
	rec.Recover, rec.Heal = since(f.RecoveredAt, begin), since(f.RecoveredAt, c.Cleared)
	rec.RejoinAt, rec.Back, rec.Rejoin = f.RejoinAt, since(f.BackAt, begin), since(f.RejoinedAt, f.RejoinAt.D())
	rec.Unrecovered = f.Unrecovered
	if f.Impact == result.NotRecovered {
		rec.Recover, rec.Heal = result.Num(math.Inf(1)), result.Num(math.Inf(1))
	}
	if c.Early {
		rec.Because = rec.Because.And(result.Note{Kind: result.FaultTakenBack})
	}
}

// addDetection adds the time at which the team's own monitoring detected a fault.
func (s *snapshot) addDetection(rec *result.FaultRecord, c *chaos.Record) {
	seen := c.Detect
	switch least := max(0, seen.NotYet-c.Injected); {
	case seen.Err != nil:
		rec.DetectNote = seen.Err.Error()
	case seen.Noticed:
		rec.Detect, rec.DetectResolution, rec.DetectNote = result.Sec(seen.At-c.Injected),
			result.Sec(seen.At-max(seen.NotYet, c.Injected)), seen.Text
	default:
		rec.Detect = result.Num(math.Inf(1))
		rec.DetectNote = result.Notes{{Kind: result.NoticedNone, For: result.Sec(least)}}.Phrase(nil)
	}
	rec.DetectNote = s.plan.Scenario.Secrets.Mask(rec.DetectNote)
}

// untilNow clears the fields of a fault's record that are known only at the end of the run.
func (s *snapshot) untilNow(rec *result.FaultRecord, c *chaos.Record, f *judge.FaultFinding) {
	if _, ok := s.events[c.Name]["fault.verified"]; !ok {
		rec.Verified = result.NaN
	}
	if !slices.ContainsFunc(s.estimate, func(p timeline.Estimated) bool { return p.Name == c.Name }) {
		rec.Planned = result.NaN
	}
	if !f.Over {
		rec.Cleared, rec.Until, rec.Heal = result.NaN, result.NaN, result.NaN
	}
	if f.Impact == result.NotRecovered {
		rec.Recover, rec.Heal = result.NaN, result.NaN
	}
	rec.Unrecovered = ""
	rec.Alerts = s.observers.observed.AfterSoFar(f)
	switch own := s.ownDetect(c.Fault); {
	case c.Detect == nil:
	case own && c.Detect.Noticed: // the event does not have the time of the poll before
		rec.DetectResolution = result.NaN
	case own:
		rec.Detect, rec.DetectNote = result.NaN, "not noticed so far"
	case c.Detect.Err != nil && !s.observers.observed.AskedSince(f.Injected):
		rec.DetectNote = ""
	}
	switch {
	case !f.Over:
		rec.Impact, rec.Because = result.UnknownYet, result.Notes{{Kind: result.FaultIn}}
		if rec.OnsetAt.Known() {
			rec.Because = result.Notes{{Kind: result.FaultHarms, Count: f.Failed}}
		}
	case f.Impact == result.NotRecovered:
		rec.Impact, rec.Because = result.UnknownYet, result.Notes{{Kind: result.FaultOpen, Count: f.Failed}}
	case f.Impact == result.UnknownYet && !f.MaySlow,
		!f.OnsetAt.Known() && f.Impact != result.Impacted && s.at < f.Cleared+s.plan.Scenario.Judge.HoldOr():
		rec.Impact, rec.Because = result.UnknownYet, result.Notes{{Kind: result.FaultFresh}}
	}
}
