package result

import (
	"fmt"
	"slices"
	"strings"

	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// ImpactParts are the parts of a fault's impact: what happened to the requests that met the fault, compared with the
// baseline, and to the writes. Requests at which brunt itself failed are left out.
type ImpactParts struct {
	Requests     int64 `json:"requests"`      // requests that the fault affected
	Errors       int64 `json:"errors"`        // affected requests that failed or were skipped
	ErrorsBefore Num   `json:"errors_before"` // share of the baseline's requests
	Slow         int64 `json:"slow"`          // affected requests that were answered, but took longer than `judge.slow`
	SlowBefore   Num   `json:"slow_before"`   // share of the baseline's requests
	Shed         int64 `json:"shed"`          // affected requests that the target refused on purpose
	ShedBefore   Num   `json:"shed_before"`   // share of the baseline's requests
	// good answers that lacked a part that their step expects
	Partial       int64 `json:"partial,omitempty"`
	PartialBefore Num   `json:"partial_before,omitzero"` // share of the baseline's good answers
	// the share of partial answers was higher than in the baseline, by 95 % bounds of both shares
	Lacking bool `json:"lacking,omitempty"`
	// the share of partial answers was higher than in the baseline, or there is no baseline of them, and chance is not
	// excluded
	LackingUntold bool `json:"lacking_untold,omitempty"`
	// intended time of the first request that failed or was slow, an offset from t0; null if there was none
	First     Num `json:"first"`
	Last      Num `json:"last"`       // intended time of the last such request
	P50       Num `json:"p50"`        // median response time of the good answers, without brunt's own time, seconds
	P50Before Num `json:"p50_before"` // the same in the baseline
	P95       Num `json:"p95"`        // 95th percentile of their response time, seconds
	P95Before Num `json:"p95_before"` // the same in the baseline
	// acknowledged writes and messages of deliveries that were lost to the fault
	Lost         int64 `json:"lost"`
	LostMessages int64 `json:"lost_messages,omitempty"` // of these, messages
	// acknowledged writes and messages that were lost to the fault or to another one, and it is unknown to which
	LostShared         int64    `json:"lost_shared,omitempty"`
	LostSharedMessages int64    `json:"lost_shared_messages,omitempty"` // of these, messages
	LostWith           []string `json:"lost_with,omitempty" mask:"-"`   // the other faults that may have lost them
	// writes that were acknowledged during the fault and could be read only later
	Late int64 `json:"late"`
	// the good answers were slower than in the baseline, by a tenth at the median or at the 95th percentile. The test
	// is wrong for at most 1 % of faults without an effect, however late brunt itself was. Since definitions 3 they also
	// were slower soon after its begin, up to its end, or as a unit that it hit fell ill: else slower_because has
	// slower_during
	Slowed bool `json:"slowed,omitempty"`
	// there are too few good answers to tell. To show that they were not slower takes 59 answers of the fault; to
	// show that they were takes 20; both take 20 answers of the baseline, from five seconds
	Untested bool `json:"untested,omitempty"`
	// why it is not certain whether the good answers took over twice as long, and over 20 ms longer; empty if it is
	// certain
	SlowerUntold string `json:"slower_untold,omitempty"`
	// the same as data; empty if it is certain
	SlowerBecause Notes `json:"slower_because,omitempty"`
	// from the injection to one of the bad requests they were a larger share than the limit and that of the baseline
	// together, and are too few to distinguish them from chance
	FewBad bool `json:"few_bad,omitempty"`
	// the step that alone had an outage, while bad requests of all steps stayed within the limit: of several, the one of
	// which most requests were bad. null if there was none
	StepOutage *StepOutage `json:"step_outage,omitempty"`
}

// A StepOutage is an outage of one step during a fault, by the rules for an impact on all requests. Its requests are
// too few beside those of all steps to be an impact on all.
type StepOutage struct {
	// the step, with its load in front as LOAD: STEP if another load has a step of that name
	Step     string `json:"step" mask:"word"`
	Requests int64  `json:"requests"` // its requests that the fault affected
	Errors   int64  `json:"errors"`   // of these, those that failed or were skipped
	Slow     int64  `json:"slow"`     // of these, those that were answered, but took longer than `judge.slow`
	// of these, those that the target shed
	Shed int64 `json:"shed,omitempty"`
}

// Bad returns the number of requests of the step that failed, were slow, or were shed.
func (o *StepOutage) Bad() int64 { return o.Errors + o.Slow + o.Shed }

// onlyShed reports whether the target shed all of them.
func (o *StepOutage) onlyShed() bool { return o.Shed > 0 && o.Bad() == o.Shed }

// Phrase counts the requests of the step, such as 24 of 24 requests of pay failed.
func (o *StepOutage) Phrase() string {
	s := fmt.Sprintf("%d of %s of %s", o.Bad(), syntax.Plural(o.Requests, "request", "requests"), o.Step)
	switch {
	case o.onlyShed():
		return s + " were shed"
	case o.Shed > 0 && o.Bad() == o.Errors+o.Shed:
		return s + " failed or were shed"
	case o.Shed > 0:
		return s + " failed, were too slow, or were shed"
	case o.Slow == 0:
		return s + " failed"
	case o.Errors == 0:
		return s + " were too slow"
	}
	return s + " failed or were too slow"
}

// UnaskedOutage returns the outage of a step during a fault of the run, if no objective asks about the requests of that
// step in the fault, or in the whole run; nil without one.
func (r *Result) UnaskedOutage(f *FaultRecord) *StepOutage {
	if f.Parts == nil || f.Parts.StepOutage == nil {
		return nil
	}
	out := f.Parts.StepOutage
	step := out.Step
	for i := range r.Objectives {
		o, ok := r.Objectives[i].Asks()
		if row := o.Metric.Row(); !ok || r.Objectives[i].List != "" || o.Step == "" || o.Metric.Of != "" ||
			!row.CountsShed && (!row.CountsBad || out.onlyShed()) && (!o.Metric.OfFault() || row.Effect == nil) {
			continue
		}
		in := o.PhaseOrRun()
		if (in.Kind == slo.RunPhase || in.Kind == slo.IncidentPhase || in.Includes(f.Phase())) &&
			(step == o.Step || step == o.Load+": "+o.Step || o.Load == "" && strings.HasSuffix(step, ": "+o.Step)) {
			return nil
		}
	}
	return out
}

// HidesOutage reports whether a step had an outage during a fault of the run, and no objective asks about it; see
// [Result.UnaskedOutage].
func (r *Result) HidesOutage() bool {
	return slices.ContainsFunc(r.Faults, func(f FaultRecord) bool { return r.UnaskedOutage(&f) != nil })
}

// Slower reports whether the good answers were slower than in the baseline. The answer is untested if the difference
// may be due to chance or brunt's own time, and 95 % bounds do not exclude that answers took over twice as long and
// over 20 ms longer. See effect.Slower.
func (p *ImpactParts) Slower() Told {
	switch {
	case p == nil:
		return NotTold(Note{Kind: SlowerThis})
	case p.Slowed:
		return Told{Answer: Yes}
	case len(p.SlowerBecause) > 0:
		return NotTold(p.SlowerBecause...)
	}
	return Told{Answer: No}
}

// Bad returns the number of requests that failed or were slow.
func (p *ImpactParts) Bad() int64 { return p.Errors + p.Slow }
