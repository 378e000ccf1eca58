package ci

import (
	"fmt"
	"io"
	"strings"
	"time"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// DecisionFile is the JUnit file of a gate or a comparison in its folder.
const DecisionFile = JUnitFile

// DecisionSummary writes the outcome of a gate or a comparison as Markdown, for the summary of a step of GitHub
// Actions.
func DecisionSummary(w io.Writer, d *result.Decision) error {
	s := &stepSummary{}
	s.line("### %s %s\n", badge(d.Verdict), markdown(strings.TrimSpace(d.Word+" "+d.Name)))
	s.line("%s\n", markdown(words.DecisionSentence(d, d.Reason)))
	if len(d.Metrics) > 0 {
		s.line("| | Metric | Before | Now | Change | At best | At worst | Margin | Sees from " +
			"|\n|---|---|---:|---:|---:|---:|---:|---:|---:|")
	}
	for i := range d.Metrics {
		m := &d.Metrics[i]
		if i == mostSummaryRows {
			s.line("\nand %d more\n", len(d.Metrics)-i)
			break
		}
		mark := badge(m.Verdict)
		if m.Verdict == scenarios.None {
			mark = "left out"
		}
		cells := []string{mark, markdown(m.Name), m.Base, m.Now, m.Change, m.Low, m.High, m.Margin, m.Sees}
		s.line("| %s |", strings.Join(cells, " | "))
	}
	s.line("")
	for _, says := range d.Says {
		s.line("- %s", markdown(words.DecisionSentence(d, says)))
	}
	if len(d.Metrics) == 0 { // while it learns, or if it ended before a comparison, it has only the figures of its runs
		s.runs(d.Runs)
	}
	if d.Basis != "" {
		s.line("\n<sub>%s</sub>\n", markdown(syntax.Sentence(d.Basis)))
	}
	_, err := io.WriteString(w, s.String())
	return err
}

// runs lists runs with their figures.
func (s *stepSummary) runs(runs []result.JudgedRun) {
	if len(runs) > 0 {
		s.line("\n| Run | Figures | Counts |\n|---|---|---|")
	}
	for i := range runs[:min(len(runs), mostSummaryRows)] {
		r := &runs[i]
		s.line("| %s | %s | %s |", markdown(r.Name), markdown(r.Figures), markdown(r.State))
	}
}

// DecisionJUnit writes the outcome of a gate or a comparison as JUnit XML: a case for each metric and a case for the
// verdict. An undecided metric is skipped. The case of the verdict fails if and only if the exit code is not 0.
func DecisionJUnit(w io.Writer, d *result.Decision) error {
	s := junitSuite{Name: words.Clean(d.Name), Time: decimal(d.Took), Timestamp: d.Started.UTC().Format(time.RFC3339)}
	s.Properties = []junitProperty{{"verdict", words.Clean(string(d.Verdict))}, {"exit_code", fmt.Sprint(d.ExitCode)}}
	class := "brunt." + d.Kind + "." + strings.ReplaceAll(s.Name, ".", "_")
	names := map[string]int{}
	add := func(name string, v scenarios.Verdict, message, body string) {
		c := junitCase{Class: class, Name: words.Clean(name), Time: "0"}
		if names[name]++; names[name] > 1 {
			c.Name = fmt.Sprintf("%s (%d)", c.Name, names[name])
		}
		p := &junitProblem{Message: words.Clean(message), Type: words.Clean(string(v)), Body: words.Clean(body)}
		switch v {
		case scenarios.Pass:
			c.Out = p.Body
		case scenarios.Inconclusive, scenarios.None:
			c.Skipped = p
		default:
			c.Failure = p
		}
		s.Cases = append(s.Cases, c)
	}
	verdict := d.Verdict
	switch {
	case d.ExitCode == scenarios.ExitPass && verdict != scenarios.Pass:
		verdict = scenarios.Inconclusive
	case d.ExitCode != scenarios.ExitPass && verdict == scenarios.Pass,
		d.ExitCode != scenarios.ExitPass && verdict == scenarios.Inconclusive:
		verdict = scenarios.Fail
	}
	message := d.Word + ": " + d.Reason
	add("verdict", verdict, message, strings.Join(append([]string{message, d.Basis}, d.Says...), "; "))
	for i := range d.Metrics {
		m := &d.Metrics[i]
		add(m.Name, m.Verdict, m.Sentence, fmt.Sprintf("%s; before %s, now %s, %s (at best %s, at worst %s), margin %s",
			m.Sentence, m.Base, m.Now, m.Change,
			m.Low, m.High, m.Margin))
	}
	for _, r := range d.Runs {
		s.Out += words.Clean(strings.Join([]string{r.Name, r.Figures, r.State, r.Folder}, "  ")) + "\n"
	}
	return s.write(w)
}
