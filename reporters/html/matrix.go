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
	Drills  []MatrixDrill // empty: the page is of runs alone
}

// A MatrixRow is a part of the system, with a cell for each effect.
type MatrixRow struct {
	Part  string
	Cells []MatrixCell
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
		Policy string
		CSS    template.CSS
	}{MatrixPage: p}
	var err error
	if v.CSS, v.Policy, err = styled("assets/matrix.css"); err != nil {
		return err
	}
	return matrixTemplate.Execute(w, v)
}
