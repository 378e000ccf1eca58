package result

import (
	"regexp"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// GroupKind is the kind of several faults that are one.
const GroupKind = "group"

// A FaultRecord is the actual course of a fault. Times are offsets from t0; onset, failover,
// recover and heal are spans as scenarios/result defines them.
type FaultRecord struct {
	Name  string   `json:"name" mask:"-"`  // with #n for an occurrence
	Kind  string   `json:"kind" mask:"-"`  // such as process.crash
	Units []string `json:"units" mask:"-"` // units that were hit
	// connections of units that it hit, from->to; empty: all, or units names them
	Links  []string `json:"links,omitempty" mask:"-"`
	Zones  []string `json:"zones,omitempty" mask:"-"` // zones that it selected
	Leader bool     `json:"leader,omitempty"`         // units is the leader
	// leader or follower: of all units, when it was injected; empty: they were not asked
	Role string `json:"role,omitempty" mask:"-"`
	// the answer by which the first unit has its role
	RoleSaid string `json:"role_said,omitempty"`
	Via      string `json:"via"`     // the mechanism
	Planned  Num    `json:"planned"` // planned time, an offset from t0
	// just before the injecting call, an offset from t0; null: it was not injected
	Injected Num    `json:"injected"`
	Verified Num    `json:"verified"` // when its effect was observed, an offset from t0
	Evidence string `json:"evidence"` // the observed effect, from the unit's side
	// taken off, or the unit healthy again, an offset from t0
	Cleared Num `json:"cleared"`
	// end of its phase, which `in F` judges: for a one-shot 5 s from the injection at least
	Until        Num    `json:"until"`
	GoneEvidence string `json:"gone_evidence,omitempty"` // the proof that it is over
	Gone         bool   `json:"gone"`                    // its end was verified
	Traffic      int64  `json:"traffic"`                 // bytes on the link, or requests during the phase
	// bytes, packets, connections, requests, calls, commands or statements
	TrafficUnit string `json:"traffic_unit" mask:"-"`
	Onset       Num    `json:"onset"`    // from the injection to the first harm
	Failover    Num    `json:"failover"` // from the injection to good again, during the fault
	Recover     Num    `json:"recover"`  // from the injection to recovered
	Heal        Num    `json:"heal"`     // from the clearing to recovery
	// from the injection to detection by the team's own monitoring
	Detect Num `json:"detect"`
	// time since the last poll of the monitoring that had not noticed it
	DetectResolution Num `json:"detect_resolution"`
	// the answer of the monitoring, or why it is unknown
	DetectNote string       `json:"detect_note,omitempty"`
	Alerts     []FaultAlert `json:"alerts,omitempty"` // what each polled alert did after it
	// of onset and recovery: how far they may lie from the figure
	Resolution Num    `json:"resolution"`
	Area       Num    `json:"area"`              // the integral of 1 - good/offered
	Degraded   Num    `json:"degraded"`          // sum of the stretches of bad requests, seconds
	Failed     int64  `json:"failed_requests"`   // bad requests in excess of the baseline's share
	Impact     Impact `json:"impact"`            // its effect on the load
	Skipped    bool   `json:"skipped,omitempty"` // no unit matched, and that was allowed
	Revert     string `json:"revert" mask:"-"`   // ok, gone, unverified, failed, none
	Limit      Num    `json:"limit"`             // share of bad requests that counts as impact
	// an answer that takes longer counts as a bad request; null: none does
	Slow Num `json:"slow"`
	// the least of the limits of the steps, where they differ; slow is the largest then
	SlowLeast Num `json:"slow_least,omitempty"`
	// baseline: slow was computed from it; empty: judge.slow
	SlowFrom string `json:"slow_from,omitempty" mask:"-"`
	Note     string `json:"note,omitempty"` // remarks for readers
	// the note, as data; empty without a note, and in results of earlier versions
	Because          Notes    `json:"because,omitempty"`
	FailedObjectives []string `json:"failed_objectives,omitempty"` // the texts of those on it that failed
	// errors, latency, shed requests and lost writes; null: it was not injected
	Parts *ImpactParts `json:"parts,omitempty"`
	// the first good request after the last bad one, an offset from t0
	RecoveredAt   Num `json:"recovered_at"`
	RecoveredLow  Num `json:"recovered_low"`  // it recovered no earlier, an offset from t0
	RecoveredHigh Num `json:"recovered_high"` // it recovered no later, an offset from t0
	// it had recovered and was bad again from here on; null: it was not
	RelapsedAt Num `json:"relapsed_at"`
	OnsetAt    Num `json:"onset_at"` // an offset from t0
	// events of containers during it, and until the load had recovered
	Events []Event `json:"events,omitempty"`
	// what took it back at cleared, where brunt did not: watchdog, or the process that held it
	RevertedBy string `json:"reverted_by,omitempty" mask:"-"`
	// time limit for a one-shot's unit to be healthy again
	Within Num         `json:"within"`
	Steps  []FaultStep `json:"steps,omitempty"` // of a group, in the order of their injection
}

// A FaultStep is the actual course of one step of a group. Times are offsets from t0.
type FaultStep struct {
	Name         string   `json:"name" mask:"-"`            // group.step
	Kind         string   `json:"kind" mask:"-"`            // such as process.crash
	Units        []string `json:"units" mask:"-"`           // units that were hit
	Links        []string `json:"links,omitempty" mask:"-"` // connections of units that it hit, as for the group
	Leader       bool     `json:"leader,omitempty"`         // units is the leader
	Role         string   `json:"role,omitempty" mask:"-"`  // leader or follower, as for the group
	RoleSaid     string   `json:"role_said,omitempty"`      // the answer by which the first unit has its role
	Via          string   `json:"via"`                      // the mechanism
	Planned      Num      `json:"planned"`                  // planned time
	Injected     Num      `json:"injected"`                 // null: it was not injected
	Verified     Num      `json:"verified"`                 // when its effect was observed
	Cleared      Num      `json:"cleared"`                  // taken off, or the unit healthy again
	Evidence     string   `json:"evidence,omitempty"`       // the observed effect
	GoneEvidence string   `json:"gone_evidence,omitempty"`  // the proof that it is over
	Revert       string   `json:"revert" mask:"-"`          // ok, gone, unverified, failed, none
	// what took it back at cleared, where brunt did not: watchdog, or the process that held it
	RevertedBy string `json:"reverted_by,omitempty" mask:"-"`
	Note       string `json:"note,omitempty"` // what went wrong
}

// Phase returns the phase of the occurrence, from its injection to its clearing.
func (f *FaultRecord) Phase() slo.Phase { return slo.ParseOccurrence(f.Name) }

// Hit names what a fault acted on: links, where it acted on these alone, else units.
func (f *FaultRecord) Hit() []string { return hit(f.Links, f.Units) }

// Hit names what a step acted on, as that of a [FaultRecord].
func (s *FaultStep) Hit() []string { return hit(s.Links, s.Units) }

func hit(links, units []string) []string {
	if len(links) > 0 {
		return links
	}
	return units
}

// A FaultAlert is what an alert of the team's own monitoring did after a fault.
type FaultAlert struct {
	Name string `json:"name" mask:"-"` // name in the scenario
	// from the injection to firing; null: it did not fire, or this is unknown
	Fired Num `json:"fired"`
	// from the injection to the last poll that found it not firing; if it did not fire, to the last
	// poll
	FiredFrom Num `json:"fired_from"`
	// from the clearing to the first poll that found it no longer firing, 0 if earlier; null: it still
	// fires, or never did
	Resolved    Num    `json:"resolved"`
	StillFiring Num    `json:"still_firing"`   // from the clearing to the last poll that found it firing
	Note        string `json:"note,omitempty"` // why it is unknown
}

// ofUnits begin the kinds of the events of containers and of pods.
var ofUnits = regexp.MustCompile(`^(container|pod|probe|hpa|workload|node|cluster)\.|^unit\.replaced$`)

// mostEvents bounds the events of containers and pods in a fault record.
const mostEvents = 30

// Attach adds to each fault the events of containers and pods from its injection until the load had
// recovered, or the next fault came.
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

// NoOutage reports whether a fault had an impact without a degradation to recover from: answers were slower, or
// acknowledged writes were lost, and the share of bad requests stayed within the limit.
func (f *FaultRecord) NoOutage() bool { return f.Impact == Impacted && !f.OnsetAt.Known() }

// NameFailed names in each fault the objectives on it that failed: those in its phase, in its recovery or after it.
func (r *Result) NameFailed() {
	for i := range r.Faults {
		f := &r.Faults[i]
		for j := range r.Objectives {
			o := &r.Objectives[j]
			if o.Verdict == scenarios.Fail && o.Phase.Of(slo.FaultPhase) == f.Phase() && f.Injected.Known() {
				f.FailedObjectives = append(f.FailedObjectives, o.Text)
			}
		}
	}
}

// A Condition is a fault that held for the whole run.
type Condition struct {
	Name         string   `json:"name" mask:"-"`           // as in the scenario
	Kind         string   `json:"kind" mask:"-"`           // of fault, such as network.latency
	Units        []string `json:"units,omitempty"`         // units or links that it was on
	Via          string   `json:"via,omitempty"`           // the mechanism
	Evidence     string   `json:"evidence,omitempty"`      // what showed that it was in, before the setup
	Gone         bool     `json:"gone"`                    // it is verified gone, after the teardown
	GoneEvidence string   `json:"gone_evidence,omitempty"` // what showed that
	// what went wrong with it, or why it was left out; empty is nothing
	Note string `json:"note,omitempty"`
}
