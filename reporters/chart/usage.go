package chart

import (
	"math"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// UsagePanels returns the panels of the units' CPU, memory, files and threads.
func UsagePanels(units []result.UnitUsage) []panel {
	panels := []panel{
		{id: "unit-cpu", title: "CPU", about: "Cores that each unit used.", unit: InCores},
		{id: "unit-memory", title: "Memory", about: "Of each unit, with all processes that it started.", unit: inBytes},
		{id: "unit-files", title: "Open files", about: "Descriptors: files, connections and pipes.", unit: InCount},
		{id: "unit-threads", title: "Threads", unit: InCount},
	}
	var marks []mark
	for i := range units {
		u := &units[i]
		name := words.Clean(u.Unit)
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
				marks, starts = append(marks, mark{name, float64(s.T)}), s.Starts
			}
			values := [4]float64{float64(s.CPU), float64(s.Memory), float64(s.Files), float64(s.Threads)}
			if s.Memory < 0 {
				values[1] = math.NaN()
			}
			if s.Threads == 0 { // a process always has at least one
				values[3] = math.NaN()
			}
			for j := range lines {
				v := values[j]
				if !s.Running {
					v = math.NaN()
				}
				at := float64(s.T) // the instant of the reading
				if j == 0 {
					at -= max(1, float64(u.Every)) / 2 // CPU is a mean over the last second, or over the time since the last figure
				}
				if j == 0 && u.Every > 0 && s.Running && math.IsNaN(v) { // this second has no figure
					continue
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

// Restarts returns how many times a unit restarted while it was watched.
func Restarts(u *result.UnitUsage) int {
	most := 1
	for i := range u.Seconds {
		most = max(most, u.Seconds[i].Starts)
	}
	return most - 1
}
