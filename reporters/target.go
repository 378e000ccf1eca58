package reporters

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"brunt/scenarios/result"
)

// unitView is a row of what the units of the target used.
type unitView struct {
	Name  string
	Cells []string
}

// target draws what the target's units used, tells of each of them, and lists what happened
// to them.
func (p *page) target(c *charts, r *result.Result) {
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
		if restarts(u) > 0 {
			rank[u.Unit] += 4
		}
		for j := range r.Faults {
			if slices.Contains(r.Faults[j].Units, u.Unit) {
				rank[u.Unit] += 8
				break
			}
		}
	}
	if len(units) > panelLines { // those that something happened to have lines of their own
		slices.SortStableFunc(units, func(a, b result.UnitUsage) int { return -cmp.Compare(rank[a.Unit], rank[b.Unit]) })
	}
	p.Target = c.panels(append(usagePanels(units), trackedPanels(trackedOf(r))...))
	for i := range r.Usage {
		p.Units = append(p.Units, unitRow(&r.Usage[i]))
	}
	p.happenings(r)
}

// usagePanels are CPU, memory, files and threads of the units.
func usagePanels(units []result.UnitUsage) []panel {
	panels := []panel{
		{id: "unit-cpu", title: "CPU", about: "Cores that each unit used.", unit: inCores},
		{id: "unit-memory", title: "Memory", about: "Of each unit, with all processes that it started.", unit: inBytes},
		{id: "unit-files", title: "Open files", about: "Descriptors: files, connections and pipes.", unit: inCount},
		{id: "unit-threads", title: "Threads", unit: inCount},
	}
	var marks []happening
	for i := range units {
		u := &units[i]
		name := clean(u.Unit)
		lines := make([]reading, len(panels))
		for j := range lines {
			lines[j].name = name
		}
		starts := 1
		for _, s := range u.Seconds {
			if !s.T.Known() {
				continue
			}
			if s.Starts > starts {
				marks, starts = append(marks, happening{name, float64(s.T)}), s.Starts
			}
			values := [4]float64{float64(s.CPU), float64(s.Memory), float64(s.Files), float64(s.Threads)}
			for j := range lines {
				v := values[j]
				if !s.Running {
					v = math.NaN()
				}
				at := float64(s.T) // the instant of the reading
				if j == 0 {
					at -= .5 // CPU is that of the second before it
				}
				lines[j].t, lines[j].v = append(lines[j].t, at), append(lines[j].v, v)
			}
		}
		for j := range lines {
			panels[j].readings = append(panels[j].readings, lines[j])
		}
	}
	for i := range panels {
		panels[i].marks = marks
	}
	if len(marks) > 0 {
		panels[0].about += " An upright line in a unit's colour is a restart of it; where it did not run, its line is broken."
	}
	return panels
}

// restarts is how often a unit was started again while it was watched.
func restarts(u *result.UnitUsage) int {
	most := 1
	for i := range u.Seconds {
		most = max(most, u.Seconds[i].Starts)
	}
	return most - 1
}

// unitRow sums a unit up.
func unitRow(u *result.UnitUsage) unitView {
	first, last, cpu := -1, -1, result.NaN
	files, threads, down := math.NaN(), math.NaN(), 0
	for i := range u.Seconds {
		s := &u.Seconds[i]
		if !s.Running {
			down++
			continue
		}
		if first < 0 {
			first = i
		}
		last = i
		if s.CPU.Known() && !(s.CPU <= cpu) {
			cpu = s.CPU
		}
		files, threads = larger(files, float64(s.Files)), larger(threads, float64(s.Threads))
	}
	memory := func(at int) string {
		if at < 0 {
			return "–"
		}
		return bytesOf(u.Seconds[at].Memory)
	}
	gone := "–"
	if down > 0 {
		gone = plural(int64(down), "second", "seconds")
	}
	return unitView{Name: clean(u.Unit), Cells: []string{
		inCores.format(float64(u.CPU)), inCores.format(float64(cpu)), memory(first), memory(last), bytesOf(u.Memory),
		inCount.format(files), inCount.format(threads), inCount.format(float64(restarts(u))), gone,
	}}
}

// happeningView is something that happened to a unit.
type happeningView struct{ At, Unit, What string }

// mostHappenings bounds the list of what happened to units.
const mostHappenings = 60

// unitWords say what events of units mean.
var unitWords = map[string]string{
	"unit.start": "was started", "unit.ready": "was ready", "unit.exit": "ended", "unit.error": "could not be started",
	"container.start": "started", "container.die": "ended", "container.oom": "ran out of memory: the kernel killed a process of it", "container.restart": "was restarted by order",
	"container.health": "is", "container.pause": "was paused", "container.unpause": "went on", "container.gone": "was removed",
}

// happenings lists what happened to units while the load ran.
func (p *page) happenings(r *result.Result) {
	left := 0
	for i := range r.Events {
		e := &r.Events[i]
		words, ok := unitWords[e.Event]
		if !ok || !e.T.Known() || e.T < 0 || e.T >= r.Duration {
			continue
		}
		if len(p.Happenings) == mostHappenings {
			left++
			continue
		}
		switch text := clip(clean(e.Text), 160); {
		case text == "":
		case e.Event == "container.health":
			words += " " + text
		default:
			words += " (" + text + ")"
		}
		p.Happenings = append(p.Happenings, happeningView{offset(e.T), clean(e.Unit), words})
	}
	if left > 0 {
		p.HappeningsLeft = fmt.Sprintf("And %d more, which events.jsonl has.", left)
	}
}
