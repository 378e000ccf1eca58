package search

import "brunt/scenarios/result"

// A Suggestion is the answer of `brunt suggest`: objectives that a baseline meets, each with the share of runs in which
// an unchanged build would fail it.
type Suggestion struct {
	Name string   `json:"name"` // of the scenario
	Runs []string `json:"runs"` // folders of the baseline
	// of a single run: the number of its equal parts that stand for runs; absent if there are several
	Parts      int     `json:"parts,omitempty"`
	Rate       float64 `json:"rate"`       // highest wanted bound of an objective
	Confidence float64 `json:"confidence"` // of each bound
	// upper bound of the share of runs of an unchanged build that fail any one objective of them, whatever the
	// distribution of its figure: every run of the baseline met it
	Any result.Num `json:"any"`
	// number of runs that meet an objective with which Any would be at most Rate
	Enough     int64       `json:"enough"`
	Objectives []Suggested `json:"objectives"` // the proposals
	Left       []LeftOut   `json:"left_out,omitempty"`
}

// A Suggested is a proposed objective.
type Suggested struct {
	Text   string     `json:"text"`   // the objective, as a scenario has it
	Metric string     `json:"metric"` // its metric
	Unit   string     `json:"unit"`   // seconds, share, bytes or per second
	Limit  result.Num `json:"limit"`  // its value
	Low    result.Num `json:"low"`    // least value of the baseline
	High   result.Num `json:"high"`   // largest value of the baseline
	// upper bound of the share of runs of an unchanged build that fail it, if its model holds; null if every value of
	// the baseline is the same, which leaves nothing to fit
	Bound result.Num `json:"bound"`
	Model Model      `json:"model"` // assumption on which Bound rests
}

// A Model is an assumption on how a figure varies between runs of an unchanged build.
type Model string

// The models.
const (
	// LogNormal says that the logarithms of the figure are normally distributed.
	LogNormal Model = "log-normal"
	// Binomial says that a request fails with one probability. Runs with many failures count as fewer requests (Kish,
	// 1965).
	Binomial Model = "binomial"
)

// A LeftOut is a figure without a proposal.
type LeftOut struct {
	Text string  `json:"text"` // the metric, and the step or the unit
	Why  LackWhy `json:"why"`
	Runs int     `json:"runs,omitempty"` // runs, or parts, that lack it
}

// A LackWhy is the reason for which a figure has no proposal.
type LackWhy string

// The reasons.
const (
	LacksValue    LackWhy = "no_value" // some runs, or parts, have too few requests for it
	LacksFinite   LackWhy = "infinite" // in some runs more requests failed than the percentile excludes
	LacksCalm     LackWhy = "faults"   // it is of the whole run, and these runs had faults
	LacksName     LackWhy = "name"     // no objective can name the step
	LacksLimit    LackWhy = "too_wide" // its runs scatter so much that the limit would be over the timeout
	LacksMeaning  LackWhy = "all_fail" // no limit below 100 % has the wanted rate
	LacksPositive LackWhy = "zero"     // it was zero in some runs, and has no logarithm
)
