package html

import (
	"strconv"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
)

// scriptTable lists the metrics of k6 scripts; nil: there are none.
func scriptTable(r *result.Result) *chart.Table {
	if len(r.Metrics) == 0 {
		return nil
	}
	t := &chart.Table{
		Title: "What the script measured",
		Head:  []string{"Load", "Metric", "Type", "Samples", "Value", "p50", "p90", "p95", "p99", "Least", "Most"},
	}
	for i := range r.Metrics {
		m := &r.Metrics[i]
		row := []string{words.Clean(m.Load), words.Clean(m.Name), words.Clean(m.Type), words.Count(m.Count), scriptValue(m)}
		for _, v := range []result.Num{m.P50, m.P90, m.P95, m.P99, m.Min, m.Max} {
			text := ""
			if m.Type == "trend" || m.Type == "gauge" {
				text = scriptNumber(v)
			}
			row = append(row, text)
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// scriptValue formats the value of a metric like k6's end-of-test summary.
func scriptValue(m *result.ScriptMetric) string {
	switch m.Type {
	case "counter":
		return scriptNumber(m.Sum) + ", " + scriptNumber(m.Rate) + "/s"
	case "rate":
		return quantity.FormatShareBriefly(float64(m.Rate))
	case "gauge":
		return scriptNumber(m.Last)
	}
	if m.Count == 0 {
		return ""
	}
	return "mean " + scriptNumber(m.Sum/result.Num(m.Count))
}

// scriptNumber formats a number with four digits, in the script's own unit.
func scriptNumber(n result.Num) string {
	if !n.Known() {
		return "–"
	}
	f, err := strconv.ParseFloat(strconv.FormatFloat(float64(n), 'g', 4, 64), 64)
	if err != nil {
		return "–"
	}
	return strconv.FormatFloat(f, 'f', -1, 64)
}
