package html

import (
	"bytes"
	"fmt"
	"html/template"
	"io"

	"brunt/scenarios/result"
)

// DrawLive writes the page of a run that goes on. Once the run is over, it writes the report.
func DrawLive(w io.Writer, res *result.Result, now Now) error {
	p, err := newPage(res)
	if err != nil {
		return err
	}
	if p.Live != nil {
		p.Live.Now = now
	}
	var b bytes.Buffer
	if err := pageTemplate().Execute(&b, p); err != nil {
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
