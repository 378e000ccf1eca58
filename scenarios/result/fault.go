package result

import "strings"

// A FaultRecord is a fault as it really happened. Times are offsets from t0;
// onset, failover, recover and heal are spans as scenarios/reference/glossary.go defines them.
type FaultRecord struct {
	Name             string       `json:"name"`                    // with #n for an occurrence
	Kind             string       `json:"kind"`                    // such as process.crash
	Units            []string     `json:"units"`                   // who was hit
	Zones            []string     `json:"zones,omitempty"`         // that it was aimed at
	Leader           bool         `json:"leader,omitempty"`        // it was aimed at the leader, which units names
	Via              string       `json:"via"`                     // the mechanism
	Planned          Num          `json:"planned"`                 // an offset from t0
	Injected         Num          `json:"injected"`                // just before the injecting call, an offset from t0; null: it was not
	Verified         Num          `json:"verified"`                // when its effect was seen, an offset from t0
	Evidence         string       `json:"evidence"`                // the effect that was seen, from the victim's side
	Cleared          Num          `json:"cleared"`                 // verified gone, or the unit healthy again, an offset from t0
	GoneEvidence     string       `json:"gone_evidence,omitempty"` // what showed that it is over
	Gone             bool         `json:"gone"`                    // it was found to be over
	Traffic          int64        `json:"traffic"`                 // bytes at the link, or requests during the phase
	TrafficUnit      string       `json:"traffic_unit"`            // bytes or requests
	Onset            Num          `json:"onset"`                   // From the injection to the first harm
	Failover         Num          `json:"failover"`                // From the injection to good again, the fault still in
	Recover          Num          `json:"recover"`                 // From the injection to recovered
	Heal             Num          `json:"heal"`                    // From the clearing to recovered
	Detect           Num          `json:"detect"`                  // From the injection to the team's own monitoring noticing it
	DetectResolution Num          `json:"detect_resolution"`       // the monitoring was asked last so long before, and had not noticed
	DetectNote       string       `json:"detect_note,omitempty"`   // what the monitoring said, or why nothing is known of it
	Alerts           []FaultAlert `json:"alerts,omitempty"`        // what each alert that was asked for did after it
	Resolution       Num          `json:"resolution"`              // of onset and recovery: the widest window used
	Area             Num          `json:"area"`                    // the integral of 1 - good/offered
	Degraded         Num          `json:"degraded"`                // seconds in bad windows
	Failed           int64        `json:"failed_requests"`         // bad requests beyond the baseline's share
	Impact           Impact       `json:"impact"`                  // what it did to the load
	Skipped          bool         `json:"skipped,omitempty"`       // nothing matched, and that was allowed
	Revert           string       `json:"revert"`                  // ok, gone, failed, none
	Limit            Num          `json:"limit"`                   // share of bad requests that counts as impact
	Note             string       `json:"note,omitempty"`          // what a reader should know
	RecoveredAt      Num          `json:"recovered_at"`            // offset from t0
	OnsetAt          Num          `json:"onset_at"`                // an offset from t0
	Events           []Event      `json:"events,omitempty"`        // what happened to containers while it was in, and until the load was well again
	Within           Num          `json:"within"`                  // by when a one-shot's unit was to be healthy again
}

// A FaultAlert is what an alert of the team's own monitoring did after a fault.
type FaultAlert struct {
	Name        string `json:"name"`           // as the scenario has it
	Fired       Num    `json:"fired"`          // From the injection to firing; null: it did not fire, or nothing is known of it
	FiredFrom   Num    `json:"fired_from"`     // From the injection to when it was asked for last and did not fire; where it did not fire, to the last time that it was asked for
	Resolved    Num    `json:"resolved"`       // From the clearing to firing no more, 0 where that came first; null: it fires still, or never did
	StillFiring Num    `json:"still_firing"`   // From the clearing to when it was found to fire last
	Note        string `json:"note,omitempty"` // why nothing is known
}

// mostEvents bounds what a fault tells of containers.
const mostEvents = 30

// Attach returns each fault what happened to containers from its injection until the load
// was well again, or the next fault came.
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
			if strings.HasPrefix(e.Event, "container.") && e.T >= f.Injected && e.T <= until && len(f.Events) < mostEvents {
				f.Events = append(f.Events, e)
			}
		}
	}
}

// Impact is what a fault did to the load.
type Impact string

// The impacts.
const (
	Impacted     Impact = "impacted"
	NotImpacted  Impact = "not_impacted"
	NotRecovered Impact = "not_recovered"
	Confounded   Impact = "confounded"
	NotInjected  Impact = "not_injected"
	UnknownYet   Impact = "unknown" // too little data to tell
)
