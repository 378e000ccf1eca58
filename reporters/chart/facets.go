package chart

import (
	"cmp"
	"math"
	"slices"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// facet is one load or step. A reader may select its charts instead of those of the whole run.
type facet struct {
	load, step string // the step "" means all of the load's steps
	name       string
	points     []point
	together   float64 // length of its points in seconds if a point merges several windows, else 0
	rows       int     // bound of the rows of its tables
}

// mostFacetPoints bounds the points of all loads and steps of a page together, so that the page stays small: the more
// loads and steps, the fewer points for each.
const mostFacetPoints = 5_000

// mostFacetRows bounds the rows of the tables of all loads and steps together in the same way.
const mostFacetRows = 1_200

// facets returns each load and each step that can be shown separately. If there is only one step it returns nil.
func (c *Plotter) facets(r *result.Result) []facet {
	type key struct{ load, step string }
	rows := map[key][]point{}
	for i := range r.Windows {
		if w := &r.Windows[i]; w.Load != "*" && w.T.Known() && w.D > 0 {
			k := key{w.Load, w.Step}
			rows[k] = append(rows[k], pointOf(w))
		}
	}
	if len(rows) < 2 {
		return nil
	}
	keys, ofLoads := []key{}, map[string]bool{}
	for k := range rows {
		keys = append(keys, k)
		ofLoads[k.load] = true
	}
	loads, place := map[string]int{}, map[key]int{}
	for i, l := range r.Loads { // in the order of the scenario, a load's sum before its steps
		loads[l.Name] = i
		for j, s := range l.Steps {
			place[key{l.Name, s}] = j + 1
		}
	}
	slices.SortFunc(keys, func(a, b key) int {
		return cmp.Or(cmp.Compare(loads[a.load], loads[b.load]), cmp.Compare(a.load, b.load), cmp.Compare(place[a], place[b]),
			cmp.Compare(a.step, b.step))
	})
	most := max(20, mostFacetPoints/len(keys))
	var out []facet
	for _, k := range keys {
		list := rows[k]
		slices.SortStableFunc(list, func(a, b point) int { return cmp.Compare(a.t, b.t) })
		p := facet{load: words.Clean(k.load), step: words.Clean(k.step), points: c.thin(joinSlivers(c.gapless(list)), most)}
		p.rows = max(FewRows, min(mostRows, mostFacetRows/len(keys)))
		if p.name = p.step; k.step == "*" {
			p.step, p.name = "", p.load
		} else if len(ofLoads) > 1 {
			p.name += " of " + p.load
		}
		if longest(p.points) > 1.5*longest(c.points) {
			p.together = longest(p.points)
		}
		out = append(out, p)
	}
	return out
}

// longest returns the length that most points do not exceed.
func longest(list []point) float64 {
	lengths := make([]float64, len(list))
	for i := range list {
		lengths[i] = list[i].d
	}
	return median(lengths)
}

// gapless inserts empty points where a load or step has no window, for example before it began.
func (c *Plotter) gapless(list []point) []point {
	var out []point
	nothing := func(from, to float64) {
		for from < to-1e-6 {
			end := to
			// as long as the page's windows, because otherwise a gap would look like a window
			if i, _ := slices.BinarySearchFunc(c.points, from+1e-6,
				func(p point, at float64) int { return cmp.Compare(p.t+p.d, at) }); i < len(c.points) {
				end = math.Min(to, c.points[i].t+c.points[i].d)
			}
			nan := math.NaN()
			out = append(out, point{t: from, d: end - from, p50: nan, p95: nan, P99: nan, most: nan, lag: nan, queue: nan})
			from = end
		}
	}
	at := c.points[0].t
	for _, p := range list {
		nothing(at, p.t)
		out = append(out, p)
		at = p.t + p.d
	}
	last := c.points[len(c.points)-1]
	nothing(at, last.t+last.d)
	return out
}

// thin merges neighbours until there are at most most points.
func (c *Plotter) thin(list []point, most int) []point {
	n := (len(list) + most - 1) / most
	if n <= 1 {
		return list
	}
	var out []point
	for i := 0; i < len(list); i += n {
		p := list[i]
		for _, q := range list[i+1 : min(len(list), i+n)] {
			p.add(&q, true)
		}
		out = append(out, p)
	}
	return out
}

// note says which load or step the charts show.
func (p *facet) note() string {
	text := "Shown is " + p.name + " alone."
	if p.together > 0 {
		text += " Each point is " + words.Offset(result.Num(math.Round(p.together))) + " long."
	}
	return text
}
