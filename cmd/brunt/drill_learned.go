package main

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"brunt/reporters/chart"
	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
)

// learnedFile is the file of what a campaign of drills learned about its system.
const learnedFile = "learned.json"

// fillLearned adds what runs teach to a page: the alerts after each fault, the graph of services, and the cost of
// requests.
func fillLearned(page *html.MatrixPage, l *drills.Learned) {
	fillAlerts(page, l.Alerts)
	for _, e := range l.Links {
		page.Edges = append(page.Edges, edgeOf(&e))
	}
	for _, c := range l.Cost {
		row := html.MatrixRow{Part: faultName(c.Run, c.Fault, c.Parts)}
		before, during := words.CostCells(&c.Before), words.CostCells(&c.During)
		for i := range during {
			text := before[i] + " → " + during[i]
			if dearer := words.Dearer(&c.Before, &c.During); i == 0 && dearer != "" {
				text += " (" + dearer + ")"
			}
			row.Cells = append(row.Cells, html.MatrixCell{Text: text, Link: c.Link, Tone: "plain"})
		}
		page.Costs = append(page.Costs, row)
	}
}

// faultName names a fault of a run, with the parts that it hit.
func faultName(run, fault string, parts []string) string {
	name := run + ": " + fault
	if len(parts) > 0 {
		name += " (" + strings.Join(parts, ", ") + ")"
	}
	return name
}

// alertTones holds the tone of each answer of an alert.
var alertTones = map[drills.AlertAnswer]string{
	drills.AlertFired: "good", drills.AlertLate: "unsure", drills.AlertSilent: "bad", drills.AlertUnknown: "unsure",
}

// fillAlerts adds the matrix of alerts: a row for each fault, and a column for each alert.
func fillAlerts(page *html.MatrixPage, rows []drills.AlertRow) {
	for _, row := range rows {
		for _, a := range row.Alerts {
			if !slices.Contains(page.AlertNames, a.Alert) {
				page.AlertNames = append(page.AlertNames, a.Alert)
			}
		}
	}
	for _, row := range rows {
		out := html.MatrixRow{Part: faultName(row.Run, row.Fault, row.Parts)}
		for _, name := range page.AlertNames {
			i := slices.IndexFunc(row.Alerts, func(a drills.AlertOutcome) bool { return a.Alert == name })
			if i < 0 {
				out.Cells = append(out.Cells, html.MatrixCell{Text: "not polled"})
				continue
			}
			a := &row.Alerts[i]
			text, why := alertWords(a)
			out.Cells = append(out.Cells, html.MatrixCell{Text: text, Why: why, Tone: alertTones[a.Answer], Link: row.Link})
		}
		page.Alerts = append(page.Alerts, out)
	}
}

// alertWords describes the answer of an alert, for a cell and in a sentence.
func alertWords(a *drills.AlertOutcome) (text, why string) {
	switch a.Answer {
	case drills.AlertFired:
		return words.Seconds(a.Fired), fmt.Sprintf("fired between %s and %s after the injection", words.Seconds(a.From),
			words.Seconds(a.Fired))
	case drills.AlertLate:
		why = "the fault was over after " + words.Seconds(a.Over)
		if a.Limit > 0 && a.Fired >= a.Limit {
			why = "an objective wants it within " + words.Seconds(a.Limit)
		}
		return "late: " + words.Seconds(a.Fired), why
	case drills.AlertSilent:
		return "silent", "it did not fire within " + words.Seconds(a.From) + " after the injection"
	}
	why = a.Note
	if why == "" && a.Fired.Known() {
		why = "another fault was in as well"
	} else if why == "" {
		why = "the fault was not verified, or met no traffic"
	}
	return "unknown", why
}

// edgeOf describes a link between services: a thick arrow is a link to a service without which a step fails.
func edgeOf(e *drills.Edge) html.MatrixEdge {
	out := html.MatrixEdge{GraphEdge: chart.GraphEdge{From: e.From, To: e.To}}
	switch {
	case !e.Traffic.Known():
		out.Label, out.Traffic, out.Unsure = "unknown", "unknown: it was not read", true
	case e.Traffic == 0 && e.Unread == 0:
		out.Label, out.Traffic = "none", "none"
	case e.Unit == result.UnitCalls:
		out.Label = fmt.Sprintf("%.2f calls", float64(e.Traffic))
		out.Traffic = out.Label
	default:
		out.Label = words.Bytes(int64(e.Traffic))
		out.Traffic, out.Unsure = out.Label+"; its calls are unknown, as nothing asked for them", true
		if e.Unread > 0 {
			out.Traffic = out.Label + "; its calls are unknown, as its protocol was not read"
		}
	}
	if e.Unread > 0 && e.Unit != result.UnitBytes {
		out.Traffic += fmt.Sprintf("; %d connections in another protocol were not read", e.Unread)
	}
	var needs []string
	for _, n := range e.Needs {
		needs = append(needs, n.Step+": "+string(n.Need))
		out.Strong = out.Strong || n.Need == drills.Hard
	}
	if out.Needs = strings.Join(needs, "; "); len(needs) == 0 {
		out.Needs = "unknown: no run took " + e.To + " away"
	}
	return out
}

// printAlerts prints the matrix of alerts for a terminal.
func printAlerts(w io.Writer, page *html.MatrixPage) {
	if len(page.Alerts) == 0 {
		return
	}
	table := [][]string{append([]string{"Alerts after"}, page.AlertNames...)}
	for _, row := range page.Alerts {
		line := []string{row.Part}
		for _, c := range row.Cells {
			line = append(line, c.Text)
		}
		table = append(table, line)
	}
	wide := make([]int, len(table[0]))
	for _, line := range table {
		for i, text := range line {
			wide[i] = max(wide[i], words.Width(text))
		}
	}
	fmt.Fprintln(w)
	for _, line := range table {
		for i, text := range line {
			line[i] = words.Pad(text, wide[i], false)
		}
		fmt.Fprintln(w, strings.TrimRight(strings.Join(line, "  "), " "))
	}
}
