package html

import (
	"cmp"
	"html/template"
	"math"
	"slices"
	"strings"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A drawing is a small picture of a part of the run: p95 above the share of failed requests, with faults shaded.
type drawing struct {
	Label     string // for readers who cannot see the picture
	Shade     string // paths, of 1000 by 100 units
	P95, Base string // a line, and the level of the baseline
	Limits    []string
	Bad       string
	Incidents string
	Low, High string // the ends of the axis of p95, which is logarithmic
	Most      string // the largest share of failed requests; empty: none failed
}

// newDrawing draws a part of the run; nil if it has no window. The axis also covers levels, which are values of p95.
func newDrawing(r *result.Result, load, step string, from, to float64, columns int, levels ...float64) *drawing {
	c := chart.SparkSeriesOf(r, load, step, from, to, columns)
	if c == nil {
		return nil
	}
	d := &drawing{}
	var limits []chart.Limit
	for _, l := range chart.Limits(r, load, step) {
		if l.Quantile == .95 && l.To > from && l.From < to {
			limits, levels = append(limits, l), append(levels, l.Value)
		}
	}
	s, ok := chart.Log(c.P95, levels)
	if !ok { // nothing was answered
		s = chart.Scale{Log: true, Lo: .001, Hi: 1}
	}
	d.Low, d.High, d.P95 = words.Seconds(result.Num(s.Lo)), words.Seconds(result.Num(s.Hi)), c.Line(c.P95, s)
	for _, l := range limits {
		d.Limits = append(d.Limits, c.Level(l.From, l.To, l.Value, s))
	}
	if len(levels) > len(limits) && levels[0] > 0 {
		d.Base = c.Level(from, to, levels[0], s)
	}
	_, low, high := chart.SparkTimes(c.P95)
	d.Label = "No request was answered in time"
	if !math.IsNaN(high) {
		d.Label = "p95 from " + words.Seconds(result.Num(low)) + " to " + words.Seconds(result.Num(high))
	}
	if c.Worst > 0 {
		d.Most = words.Percent(c.Worst)
		d.Bad = c.Area(c.Bad, chart.Scale{Hi: c.Worst})
		d.Label += ", at most " + d.Most + " of the requests failed in a second"
	} else {
		d.Label += ", no request failed"
	}
	var shade, incidents strings.Builder
	for i := range r.Faults {
		if f := &r.Faults[i]; f.Injected.Known() {
			end := to
			if f.Cleared.Known() {
				end = float64(f.Cleared)
			} else if r.Going != nil {
				end = r.Going.At.Seconds()
			}
			shade.WriteString(c.Rect(float64(f.Injected), end))
		}
	}
	for i := range r.Incidents {
		if in := &r.Incidents[i]; in.Begin.Known() && in.End.Known() {
			incidents.WriteString(c.Rect(float64(in.Begin), float64(in.End)))
		}
	}
	d.Shade, d.Incidents = shade.String(), incidents.String()
	return d
}

// A briefView holds the objectives and faults beside the charts of the first screen.
type briefView struct {
	Objectives *objectiveLines // nil: none was set
	Faults     []faultLine
	FaultsLeft string // how many faults are left out; empty: none
}

// objectiveLines are the objectives in short; the folded ones all held.
type objectiveLines struct{ Shown, Folded []words.ObjectiveLine }

// faultLine is a fault in short.
type faultLine struct {
	N int
	words.FaultLine
}

// mostLines and mostStruck bound the objectives and faults that the first screen shows unfolded.
const (
	mostLines  = 10
	mostStruck = 6
)

// glance adds the first screen: the load over its response times, beside the objectives and faults.
func (p *pageView) glance(c *chart.Plotter, r *result.Result) {
	p.Rates, p.Times = c.Rates(r), c.Times(r)
	if lane := c.Incidents(r); len(lane.Items) > 0 {
		p.Rates.Lanes = append(slices.Clone(p.Rates.Lanes), lane)
	}
	// the charts share one axis, which has its faults above and its moments below
	p.Times.Lanes, p.Rates.X = nil, nil
	p.Times.Many = p.Times.Many || !slices.ContainsFunc(r.Faults, harmed) // else nothing has the marks of harm
}

// beside returns the address of the page of an earlier run, whose folder lies beside that of this run; empty for any
// other folder, so that no link leads elsewhere.
func beside(folder string) string {
	name, ok := strings.CutPrefix(folder, "../")
	if !ok || name == "" || name == ".." || strings.ContainsAny(name, `/\`) {
		return ""
	}
	return folder + "/" + File
}

// harmed reports whether the first harm of a fault is known.
func harmed(f result.FaultRecord) bool { return f.OnsetAt > 0 }

// brief lists objectives and faults in short.
func (p *pageView) brief(a *words.Answer) {
	p.Brief = &briefView{}
	if list := a.Objectives; len(list) > 0 {
		open := slices.IndexFunc(list, func(o words.ObjectiveLine) bool { return o.Verdict == scenarios.Pass })
		n := len(list)
		if n > mostLines+1 && open >= 0 {
			n = max(open, mostLines)
		}
		p.Brief.Objectives = &objectiveLines{list[:n], list[n:]}
	}
	list := make([]faultLine, len(a.Faults))
	for i, f := range a.Faults {
		list[i] = faultLine{f.Index + 1, f}
	}
	if n := len(list) - mostStruck; n > 1 { // those that did harm come first
		slices.SortStableFunc(list, func(a, b faultLine) int { return cmp.Compare(urgencyOf(a.Tone), urgencyOf(b.Tone)) })
		list = list[:mostStruck]
		p.Brief.FaultsLeft = words.Plural(int64(n), "more fault", "more faults")
	}
	p.Brief.Faults = list
}

// stepColumns bounds the columns of drawings, so that the page stays small.
const (
	stepColumns = 90
	mostShown   = 12 // rows of steps that are shown at once
	mostRows    = 60 // rows of steps
)

// stepView is a row of the table of steps at the top.
type stepView struct {
	Name    string
	Cells   []string
	Drawing *drawing
}

// stepTable is a table of steps. The page decides which columns it has.
type stepTable struct {
	Page *pageView
	Rows []stepView
}

// Head returns the heading of column i.
func (stepTable) Head(i int) string {
	heads := []string{"Requests", "Rate", "Failed"}
	for _, col := range words.TimeColumns {
		heads = append(heads, col.Name)
	}
	return append(heads, "Received")[i]
}

func stepsOf(p *pageView, rows []stepView) stepTable { return stepTable{p, rows} }

// steps lists the steps of the whole run, after a row with their sum.
func (p *pageView) steps(r *result.Result, line *chart.Timeline) {
	rows := words.StepRows(r, slo.Phase{Kind: slo.RunPhase})
	if all := words.PhaseRowOf(r, slo.Phase{Kind: slo.RunPhase}); all != nil {
		rows = slices.Insert(rows, 0, *all)
	}
	var shown [][]string
	for i := range rows {
		row := &rows[i]
		c := &row.All
		v := stepView{Name: "all steps"}
		if c.Step != "*" {
			v.Name = row.Step(len(r.Loads))
		}
		v.Cells = []string{words.Count(c.Count), words.Rate(c.Rate), failedOf(row)}
		for _, col := range words.TimeColumns {
			v.Cells = append(v.Cells, row.Good(col.Of)+row.LagMark(col.Name))
		}
		received := "–"
		if c.Bytes > 0 {
			received = words.Bytes(c.Bytes)
		}
		v.Cells = append(v.Cells, received)
		if i < mostShown {
			v.Drawing = newDrawing(r, c.Load, c.Step, line.From, line.To, stepColumns)
		}
		shown, p.Received = append(shown, v.Cells), p.Received || c.Bytes > 0
		switch {
		case i < mostShown:
			p.Steps = append(p.Steps, v)
		case i < mostRows:
			p.MoreSteps = append(p.MoreSteps, v)
		}
	}
	if !p.Received { // no answer had a body, or a driver does not count bytes
		for _, list := range [][]stepView{p.Steps, p.MoreSteps} {
			for i := range list {
				list[i].Cells = list[i].Cells[:len(list[i].Cells)-1]
			}
		}
	}
	p.StepsFoot = words.LagFoot(shown)
	if n := len(rows) - mostRows; n > 0 {
		p.StepsFoot += " " + words.Plural(int64(n), "more row is", "more rows are") + " under Phases and steps."
	}
}

// failedOf returns how many requests of a row failed, and their share.
func failedOf(row *words.PhaseRow) string {
	if row.Bad == 0 {
		return "0"
	}
	return words.Count(row.Bad) + ", " + words.Share(row.Bad, row.All.Count)
}

// aroundView shows the load around a fault, from some seconds before it to some seconds after it.
type aroundView struct {
	Drawing  *drawing
	From, To string
}

// The drawing of a fault begins beforeFault seconds before its injection, and ends afterFault seconds after its end.
const (
	beforeFault = 8
	afterFault  = 10
)

// around draws a fault; nil: it was not injected.
func around(r *result.Result, f *result.FaultRecord, line *chart.Timeline) *aroundView {
	if !f.Injected.Known() {
		return nil
	}
	end := f.Injected
	for _, n := range []result.Num{f.Cleared, f.RecoveredAt} {
		if n.Known() {
			end = max(end, n)
		}
	}
	if !f.Cleared.Known() {
		end = result.Num(line.To)
	}
	from, to := math.Max(line.From, float64(f.Injected)-beforeFault), math.Min(line.To, float64(end)+afterFault)
	for i := range r.Faults { // the effect of another fault is in the picture of that fault
		if other := &r.Faults[i]; other.Injected > end {
			to = math.Min(to, float64(other.Injected))
		} else if other.Cleared < f.Injected {
			from = math.Max(from, float64(other.Cleared))
		}
	}
	v := &aroundView{From: words.Offset(result.Num(from)), To: words.Offset(result.Num(to))}
	level := math.NaN()
	if base := words.PhaseRowOf(r, slo.Phase{Kind: slo.BaselinePhase}); base != nil &&
		base.Ok.Count > 0 {
		level = float64(base.Ok.Response.P95)
	}
	if v.Drawing = newDrawing(r, "*", "*", from, to, stepColumns, level); v.Drawing == nil {
		return nil
	}
	return v
}

// aroundFoot explains the pictures of faults; empty if there are none.
func aroundFoot(list []faultView) string {
	var drawn, based, limited, failed, incident bool
	for i := range list {
		if v := list[i].Around; v != nil {
			d := v.Drawing
			drawn, based, limited = true, based || d.Base != "", limited || len(d.Limits) > 0
			failed, incident = failed || d.Most != "", incident || d.Incidents != ""
		}
	}
	if !drawn {
		return ""
	}
	text := "A picture shows p95 of all requests around the fault, on a logarithmic scale."
	if based {
		text += " The grey line is p95 of the baseline."
	}
	if limited {
		text += " The dashed line is the objective on p95."
	}
	if failed {
		text += " Below is the share of failed requests."
	}
	if incident {
		text += " The lowest line marks incidents."
	}
	return text
}

// icon is the page's icon in a browser tab: the mark of the verdict in its colour.
func icon(tone string) template.URL {
	colour, mark := "855500", "M6 6.2a2 2 0 1 1 2.6 1.9q-.6.3-.6 1.3M8 11.6v.6"
	switch tone {
	case "good":
		colour, mark = "17703f", "M4.5 8.3l2.5 2.5 4.5-5.3"
	case "bad":
		colour, mark = "b3261e", "M5.2 5.2l5.6 5.6M10.8 5.2l-5.6 5.6"
	case "going":
		colour, mark = "2270b8", "M6 4.8l5 3.2-5 3.2z"
	}
	return template.URL("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Ccircle " +
		"cx='8' cy='8' r='8' fill='%23" +
		colour + "'/%3E%3Cpath d='" + mark + "' fill='none' stroke='%23fff' stroke-width='1.8'/%3E%3C/svg%3E")
}
