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
	Rows     []words.TraceRow
}

// traces returns the self times; nil if no spans were received.
func traces(t *result.Traces) *tracesView {
	if t == nil {
		return nil
	}
	v := &tracesView{Summary: words.TraceSummary(t), Findings: words.TraceFindings(t)}
	phases, rows := words.TraceRows(t)
	v.Phases, v.Rows = words.PhaseNames(phases), rows
	return v
}
