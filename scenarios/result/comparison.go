package result

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// A Comparison compares a run with earlier runs given as its baseline. It does not change the
// run's own verdict.
type Comparison struct {
	Verdict    scenarios.Verdict `json:"verdict"`                  // pass, regression or inconclusive
	Reason     string            `json:"reason"`                   // one sentence
	Caution    string            `json:"caution,omitempty"`        // caveats of the comparison
	Base       []string          `json:"base" mask:"-"`            // the earlier runs
	Alpha      Num               `json:"alpha"`                    // probability of a false alarm over all rows together
	Rows       []Change          `json:"rows"`                     // in the order of phases, loads and steps
	Mismatches []string          `json:"mismatches,omitempty"`     // differences between the runs, other than measurements
	Drawn      string            `json:"drawn,omitempty" mask:"-"` // the run of base that charts show beside this one
	// of that run: measurements by second over all loads and steps, for the charts
	Windows []Window `json:"windows,omitempty"`
}

// A Change is the difference of one metric of one phase, load and step from the baseline.
type Change struct {
	Phase  slo.Phase `json:"phase" mask:"-"`   // as in cells
	Load   string    `json:"load" mask:"-"`    // * is all loads
	Step   string    `json:"step" mask:"word"` // * is all steps; of a figure of a unit the unit
	Metric string    `json:"metric" mask:"-"`  // p50 p90 p95 p99 errors rate recover cpu memory
	// of base and this: seconds, share (0 to 1), per second, cores, bytes; empty is a plain number
	Unit   string `json:"unit,omitempty" mask:"word"`
	OfUnit bool   `json:"of_unit,omitempty"` // it is a figure of a unit of the target, which step names
	// value of the baseline: geometric mean of its runs, of shares the mean
	Base Num `json:"base"`
	This Num `json:"this"` // value of this run
	// by how much it is worse: a share of base, of shares their difference; negative is better
	Worse Num `json:"worse"`
	// one-sided lower bound of worse; null where a single run gives none
	Low     Num               `json:"low"`
	High    Num               `json:"high"`           // one-sided upper bound of worse
	Margin  Num               `json:"margin"`         // tolerance of worse
	Verdict scenarios.Verdict `json:"verdict"`        // pass, fail or inconclusive
	Note    string            `json:"note,omitempty"` // reason, where it is not obvious
}

// A Decision is what `brunt gate`, `ab` or `compare` came to, in words for reports.
type Decision struct {
	Kind       string            // gate, ab or compare
	Name       string            // of the scenario
	Word       string            // the verdict as a word: PASS, REGRESSION, INCONCLUSIVE, LEARNING 3/8
	Verdict    scenarios.Verdict // none while a gate learns; that of the run where a run ended it
	ExitCode   int
	Reason     string      // one sentence
	Metrics    []Judged    // what was compared
	Says       []string    // sentences about what is undecided, moved or left out
	Basis      string      // what it rests on, and how often it is wrong
	Statistics []string    // sentences on how it came about
	Runs       []JudgedRun // in their order
	Started    time.Time
	Took       Num // seconds
}

// A Judged is a metric of a decision.
type Judged struct {
	Name               string // with its place
	Verdict            scenarios.Verdict
	Base, Now          string // before and now
	Change, Low, High  string // "4% worse"; its certain bounds
	Margin, Sees, Note string
	Sentence           string

	Worse, AtLeast, AtMost, Limit Num // change, bounds and margin as numbers: shares, worse is positive
}

// A JudgedRun is a run that a decision rests on, or one that was made again.
type JudgedRun struct {
	Name, Folder string
	Started      time.Time
	Figures      string // in brief
	State        string // counts, or why it does not
}

// upgrade sets the units of changes that older versions wrote without them: those of the same metrics in
// objectives, where the figure of a unit is named service.figure.
func (c *Comparison) upgrade() {
	for i := range c.Rows {
		r := &c.Rows[i]
		if r.Unit != "" {
			continue
		}
		m, err := slo.ParseMetric(r.Metric)
		if err != nil {
			m, err = slo.ParseMetric("unit." + r.Metric)
			r.OfUnit = r.OfUnit || err == nil
		}
		if err == nil {
			r.Unit = UnitOf(m.Unit)
		}
	}
}
