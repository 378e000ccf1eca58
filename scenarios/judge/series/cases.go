package series

import (
	"time"

	"brunt/scenarios/slo"
)

// Reactions are the reactions to the faults and stages of a run, and the begins of its stages.
type Reactions struct {
	// Detected is what the team's own monitoring detected of occurrences, by number. It was not
	// polled for a missing occurrence.
	Detected map[int]Detection

	// Alerts and Resolved are the reactions of alerts of the team's own monitoring to occurrences.
	// An alert was not polled for a missing key.
	Alerts   map[AlertKey]Detection
	Resolved map[AlertKey]Resolution

	// Stages is when the stages of loads begin, by LOAD.STAGE.
	Stages map[string]time.Duration
}

// OfStage reports whether an objective counts from the begin of a stage.
func (c *Reactions) OfStage(o slo.Objective) bool {
	_, is := c.Stages[o.After.String()]
	return is
}

// Detection is when the team's own monitoring detected a fault. Times are offsets from t0.
type Detection struct {
	At     time.Duration // time of the detection; zero if there is none
	NotYet time.Duration // time of the last query without a detection
	Why    string        // reason that the detection is unknown; empty where it is known
}

// AlertKey names an alert and an occurrence, by number.
type AlertKey struct {
	Occurrence int
	Alert      string
}

// Resolution is when an alert that had fired after an occurrence was resolved. Times are offsets
// from t0.
type Resolution struct {
	At    time.Duration // time of the resolution; zero if there is none
	Still time.Duration // time of the last query at which it still fired
	Why   string        // reason that the resolution is unknown; empty where it is known
}
