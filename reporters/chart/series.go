package chart

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// A namedSeries is one series of a metric from the target's own monitoring, under the name that the scenario gives.
type namedSeries struct {
	name, unit   string            // unit: bytes, seconds, share, per second; else a plain number
	service      string            // for pods: the service; the series of a service share a panel
	labels       map[string]string // labels that distinguish it from others of the same name
	source, note string
	t, v         []float64 // as in a reading
}

// SeriesOf returns the series that the scenario names under metrics.
func SeriesOf(r *result.Result) []namedSeries {
	var out []namedSeries
	for i := range r.Series {
		s := &r.Series[i]
		one := namedSeries{name: s.Name, service: s.Service, unit: s.Unit, labels: s.Labels, source: s.Source, note: s.Note}
		for _, p := range s.Points {
			if p.T.Known() {
				one.t, one.v = append(one.t, float64(p.T)), append(one.v, float64(p.V))
			}
		}
		out = append(out, one)
	}
	return out
}

// SeriesPanels makes a panel for each name, with a line for each of its series. A line is named by the labels in
// which the series differ.
func SeriesPanels(list []namedSeries) []panel {
	var out []panel
	at := map[string]int{}
	groups := map[string][]namedSeries{}
	for _, f := range list {
		groups[f.panel()] = append(groups[f.panel()], f)
	}
	units := map[string]unit{
		result.UnitBytes: inBytes, result.UnitSeconds: inSeconds, result.UnitShare: inShare, result.UnitPerSecond: perSec,
	}
	for _, f := range list {
		i, found := at[f.panel()]
		if !found {
			i = len(out)
			at[f.panel()] = i
			u, ok := units[f.unit]
			if !ok {
				u = InCount
			}
			p := panel{id: "tracked-" + words.Int(int64(i+1)), title: words.Clip(words.Clean(f.panel()), 60), unit: u}
			if f.source != "" {
				p.about = words.Clip(words.Clean(f.source), 200) + "."
			}
			out = append(out, p)
		}
		if f.note != "" {
			out[i].about = strings.TrimSpace(out[i].about + " " + strings.TrimSuffix(words.Clip(words.Clean(f.note), 200), ".") +
				".")
		}
		out[i].readings = append(out[i].readings, reading{name: seriesName(f, groups[f.panel()]), t: f.t, v: f.v})
	}
	for i := range out {
		if len(out[i].readings) > PanelLines { // the series with the largest values get their own lines
			slices.SortStableFunc(out[i].readings, func(a, b reading) int { return cmp.Compare(b.most(), a.most()) })
		}
	}
	return out
}

// panel is the title of the series' panel.
func (f namedSeries) panel() string {
	if f.service != "" {
		return "Pods of " + f.service
	}
	return f.name
}

// most returns the largest value that was read.
func (r reading) most() float64 {
	most := 0.0
	for _, v := range r.v {
		most = max(most, Larger(0, v))
	}
	return most
}

// seriesName returns the name of one series among the series of one metric.
func seriesName(f namedSeries, group []namedSeries) string {
	if figure, of := strings.CutPrefix(f.name, f.service+"."); of && f.service != "" {
		return words.Clip(words.Clean(figure), 40)
	}
	var parts []string
	for _, key := range slices.Sorted(maps.Keys(f.labels)) {
		if slices.ContainsFunc(group, func(o namedSeries) bool { return o.labels[key] != f.labels[key] }) {
			parts = append(parts, f.labels[key])
		}
	}
	if len(parts) == 0 {
		return words.Clip(words.Clean(f.name), 40)
	}
	return words.Clip(words.Clean(strings.Join(parts, " ")), 40)
}
