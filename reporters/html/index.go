package html

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// An IndexPage lists runs, the newest first. Its script filters them, and lets the reader pick two to compare.
type IndexPage struct {
	Title    string
	Runs     []IndexRun
	Trends   []IndexTrend
	Compare  string // address that compares runs, to which base= and run= are added; empty: none
	Problems []string
}

// An IndexRun is a run in the list.
type IndexRun struct {
	Key              string // identifies the run in an address
	Name, Run        string // name of the scenario, and id of the run
	Verdict          scenarios.Verdict
	Reason           string
	Started          time.Time
	Duration         result.Num
	Requests, Bad    int64
	P95              result.Num // of good answers
	Labels           []words.Pair
	Link, Beside     string // the run's page, and its page beside the previous run; empty: none
	Objectives, Held int
}

// An IndexTrend is a page of the objectives of a scenario over its runs.
type IndexTrend struct {
	Name, Link string
	Runs       int
}

var indexTemplate = template.Must(template.ParseFS(sources, "assets/index.tmpl"))

type indexView struct {
	Policy              string
	CSS                 template.CSS
	Script              template.JS
	Icon                template.URL
	Title, Compare      string
	Rows                []indexRow
	Trends              []IndexTrend
	Problems            []string
	Scenarios, Verdicts []string
	Labels              []string
	Count               string
}

type indexRow struct {
	IndexRun
	Mark, Word, Tone               string
	When, Stamp, Took, Errors, P95 string
	Objectives, Labels, Search     string
}

// Report writes the page.
func (p IndexPage) Report(w io.Writer) error {
	v := indexView{Title: words.Clean(p.Title), Compare: p.Compare, Trends: p.Trends, Icon: icon("going")}
	var err error
	if v.CSS, _, err = styled("assets/index.css"); err != nil {
		return err
	}
	script, err := sources.ReadFile("assets/index.js")
	if err != nil {
		return err
	}
	v.Script = template.JS(comments.ReplaceAll(script, nil))
	v.Policy = fmt.Sprintf("default-src 'none'; img-src data:; style-src '%s'; script-src '%s'; base-uri 'none'; "+
		"form-action 'none'", hash(string(v.CSS)),
		hash(string(v.Script)))
	runs := slices.Clone(p.Runs)
	slices.SortStableFunc(runs, func(a, b IndexRun) int {
		return cmp.Or(b.Started.Compare(a.Started),
			cmp.Compare(a.Key, b.Key))
	})
	for i := range runs {
		row := rowOf(&runs[i])
		v.Rows = append(v.Rows, row)
		v.Scenarios, v.Verdicts = append(v.Scenarios, row.Name), append(v.Verdicts, row.Word)
		for _, l := range row.IndexRun.Labels {
			v.Labels = append(v.Labels, l.Name+" "+l.Value)
		}
	}
	for _, list := range []*[]string{&v.Scenarios, &v.Verdicts, &v.Labels} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	for _, s := range p.Problems {
		v.Problems = append(v.Problems, words.Clean(s))
	}
	v.Count = words.Plural(int64(len(runs)), "run", "runs")
	return indexTemplate.Execute(w, v)
}

func rowOf(r *IndexRun) indexRow {
	row := indexRow{
		IndexRun: *r, Mark: words.Mark(r.Verdict), Word: words.Verdict(r.Verdict), Tone: words.Tone(r.Verdict),
		When: r.Started.UTC().Format("2006-01-02 15:04:05"), Stamp: r.Started.UTC().Format(time.RFC3339),
		Took:   words.Seconds(r.Duration),
		Errors: words.Share(r.Bad, r.Requests), P95: words.Seconds(r.P95), Objectives: "–",
	}
	row.Name, row.Run, row.Reason = words.Clean(r.Name), words.Clean(r.Run), words.Clean(r.Reason)
	if r.Objectives > 0 {
		row.Objectives = fmt.Sprintf("%d of %d", r.Held, r.Objectives)
	}
	row.IndexRun.Labels = nil
	var labels []string
	for _, l := range r.Labels {
		l = pair(words.Clean(l.Name), words.Clean(l.Value))
		row.IndexRun.Labels = append(row.IndexRun.Labels, l)
		labels = append(labels, l.Name+" "+l.Value)
	}
	row.Labels, row.Search = strings.Join(labels, ", "), strings.Join(labels, "\n")
	return row
}
