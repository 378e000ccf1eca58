package html

import (
	"html/template"
	"io"
	"regexp"
	"sync"

	"brunt/reporters/words"
	"brunt/scenarios/result/programme"
)

// A ProgrammePage shows what was last proved and when, what is overdue, what failed and what closed it, and what was
// never tried. It has no script, and prints as it is.
type ProgrammePage struct {
	Title     string
	Programme *programme.Programme
	Problems  []string   // sentences
	Site      *SiteLinks // nil: the page stands alone
}

var programmeTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("programme.tmpl").Funcs(template.FuncMap{"links": keepLinks}).ParseFS(sources,
		"assets/programme.tmpl", siteTemplate))
})

// linkName matches the name of a link between services in escaped text.
var linkName = regexp.MustCompile(`[\pL\pN_.\[\]-]+-&gt;[\pL\pN_.\[\]-]*[\pL\pN_\]]`)

// keepLinks escapes a text, and keeps each name of a link in it, such as posts->store, on one line.
func keepLinks(text string) template.HTML {
	return template.HTML(linkName.ReplaceAllString(template.HTMLEscapeString(text), `<span class="link">$0</span>`))
}

type programmeView struct {
	Policy, Title, At, Summary string
	CSS                        template.CSS
	Icon                       template.URL
	Site                       *SiteLinks
	Problems, Claims           []string
	Scenarios                  []programmeRow
	Failures                   []failureRow
	Untried                    []words.Pair
}

type programmeRow struct {
	words.ProgrammeRow
	ProofLink, LastLink string
}

type failureRow struct {
	words.FailureRow
	Link, NextLink string // to the run, and to the run that closes it or passed since
}

// Report writes the page.
func (p ProgrammePage) Report(w io.Writer) error {
	of := p.Programme
	tone := "good"
	if !of.Fit() {
		tone = "bad"
	}
	v := programmeView{
		Title: words.Clean(p.Title), At: of.At.Format("2006-01-02 15:04 UTC"), Summary: words.ProgrammeSummary(of),
		Site: p.Site, Claims: words.ClaimTexts(of), Untried: words.UntriedTexts(of), Icon: icon(tone),
	}
	for _, text := range p.Problems {
		v.Problems = append(v.Problems, words.Clean(text))
	}
	link := func(r *programme.Ref) string {
		if r == nil {
			return ""
		}
		return r.Link
	}
	for i, row := range words.ProgrammeRows(of) {
		s := &of.Scenarios[i]
		v.Scenarios = append(v.Scenarios, programmeRow{row, link(s.Proof), link(s.Last)})
	}
	for i, row := range words.FailureRows(of) {
		f := &of.Failures[i]
		next := f.ClosedBy
		if next == nil {
			next = f.PassedSince
		}
		v.Failures = append(v.Failures, failureRow{row, f.Link, link(next)})
	}
	var err error
	if v.CSS, err = stylesOf("assets/matrix.css", "assets/programme.css", siteStyle); err != nil {
		return err
	}
	v.Policy = staticPolicy(v.CSS, "'none'")
	return programmeTemplate().Execute(w, v)
}
