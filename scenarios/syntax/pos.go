package syntax

import (
	"cmp"
	"fmt"
)

// Pos is a position in a scenario file. Line and Col count from 1. Line 0 stands for the file as a whole, or the
// command line.
type Pos struct {
	File string
	Line int
	Col  int
}

// String returns the position as file:line:col, which editors understand.
func (p Pos) String() string {
	switch {
	case p.Line == 0 && p.File == "":
		return "scenario"
	case p.Line == 0:
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Compare orders positions by file, line and column.
func (p Pos) Compare(q Pos) int {
	return cmp.Or(cmp.Compare(p.File, q.File), cmp.Compare(p.Line, q.Line), cmp.Compare(p.Col, q.Col))
}
