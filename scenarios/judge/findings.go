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

// A Case holds the input of [Judge] besides the recording.
type Case struct {
	SLO    []slo.Objective
	Steady *slo.Objective // the condition on requests that did not hold, so that no fault was injected; or nil
	// Occurrences has what the timeline knows of each occurrence, by number: its place in [measure.History.Faults].
	Occurrences []Occurrence
	Loads       []requests.Span // when each load could begin iterations
	// for a load that switches between two sides: spans with cells of their own, in whole seconds
	Blocks []requests.Span
	// EndedEarly says that the run was ended before its loads were over: by Ctrl-C, a stop condition, or an error.
	EndedEarly bool
	Warmup     time.Duration
	Hold       time.Duration // zero is 10 s
	Limit      float64       // share of bad requests above which the load is impacted; zero is 1 %
	Strict     bool
	Causes     scenarios.Causes // names of the causes of requests
	Samples    *samples.Set     // nil keeps none
	Ledgers    []*result.LedgerRecord

	Consistency []*result.ConsistencyRecord
	Deliveries  []*result.DeliveryRecord // what became of the messages of deliveries

	// TraceID returns the trace id of a request of a load, by its low half; nil means no traces.
	TraceID func(load int, low uint64) scenarios.TraceID

	// Traces returns how many answered requests, intended between two offsets from t0, have a whole trace, and
	// whether
	// any span of a request came; nil means that no spans were received.
	Traces func(from, to time.Duration) (whole, n int64, came bool)

	// Recurring has the ends of units without a fault on them that ended so more than once. An earlier act of a fault did
	// not begin the harm that begins with one of them.
	Recurring []time.Duration

	// UnitWaits returns how long tasks of a unit waited for a processor in a span, at least, while they started as well;
	// nil if that is not known.
	UnitWaits func(unit string, in requests.Span) time.Duration

	series.Reactions

	Usage  []result.UnitUsage // usage of each unit of the target
	Series []result.Series    // the scenario's metrics
	Links  []result.Link      // traffic on the links between units

	Lost *requests.LostWorkers // nil means that no worker was lost

	// Held has the seconds in which other programs held the processors of the machine on which brunt and the target
	// run, ascending.
	Held []requests.Span
	// Used has the seconds in which brunt itself used at least half of the processors that it may use, ascending.
	Used []requests.Span
	// Contested has the seconds in which tasks waited for a processor of the machine on which brunt runs, or may have,
	// and it is not known which programs held them, ascending.
	Contested []requests.Span
	// Waited returns how long tasks waited for a processor, at most, in any span of length most that begins in from..to.
	// These are tasks of the target's units alone if own is true, and otherwise of the whole machine. Nil means that it
	// is not known.
	Waited func(from, to, most time.Duration) (waited time.Duration, own, known bool)
	// Peers says that the kernel gave the target's units and packets processor time as it gave it to brunt.
	Peers bool
	// Generator has the processor time of brunt by second; none if its load is not made on this machine.
	Generator []result.GeneratorTick

	// Skipped lists the occurrences without a matching target, if that is allowed. Their effect is unknown.
	Skipped []Skipped
}

// An Occurrence is what was done to the target, and with what proof, besides the times of [measure.Occurrence]. The
// zero value is a fault that was verified, hit no unit, and must have no impact.
type Occurrence struct {
	RequireImpact bool // without an impact, no objective in or after the fault passes
	Group         bool // a group of faults, whose recovery counts from the begin of its incident
	OneShot       bool // it ends by itself, as when the supervisor of a unit that crashed has started it again

	Hit        []string // the units that it hit, and the ends of the links that it hit
	Unverified bool     // it was injected but not verified, so that its effect is unknown
	Partial    bool     // it is unverified, as a group with a step that could not be injected

	// NoTraffic says whether it affected no traffic, so that its effect is unknown. It is nil if the fault counts no
	// bytes at a link or hook: then the requests of the load during the fault decide.
	NoTraffic *bool

	// Ended is when it was over, if that was before the end of its phase: the phase of a unit that is back at once still
	// lasts some seconds. Nil: at the end of the phase.
	Ended     *time.Duration
	Gone      bool            // its end was proved, with each unit that it hit back
	StaysDown bool            // nothing starts its unit again, as the scenario allows: it is in to the end of the run
	Acts      []time.Duration // when steps of a group were injected

	// Unwell has the spans in which a unit that it hit was not well: it had ended, restarted, or was not ready.
	Unwell []requests.Span
	// Apart has the begins of those spans of Unwell that are no evidence for it: the unit ended for a reason that is not
	// the occurrence's, as far as is known.
	Apart []time.Duration
}

// Of returns what the timeline knows of occurrence n: nothing if the recording has it, and the case is older.
func (c *Case) Of(n int) Occurrence {
	if n >= len(c.Occurrences) {
		return Occurrence{}
	}
	return c.Occurrences[n]
}

// unmet reports whether the fault counted that it affected no traffic.
func (o *Occurrence) unmet() bool { return o.NoTraffic != nil && *o.NoTraffic }

// Findings holds everything derived from a run's measurements.
type Findings struct {
	Phases     []result.Phase
	Cells      []result.Cell
	Blocks     []result.Block
	Errors     []result.ErrorGroup
	Slowest    []result.SlowRequest
	Windows    []result.Window
	Objectives []result.ObjectiveResult
	Steady     result.ObjectiveResult // of the case's condition, over the baseline, if it has one
	Amplified  []result.Amplification
	Incidents  []result.Incident // incidents of the whole run; set once the load is over
	Faults     []FaultFinding    // one for each occurrence, in the order of injection
	Lag        result.Lag
	Queue      result.Lag
	LagByPhase map[slo.Phase]PhaseLag
	// by phase: the share of requests that brunt never sent, or had no socket or port for
	Starved    map[slo.Phase]float64
	Offered    int64
	Sent       int64
	Attempts   int64 // how often requests were written
	Own        int64 // errors that brunt itself caused; see [measure.Own]
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
	// an answer that takes longer is a bad request: the largest limit of the steps; zero means no limit
	Slow      time.Duration
	SlowLeast time.Duration       // the smallest limit of the steps
	Requests  int64               // requests of the load during its phase
	Parts     *result.ImpactParts // nil if the fault was not injected
	Note      string              // notes of the answer, in words
	// why the load had not recovered; empty if it had, or if that is unknown
	Unrecovered result.Unrecovered

	// Unsteady is the reason that a steady state gives the run which failed before the injection of a fault with an
	// objective. Its verdict is fail, unless a lack of processors may explain it; see [withHeldGood]. It is empty if the
	// steady state held.
	Unsteady result.Reason

	// Required is the reason that require_impact gives the run. Its verdict is pass with an impact, fail without one,
	// and inconclusive if that is unknown. It is empty if no impact is required.
	Required result.Reason
}
