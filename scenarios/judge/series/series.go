// Objectives on values over time are judged by series: the resource usage of a unit, or a metric that the scenario
// names.
//
//	result.UnitUsage, result.Series --Judge, in a phase--> answer of the worst replica or set of labels

package series

import (
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/effect"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A series holds one value over time, of one unit or one set of labels.
type series struct {
	of     string // name of the unit, or the labels
	unread string // error of the last reading, if no reading had an answer
	every  time.Duration
	points []result.Point
	lives  []int // by point: number of the unit's process; nil means one process
	// by point: whether the pod ran, because pods may come and go; nil means that values are expected at all times
	runs []bool
}

// seriesOf lists the series of an objective: one for each replica of a service, or for each set
// of labels of a metric.
func seriesOf(m slo.Metric, usage []result.UnitUsage, named []result.Series) []series {
	var out []series
	if m.Resource == slo.UnitsFigure {
		return unitsOf(m.Source, usage)
	}
	for i := range usage {
		u := &usage[i]
		if m.Resource == "" || m.Figure().OfPods || m.Source != u.Unit && m.Source != u.Service {
			continue
		}
		c := series{of: u.Unit, every: time.Second, points: u.Points(m.Resource)}
		if u.OfPod() && !m.Figure().Counted {
			if m.Resource == "cpu" && u.Every > 0 {
				c.every = u.Every.D()
			}
			for _, s := range u.Seconds {
				c.runs = append(c.runs, s.Running)
			}
		}
		for _, s := range u.Seconds {
			c.lives = append(c.lives, s.Starts)
		}
		out = append(out, c)
	}
	for i := range named {
		s := &named[i]
		if m.Figure().OfPods && s.Service == m.Source && s.Name == m.Source+"."+m.Resource {
			out = append(out, series{of: s.Service, every: s.Every.D(), points: s.Points})
		}
		if m.Resource == "" && m.Source == s.Name {
			of := s.Name
			if len(s.Labels) > 0 {
				of += fmt.Sprint(s.Labels)[len("map"):]
			}
			out = append(out, series{of: of, every: s.Every.D(), points: s.Points, unread: s.Unread})
		}
	}
	return out
}

// JudgeGauge judges an objective on the resource usage of a unit or on a named series. sent is the number of requests
// that the objective is about, for objectives on counters. If less than half of the values are known, or none of a
// metric for longer than [mostGap] readings at an edge, the verdict is inconclusive, because the worst value may be
// missing. A growth is judged by its interval, which must lie on one side of the target.
func JudgeGauge(
	o slo.Objective, phase slo.Phase, in requests.Span, usage []result.UnitUsage, series []result.Series, sent int64,
) result.ObjectiveResult {
	if o.Metric.Counts() {
		return judgeCounters(o, phase, in, series, sent)
	}
	all := withoutBrief(seriesOf(o.Metric, usage, series), in)
	worst := requests.Unanswered(phase, result.Note{Kind: result.ValueUnknown, Of: o.Metric.Source})
	for i, c := range all {
		r := c.judge(o, phase, in)
		if len(all) > 1 {
			r.Because = append(result.Notes{{Kind: result.OfOne, Of: c.of}}, r.Because...)
		}
		if i == 0 || requests.Worse(o, &r, &worst) {
			worst = r
		}
	}
	return worst
}

// briefly is how long a pod may run before its source reports its usage.
const briefly = 30 * time.Second

// ran returns how long a pod ran in a phase, and how many of its values are known.
func (c series) ran(in requests.Span) (d time.Duration, known int) {
	for i, p := range c.points {
		if at := p.T.D(); at <= in.From || at > in.To || !c.runs[i] {
			continue
		}
		d += time.Second
		if !math.IsNaN(float64(p.V)) {
			known++
		}
	}
	return d, known
}

// withoutBrief leaves out pods that did not run long enough in a phase for their source to report usage, unless there
// are no others.
func withoutBrief(all []series, in requests.Span) (out []series) {
	for _, c := range all {
		if c.runs != nil {
			if d, known := c.ran(in); known == 0 && d < briefly {
				continue
			}
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		return all
	}
	return out
}

// mostGap is the most times between two readings of a metric for which it may not be known at the begin or the end of a
// phase. Between two readings a unit may be away, which has no values meanwhile.
const mostGap = 2

// edgeGap returns for how long a phase lasts before the first reading of a metric or after the last, whichever is
// longer, if that is more than mostGap times the time between two readings; else 0.
func edgeGap(in requests.Span, first, last, every time.Duration) time.Duration {
	if longest := max(first-in.From, in.To-last); longest > mostGap*every {
		return longest
	}
	return 0
}

// unknownFor returns for how long no value of a metric is known at the begin or the end of a phase, if that is longer
// than mostGap readings; else 0. Only the time after the last value counts if its last value is asked for.
func (c series) unknownFor(o slo.Objective, in requests.Span, points []result.Point) time.Duration {
	if c.lives != nil || c.runs != nil || c.every <= 0 || o.Metric.Slope() {
		return 0
	}
	first, last := in.From, in.From
	if n := len(points); n > 0 {
		last = points[n-1].T.D()
		if o.Metric.Fold != "last" {
			first = points[0].T.D()
		}
	}
	return edgeGap(in, first, last, c.every)
}

func (c series) judge(o slo.Objective, phase slo.Phase, in requests.Span) result.ObjectiveResult {
	r := requests.Unanswered(phase)
	var points []result.Point
	var lives []int
	seen := 0
	for i, p := range c.points {
		if at := p.T.D(); at <= in.From || at > in.To {
			continue
		}
		seen++
		if !math.IsNaN(float64(p.V)) {
			points = append(points, p)
			if c.lives != nil {
				lives = append(lives, c.lives[i])
			}
		}
	}
	r.Count = int64(len(points))
	if o.Metric.Figure().Counted {
		return c.counted(o, r, points, in)
	}
	expected := int(in.Length() / max(c.every, time.Millisecond))
	if c.runs != nil {
		ran, _ := c.ran(in)
		expected = int(ran / max(c.every, time.Millisecond))
	}
	unknown := c.unknownFor(o, in, points)
	switch {
	case len(points) == 0 && seen > 0:
		r.Because = result.Notes{{Kind: result.ValuesNone, Phase: phase}}
		return r
	case len(points) == 0:
		r.Because = result.Notes{{
			Kind: result.ValuesUnreadFor, Phase: phase, For: result.Sec(in.Length()), Text: c.unread,
		}}
		return r
	case 2*len(points) < expected, unknown > 0:
		r.Because = result.Notes{{
			Kind: result.ValuesMissing, Count: r.Count, Phase: phase, Need: int64(expected), For: result.Sec(unknown),
		}}
	}
	if o.Metric.Slope() {
		return growth(o, r, points, lives)
	}
	how := o.Metric.Fold
	if how == slo.Worst {
		how = "min"
		if o.Upper() || o.Op == "=" && o.Holds(fold("min", points)) {
			how = "max"
		}
	}
	r.Measured = result.Num(fold(how, points))
	met := o.Holds(float64(r.Measured))
	// the known values exceed the target, whatever the missing values are
	beyond := !met && (o.Metric.Fold == slo.Worst || how == "max" && o.Upper() || how == "min" && !o.Upper())
	shown := met && (o.Metric.Fold == "max" && !o.Upper() || o.Metric.Fold == "min" && o.Upper()) && o.Op != "="
	switch {
	case len(r.Because) > 0 && !beyond && !shown:
	case met:
		r.Verdict, r.Because = scenarios.Pass, nil
	default:
		r.Verdict, r.Because = scenarios.Fail, nil
	}
	return r
}

// slowSample is how many times longer than usual a sample of a unit may take, so that the last one may lack.
const slowSample = 4

// uncounted returns for how long no value of a counter is known at the end of a phase; 0 if that is not long.
func (c series) uncounted(in requests.Span, last time.Duration) time.Duration {
	every := c.every
	if !slices.ContainsFunc(c.points, func(p result.Point) bool {
		return p.T.D() > last && p.T.D() <= in.To // and its value is not known
	}) {
		every *= slowSample
	}
	return edgeGap(in, in.From, last, every)
}

// counted judges an objective on a counter that starts with the run, by its increase in the phase. The counter may
// have grown since its last known value.
func (c series) counted(
	o slo.Objective, r result.ObjectiveResult, points []result.Point, in requests.Span,
) result.ObjectiveResult {
	if len(points) == 0 {
		r.Because = result.Notes{{Kind: result.ValuesUnread, Phase: r.Phase, Text: c.unread}}
		return r
	}
	before := result.Num(0)
	for _, p := range c.points {
		if p.T.D() <= in.From && !math.IsNaN(float64(p.V)) {
			before = p.V
		}
	}
	last := points[len(points)-1]
	r.Measured = last.V - before
	least := float64(r.Measured)
	grown := o.Holds(least) != o.Holds(math.Inf(1)) || o.Op == "=" && least < o.Value
	if unknown := c.uncounted(in, last.T.D()); unknown > 0 && grown {
		r.Because = result.Notes{{
			Kind: result.ValuesMissing, Count: r.Count, Phase: r.Phase, Need: int64(in.Length() / c.every),
			For: result.Sec(unknown),
		}}
		return r
	}
	r.Verdict = requests.VerdictIf(o.Holds(least))
	return r
}

// fold reduces values to one.
func fold(how string, points []result.Point) float64 {
	v := float64(points[0].V)
	for _, p := range points[1:] {
		switch x := float64(p.V); how {
		case "max":
			v = max(v, x)
		case "min":
			v = min(v, x)
		case "mean":
			v += x
		default: // last
			v = x
		}
	}
	if how == "mean" {
		v /= float64(len(points))
	}
	return v
}

// enoughToGrow is the least number of points for a growth.
const enoughToGrow = 10

// Need returns the least number of readings in a phase with which an objective on a series, or on a link, is decided.
func Need(o slo.Objective) int64 {
	switch {
	case o.Metric.Slope():
		return enoughToGrow
	case o.Metric.Counts():
		return leastReadings
	}
	return 1
}

// growth judges an objective on how fast a series grows.
func growth(o slo.Objective, r result.ObjectiveResult, points []result.Point, lives []int) result.ObjectiveResult {
	switch need := Need(o); {
	case len(r.Because) > 0:
		return r
	case r.Count < need:
		r.Because = result.Notes{{Kind: result.FewValues, Count: r.Count, Need: need}}
		return r
	}
	slope, low, high := effect.TheilSen(points, lives)
	if math.IsNaN(slope) {
		r.Because = result.Notes{{Kind: result.ProcessRestarted}}
		return r
	}
	r.Measured, r.Low, r.High = result.Num(slope), result.Num(low), result.Num(high)
	switch {
	case o.Holds(low) != o.Holds(high):
		r.Because = result.Notes{{Kind: result.GrowthBetween, Low: r.Low, High: r.High}}
	case o.Holds(slope):
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
	return r
}
