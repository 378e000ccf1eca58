// Package result holds the results of a finished run: the types that result.json and events.jsonl
// are written from, their JSON Schemas, and the file of single requests.
//
//	run -> Result -> result.json -> reporters, compare, gate
//
// [Result] is the only interface between a run and its reports. Keys are added, never renamed or
// removed, so that every version of brunt reads the results of older ones.
package result

import (
	"encoding/json"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// ResultVersion is the version of result.json that is written.
//
// Since version 2 the times of a fault are those of single requests, and degraded is the sum of bad
// time; in version 1 both were counted in windows.
const ResultVersion = 2

// OldestVersion is the oldest version of result.json that is read.
const OldestVersion = 1

// InWindows reports whether the times of faults are those of windows, as before version 2. They are not
// compared with those of requests.
func (r *Result) InWindows() bool { return r.Version == 1 }

// Upgrade sets what an older version did not write: to its value where that follows, else to unknown.
func (r *Result) Upgrade() {
	if r.Comparison != nil {
		r.Comparison.upgrade()
	}
	if !r.InWindows() {
		return
	}
	for i := range r.Faults {
		f := &r.Faults[i]
		f.RecoveredLow, f.RecoveredHigh, f.RelapsedAt = NaN, NaN, NaN
	}
}

// A Result is the complete result of a finished run, and the only input of reporters. It encodes
// to result.json, version 2: keys are added, never renamed or removed. Durations are seconds,
// times offsets from t0, shares 0 to 1.
type Result struct {
	Version    int               `json:"version"`                // of this file
	Run        string            `json:"run" mask:"-"`           // id of this run
	Name       string            `json:"name"`                   // of the scenario
	Hypothesis string            `json:"hypothesis,omitempty"`   // what its author expected
	Seed       uint64            `json:"seed"`                   // seed of every random choice but uuid()
	Verdict    scenarios.Verdict `json:"verdict"`                // verdict of the run
	ExitCode   int               `json:"exit_code"`              // of brunt
	Reason     string            `json:"reason"`                 // one sentence
	Reasons    []Reason          `json:"reasons,omitempty"`      // of the verdict, as data, the one of the sentence first
	Why        Why               `json:"why,omitempty" mask:"-"` // of the verdict, where code asks for it
	// description of the run for its organisation: operator, approver, ticket, closes and others
	Meta     scenarios.Meta `json:"meta,omitempty"`
	Started  time.Time      `json:"started"`           // when the run began
	T0       time.Time      `json:"t0"`                // start of all offsets
	Ended    time.Time      `json:"ended"`             // when the verdict was known
	Duration Num            `json:"duration"`          // of the judged load
	Chaos    bool           `json:"chaos"`             // faults were injected
	Control  bool           `json:"control,omitempty"` // --no-chaos: the scenario's faults were left out
	// the tool and the file that it was made from; empty: brunt ran it
	Imported    string        `json:"imported,omitempty"`
	Environment Environment   `json:"environment"`          // where the run took place
	Scenario    string        `json:"scenario"`             // as resolved, secrets masked
	Loads       []LoadInfo    `json:"loads"`                // the loads of the run
	Phases      []Phase       `json:"phases"`               // the stretches of the run that cells are computed for
	Cells       []Cell        `json:"cells"`                // measurements by phase, load, step and outcome
	Blocks      []Block       `json:"blocks,omitempty"`     // of a side of a switchback: measurements by block
	Errors      []ErrorGroup  `json:"errors"`               // errors by cause and step
	Slowest     []SlowRequest `json:"slowest,omitempty"`    // of each step, in the run and during each fault
	TraceLink   string        `json:"trace_link,omitempty"` // URL of a trace; ${trace.id} in it stands for its id
	Generator   Generator     `json:"generator"`            // health of the load generator
	Workers     []Worker      `json:"workers,omitempty"`    // processes that made the load; empty: brunt's own alone
	Conditions  []Condition   `json:"conditions,omitempty"` // faults that held for the whole run
	Faults      []FaultRecord `json:"faults"`               // actual course of each occurrence of each fault
	// stretches of the load whose share of bad requests exceeded the limit, in the order of time
	Incidents  []Incident        `json:"incidents"`
	Repeats    []Repeat          `json:"repeats,omitempty"` // of faults that occurred several times
	Objectives []ObjectiveResult `json:"objectives"`        // each with its answer
	Windows    []Window          `json:"windows"`           // measurements by second, load and step
	Ledger     *LedgerRecord     `json:"ledger,omitempty"`  // nil: the scenario has none, or has them by name
	Ledgers    []*LedgerRecord   `json:"ledgers,omitempty"` // those with names
	Usage      []UnitUsage       `json:"usage,omitempty"`   // resources that the target's units used
	Watches    []Watch           `json:"watches,omitempty"` // what units answered over time to the questions under watch
	// series that the scenario names under metrics, and numbers of watch, over time
	Series     []Series       `json:"series,omitempty"`
	Alerts     []AlertRecord  `json:"alerts,omitempty"`     // alerts of the team's own monitoring
	Metrics    []ScriptMetric `json:"metrics,omitempty"`    // of scripts, their own and k6's, over the whole run
	Comparison *Comparison    `json:"comparison,omitempty"` // with earlier runs; nil: none was given
	Notes      []string       `json:"notes,omitempty"`      // remarks for readers, in sentences

	Logs []UnitLog `json:"logs,omitempty"` // what the units of the target printed, in the run's folder

	Requests   RequestSource `json:"-" mask:"-"` // all requests; nil: the run kept none
	Histograms Histograms    `json:"-" mask:"-"` // by the numbers in cells and windows
	Events     []Event       `json:"-"`          // for events.jsonl
	Going      *Going        `json:"-" mask:"-"` // nil: the run is over
}

// Going marks the result of a run in progress. Its verdict is [scenarios.Running]; the verdict of an
// objective that can't be answered yet is [scenarios.Pending]. Intervals of objectives and recovery are
// known only at the end.
type Going struct {
	At    time.Duration // now, an offset from t0
	End   time.Duration // planned end of the judged load
	Brief bool          // leave out the slow parts of the page
	// planned occurrences of faults, ordered by time; those before At have come
	Timetable []PlannedFault
}

// A UnitLog is the file with what a unit, or the script of a load, has printed.
type UnitLog struct {
	Unit  string `json:"unit" mask:"-"` // service[i]; of a script k6-LOAD
	File  string `json:"file"`          // relative to the run's folder
	Bytes int64  `json:"bytes"`         // at most 64 MiB are kept
}

// LoadInfo describes a load.
type LoadInfo struct {
	Name     string   `json:"name" mask:"-"`             // name in the scenario
	Executor string   `json:"executor" mask:"-"`         // its executor
	Engine   string   `json:"engine,omitempty" mask:"-"` // the engine that made its requests; empty is brunt itself
	Closed   bool     `json:"closed"`                    // it is a closed load, which hides stalls
	Start    Num      `json:"start"`                     // start of its schedule, an offset from t0
	End      Num      `json:"end"`                       // end of its schedule, an offset from t0
	Steps    []string `json:"steps" mask:"word"`         // by name, in the order of its flows
}

// An ObjectiveResult is an objective with its answer.
type ObjectiveResult struct {
	ID       string            `json:"id" mask:"-"`     // unique within its list
	Text     string            `json:"text"`            // as written
	Phase    slo.Phase         `json:"phase" mask:"-"`  // phase that it was judged in
	Metric   string            `json:"metric" mask:"-"` // the measured metric
	Op       string            `json:"op" mask:"-"`     // < <= > >= or =
	Target   Num               `json:"target"`          // target value
	Measured Num               `json:"measured"`        // null: unknown, or infinite
	Low      Num               `json:"low"`             // 95 % interval
	High     Num               `json:"high"`            // 95 % interval
	Count    int64             `json:"count"`           // number of requests that it was judged by
	Verdict  scenarios.Verdict `json:"verdict"`         // verdict of the objective
	Note     string            `json:"note,omitempty"`  // reason, in a sentence
	// reason, as data, which the note says; empty without a note, and in results of earlier versions
	Because Notes  `json:"because,omitempty"`
	Why     Why    `json:"why,omitempty" mask:"-"`  // of the verdict, where code asks for it
	List    string `json:"list,omitempty" mask:"-"` // slo (empty), steady, or threshold: of a script
	// of a closed load whose users waited: the value with the requests that they would have sent, or by
	// time; see note
	Corrected *Num `json:"corrected,omitempty"`
	// exact one-sided 95 % bound of a share, by the number of requests; absent: it is on no share that needs one
	Bound *Num `json:"bound,omitempty"`
	// measured is infinite: more requests failed than the percentile excludes
	Infinite bool `json:"infinite,omitempty"`
	// what the target is a multiple of; absent: the target is a value of its own, or what it is a multiple of is not known
	Reference *Reference `json:"reference,omitempty"`

	// what it asks, which the text says in the language of objectives: set by whoever judges it, and as a file is read;
	// nil: see Asks
	Asked *slo.Objective `json:"-"`
}

// NewObjective returns the result of an objective before anything is known of it.
func NewObjective(o slo.Objective, v scenarios.Verdict) ObjectiveResult {
	return ObjectiveResult{
		ID: o.ID, Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: Num(o.Value),
		Measured: NaN, Low: NaN, High: NaN, Verdict: v, Asked: &o,
	}
}

// UnmarshalJSON reads an objective, and what it asks.
func (o *ObjectiveResult) UnmarshalJSON(b []byte) error {
	type plain ObjectiveResult
	if err := json.Unmarshal(b, (*plain)(o)); err != nil {
		return err
	}
	o.Asked = nil
	if asked, ok := o.Asks(); ok {
		o.Asked = &asked
	}
	return nil
}

// Asks returns what the objective asks. It is false for a text that is in no language of this brunt, such as the
// threshold of a script.
func (o *ObjectiveResult) Asks() (slo.Objective, bool) {
	if o.Asked != nil {
		return *o.Asked, true
	}
	asked, err := slo.ParseObjective(o.Text)
	return asked, err == nil && o.List != "threshold"
}

// Of returns the metric of the objective. One that this brunt does not know has plain numbers.
func (o *ObjectiveResult) Of() slo.Metric {
	if asked, ok := o.Asks(); ok {
		return asked.Metric
	}
	if m, err := slo.ParseMetric(o.Metric); err == nil {
		return m
	}
	return slo.Metric{Unit: slo.Plain}
}

// Why is a reason of a verdict for code that asks: notes and reasons say it in words.
type Why string

// Late: brunt itself was late, stood still, or found no socket, and that alone could turn the answer.
const Late Why = "late"

// Absent: the phase did not occur, or the fault was not injected.
const Absent Why = "absent"

// Doubt makes the objective invalid because brunt itself was late.
func (o *ObjectiveResult) Doubt(why Note) {
	o.Verdict, o.Because, o.Why = scenarios.Invalid, Notes{why}, Late
}

// A Reference is what the target of a relative objective is a multiple of.
type Reference struct {
	Of       string `json:"of" mask:"-"` // the phase, or `load NAME`
	Factor   Num    `json:"factor"`      // 1.1 of 110%
	Measured Num    `json:"measured"`    // the metric there
	Low      Num    `json:"low"`         // its 95 % interval
	High     Num    `json:"high"`        // its 95 % interval
}
