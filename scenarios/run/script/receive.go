package script

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos/timeline"
	"brunt/scenarios"
	"brunt/scenarios/k6"
	"brunt/scenarios/load"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// received holds the names that a process of a script has declared, and the state of receiving its messages.
type received struct {
	zero   time.Time // times of the process are offsets from it
	steps  []int32   // numbers in the plan, by the script's own
	checks []scenarios.Cause
	out    scenarios.Outcome
	sink   load.Sink
}

// Hello implements [k6.Handler]: it reads both clocks at the same moment, so the wall clock serves
// only to measure how long the message took.
func (s *part) Hello(wall time.Time) {
	now := time.Now()
	s.received.zero = now.Add(-max(0, now.Round(0).Sub(wall)))
}

// at converts a time of the process to the run's clock.
func (s *part) at(t time.Duration) time.Duration {
	return s.received.zero.Add(t).Sub(s.script.host.Log.T0())
}

func (s *part) Step(id int, name string) {
	if id != len(s.received.steps) {
		return
	}
	s.received.steps = append(s.received.steps, s.script.room(name))
}

// room returns the number of a step in the plan.
func (s *Script) room(name string) int32 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if step, ok := s.named[name]; ok {
		return step
	}
	name = s.host.Plan.Scenario.Secrets.Mask(name) // the name may be a URL with a secret
	if step, ok := s.named[name]; ok {
		return step
	}
	sp := s.lp.Script
	step := sp.First + int32(len(s.named))
	if len(s.named) >= sp.Rooms { // steps beyond the reserved number share the first step
		return sp.First
	}
	s.named[name] = step
	s.host.Recorder.Name(step, name)
	return step
}

func (s *part) Check(id int, name string) {
	if id != len(s.received.checks) {
		return
	}
	s.received.checks = append(s.received.checks, scenarios.Check(s.script.set.check(name)))
}

func (s *part) Request(q *k6.Request) {
	if q.Step < 0 || q.Step >= len(s.received.steps) {
		return
	}
	o := &s.received.out
	*o = outcomeOf(q, s.at(q.End))
	o.Load, o.Step = int32(s.script.index), s.received.steps[q.Step]
	switch {
	case q.Answered && slices.Contains(s.script.lp.Load.Script.Shed, q.Status):
		o.Kind = scenarios.Shed
	case q.Failed:
		o.Kind, o.Cause = scenarios.Error, scriptCause(q)
	case q.Wrong > 0 && q.Check >= 0 && q.Check < len(s.received.checks):
		o.Kind, o.Cause = scenarios.Error, s.received.checks[q.Check]
	}
	s.record("")
}

// outcomeOf returns the outcome of a request that ended at end, without its kind. For requests other than HTTP, k6
// reports only the whole time, which counts as waiting for the first byte.
func outcomeOf(q *k6.Request, end time.Duration) scenarios.Outcome {
	begin := end - max(0, q.Service)
	slot := min(begin+max(0, q.Queue), end)
	opening := scenarios.Opening{Connect: min(max(0, q.Connect), end-slot)}
	opening.TLS = min(max(0, q.TLS), end-slot-opening.Connect)
	first := end
	if q.First > 0 {
		first = begin + q.First
	}
	return scenarios.Outcome{
		Closed: true, Status: int32(q.Status), Intended: begin, Ready: begin, Slot: slot, Opening: opening,
		Sent: min(slot+opening.Total()+max(0, q.Send), end), First: first, End: end,
		Checks: uint16(min(q.Checks, math.MaxUint16)), Failed: uint16(min(q.Wrong, math.MaxUint16)), Answered: q.Answered,
		WasSent: q.Answered || k6.WasSent(q.Code),
	}
}

// record records the outcome, and a sample of the first one of its cause.
func (s *part) record(message string) {
	o := &s.received.out
	if o.Kind == scenarios.Error && s.script.host.Samples.Want(o) {
		s.script.host.Samples.Keep(o, result.Sample{
			At: o.Intended.Seconds(), Load: s.script.lp.Name, Status: int(o.Status), Message: message,
		})
	}
	s.received.sink.Record(o)
}

// scriptCause returns the cause for which k6 counted a request as failed.
func scriptCause(q *k6.Request) scenarios.Cause {
	switch c := q.Code; {
	case c == k6.CodeNotAllowed || c == 1110 || c == 1111:
		return scenarios.NotAllowed
	case c == k6.CodeClosed:
		return scenarios.Closed
	case c == k6.CodeCut:
		return scenarios.Unfinished
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

func (s *part) Iteration(it *k6.Iteration) {
	end := s.at(it.End)
	begin := end - max(0, it.Duration)
	s.received.out = scenarios.Outcome{
		Load: int32(s.script.index), Step: scenarios.IterationStep, Closed: true, Intended: begin, Ready: begin,
		Slot: begin, Sent: begin, First: end, End: end, WasSent: true, Answered: true,
	}
	s.received.sink.Record(&s.received.out)
	s.script.mu.Lock()
	s.script.latest = max(s.script.latest, begin)
	s.script.mu.Unlock()
}

// lost records an iteration that made no request.
func (s *part) lost(at time.Duration, cause scenarios.Cause, message string) {
	at = s.at(at)
	s.received.out = scenarios.Outcome{
		Load: int32(s.script.index), Step: s.script.lp.Script.First, Kind: scenarios.Error, Cause: cause, Closed: true,
		Intended: at, Ready: at, Slot: at, Sent: at, First: at, End: at,
	}
	s.record(message)
}

func (s *part) Dropped(at time.Duration, n int64) {
	for range min(n, 1_000_000) {
		s.lost(at, scenarios.Dropped, "k6 had no virtual user free: more of them (max_vus), or a target that answers sooner")
	}
}

func (s *part) Exception(at time.Duration, text string) {
	s.lost(at, scenarios.Exception, text)
	s.script.mu.Lock()
	defer s.script.mu.Unlock()
	if s.script.threw++; s.script.threw == 1 {
		s.script.first, _, _ = strings.Cut(text, "\n")
	}
}

func (s *part) Users(n int64) {
	all := s.script.users.Add(n - s.users)
	s.users = n
	// if two parts do this at the same time, the lower of two values that differ by a user may be kept
	s.script.peak.Store(max(all, s.script.peak.Load()))
}

func (s *part) Note(n *k6.Note) {
	if n.Deltas != nil {
		s.merge(n)
	}
	s.script.mu.Lock()
	last := &s.script.last
	if n.Metrics != nil || n.Thresholds != nil {
		last.Metrics, last.Thresholds = n.Metrics, n.Thresholds
	}
	last.Lost += n.Lost - s.counts.Lost
	last.Others += n.Others - s.counts.Others
	last.Loose += n.Loose - s.counts.Loose
	s.counts.Lost, s.counts.Others, s.counts.Loose = n.Lost, n.Others, n.Loose
	if n.End != nil {
		s.end = n.End
	}
	s.script.mu.Unlock()
	switch {
	case n.Ready:
		s.once.Do(func() { s.data = n.Data; close(s.ready) }) // a faulty script could send it twice
	case n.Mark != nil:
		s.mark(n.Mark)
	case n.Fault != nil:
		s.answer(n.Fault)
	}
	for i := range n.Thresholds {
		if t := &n.Thresholds[i]; t.Abort && s.script.aborted.CompareAndSwap(false, true) {
			text := s.script.lp.Name + ": " + t.Metric + " " + t.Source
			s.script.host.Log.Event(result.Event{Event: "run.stop", Text: text})
			s.script.host.Stop(fmt.Sprintf("the script's threshold %s: %s with abortOnFail, measured %s", t.Metric, t.Source,
				plain(t.Measured)))
		}
	}
}

// merge adds the new values of one part, and sets the metrics and thresholds of n to those of all parts together.
func (s *part) merge(n *k6.Note) {
	s.script.merging.Lock()
	defer s.script.merging.Unlock()
	if err := s.script.merged.Add(s.n, n.Deltas); err != nil {
		s.script.host.Log.Note("load %q: %v", s.script.lp.Name, err)
	}
	n.Metrics, n.Thresholds = s.script.merged.Sum()
}

func plain(v float64) string { return slo.Metric{Unit: slo.Plain}.FormatValue(v) }

func (s *part) mark(m *k6.Mark) {
	if s.script.marks.Add(1) > mostMarks {
		return
	}
	e := result.Event{Event: "script.mark", Text: m.Text, Data: m.Data}
	if m.Phase {
		e = result.Event{Event: "script.phase", Text: m.Text}
	}
	s.script.host.Log.Event(e)
}

// answer triggers the fault that the script requests.
func (s *part) answer(ask *k6.FaultAsk) {
	a := &k6.FaultAnswer{ID: ask.ID}
	switch t := s.script.host.Timeline(); {
	case !slices.ContainsFunc(s.script.host.Plan.Faults,
		func(e *timeline.Entry) bool { return e.Name == ask.Name && e.Trigger != "" }):
		var names []string
		for _, e := range s.script.host.Plan.Faults {
			if e.Trigger != "" {
				names = append(names, e.Name)
			}
		}
		a.Refused = timeline.ErrNoTrigger.Error()
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
	_ = s.child.Send(k6.Command{Fault: a}) // if the process has ended, the answer is not needed
}
