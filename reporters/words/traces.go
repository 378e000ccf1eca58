package words

import (
	"fmt"
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TraceSummary says how many traces there are, and how many are whole.
func TraceSummary(t *result.Traces) string {
	if t.Spans == 0 {
		return "No span of the load's requests came to " + Clean(t.Listen) + traceOthers(t) + "."
	}
	kept := Plural(t.Requests, "request", "requests")
	if t.Share < 1 {
		kept += ", a random " + Percent(float64(t.Share)) + " of all,"
	}
	parts := []string{fmt.Sprintf("%s with %s of %s. Of %s %s a whole trace",
		kept, Plural(t.Spans, "span", "spans"), Join(clean(t.Services)),
		Plural(t.Answered, "answered request", "answered requests"), Plural(t.Whole, "has", "have"))}
	if t.Orphaned > 0 {
		parts = append(parts, Plural(t.Orphaned, "has", "have")+" a span whose parent did not come")
	}
	for _, m := range t.Missing {
		parts = append(parts, Plural(m.Count, "has", "have")+" no span of "+Clean(m.Service))
	}
	if t.Silent > 0 {
		parts = append(parts, "of "+Count(t.Silent)+" no span came")
	}
	return strings.Join(parts, "; ") + traceOthers(t) + "."
}

// traceOthers names what was received and does not count.
func traceOthers(t *result.Traces) (text string) {
	if t.Foreign > 0 {
		text += "; " + Plural(t.Foreign, "span is", "spans are") + " of traces that no request began"
	}
	if t.LeftOut > 0 {
		text += "; " + Plural(t.LeftOut, "span is", "spans are") + " beyond the number that is kept of a trace"
	}
	if t.Refused > 0 {
		text += "; " + Plural(t.Refused, "message was", "messages were") + " refused: " + Clean(t.RefusedWhy)
	}
	if f := t.Forwarded; f != nil {
		text += "; " + Plural(f.Spans, "span was", "spans were") + " forwarded to " + Clean(f.To)
		if f.Lost > 0 || f.LostSpans > 0 {
			text += ", and " + Count(f.LostSpans) + " did not get there: " + Clean(f.Why)
		}
	}
	return text
}

// A growth of a self time below these bounds is not worth a sentence, even if it is beyond chance.
const (
	leastGrowth      = 1e-3 // seconds
	leastGrowthShare = .25  // of the time before
)

// mostlySlowest is the share of the slowest requests that a sentence about them needs.
const mostlySlowest = .7

// traceFinding says whose self time grew in a fault, and where its slowest requests waited. It is empty without
// evidence for a growth.
func traceFinding(t *result.Traces, p *result.TracePhase) string {
	before := traceBaseline(t)
	if before == nil || p == before {
		return ""
	}
	var grown, was result.ServiceTime // in the fault, and before it
	for _, v := range p.Services {
		b := serviceIn(before, v.Service)
		if v.Grew() && v.GrowthLow >= leastGrowth && v.GrowthLow >= leastGrowthShare*b.Self &&
			(!grown.Grew() || v.Self-b.Self > grown.Self-was.Self) {
			grown, was = v, b
		}
	}
	if !grown.Grew() {
		return ""
	}
	text := fmt.Sprintf("In %s the self time of %s grew most: %s → %s a request", Clean(p.Phase.String()),
		Clean(grown.Service), Seconds(was.Self), Seconds(grown.Self))
	if grown.Waiting-was.Waiting > grown.GrowthLow/2 {
		text += ", most of it in calls that waited for the network, or for something without spans"
	}
	if len(p.Slowest) > 0 {
		if s := &p.Slowest[0]; s.Service == grown.Service && float64(s.Count) >= mostlySlowest*float64(p.OfSlowest) {
			text += fmt.Sprintf(". %d of the %d slowest requests spent most of their time in its span “%s”", s.Count,
				p.OfSlowest, Clean(s.Span))
		}
	}
	return text + "."
}

// TraceFindings lists the findings of all faults.
func TraceFindings(t *result.Traces) (out []string) {
	for i := range t.Phases {
		if text := traceFinding(t, &t.Phases[i]); text != "" {
			out = append(out, text)
		}
	}
	return out
}

// traceBaseline returns the baseline of the self times; nil if there is none.
func traceBaseline(t *result.Traces) *result.TracePhase {
	if len(t.Phases) > 0 && t.Phases[0].Phase.Kind == slo.BaselinePhase {
		return &t.Phases[0]
	}
	return nil
}

// serviceIn returns the times of a service in a phase; zero if it has no span there.
func serviceIn(p *result.TracePhase, service string) result.ServiceTime {
	for _, v := range p.Services {
		if v.Service == service {
			return v
		}
	}
	return result.ServiceTime{}
}

// A TraceRow is a service in the table of self times, with a cell for each phase.
type TraceRow struct {
	Service string
	Cells   []PhaseCell
}

// TraceRows returns the self times by service. The first row counts the requests, the last is the time in no span.
func TraceRows(t *result.Traces) (phases []slo.Phase, rows []TraceRow) {
	requests, outside := TraceRow{Service: "requests"}, TraceRow{Service: "in no span"}
	for i := range t.Phases {
		p := &t.Phases[i]
		phases = append(phases, p.Phase)
		requests.Cells = append(requests.Cells, PhaseCell{Text: Count(p.Requests)})
		outside.Cells = append(outside.Cells, PhaseCell{Text: Seconds(p.Outside)})
	}
	rows = append(rows, requests)
	for _, service := range t.Services {
		row := TraceRow{Service: Clean(service)}
		for i := range t.Phases {
			v := serviceIn(&t.Phases[i], service)
			row.Cells = append(row.Cells, PhaseCell{Seconds(v.Self), v.Grew()})
		}
		rows = append(rows, row)
	}
	return phases, append(rows, outside)
}
