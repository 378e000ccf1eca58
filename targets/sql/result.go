package sql

import (
	"fmt"

	"brunt/scenarios/check"

	"github.com/ohler55/ojg/jp"
)

// Result is the result of a statement.
type Result struct {
	Returns  bool  // the statement returns rows
	Rows     int64 // returned
	Affected int64 // inserted, updated, deleted or copied
	Failure  Failure

	Doc  []any // the rows that are kept, each a map of its columns
	kept int   // bytes of memory of these rows
}

// mostKept is the maximum memory of the rows of an answer that checks and extractions read, in bytes.
const mostKept = 1 << 20

// valueSize is the approximate memory of a value besides its text, in bytes.
const valueSize = 64

// Keep counts the memory of a row with n bytes of values in some columns, and adds the row. It calls row only if
// there is room: an answer whose rows are read may have at most 1 MiB.
func (r *Result) Keep(n, columns int, row func() any) error {
	if r.kept += n + columns*valueSize; r.kept > mostKept {
		return fmt.Errorf("the answer has more than %d MiB, which is the most that checks and extractions look into",
			mostKept>>20)
	}
	r.Doc = append(r.Doc, row())
	return nil
}

// status returns the status of the answer for an outcome.
func (r *Result) status() int32 {
	switch {
	case r.Failure.Code != "":
		return failed + r.Failure.Number
	case r.Returns && r.Rows == 0:
		return absent
	}
	return 0
}

// answer is the result in the form that checks use.
type answer struct{ *Result }

// JSON implements [targets.Answer]. $ is the list of rows.
func (a answer) JSON(path jp.Expr) []any {
	if a.Doc == nil {
		return check.AtPath([]any{}, path)
	}
	return check.AtPath(a.Doc, path)
}

// Document implements [targets.Answer]. It returns the list of rows.
func (a answer) Document() (doc any, ok bool) { return check.First(a.JSON(jp.R())) }

// Header implements [targets.Answer]. It returns the number of rows returned or affected.
func (a answer) Header(name string) [][]byte {
	n := a.Rows
	if name == affectedRows {
		n = a.Affected
	}
	return [][]byte{appendInt(nil, n)}
}

func (a answer) Body() []byte { return []byte(a.Failure.Text) }
