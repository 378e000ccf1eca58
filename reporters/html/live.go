package html

import (
	"bytes"
	"cmp"
	"fmt"
	"html/template"
	"io"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// DrawLive writes the page of a run that goes on. Once the run is over, it writes the report.
func DrawLive(w io.Writer, res *result.Result, iv result.Interval) error {
	p, err := newPage(res)
	if err != nil {
		return err
	}
	if p.Live != nil {
		p.Live.Now = NowOf(iv)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	page := b.Bytes()
	if p.Live == nil {
		page = withGlossary(page)
	}
	_, err = w.Write(page)
	return err
}

// A liveView holds the additions to the page while the run goes on.
type liveView struct {
	Now    Now
	Brief  bool // without the parts that take long to draw, of which the reader keeps the earlier version
	Script template.JS
}

// Now describes the last second in words.
type Now struct {
	Phase   string       `json:"phase"`
	Left    string       `json:"left"`
	Done    float64      `json:"done"` // share of the judged load
	Figures []words.Pair `json:"figures"`
	Faults  string       `json:"faults"`
}

// NowOf describes a second of a run in words.
func NowOf(iv result.Interval) Now {
	if iv.ToAsk > 0 {
		return Now{Phase: "ledger", Left: words.LedgerProgress(iv), Done: 1}
	}
	n := Now{Phase: cmp.Or(words.PhaseOf(iv), "start")}
	n.Left, n.Done = words.TimeLeft(iv)
	ended := iv.OK + iv.Shed + iv.Errors
	n.Figures = []words.Pair{
		pair("offered", words.PerSecond(iv.Offered)),
		pair("ok", words.PerSecond(iv.OK)),
		pair("errors", words.PerSecond(iv.Errors)+" ("+words.ErrorShare(iv.Errors, ended)+")"),
		pair("p50", words.AnswerTime(iv.P50)),
		pair("p95", words.AnswerTime(iv.P95)),
		pair("p99", words.AnswerTime(iv.P99)),
		pair("in flight", words.Int(iv.InFlight)),
		pair("lag", words.Duration(iv.Lag)),
	}
	active, next := words.FaultsActive(iv, 200)
	n.Faults = next
	if active = strings.TrimSpace(active); active != "" {
		n.Faults = active + "; " + next
	}
	return n
}

// live adds the parts that the page has only while the run goes on. The page's policy then allows requests to its own
// server only.
func (p *pageView) live(brief bool) error {
	css, err := sources.ReadFile("assets/live.css")
	if err != nil {
		return err
	}
	script, err := sources.ReadFile("assets/live.js")
	if err != nil {
		return err
	}
	p.CSS += template.CSS(css)
	p.Live = &liveView{Brief: brief, Script: template.JS(script)}
	p.Policy = fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s' '%s'; connect-src "+
		"'self'; base-uri 'none'; form-action 'self'",
		hash(string(p.CSS)), hash(string(p.Script)), hash(string(script)))
	return nil
}
