package chart

import (
	"fmt"
	"math"
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// Generator draws brunt's own health, in panels with separate units.
func (c *Plotter) Generator(r *result.Result) []*Chart {
	g := &r.Generator
	var out []*Chart
	var all []series
	panel := func(id, title, about string, s Scale, lines ...series) {
		ch := c.make(Chart{ID: id, Title: title, About: about, Small: true}, s, lines)
		all = append(all, lines...)
		if len(out) > 0 { // the panels share one axis, one row of labels and one table
			last := out[len(out)-1]
			ch.Lanes, last.X, last.Marks, last.Table = nil, nil, false, nil
			ch.Table = c.tableOf(all, c.rowLimit)
			ch.Table.Title = "The values of the charts above"
		}
		out = append(out, ch)
	}
	flight := series{
		name: "in flight", class: "k0", unit: InCount, area: true,
		values: column(c.points, func(p *point) float64 { return float64(p.inFlight) }),
	}
	panel("flight", "In flight",
		"Iterations under way, the most in each window. Those of a target that does not answer pile up; that is no fault of "+
			"brunt.", Linear(flight.values), flight)

	lag := series{name: "lag p99", class: "k0", values: column(c.points, func(p *point) float64 { return p.lag })}
	queue := series{name: "queue p99", class: "k1", values: column(c.points, func(p *point) float64 { return p.queue })}
	if s, ok := Log(lag.values, queue.values, []float64{float64(g.LagLimit)}); ok {
		waits, about := []series{lag}, "Lag is brunt's own lateness"
		if g.LagLimit > 0 {
			about += "; over " + words.Seconds(g.LagLimit) +
				" in any phase (the dashed line) objectives that it could turn are invalid"
		}
		about += "."
		if slices.ContainsFunc(queue.values, func(f float64) bool { return f > 0 }) {
			waits, about = append(waits, queue), about+" Queue is the wait for a free connection, which a slow target causes."
		}
		panel("waits", "Lag", about, s, waits...)
		if g.LagLimit > 0 {
			out[len(out)-1].Plot += hline("limit", s.At(float64(g.LagLimit)))
		}
	}
	cpu, steal := c.seconds(g, func(t result.GeneratorTick) result.Num { return t.CPU }),
		c.seconds(g, func(t result.GeneratorTick) result.Num { return t.Steal })
	if known(cpu) {
		about := "Cores that brunt used"
		if r.Environment.CPUs > 0 {
			about += fmt.Sprintf(", of the machine's %d", r.Environment.CPUs)
		}
		panel("cpu", "CPU of brunt", about+".", Linear(cpu),
			series{name: "cores", class: "k0", unit: InCores, area: true, values: cpu})
	}
	if s := inShare.scale(steal); known(steal) && s.Hi > .001 {
		if s.Hi < .01 {
			s.Hi = .01
		}
		panel("steal", "CPU steal", "Share of the CPU time that the hypervisor gave to others.", s,
			series{name: "steal", class: "k1", unit: inShare, area: true, values: steal})
	}
	return out
}

// seconds maps a number of each of the generator's seconds to the points, the largest if
// several lie in one point.
func (c *Plotter) seconds(g *result.Generator, f func(result.GeneratorTick) result.Num) []float64 {
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
			out[i] = Larger(out[i], float64(f(t)))
		}
	}
	for i := 1; i < len(out); i++ { // a second cut by a fault has one tick
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
