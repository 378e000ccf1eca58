package reporters

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"brunt/scenarios/result"
)

// latency draws response times on a logarithmic axis.
func (c *charts) latency(r *result.Result) *chart {
	lines := c.percentileLines()
	s, ok := logarithmic(lines[0].values, lines[1].values, lines[2].values, lines[3].values)
	if !ok {
		s = scale{Log: true, Lo: .001, Hi: 1} // nothing was answered: all of it leaves at the top
	}
	about := "From the instant a request was asked for to its last byte; a failed request counts as slower than any answer."
	if c.together > 1 {
		about += fmt.Sprintf(" Each point is the worst of %d windows.", c.together)
	}
	if names := closedLoads(r); names != "" {
		about += " Closed loads ask for nothing while the target stalls, so they hide stalls: " + names + "."
	}
	ch := c.make(chart{ID: "latency", Title: "Response time", About: about, Alone: true}, s, lines)
	if ch.Strips = c.strips(lines[:3]); len(ch.Strips) > 0 {
		ch.Y = slices.DeleteFunc(ch.Y, func(t tick) bool { return t.Place == c.places.top(0) }) // it would stand over their labels
	}
	ch.Ends = c.ends(s, lines)
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

func (c *charts) percentileLines() []series {
	return []series{
		{name: "p50", class: "p50", values: column(c.points, func(p *point) float64 { return p.p50 })},
		{name: "p95", class: "p95", values: column(c.points, func(p *point) float64 { return p.p95 })},
		{name: "p99", class: "p99", values: column(c.points, func(p *point) float64 { return p.p99 })},
		{name: "max", class: "most", values: column(c.points, func(p *point) float64 { return p.most })},
	}
}

// closedLoads names the loads that have no arrivals of their own.
func closedLoads(r *result.Result) string {
	var names []string
	for _, l := range r.Loads {
		if l.Closed {
			names = append(names, clean(l.Name))
		}
	}
	return join(names)
}

// throughput draws what was asked of the target and what came of it.
func (c *charts) throughput() *chart {
	lines := c.throughputLines()
	s := linear(lines[0].values, lines[1].values, lines[2].values)
	ch := c.make(chart{
		ID: "throughput", Title: "Requests per second", Alone: true,
		About: "Offered and good by when a request was asked for, sent and answered by when that happened. Good is answered with every check held.",
	}, s, lines)
	ch.Ends = c.ends(s, lines)
	return ch
}

func (c *charts) throughputLines() []series {
	offered := series{name: "offered", class: "offered", unit: perSec, values: perSecondOf(c.points, func(p *point) int64 { return p.offered })}
	return []series{
		offered,
		{name: "sent", class: "sent", unit: perSec, base: &offered, values: perSecondOf(c.points, func(p *point) int64 { return p.sent })},
		{name: "answered", class: "answered", unit: perSec, base: &offered, values: perSecondOf(c.points, func(p *point) int64 { return p.answered })},
		{name: "good", class: "ok", unit: perSec, base: &offered, area: true, values: perSecondOf(c.points, func(p *point) int64 { return p.ok })},
	}
}

// mostKinds bounds the lines of the chart of errors; the others become one.
const mostKinds = 5

// kind is a line of the chart of errors.
type kind struct {
	name  string
	count func(*point) int64
}

// errorKinds are the lines of the chart of errors, the most frequent kinds first.
func (c *charts) errorKinds() []kind {
	total := map[string]int64{}
	var shed, skipped int64
	for i := range c.points {
		for k, n := range c.points[i].kinds {
			total[k] += n
		}
		shed += c.points[i].shed
		skipped += c.points[i].skipped
	}
	names := slices.SortedFunc(maps.Keys(total), func(a, b string) int { return cmp.Or(-cmp.Compare(total[a], total[b]), cmp.Compare(a, b)) })
	var out []kind
	for _, k := range names[:min(len(names), mostKinds)] {
		out = append(out, kind{clip(clean(k), 60), func(p *point) int64 { return p.kinds[k] }})
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

func (c *charts) errorLines(kinds []kind) []series {
	var out []series
	for i, k := range kinds {
		out = append(out, series{name: k.name, class: fmt.Sprintf("k%d", i), unit: perSec, area: i == 0, values: perSecondOf(c.points, k.count)})
	}
	return out
}

// errors draws what went wrong, by kind; nil when nothing did.
func (c *charts) errors() *chart {
	c.kinds = c.errorKinds()
	lines := c.errorLines(c.kinds)
	if len(lines) == 0 {
		return nil
	}
	all := make([][]float64, len(lines))
	for i := range lines {
		all[i] = lines[i].values
	}
	ch := c.make(chart{ID: "errors", Title: "Errors per second", About: "Errors per second, by when the request was asked for.", Alone: true}, linear(all...), lines)
	ch.Tops = c.peaks(lines)
	return ch
}

// generator draws brunt's own health, in panels of their own units.
func (c *charts) generator(r *result.Result) []*chart {
	g := &r.Generator
	var out []*chart
	var all []series
	panel := func(id, title, about string, s scale, lines ...series) {
		ch := c.make(chart{ID: id, Title: title, About: about, Small: true}, s, lines)
		all = append(all, lines...)
		if len(out) > 0 { // the panels stand on one axis, under one row of labels and over one table
			last := out[len(out)-1]
			ch.Lanes, last.X, last.Marks, last.Table = nil, nil, false, nil
			ch.Table = c.table(all)
		}
		out = append(out, ch)
	}
	flight := series{name: "in flight", class: "k0", unit: inCount, area: true, values: column(c.points, func(p *point) float64 { return float64(p.inFlight) })}
	panel("flight", "In flight", "Iterations under way, the most in each window. Those of a target that does not answer pile up; that is no fault of brunt.", linear(flight.values), flight)

	lag := series{name: "lag p99", class: "k0", values: column(c.points, func(p *point) float64 { return p.lag })}
	queue := series{name: "queue p99", class: "k1", values: column(c.points, func(p *point) float64 { return p.queue })}
	if s, ok := logarithmic(lag.values, queue.values, []float64{float64(g.LagLimit)}); ok {
		waits, about := []series{lag}, "Lag is brunt's own lateness"
		if g.LagLimit > 0 {
			about += "; over " + seconds(g.LagLimit) + " in any phase (the dashed line) the run is invalid"
		}
		about += "."
		if slices.ContainsFunc(queue.values, func(f float64) bool { return f > 0 }) {
			waits, about = append(waits, queue), about+" Queue is the wait for a free connection, which a slow target causes."
		}
		panel("waits", "Lag", about, s, waits...)
		if g.LagLimit > 0 {
			out[len(out)-1].Plot += hline("limit", s.at(float64(g.LagLimit)))
		}
	}
	cpu, steal := c.seconds(g, func(t result.GeneratorTick) result.Num { return t.CPU }), c.seconds(g, func(t result.GeneratorTick) result.Num { return t.Steal })
	if known(cpu) {
		about := "Cores that brunt used"
		if r.Environment.CPUs > 0 {
			about += fmt.Sprintf(", of the machine's %d", r.Environment.CPUs)
		}
		panel("cpu", "CPU of brunt", about+".", linear(cpu), series{name: "cores", class: "k0", unit: inCores, area: true, values: cpu})
	}
	if s := linear(steal); known(steal) && s.Hi > .001 {
		if s.Hi < .01 {
			s.Hi = .01
		}
		panel("steal", "CPU steal", "Share of the CPU time that the hypervisor gave to others.", s, series{name: "steal", class: "k1", unit: inShare, area: true, values: steal})
	}
	return out
}

// seconds takes a number of each of the generator's seconds to the points that they
// lie in, the largest where several do.
func (c *charts) seconds(g *result.Generator, f func(result.GeneratorTick) result.Num) []float64 {
	out := make([]float64, len(c.points))
	for i := range out {
		out[i] = math.NaN()
	}
	for _, t := range g.Seconds {
		// a tick is taken at the end of its second
		i, _ := slices.BinarySearchFunc(c.points, float64(t.T)-.5, func(p point, at float64) int {
			if at < p.t {
				return 1
			}
			if at >= p.t+p.d {
				return -1
			}
			return 0
		})
		if i < len(out) && t.T.Known() {
			out[i] = larger(out[i], float64(f(t)))
		}
	}
	for i := 1; i < len(out); i++ { // a second that a fault cut has one tick
		if math.IsNaN(out[i]) && math.Floor(c.points[i].t) == math.Floor(c.points[i-1].t) {
			out[i] = out[i-1]
		} else if math.IsNaN(out[i-1]) && math.Floor(c.points[i].t) == math.Floor(c.points[i-1].t) {
			out[i-1] = out[i]
		}
	}
	return out
}

func known(values []float64) bool {
	return slices.ContainsFunc(values, func(f float64) bool { return !math.IsNaN(f) })
}
