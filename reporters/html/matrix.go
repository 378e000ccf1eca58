package html

import (
	"html/template"
	"io"
	"sync"

	"brunt/reporters/chart"
	"brunt/reporters/words"
)

// A MatrixPage shows drills and the faults they tried: one file that opens offline and has no script.
type MatrixPage struct {
	Name    string   // name of the system
	Summary string   // one sentence
	Effects []string // the columns of the matrix
	Rows    []MatrixRow
	Barred  []string      // why some cells can't be filled: a line for each reason, without a full stop
	Failed  []MatrixDrill // drills that failed without being declared to fail, or showed nothing; they come first
	Drills  []MatrixDrill // the other drills that were tried; empty: the page is about runs only
	// drills that were not tried, with the reasons
	NotTried []MatrixDrill

	Services []string    // columns of the table of the steps' needs; empty: no run shows any
	Needs    []MatrixRow // a row for each step
	Declared []string    // each service's kind as the scenario declares it, in a word; empty: it declares none
	Surprise string      // services that are declared soft but proved not to be, in a sentence
	// columns of the table of calls per request: links between services; empty: no run counted calls
	Links []string
	Calls []MatrixRow // a row for each fault

	AlertNames []string     // columns of the table of alerts; empty: no run polled any
	Alerts     []MatrixRow  // a row for each fault
	Edges      []MatrixEdge // links between services
	Costs      []MatrixRow  // a row for each fault; columns are [words.CostHeads]

	Coverage string   // number of tried and possible ways to fail, in a sentence
	Untried  []string // parts, each with the effects that were never tried on it
	Next     []MatrixNext
	Method   string // how the pairs of faults were chosen, and which failures that misses; empty: no pairs
}

// A MatrixNext is a drill worth running next: its command, and the reason.
type MatrixNext struct{ Command, Why string }

// A MatrixRow is a part of the system, with a cell for each effect.
type MatrixRow struct {
	Heading string // heading of this row and the rows after it; empty: same as the row before
	Part    string
	Cells   []MatrixCell
}

// A MatrixCell describes how a part behaved under an effect.
type MatrixCell struct{ Text, Tone, Why, Link string }

// A MatrixEdge is a link between services.
type MatrixEdge struct {
	chart.GraphEdge
	Traffic string // for each request in the baseline
	Needs   string // steps with their need of the called service
}

// A MatrixDrill is a drill with its verdict, or with the reason why it was not tried.
type MatrixDrill struct{ Name, Family, About, Verdict, Tone, Why, Link string }

var matrixTemplate = sync.OnceValue(func() *template.Template {
	return template.Must(template.ParseFS(sources, "assets/matrix.tmpl"))
})

// Index is the file of a page of several runs.
const Index = "index.html"

// Report writes the page.
func (p MatrixPage) Report(w io.Writer) error {
	v := struct {
		MatrixPage
		Policy  string
		CSS     template.CSS
		Columns int

		Graph     template.HTML
		CostHeads []string
		CostFoot  string
	}{MatrixPage: p, Columns: 1 + len(p.Effects), CostHeads: words.CostHeads, CostFoot: words.CostMeaning}
	var edges []chart.GraphEdge
	for _, e := range p.Edges {
		edges = append(edges, e.GraphEdge)
	}
	v.Graph = chart.GraphOf(edges)
	var err error
	if v.CSS, v.Policy, err = styled("assets/matrix.css"); err != nil {
		return err
	}
	return matrixTemplate().Execute(w, v)
}
