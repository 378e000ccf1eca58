package run

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// Hello implements [k6.Handler]: it reads both clocks at the same moment, so the wall clock serves
// only to measure how long the message took.
func (s *scriptRun) Hello(wall time.Time) {
	now := time.Now()
	s.zero = now.Add(-max(0, now.Round(0).Sub(wall)))
}

// at converts a time of the process to the run's clock.
func (s *scriptRun) at(t time.Duration) time.Duration { return s.zero.Add(t).Sub(s.r.T0()) }

// Step implements [k6.Handler].
func (s *scriptRun) Step(id int, name string) {
	if id != len(s.steps) {
		return
	}
	s.steps = append(s.steps, s.room(name))
}

// room returns the number of a step in the plan.
func (s *scriptRun) room(name string) int32 {
	if step, ok := s.named[name]; ok {
		return step
	}
	name = s.r.Scenario.Secrets.Mask(name) // the name may be a URL with a secret
	if step, ok := s.named[name]; ok {
		return step
	}
	sp := s.lp.Script
	step := sp.First + int32(len(s.named))
	if len(s.named) >= sp.Rooms { // steps beyond the reserved number share the first
		return sp.First
	}
	s.named[name] = step
	s.r.rec.Name(step, name)
	return step
}

// Check implements [k6.Handler].
func (s *scriptRun) Check(id int, name string) {
	if id != len(s.checks) {
		return
	}
	s.checks = append(s.checks, scenarios.Check(s.r.check(name)))
}

// check returns the number of a check of a script.
func (r *runner) check(name string) int {
	name = r.Scenario.Secrets.Mask(name)
	r.mu.Lock()
	defer r.mu.Unlock()
	if i := slices.Index(r.checks, name); i >= 0 {
		return i
	}
	r.checks = append(r.checks, name)
	return len(r.checks) - 1
}

// Request implements [k6.Handler].
func (s *scriptRun) Request(q *k6.Request) {
	if q.Step < 0 || q.Step >= len(s.steps) {
		return
	}
	end := s.at(q.End)
	begin := end - max(0, q.Service)
	o := &s.out
	*o = scenarios.Outcome{
		Load: int32(s.index), Step: s.steps[q.Step], Closed: true, Status: int32(q.Status), Intended: begin, Ready: begin, Slot: begin, Sent: begin, First: begin + q.First, End: end,
		Checks: uint16(min(q.Checks, math.MaxUint16)), Failed: uint16(min(q.Wrong, math.MaxUint16)), Answered: q.Answered, WasSent: q.Answered || k6.WasSent(q.Code),
	}
	switch {
	case q.Answered && slices.Contains(s.lp.Load.Script.Shed, q.Status):
		o.Kind = scenarios.Shed
	case q.Failed:
		o.Kind, o.Cause = scenarios.Error, scriptCause(q)
	case q.Wrong > 0 && q.Check >= 0 && q.Check < len(s.checks):
		o.Kind, o.Cause = scenarios.Error, s.checks[q.Check]
	}
	s.record("")
}

// record records the outcome, and a sample of the first one of its cause.
func (s *scriptRun) record(message string) {
	o := &s.out
	if o.Kind == scenarios.Error && s.r.samples.Want(o) {
		s.r.samples.Keep(o, result.Sample{At: o.Intended.Seconds(), Load: s.lp.Name, Status: int(o.Status), Message: message})
	}
	s.sink.Record(o)
}

// scriptCause is the cause for which k6 counted a request as failed.
func scriptCause(q *k6.Request) scenarios.Cause {
	switch c := q.Code; {
	case c == k6.CodeNotAllowed || c == 1110 || c == 1111:
		return scenarios.NotAllowed
	case c == k6.CodeClosed:
		return scenarios.Closed
	case c == 1050:
		return scenarios.Timeout
	case c >= 1100 && c < 1110:
		return scenarios.NameNotFound
	case c == 1212:
		return scenarios.Refused
	case c == 1220 || c == 1201:
		return scenarios.Reset
	case c >= 1210 && c < 1220:
		return scenarios.Unreachable
	case c >= 1300 && c < 1400:
		return scenarios.TLSFailed
	case c >= 1600 && c < 1800:
		return scenarios.Protocol
	case q.Status != 0:
		return scenarios.Status(q.Status)
	}
	return scenarios.Other
}

// Iteration implements [k6.Handler].
func (s *scriptRun) Iteration(it *k6.Iteration) {
	end := s.at(it.End)
	begin := end - max(0, it.Duration)
	s.out = scenarios.Outcome{
		Load: int32(s.index), Step: scenarios.IterationStep, Closed: true, Intended: begin, Ready: begin, Slot: begin, Sent: begin, First: end, End: end, WasSent: true, Answered: true,
	}
	s.sink.Record(&s.out)
	s.mu.Lock()
	s.latest = max(s.latest, begin)
	s.mu.Unlock()
}

// lost records an iteration that made no request.
func (s *scriptRun) lost(at time.Duration, cause scenarios.Cause, message string) {
	at = s.at(at)
	s.out = scenarios.Outcome{
		Load: int32(s.index), Step: s.lp.Script.First, Kind: scenarios.Error, Cause: cause, Closed: true,
		Intended: at, Ready: at, Slot: at, Sent: at, First: at, End: at,
	}
	s.record(message)
}

// Dropped implements [k6.Handler].
func (s *scriptRun) Dropped(at time.Duration, n int64) {
	for range min(n, 1_000_000) {
		s.lost(at, scenarios.Dropped, "k6 had no virtual user free: more of them (max_vus), or a target that answers sooner")
	}
}

// Exception implements [k6.Handler].
func (s *scriptRun) Exception(at time.Duration, text string) {
	s.lost(at, scenarios.Exception, text)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.threw++; s.threw == 1 {
		s.first, _, _ = strings.Cut(text, "\n")
	}
}

// Users implements [k6.Handler].
func (s *scriptRun) Users(n int64) {
	s.users.Store(n)
	s.peak.Store(max(n, s.peak.Load()))
}

// Note implements [k6.Handler].
func (s *scriptRun) Note(n *k6.Note) {
	s.mu.Lock()
	if n.Metrics != nil || n.Thresholds != nil {
		s.last.Metrics, s.last.Thresholds = n.Metrics, n.Thresholds
	}
	s.last.Lost, s.last.Others, s.last.Loose = n.Lost, n.Others, n.Loose
	if n.End != nil {
		s.end = n.End
	}
	s.mu.Unlock()
	switch {
	case n.Ready:
		s.once.Do(func() { close(s.ready) }) // a faulty script could send it twice
	case n.Mark != nil:
		s.mark(n.Mark)
	case n.Fault != nil:
		s.answer(n.Fault)
	}
	for i := range n.Thresholds {
		if t := &n.Thresholds[i]; t.Abort && !s.aborted {
			s.aborted = true
			s.r.Event(result.Event{Event: "run.stop", Text: s.lp.Name + ": " + t.Metric + " " + t.Source})
			s.r.cancel(stopped{fmt.Sprintf("the script's threshold %s: %s with abortOnFail, measured %s", t.Metric, t.Source, plain(t.Measured))})
		}
	}
}

func plain(v float64) string { return slo.Metric{Unit: slo.Plain}.FormatValue(v) }

func (s *scriptRun) mark(m *k6.Mark) {
	if s.marks++; s.marks > mostMarks {
		return
	}
	e := result.Event{Event: "script.mark", Text: m.Text, Data: m.Data}
	if m.Phase {
		e = result.Event{Event: "script.phase", Text: m.Text}
	}
	s.r.Event(e)
}

// answer triggers the fault that the script requests.
func (s *scriptRun) answer(ask *k6.FaultAsk) {
	a := &k6.FaultAnswer{ID: ask.ID}
	switch t := s.r.timeline.Load(); {
	case !slices.ContainsFunc(s.r.Faults, func(e *chaos.Entry) bool { return e.Name == ask.Name && e.Trigger != "" }):
		var names []string
		for _, e := range s.r.Faults {
			if e.Trigger != "" {
				names = append(names, e.Name)
			}
		}
		a.Refused = chaos.ErrNoTrigger.Error()
		if hint := syntax.DidYouMean(ask.Name, names); hint != "" {
			a.Refused += "; " + hint
		}
	case t == nil:
		a.Control = true
	default:
		if err := t.Trigger(ask.Name); err != nil {
			a.Refused = err.Error()
		}
	}
	_ = s.child.Send(k6.Command{Fault: a}) // after the process has ended the answer is not needed
}
