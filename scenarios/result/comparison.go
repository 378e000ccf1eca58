package result

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// A Comparison compares a run with earlier runs, which are its base. It does not change the run's own verdict.
type Comparison struct {
	Verdict    scenarios.Verdict `json:"verdict"`              // pass, regression or inconclusive
	Reason     string            `json:"reason"`               // one sentence
	Caution    string            `json:"caution,omitempty"`    // caveats of the comparison
	Base       []string          `json:"base" mask:"-"`        // names of the earlier runs
	Alpha      Num               `json:"alpha"`                // probability of a false alarm over all rows together
	Rows       []Change          `json:"rows"`                 // in the order of phases, loads and steps
	Mismatches []string          `json:"mismatches,omitempty"` // differences between the runs, other than measurements
	// the run of base whose windows charts show beside this run's
	Drawn string `json:"drawn,omitempty" mask:"-"`
	// measurements of that run by second, over all loads and steps, for charts
	Windows []Window `json:"windows,omitempty"`
}

// A Change is the difference between this run and base in one metric of one phase, load and step.
type Change struct {
	Phase  slo.Phase `json:"phase" mask:"-"`   // as in cells
	Load   string    `json:"load" mask:"-"`    // * is all loads
	Step   string    `json:"step" mask:"word"` // * is all steps; for a figure of a unit, the unit
	Metric string    `json:"metric" mask:"-"`  // p50 p90 p95 p99 errors rate recover cpu memory
	// unit of base and this: seconds, share (0 to 1), per second, cores, bytes; empty means a plain number
	Unit   string `json:"unit,omitempty" mask:"word"`
	OfUnit bool   `json:"of_unit,omitempty"` // the figure belongs to a unit of the target, which step names
	// value of base: geometric mean of its runs; for shares, the arithmetic mean
	Base Num `json:"base"`
	This Num `json:"this"` // value of this run
	// by how much this run is worse: as a share of base; for shares, the difference; negative means better
	Worse Num `json:"worse"`
	// one-sided lower bound of worse; null where a single run gives no bound
	Low     Num               `json:"low"`
	High    Num               `json:"high"`           // one-sided upper bound of worse
	Margin  Num               `json:"margin"`         // value of worse that is tolerated
	Verdict scenarios.Verdict `json:"verdict"`        // pass, fail or inconclusive
	Note    string            `json:"note,omitempty"` // reason for the verdict, where it is not obvious
}

// A Decision is the result of `brunt gate`, `ab` or `compare`, in words for reports.
type Decision struct {
	Kind       string            // gate, ab or compare
	Name       string            // name of the scenario
	Word       string            // the verdict as a word: PASS, REGRESSION, INCONCLUSIVE, LEARNING 3/8
	Verdict    scenarios.Verdict // none while a gate learns; the verdict of a run if that run ended the comparison
	ExitCode   int
	Reason     string      // one sentence
	Metrics    []Judged    // the compared metrics
	Says       []string    // sentences about metrics that are undecided, have moved or are left out
	Basis      string      // the runs that it rests on, and how often it is wrong
	Statistics []string    // sentences on how it was computed
	Runs       []JudgedRun // the runs, in order
	Started    time.Time
	Took       Num // seconds
}

// A Judged is one metric of a decision, as texts for reports.
type Judged struct {
	Name               string // name with phase, load and step
	Verdict            scenarios.Verdict
	Base, Now          string // values before and now
	Change, Low, High  string // such as "4% worse", with its bounds
	Margin, Sees, Note string
	Sentence           string

	Worse, AtLeast, AtMost, Limit Num // change, bounds and margin as numbers: shares, worse is positive
}

// A JudgedRun is a run that a decision rests on, or a run that was repeated.
type JudgedRun struct {
	Name, Folder string
	Started      time.Time
	Figures      string // figures in brief
	State        string // says that the run counts, or why it does not
}
