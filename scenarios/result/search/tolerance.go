package search

import (
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// A Tolerance is the result of a search for the lowest dose at which the answer of the target changes.
type Tolerance struct {
	Version int        `json:"version"`          // of this file
	Name    string     `json:"name"`             // of the scenario
	Setting Dose       `json:"setting"`          // whose dose was searched
	Commit  string     `json:"commit,omitempty"` // of the system under test, from --commit
	Started time.Time  `json:"started"`
	Took    result.Num `json:"took"` // seconds
	// the earlier search that this one was compared with, and what came of it; nil if there was none
	Against *Against `json:"against,omitempty"`

	// the interval that holds the change: the answer at Low is Below, and the answer at High is Above. Low is zero
	// where the target meets its objectives without the fault alone. High is null if nothing changes up to To
	Low  float64    `json:"low"`
	High result.Num `json:"high"`
	// holds or breaks, at the ends; Above is empty if High is null
	Below Answer `json:"below"`
	Above Answer `json:"above,omitempty"`
	// least probability that the interval holds the dose at which half of all runs fail; zero means that probes of
	// one dose contradicted each other at every dose that could be an end, or that the search is partial
	Confidence float64  `json:"confidence"`
	Partial    bool     `json:"partial,omitempty"`           // an error or a user ended the search before its answer
	From       float64  `json:"from"`                        // the smallest dose of the grid
	To         float64  `json:"to"`                          // the largest dose of the grid
	Limited    float64  `json:"limited,omitempty"`           // a dose at which brunt itself was the limit; zero: none
	Objective  string   `json:"failed_objective,omitempty"`  // text of the objective that failed first
	Objectives []string `json:"failed_objectives,omitempty"` // texts of all objectives that failed at that end
	Why        string   `json:"why,omitempty"`               // what a probe observed where the objectives failed
	// every change of the answer between doses that follow each other, from the smallest; the first is the interval
	Changes []Change `json:"changes"`
	Doses   []Dosed  `json:"doses"`  // the decided doses, from the smallest
	Probes  []Probed `json:"probes"` // in their order
}

// A Change is a change of the answer between two doses.
type Change struct {
	From float64 `json:"from"` // the lower dose
	To   float64 `json:"to"`   // the higher dose
	Then Answer  `json:"then"` // answer at the higher dose
}

// A Dosed is a dose on which a majority decided.
type Dosed struct {
	Dose   float64 `json:"dose"`
	Answer Answer  `json:"answer"` // holds, breaks or limited
}

// A Probed is one probe of a dose.
type Probed struct {
	Dose    float64  `json:"dose"` // zero is a run without the fault
	Answer  Answer   `json:"answer"`
	Why     string   `json:"why"`
	Failed  []string `json:"failed_objectives,omitempty"` // texts of the objectives that failed
	Figures *Figures `json:"figures,omitempty"`           // what it measured in the phase of the fault
}

// An Against is a comparison with an earlier search.
type Against struct {
	Started string            `json:"started"`          // when the earlier search began
	Commit  string            `json:"commit,omitempty"` // of the system under test then
	Low     float64           `json:"low"`
	High    float64           `json:"high,omitempty"` // zero: nothing changed up to the largest dose
	Verdict scenarios.Verdict `json:"verdict"`        // pass, regression or inconclusive
}

// Figure names the tolerance: tolerance(slow-store.delay).
func (t *Tolerance) Figure() string { return "tolerance(" + t.Setting.Name() + ")" }

// Found reports whether the search knows the answer with its confidence.
func (t *Tolerance) Found() bool { return t.Below != "" && t.Confidence > 0 }

// A CurvePoint is a dose with the medians of its probes; NaN is not known.
type CurvePoint struct {
	Dosed
	Agree, Probes int     // probes with that answer, of all at the dose
	P95           float64 // seconds; infinite if more requests failed than it allows
	Good          float64 // requests a second that were answered with every check held
	Failed        float64 // share of requests that failed or were skipped, 0 to 1
}

// Curve returns the decided doses with their figures, from the smallest.
func (t *Tolerance) Curve() (list []CurvePoint) {
	for _, d := range t.Doses {
		p := CurvePoint{Dosed: d}
		var p95, good, failed []float64
		for _, probed := range t.Probes {
			if probed.Dose != d.Dose || probed.Answer == Disturbed {
				continue
			}
			p.Probes++
			if probed.Answer == d.Answer {
				p.Agree++
			}
			if f := probed.Figures; f != nil {
				p95, good, failed = append(p95, f.Tail()), append(good, f.Good), append(failed, f.Failed)
			}
		}
		p.P95, p.Good, p.Failed = middle(p95), middle(good), middle(failed)
		list = append(list, p)
	}
	return list
}

// middle returns the median of a list, the upper one of two; NaN of an empty list.
func middle(list []float64) float64 {
	if len(list) == 0 {
		return math.NaN()
	}
	slices.Sort(list)
	return list[len(list)/2]
}
