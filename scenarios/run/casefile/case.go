// Package casefile stores what the verdict of a run follows from, so that another version of brunt can judge the same
// run and be compared.
//
//	BRUNT_CASES=DIR brunt run …  -->  DIR/RUN-*.case  --Judge--> result.json, texts, which a golden file holds
//
// A case file is a zip archive. case.json holds what the timeline and the readings beside the load wrote, cells.bin the
// recording as [measure.Recording.Write] writes it, events.json the events of the run, result.json the result as the
// run itself wrote it, and log.json the requests as a scripted server saw them, if one was there.
//
// The types in this file are the format. They are data of their own, and name no type of the judge, so the judge may
// change. [Case.Judge] and [Taken] are the only functions that know both. Values of result.json keep its keys.
//
// A case holds the texts of a run without masking secrets that only its middle stages see: record none of a run with
// real secrets.
package casefile

import (
	"time"

	"brunt/scenarios/result"
)

// version is the version of the format. It changes when the meaning of a field changes.
const version = 1

// A Case is a run before its verdict.
type Case struct {
	Version  int
	Origin   string `json:",omitempty"` // how it came about, in words
	Measured Measured
	Asked    Asked
	Known    Known

	Cells  []byte         `json:"-"` // cells.bin
	Events []result.Event `json:"-"` // events.json
	Result []byte         `json:"-"` // result.json of the run itself; empty for one that was played
	Log    []Request      `json:"-"` // log.json
}

// A Span is a part of the run. Its times are offsets from t0, like all times here, in nanoseconds.
type Span struct{ From, To time.Duration }

// Measured holds what the recorder wrote, besides the cells.
type Measured struct {
	Loads     []Load
	Steps     []Step
	Limits    []Limit
	Slow      time.Duration   `json:",omitempty"` // an ok answer that takes longer is bad; zero: no limit
	SlowShare float64         `json:",omitempty"` // the share by which the baseline gave the limits
	SlowBy    []time.Duration `json:",omitempty"` // these limits, by step
	Timeout   time.Duration
	Faults    []Injection
	Sets      [][]int32       // sets of faults by number, which cells name
	Marks     []time.Duration `json:",omitempty"` // instants at which windows are cut, besides whole seconds
	InFlight  []InFlight      `json:",omitempty"`
	Freezes   []Span          `json:",omitempty"`
	Failed    string          `json:",omitempty"` // the error of the recording; empty: none
	Causes    []Cause         `json:",omitempty"`
}

// A Load is a load of the recording.
type Load struct {
	Name    string
	Closed  bool
	Users   int
	Timeout time.Duration
	Attempt time.Duration
	Grace   time.Duration
}

// A Step is a step of a load, by its number.
type Step struct {
	Name string
	Load int
	Part bool
	Init bool
}

// A Limit is a time that an objective names.
type Limit struct {
	At        time.Duration
	Inclusive bool
	Service   bool
	Edges     bool
}

// An Injection is an occurrence of a fault. Its number is its place in the list.
type Injection struct {
	Name     string // empty if it was not injected after all
	Fault    string
	Injected time.Duration
	Cleared  time.Duration // valid if Over
	Over     bool
}

// InFlight is the most iterations under way in a window.
type InFlight struct {
	Start time.Duration
	Most  int64
}

// A Cause is the name of a cause in the cells.
type Cause struct {
	Number uint32
	Name   string
}

// Asked holds the objectives, and what timeline and readings say of the faults and the machine.
type Asked struct {
	Objectives []Objective
	Steady     *Objective `json:",omitempty"` // the condition on requests that did not hold
	Faults     map[string]FaultRules
	Loads      []Span // when each load could begin iterations
	Blocks     []Span `json:",omitempty"`
	EndedEarly bool   `json:",omitempty"`
	Warmup     time.Duration
	Hold       time.Duration
	Limit      float64
	Strict     bool     `json:",omitempty"`
	Checks     []string `json:",omitempty"`
	Families   []Family `json:",omitempty"`

	Occurrences map[int]*Occurrence      // by number
	Stages      map[string]time.Duration `json:",omitempty"`
	Recurring   []time.Duration          `json:",omitempty"`
	Skipped     []Skipped                `json:",omitempty"`
	Lost        *Lost                    `json:",omitempty"`

	Held      []Span   `json:",omitempty"`
	Used      []Span   `json:",omitempty"`
	Contested []Span   `json:",omitempty"`
	Waits     *Waits   `json:",omitempty"` // nil: waits for a processor were not read
	Peers     bool     `json:",omitempty"`
	OwnLoad   bool     `json:",omitempty"` // brunt's own process made the load, so that its processor time tells of it
	Traced    []Traced `json:",omitempty"`
	SpansCame bool     `json:",omitempty"`
	Spans     bool     `json:",omitempty"` // brunt received spans, or would have
}

// An Objective is an objective by its text.
type Objective struct{ ID, Text string }

// FaultRules are what the scenario says of a fault.
type FaultRules struct {
	RequireImpact bool
	Group         bool
	OneShot       bool
}

// A Family is a range of causes of a protocol.
type Family struct {
	First    uint32
	Bits     int
	TimedOut int32
}

// An Occurrence holds what is known of an occurrence besides its times.
type Occurrence struct {
	NoTraffic  *bool                    `json:",omitempty"` // nil: its requests are counted
	Ended      *time.Duration           `json:",omitempty"` // when it was over, if that was before the end of its phase
	StaysDown  bool                     `json:",omitempty"`
	Gone       bool                     `json:",omitempty"`
	Unverified bool                     `json:",omitempty"`
	Partial    bool                     `json:",omitempty"`
	Acts       []time.Duration          `json:",omitempty"` // when later steps of a group were injected
	Unwell     []Span                   `json:",omitempty"` // when a unit that it hit was not well
	Apart      []time.Duration          `json:",omitempty"` // begins of Unwell that are no evidence
	Hit        []string                 `json:",omitempty"` // the units that it hit
	Detected   *Detection               `json:",omitempty"`
	Alerts     map[string]Detection     `json:",omitempty"`
	Resolved   map[string]Resolution    `json:",omitempty"`
	Marks      map[string]time.Duration `json:",omitempty"`
}

// A Detection says when monitoring noticed a fault.
type Detection struct {
	At     time.Duration
	NotYet time.Duration
	Why    string
}

// A Resolution says when an alert was resolved.
type Resolution struct {
	At    time.Duration
	Still time.Duration
	Why   string
}

// Skipped is an occurrence without a matching unit.
type Skipped struct{ Fault, Name, Why string }

// Lost is the part of the load that lost workers were to make.
type Lost struct {
	Why   string
	Loads []LostLoad
}

// A LostLoad is such a part of one load.
type LostLoad struct {
	Index int
	Known time.Duration
	Early int64
	From  time.Duration
	To    time.Duration
	Most  int64
	At    []time.Duration
	Flows [][]int32
}

// Waits are readings of waits for a processor.
type Waits struct {
	Machine Readings
	Units   []UnitWaits
	Helpers []Readings
}

// UnitWaits are the waits of a unit.
type UnitWaits struct {
	Unit     string
	Readings Readings
}

// Readings are columns. Each value but those of Group and Life is the difference to the one before.
type Readings struct {
	At, Waited, Least []time.Duration
	Group             []uint64
	Life              []int
}

// Traced is an answered request, with whether its trace is whole.
type Traced struct {
	At    time.Duration
	Whole bool
}

// Known holds what goes into the result besides the findings.
type Known struct {
	Result      *result.Result
	Faults      []Fault
	LagLimit    time.Duration
	Limits      []Sentence `json:",omitempty"`
	Procs       int
	Ports       int
	Escape      *result.Escape  `json:",omitempty"`
	EscapedFrom string          `json:",omitempty"`
	Ended       []result.Reason `json:",omitempty"`
	Refused     *Refusal        `json:",omitempty"`
	Unfit       []result.Reason `json:",omitempty"`
	Gone        string          `json:",omitempty"`
	Scripts     []string        `json:",omitempty"`
	Smoke       bool            `json:",omitempty"`
	Code        int             `json:",omitempty"`

	Slowest []result.SlowRequest `json:",omitempty"` // the cells do not have them
	Samples []*result.Sample     `json:",omitempty"` // one for each error of the result
	Later   Later
}

// A Fault is the record of a fault without its effect.
type Fault struct {
	Record    result.FaultRecord
	N         int
	Unnoticed bool            `json:",omitempty"`
	Reasons   []result.Reason `json:",omitempty"`
	Void      result.Notes    `json:",omitempty"`
	Cuts      result.Notes    `json:",omitempty"`
	Brief     bool            `json:",omitempty"`
}

// A Sentence is a limit of the generator with its sentence, which result.json has apart.
type Sentence struct {
	Limit    result.Limit
	Sentence string
}

// A Refusal is a steady state that did not hold.
type Refusal struct {
	What       string
	Undeclared bool
}

// Later holds what came into the result after its verdict.
type Later struct {
	Ended      time.Time
	Conditions []result.Condition `json:",omitempty"`
	Logs       []result.UnitLog   `json:",omitempty"`
	Notes      []string           `json:",omitempty"`
}

// A Request is a request as a scripted server saw it.
type Request struct {
	N       int
	At      time.Duration // when its header was read
	Took    time.Duration // until its answer was handed to the kernel, or the client gave up
	Status  int           `json:",omitempty"` // zero: 200
	Hang    bool          `json:",omitempty"`
	Reset   bool          `json:",omitempty"`
	Path    string        `json:",omitempty"` // empty: that of the request before
	Delayed time.Duration `json:",omitempty"` // by the script
}
