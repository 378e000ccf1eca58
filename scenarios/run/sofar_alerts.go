package run

import (
	"brunt/chaos"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// noticedSoFar fills in what the team's monitoring detected so far, for objectives on it. Events are
// those of each fault.
func (r *runner) noticedSoFar(c *judge.Case, events map[string]map[string]result.Event) {
	var records []*chaos.Record
	c.Detected = map[int]judge.Detection{}
	for n, oc := range r.rec.Occurrences() {
		if oc.Name == "" {
			continue
		}
		records = append(records, &chaos.Record{N: n, Injected: oc.Injected, Cleared: oc.Cleared})
		if r.asksOf(oc.Fault) {
			d := judge.Detection{NotYet: oc.Injected}
			if e, noticed := events[oc.Name]["fault.detected"]; noticed {
				d.At = e.T.D()
			}
			c.Detected[n] = d
		} else if r.observed.HasAlerts() {
			c.Detected[n] = r.detection(r.observed.Earliest(oc.Injected))
		}
	}
	r.observed.JudgedBy(c.SLO, records, c)
}

// asksOf reports whether a fault has a `detect` of its own.
func (r *runner) asksOf(fault string) bool {
	for _, e := range r.Faults {
		if e.Name == fault {
			return e.Detect != nil
		}
	}
	return false
}

// alertedSoFar adds the monitoring's reaction to a fault so far.
func (r *runner) alertedSoFar(rec *result.FaultRecord, f *judge.FaultFinding, events map[string]result.Event) {
	rec.Alerts = r.observed.AfterSoFar(f)
	switch e, noticed := events["fault.detected"]; {
	case noticed:
		rec.Detect, rec.DetectNote = e.T-rec.Injected, e.Text
	case r.asksOf(f.Fault):
		rec.DetectNote = "not noticed so far"
	case r.observed.HasAlerts():
		if s := r.observed.Earliest(f.Injected); s.Err == nil || r.observed.AskedSince(f.Injected) {
			r.fillDetect(rec, &chaos.Record{Injected: f.Injected, Detect: s})
		}
	}
}
