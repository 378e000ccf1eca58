package reporters

import (
	"fmt"
	"io"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// GitHub writes the summary of a step of GitHub Actions, in Markdown: verdict, objectives,
// faults, response times and errors. What an author or a target named is escaped, so that
// it is text and nothing else.
//
// A step's summary holds 1 MiB in all; this one takes a quarter of that at most, so that
// several runs fit.
type GitHub struct{}

var _ Reporter = GitHub{}

const (
	mostSummary     = 256 << 10
	mostSummaryRows = 100 // of each table
	longestCell     = 300 // characters
)

// Report implements [Reporter].
func (GitHub) Report(w io.Writer, r *result.Result) error {
	s := &summary{}
	s.line("## %s %s: %s", badge(r.Verdict), markdown(upper(word(r.Verdict))), markdown(r.Name))
	s.line("")
	s.line("%s", markdown(r.Reason))
	s.line("")
	if r.Control {
		s.line("This is the control run: no fault was injected.")
		s.line("")
	}
	s.objectives(r.Objectives)
	s.faults(r.Faults)
	s.phases(r)
	s.errors(r)
	s.line("<sub>run %s · seed %d · %s of load · exit code %d: %s · brunt %s. The whole report is report.html in the run's folder; upload it as an artifact.</sub>",
		markdown(r.Run), r.Seed, seconds(r.Duration), r.ExitCode, meaning(r.Verdict), markdown(r.Environment.Brunt))
	s.line("")
	_, err := io.WriteString(w, s.String())
	return err
}

// summary is the text under construction.
type summary struct{ strings.Builder }

func (s *summary) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// table writes rows that are escaped already, as many as there is room for. What is left
// out is told.
func (s *summary) table(title, head, rule string, n int, row func(i int) []string) {
	if n == 0 {
		return
	}
	s.line("### %s\n", title)
	s.line("%s\n%s", head, rule)
	for i := range n {
		line := "| " + strings.Join(row(i), " | ") + " |"
		if i == mostSummaryRows || s.Len()+len(line) > mostSummary*3/4 {
			s.line("\nand %d more, which the report has", n-i)
			break
		}
		s.line("%s", line)
	}
	s.line("")
}

func (s *summary) objectives(list []result.ObjectiveResult) {
	if len(list) == 0 {
		s.line("No objective was set, so nothing could fail.\n")
	}
	s.table("Objectives", "| | Objective | Measured | 95 % interval | |", "|---|---|---:|---:|---|", len(list), func(i int) []string {
		o := &list[i]
		value := markdown(measured(o))
		if p := phaseBeside(o); p != "" {
			value += ", in " + markdown(p)
		}
		return []string{badge(o.Verdict) + " " + markdown(word(o.Verdict)), markdown(title(o)), value, markdown(interval(o)), markdown(remark(o))}
	})
}

func (s *summary) faults(list []result.FaultRecord) {
	s.table("Faults", "| Fault | What | From | To | Recovered after | Effect |", "|---|---|---:|---:|---:|---|", len(list), func(i int) []string {
		f := &list[i]
		return []string{markdown(f.Name), markdown(hit(f)), offset(f.Injected), offset(f.Cleared), seconds(f.Recover), markdown(effect(f))}
	})
}

func (s *summary) phases(r *result.Result) {
	list := totals(r)
	s.table("Response times", "| Phase | Requests | Rate | Errors | p50 | p95 | p99 |", "|---|---:|---:|---:|---:|---:|---:|", len(list), func(i int) []string {
		row := &list[i]
		c, t := &row.all, &row.all.Response
		return []string{
			markdown(c.Phase), count(c.Count), rate(c.Rate), share(row.bad, c.Count),
			response(t.P50, row.population()), response(t.P95, row.population()), response(t.P99, row.population()),
		}
	})
}

func (s *summary) errors(r *result.Result) {
	s.table("Errors", "| Kind | Step | Count | Such as | Trace |", "|---|---|---:|---|---|", len(r.Errors), func(i int) []string {
		e := &r.Errors[i]
		trace := ""
		if e.Sample != nil {
			if v := traceOf(r.TraceLink, e.Sample.Trace); v != nil {
				if trace = v.ID; v.Link != "" {
					trace = "[" + v.ID[:8] + "](<" + v.Link + ">)"
				}
			}
		}
		return []string{markdown(e.Kind), markdown(e.Step), count(e.Count), markdown(sampleText(e.Sample)), trace}
	})
}

// badge is the sign of a verdict in colour.
func badge(v scenarios.Verdict) string {
	return map[string]string{"✓": "✅", "✗": "❌", "?": "❔"}[mark(v)]
}

// markdown makes text fit for a cell of a table, or a line.
func markdown(text string) string { return scenarios.Markdown(clip(clean(text), longestCell)) }
