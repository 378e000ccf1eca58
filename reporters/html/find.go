package html

import (
	"html/template"
	"io"
	"math"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
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
	Probes     []FindProbe // in their order
	// the setting of the fault whose dose is searched, such as slow-store.delay; empty for a search of rates
	Dose string
	Say  func(dose float64) string // formats a dose
	Unit string                    // of a dose, after a number; may be empty
	More []string                  // further sentences of the answer
}

// A FindProbe is one probe.
type FindProbe struct {
	Rate          float64 // iterations a second, or the dose
	Answer        string  // holds, breaks, limited or disturbed
	Why           string
	Offered, Good float64 // requests a second; NaN: not known
	Failed        float64 // share; NaN: not known
	P95           float64 // seconds; NaN: not known, infinite: more requests failed than it allows
	InFlight      float64 // NaN: not known
}

var findTemplate = template.Must(template.ParseFS(sources, "assets/find.tmpl", "assets/curve.tmpl"))

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
	Curve        *curveView
	Several      bool // an iteration makes several requests
	Dose         string
	More         []string
	Probes       []findRow
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
		v.Mark, v.Tone = "?", "unsure"
	}
	axis := curveAxis{p.Dose, p.Say, p.Unit}
	v.Dose = words.Clean(p.Dose)
	for _, more := range p.More {
		v.More = append(v.More, words.Clean(more))
	}
	v.Icon = icon(v.Tone)
	for _, o := range p.Objectives {
		v.Objectives = append(v.Objectives, words.Clean(o.Text))
	}
	v.Facts = append(v.Facts, pair("Probes", words.Count(int64(len(p.Probes)))))
	if !p.Started.IsZero() {
		v.Facts = append(v.Facts, pair("Begun", p.Started.UTC().Format("2006-01-02 15:04:05")+" UTC"),
			pair("Took", words.Clock(p.Took.Seconds())))
	}
	var points []loadPoint
	for i, t := range p.Probes {
		look := findTones[t.Answer]
		row := findRow{
			N: words.Count(int64(i + 1)), Rate: axis.say(t.Rate), Tone: look[0], Mark: look[1],
			Word: words.Clean(t.Answer), Why: words.Clean(t.Why), Good: words.Rate(result.Num(t.Good)),
			Failed: shareOrNone(t.Failed), P95: words.Seconds(result.Num(t.P95)), InFlight: countOrNone(t.InFlight),
		}
		if math.IsInf(t.P95, 1) {
			row.P95 = "∞"
		}
		v.Probes = append(v.Probes, row)
		if t.Answer == "disturbed" || math.IsNaN(t.Offered) { // it shows nothing of the target
			continue
		}
		at := t.Offered
		if axis.dose() {
			at = t.Rate
		} else {
			v.Several = v.Several || t.Offered > 1.5*t.Rate
		}
		points = append(points, loadPoint{
			Rate: at, Good: t.Good, P95: t.P95, InFlight: t.InFlight, Failed: t.Failed, Tone: look[0],
			Text: row.Word + " at " + row.Rate + ": " + row.Why,
		})
	}
	if len(points) > 1 {
		v.Curve = newCurve(points, axis, limitOf(p.Objectives))
		if v.Points, err = v.Curve.Readout.Packed(); err != nil {
			return err
		}
	}
	return findTemplate.Execute(w, v)
}

func shareOrNone(f float64) string {
	if math.IsNaN(f) {
		return "–"
	}
	return words.Percent(f)
}

func countOrNone(f float64) string {
	if math.IsNaN(f) {
		return "–"
	}
	return words.Count(int64(f))
}
