package chart

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// Latency draws response times on a logarithmic axis.
func (c *Plotter) Latency(r *result.Result) *Chart {
	lines, limits := c.percentileLines(), limitsOf(c, r)
	earlier, times := earlierOf(c, r, "p95", func(p *point) float64 { return p.p95 })
	s, ok := Log(append(valuesOf(lines), values(limits), times)...)
	if !ok { // no request was answered: every line leaves the plot at its top
		s = Scale{Log: true, Lo: .001, Hi: 1}
	}
	about := "From the instant a request was asked for to its last byte, on a logarithmic scale; a failed request " +
		"counts as slower than any answer."
	if c.together > 1 {
		about += fmt.Sprintf(" Each point is the worst of %d windows.", c.together)
	}
	if names := closedLoads(r); names != "" {
		about += " Closed loads ask for nothing while the target stalls, so they hide stalls: " + names + "."
	}
	ch := c.make(Chart{ID: "latency", Title: "Response time", About: about, Alone: true}, s, lines)
	ch.Plot = earlier.draw(s) + ch.Plot + c.limitLines(limits, s)
	ch.Legend = append(ch.Legend, earlier.legend()...)
	for i := range limits {
		ch.Legend = append(ch.Legend, limits[i].legend())
	}
	ch.Straight = straightOf(c, lines, limits, earlier)
	if ch.Strips = c.strips(lines[:3]); len(ch.Strips) > 0 {
		// this tick would overlap the labels
		ch.Y = slices.DeleteFunc(ch.Y, func(t Tick) bool { return t.Place == c.places.top(0) })
	}
	c.nameEnds(ch, s, lines, apart)
	var why []string
	for i, of := range []string{"50", "5", "1"} {
		if name := "∞ " + lines[i].name; slices.ContainsFunc(ch.Strips, func(s strip) bool { return s.Name == name }) {
			why = append(why, name+": more than "+of+" % of the requests failed")
		}
	}
	if len(why) > 0 {
		ch.About += " In the rows above the plot, " + strings.Join(why, "; ") + ", so there is no such percentile."
	}
	return ch
}

func valuesOf(lines []series) [][]float64 {
	out := make([][]float64, len(lines))
	for i := range lines {
		out[i] = lines[i].values
	}
	return out
}

func (c *Plotter) percentileLines() []series {
	return []series{
		{name: "p50", class: "p50", values: column(c.points, func(p *point) float64 { return p.p50 })},
		{name: "p95", class: "p95", values: column(c.points, func(p *point) float64 { return p.p95 })},
		{name: "p99", class: "p99", values: column(c.points, func(p *point) float64 { return p.P99 })},
		{name: "max", class: "most", values: column(c.points, func(p *point) float64 { return p.most })},
	}
}

// closedLoads names the loads without an arrival rate.
func closedLoads(r *result.Result) string {
	var names []string
	for _, l := range r.Loads {
		if l.Closed {
			names = append(names, words.Clean(l.Name))
		}
	}
	return words.Join(names)
}

// Throughput draws offered, sent and answered requests.
func (c *Plotter) Throughput(r *result.Result) *Chart {
	lines := c.throughputLines()
	earlier, rates := earlierOf(c, r, "good", func(p *point) float64 { return float64(p.ok) / p.d })
	s := Linear(append(valuesOf(lines[:3]), rates)...) // no scale for good requests: they are never more than the others
	ch := c.make(Chart{
		ID: "throughput", Title: "Requests per second", Alone: true,
		About: "Offered and good by when a request was asked for, sent and answered by when that happened. Good is " +
			"answered with every check held.",
	}, s, lines)
	ch.Plot = earlier.draw(s) + ch.Plot
	ch.Legend = append(ch.Legend, earlier.legend()...)
	c.nameEnds(ch, s, lines, apart)
	return ch
}

func (c *Plotter) throughputLines() []series {
	offered := series{
		name: "offered", class: "offered", unit: perSec,
		values: perSecondOf(c.points, func(p *point) int64 { return p.offered }),
	}
	return []series{
		offered,
		{
			name: "sent", class: "sent", unit: perSec, base: &offered,
			values: perSecondOf(c.points, func(p *point) int64 { return p.sent }),
		},
		{
			name: "answered", class: "answered", unit: perSec, base: &offered,
			values: perSecondOf(c.points, func(p *point) int64 { return p.answered }),
		},
		{
			name: "good", class: "ok", unit: perSec, base: &offered, area: true,
			values: perSecondOf(c.points, func(p *point) int64 { return p.ok }),
		},
	}
}

// mostKinds bounds the lines of the chart of errors; the rest is merged into one.
const mostKinds = 5

// kind is a line of the chart of errors.
type kind struct {
	name  string
	count func(*point) int64
}

// errorKinds returns the lines of the chart of errors, the most frequent kinds first.
func (c *Plotter) errorKinds() []kind {
	total := map[string]int64{}
	var shed, skipped int64
	for i := range c.points {
		for k, n := range c.points[i].kinds {
			total[k] += n
		}
		shed += c.points[i].shed
		skipped += c.points[i].skipped
	}
	names := slices.SortedFunc(maps.Keys(total),
		func(a, b string) int { return cmp.Or(-cmp.Compare(total[a], total[b]), cmp.Compare(a, b)) })
	var out []kind
	for _, k := range names[:min(len(names), mostKinds)] {
		out = append(out, kind{words.Clip(words.Clean(k), 60), func(p *point) int64 { return p.kinds[k] }})
	}
	if len(names) > mostKinds {
		rest := names[mostKinds:]
		out = append(out, kind{fmt.Sprintf("%d other kinds", len(rest)), func(p *point) int64 {
			n := int64(0)
			for _, k := range rest {
				n += p.kinds[k]
			}
			return n
		}})
	}
	if skipped > 0 {
		out = append(out, kind{"skipped, as a step before failed", func(p *point) int64 { return p.skipped }})
	}
	if shed > 0 {
		out = append(out, kind{"shed on purpose, no error", func(p *point) int64 { return p.shed }})
	}
	return out
}

func (c *Plotter) errorLines(kinds []kind) []series {
	var out []series
	for i, k := range kinds {
		out = append(out, series{
			name: k.name, class: fmt.Sprintf("k%d", i), unit: perSec, area: i == 0, values: perSecondOf(c.points, k.count),
		})
	}
	return out
}

// ErrorRates draws errors per second, by kind; nil: there were none.
func (c *Plotter) ErrorRates() *Chart {
	c.kinds = c.errorKinds()
	return c.errorChart()
}

// errorChart draws errors per second of the kinds of the page.
func (c *Plotter) errorChart() *Chart {
	lines := c.errorLines(c.kinds)
	if len(lines) == 0 {
		return nil
	}
	ch := c.make(Chart{
		ID: "errors", Title: "Errors per second", About: "Errors per second, by when the request was asked for.", Alone: true,
	},
		Linear(valuesOf(lines)...), lines)
	ch.Tops = c.peaks(lines)
	return ch
}
