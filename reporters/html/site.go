package html

import (
	"fmt"
	"html/template"
	"io"
	"sync"

	"brunt/reporters/words"
)

// SiteLinks lead from a page of a site to the list of runs and to neighbours of the page.
type SiteLinks struct {
	Home           string // address of the list of runs
	Earlier, Later *SiteLink
	More           []SiteLink // other pages: the comparison with the run before, the scenario's trend
	// address that compares runs, to which base= and run= are added; empty: nothing serves comparisons
	Compare string
	Run     string // key of the page's run, for Compare
	Others  []SiteOption
	// returns the address of the page of an earlier run of the scenario, by its id, or "" if the site does not have it;
	// nil: the site knows no runs
	PageOf func(run string) string
}

// A SiteLink leads to a page of the site.
type SiteLink struct{ Name, Address string }

// A SiteOption is a run that the page's run can be compared with.
type SiteOption struct{ Key, Name string }

// Add adds a link to another page; an empty address adds none.
func (l *SiteLinks) Add(name, address string) {
	if address != "" {
		l.More = append(l.More, SiteLink{name, address})
	}
}

// MostOthers bounds the runs that a page offers for a comparison.
const MostOthers = 100

// The template and the style of the links of a site.
const siteTemplate, siteStyle = "assets/site.tmpl", "assets/site.css"

// forms is the source of the policy to which the page's forms may be sent.
func (l *SiteLinks) forms() string {
	if l != nil && l.Compare != "" {
		return "'self'"
	}
	return "'none'"
}

// staticPolicy allows a page its own style, and forms to the given source.
func staticPolicy(css template.CSS, forms string) string {
	return fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; base-uri 'none'; form-action %s",
		hash(string(css)), forms)
}

// scriptedPolicy also allows a page its own script.
func scriptedPolicy(css template.CSS, script template.JS, forms string) string {
	return fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; base-uri 'none'; "+
		"form-action %s", hash(string(css)), hash(string(script)), forms)
}

// atSite adds the links of a site to the page of a run.
func (p *pageView) atSite(links *SiteLinks) error {
	if links == nil {
		return nil
	}
	css, err := style(siteStyle)
	if err != nil {
		return err
	}
	p.CSS += css
	p.Site = links
	p.Policy = scriptedPolicy(p.CSS, p.Script, links.forms())
	return nil
}

// A LostPage answers a request for a page that a site does not have.
type LostPage struct {
	Site   *SiteLinks
	What   string     // what is missing, as a sentence
	Near   []SiteLink // pages that were perhaps meant
	Latest []SiteLink // the newest runs
}

var lostTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(sources, "assets/lost.tmpl", siteTemplate))
})

// Report writes the page.
func (l LostPage) Report(w io.Writer) error {
	css, err := stylesOf(siteStyle)
	if err != nil {
		return err
	}
	l.What = words.Clean(l.What)
	return lostTemplate().Execute(w, struct {
		LostPage
		CSS    template.CSS
		Policy string
		Icon   template.URL
	}{l, css, staticPolicy(css, l.Site.forms()), icon("bad")})
}
