package html

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// phasesView is the part on phases: a table with a row for each phase, and for each phase the table of its steps.
type phasesView struct {
	Sums phaseTable
	List []phaseTable
}

// phaseTable is a table of phases, or of the steps of one phase.
type phaseTable struct {
	Name, Span    string // of the phase
	Caption, Head string
	Rows          []phaseRowView
	rank          int
}

// Columns returns the headings after the first.
func (phaseTable) Columns() []string {
	return []string{"Requests", "Rate", "Errors", "p50", "p90", "p95", "p99", "p99.9", "max"}
}

type phaseRowView struct {
	Name, Span string
	Cells      []string
}

// mostPhaseRows bounds the rows of phases and steps.
const mostPhaseRows = 400

func (p *pageView) phases(r *result.Result) {
	list := words.PhaseRows(r, func(c *result.Cell) bool { return c.Count > 0 })
	if len(list) == 0 {
		return
	}
	v := &phasesView{Sums: phaseTable{Caption: "Phases, each with all of its requests", Head: "Phase"}}
	p.Phases = v
	at := map[slo.Phase]int{}
	left := 0
	var shown [][]string
	add := func(row *words.PhaseRow) {
		view := rowView(row, len(r.Loads) > 1)
		shown = append(shown, view.Cells)
		phase, span := words.Clean(row.All.Phase.String()), spanOf(r, row.All.Phase)
		if row.All.Load == "*" && row.All.Step == "*" {
			view.Name, view.Span = phase, span
			v.Sums.Rows = append(v.Sums.Rows, view)
			return
		}
		i, found := at[row.All.Phase]
		if !found {
			i = len(v.List)
			at[row.All.Phase] = i
			v.List = append(v.List, phaseTable{
				Name: phase, Span: span, Caption: "Steps in " + phase, Head: "Step", rank: rankOf(row.All.Phase),
			})
		}
		v.List[i].Rows = append(v.List[i].Rows, view)
	}
	// the sums of all phases come first, so that many steps cut no sum off
	sum := func(row *words.PhaseRow) bool { return row.All.Load == "*" && row.All.Step == "*" }
	n := 0
	for _, sums := range []bool{true, false} {
		for i := range list {
			if sum(&list[i]) != sums {
				continue
			}
			if n++; n > mostPhaseRows {
				left++
				continue
			}
			add(&list[i])
		}
	}
	// the run comes first, and the warm-up, which is not judged, last
	slices.SortStableFunc(v.List, func(a, b phaseTable) int { return cmp.Compare(a.rank, b.rank) })
	p.PhasesFoot = "Percentiles and the slowest are of good answers, over the requests of a phase; phases may overlap. " +
		"Failed requests are in the errors " +
		"alone; in objectives on percentiles each counts as slower than any answer."
	if foot := words.LagFoot(shown); foot != "" {
		p.PhasesFoot += " " + foot
	}
	if left > 0 {
		p.PhasesFoot += fmt.Sprintf(" %d more rows are in result.json.", left)
	}
}

// rankOf orders phases for a reader who looks for the steps of one.
func rankOf(p slo.Phase) int {
	switch p.Kind {
	case slo.RunPhase:
		return 0
	case slo.WarmupPhase:
		return 2
	}
	return 1
}

func spanOf(r *result.Result, phase slo.Phase) string {
	for _, p := range r.Phases {
		if p.Name == phase {
			return words.Offset(p.Start) + " to " + words.Offset(p.End)
		}
	}
	return ""
}

func rowView(row *words.PhaseRow, loads bool) (v phaseRowView) {
	c := &row.All
	v.Name = words.Clean(c.Step)
	switch {
	case c.Step == "*":
		v.Name = words.Clean(c.Load) + ": all steps"
	case loads:
		v.Name = words.Clean(c.Load) + ": " + v.Name
	}
	v.Cells = []string{words.Count(c.Count), words.Rate(c.Rate), words.Share(row.Bad, c.Count)}
	t := &row.Ok.Response
	for i, n := range []result.Num{t.P50, t.P90, t.P95, t.P99, t.P999, t.Max} {
		v.Cells = append(v.Cells, words.Seconds(n)+row.LagMark([]string{"p50", "p90", "p95", "p99", "p99.9", ""}[i]))
	}
	return v
}

// loadView is a row of the loads.
type loadView struct{ Name, Executor, Kind, Start, End, Steps string }

// run adds the data needed to repeat the run.
func (p *pageView) run(r *result.Result) {
	e := &r.Environment
	p.Command = words.Command(e.Command)
	p.Seed = r.Seed
	add := func(name, value string) {
		if value = words.Clean(value); value != "" {
			p.Environment = append(p.Environment, pair(name, value))
		}
	}
	add("Run", r.Run)
	add("Started", stamp(r))
	add("Target", e.Target)
	add("brunt", e.Brunt)
	add("Go", e.Go)
	add("System", strings.TrimSpace(e.OS+" "+e.Arch))
	add("Kernel", e.Kernel)
	if e.CPUs > 0 {
		add("CPUs", strconv.Itoa(e.CPUs))
	}
	if e.Memory > 0 {
		add("Memory", words.Bytes(e.Memory))
	}
	if e.Files > 0 {
		add("Open files, at most", strconv.FormatUint(e.Files, 10))
	}
	for _, rule := range e.Policies {
		add("Policy", rule)
	}
	for _, row := range identities(e) {
		add(row.Name, row.Value)
	}
	p.Logs = logs(r.Logs)
	for _, l := range r.Loads {
		kind := "open: arrivals do not wait for answers"
		if l.Closed {
			kind = "closed: hides stalls, as it asks for nothing while it waits"
		}
		steps := slices.Clone(l.Steps)
		if n := len(steps) - mostSteps; n > 0 {
			steps = append(steps[:mostSteps], fmt.Sprintf("and %d more", n))
		}
		executor := words.Clean(l.Executor)
		if l.Engine != "" {
			executor += " by " + words.Clean(l.Engine)
		}
		p.Loads = append(p.Loads, loadView{
			words.Clean(l.Name), executor, kind, words.Offset(l.Start), words.Offset(l.End),
			words.Clean(strings.Join(steps, ", ")),
		})
	}
	for _, n := range r.Notes {
		p.Notes = append(p.Notes, words.Clean(n))
	}
	if n := len(p.Notes); n > mostNotes+1 {
		p.Notes, p.MoreNotes = p.Notes[:mostNotes], p.Notes[mostNotes:]
	}
	p.Scenario = words.CleanLines(r.Scenario)
}

// mostNotes bounds the notes that are not folded.
const mostNotes = 8

// mostSteps bounds the steps named beside a load.
const mostSteps = 20

func stamp(r *result.Result) string {
	if r.Started.IsZero() {
		return ""
	}
	s := r.Started.UTC().Format("2 Jan 2006 15:04:05 UTC")
	if !r.Ended.IsZero() {
		s += " to " + r.Ended.UTC().Format("15:04:05 UTC")
	}
	return s
}
