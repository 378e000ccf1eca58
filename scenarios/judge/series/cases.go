package series

import (
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Reactions holds the reactions of monitoring to the faults of a run, and the begins of its stages.
type Reactions struct {
	// Detected says when the team's own monitoring detected an occurrence, by number. For a missing occurrence it was
	// not polled.
	Detected map[int]Detection

	// Alerts and Resolved say when alerts of the team's own monitoring fired for an occurrence, and were resolved.
	// For a missing key the alert was not polled.
	Alerts   map[AlertKey]Detection
	Resolved map[AlertKey]Resolution

	// Marks says when a person at the run marked an occurrence, an offset from t0.
	Marks map[MarkKey]time.Duration

	// Stages has the time at which each stage of a load begins, by LOAD.STAGE.
	Stages map[string]time.Duration
}

// OfStage reports whether an objective counts from the begin of a stage.
func (c *Reactions) OfStage(o slo.Objective) bool {
	_, is := c.Stages[o.After.String()]
	return is
}

// Detection says when the team's own monitoring detected a fault. Times are offsets from t0.
type Detection struct {
	At     time.Duration // time of the detection; zero if there is none
	NotYet time.Duration // time of the last query without a detection
	Why    string        // why the detection is unknown; empty if it is known
}

// AlertKey names an alert and an occurrence, by number.
type AlertKey struct {
	Occurrence int
	Alert      string
}

// MarkKey names a mark and an occurrence, by number.
type MarkKey struct {
	Occurrence int
	Kind       result.MarkKind
}

// Resolution says when an alert that had fired after an occurrence was resolved. Times are offsets from t0.
type Resolution struct {
	At    time.Duration // time of the resolution; zero if there is none
	Still time.Duration // time of the last query at which it still fired
	Why   string        // why the resolution is unknown; empty if it is known
}
