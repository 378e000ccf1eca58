package run

import (
	"math"
	"time"

	"brunt/chaos"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
)

// noticedSoFar fills in what the team's monitoring noticed until now, for objectives on
// it. Events are those of each fault.
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
		} else if len(r.observed.alerts) > 0 {
			c.Detected[n] = r.detection(r.observed.earliest(oc.Injected))
		}
	}
	r.observed.judgedBy(c.SLO, records, c)
}

// asksOf tells whether a fault has a `detect` of its own.
func (r *runner) asksOf(fault string) bool {
	for _, e := range r.Faults {
		if e.Name == fault {
			return e.Detect != nil
		}
	}
	return false
}

// alertedSoFar says what the monitoring made of a fault until now.
func (r *runner) alertedSoFar(rec *result.FaultRecord, f *judge.FaultFinding, events map[string]result.Event) {
	rec.Alerts = r.observed.afterSoFar(f)
	switch e, noticed := events["fault.detected"]; {
	case noticed:
		rec.Detect, rec.DetectNote = e.T-rec.Injected, e.Text
	case r.asksOf(f.Fault):
		rec.DetectNote = "not noticed so far"
	case len(r.observed.alerts) > 0:
		if s := r.observed.earliest(f.Injected); s.Err == nil || r.observed.askedSince(f.Injected) {
			r.fillDetect(rec, &chaos.Record{Injected: f.Injected, Detect: s})
		}
	}
}

// afterSoFar says what each alert did until now. While the fault is in nothing is known of
// what comes after its clearing, and until an alert was asked for again nothing is amiss.
func (o *observer) afterSoFar(f *judge.FaultFinding) []result.FaultAlert {
	cleared := f.Cleared
	if !f.Over {
		cleared = math.MaxInt64
	}
	out := o.after(f.Injected, cleared)
	for i := range out {
		if !f.Over {
			out[i].Resolved, out[i].StillFiring = result.NaN, result.NaN
		}
		if !o.alerts[i].askedSince(f.Injected) {
			out[i].Note, out[i].FiredFrom = "", 0
		}
	}
	return out
}

// askedSince tells whether any alert was asked for since then.
func (o *observer) askedSince(t time.Duration) bool {
	for _, a := range o.alerts {
		if a.askedSince(t) {
			return true
		}
	}
	return false
}

// askedSince tells whether the alert was asked for since then, or can't be.
func (a *alertWatch) askedSince(t time.Duration) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.err != nil || len(a.log) > 0 && a.log[len(a.log)-1].begin >= t
}
