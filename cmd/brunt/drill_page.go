package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/ci"
	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/drills/play"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// asDeclared precedes the reason of a sweep's failed fault if the scenario declares the faulty service as hard.
const asDeclared = "as declared: "

// finish writes the page and junit.xml, and prints the table. The worst verdict counts.
func (f *allFlags) finish(ctx context.Context, c *cobra.Command, again []string) error {
	p := &f.campaign
	page := html.MatrixPage{}
	var runs []drills.Tried
	var cases []ci.Case
	worst, code := scenarios.Pass, scenarios.ExitPass
	for _, a := range p.Attempts {
		row, one := rowOf(a)
		if a.Result != nil {
			runs = append(runs, drills.Tried{Name: a.Name, Link: row.Link, Result: a.Result})
			page.Name, _, _ = strings.Cut(a.Result.Name, ": "+a.Drill.Name)
		}
		if a.Result != nil && !a.AsDeclared() {
			worst, code = worseOf(worst, code, a.Result.Verdict, a.Result.ExitCode)
		}
		if a.Pair {
			page.Method = drills.PairMethod
		}
		cases = append(cases, one)
		switch {
		case a.Result == nil:
			page.NotTried = append(page.NotTried, row)
		case a.Held():
			page.Drills = append(page.Drills, row)
		default:
			page.Failed = append(page.Failed, row)
		}
	}
	learned := fillMatrix(&page, runs, p.System, again)
	page.Summary = cmp.Or(p.Tally(), page.Coverage)
	if stopped := p.Stopped(); stopped != "" {
		page.Summary = stopped + " " + page.Summary
	}
	code = p.ExitCode(ctx, worst, code)
	err := errors.Join(
		writeWhole(filepath.Join(p.Dir, html.Index), disk.Shared, page.Report),
		writeJSON(filepath.Join(p.Dir, learnedFile), learned),
		writeWhole(filepath.Join(p.Dir, ci.JUnitFile), disk.Shared,
			func(w io.Writer) error { return ci.WriteCases(w, "drills of "+page.Name, cases) }),
	)
	f.print(stdout(c), &page, columns(c))
	if err == nil && code != scenarios.ExitPass {
		return exit(code)
	}
	return weighed(err, code)
}

// print prints the page as text: the drills that were tried, the others with the reasons, and a summary. In a sweep
// it only counts the library's drills that were not tried, because they need roles that a sweep does not.
func (f *allFlags) print(out io.Writer, page *html.MatrixPage, columns int) {
	tried, left, folded := slices.Concat(page.Failed, page.Drills), page.NotTried, 0
	if f.campaign.Sweep {
		left = slices.DeleteFunc(slices.Clone(left),
			func(row html.MatrixDrill) bool { return row.Family != drills.SweepFamily })
		folded = len(page.NotTried) - len(left)
	}
	width := func(rows []html.MatrixDrill) int {
		n := 18
		for _, row := range rows {
			n = max(n, len(row.Name))
		}
		return n
	}
	for _, row := range tried {
		hang(out, fmt.Sprintf("%-*s  %-15s ", width(tried), row.Name, row.Verdict), row.Why, columns)
	}
	if len(page.NotTried) > 0 {
		fmt.Fprintf(out, "\nNot tried\n")
	}
	for _, row := range left {
		hang(out, fmt.Sprintf("%-*s  ", width(left), row.Name), row.Why, columns)
	}
	if folded > 0 {
		hang(out, "", syntax.Amount(folded, "drill")+
			" of the library; the page says what each needs, and so does `brunt drill plan`", columns)
	}
	fmt.Fprintln(out)
	hang(out, "", page.Summary, columns)
	if page.Surprise != "" {
		hang(out, "", page.Surprise, columns)
	}
	printAlerts(out, page)
	for i, next := range page.Next {
		if i == 0 {
			fmt.Fprintln(out, "Worth running next")
		}
		fmt.Fprintf(out, "  %s\n", next.Command)
		hang(out, "    ", next.Why, columns)
	}
	fmt.Fprintf(out, "Page: %s\n", filepath.Join(f.campaign.Dir, html.Index))
}

// rowOf describes the outcome of a drill, for the page and for JUnit.
func rowOf(a *play.Attempt) (row html.MatrixDrill, one ci.Case) {
	row = html.MatrixDrill{Name: a.Name, Family: a.Drill.Family, About: a.Drill.About, Verdict: "not tried", Why: a.Why}
	one = ci.Case{Name: a.Name, Text: a.Why}
	if a.Result == nil {
		return row, one
	}
	row.Verdict, row.Why, row.Link, row.Tone = words.RunVerdict(a.Result), a.Result.Reason, a.Name+"/"+html.File,
		words.Tone(a.Result.Verdict)
	for _, text := range words.Multiplied(a.Result) {
		row.Why += " " + text
	}
	for _, missing := range a.Laid.Missing(a.Result) {
		row.Why += " " + missing[1]
	}
	one.Verdict, one.Seconds = a.Result.Verdict, a.Result.Ended.Sub(a.Result.Started).Seconds()
	if a.AsDeclared() {
		row.Why, row.Tone, one.Verdict = asDeclared+a.Result.Reason, words.Tone(scenarios.None), scenarios.Pass
	}
	one.Text = row.Why
	return row, one
}
