package html

import (
	"cmp"
	"fmt"
	"html/template"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// An IndexPage lists runs, the newest first. Its script filters them, and lets the reader pick two to compare.
type IndexPage struct {
	Title     string
	Runs      []IndexRun
	Scenarios []IndexScenario
	Compare   string // address that compares runs, to which base= and run= are added; empty: none
	Programme string // address of the page of what was proved and is due; empty: none
	Problems  []string
}

// An IndexRun is a run in the list.
type IndexRun struct {
	Key              string // identifies the run in an address
	Name, Run        string // name of the scenario, and id of the run
	Verdict          scenarios.Verdict
	Word             string // the verdict in words
	Reason           string
	Started          time.Time
	Duration         result.Num
	Requests, Bad    int64
	P95              result.Num // of good answers
	Labels           []words.Pair
	Link, Beside     string // the run's page, and its page beside the previous run; empty: none
	Objectives, Held int
}

// An IndexScenario is a scenario with its runs.
type IndexScenario struct {
	Name, Link string       // the page of its objectives over time; empty: it has none
	Runs       []IndexPoint // the oldest first
}

// An IndexPoint is a run of a scenario in a small picture.
type IndexPoint struct {
	Link, Text string
	Verdict    scenarios.Verdict
	Word       string     // the verdict in words
	P95        result.Num // of good answers, seconds
}

var indexTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(sources, "assets/index.tmpl"))
})

type indexView struct {
	Policy              string
	CSS                 template.CSS
	Script              template.JS
	Icon                template.URL
	Title, Compare      string
	Programme           string
	Rows                []indexRow
	Series              []seriesView
	Problems            []string
	Scenarios, Verdicts []string
	Labels              []string
	Count               string
}

type indexRow struct {
	IndexRun
	Mark, Tone                     string
	When, Stamp, Took, Errors, P95 string
	Objectives, Labels, Search     string
	Text                           string // in lower case, which the filter searches
}

// Report writes the page.
func (p IndexPage) Report(w io.Writer) error {
	v := indexView{Title: words.Clean(p.Title), Compare: p.Compare, Programme: p.Programme, Icon: icon("going")}
	var err error
	if v.CSS, _, err = styled("assets/index.css"); err != nil {
		return err
	}
	script, err := sources.ReadFile("assets/index.js")
	if err != nil {
		return err
	}
	v.Script = template.JS(comments.ReplaceAll(script, nil))
	v.Policy = scriptedPolicy(v.CSS, v.Script, "'none'")
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
	for i := range p.Scenarios {
		v.Series = append(v.Series, seriesOf(&p.Scenarios[i]))
	}
	for _, s := range p.Problems {
		v.Problems = append(v.Problems, words.Clean(s))
	}
	v.Count = words.Plural(int64(len(runs)), "run", "runs")
	return indexTemplate().Execute(w, v)
}

func rowOf(r *IndexRun) indexRow {
	row := indexRow{
		IndexRun: *r, Mark: words.Mark(r.Verdict), Tone: words.Tone(r.Verdict),
		When: r.Started.UTC().Format("2006-01-02 15:04:05"), Stamp: r.Started.UTC().Format(time.RFC3339),
		Took:   words.Seconds(r.Duration),
		Errors: words.Share(r.Bad, r.Requests), P95: words.Seconds(r.P95), Objectives: "–",
	}
	row.Name, row.Run, row.Reason, row.Word = words.Clean(r.Name), words.Clean(r.Run), words.Clean(r.Reason),
		words.Clean(r.Word)
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
	row.Text = strings.ToLower(strings.Join(append(labels, row.Name, row.Run, row.Reason, r.Key, row.Word), "\n"))
	return row
}

// seriesView is a scenario in the list of scenarios: a mark for each of its last runs, and p95 over them.
type seriesView struct {
	Name, Link       string
	Runs             string
	Mark, Word, Tone string // of the newest run
	Dots             []seriesDot
	Line, Label      string
	Last             string // p95 of the newest run
}

type seriesDot struct{ Tone, Mark, Link, Text string }

// mostDots bounds the runs of the small pictures of a scenario.
const mostDots = 24

// The small picture of p95 is seriesWidth by seriesHeight units.
const seriesWidth, seriesHeight = 160.0, 28.0

func seriesOf(s *IndexScenario) seriesView {
	v := seriesView{Name: words.Clean(s.Name), Link: s.Link, Runs: words.Plural(int64(len(s.Runs)), "run", "runs")}
	runs := s.Runs[max(0, len(s.Runs)-mostDots):]
	if len(runs) == 0 {
		return v
	}
	last := runs[len(runs)-1]
	v.Mark, v.Word, v.Tone = words.Mark(last.Verdict), words.Clean(last.Word), words.Tone(last.Verdict)
	v.Last = words.Seconds(last.P95)
	values := make([]float64, len(runs))
	for i, r := range runs {
		values[i] = float64(r.P95)
		v.Dots = append(v.Dots, seriesDot{
			Tone: words.Tone(r.Verdict), Mark: words.Mark(r.Verdict), Link: r.Link, Text: words.Clean(r.Text),
		})
	}
	scale := chart.Linear(values)
	var line strings.Builder
	low, high := math.Inf(1), math.Inf(-1)
	gap := true
	for i, p95 := range values {
		if math.IsNaN(p95) {
			gap = true
			continue
		}
		low, high = min(low, p95), max(high, p95)
		command := "L"
		if gap {
			command = "M"
		}
		x := seriesWidth * (float64(i) + .5) / float64(len(values))
		fmt.Fprintf(&line, "%s%.1f %.1fh.01", command, x, seriesHeight*(1-scale.At(p95)))
		gap = false
	}
	if v.Line = line.String(); v.Line != "" {
		v.Label = "p95 of good answers over " + words.Plural(int64(len(runs)), "run", "runs") + ": " +
			words.Seconds(result.Num(low)) + " to " + words.Seconds(result.Num(high))
	}
	return v
}
