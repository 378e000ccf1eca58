package html

import (
	"html/template"
	"io"
)

// A MatrixPage shows drills and what they tried: one file that opens offline and has no script.
type MatrixPage struct {
	Name    string   // of the system
	Summary string   // in a sentence
	Effects []string // the columns of the matrix
	Rows    []MatrixRow
	Barred  []string      // why cells can't be filled, each in a sentence
	Failed  []MatrixDrill // drills that failed though nothing declares it, or showed nothing; they come first
	Drills  []MatrixDrill // the other drills that were tried; empty: the page is of runs alone
	// drills that were not tried, and why
	NotTried []MatrixDrill

	Services []string    // columns of what the steps of the load need; empty: no run shows it
	Needs    []MatrixRow // a row for each step
	Declared []string    // what the scenario declares of each service, in a word; empty: nothing
	Surprise string      // services that are declared soft and are not, in a sentence
	Coverage string      // how many of the ways to fail were tried, in a sentence
	Untried  []string    // parts, with what they were never under
	Next     []MatrixNext
	Method   string // how the pairs of faults were chosen, and what that does not find; empty: none were
}

// A MatrixNext is a drill worth running next: its command, and why.
type MatrixNext struct{ Command, Why string }

// A MatrixRow is a part of the system, with a cell for each effect.
type MatrixRow struct {
	Heading string // of this and the rows after it; empty: that of the row before
	Part    string
	Cells   []MatrixCell
}

// A MatrixCell is what is known of a part under an effect.
type MatrixCell struct{ Text, Tone, Why, Link string }

// A MatrixDrill is a drill with its verdict, or why it was not tried.
type MatrixDrill struct{ Name, Family, About, Verdict, Tone, Why, Link string }

var matrixTemplate = template.Must(template.ParseFS(sources, "assets/matrix.tmpl"))

// Index is the file of a page of several runs.
const Index = "index.html"

// Report writes the page.
func (p MatrixPage) Report(w io.Writer) error {
	v := struct {
		MatrixPage
		Policy  string
		CSS     template.CSS
		Columns int
	}{MatrixPage: p, Columns: 1 + len(p.Effects)}
	var err error
	if v.CSS, v.Policy, err = styled("assets/matrix.css"); err != nil {
		return err
	}
	return matrixTemplate.Execute(w, v)
}
