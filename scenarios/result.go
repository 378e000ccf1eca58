package scenarios

import "time"

// A Result is everything a finished run has to say. Reporters read it; nothing
// else does. It encodes to result.json, version 1: keys are added, never renamed
// or removed. Durations are seconds, times offsets from t0, shares 0 to 1.
type Result struct {
	Version     int               `json:"version"`
	Run         string            `json:"run"` // names this run
	Name        string            `json:"name"`
	Hypothesis  string            `json:"hypothesis,omitempty"`
	Seed        uint64            `json:"seed"`
	Verdict     Verdict           `json:"verdict"`
	ExitCode    int               `json:"exit_code"`
	Reason      string            `json:"reason"` // one sentence
	Started     time.Time         `json:"started"`
	T0          time.Time         `json:"t0"` // what offsets count from
	Ended       time.Time         `json:"ended"`
	Duration    Num               `json:"duration"`          // of the judged load
	Chaos       bool              `json:"chaos"`             // faults were injected
	Control     bool              `json:"control,omitempty"` // --no-chaos: the scenario's faults were left out
	Environment Environment       `json:"environment"`
	Scenario    string            `json:"scenario"` // as resolved, secrets masked
	Loads       []LoadInfo        `json:"loads"`
	Phases      []Phase           `json:"phases"`
	Cells       []Cell            `json:"cells"`
	Errors      []ErrorGroup      `json:"errors"`
	Generator   Generator         `json:"generator"`
	Faults      []FaultRecord     `json:"faults"`
	Repeats     []Repeat          `json:"repeats,omitempty"` // of faults that came several times
	Objectives  []ObjectiveResult `json:"objectives"`
	Windows     []Window          `json:"windows"`
	Notes       []string          `json:"notes,omitempty"`

	Histograms Histograms `json:"-"` // by the numbers that cells and windows carry
	Events     []Event    `json:"-"` // for events.jsonl
}

// LoadInfo says what a load was.
type LoadInfo struct {
	Name     string   `json:"name"`
	Executor string   `json:"executor"`
	Closed   bool     `json:"closed"` // such a load hides stalls
	Start    Num      `json:"start"`
	End      Num      `json:"end"`
	Steps    []string `json:"steps"`
}

// An ObjectiveResult is an objective with its answer.
type ObjectiveResult struct {
	ID       string  `json:"id"`
	Text     string  `json:"text"`
	Phase    string  `json:"phase"`
	Metric   string  `json:"metric"`
	Op       string  `json:"op"`
	Target   Num     `json:"target"`
	Measured Num     `json:"measured"`
	Low      Num     `json:"low"` // 95 % interval
	High     Num     `json:"high"`
	Count    int64   `json:"count"`
	Verdict  Verdict `json:"verdict"`
	Note     string  `json:"note,omitempty"`
	List     string  `json:"list,omitempty"` // slo (empty) or steady
	Infinite bool    `json:"infinite,omitempty"`
}
