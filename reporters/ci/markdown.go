package ci

import (
	"cmp"
	"io"
	"slices"
	"strings"

	"brunt/reporters"
	"brunt/reporters/chart"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// Markdown writes a run for a ticket or a pull request: the verdict, the failed objectives, the effects of the
// faults, the run over time in a few lines, and the command that repeats it. The objectives that held are folded, in
// the syntax that GitHub and GitLab support.
type Markdown struct{}

var _ reporters.Reporter = Markdown{}

func (Markdown) Format() reporters.Format {
	return reporters.Format{
		Name:  "markdown",
		About: "Markdown for a ticket or a pull request: verdict, what failed, faults, and how to run it again.",
	}
}

// drawnColumns is the number of columns of the run over time.
const drawnColumns = 60

func (Markdown) Report(w io.Writer, r *result.Result) error {
	s := &stepSummary{}
	s.verdict(r)
	failed, held := partObjectives(r.Objectives)
	s.objectives("Objectives", failed)
	if len(held) > 0 {
		s.line("<details><summary>%s held</summary>\n", words.Plural(int64(len(held)), "objective", "objectives"))
		s.objectives("", held)
		s.line("</details>\n")
	}
	s.faults(r.Faults)
	for _, d := range r.Deliveries {
		s.line("%s\n", markdown(words.DeliverySentence(d)))
	}
	for i := range r.Pools {
		s.line("%s\n", markdown(words.PoolSentence(&r.Pools[i])))
	}
	s.incidents(r)
	if rows, each := chart.SparkRows(r, drawnColumns); len(rows) > 0 {
		s.line("### Over time, %s a column\n\n```", each)
		for _, row := range rows {
			s.line("%s", strings.TrimRight(words.Pad(row.Name, 8, false)+row.Bars+"  "+row.Note, " "))
		}
		s.line("```\n")
	}
	s.people(r)
	s.phases(r)
	s.generator(r)
	if c := words.Command(r.Environment.Command); c != "" && !strings.Contains(c, "```") {
		s.line("To run it again:\n\n```sh\n%s\n```\n", c)
	}
	s.foot(r, "")
	_, err := io.WriteString(w, s.String())
	return err
}

// people writes how the time of each fault divides among people and the machine, and the run minute by minute.
func (s *stepSummary) people(r *result.Result) {
	var bars []string
	for i := range r.Faults {
		if bar := words.SplitBar(&r.Faults[i], drawnColumns); bar != "" {
			bars = append(bars, words.Clean(r.Faults[i].Name)+"\n"+bar)
		}
	}
	if len(bars) > 0 {
		s.line("### Who took the time\n\n```\n%s\n```\n", strings.Join(bars, "\n"))
	}
	minutes := r.Minutes()
	if len(minutes) == 0 {
		return
	}
	s.line("<details><summary>Minute by minute</summary>\n")
	for i := range minutes {
		m := &minutes[i]
		s.line("- %s: %s", markdown(words.MinuteSpan(m)), markdown(words.MinuteLoad(m)))
		for _, what := range words.Happenings(m) {
			s.line("  - %s", markdown(what))
		}
	}
	s.line("\n</details>\n")
}

// partObjectives splits objectives into those that did not hold (failed ones first) and those that held.
func partObjectives(list []result.ObjectiveResult) (failed, held []result.ObjectiveResult) {
	for i := range list {
		if list[i].Verdict == scenarios.Pass {
			held = append(held, list[i])
		} else {
			failed = append(failed, list[i])
		}
	}
	first := func(o result.ObjectiveResult) int {
		if o.Verdict == scenarios.Fail {
			return 0
		}
		return 1
	}
	slices.SortStableFunc(failed, func(a, b result.ObjectiveResult) int { return cmp.Compare(first(a), first(b)) })
	return failed, held
}
