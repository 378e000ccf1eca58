package html

import (
	"html/template"
	"io"
	"math"
	"sync"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/result/search"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

// A FindPage shows a search for the largest rate at which objectives hold, or for the dose of a fault at which they
// fail: the answer, response times against the rate or the dose, and each probe. It is one file that opens offline; its
// script reads values under the pointer and zooms.
type FindPage struct {
	Name       string // of the scenario
	Answer     string // one sentence
	Sure       bool   // the search found both ends of an interval
	Objectives []slo.Objective
	Started    time.Time
	Took       time.Duration
	Details    []string         // sentences below the answer
	Overload   *result.Overload // what followed an overload; nil: there was none
	Searches   []FindSearch     // without a fault, then under each fault; or the one for the dose
	Dose       search.Dose      // the setting whose dose is searched; the zero value for a search of rates
}

// A FindSearch is the search without a fault, or the search under one.
type FindSearch struct {
	Name     string       // empty if it is the only search
	Tries    []search.Try // in their order; the rate of each is the dose if one is searched
	Evidence string       // what showed that the fault was in
	Gone     string       // what showed its end
}

var findTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(sources, "assets/find.tmpl", "assets/curve.tmpl"))
})

type findView struct {
	Policy       string
	CSS          template.CSS
	Script       template.JS
	Points       template.HTML // for the script
	Icon         template.URL
	Name, Answer string
	Mark, Tone   string
	Facts        []words.Pair
	Objectives   []string
	Details      []string
	Curve        *curveView
	Loop         *loopView // nil: there was no overload
	Several      bool      // an iteration makes several requests
	Beyond       bool      // the curve shows the first of several searches
	Dose         string
	Unsure       bool // the search found no interval
	Searches     []findTable
}

type findTable struct {
	ID, Name, Evidence, Gone string
	Probes                   []findRow
}

type findRow struct{ N, Rate, Mark, Word, Tone, Why, Good, Failed, P95, InFlight string }

// findTones holds the tone and the mark of each answer of a probe.
var findTones = map[string][2]string{
	"holds": {"good", "✓"}, "breaks": {"bad", "✗"}, "limited": {"unsure", "?"}, "disturbed": {"unsure", "?"},
}

// Report writes the page.
func (p FindPage) Report(w io.Writer) error {
	css, err := stylesOf("assets/curve.css", plotStyle, "assets/find.css")
	if err != nil {
		return err
	}
	script, err := scriptOf(plotScript)
	if err != nil {
		return err
	}
	v := findView{
		CSS: css, Script: script, Policy: scriptedPolicy(css, script, "'none'"), Name: words.Clean(p.Name),
		Answer: words.Clean(p.Answer), Mark: "✓", Tone: "good",
	}
	if !p.Sure {
		v.Mark, v.Tone, v.Unsure = "?", "unsure", true
	}
	axis := curveAxis{setting: p.Dose}
	if axis.dose() {
		v.Dose = words.Clean(p.Dose.Name())
	}
	v.Icon = icon(v.Tone)
	for _, o := range p.Objectives {
		v.Objectives = append(v.Objectives, words.Clean(o.Text))
	}
	n := 0
	for i := range p.Searches {
		n += len(p.Searches[i].Tries)
	}
	v.Facts = append(v.Facts, pair("Probes", words.Count(int64(n))))
	if !p.Started.IsZero() {
		v.Facts = append(v.Facts, pair("Begun", p.Started.UTC().Format("2006-01-02 15:04:05")+" UTC"),
			pair("Took", words.Clock(p.Took.Seconds())))
	}
	for _, text := range p.Details {
		v.Details = append(v.Details, words.Clean(syntax.Sentence(text)))
	}
	v.Beyond = len(p.Searches) > 1
	var points []loadPoint
	for i := range p.Searches {
		s := &p.Searches[i]
		table := findTable{
			ID: "probes", Name: words.Clean(s.Name), Evidence: words.Clean(s.Evidence), Gone: words.Clean(s.Gone),
		}
		if i > 0 {
			table.ID += "-" + words.Count(int64(i+1))
		}
		for j := range s.Tries {
			t := &s.Tries[j]
			row := probeRow(j, t, axis)
			table.Probes = append(table.Probes, row)
			if t.Answer == search.Disturbed || t.Figures == nil || i > 0 { // the curve is of the target alone
				continue
			}
			at := t.Figures.Offered
			if axis.dose() {
				at = t.Rate
			} else {
				v.Several = v.Several || at > 1.5*t.Rate
			}
			points = append(points, loadPoint{
				Rate: at, Good: t.Figures.Good, P95: t.Figures.Tail(), InFlight: float64(t.Figures.InFlight),
				Failed: t.Figures.Failed, Tone: row.Tone, Text: row.Word + " at " + row.Rate + ": " + row.Why,
			})
		}
		v.Searches = append(v.Searches, table)
	}
	if len(points) > 1 {
		v.Curve = newCurve(points, axis, limitOf(p.Objectives))
		if v.Points, err = v.Curve.Readout.Packed(); err != nil {
			return err
		}
	}
	if p.Overload != nil {
		v.Loop = overloadLoop(p.Overload)
	}
	return findTemplate().Execute(w, v)
}

// probeRow returns the row of a probe. Figures that are not known are dashes.
func probeRow(i int, t *search.Try, axis curveAxis) findRow {
	look := findTones[string(t.Answer)]
	good, failed, p95, inFlight := math.NaN(), math.NaN(), math.NaN(), math.NaN()
	if f := t.Figures; f != nil {
		good, failed, p95, inFlight = f.Good, f.Failed, f.Tail(), float64(f.InFlight)
	}
	count := func(f float64) string { return words.Count(int64(f)) }
	return findRow{
		N: words.Count(int64(i + 1)), Rate: axis.say(t.Rate), Tone: look[0], Mark: look[1],
		Word: words.Clean(string(t.Answer)), Why: words.Clean(t.Why), Good: words.Rate(result.Num(good)),
		Failed: words.Known(failed, words.Percent), P95: words.Known(p95, quantity.FormatSeconds),
		InFlight: words.Known(inFlight, count),
	}
}
