package result

import "brunt/scenarios"

// A Comparison sets a run beside earlier ones that were given as its baseline. It changes
// nothing of the run's own verdict.
type Comparison struct {
	Verdict    scenarios.Verdict `json:"verdict"`              // pass, regression or inconclusive
	Reason     string            `json:"reason"`               // one sentence
	Caution    string            `json:"caution,omitempty"`    // what to know before anything is concluded from it
	Base       []string          `json:"base"`                 // the earlier runs
	Alpha      Num               `json:"alpha"`                // chance of a false alarm over all rows together
	Rows       []Change          `json:"rows"`                 // in the order of phases, loads and steps
	Mismatches []string          `json:"mismatches,omitempty"` // in what the runs differ, beside what was measured
}

// A Change is how one metric of one phase, load and step differs from the baseline.
type Change struct {
	Phase   string            `json:"phase"`          // as in cells
	Load    string            `json:"load"`           // * is all of them
	Step    string            `json:"step"`           // * is all of them; of cpu and memory the unit
	Metric  string            `json:"metric"`         // p50 p90 p95 p99 errors rate recover cpu memory
	Base    Num               `json:"base"`           // of the baseline: geometric mean of its runs, of shares the mean
	This    Num               `json:"this"`           // of this run
	Worse   Num               `json:"worse"`          // by how much it is worse: a share of base, of shares their difference; negative is better
	Low     Num               `json:"low"`            // one-sided lower bound of worse; null where one run tells of none
	High    Num               `json:"high"`           // one-sided upper bound of worse
	Margin  Num               `json:"margin"`         // of worse
	Verdict scenarios.Verdict `json:"verdict"`        // pass, fail or inconclusive
	Note    string            `json:"note,omitempty"` // why, where it is not plain
}
