package result

import (
	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// An Incident is a span of the load in which the share of bad requests exceeded the limit, whatever the cause. Times
// are offsets from t0; low and high are bounds of a time.
type Incident struct {
	// intended time of its first bad request, or the time at which a late brunt was ready to send it
	Begin     Num `json:"begin"`
	BeginLow  Num `json:"begin_low"`  // lower bound of begin
	BeginHigh Num `json:"begin_high"` // upper bound of begin
	End       Num `json:"end"`        // time of the first good request after its last bad one, or the end of the load
	// lower bound of end. If the incident was not over, the load was good from here to its end, but for less than
	// judge.hold
	EndLow   Num  `json:"end_low"`
	EndHigh  Num  `json:"end_high"` // upper bound of end
	Over     bool `json:"over"`     // the incident was over before the load ended
	Degraded Num  `json:"degraded"` // sum of its spans of bad requests, seconds
	// total length of windows in which requests were in flight and none ended, seconds
	Stalled  Num   `json:"stalled,omitempty"`
	Requests int64 `json:"requests"` // requests intended from begin to end, by the windows
	Bad      int64 `json:"bad"`      // bad requests in the windows that it overlaps
	// steps with bad requests, the one with the most requests that were made and were bad first
	Steps []IncidentStep `json:"steps"`
	// bad requests by kind of error; skipped counts steps after a failed one
	Kinds map[string]int64 `json:"kinds" mask:"word"`
	// faults to which it belongs: those that were in, or were being recovered from, when it began; also a fault of which
	// it is a relapse that evidence shows
	Faults []string `json:"faults" mask:"-"`
	// the fault that did it, if evidence shows it and no other fault could be it; empty if it only began during faults,
	// or during none
	By       string   `json:"by,omitempty" mask:"-"`
	Evidence Evidence `json:"evidence,omitempty" mask:"-"` // shows that by did it
	// it began while a fault was active, or within judge.hold after its clearing
	Planned bool `json:"planned"`
}

// Evidence is what shows that a fault did harm, besides that it was in.
type Evidence string

// The kinds of evidence.
const (
	ByInjection Evidence = "injected"   // the harm began within judge.hold of the injection
	ByRevert    Evidence = "reverted"   // it began within a second of the end of the fault
	ByRecovery  Evidence = "recovering" // the load had not recovered from earlier harm of the fault
	ByRelapse   Evidence = "relapsed"   // the harm began soon after recovery, or a unit of the fault was not well since
	ByUnit      Evidence = "unit"       // a unit that it hit fell ill with the harm, or was not well after the fault
	ByEnd       Evidence = "ended"      // it lasted until the end of the fault, and at most judge.hold longer
)

// IncidentStep counts the bad requests of a step in an incident.
type IncidentStep struct {
	Load string `json:"load" mask:"-"`    // load of the step
	Step string `json:"step" mask:"word"` // name of the step
	Bad  int64  `json:"bad"`              // its bad requests, with those that were skipped
	// its requests that were not made, because an earlier step of the iteration failed
	Skipped int64 `json:"skipped,omitempty"`
	// its requests that failed, by kind of error; absent if none did, while the run goes on, and in results of earlier
	// versions
	Kinds map[string]int64 `json:"kinds,omitempty" mask:"word"`
}

// Made returns how many requests of the step were made and were bad.
func (s *IncidentStep) Made() int64 { return s.Bad - s.Skipped }

// cutOff reports whether an incident is one of requests that brunt cut off at the end of the run, and of no others.
func (in *Incident) cutOff() bool {
	return in.Bad > 0 && in.Kinds[scenarios.Unfinished.String()]+in.Kinds["skipped"] >= in.Bad
}

// Unblamed returns the incident with the most bad requests that no fault is shown to have done, and the number of such
// incidents. It is nil without one. What became of requests that brunt cut off is unknown, so they make none.
func (r *Result) Unblamed() (worst *Incident, n int64) {
	for i := range r.Incidents {
		if in := &r.Incidents[i]; in.By == "" && in.Bad > 0 && !in.cutOff() {
			if n++; worst == nil || in.Bad > worst.Bad {
				worst = in
			}
		}
	}
	return worst, n
}

// CutOff returns how many of the requests of the run brunt cut off at its end, whatever their load.
func (r *Result) CutOff() (n, all int64) {
	for i := range r.Cells {
		if c := &r.Cells[i]; c.Cut != nil && c.Phase.Kind == slo.RunPhase && c.Load == "*" && c.Step == "*" {
			return c.Cut.Count, c.Count
		}
	}
	return 0, 0
}
