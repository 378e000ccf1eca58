// Sparklines are small pictures of a part of a run: response times and bad requests over time, as SVG for the page
// and as a row of characters for a terminal.
//
//	result.Window -> Series -> Line, Area    paths of an SVG
//	                        -> Rows          ▁▂▃▅▇ in a terminal

package chart

import (
	"math"

	"brunt/scenarios/result"
)

// A SparkSeries holds the response times and bad requests of a load or step over a part of the run, in columns of
// equal length.
type SparkSeries struct {
	From, To float64   // seconds from t0
	P95      []float64 // largest response time of each column, in seconds; NaN: no request, +Inf: more than 5 % failed
	Bad      []float64 // share of requests that were errors or skipped, 0 to 1; NaN: no request
	// the largest such share in any second of the run, independent of the columns; zero: none failed
	Worst float64
}

// SparkSeriesOf returns the series of a load and step ("*" for all) between two times, in n columns. It returns nil
// if no window lies between them.
func SparkSeriesOf(r *result.Result, load, step string, from, to float64, n int) *SparkSeries {
	var list []*result.Window
	for i := range r.Windows {
		w := &r.Windows[i]
		if w.Load != load || w.Step != step || !w.T.Known() || w.D <= 0 || float64(w.T+w.D) <= from || float64(w.T) >= to {
			continue
		}
		list = append(list, w)
	}
	if len(list) == 0 || to <= from || n < 1 {
		return nil
	}
	c := &SparkSeries{From: from, To: to, P95: make([]float64, n), Bad: make([]float64, n)}
	c.Worst = worst(list)
	offered := make([]float64, n)
	for i := range n {
		c.P95[i] = math.NaN()
	}
	wide := (to - from) / float64(n)
	for _, w := range list {
		a, b := (float64(w.T)-from)/wide, (float64(w.T+w.D)-from)/wide
		for i := max(0, int(a+1e-9)); i < n && float64(i) < b-1e-9; i++ {
			part := (math.Min(b, float64(i+1)) - math.Max(a, float64(i))) / (b - a)
			offered[i] += part * float64(w.Offered)
			c.Bad[i] += part * float64(w.Error+w.Skipped)
			if v := p95Of(w); !math.IsNaN(v) && !(v <= c.P95[i]) {
				c.P95[i] = v
			}
		}
	}
	for i := range n {
		c.Bad[i] /= offered[i] // NaN where nothing was offered
	}
	return c
}

// worst is the largest share of bad requests in any second. Windows that begin in the same second are added up.
func worst(list []*result.Window) (most float64) {
	type sum struct{ bad, offered int64 }
	seconds := map[int64]sum{}
	for _, w := range list {
		at := int64(math.Floor(float64(w.T) + 1e-9))
		s := seconds[at]
		s.bad, s.offered = s.bad+w.Error+w.Skipped, s.offered+w.Offered
		seconds[at] = s
	}
	for _, s := range seconds {
		if s.offered > 0 {
			most = max(most, float64(s.bad)/float64(s.offered))
		}
	}
	return most
}

// p95Of returns the 95th percentile of a window; +Inf if so many requests failed that it is unknown.
func p95Of(w *result.Window) float64 {
	if !w.P95.Known() && w.Offered > w.Shed {
		return math.Inf(1)
	}
	return float64(w.P95)
}

// column returns the column of a time in seconds from t0; ok is false if the time is outside the series.
func (c *SparkSeries) column(at float64) (i int, ok bool) {
	i = int(math.Floor((at - c.From) / (c.To - c.From) * float64(len(c.P95))))
	return i, i >= 0 && i < len(c.P95)
}

// place returns the position of a time between the ends of the series, 0 to 1.
func (c *SparkSeries) place(at float64) float64 {
	return math.Max(0, math.Min(1, (at-c.From)/(c.To-c.From)))
}
