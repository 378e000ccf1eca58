package judge

import (
	"fmt"
	"math"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/impact"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A course is one figure over time, of one unit or one set of labels.
type course struct {
	of     string // the unit, or the labels
	every  time.Duration
	points []result.Point
	lives  []int // by point: which process of the unit it is of; nil is one
}

// courses gives what an objective is about: every replica of a service, every series of a
// metric.
func courses(m slo.Metric, usage []result.UnitUsage, series []result.Series) []course {
	var out []course
	for i := range usage {
		u := &usage[i]
		if m.Resource == "" || m.Source != u.Unit && m.Source != u.Service {
			continue
		}
		c := course{of: u.Unit, every: time.Second, points: u.Points(m.Resource)}
		for _, s := range u.Seconds {
			c.lives = append(c.lives, s.Starts)
		}
		out = append(out, c)
	}
	for i := range series {
		s := &series[i]
		if m.Resource == "" && m.Source == s.Name {
			of := s.Name
			if len(s.Labels) > 0 {
				of += fmt.Sprint(s.Labels)[len("map"):]
			}
			out = append(out, course{of: of, every: s.Every.D(), points: s.Points})
		}
	}
	return out
}

// judgeSeries answers an objective on a series in a stretch of the run: in the worst of
// the replicas, or of the sets of labels.
func (f *finisher) judgeSeries(o slo.Objective, phase string, in Span) result.ObjectiveResult {
	return JudgeSeries(o, phase, in, f.c.Usage, f.c.Series)
}

// JudgeSeries is how an objective on a unit's own figure, or on a series that the scenario
// names, is answered. What is not known of half of the time makes it inconclusive: the
// worst may have been then. A growth is judged by its interval, which must lie on one
// side of the target: it says what goes on, and not what was once.
func JudgeSeries(o slo.Objective, phase string, in Span, usage []result.UnitUsage, series []result.Series) result.ObjectiveResult {
	all := courses(o.Metric, usage, series)
	worst := undone(phase, "nothing is known of "+o.Metric.Source)
	for i, c := range all {
		r := c.judge(o, phase, in)
		if len(all) > 1 && r.Note == "" {
			r.Note = c.of
		} else if len(all) > 1 {
			r.Note = c.of + ": " + r.Note
		}
		if i == 0 || worse(o, &r, &worst) {
			worst = r
		}
	}
	return worst
}

func (c course) judge(o slo.Objective, phase string, in Span) result.ObjectiveResult {
	r := undone(phase, "")
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
	if res := o.Metric.Resource; res == "restarts" || res == "ooms" {
		return c.counted(o, r, points, in)
	}
	expected := int(in.length() / max(c.every, time.Millisecond))
	switch {
	case len(points) == 0 && seen > 0:
		r.Note = "nothing was known of it in " + phase
		return r
	case len(points) == 0:
		r.Note = fmt.Sprintf("it was not read in %s, which lasted %s", phase, quantity.FormatSeconds(in.length().Seconds()))
		return r
	case 2*len(points) < expected:
		r.Note = fmt.Sprintf("it is known %d times in %s, and %d were due: the worst may have been between", len(points), phase, expected)
	}
	if o.Metric.Slope() {
		return growth(o, r, points, lives)
	}
	r.Measured = result.Num(fold(o.Metric.Fold, points))
	met := o.Holds(float64(r.Measured))
	beyond := !met && (o.Metric.Fold == "max" && o.Upper() || o.Metric.Fold == "min" && !o.Upper()) // whatever was not seen
	switch {
	case r.Note != "" && !beyond:
	case met:
		r.Verdict = scenarios.Pass
	default:
		r.Verdict, r.Note = scenarios.Fail, ""
	}
	return r
}

// counted answers an objective on what is counted from the beginning of the run: by how
// much it grew in the phase.
func (c course) counted(o slo.Objective, r result.ObjectiveResult, points []result.Point, in Span) result.ObjectiveResult {
	if len(points) == 0 {
		r.Note = "it was not looked at in " + r.Phase
		return r
	}
	before := result.Num(0)
	for _, p := range c.points {
		if p.T.D() <= in.From {
			before = p.V
		}
	}
	r.Measured, r.Verdict = points[len(points)-1].V-before, scenarios.Fail
	if o.Holds(float64(r.Measured)) {
		r.Verdict = scenarios.Pass
	}
	return r
}

// fold makes one value of several.
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

// enoughToGrow is how many points a growth is told by at least, and mostToGrow into how
// many longer ones are drawn together, each by its median: neighbours depend on each
// other, and their noise would pass for certainty.
const (
	enoughToGrow = 10
	mostToGrow   = 60
)

// growth answers an objective on how fast a series grows.
func growth(o slo.Objective, r result.ObjectiveResult, points []result.Point, lives []int) result.ObjectiveResult {
	switch {
	case r.Note != "":
		return r
	case len(points) < enoughToGrow:
		r.Note = fmt.Sprintf("%d values, and %d are needed to tell how it grows", len(points), enoughToGrow)
		return r
	}
	slope, low, high := theilSen(points, lives)
	if math.IsNaN(slope) {
		r.Note = "its process was started again and again, so that nothing tells how it grows"
		return r
	}
	r.Measured, r.Low, r.High = result.Num(slope), result.Num(low), result.Num(high)
	switch {
	case o.Holds(low) != o.Holds(high):
		r.Note = fmt.Sprintf("it grows by %s to %s: more time would tell", o.Metric.FormatValue(low), o.Metric.FormatValue(high))
	case o.Holds(slope):
		r.Verdict = scenarios.Pass
	default:
		r.Verdict = scenarios.Fail
	}
	return r
}

// theilSen is the median of the slopes between any two points, which a third of outliers
// does not upset (Theil, 1950), and its 95 % interval by Kendall's statistic (Sen, 1968).
// Points of different lives of a process are not compared, as a restart gives back what
// leaked: the statistics of the lives are added up (Hirsch, Slack and Smith, 1982).
func theilSen(points []result.Point, lives []int) (slope, low, high float64) {
	var slopes []float64
	variance := 0.0
	for from := 0; from < len(points); {
		to := from + 1
		for to < len(points) && (lives == nil || lives[to] == lives[from]) {
			to++
		}
		group := drawnTogether(points[from:to], max(2, mostToGrow*(to-from)/len(points)))
		ties := map[result.Num]float64{}
		for i, p := range group {
			ties[p.V]++
			for _, q := range group[i+1:] {
				if q.T > p.T {
					slopes = append(slopes, float64(q.V-p.V)/float64(q.T-p.T))
				}
			}
		}
		n := float64(len(group))
		v := n * (n - 1) * (2*n + 5)
		for _, t := range ties {
			v -= t * (t - 1) * (2*t + 5)
		}
		variance += v / 18
		from = to
	}
	n := len(slopes)
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	slices.Sort(slopes)
	slope = (slopes[(n-1)/2] + slopes[n/2]) / 2
	width := impact.Normal975 * math.Sqrt(variance)
	at := func(rank float64) float64 { return slopes[min(n-1, max(0, int(math.Round(rank))))] }
	return slope, at((float64(n)-width)/2 - 1), at((float64(n) + width) / 2)
}

// drawnTogether gives points as at most so many, each the median of neighbours.
func drawnTogether(points []result.Point, most int) []result.Point {
	if len(points) <= most {
		return points
	}
	out := make([]result.Point, 0, most)
	for i := range most {
		part := slices.Clone(points[i*len(points)/most : (i+1)*len(points)/most])
		middle := part[len(part)/2].T
		slices.SortFunc(part, func(a, b result.Point) int {
			if a.V < b.V {
				return -1
			}
			if a.V > b.V {
				return 1
			}
			return 0
		})
		out = append(out, result.Point{T: middle, V: part[len(part)/2].V})
	}
	return out
}
