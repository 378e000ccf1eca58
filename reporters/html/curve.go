package html

import (
	"cmp"
	"fmt"
	"html/template"
	"math"
	"slices"
	"strings"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
)

// A loadPoint is what the target did at one rate: in a second of a ramp, or in a probe of `brunt find`.
type loadPoint struct {
	Rate     float64 // asked for, per second
	Good     float64 // answered with every check held, per second; NaN: not known
	P95      float64 // seconds; NaN: not known, infinite: more requests failed than it allows
	InFlight float64 // requests in flight at its end; NaN: not known
	Failed   float64 // share of requests that failed; read only against a dose, where NaN is not known
	Tone     string  // good, bad, unsure or empty
	Text     string  // says what it is
}

// A curveView shows response times, good answers and requests in flight against the load.
type curveView struct {
	Knee   string // a sentence; empty: there is none
	Plots  []curvePlot
	X      []chart.Mark
	Points int
	Head   []string
	Rows   [][]string

	Readout chart.Readout
}

type curvePlot struct {
	ID, Title, About, Label string
	Ticks                   []chart.Mark
	X                       []chart.Mark
	Lines                   template.HTML // in 2000 by 500 units
	Dots                    []curveDot
	Limit, LimitTop         string
	KneeAt                  string // place of the knee; empty: none
}

type curveDot struct{ X, Y, Class, Text string }

const (
	// leastRamp is by how many times the largest rate exceeds the smallest one of a run whose load is a ramp.
	leastRamp     = 2
	leastRampSecs = 8   // seconds of a ramp that make a curve
	mostCurveDots = 600 // of a plot
	curveBins     = 12
	kneeFactor    = 2.5 // p95 at the knee grows beyond this multiple of its level at a low rate
)

// A curveAxis is what points are drawn against: doses of a setting, or the rate that was asked for with its zero value.
type curveAxis struct {
	setting search.Dose
	ordered bool // the line joins the points in their order, and not the medians of points of about the same rate
}

func (a curveAxis) dose() bool { return a.setting.Unit != "" }

func (a curveAxis) say(x float64) string {
	if a.dose() {
		return a.setting.Unit.Format(x)
	}
	return words.Rate(result.Num(x))
}

func (a curveAxis) label() string {
	if a.dose() {
		return a.setting.Name()
	}
	return "the rate that was asked for"
}

// unit returns the unit after a number under the pointer; empty for plain numbers.
func (a curveAxis) unit() string {
	switch a.setting.Unit {
	case "":
		return "/s"
	case search.DoseSeconds:
		return " s"
	case search.DoseBytes:
		return " B"
	case search.DoseRate:
		return " B/s"
	}
	return ""
}

// newCurve draws points against an axis; limit is the target of an objective on p95, NaN for none.
func newCurve(list []loadPoint, axis curveAxis, limit float64) *curveView {
	given := list
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b loadPoint) int { return cmp.Compare(a.Rate, b.Rate) })
	every := max(1, (len(list)+mostCurveDots-1)/mostCurveDots)
	var shown []*loadPoint // with a dot
	for i := range list {
		if i%every == 0 || list[i].Tone == "bad" {
			shown = append(shown, &list[i])
		}
	}
	v := &curveView{Points: len(list), Head: []string{"Asked for", "Good", "p95", "In flight", "What"}}
	if axis.dose() {
		v.Head[0], v.Head[3] = axis.label(), "Failed"
	}
	var rates []float64
	for _, p := range list {
		rates = append(rates, p.Rate)
	}
	x := chart.Within(rates)
	for _, t := range x.Ticks() {
		v.X = append(v.X, chart.MarkAt(x.At(t), axis.say(t)))
	}
	knee, level := 0.0, 0.0
	if !axis.dose() && !axis.ordered { // harm may fall again at larger doses
		knee, level = kneeOf(list)
	}
	if knee > 0 {
		v.Knee = fmt.Sprintf("Up to about %s p95 stays near %s; above it grows beyond %s times that.",
			words.Rate(result.Num(knee)), words.Seconds(result.Num(level)), words.Number(kneeFactor))
	}
	v.Readout = chart.Readout{
		Axis: [2]float64{x.Lo, x.Hi}, Unit: axis.unit(), Dots: true, Series: make([]chart.ReadoutSeries, 1),
		Values: map[string][][]string{},
	}
	series := &v.Readout.Series[0]
	for _, p := range shown {
		series.From, series.Text = append(series.From, chart.Round3(p.Rate)), append(series.Text, p.Text)
	}
	plot := func(id, title, about string, of func(*loadPoint) float64, s chart.Scale, say func(float64) string) curvePlot {
		p := curvePlot{ID: id, Title: title, About: about, X: v.X, Label: title + " against " + axis.label()}
		var lines strings.Builder
		for _, t := range s.Ticks() {
			p.Ticks = append(p.Ticks, chart.Mark{Place: chart.PercentOf(1 - s.At(t)), Label: say(t)})
			fmt.Fprintf(&lines, `<path class="grid" d="M0 %.0fh2000"/>`, 500*(1-s.At(t)))
		}
		if axis.ordered {
			lines.WriteString(orderedLine(given, of, x, s))
		} else {
			lines.WriteString(middleLine(list, of, x, s))
		}
		var values []string
		for _, q := range shown {
			values = append(values, words.Known(of(q), say))
			if y := of(q); !math.IsNaN(y) {
				d := curveDot{X: chart.PercentOf(x.At(q.Rate)), Y: chart.PercentOf(1 - s.At(y)), Class: q.Tone, Text: q.Text}
				if math.IsInf(y, 0) {
					d.Class = "bad endless"
				}
				p.Dots = append(p.Dots, d)
			}
		}
		v.Readout.Values[id] = [][]string{values}
		if knee > 0 {
			p.KneeAt = chart.PercentOf(x.At(knee))
		}
		p.Lines = template.HTML(lines.String())
		return p
	}
	column := func(of func(*loadPoint) float64) (out []float64) {
		for i := range list {
			out = append(out, of(&list[i]))
		}
		return out
	}
	p95 := func(p *loadPoint) float64 { return p.P95 }
	good := func(p *loadPoint) float64 { return p.Good }
	flight := func(p *loadPoint) float64 { return p.InFlight }
	seconds := func(f float64) string { return words.Seconds(result.Num(f)) }
	if s, ok := chart.Log(column(p95), []float64{limit}); ok {
		p := plot("curve-p95", "p95", "Response time on a logarithmic scale.", p95, s, seconds)
		if !math.IsNaN(limit) {
			p.Limit, p.LimitTop = "objective "+seconds(limit), chart.PercentOf(1-s.At(limit))
		}
		v.Plots = append(v.Plots, p)
	}
	rate := func(f float64) string { return words.Rate(result.Num(f)) }
	share := func(f float64) string { return words.Percent(f) }
	switch {
	case known(column(good)) && axis.dose():
		v.Plots = append(v.Plots, plot("curve-good", "Good answers per second",
			"Requests in the phase of the fault that were answered with every check held.", good,
			chart.Linear(column(good)), rate))
	case known(column(good)):
		s := chart.Linear(column(good), rates)
		p := plot("curve-good", "Good answers per second",
			"The grey line is every request answered well; below it requests failed or waited.", good, s, rate)
		end := min(x.Hi, s.Hi)
		p.Lines = template.HTML(fmt.Sprintf(`<path class="behind" d="M0 500L%.0f %.0f"/>`, 2000*x.At(end),
			500*(1-s.At(end)))) + p.Lines
		v.Plots = append(v.Plots, p)
	}
	failed := func(p *loadPoint) float64 { return p.Failed }
	switch {
	case known(column(failed)) && axis.dose():
		v.Plots = append(v.Plots, plot("curve-failed", "Errors", "Share of requests that failed or were not made.", failed,
			chart.Share(column(failed)), share))
	case known(column(flight)) && !axis.dose():
		v.Plots = append(v.Plots, plot("curve-flight", "In flight",
			"Requests that wait for an answer; a growing number is a target that falls behind.", flight,
			chart.Linear(column(flight)), words.Number))
	}
	for i := range list {
		p := &list[i]
		if i%max(1, len(list)/60) != 0 {
			continue
		}
		last := words.Known(p.InFlight, words.Number)
		if axis.dose() {
			last = words.Known(p.Failed, share)
		}
		v.Rows = append(v.Rows, []string{
			axis.say(p.Rate), words.Known(p.Good, rate), words.Known(p.P95, seconds), last, p.Text,
		})
	}
	return v
}

func known(list []float64) bool {
	return slices.ContainsFunc(list, func(f float64) bool { return !math.IsNaN(f) && !math.IsInf(f, 0) })
}

// parts divides points, which are in the order of their rates, by their rate, or into parts of about equal size where
// there are many rates.
func parts(list []loadPoint) (out [][]loadPoint) {
	for i, p := range list {
		if i > 0 && p.Rate <= list[i-1].Rate*1.005 {
			last := len(out) - 1
			out[last] = list[i-len(out[last]) : i+1]
			continue
		}
		out = append(out, list[i:i+1])
	}
	if len(out) <= 2*curveBins {
		return out
	}
	out = nil
	for i := range curveBins {
		out = append(out, list[i*len(list)/curveBins:(i+1)*len(list)/curveBins])
	}
	return out
}

// bins returns the median rate and value of each part of points, in the order of their rates. It leaves out a part
// without a value.
func bins(list []loadPoint, of func(*loadPoint) float64) (rates, values []float64) {
	for _, part := range parts(list) {
		var x, y []float64
		for k := range part {
			if v := of(&part[k]); !math.IsNaN(v) {
				x, y = append(x, part[k].Rate), append(y, v)
			}
		}
		if len(y) == 0 {
			continue
		}
		slices.Sort(x)
		slices.Sort(y)
		rates, values = append(rates, x[len(x)/2]), append(values, y[len(y)/2])
	}
	return rates, values
}

// orderedLine joins points in their order.
func orderedLine(list []loadPoint, of func(*loadPoint) float64, x, y chart.Scale) string {
	var rates, values []float64
	for i := range list {
		if v := of(&list[i]); !math.IsNaN(v) {
			rates, values = append(rates, list[i].Rate), append(values, v)
		}
	}
	return valueLine(rates, values, x, y)
}

// middleLine joins the medians of points of about the same rate.
func middleLine(list []loadPoint, of func(*loadPoint) float64, x, y chart.Scale) string {
	rates, values := bins(list, of)
	return valueLine(rates, values, x, y)
}

// valueLine joins points.
func valueLine(rates, values []float64, x, y chart.Scale) string {
	var b strings.Builder
	for i := range rates {
		command := "L"
		if i == 0 {
			command = "M"
		}
		fmt.Fprintf(&b, "%s%.0f %.0f", command, 2000*x.At(rates[i]), 500*(1-y.At(values[i])))
	}
	return `<path class="value" d="` + b.String() + `"/>`
}

// kneeOf returns the largest rate up to which p95 stays near its level at low rates, and that level; zero if p95
// never leaves the level for good.
func kneeOf(list []loadPoint) (rate, level float64) {
	rates, values := bins(list, func(p *loadPoint) float64 { return p.P95 })
	if len(values) < 4 {
		return 0, 0
	}
	low := slices.Clone(values[:max(2, len(values)/3)])
	slices.Sort(low)
	level = low[len(low)/2]
	if math.IsInf(level, 0) {
		return 0, 0
	}
	last := -1
	for i, v := range values {
		if v <= kneeFactor*level {
			last = i
		}
	}
	if last < 0 || last == len(values)-1 {
		return 0, 0
	}
	return rates[last], level
}

// againstLoad draws the response times of a run against its load, if the load is a ramp; else it returns nil. It leaves
// out seconds in which a fault was in.
func againstLoad(r *result.Result) *curveView {
	if r.Going != nil {
		return nil
	}
	var list []loadPoint
	low, high := math.Inf(1), 0.0
	for i := range r.Windows {
		w := &r.Windows[i]
		if w.Load != "*" || w.Step != "*" || !w.T.Known() || w.T < 0 || w.D < chart.Sliver || w.Offered == 0 ||
			inFault(r, w) {
			continue
		}
		p := loadPoint{
			Rate: float64(w.Offered) / float64(w.D), Good: float64(w.OK) / float64(w.D), P95: float64(w.P95),
			InFlight: float64(w.InFlight), Text: words.Offset(w.T) + " to " + words.Offset(w.T+w.D),
		}
		if words.IsInfinite(w.P95, w.Offered-w.Shed) {
			p.P95 = math.Inf(1)
		}
		if w.Error > 0 {
			p.Tone = "bad"
			p.Text += ", " + words.Plural(w.Error, "request", "requests") + " failed"
		}
		list = append(list, p)
		low, high = min(low, p.Rate), max(high, p.Rate)
	}
	if !ramps(r) || len(list) < leastRampSecs || high < leastRamp*low {
		return nil
	}
	limit := math.NaN()
	for _, l := range chart.Limits(r, "*", "*") {
		if l.Quantile == .95 && l.From <= 0 && !(limit < l.Value) { // over the whole run
			limit = l.Value
		}
	}
	return newCurve(list, curveAxis{}, limit)
}

// ramps reports whether a load of a run may change its rate.
func ramps(r *result.Result) bool {
	return slices.ContainsFunc(r.Loads, func(l result.LoadInfo) bool {
		return strings.HasPrefix(l.Executor, "ramping") || l.Executor == "replay"
	})
}

// inFault reports whether a fault was in during a part of a window, or the load had not recovered from it.
func inFault(r *result.Result, w *result.Window) bool {
	for i := range r.Faults {
		f := &r.Faults[i]
		end := f.Cleared
		if f.RecoveredAt.Known() {
			end = max(end, f.RecoveredAt)
		}
		if f.Injected.Known() && w.T+w.D > f.Injected && (!end.Known() || w.T < end) {
			return true
		}
	}
	return false
}

// limitOf returns the smallest target of objectives on p95 of all requests over the whole run; NaN without one.
func limitOf(list []slo.Objective) float64 {
	limit := math.NaN()
	for _, o := range list {
		if o.PercentileOfAll() && o.Metric.Quantile == .95 && o.Upper() && !o.Relative() && !(limit < o.Value) {
			limit = o.Value
		}
	}
	return limit
}
