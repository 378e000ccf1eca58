package html

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// unitView is a row of the usage of units.
type unitView struct {
	Name  string
	Cells []string
}

// target draws the usage of the target's units, summarizes each unit, and lists the units' events.
func (p *pageView) target(c *chart.Plotter, r *result.Result) {
	units := slices.Clone(r.Usage)
	rank := map[string]float64{}
	most := [2]float64{1, 1}
	for i := range units {
		most[0], most[1] = max(most[0], float64(units[i].Memory)), max(most[1], float64(units[i].CPU))
	}
	for i := range units {
		u := &units[i]
		rank[u.Unit] = float64(u.Memory) / most[0]
		if u.CPU.Known() {
			rank[u.Unit] += float64(u.CPU) / most[1]
		}
		if chart.Restarts(u) > 0 {
			rank[u.Unit] += 4
		}
		for j := range r.Faults {
			if slices.Contains(r.Faults[j].Units, u.Unit) {
				rank[u.Unit] += 8
				break
			}
		}
	}
	if len(units) > chart.PanelLines { // units with events get their own lines first
		slices.SortStableFunc(units, func(a, b result.UnitUsage) int { return -cmp.Compare(rank[a.Unit], rank[b.Unit]) })
	}
	p.Target = c.Panels(append(chart.UsagePanels(units), chart.SeriesPanels(chart.SeriesOf(r))...))
	for i := range r.Usage {
		p.Units = append(p.Units, unitRow(&r.Usage[i]))
	}
	p.happenings(r)
}

// unitRow summarizes a unit.
func unitRow(u *result.UnitUsage) unitView {
	first, last, cpu := -1, -1, result.NaN
	files, threads, down := math.NaN(), math.NaN(), 0
	for i := range u.Seconds {
		s := &u.Seconds[i]
		if !s.Running {
			down++
			continue
		}
		if s.Memory >= 0 { // it may be unknown for a pod
			if first < 0 {
				first = i
			}
			last = i
		}
		if s.CPU.Known() && !(s.CPU <= cpu) {
			cpu = s.CPU
		}
		files = chart.Larger(files, float64(s.Files))
		if s.Threads > 0 { // unknown for pods
			threads = chart.Larger(threads, float64(s.Threads))
		}
	}
	memory := func(at int) string {
		if at < 0 {
			return "–"
		}
		return words.Bytes(u.Seconds[at].Memory)
	}
	most := words.Bytes(u.Memory)
	if first < 0 {
		most = memory(first)
	}
	gone := "–"
	if down > 0 {
		gone = words.Plural(int64(down), "second", "seconds")
	}
	return unitView{Name: words.Clean(u.Unit), Cells: []string{
		chart.InCores.Format(float64(u.CPU)), chart.InCores.Format(float64(cpu)), memory(first), memory(last), most,
		chart.InCount.Format(files), chart.InCount.Format(threads), chart.InCount.Format(float64(chart.Restarts(u))), gone,
	}}
}

// unitEventView is an event of a unit.
type unitEventView struct{ At, Unit, What string }

// mostHappenings bounds the list of the units' events.
const mostHappenings = 60

// happenings lists the events of units while the load ran.
func (p *pageView) happenings(r *result.Result) {
	left := 0
	for i := range r.Events {
		e := &r.Events[i]
		what, ok := words.UnitEvent(e.Event, e.Says())
		if !ok || !e.T.Known() || e.T < 0 || e.T >= r.Duration {
			continue
		}
		if len(p.Happenings) == mostHappenings {
			left++
			continue
		}
		p.Happenings = append(p.Happenings, unitEventView{words.Offset(e.T), words.Clean(e.Unit), what})
	}
	if left > 0 {
		p.HappeningsLeft = fmt.Sprintf("And %d more, which events.jsonl has.", left)
	}
}
