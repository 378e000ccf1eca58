package judge

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/measure"
	"brunt/scenarios/measure/samples"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A Case holds what Judge needs besides the recording.
type Case struct {
	SLO    []slo.Objective
	Faults map[string]FaultCase // by the name in the scenario
	Loads  []requests.Span      // when each load could begin iterations
	// of a load that is switched between two sides: stretches with cells of their own, in whole seconds
	Blocks  []requests.Span
	Warmup  time.Duration
	Hold    time.Duration // zero is 10 s
	Limit   float64       // share of bad requests above which the load is impacted; zero is 1 %
	Strict  bool
	Causes  scenarios.Causes // names the causes of its requests
	Samples *samples.Set     // nil keeps none
	Ledgers []*result.LedgerRecord

	// TraceID returns the trace id of a request of a load, by its low half; nil means no traces.
	TraceID func(load int, low uint64) scenarios.TraceID

	// NoTraffic says of occurrences, by number, whose fault counts bytes at a link or hook, whether
	// the fault affected no traffic. For other occurrences the requests of the load during the fault
	// decide. The effect of a fault that affected no traffic is unknown.
	NoTraffic map[int]bool

	// Ended is when occurrences, by number, were over, where that was before the end of their phase: a
	// unit that is back at once still has a phase of some seconds.
	Ended map[int]time.Duration

	// Unverified are the occurrences, by number, that were injected and not verified. Their effect
	// is unknown.
	Unverified map[int]bool
	// Partial are those of Unverified that are groups of which a step could not be injected.
	Partial map[int]bool

	series.Reactions

	Usage  []result.UnitUsage // of the target's units
	Series []result.Series    // the scenario's metrics

	Lost *requests.LostWorkers // nil: none

	// Skipped are the occurrences without a matching target, where that is allowed: their effect is
	// unknown.
	Skipped []Skipped
}

// FaultCase is what Judge needs to know about a fault.
type FaultCase struct {
	RequireImpact bool // no objective after or in it passes without an impact
	Group         bool // several faults as one, whose recovery counts from the begin of its incident
}

// Findings holds everything derived from a run's measurements.
type Findings struct {
	Phases     []result.Phase
	Cells      []result.Cell
	Blocks     []result.Block
	Errors     []result.ErrorGroup
	Slowest    []result.SlowRequest
	Windows    []result.Window
	Objectives []result.ObjectiveResult
	Incidents  []result.Incident // of the whole run, once the load is over
	Faults     []FaultFinding    // one for each occurrence, in the order of injection
	Lag        result.Lag
	Queue      result.Lag
	LagByPhase map[slo.Phase]PhaseLag
	// by phase: the share of its requests that brunt never sent or had no socket or port for
	Starved    map[slo.Phase]float64
	Offered    int64
	Sent       int64
	Attempts   int64 // times that they were written
	Clamped    int64
	Causes     map[scenarios.Cause]int64
	Histograms result.Histograms
	Notes      []string
}

// PhaseLag is how late the generator was in a phase, in seconds.
type PhaseLag struct {
	P99 float64
	Low float64 // 95 % lower bound of P99: in a small phase one delay proves nothing
}

// FaultFinding is the effect of one occurrence of a fault.
type FaultFinding struct {
	measure.Occurrence
	effect.Answer
	Limit float64 // L: the share of bad requests, 0 to 1, that counts as impact
	// an answer that takes longer is a bad request; zero: none is; the largest of those of the steps
	Slow      time.Duration
	SlowLeast time.Duration       // the least of those of the steps
	Requests  int64               // of the load during its phase
	Parts     *result.ImpactParts // nil: it was not injected
	Note      string              // the notes of the answer, in words

	// Unsteady describes how the steady state failed before the injection of a fault with an
	// objective; nil where it held. The run fails.
	Unsteady result.Notes

	// Required is the reason that require_impact gives the run: its verdict is pass with an impact, fail without one,
	// inconclusive where that is unknown; empty where none is required.
	Required result.Reason
}
