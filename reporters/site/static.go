package site

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"brunt/reporters"
	"brunt/reporters/html"
)

// Write writes the site of the runs in folders as files: index.html, a page for each run, a page for each run
// compared with the previous one, a page for each scenario, and programme.html. Links between them are relative. It
// returns the number of runs, and the omitted runs as sentences. Roots, Title, Compare and Plan of o count.
func Write(out string, o Options) (runs int, problems []string, err error) {
	roots, compare := o.Roots, o.Compare
	list, problems := find(roots, nil)
	if len(list) == 0 {
		return 0, problems, errors.New("there is no run: no folder holds a result.json")
	}
	write := func(name string, draw func(io.Writer) error) error {
		file := filepath.Join(out, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		return reporters.WriteShared(file, draw)
	}
	list = slices.DeleteFunc(list, func(e *entry) bool { // pages link to each other, so each must be there
		_, err := e.whole()
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s is left out: %v.", e.dir, err))
		}
		return err != nil
	})
	n := staticNavigation(list)
	p := html.IndexPage{Title: o.Title, Programme: programmeFile, Scenarios: scenariosOf(n.from(html.Index))}
	for i := range p.Scenarios {
		sc := &p.Scenarios[i]
		if sc.Link == "" {
			continue
		}
		if err := write(sc.Link, func(w io.Writer) error { return trend(w, list, sc.Name, n.from(sc.Link)) }); err != nil {
			return 0, problems, err
		}
	}
	for _, e := range list {
		row := e.row()
		row.Link = pageOf(e)
		r, err := e.whole()
		if err != nil {
			return 0, problems, err
		}
		r.Logs = nil // logs are not published
		page := html.Page{Site: n.from(row.Link).of(e)}
		if err := write(row.Link, func(w io.Writer) error { return page.Report(w, r) }); err != nil {
			return 0, problems, err
		}
		if earlier, _ := n.neighbours(e); earlier != nil {
			row.Beside = n.beside(earlier, e)
			err := write(row.Beside, func(w io.Writer) error { return beside(w, compare, earlier, e, n.from(row.Beside)) })
			if err != nil {
				return 0, problems, err
			}
		}
		p.Runs = append(p.Runs, row)
	}
	of, more := programmeOf(n, o.Plan, time.Now())
	problems = append(problems, more...)
	p.Problems = problems
	page := html.ProgrammePage{
		Title: o.Title, Programme: of, Problems: problems, Site: &html.SiteLinks{Home: html.Index},
	}
	if err := write(programmeFile, page.Report); err != nil {
		return 0, problems, err
	}
	return len(p.Runs), problems, write(html.Index, p.Report)
}

// staticNavigation returns the paths of the files of a site, from its root.
func staticNavigation(list []*entry) navigation {
	trends := map[string]string{}
	for _, e := range list {
		if _, known := trends[e.Name]; !known && hasTrend(list, e.Name) {
			trends[e.Name] = fmt.Sprintf("trend-%d.html", len(trends)+1)
		}
	}
	n := navigation{
		list: list, home: html.Index, run: pageOf, trend: func(scenario string) string { return trends[scenario] },
	}
	n.beside = func(a, b *entry) string {
		if earlier, _ := n.neighbours(b); earlier == nil || earlier.Key != a.Key {
			return "" // only neighbours have a page
		}
		return path.Join("beside", b.Key, html.File)
	}
	return n
}

// from returns the navigation as seen from a file of the site: with paths relative to its folder.
func (n navigation) from(file string) navigation {
	up := strings.Repeat("../", strings.Count(file, "/"))
	seen := func(address string) string {
		if address == "" {
			return ""
		}
		return up + (&url.URL{Path: address}).EscapedPath()
	}
	out := n
	out.home = up + n.home
	out.run = func(e *entry) string { return seen(n.run(e)) }
	out.beside = func(a, b *entry) string { return seen(n.beside(a, b)) }
	out.trend = func(scenario string) string { return seen(n.trend(scenario)) }
	return out
}

// pageOf returns the path of a run's page.
func pageOf(e *entry) string { return path.Join("runs", e.Key, html.File) }
