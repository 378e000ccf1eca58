// The requests of a lost worker could have changed the verdicts of some objectives.
//
//	judged as received --Requests, or Rate--> judged with the lost requests as bad, then as good
//	                                           the same verdict stands, another makes it invalid
//
// Measurements from before the loss stand, and so does a failure that the lost requests could not undo.

package requests

import (
	"cmp"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// LostWorkers describes the workers that a run lost. Nil means none.
type LostWorkers struct {
	Why   string // names the workers, in a sentence without its period
	Loads []LostLoad
}

// A LostLoad is the part of a load that a lost worker was to make and has not reported.
type LostLoad struct {
	Index int           // index of the load
	Known time.Duration // requests that had ended by then were reported
	Early int64         // for an open load: iterations intended before Known that had not ended
	From  time.Duration // requests intended before that were reported
	To    time.Duration // the end of the load
	Most  int64         // maximum number of lost iterations; for a closed load an estimate
	// intended times of an open load's iterations from From on, ascending; nil means evenly spread
	At    []time.Duration
	Flows [][]int32 // the steps of each flow, by number
}

// iterations returns how many lost iterations were intended in a span.
func (l *LostLoad) iterations(in Span) int64 {
	from, to := max(in.From, l.From), min(in.To, l.To)
	switch {
	case to <= from:
		return 0
	case l.At == nil:
		return int64(float64(l.Most)*float64(to-from)/float64(max(1, l.To-l.From)) + 1)
	}
	first, _ := slices.BinarySearch(l.At, from)
	known, _ := slices.BinarySearch(l.At, max(from, min(l.Known, to)))
	last, _ := slices.BinarySearch(l.At, to)
	return min(l.Early, int64(known-first)) + int64(last-known)
}

// selected returns the maximum number of requests that an objective selects in an iteration.
func (l *LostLoad) selected(c *measure.Series, o slo.Objective) int64 {
	if !About(c, o, l.Index) {
		return 0
	}
	if o.Step == "iteration" {
		return 1
	}
	most := int64(0)
	for _, steps := range l.Flows {
		n := int64(0)
		for _, s := range steps {
			if Selects(c, o, int(s)) {
				n++
			}
		}
		most = max(most, n)
	}
	return most
}

// requests returns how many requests were lost in a span, and how many iterations that a rate counts.
func (w *LostWorkers) requests(c *measure.Series, o slo.Objective, in Span) (requests, paced int64) {
	for i := range w.Loads {
		l := &w.Loads[i]
		n := l.iterations(in)
		each := l.selected(c, o)
		requests += n * each
		if o.Step != "" {
			paced += n * each
		} else if About(c, o, l.Index) {
			paced += n
		}
	}
	return requests, paced
}

// Valid returns the result of an objective in a phase, or an invalid one if the lost requests of that phase could
// change its verdict. judge judges the objective as measured, with additional bad and good requests.
func (w *LostWorkers) Valid(c *measure.Series, o slo.Objective, in Span, r result.ObjectiveResult,
	judge func(bad, good int64) scenarios.Verdict,
) result.ObjectiveResult {
	if w == nil || r.Verdict == scenarios.Invalid {
		return r
	}
	requests, paced := w.requests(c, o, in)
	if requests == 0 {
		return r
	}
	row := o.Metric.Row()
	switch {
	case row.Rate != nil:
		with := float64(r.Measured) + float64(paced)/in.Length().Seconds()
		if !r.Measured.Known() || Meets(o, with) == Meets(o, float64(r.Measured)) {
			return r
		}
	case row.Spans != nil:
		if r.Verdict == scenarios.Fail {
			return r
		}
	default:
		if is := judge(0, 0); judge(requests, 0) == is && judge(0, requests) == is {
			return r
		}
	}
	return w.invalid(r)
}

// Gauge returns the result of an objective on a series in a phase, or an invalid one if it passes although less load
// was made than scheduled.
func (w *LostWorkers) Gauge(in Span, r result.ObjectiveResult) result.ObjectiveResult {
	if w == nil || r.Verdict != scenarios.Pass {
		return r
	}
	for i := range w.Loads {
		if w.Loads[i].iterations(in) > 0 {
			return w.invalid(r)
		}
	}
	return r
}

func (w *LostWorkers) invalid(r result.ObjectiveResult) result.ObjectiveResult {
	r.Verdict, r.Because, r.Why = scenarios.Invalid, result.Notes{{Kind: result.LostWorker, Text: w.Why}}, ""
	return r
}

// Unseen adds to spans, in which brunt saw nothing, the spans in which a part of the objective's load is lost.
func (w *LostWorkers) Unseen(spans []Span, c *measure.Series, o slo.Objective, in Span) []Span {
	if w == nil {
		return spans
	}
	for i := range w.Loads {
		l := &w.Loads[i]
		from, to := max(in.From, l.From), min(in.To, l.To)
		if l.At != nil && l.Early == 0 {
			from = max(from, l.Known)
		}
		if to > from && l.selected(c, o) > 0 && l.iterations(in) > 0 {
			spans = append(spans, Span{From: from, To: to})
		}
	}
	return United(spans)
}

// Hidden makes an objective invalid because of spans that brunt did not fully observe. The reason is the lost workers
// if they explain the longest span, else brunt's own lateness.
func (w *LostWorkers) Hidden(r result.ObjectiveResult, spans []Span) result.ObjectiveResult {
	longest := slices.MaxFunc(spans, func(a, b Span) int { return cmp.Compare(a.Length(), b.Length()) })
	if w != nil && slices.ContainsFunc(w.Loads,
		func(l LostLoad) bool { return l.From <= longest.To && l.To >= longest.From }) {
		return w.invalid(r)
	}
	r.Doubt(result.Note{Kind: result.OwnUnseen, From: result.Sec(longest.From), To: result.Sec(longest.To)})
	return r
}
