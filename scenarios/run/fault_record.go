package run

import (
	"cmp"
	"errors"
	"math"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/run/outcome"
)

// faults returns what is known of the faults besides their effects.
func (s *snapshot) faults() (out []outcome.Fault) {
	for _, c := range s.records {
		out = append(out, s.fault(c))
	}
	return out
}

// fault returns what is known of an occurrence besides its effect.
func (s *snapshot) fault(c *chaos.Record) outcome.Fault {
	out := outcome.Fault{FaultRecord: s.faultRecord(c), N: c.N, Cuts: cutNotes(c)}
	out.Brief = out.Cuts != nil && 2*(c.Cleared-c.Injected) < c.Cuts[0].Of
	if c.Void != nil {
		void := whyVoid(c, c.Name)
		out.Void = void.Notes()
	}
	out.Unnoticed = math.IsInf(float64(out.Detect), 1)
	return out
}

// faultRecord returns the record of a fault without its effect on the load.
func (s *snapshot) faultRecord(c *chaos.Record) result.FaultRecord {
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
	if c.N >= 0 {
		rec.Injected, rec.Cleared, rec.Until = result.Sec(c.Injected), result.Sec(c.Cleared), result.Sec(c.Until)
		if c.VerifyErr == nil {
			rec.Verified = result.Sec(c.Verified)
		}
		rec.Gone, rec.Revert = c.Gone, string(c.Revert)
		if c.Traffic != nil {
			rec.Traffic, rec.TrafficUnit = c.Traffic.N, c.Traffic.Unit
		}
		if slowShare(s.plan.Scenario, false) > 0 {
			rec.SlowFrom = "baseline"
		}
		rec.Alerts = s.observers.observed.After(c.Injected, c.Cleared)
	}
	rec.Because = s.faultNotes(c)
	rec.RevertedBy = takenBackBy(c)
	for _, step := range c.Steps {
		rec.Steps = append(rec.Steps, faultStep(step, mask))
	}
	if c.Detect != nil && c.N >= 0 {
		s.addDetection(&rec, c)
	}
	rec.Operator = s.marks.record(c.Fault, c.Name)
	return rec
}

// faultNotes returns the notes on a fault that do not depend on its effect.
func (s *snapshot) faultNotes(c *chaos.Record) (out result.Notes) {
	mask, failed := s.plan.Scenario.Secrets.Mask, *c
	if errors.As(c.Void, new(chaos.MissingError)) { // each time without the fault has a note
		failed.Void = nil
	}
	if err := failed.Err(); err != nil {
		text := strings.ReplaceAll(mask(err.Error()), "\n", "; ")
		out = result.Notes{{Kind: result.FaultFailed, Text: text}}
	} else if c.Early && c.N >= 0 {
		out = result.Notes{{Kind: result.FaultTakenBack}}
	}
	if c.Late != "" {
		out = out.And(result.Note{Kind: result.FaultLate, Text: c.Late})
	}
	for _, a := range c.Absent {
		out = out.And(result.Note{Kind: result.FaultMissing, Text: mask(a.String())})
	}
	return out.And(cutNotes(c)...)
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

// faultsSoFar joins the record of each fault with its effect on the load, while the loads go on.
func (s *snapshot) faultsSoFar(f *judge.Findings) []result.FaultRecord {
	out := outcome.Records(s.faults(), f, func(i int, rec *result.FaultRecord, found *judge.FaultFinding) {
		s.untilNow(rec, s.records[i], found)
	})
	return append([]result.FaultRecord{}, out...)
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
