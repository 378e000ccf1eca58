package html

import (
	"fmt"
	"html/template"
	"io"
	"math"
	"path"
	"sync"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// DecisionFile returns the name of the page of a decision in its folder: that of its command, such as gate.html.
func DecisionFile(d *result.Decision) string { return d.Kind + ".html" }

var decisionTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(sources, "assets/decision.tmpl",
		"assets/trends.tmpl"))
})

// A decisionView shows the outcome of a gate or a comparison, as one file that opens offline and has no script.
type decisionView struct {
	Policy              string
	CSS                 template.CSS
	Mark, Word, Tone    string
	Name, Reason, Basis string
	Facts               []struct{ Name, Value string }
	Says, Statistics    []string
	Rows                []judgedView
	Runs                []judgedRunView
	History             []trendChartView
}

type judgedView struct {
	Mark, Word, Tone                                       string
	Name, Base, Now, Change, Low, High, Margin, Sees, Note string
	Range                                                  template.HTML
}

type judgedRunView struct{ Name, Link, When, Figures, State string }

// Decision writes the page of what a gate or a comparison came to. History shows its metrics over earlier runs and
// this one.
func Decision(w io.Writer, d *result.Decision, history ...TrendChart) error {
	v := decisionView{
		Mark: words.Mark(d.Verdict), Word: words.Clean(d.Word), Tone: words.Tone(d.Verdict),
		Name: words.Clean(d.Name), Reason: words.DecisionSentence(d, d.Reason),
	}
	var err error
	if v.CSS, err = stylesOf("assets/trend.css", "assets/decision.css"); err != nil {
		return err
	}
	v.Policy = staticPolicy(v.CSS, "'none'")
	for i := range history {
		if len(history[i].Points) > 0 {
			v.History = append(v.History, history[i].view(i))
		}
	}
	if d.Basis != "" {
		v.Basis = syntax.Sentence(words.Clean(d.Basis))
	}
	fact := func(name, value string) { v.Facts = append(v.Facts, struct{ Name, Value string }{name, value}) }
	fact("Begun", d.Started.UTC().Format("2006-01-02 15:04:05")+" UTC")
	fact("Took", words.Seconds(d.Took))
	fact("Runs", words.Count(int64(len(d.Runs))))
	fact("Exit code", fmt.Sprint(d.ExitCode))
	for _, s := range d.Says {
		v.Says = append(v.Says, words.DecisionSentence(d, s))
	}
	for _, s := range d.Statistics {
		v.Statistics = append(v.Statistics, syntax.Sentence(words.Clean(s)))
	}
	for i := range d.Metrics {
		v.Rows = append(v.Rows, judged(&d.Metrics[i]))
	}
	for _, r := range d.Runs {
		view := judgedRunView{
			Name: words.Clean(r.Name), When: r.Started.UTC().Format("15:04:05"),
			Figures: words.Clean(r.Figures), State: words.Clean(r.State),
		}
		if r.Folder != "" {
			view.Link = path.Join(r.Folder, File)
		}
		v.Runs = append(v.Runs, view)
	}
	return decisionTemplate().Execute(w, v)
}

// judged shows a metric of a decision.
func judged(m *result.Judged) judgedView {
	word := map[scenarios.Verdict]string{
		scenarios.Pass: "not worse", scenarios.Fail: "worse", scenarios.None: "left out",
	}[m.Verdict]
	if word == "" {
		word = "undecided"
	}
	return judgedView{
		Mark: words.Mark(m.Verdict), Word: word, Tone: words.Tone(m.Verdict), Name: words.Clean(m.Name), Base: m.Base,
		Now: m.Now, Change: m.Change,
		Low: m.Low, High: m.High, Margin: m.Margin, Sees: m.Sees, Note: words.Clean(m.Note), Range: rangeOf(m),
	}
}

// rangeOf draws a change and its bounds beside its margin. The axis spans twice the margin in each direction. A
// change beyond the axis is an arrow at its end.
func rangeOf(m *result.Judged) template.HTML {
	if !m.Worse.Known() || !m.Limit.Known() || m.Limit <= 0 {
		return ""
	}
	const width, middle = 160.0, 80.0
	at := func(n result.Num, without float64) float64 {
		f := float64(n)
		if !n.Known() {
			f = without
		}
		return min(max(middle+f/float64(m.Limit)*middle/2, 0), width)
	}
	point := fmt.Sprintf(`<circle r="4" cx="%.1f" cy="11"/>`, at(m.Worse, 0))
	switch share := m.Worse / m.Limit; {
	case share > 2:
		point = `<path d="M150 5l10 6l-10 6z"/>`
	case share < -2:
		point = `<path d="M10 5l-10 6l10 6z"/>`
	}
	return template.HTML(fmt.Sprintf(`<svg viewBox="0 0 160 22" role="img" aria-label="%s, %s to %s"><line x1="80" x2="80" y1="2" y2="20"/>`+
		`<line class="aim" x1="120" x2="120" y1="2" y2="20"/><line class="span" x1="%.1f" x2="%.1f" y1="11" y2="11"/>`+
		`%s</svg>`,
		template.HTMLEscapeString(m.Change), template.HTMLEscapeString(m.Low), template.HTMLEscapeString(m.High),
		at(m.AtLeast, -math.MaxFloat64), at(m.AtMost, math.MaxFloat64), point))
}
