package ci

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"brunt/reporters"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// GitHub writes the summary of a step of GitHub Actions in Markdown: verdict, objectives, faults, response times and
// errors. It escapes names from a scenario or a target, so that they are text and not markup.
//
// GitHub allows 1 MiB of summary for each step. This summary is at most a quarter of that, so that several runs fit.
type GitHub struct{}

var _ reporters.Reporter = GitHub{}

const (
	mostSummary     = 256 << 10
	mostSummaryRows = 100 // per table
	longestCell     = 300 // characters
)

func (GitHub) Format() reporters.Format {
	return reporters.Format{
		Name:  "github",
		About: "Markdown for the summary of a step of GitHub Actions.",
	}
}

func (GitHub) Report(w io.Writer, r *result.Result) error {
	s := &stepSummary{}
	s.verdict(r)
	s.objectives("Objectives", r.Objectives)
	s.faults(r.Faults)
	s.incidents(r)
	s.phases(r)
	s.generator(r)
	s.errors(r)
	s.foot(r, " The whole report is report.html in the run's folder; upload it as an artifact.")
	_, err := io.WriteString(w, s.String())
	return err
}

// stepSummary is the text under construction.
type stepSummary struct{ strings.Builder }

func (s *stepSummary) line(format string, args ...any) { fmt.Fprintf(s, format+"\n", args...) }

// verdict writes the verdict with its reason.
func (s *stepSummary) verdict(r *result.Result) {
	s.line("## %s %s: %s\n", badge(r.Verdict), markdown(words.Capitalize(words.RunVerdict(r))), markdown(r.Name))
	a := words.AnswerOf(r)
	s.line("%s\n", styled(append(words.Text{{Text: a.Head + ". "}}, a.Sentence...)))
	s.reasons(a)
	if h := words.Hypothesis(r); h != "" {
		s.line("%s\n", markdown(h))
	}
	if r.Control {
		s.line("This is the control run: no fault was injected.\n")
	}
}

// reasons writes why the run has its verdict, what to change, and how far to trust it.
func (s *stepSummary) reasons(a *words.Answer) {
	if a.Trust != nil {
		s.line("%s %s\n", markdown(a.Trust.Mark+" "+a.Trust.Title+":"), markdown(a.Trust.Text))
	}
	if a.Past != nil {
		s.line("%s\n", markdown(a.Past.Line()))
	}
	if a.WhyTitle != "" {
		s.line("### %s\n", a.WhyTitle)
		for _, p := range a.Why {
			s.line("- %s", styled(p))
		}
		s.line("")
	}
	if a.ChangeTitle == "" {
		return
	}
	s.line("### %s\n", a.ChangeTitle)
	for i := range a.Change {
		c := &a.Change[i]
		text := styled(c.Text)
		if c.Command != "" {
			text += " Try: " + styled(words.Text{{Text: c.Command, Style: words.Code}})
		}
		s.line("%d. %s", i+1, text)
	}
	if len(a.Keep) > 0 {
		s.line("- %s", styled(a.Keep))
	}
	s.line("")
}

// styled returns a text in Markdown. A backquote in code can't be escaped, so that such code stays plain.
func styled(t words.Text) string {
	var b strings.Builder
	for _, span := range t {
		text := markdown(span.Text)
		switch {
		case strings.TrimSpace(span.Text) != span.Text || span.Text == "":
		case span.Style == words.Strong:
			text = "**" + text + "**"
		case span.Style == words.Code && !strings.Contains(span.Text, "`"):
			text = "`" + words.Clean(span.Text) + "`"
		}
		if lead := len(span.Text) - len(strings.TrimLeft(span.Text, " ")); lead > 0 && !strings.HasPrefix(text, " ") {
			text = " " + text
		}
		b.WriteString(text)
	}
	return b.String()
}

// foot identifies the run.
func (s *stepSummary) foot(r *result.Result, more string) {
	s.line("<sub>run %s · seed %d · %s of load · exit code %d: %s · brunt %s.%s</sub>\n",
		markdown(r.Run), r.Seed, words.Seconds(r.Duration), r.ExitCode, words.Meaning(r),
		markdown(r.Environment.Brunt), more)
}

// table writes as many escaped rows as there is room for, and the number of omitted rows.
func (s *stepSummary) table(title, head, rule string, n int, row func(i int) []string) {
	if n == 0 {
		return
	}
	if title != "" {
		s.line("### %s\n", title)
	}
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

func (s *stepSummary) objectives(title string, list []result.ObjectiveResult) {
	s.table(title, "| | Objective | Measured | Margin | How sure | |", "|---|---|---:|---|---|---|", len(list), func(i int) []string {
		o := &list[i]
		value := markdown(words.ObjectiveMeasured(o))
		if p := words.ObjectivePhase(o); p != "" {
			value += ", in " + markdown(p)
		}
		return []string{
			badge(o.Verdict) + " " + markdown(words.Verdict(o.Verdict)), markdown(words.ObjectiveTitle(o)), value,
			markdown(words.MarginOf(o).Text), markdown(words.ObjectiveBounds(o)), markdown(words.ObjectiveNote(o)),
		}
	})
}

func (s *stepSummary) faults(list []result.FaultRecord) {
	s.table("Faults", "| Fault | What | From | To | Recovered after | Effect |", "|---|---|---:|---:|---:|---|", len(list),
		func(i int) []string {
			f := &list[i]
			mark, _ := words.FaultMark(f)
			var effect strings.Builder
			effect.WriteString(markdown(words.FaultEffect(f)) + " " + markdown(syntax.Sentence(words.FaultRevert(f))))
			for _, said := range []string{
				words.FaultExpected(f), words.FaultWait(f), words.FaultSplit(f), tookEffect(f),
			} {
				if said != "" {
					effect.WriteString("<br>" + markdown(said))
				}
			}
			for _, step := range words.FaultSteps(f) {
				effect.WriteString("<br>" + markdown("step "+step.Name+": "+step.Value))
			}
			return []string{
				markdown(mark + " " + f.Name), markdown(words.FaultTarget(f)), words.Offset(f.Injected),
				words.Offset(f.Cleared), words.Recover(f), effect.String(),
			}
		})
}

// tookEffect says what was seen of a fault in its unit, and what was not shown. Each step of a group says it itself.
func tookEffect(f *result.FaultRecord) string {
	seen := words.FaultEvidence(f)
	if seen == "" || len(f.Steps) > 0 {
		return ""
	}
	return "took effect: " + seen
}

func (s *stepSummary) incidents(r *result.Result) {
	s.table("Incidents", "| Incident | From | To | Lasted | Bad | Of | What failed |",
		"|---|---:|---:|---:|---:|---:|---|", len(r.Incidents), func(i int) []string {
			row := words.IncidentRow(r, i+1, &r.Incidents[i])
			for j := range row {
				row[j] = markdown(row[j])
			}
			return row
		})
}

func (s *stepSummary) phases(r *result.Result) {
	list := words.PhaseTotals(r)
	const head = "| Phase | Requests | Rate | Errors | p50 | p95 | p99 |"
	var table [][]string
	for i := range list {
		row := &list[i]
		c := &row.All
		cells := []string{
			markdown(c.Phase.String()), words.Count(c.Count), words.Rate(c.Rate), words.Share(row.Bad, c.Count),
		}
		for _, col := range words.TimeColumns[:3] {
			cells = append(cells, row.Good(col.Of)+row.LagMark(col.Name))
		}
		table = append(table, cells)
	}
	s.table("Response times of good answers", head, "|---|---:|---:|---:|---:|---:|---:|", len(table),
		func(i int) []string { return table[i] })
	if foot := words.LagFoot(table); foot != "" {
		s.line("%s\n", foot)
	}
}

// generator says whether brunt kept up, and what limited it.
func (s *stepSummary) generator(r *result.Result) {
	text := words.Generator(r)
	if text == "" {
		return
	}
	s.line("Generator: %s\n", markdown(text))
	for _, l := range words.GeneratorLimits(r) {
		s.line("- %s", markdown(l))
	}
	if len(words.GeneratorLimits(r)) > 0 {
		s.line("")
	}
}

func (s *stepSummary) errors(r *result.Result) {
	list := slices.Concat(r.Errors, words.Skipped(r))
	s.table("Errors", "| Kind | Step | Count | Such as | Trace |", "|---|---|---:|---|---|", len(list),
		func(i int) []string {
			e := &list[i]
			trace := ""
			if e.Sample != nil {
				if v := words.TraceOf(r.TraceLink, e.Sample.Trace); v != nil {
					if trace = v.ID; v.Link != "" {
						trace = "[" + v.ID[:8] + "](<" + v.Link + ">)"
					}
				}
			}
			return []string{
				markdown(e.Kind), markdown(e.Step), words.Count(e.Count), markdown(words.SampleText(e.Sample)), trace,
			}
		})
}

// badge returns the coloured sign of a verdict.
func badge(v scenarios.Verdict) string {
	return map[string]string{"✓": "✅", "✗": "❌", "?": "❔"}[words.Mark(v)]
}

// markdown escapes text for a table cell or a line.
func markdown(text string) string {
	return syntax.Markdown(words.Clip(words.Clean(text), longestCell))
}
