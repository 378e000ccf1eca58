// Package result holds what a finished run has to say: the types that result.json and events.jsonl are
// written from, their JSON Schemas, and the file of single requests.
//
//	run -> Result -> result.json -> reporters, compare, gate
//
// [Result] is the only interface between a run and its reports. Keys are added, never renamed or
// removed, so that every version of brunt reads the results of older ones.
package result

import (
	"time"

	"brunt/scenarios"
)

// ResultVersion is the version of result.json.
const ResultVersion = 1

// A Result is everything a finished run has to say. Reporters read it; nothing
// else does. It encodes to result.json, version 1: keys are added, never renamed
// or removed. Durations are seconds, times offsets from t0, shares 0 to 1.
type Result struct {
	Version     int               `json:"version"`              // of this file
	Run         string            `json:"run"`                  // names this run
	Name        string            `json:"name"`                 // of the scenario
	Hypothesis  string            `json:"hypothesis,omitempty"` // what its author expected to see
	Seed        uint64            `json:"seed"`                 // every random choice but uuid() came from it
	Verdict     scenarios.Verdict `json:"verdict"`              // what the run came to
	ExitCode    int               `json:"exit_code"`            // of brunt
	Reason      string            `json:"reason"`               // one sentence
	Meta        scenarios.Meta    `json:"meta,omitempty"`       // what the run is to its organisation: operator, approver, ticket, closes and others
	Started     time.Time         `json:"started"`              // when the run began
	T0          time.Time         `json:"t0"`                   // what offsets count from
	Ended       time.Time         `json:"ended"`                // when the verdict was known
	Duration    Num               `json:"duration"`             // of the judged load
	Chaos       bool              `json:"chaos"`                // faults were injected
	Control     bool              `json:"control,omitempty"`    // --no-chaos: the scenario's faults were left out
	Imported    string            `json:"imported,omitempty"`   // the tool and the file that it was made from; empty: brunt ran it
	Environment Environment       `json:"environment"`          // where the run took place
	Scenario    string            `json:"scenario"`             // as resolved, secrets masked
	Loads       []LoadInfo        `json:"loads"`                // what flowed
	Phases      []Phase           `json:"phases"`               // the stretches of the run that cells were composed for
	Cells       []Cell            `json:"cells"`                // what was measured, by phase, load, step and outcome
	Errors      []ErrorGroup      `json:"errors"`               // what went wrong, by cause and step
	Slowest     []SlowRequest     `json:"slowest,omitempty"`    // of each step, in the run and while each fault was in
	TraceLink   string            `json:"trace_link,omitempty"` // where a trace is seen; ${trace.id} in it is its id
	Generator   Generator         `json:"generator"`            // brunt's own health
	Faults      []FaultRecord     `json:"faults"`               // each occurrence of each fault, as it really happened
	Repeats     []Repeat          `json:"repeats,omitempty"`    // of faults that came several times
	Objectives  []ObjectiveResult `json:"objectives"`           // each with its answer
	Windows     []Window          `json:"windows"`              // what was measured, by second, load and step
	Ledger      *LedgerRecord     `json:"ledger,omitempty"`     // nil: the scenario has none
	Usage       []UnitUsage       `json:"usage,omitempty"`      // what the target's units used
	Series      []Series          `json:"series,omitempty"`     // what the scenario named under metrics, by time
	Alerts      []AlertRecord     `json:"alerts,omitempty"`     // what the team's own monitoring made of it
	Metrics     []ScriptMetric    `json:"metrics,omitempty"`    // of scripts, their own and k6's, over the whole run
	Comparison  *Comparison       `json:"comparison,omitempty"` // with earlier runs; nil: none was given
	Notes       []string          `json:"notes,omitempty"`      // what a reader should know, in sentences

	Requests   RequestSource `json:"-"` // every one of them; nil: the run kept none
	Histograms Histograms    `json:"-"` // by the numbers that cells and windows carry
	Events     []Event       `json:"-"` // for events.jsonl
	Going      *Going        `json:"-"` // nil: the run is over
}

// Going says that a result is of a run that goes on: what it came to so far. Its verdict
// is [Running]; an objective that can't be answered yet is [Pending]; intervals of
// objectives and what comes of recovery are known in the end.
type Going struct {
	At    time.Duration // now, an offset from t0
	End   time.Duration // when the judged load is to end
	Brief bool          // the page is to leave out what takes long to draw
}

// LoadInfo says what a load was.
type LoadInfo struct {
	Name     string   `json:"name"`             // as the scenario has it
	Executor string   `json:"executor"`         // how its iterations began
	Engine   string   `json:"engine,omitempty"` // what made its requests; empty is brunt itself
	Closed   bool     `json:"closed"`           // such a load hides stalls
	Start    Num      `json:"start"`            // of its first iteration, an offset from t0
	End      Num      `json:"end"`              // of its schedule, an offset from t0
	Steps    []string `json:"steps"`            // by name, in the order of its flows
}

// An ObjectiveResult is an objective with its answer.
type ObjectiveResult struct {
	ID       string            `json:"id"`                 // unique within its list
	Text     string            `json:"text"`               // as written
	Phase    string            `json:"phase"`              // that it was judged in
	Metric   string            `json:"metric"`             // what was measured
	Op       string            `json:"op"`                 // < <= > >= or =
	Target   Num               `json:"target"`             // what it was held to
	Measured Num               `json:"measured"`           // null: unknown, or infinite
	Low      Num               `json:"low"`                // 95 % interval
	High     Num               `json:"high"`               // 95 % interval
	Count    int64             `json:"count"`              // requests that it was judged by
	Verdict  scenarios.Verdict `json:"verdict"`            // what it came to
	Note     string            `json:"note,omitempty"`     // why, in a sentence
	List     string            `json:"list,omitempty"`     // slo (empty), steady, or threshold: of a script
	Infinite bool              `json:"infinite,omitempty"` // measured has no bound: more failed than the percentile leaves out
}
