package reporters

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"brunt/scenarios/result"
)

// phaseView is a phase in the table of phases and steps.
type phaseView struct {
	Name, Span string
	Rows       []phaseRowView
}

type phaseRowView struct {
	Name  string
	Sum   bool // over all steps
	Cells []string
}

// mostPhaseRows bounds the table of phases and steps.
const mostPhaseRows = 400

func (p *page) phases(r *result.Result) {
	list := rows(r, func(c *result.Cell) bool { return c.Count > 0 })
	at := map[string]int{}
	infinite, left := false, 0
	add := func(row *phaseRow) {
		i, found := at[row.all.Phase]
		if !found {
			i = len(p.Phases)
			at[row.all.Phase] = i
			p.Phases = append(p.Phases, phaseView{Name: clean(row.all.Phase), Span: spanOf(r, row.all.Phase)})
		}
		v, inf := rowView(row, len(r.Loads) > 1)
		infinite = infinite || inf
		p.Phases[i].Rows = append(p.Phases[i].Rows, v)
	}
	// the sums of every phase first, so that none is lost where there are many steps
	sum := func(row *phaseRow) bool { return row.all.Load == "*" && row.all.Step == "*" }
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
	p.PhasesFoot = "Shares and percentiles over the requests of a phase; phases may overlap. Slowest good is the slowest request that was answered rightly."
	if infinite {
		p.PhasesFoot += " ∞: more requests failed than this percentile allows; a failed request counts as slower than any answer."
	}
	if left > 0 {
		p.PhasesFoot += fmt.Sprintf(" %d more rows are in result.json.", left)
	}
}

func spanOf(r *result.Result, phase string) string {
	for _, p := range r.Phases {
		if p.Name == phase {
			return offset(p.Start) + " to " + offset(p.End)
		}
	}
	return ""
}

func rowView(row *phaseRow, loads bool) (v phaseRowView, infinite bool) {
	c := &row.all
	v.Name, v.Sum = clean(c.Step), c.Load == "*" && c.Step == "*"
	switch {
	case v.Sum:
		v.Name = "all steps"
	case c.Step == "*":
		v.Name = clean(c.Load) + ": all steps"
	case loads:
		v.Name = clean(c.Load) + ": " + v.Name
	}
	v.Cells = []string{count(c.Count), rate(c.Rate), share(row.bad, c.Count)}
	t := &c.Response
	for _, n := range []result.Num{t.P50, t.P90, t.P95, t.P99, t.P999, t.Max} {
		inf := failed(n, row.population())
		infinite = infinite || inf
		v.Cells = append(v.Cells, response(n, row.population()))
	}
	v.Cells = append(v.Cells, seconds(row.ok.Response.Max))
	return v, infinite
}

// loadView is a row of the loads.
type loadView struct{ Name, Executor, Kind, Start, End, Steps string }

// run fills in what is needed to repeat the run.
func (p *page) run(r *result.Result) {
	e := &r.Environment
	p.Command = command(e.Command)
	p.Seed = r.Seed
	add := func(name, value string) {
		if value = clean(value); value != "" {
			p.Environment = append(p.Environment, pair{name, value})
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
		add("Memory", bytesOf(e.Memory))
	}
	if e.Files > 0 {
		add("Open files, at most", strconv.FormatUint(e.Files, 10))
	}
	for _, rule := range e.Policies {
		add("Policy", rule)
	}
	for _, row := range tookPart(e) {
		add(row.Name, row.Value)
	}
	for _, l := range r.Loads {
		kind := "open: arrivals do not wait for answers"
		if l.Closed {
			kind = "closed: hides stalls, as it asks for nothing while it waits"
		}
		steps := slices.Clone(l.Steps)
		if n := len(steps) - mostSteps; n > 0 {
			steps = append(steps[:mostSteps], fmt.Sprintf("and %d more", n))
		}
		executor := clean(l.Executor)
		if l.Engine != "" {
			executor += " by " + clean(l.Engine)
		}
		p.Loads = append(p.Loads, loadView{clean(l.Name), executor, kind, offset(l.Start), offset(l.End), clean(strings.Join(steps, ", "))})
	}
	for _, n := range r.Notes {
		p.Notes = append(p.Notes, clean(n))
	}
	p.Scenario = cleanLines(r.Scenario)
}

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

// command writes the words of a command so that a shell takes them as they are.
func command(words []string) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		w = cleanLines(w)
		if w == "" || strings.ContainsFunc(w, func(c rune) bool {
			return !(unicode.IsLetter(c) || unicode.IsDigit(c) || strings.ContainsRune("-_=./:,@%+", c))
		}) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

// upper gives s a capital letter.
func upper(s string) string {
	c, n := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(c)) + s[n:]
}
