package site

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"

	"brunt/reporters"
	"brunt/reporters/html"
)

// Write writes the site of the runs in folders as files: index.html, a page for each run, a page for each run
// compared with the previous one, and a page for each scenario. Links between them are relative. It returns the
// number of runs, and the omitted runs as sentences.
func Write(out string, roots []string, title string, compare Comparer) (runs int, problems []string, err error) {
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
	p := html.IndexPage{Title: title, Trends: scenariosOf(list)}
	for i := range p.Trends {
		t := &p.Trends[i]
		t.Link = fmt.Sprintf("trend-%d.html", i+1)
		if err := write(t.Link, func(w io.Writer) error { return trend(w, list, t.Name, pageOf) }); err != nil {
			return 0, problems, err
		}
	}
	last := map[string]*entry{} // by scenario
	for _, e := range list {
		row := e.row()
		row.Link = pageOf(e)
		r, err := e.whole()
		if err != nil {
			problems = append(problems, fmt.Sprintf("%s is left out: %v.", e.dir, err))
			continue
		}
		r.Logs = nil // logs are not published
		if err := write(row.Link, func(w io.Writer) error { return html.Page{}.Report(w, r) }); err != nil {
			return 0, problems, err
		}
		if earlier := last[e.Name]; earlier != nil {
			row.Beside = path.Join("beside", e.Key, html.File)
			if err := write(row.Beside, func(w io.Writer) error { return beside(w, compare, earlier, r) }); err != nil {
				return 0, problems, err
			}
		}
		last[e.Name] = e
		p.Runs = append(p.Runs, row)
	}
	p.Problems = problems
	return len(p.Runs), problems, write(html.Index, p.Report)
}

// pageOf returns the path of a run's page.
func pageOf(e *entry) string { return path.Join("runs", e.Key, html.File) }
