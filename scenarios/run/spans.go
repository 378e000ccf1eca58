package run

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/result"
	"brunt/scenarios/run/events"
)

// Bounds on the requests of a second that are exported as spans.
const (
	mostSpans  = 200 // that failed, or are one in so many
	mostSlowOf = 5   // the slowest
)

// A spanSampler chooses the requests that are exported as spans: those that failed, the slowest that end in each
// second, and one in so many of the others. One goroutine at a time uses it. A nil spanSampler chooses none.
type spanSampler struct {
	plan   *plan.Plan
	log    *events.Log
	causes scenarios.Causes
	highs  []uint64 // first halves of the trace ids, by load
	every  uint64
	tell   func(result.RequestSpans)

	chosen  []result.RequestSpan
	slowest []scenarios.Outcome // ascending
	leftOut int64
}

// newSpanSampler returns a sampler of a run; nil if no spans are asked for.
func newSpanSampler(s *session) *spanSampler {
	if s.o.Spans == nil || !s.plan.Scenario.Trace.Sends() {
		return nil
	}
	return &spanSampler{
		plan: s.plan, log: s.log, causes: s.plan.Causes(), highs: s.traceHighs(),
		every: uint64(s.plan.Scenario.Trace.EveryOr()), tell: s.o.Spans,
	}
}

// Keep considers a request.
func (s *spanSampler) Keep(o *scenarios.Outcome) {
	switch {
	case s == nil, o.Trace == 0, o.Intended < 0, o.Kind == scenarios.Skipped:
	case o.Kind == scenarios.Error:
		s.choose(o, result.SpanFailed)
	case scenarios.MixBits(o.Trace)%s.every == 0:
		s.choose(o, result.SpanSampled)
	case len(s.slowest) < mostSlowOf || o.Response() > s.slowest[0].Response():
		at, _ := slices.BinarySearchFunc(s.slowest, o.Response(), func(of scenarios.Outcome, took time.Duration) int {
			return cmp.Compare(of.Response(), took)
		})
		if s.slowest = slices.Insert(s.slowest, at, *o); len(s.slowest) > mostSlowOf {
			s.slowest = slices.Delete(s.slowest, 0, 1)
		}
	}
}

func (s *spanSampler) choose(o *scenarios.Outcome, why result.SpanReason) {
	if len(s.chosen) >= mostSpans {
		s.leftOut++
		return
	}
	s.chosen = append(s.chosen, s.span(o, why))
}

// Flush passes on the requests that were chosen since the last call.
func (s *spanSampler) Flush() {
	if s == nil {
		return
	}
	for i := range s.slowest {
		s.chosen = append(s.chosen, s.span(&s.slowest[i], result.SpanSlow))
	}
	if len(s.chosen) > 0 {
		s.tell(result.Masked(result.RequestSpans{Spans: s.chosen, LeftOut: s.leftOut}, s.plan.Scenario.Secrets.Mask))
	}
	s.chosen, s.slowest, s.leftOut = nil, s.slowest[:0], 0
}

// span returns a request as the root of its trace.
func (s *spanSampler) span(o *scenarios.Outcome, why result.SpanReason) result.RequestSpan {
	t0 := s.log.T0()
	v := result.RequestSpan{
		Trace: scenarios.NewTraceID(s.highs[o.Load], o.Trace), ID: scenarios.RootSpan(o.Trace),
		Load: s.plan.Loads[o.Load].Name, Step: s.plan.Series.Steps[o.Step].Name, Outcome: o.Kind, Status: int(o.Status),
		Why: why, Begin: t0.Add(o.Intended), End: t0.Add(o.End),
	}
	if o.Kind == scenarios.Error {
		v.Cause = s.causes.Name(o.Cause)
	}
	if o.WasSent {
		v.Sent = t0.Add(o.Sent)
	}
	if o.First > 0 {
		v.First = t0.Add(o.First)
	}
	return v
}
