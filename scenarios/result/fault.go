package result

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/slo"
)

// GroupKind is the kind of a group: several faults that are judged as one.
const GroupKind = "group"

// A FaultRecord is the actual course of a fault. Times are offsets from t0; onset, failover, recover and heal are
// spans in seconds.
type FaultRecord struct {
	Name string `json:"name" mask:"-"` // name of the fault, with #n for an occurrence
	Kind string `json:"kind" mask:"-"` // such as process.crash
	// what faults of its kind do to the units or links that they act on
	Nature scenarios.Nature `json:"nature,omitzero" mask:"-"`
	Units  []string         `json:"units" mask:"-"` // units that were hit
	// connections between units that it hit, from->to; empty if it hit all connections, or hit units
	Links  []string `json:"links,omitempty" mask:"-"`
	Zones  []string `json:"zones,omitempty" mask:"-"` // zones that the fault selected
	Leader bool     `json:"leader,omitempty"`         // units holds the leader
	// leader or follower: the role of all units when it was injected; empty if they were not asked
	Role string `json:"role,omitempty" mask:"-"`
	// the answer by which the first unit has its role
	RoleSaid string `json:"role_said,omitempty"`
	// the unit that led when it was injected, hit or not; empty if the units were not asked, or if none led
	Led     string `json:"led,omitempty" mask:"-"`
	Via     string `json:"via"`     // mechanism of the injection
	Planned Num    `json:"planned"` // planned time, an offset from t0
	// time just before the injecting call, an offset from t0; null means that it was not injected
	Injected Num    `json:"injected"`
	Verified Num    `json:"verified"` // when its effect was observed, an offset from t0
	Evidence string `json:"evidence"` // the observed effect, from the unit's side
	// the part of its effect on the unit that was not shown, though the fault was in place; empty if all was shown
	NotShown string `json:"not_shown,omitempty"`
	// its settings leave a part of what its kind denies: some of the space, of the descriptors, or of the processes of a
	// unit
	Part bool `json:"part,omitempty"`
	// when it was taken back, or the unit was healthy again, an offset from t0
	Cleared Num `json:"cleared"`
	// end of its phase, which `in FAULT` judges; for a one-shot, at least 5 s after the injection
	Until        Num    `json:"until"`
	GoneEvidence string `json:"gone_evidence,omitempty"` // observation that proves its end
	Gone         bool   `json:"gone"`                    // its end was verified
	Traffic      int64  `json:"traffic"`                 // bytes on the link, or requests during the phase
	// unit of traffic: bytes, packets, queries, connections, requests, calls, commands or statements
	TrafficUnit string `json:"traffic_unit" mask:"-"`
	Onset       Num    `json:"onset"`    // from the injection to the first harm
	Failover    Num    `json:"failover"` // from the injection until requests are good again, if during the fault
	Recover     Num    `json:"recover"`  // from the injection to recovery
	Heal        Num    `json:"heal"`     // from the clearing to recovery
	// from the begin of the harm of the revert to the first good request after it; null if the end of the fault did no
	// harm of its own, or if that harm was not over. recover includes it
	Rejoin Num `json:"rejoin"`
	// first bad request of the harm of the revert, an offset from t0; null if there was none
	RejoinAt Num `json:"rejoin_at"`
	// from the injection until requests were good again, until the revert harmed them; 0 if no request was bad before
	Back Num `json:"back"`
	// from the injection to detection by the team's own monitoring
	Detect Num `json:"detect"`
	// uncertainty of detect: time since the last poll at which the monitoring had not noticed the fault
	DetectResolution Num `json:"detect_resolution"`
	// the answer of the monitoring, or why detect is unknown
	DetectNote string       `json:"detect_note,omitempty"`
	Alerts     []FaultAlert `json:"alerts,omitempty"` // what each polled alert did after the fault
	// uncertainty of onset and recovery, in seconds
	Resolution Num    `json:"resolution"`
	Area       Num    `json:"area"`            // the integral of 1 - good/offered, less that share before the fault
	Degraded   Num    `json:"degraded"`        // sum of the spans of bad requests, seconds
	Failed     int64  `json:"failed_requests"` // bad requests in excess of the baseline's share
	Impact     Impact `json:"impact"`          // its effect on the load
	// what the author expected of it, and whether that came; null if the scenario states nothing
	Expect *Expectation `json:"expect,omitempty"`
	// the fault was skipped: no unit matched, and on_no_unit allows that, or no operator continued it
	Skipped bool   `json:"skipped,omitempty"`
	Revert  string `json:"revert" mask:"-"` // how it was taken back: ok, gone, unverified, failed, none
	Limit   Num    `json:"limit"`           // share of bad requests that counts as impact
	// why the load had not recovered by its end; empty if it had, or if that is unknown
	Unrecovered Unrecovered `json:"unrecovered,omitempty"`
	// how the target came back after the load; nil without `judge.escape`, and if the load had recovered
	Escape *Escape `json:"escape,omitempty"`
	// an answer that takes longer than this counts as a bad request; null means that there is no limit
	Slow Num `json:"slow"`
	// the smallest limit of a step, if the limits of steps differ; slow is then the largest
	SlowLeast Num `json:"slow_least,omitempty"`
	// baseline if slow was computed from the baseline; empty if judge.slow set it
	SlowFrom string `json:"slow_from,omitempty" mask:"-"`
	Note     string `json:"note,omitempty"` // remarks for readers
	// the note as data; empty if there is no note
	Because          Notes    `json:"because,omitempty"`
	FailedObjectives []string `json:"failed_objectives,omitempty"` // texts of the failed objectives on this fault
	// the parts of its impact: errors, latency, shed requests and lost writes; null if it was not injected
	Parts *ImpactParts `json:"parts,omitempty"`
	// the first good request after the last bad one, an offset from t0
	RecoveredAt   Num `json:"recovered_at"`
	RecoveredLow  Num `json:"recovered_low"`  // lower bound of recovered_at, an offset from t0
	RecoveredHigh Num `json:"recovered_high"` // upper bound of recovered_at, an offset from t0
	// when requests were bad again after a recovery, as harm of the fault; an offset from t0, and null means never
	RelapsedAt Num `json:"relapsed_at"`
	OnsetAt    Num `json:"onset_at"` // time of the first harm, an offset from t0
	// events of containers and pods from its injection until the load had recovered
	Events []Event `json:"events,omitempty"`
	// what took it back at cleared, where brunt did not: watchdog, or the process that held it
	RevertedBy string `json:"reverted_by,omitempty" mask:"-"`
	// nothing starts its unit again, as the scenario allows: of a one-shot, cleared is then the end of its injection
	StaysDown bool `json:"stays_down,omitempty"`
	// time limit for the unit of a one-shot to be healthy again
	Within Num         `json:"within"`
	Steps  []FaultStep `json:"steps,omitempty"` // steps of a group, in the order of their injection
	// what people at the run did about it; absent if it waited for no operator and has no mark
	Operator *OperatorRecord `json:"operator,omitempty"`
}

// A FaultStep is the actual course of one step of a group. Times are offsets from t0.
type FaultStep struct {
	Name         string   `json:"name" mask:"-"`            // group.step
	Kind         string   `json:"kind" mask:"-"`            // such as process.crash
	Units        []string `json:"units" mask:"-"`           // units that were hit
	Links        []string `json:"links,omitempty" mask:"-"` // connections between units that it hit, from->to
	Leader       bool     `json:"leader,omitempty"`         // units holds the leader
	Role         string   `json:"role,omitempty" mask:"-"`  // leader or follower, as for the group
	RoleSaid     string   `json:"role_said,omitempty"`      // the answer by which the first unit has its role
	Led          string   `json:"led,omitempty" mask:"-"`   // the unit that led when it was injected
	Via          string   `json:"via"`                      // mechanism of the injection
	Planned      Num      `json:"planned"`                  // planned time
	Injected     Num      `json:"injected"`                 // null means that it was not injected
	Verified     Num      `json:"verified"`                 // when its effect was observed
	Cleared      Num      `json:"cleared"`                  // when it was taken back, or the unit was healthy again
	Evidence     string   `json:"evidence,omitempty"`       // the observed effect
	NotShown     string   `json:"not_shown,omitempty"`      // the part of its effect that was not shown
	GoneEvidence string   `json:"gone_evidence,omitempty"`  // observation that proves its end
	Revert       string   `json:"revert" mask:"-"`          // how it was taken back: ok, gone, unverified, failed, none
	// what took it back at cleared, where brunt did not: watchdog, or the process that held it
	RevertedBy string `json:"reverted_by,omitempty" mask:"-"`
	StaysDown  bool   `json:"stays_down,omitempty"` // nothing starts its unit again, as the scenario allows
	Note       string `json:"note,omitempty"`       // what went wrong
	// what faults of its kind do to the units or links that they act on
	Nature scenarios.Nature `json:"nature,omitzero" mask:"-"`
}

// Phase returns the phase of the occurrence, from its injection to its clearing.
func (f *FaultRecord) Phase() slo.Phase { return slo.ParseOccurrence(f.Name) }

// Hit names the links that a fault acted on if it acted on links alone, else the units.
func (f *FaultRecord) Hit() []string { return hit(f.Links, f.Units) }

// Hit names the links or units that a step acted on, like [FaultRecord.Hit].
func (s *FaultStep) Hit() []string { return hit(s.Links, s.Units) }

func hit(links, units []string) []string {
	if len(links) > 0 {
		return links
	}
	return units
}

// units lists the units that a fault hit, and the ends of the links that it hit.
func (f *FaultRecord) units() (units []string) {
	all := slices.Concat(f.Units, f.Links)
	for i := range f.Steps {
		all = slices.Concat(all, f.Steps[i].Units, f.Steps[i].Links)
	}
	for _, name := range all {
		units = append(units, strings.Split(name, slo.LinkArrow)...)
	}
	return units
}

// Does reports whether a fault or a step of it does one of some things.
func (f *FaultRecord) Does(any ...scenarios.Deed) bool {
	return f.Nature.Does(any...) ||
		slices.ContainsFunc(f.Steps, func(s FaultStep) bool { return s.Nature.Does(any...) })
}

// custom reports whether only the author of a fault or of a step of it knows what it does, and whether one of these is
// not taken back.
func (f *FaultRecord) custom() (is, stays bool) {
	is = f.Nature.Does(scenarios.Own)
	stays = is && f.Revert == "none"
	for i := range f.Steps {
		if s := &f.Steps[i]; s.Nature.Does(scenarios.Own) {
			is, stays = true, stays || s.Revert == "none"
		}
	}
	return is, stays
}

// endEarly is how long before its injection a fault may be reported to have ended a unit, in seconds.
const endEarly = 1

// Ended reports whether an event is the end of a process or a container.
func (e *Event) Ended() bool {
	return e.Unit != "" && (e.Event == "unit.exit" || e.Event == "container.die")
}

// EndedUnder reports whether an event is the end of a process or a container that a fault was on, or that is at an end
// of a link that it was on.
func (f *FaultRecord) EndedUnder(e *Event) bool {
	return e.Ended() && e.T > f.Injected-endEarly && !(e.T > f.Until) && slices.Contains(f.units(), e.Unit)
}

// OwnEnd reports whether an event is the end of a process or a container that no fault had hit. itself is false if a
// condition was on it, or if a fault or condition was in of which only its author knows what it does: it may have ended
// it. A pod also ends for reasons of its cluster, such as a rollout, so that its end tells nothing.
func (r *Result) OwnEnd(e *Event) (ended, itself bool) {
	if !e.Ended() {
		return false, false
	}
	itself = true
	for i := range r.Faults {
		f := &r.Faults[i]
		custom, stays := f.custom()
		over := e.T > f.Until
		switch {
		case !(e.T > f.Injected-endEarly): // also if it was not injected
		case f.EndedUnder(e):
			return false, false
		case custom && (!over || stays):
			itself = false
		}
	}
	for i := range r.Conditions {
		c := &r.Conditions[i]
		itself = itself && !c.On(e) && !(c.Nature.Does(scenarios.Own) && c.in(e.T))
	}
	return true, itself
}

// OwnDeaths describes the processes and containers of the target that ended by a time, by [Result.OwnEnd].
func (r *Result) OwnDeaths(events []Event, end time.Duration) (notes []string) {
	first := map[string]Event{}
	times, alone := map[string]int{}, map[string]bool{}
	var units []string
	for _, e := range events {
		ended, itself := r.OwnEnd(&e)
		if !ended || e.T.D() > end {
			continue
		}
		if times[e.Unit]++; times[e.Unit] == 1 {
			first[e.Unit], alone[e.Unit] = e, true
			units = append(units, e.Unit)
		}
		alone[e.Unit] = alone[e.Unit] && itself
	}
	for _, u := range units {
		e := first[u]
		did, how := "ended", "at "+quantity.FormatInstant(e.T.D())
		if alone[u] {
			did = "ended by itself"
		}
		if n := times[u]; n > 1 {
			how = fmt.Sprintf("%d times, first %s", n, how)
		}
		notes = append(notes, fmt.Sprintf("%s %s %s: %s", u, did, how, e.Text))
	}
	return notes
}

// A FaultAlert says when an alert of the team's own monitoring fired and resolved after a fault.
type FaultAlert struct {
	Name string `json:"name" mask:"-"` // name in the scenario
	// from the injection to firing; null means that it did not fire, or that this is unknown
	Fired Num `json:"fired"`
	// from the injection to the last poll before it fired; if it did not fire, to the last poll
	FiredFrom Num `json:"fired_from"`
	// from the clearing to the first poll that found it no longer firing, 0 if that was earlier; null means that it
	// still fires, or never did
	Resolved    Num    `json:"resolved"`
	StillFiring Num    `json:"still_firing"`   // from the clearing to the last poll that found it firing
	Note        string `json:"note,omitempty"` // why figures are unknown
}

// ofUnits matches the kinds of events of containers and pods.
var ofUnits = regexp.MustCompile(`^(container|pod|probe|hpa|workload|node|cluster)\.|^unit\.replaced$`)

// mostEvents is the maximum number of events of containers and pods in a fault record.
const mostEvents = 30

// OverBefore reports whether a fault was over before a time. A crash whose unit nothing starts again is never over.
func (f *FaultRecord) OverBefore(at Num) bool { return !f.StaysDown && f.Cleared < at }

// Attach adds to each fault the events of containers and pods from its injection until the load had recovered, or
// until the next fault.
func (r *Result) Attach() {
	for i := range r.Faults {
		f := &r.Faults[i]
		f.Events = nil
		if !f.Injected.Known() {
			continue
		}
		until := f.Cleared
		if f.RecoveredAt.Known() {
			until = max(until, f.RecoveredAt)
		}
		for _, other := range r.Faults {
			if other.Injected.Known() && other.Injected > f.Injected {
				until = min(until, max(other.Injected, f.Cleared))
			}
		}
		for _, e := range r.Events {
			if ofUnits.MatchString(e.Event) && e.T >= f.Injected && e.T <= until && len(f.Events) < mostEvents {
				f.Events = append(f.Events, e)
			}
		}
	}
}

// Rejoined returns the harm of the fault's revert, in seconds, infinite if it was not over. harmed is false if there
// was none.
func (f *FaultRecord) Rejoined() (cost Num, harmed bool) {
	switch {
	case !(f.RejoinAt > 0):
		return NaN, false
	case f.Rejoin > 0:
		return f.Rejoin, true
	}
	return Num(math.Inf(1)), true
}

// Impact is the effect of a fault on the load.
type Impact string

// The impacts.
const (
	Impacted     Impact = "impacted"
	NotImpacted  Impact = "not_impacted"
	NotRecovered Impact = "not_recovered"
	Confounded   Impact = "confounded"
	NotInjected  Impact = "not_injected"
	UnknownYet   Impact = "unknown" // too little data to decide
)

// An Expectation is what the author expected of a fault before the run, and whether it came.
type Expectation struct {
	Text    string `json:"text,omitempty"`    // the expectation as written; may be empty
	Outcome Impact `json:"outcome,omitempty"` // expected impact; empty: only the text states something
	// whether the expected impact came: yes, no or untested, which means that the run can't tell; empty without an
	// outcome
	Came string `json:"came,omitempty" mask:"-"`
}

// Meet compares the expected outcome of each fault with its impact. Call it once the impacts are known.
func (r *Result) Meet() {
	for i := range r.Faults {
		f := &r.Faults[i]
		if f.Expect != nil && f.Expect.Outcome != "" {
			f.Expect.Came = f.meets(f.Expect.Outcome).String()
		}
	}
}

// meets reports whether a fault had an impact. An effect that was not verified, that affected no traffic, or that is
// not certain answers nothing, nor does an outage of one step that is no impact on all requests.
func (f *FaultRecord) meets(want Impact) Answer {
	switch {
	case !f.Verified.Known(), f.Traffic == 0 && f.TrafficUnit != "":
		return Untested
	case f.Impact != Impacted && f.Impact != NotImpacted && f.Impact != NotRecovered:
		return Untested
	case f.Impact == NotImpacted && (f.TooFew() || f.Parts != nil && f.Parts.StepOutage != nil ||
		f.Parts != nil && f.Parts.Requests > 0 && f.Parts.Slower().Answer == Untested):
		return Untested
	case f.Impact == want:
		return Yes
	}
	return No
}

// Unmet reports whether the run says nothing of a fault because that met no traffic. Another run of the same load would
// not say more.
func (r *Result) Unmet() bool {
	return slices.ContainsFunc(r.Faults, func(f FaultRecord) bool { return f.Verified.Known() && f.Traffic == 0 })
}

// Void reports whether the run says nothing of the target: it is invalid, or nothing failed and a fault met no traffic.
func (r *Result) Void() bool {
	return r.Verdict == scenarios.Invalid || r.Verdict == scenarios.Inconclusive && r.Unmet()
}

// TooFew reports whether a fault without an impact had a larger share of bad requests than the baseline's share plus
// the limit, in its phase or in a part of it from the injection on. There were then too few requests to distinguish
// them from chance.
func (f *FaultRecord) TooFew() bool {
	return f.Impact == NotImpacted && f.Parts != nil && (f.Parts.FewBad || f.Beyond())
}

// Beyond reports whether the share of bad requests in the phase of a fault was larger than the baseline's share plus
// the limit.
func (f *FaultRecord) Beyond() bool {
	p := f.Parts
	if p == nil || p.Requests == 0 || !f.Limit.Known() || f.Limit <= 0 {
		return false
	}
	before := float64(f.Limit)
	for _, n := range []Num{p.ErrorsBefore, p.SlowBefore} {
		if n.Known() {
			before += float64(n)
		}
	}
	return float64(p.Bad())/float64(p.Requests) > before
}

// NoOutage reports whether a fault had an impact but no outage to recover from: answers were slower, or acknowledged
// writes were lost, while the share of bad requests stayed within the limit.
func (f *FaultRecord) NoOutage() bool { return f.Impact == Impacted && !f.OnsetAt.Known() }

// NameFailed sets FailedObjectives of each fault to the failed objectives in its phase, in its recovery or after it.
// The rest after a fault lasts to the next fault, so its objectives count only if an incident by the fault is in it.
func (r *Result) NameFailed() {
	for i := range r.Faults {
		f := &r.Faults[i]
		lasts := slices.ContainsFunc(r.Incidents, func(in Incident) bool { return in.By == f.Name && in.End > f.Until })
		for j := range r.Objectives {
			o := &r.Objectives[j]
			if o.Verdict == scenarios.Fail && o.Phase.Of(slo.FaultPhase) == f.Phase() && f.Injected.Known() &&
				(o.Phase.Kind != slo.RestPhase || lasts) {
				f.FailedObjectives = append(f.FailedObjectives, o.Text)
			}
		}
	}
}

// A Condition is a fault that held for the whole run, or from its warm-up to the end of its load.
type Condition struct {
	Name     string           `json:"name" mask:"-"`            // name in the scenario
	Kind     string           `json:"kind" mask:"-"`            // kind of the fault, such as network.latency
	Nature   scenarios.Nature `json:"nature,omitzero" mask:"-"` // what faults of its kind do to their units or links
	Units    []string         `json:"units,omitempty"`          // units or links that it acted on
	Via      string           `json:"via,omitempty"`            // mechanism of the injection
	Evidence string           `json:"evidence,omitempty"`       // the observation that shows that it was in
	// of a condition that is injected within the warm-up: just before the injecting call, an offset from t0
	Injected Num `json:"injected"`
	Verified Num `json:"verified"` // of such a condition: when its effect was observed, an offset from t0
	// of such a condition: the observation at the end of the load that shows that it was still in
	Still        string `json:"still,omitempty"`
	Gone         bool   `json:"gone"`                    // its end was verified
	GoneEvidence string `json:"gone_evidence,omitempty"` // the observation that proves its end
	NotShown     string `json:"not_shown,omitempty"`     // what its proof has not shown; empty: nothing is missing
	// what went wrong with it, or why it was left out; may be empty
	Note string `json:"note,omitempty"`
}

// On reports whether a condition was in at an event, and on its unit or on a link of that.
func (c *Condition) On(e *Event) bool {
	return c.in(e.T) && slices.ContainsFunc(c.Units, func(name string) bool {
		return slices.Contains(strings.Split(name, slo.LinkArrow), e.Unit)
	})
}

// in reports whether a condition is shown to have been in at a time of the load.
func (c *Condition) in(at Num) bool { return c.Evidence != "" && !(at < c.Injected-endEarly) }
