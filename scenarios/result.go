package scenarios

import (
	"encoding/json"
	"iter"
	"math"
	"strconv"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

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
	Objectives  []ObjectiveResult `json:"objectives"`
	Windows     []Window          `json:"windows"`
	Notes       []string          `json:"notes,omitempty"`

	Histograms Histograms `json:"-"` // by the numbers that cells and windows carry
	Events     []Event    `json:"-"` // for events.jsonl
}

// Histograms gives latency histograms by number, in microseconds. They are kept
// packed until asked for.
type Histograms interface {
	// Get gives histogram n, or nil when there is none.
	Get(n int) (*hdrhistogram.PackedHistogram, error)
	// All goes over every histogram in the order of their numbers.
	All() iter.Seq2[HistogramInfo, error]
}

// HistogramInfo is a histogram with its number and the time it covers.
type HistogramInfo struct {
	N     int
	Start time.Duration // offset from t0
	Span  time.Duration
	HDR   *hdrhistogram.PackedHistogram
}

// Bounds of every histogram: 1 µs to 1 h with three digits.
const (
	HistMin    = 1
	HistMax    = 3_600_000_000
	HistDigits = 3
)

// NewHistogram makes an empty histogram with brunt's bounds.
func NewHistogram() *hdrhistogram.PackedHistogram {
	return hdrhistogram.NewPacked(HistMin, HistMax, HistDigits)
}

// Num is a float64 that JSON writes as null when it is infinite or unknown.
type Num float64

// NaN is the unknown number.
var NaN = Num(math.NaN())

// MarshalJSON implements [json.Marshaler] with at most nine digits after the
// point: nanoseconds.
func (n Num) MarshalJSON() ([]byte, error) {
	f := float64(n)
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return []byte("null"), nil
	}
	return strconv.AppendFloat(nil, math.Round(f*1e9)/1e9, 'f', -1, 64), nil
}

// UnmarshalJSON implements [json.Unmarshaler].
func (n *Num) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		*n = NaN
		return nil
	}
	var f float64
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	*n = Num(f)
	return nil
}

// Known tells that n is a finite number.
func (n Num) Known() bool { return !math.IsNaN(float64(n)) && !math.IsInf(float64(n), 0) }

// Sec gives d in seconds.
func Sec(d time.Duration) Num { return Num(d.Seconds()) }

// Environment is where the run took place.
type Environment struct {
	Brunt   string   `json:"brunt"` // version
	Go      string   `json:"go"`
	OS      string   `json:"os"`
	Arch    string   `json:"arch"`
	Kernel  string   `json:"kernel,omitempty"`
	CPUs    int      `json:"cpus"`
	Memory  int64    `json:"memory,omitempty"` // bytes
	Files   uint64   `json:"files,omitempty"`  // limit of open files
	Command []string `json:"command,omitempty"`
	Target  string   `json:"target,omitempty"`
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

// A Phase is a stretch of the run that cells were composed for.
type Phase struct {
	Name  string `json:"name"`
	Start Num    `json:"start"`
	End   Num    `json:"end"`
}

// A Cell is what was measured for one load, step and outcome in one phase; "*" is
// all of them.
type Cell struct {
	Phase    string `json:"phase"`
	Load     string `json:"load"`
	Step     string `json:"step"`
	Outcome  string `json:"outcome"`
	Count    int64  `json:"count"`
	Rate     Num    `json:"rate"` // per second
	Hist     int    `json:"hist"` // 0 is none
	Response Times  `json:"response"`
	Service  Times  `json:"service"`
	Bytes    int64  `json:"bytes,omitempty"` // in rows of all outcomes
}

// Times are percentiles of one distribution in seconds.
type Times struct {
	P50  Num `json:"p50"`
	P90  Num `json:"p90"`
	P95  Num `json:"p95"`
	P99  Num `json:"p99"`
	P999 Num `json:"p99.9"`
	Max  Num `json:"max"`
	Mean Num `json:"mean"`
}

// NoTimes are the percentiles of nothing.
var NoTimes = Times{NaN, NaN, NaN, NaN, NaN, NaN, NaN}

// An ErrorGroup counts the errors of one cause at one step.
type ErrorGroup struct {
	Kind   string  `json:"kind"`
	Load   string  `json:"load"`
	Step   string  `json:"step"`
	Count  int64   `json:"count"`
	First  Num     `json:"first"`
	Last   Num     `json:"last"`
	Sample *Sample `json:"sample,omitempty"`
}

// Generator is the load generator's own health. Only lag counts against brunt.
type Generator struct {
	Lag         Lag             `json:"lag"`
	Queue       Lag             `json:"queue"`
	Offered     int64           `json:"offered"`
	Sent        int64           `json:"sent"`
	Healthy     bool            `json:"healthy"`
	Limits      []string        `json:"limits"` // what was hit, and what to do
	Pacing      string          `json:"pacing"`
	LagLimit    Num             `json:"lag_limit"` // p99 lag above it makes the run invalid
	Clamped     int64           `json:"clamped,omitempty"`
	CPU         Num             `json:"cpu"`    // of brunt: cores in the mean
	Memory      int64           `json:"memory"` // of brunt at most, bytes
	Steal       Num             `json:"steal"`  // share of CPU time that the hypervisor took
	Pressure    Num             `json:"pressure"`
	GCPauses    Num             `json:"gc_pauses"` // in all, seconds
	GCPauseMax  Num             `json:"gc_pause_max"`
	ClockSteps  int             `json:"clock_steps"`
	InFlightMax int64           `json:"in_flight_max"`
	Connections int64           `json:"connections"` // opened in all
	Seconds     []GeneratorTick `json:"seconds,omitempty"`
}

// Lag is a distribution of waits in seconds.
type Lag struct {
	P50 Num `json:"p50"`
	P99 Num `json:"p99"`
	Max Num `json:"max"`
}

// A GeneratorTick is the generator's health in one second.
type GeneratorTick struct {
	T        Num   `json:"t"`
	CPU      Num   `json:"cpu"`
	Steal    Num   `json:"steal"`
	Pressure Num   `json:"pressure"`
	InFlight int64 `json:"in_flight"`
}

// A FaultRecord is a fault as it really happened. Times are offsets from t0;
// onset, failover, recover and heal are spans as measurement.md defines them.
type FaultRecord struct {
	Name         string   `json:"name"`
	Kind         string   `json:"kind"`
	Units        []string `json:"units"`
	Via          string   `json:"via"`
	Planned      Num      `json:"planned"`
	Injected     Num      `json:"injected"`
	Verified     Num      `json:"verified"`
	Evidence     string   `json:"evidence"`
	Cleared      Num      `json:"cleared"`
	GoneEvidence string   `json:"gone_evidence,omitempty"`
	Gone         bool     `json:"gone"`
	Traffic      int64    `json:"traffic"`      // bytes at the link, or requests during the phase
	TrafficUnit  string   `json:"traffic_unit"` // bytes or requests
	Onset        Num      `json:"onset"`
	Failover     Num      `json:"failover"`
	Recover      Num      `json:"recover"`
	Heal         Num      `json:"heal"`
	Detect       Num      `json:"detect"`
	Resolution   Num      `json:"resolution"` // of onset and recovery: the widest window used
	Area         Num      `json:"area"`
	Degraded     Num      `json:"degraded"`
	Failed       int64    `json:"failed_requests"`
	Impact       Impact   `json:"impact"`
	Revert       string   `json:"revert"` // ok, gone, failed, none
	Limit        Num      `json:"limit"`  // share of bad requests that counts as impact
	Note         string   `json:"note,omitempty"`
	RecoveredAt  Num      `json:"recovered_at"` // offset from t0
	OnsetAt      Num      `json:"onset_at"`
	Within       Num      `json:"within"`
}

// Impact is what a fault did to the load.
type Impact string

// The impacts.
const (
	Impacted     Impact = "impacted"
	NotImpacted  Impact = "not_impacted"
	NotRecovered Impact = "not_recovered"
	Confounded   Impact = "confounded"
	NotInjected  Impact = "not_injected"
	UnknownYet   Impact = "unknown" // too little data to tell
)

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

// A Window is one second of the run, or a part of one where a fault was injected
// or cleared within it. Outcomes count the requests intended in it; sent and
// answered those that were sent and answered during it.
type Window struct {
	T        Num              `json:"t"`
	D        Num              `json:"d"`
	Load     string           `json:"load"`
	Step     string           `json:"step"`
	Hist     int              `json:"hist"`
	Offered  int64            `json:"offered"`
	Sent     int64            `json:"sent"`
	Answered int64            `json:"answered"`
	OK       int64            `json:"ok"`
	Shed     int64            `json:"shed"`
	Error    int64            `json:"error"`
	Skipped  int64            `json:"skipped"`
	Kinds    map[string]int64 `json:"kinds,omitempty"`
	Lag      Num              `json:"lag"`   // p99
	Queue    Num              `json:"queue"` // p99
	P50      Num              `json:"p50"`
	P95      Num              `json:"p95"`
	P99      Num              `json:"p99"`
	Max      Num              `json:"max"`
	InFlight int64            `json:"in_flight"`
}

// An Interval is the last second of a run that goes on, for those who watch it.
type Interval struct {
	At       time.Duration // offset from t0, negative during warm-up
	Span     time.Duration // how long the interval was; zero is 1s
	End      time.Duration // when the judged load ends
	Phase    string        // warmup, run, grace
	Offered  int64
	Sent     int64
	Ended    int64
	OK       int64
	Shed     int64
	Errors   int64
	P50      time.Duration
	P95      time.Duration
	P99      time.Duration
	InFlight int64
	Lag      time.Duration
	Total    int64 // requests so far
	Bad      int64 // errors and skipped so far
	Faults   []string
	Next     string
	NextAt   time.Duration
}

// An Event is one line of events.jsonl: something that happened on the run's clock.
type Event struct {
	T     Num            `json:"t"`
	Event string         `json:"event"` // run.start, fault.injected, unit.exit …
	Fault string         `json:"fault,omitempty"`
	Unit  string         `json:"unit,omitempty"`
	Text  string         `json:"text,omitempty"`
	Data  map[string]any `json:"data,omitempty"`
}
