package html

import (
	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// tracesView shows the self times of the services.
type tracesView struct {
	Summary  string
	Findings []string
	Phases   []string
	Rows     []traceRowView
}

type traceRowView struct {
	Service string
	Cells   []traceCell
}

type traceCell struct {
	Text string
	Grew bool
}

// traces returns the self times; nil if no spans were received.
func traces(t *result.Traces) *tracesView {
	if t == nil {
		return nil
	}
	v := &tracesView{Summary: words.TraceSummary(t), Findings: words.TraceFindings(t)}
	var rows []words.TraceRow
	v.Phases, rows = words.TraceRows(t)
	if len(v.Phases) == 0 {
		return v
	}
	for _, row := range rows {
		of := traceRowView{Service: row.Service}
		for i, text := range row.Cells {
			of.Cells = append(of.Cells, traceCell{text, row.Grew[i]})
		}
		v.Rows = append(v.Rows, of)
	}
	return v
}
