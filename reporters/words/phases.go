package words

import (
	"cmp"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// IsInfinite reports whether a percentile is infinite: requests ended, and more of them failed than the percentile
// allows. Without requests the percentile is unknown instead.
func IsInfinite(n result.Num, population int64) bool { return !n.Known() && population > 0 }

// PhaseNames returns the names of phases, as heads of columns.
func PhaseNames(phases []slo.Phase) []string {
	names := make([]string, len(phases))
	for i, p := range phases {
		names[i] = Clean(p.String())
	}
	return names
}

// A PhaseCell is a cell of a table with a column for each phase.
type PhaseCell struct {
	Text string
	Grew bool // in a fault, beyond chance and the bounds of the measurement
}

// Marked returns the text, with an arrow if the figure grew.
func (c PhaseCell) Marked() string { return pick(c.Grew, "↑ ", "") + c.Text }

// PhaseRow holds the measurements of a phase, over one load and step.
type PhaseRow struct {
	All, Ok result.Cell
	Bad     int64 // errors and skipped
	shed    int64
}

// Good formats a percentile of the good answers, or another of their times; – if there were no good answers.
func (p *PhaseRow) Good(time func(*result.Times) result.Num) string {
	if p.Ok.Count == 0 {
		return "–"
	}
	return Seconds(time(&p.Ok.Response))
}

// lagMark marks a figure to which brunt's own lag contributes a good part.
const lagMark = "†"

// LagMark returns the mark of a percentile of the good answers if more than a tenth of it is brunt's own lag; else it
// is empty.
func (p *PhaseRow) LagMark(percentile string) string {
	if slices.Contains(p.Ok.Lagged, percentile) {
		return lagMark
	}
	return ""
}

// LagFoot explains the marks of [PhaseRow.LagMark] in the rows of a table; it is empty if no cell has a mark.
func LagFoot(table [][]string) string {
	for _, row := range table {
		if slices.ContainsFunc(row, func(cell string) bool { return strings.HasSuffix(cell, lagMark) }) {
			return lagMark + ": more than a tenth of it is brunt's own lag, and not the target's time."
		}
	}
	return ""
}

// A timeColumn is a column of a table of response times.
type timeColumn struct {
	Name string
	Of   func(*result.Times) result.Num
}

// TimeColumns are the usual columns of a table of response times of good answers.
var TimeColumns = []timeColumn{
	{"p50", func(t *result.Times) result.Num { return t.P50 }},
	{"p95", func(t *result.Times) result.Num { return t.P95 }},
	{"p99", func(t *result.Times) result.Num { return t.P99 }},
	{"max", func(t *result.Times) result.Num { return t.Max }},
}

// StepRows returns the rows of the steps of a phase, in the order of the scenario. If there is only one step it
// returns none.
func StepRows(r *result.Result, phase slo.Phase) []PhaseRow {
	list := PhaseRows(r, func(c *result.Cell) bool {
		return c.Phase == phase && c.Load != "*" && c.Step != "*" && c.Step != "iteration" && c.Count > 0
	})
	if len(list) < 2 {
		return nil
	}
	return list
}

// Step returns the name of a row's step. If there are several loads, the name of the load precedes it.
func (p *PhaseRow) Step(loads int) string {
	if loads > 1 {
		return Clean(p.All.Load) + ": " + Clean(p.All.Step)
	}
	return Clean(p.All.Step)
}

// Population returns the number of requests that percentiles cover.
func (p *PhaseRow) Population() int64 { return p.All.Count - p.shed }

// Shed is the number of requests that the target refused on purpose.
func (p *PhaseRow) Shed() int64 { return p.shed }

// PhaseRows joins the cells of the same phase, load and step, in their order.
func PhaseRows(r *result.Result, keep func(*result.Cell) bool) []PhaseRow {
	type key struct {
		phase      slo.Phase
		load, step string
	}
	at := map[key]int{}
	var out []PhaseRow
	for i := range r.Cells {
		c := &r.Cells[i]
		if !keep(c) {
			continue
		}
		k := key{c.Phase, c.Load, c.Step}
		j, found := at[k]
		if !found {
			j = len(out)
			at[k] = j
			out = append(out, PhaseRow{})
			out[j].All = result.Cell{
				Phase: c.Phase, Load: c.Load, Step: c.Step, Response: result.NoTimes, Service: result.NoTimes,
			}
			out[j].Ok.Response = result.NoTimes
		}
		switch c.Outcome {
		case "*":
			out[j].All = *c
		case scenarios.OK.String():
			out[j].Ok = *c
		case scenarios.Shed.String():
			out[j].shed = c.Count
		default:
			out[j].Bad += c.Count
		}
	}
	return out
}

// PhaseTotals returns the rows over all loads and steps, one per phase. It omits phases without a request.
func PhaseTotals(r *result.Result) []PhaseRow {
	return PhaseRows(r, func(c *result.Cell) bool { return c.Load == "*" && c.Step == "*" && c.Count > 0 })
}

// PhaseRowOf returns the row of a phase over all loads and steps, or nil.
func PhaseRowOf(r *result.Result, phase slo.Phase) *PhaseRow {
	list := PhaseTotals(r)
	i := slices.IndexFunc(list, func(p PhaseRow) bool { return p.All.Phase == phase })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// skippedKind names requests that were not made because an earlier step failed.
const skippedKind = "skipped, as a step before failed"

// Skipped returns the skipped steps of the judged run as errors by step. Their times are unknown. A delivery is no
// request: its row counts what its step did not send.
func Skipped(r *result.Result) []result.ErrorGroup {
	var out []result.ErrorGroup
	for i := range r.Cells {
		c := &r.Cells[i]
		if c.Phase.Kind == slo.RunPhase && c.Load != "*" && c.Step != "*" && c.Step != "iteration" &&
			c.Outcome == scenarios.Skipped.String() && c.Count > 0 &&
			!slices.ContainsFunc(r.Deliveries, func(d *result.DeliveryRecord) bool { return d.Name == c.Step }) {
			out = append(out, result.ErrorGroup{
				Kind: skippedKind, Load: c.Load, Step: c.Step, Count: c.Count, First: result.NaN, Last: result.NaN,
			})
		}
	}
	return out
}

// ErrorSum describes how many requests failed, and how many of them were never made; empty if none failed.
func ErrorSum(r *result.Result) string {
	run := PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase})
	if run == nil || run.Bad == 0 {
		return ""
	}
	skipped := int64(0)
	for _, g := range Skipped(r) {
		skipped += g.Count
	}
	s := Count(run.Bad) + " of " + Count(run.All.Count) + " requests failed, " + Share(run.Bad, run.All.Count)
	switch {
	case skipped > 0 && skipped == run.Bad:
		s += ": all were skipped, as a step before them failed"
	case skipped > 0:
		s += ": " + Count(run.Bad-skipped) + " were made and failed, " + Count(skipped) +
			" were skipped, as a step before them failed"
	}
	return syntax.Sentence(s)
}

// ErrorKinds returns the errors of the run by kind over all steps, the most frequent first. It omits errors of parts,
// because the errors of their requests include them.
func ErrorKinds(r *result.Result) []result.ErrorGroup {
	type kind struct {
		name string
		init bool
	}
	at := map[kind]int{}
	var out []result.ErrorGroup
	for _, e := range slices.Concat(r.Errors, Skipped(r)) {
		if e.Part {
			continue
		}
		i, found := at[kind{e.Kind, e.Init}]
		if !found {
			at[kind{e.Kind, e.Init}] = len(out)
			out = append(out, e)
			continue
		}
		g := &out[i]
		g.Count += e.Count
		g.First, g.Last = min(g.First, e.First), max(g.Last, e.Last)
		if g.Sample == nil {
			g.Sample = e.Sample
		}
		if g.Step != e.Step {
			g.Step = ""
		}
	}
	slices.SortStableFunc(out, func(a, b result.ErrorGroup) int { return -cmp.Compare(a.Count, b.Count) })
	return out
}

// SampleText describes a failed request in a few words.
func SampleText(s *result.Sample) string {
	if s == nil {
		return ""
	}
	text := Clean(s.Request)
	if said := Clean(s.Said()); said != "" {
		if text != "" {
			text += ": "
		}
		text += said
	}
	return text
}
