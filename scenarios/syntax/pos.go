package syntax

import (
	"cmp"
	"fmt"
)

// Pos is a place in a scenario file. Line and Col count from 1; a Line of 0
// stands for the file as a whole, or for the command line.
type Pos struct {
	File string
	Line int
	Col  int
}

// String returns the place as file:line:col, the form editors jump to.
func (p Pos) String() string {
	switch {
	case p.Line == 0 && p.File == "":
		return "scenario"
	case p.Line == 0:
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

func (p Pos) compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}
