// Package result holds the results of a finished run: the types that result.json and events.jsonl
// are written from, their JSON Schemas, and the file of single requests.
//
//	run -> Result -> result.json -> reporters, compare, gate
//
// [Result] is the only interface between a run and its reports. Keys are added, never renamed or
// removed, for programs that read them. brunt itself reads results of its own version alone.
package result

import (
	"encoding/json"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/slo"
)

// ResultVersion is the version of result.json. A change of what a key or a value means raises it. brunt reads no other
// version: a figure that means something else must not be compared.
const ResultVersion = 3

// Definitions is the version of the meanings of values in records and results. It is raised with [ResultVersion].
const Definitions = 3

// A Result is the complete result of a finished run, and the only input of reporters. It encodes
// to result.json: keys are added, never renamed or removed. Durations are seconds,
// times offsets from t0, shares 0 to 1.
type Result struct {
	Version    int               `json:"version"`              // version of this file
	Run        string            `json:"run" mask:"-"`         // id of the run
	Name       string            `json:"name"`                 // name of the scenario
	Hypothesis string            `json:"hypothesis,omitempty"` // the result that the author expected
	Seed       uint64            `json:"seed"`                 // seed of every random choice except uuid()
	Verdict    scenarios.Verdict `json:"verdict"`              // verdict of the run
	ExitCode   int               `json:"exit_code"`            // exit code of brunt
	Reason     string            `json:"reason"`               // reason for the verdict, in one sentence
	// reasons for the verdict, as data; the first is the one in reason
	Reasons []Reason `json:"reasons,omitempty"`
	Why     Why      `json:"why,omitempty" mask:"-"` // reason for the verdict, for programs
	// description of the run for its organisation: operator, approver, ticket, closes and others
	Meta     scenarios.Meta `json:"meta,omitempty"`
	Started  time.Time      `json:"started"`           // when the run began
	T0       time.Time      `json:"t0"`                // start of all offsets
	Ended    time.Time      `json:"ended"`             // when the verdict was known
	Duration Num            `json:"duration"`          // length of the judged load, seconds
	Chaos    bool           `json:"chaos"`             // faults were injected
	Control  bool           `json:"control,omitempty"` // --no-chaos: the scenario's faults were left out
	// the tool and the file that the run was imported from; empty if brunt ran it
	Imported    string       `json:"imported,omitempty"`
	Environment Environment  `json:"environment"`      // where the run took place
	Scenario    string       `json:"scenario"`         // the resolved scenario, with secrets masked
	Params      []Param      `json:"params,omitempty"` // parameters of the scenario, in their order
	Loads       []LoadInfo   `json:"loads"`            // the loads of the run
	Phases      []Phase      `json:"phases"`           // the spans of the run for which cells are computed
	Cells       []Cell       `json:"cells"`            // measurements by phase, load, step and outcome
	Blocks      []Block      `json:"blocks,omitempty"` // measurements by block, for a side of a switchback
	Errors      []ErrorGroup `json:"errors"`           // errors by cause and step
	// the slowest requests of each step, in the run and during each fault
	Slowest   []SlowRequest `json:"slowest,omitempty"`
	TraceLink string        `json:"trace_link,omitempty"` // URL of a trace; ${trace.id} in it stands for its id
	Generator Generator     `json:"generator"`            // health of the load generator
	// processes that made the load; empty if brunt's own process made it alone
	Workers    []Worker      `json:"workers,omitempty"`
	Conditions []Condition   `json:"conditions,omitempty"` // faults that held for the whole run
	Faults     []FaultRecord `json:"faults"`               // actual course of each occurrence of each fault
	// spans of the load in which the share of bad requests exceeded the limit, in the order of time
	Incidents []Incident `json:"incidents"`
	// spans in which the target was much slower than usual although no fault was in, in the order of time
	Slowdowns  []Slowdown        `json:"slowdowns,omitempty"`
	Repeats    []Repeat          `json:"repeats,omitempty"` // summaries of faults that occurred several times
	Objectives []ObjectiveResult `json:"objectives"`        // objectives with their verdicts
	// how often the occurrences of faults met objectives on times, in this run and in those on file
	Pools []Pool `json:"pools,omitempty"`
	// how the steps did while all units of a service were away, by step and service
	Needs   []Need   `json:"needs,omitempty"`
	Windows []Window `json:"windows"` // measurements by second, load and step
	// result of the ledger; nil if the scenario has none, or has named ledgers
	Ledger  *LedgerRecord   `json:"ledger,omitempty"`
	Ledgers []*LedgerRecord `json:"ledgers,omitempty"` // results of named ledgers
	// whether reads of registers returned what writes had made of them, by entry of `consistency`
	Consistency []*ConsistencyRecord `json:"consistency,omitempty"`
	// what followed an overload; nil except in a run of `brunt find --hysteresis`
	Overload *Overload   `json:"overload,omitempty"`
	Usage    []UnitUsage `json:"usage,omitempty"` // resources that the target's units used
	// what became of the messages that had to be seen elsewhere, by entry of `deliveries`
	Deliveries []*DeliveryRecord `json:"deliveries,omitempty"`
	// answers of units over time to the questions under `watch`
	Watches []Watch `json:"watches,omitempty"`
	// values over time of the series under `metrics`, and of numbers under `watch`
	Series []Series      `json:"series,omitempty"`
	Alerts []AlertRecord `json:"alerts,omitempty"` // alerts of the team's own monitoring
	// traffic on the links between units of processes, at brunt's proxies
	Links []Link `json:"links,omitempty"`
	// by services, the calls on their links for each request of the load, or the bytes
	Amplification []Amplification `json:"amplification,omitempty"`
	// what the services of the target told by their spans; nil if brunt received none
	Traces *Traces `json:"traces,omitempty"`
	// metrics of scripts, their own and k6's, over the whole run
	Metrics    []ScriptMetric `json:"metrics,omitempty"`
	Comparison *Comparison    `json:"comparison,omitempty"` // comparison with earlier runs; nil if none were given
	// the last runs of the same scenario in the folder that holds the folder of this run, at most nine, the
	// oldest first
	Earlier []Earlier `json:"earlier,omitempty"`
	Notes   []string  `json:"notes,omitempty"` // remarks for readers, in sentences

	// version of the meanings of the values, which may change while the keys stay; zero means 1
	Definitions int       `json:"definitions,omitempty"`
	Logs        []UnitLog `json:"logs,omitempty"` // files in the run's folder with the output of the target's units

	Requests   RequestSource `json:"-" mask:"-"` // all requests; nil if the run did not keep them
	Histograms Histograms    `json:"-" mask:"-"` // histograms, by the numbers in cells and windows
	Events     []Event       `json:"-"`          // events, for events.jsonl
	Going      *Going        `json:"-" mask:"-"` // state of a run in progress; nil if the run is over
}

// Going marks the result of a run in progress. The verdict of such a run is [scenarios.Running]; the verdict of an
// objective that can't be judged yet is [scenarios.Pending]. Intervals of objectives, and recovery, are known only at
// the end.
type Going struct {
	At    time.Duration // now, an offset from t0
	End   time.Duration // planned end of the judged load
	Brief bool          // says that the page leaves out its slow parts
	// planned occurrences of faults, ordered by time; the occurrences before At have begun
	Timetable []PlannedFault
}

// A UnitLog is the file with the output of a unit, or of the script of a load.
type UnitLog struct {
	Unit  string `json:"unit" mask:"-"` // service[i]; for a script, k6-LOAD
	File  string `json:"file"`          // relative to the run's folder
	Bytes int64  `json:"bytes"`         // size of the file; at most 64 MiB are kept
}

// LoadInfo describes a load.
type LoadInfo struct {
	Name     string   `json:"name" mask:"-"`             // name in the scenario
	Executor string   `json:"executor" mask:"-"`         // its executor
	Engine   string   `json:"engine,omitempty" mask:"-"` // the engine that made its requests; empty means brunt itself
	Closed   bool     `json:"closed"`                    // the load is closed, which hides stalls
	Start    Num      `json:"start"`                     // start of its schedule, an offset from t0
	End      Num      `json:"end"`                       // end of its schedule, an offset from t0
	Steps    []string `json:"steps" mask:"word"`         // names of its steps, in the order of its flows
	// how long its requests wait for an answer, seconds; absent if that is not known
	Timeout Num `json:"timeout,omitempty"`
	// max_in_flight of the scenario; absent if it sets none
	MaxInFlight int `json:"max_in_flight,omitempty"`
}

// An ObjectiveResult is an objective with its measured value and verdict.
type ObjectiveResult struct {
	ID       string            `json:"id" mask:"-"`     // unique within its list
	Text     string            `json:"text"`            // the objective, as written
	Phase    slo.Phase         `json:"phase" mask:"-"`  // phase that it was judged in
	Metric   string            `json:"metric" mask:"-"` // the measured metric
	Op       string            `json:"op" mask:"-"`     // < <= > >= or =
	Target   Num               `json:"target"`          // target value
	Measured Num               `json:"measured"`        // measured value; null means unknown or infinite
	Low      Num               `json:"low"`             // lower end of the 95 % interval of the measured value
	High     Num               `json:"high"`            // upper end of the 95 % interval of the measured value
	Count    int64             `json:"count"`           // number of requests that it was judged by
	Verdict  scenarios.Verdict `json:"verdict"`         // verdict of the objective
	Note     string            `json:"note,omitempty"`  // reason for the verdict, in a sentence
	// reason for the verdict as data; empty if there is no note
	Because Notes `json:"because,omitempty"`
	Why     Why   `json:"why,omitempty" mask:"-"` // reason for the verdict, for programs
	// list of the objective: empty for slo, steady, or threshold for one of a script
	List string `json:"list,omitempty" mask:"-"`
	// for a closed load whose users waited: the value with the requests that they would have sent, or the value by
	// time; see note
	Corrected *Num `json:"corrected,omitempty"`
	// exact one-sided 95 % bound of a share, for the number of requests; absent if the objective needs none
	Bound *Num `json:"bound,omitempty"`
	// measured is infinite: more requests failed than the percentile excludes
	Infinite bool `json:"infinite,omitempty"`
	// the value that the target is a multiple of; absent if the target is a plain value, or if that value is not
	// known
	Reference *Reference `json:"reference,omitempty"`

	// answers of the occurrences of the fault that the objective sets a time for, in the order of injection;
	// absent for
	// other objectives
	Drills []Drill `json:"drills,omitempty"`

	// the objective that Text states. It is set by the judge, and when a file is read; if it is nil, Asks parses Text
	Asked *slo.Objective `json:"-"`
}

// NewObjective returns a result of objective o with verdict v and no measured value.
func NewObjective(o slo.Objective, v scenarios.Verdict) ObjectiveResult {
	return ObjectiveResult{
		ID: o.ID, Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: Num(o.Value),
		Measured: NaN, Low: NaN, High: NaN, Verdict: v, Asked: &o,
	}
}

// UnmarshalJSON reads an objective and sets Asked.
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

// Asks returns the objective that the text states. It returns false for a text that this version can't parse, such as
// the threshold of a script.
func (o *ObjectiveResult) Asks() (slo.Objective, bool) {
	if o.Asked != nil {
		return *o.Asked, true
	}
	if len(o.Text) > longestObjective {
		return slo.Objective{}, false
	}
	asked, err := slo.ParseObjective(o.Text)
	return asked, err == nil && o.List != "threshold"
}

// longestObjective is the length of the longest text that is parsed as an objective, in bytes.
const longestObjective = 4 << 10

// Of returns the metric of the objective. A metric that this version does not know is a plain number.
func (o *ObjectiveResult) Of() slo.Metric {
	if asked, ok := o.Asks(); ok {
		return asked.Metric
	}
	if m, err := slo.ParseMetric(o.Metric); err == nil {
		return m
	}
	return slo.Metric{Unit: slo.Plain}
}

// Why is a reason for a verdict that programs can test for. Notes and reasons give it in words.
type Why string

// Late means that brunt itself was late, stood still, or found no socket, and that this alone could change the
// verdict.
const Late Why = "late"

// Absent means that the phase did not occur, or that the fault was not injected.
const Absent Why = "absent"

// Doubt makes the objective invalid because brunt itself was late.
func (o *ObjectiveResult) Doubt(why Note) {
	o.Verdict, o.Because, o.Why = scenarios.Invalid, Notes{why}, Late
}

// A Reference is the value that the target of a relative objective is a multiple of.
type Reference struct {
	Of       string `json:"of" mask:"-"` // the phase, or `load NAME`
	Factor   Num    `json:"factor"`      // factor of the target, such as 1.1 for 110%
	Measured Num    `json:"measured"`    // value of the metric in the reference
	Low      Num    `json:"low"`         // lower end of its 95 % interval
	High     Num    `json:"high"`        // upper end of its 95 % interval
}
