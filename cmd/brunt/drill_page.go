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
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// asDeclared says of a failed fault of a sweep that the scenario declares what was hit hard.
const asDeclared = "as declared: "

// finish writes the page and junit.xml, and prints the table. The worst verdict counts.
func (f *allFlags) finish(ctx context.Context, c *cobra.Command, tries []attempt, system *drills.System, again []string,
	declared map[string]string,
) error {
	page := html.MatrixPage{}
	var runs []drills.Tried
	var cases []ci.Case
	var n tally
	worst, code := scenarios.Pass, scenarios.ExitPass
	slices.SortStableFunc(tries, func(a, b attempt) int { return a.rank(declared) - b.rank(declared) })
	for i := range tries {
		a := &tries[i]
		row, one, planned := a.row(declared)
		n.add(a, planned)
		if a.res != nil {
			runs = append(runs, drills.Tried{Name: a.name, Link: row.Link, Result: a.res})
			page.Name, _, _ = strings.Cut(a.res.Name, ": "+a.drill.Name)
		}
		if a.res != nil && !planned {
			worst, code = worseOf(worst, code, a.res)
		}
		cases = append(cases, one)
		switch rank := a.rank(declared); {
		case rank >= notTried:
			page.NotTried = append(page.NotTried, row)
		case rank >= held:
			page.Drills = append(page.Drills, row)
		default:
			page.Failed = append(page.Failed, row)
		}
	}
	if slices.ContainsFunc(tries, func(a attempt) bool { return a.pair }) {
		page.Method = drills.PairMethod
	}
	fillMatrix(&page, runs, system, again)
	page.Summary = f.steady.summary() + cmp.Or(n.String(), page.Coverage)
	code = f.ended(ctx, worst, code)
	err := errors.Join(
		writeWhole(filepath.Join(f.dir, html.Index), disk.Shared, page.Report),
		writeWhole(filepath.Join(f.dir, ci.JUnitFile), disk.Shared,
			func(w io.Writer) error { return ci.WriteCases(w, "drills of "+page.Name, cases) }),
	)
	f.print(stdout(c), &page, columns(c))
	if err == nil && code != scenarios.ExitPass {
		return exit(code)
	}
	return err
}

// print prints the page as text: what was tried, what was not and why, and the sum of it. Beside a sweep the drills of
// the library that were not tried are a number, as they need roles that a sweep does not.
func (f *allFlags) print(out io.Writer, page *html.MatrixPage, columns int) {
	tried, left, folded := slices.Concat(page.Failed, page.Drills), page.NotTried, 0
	if f.sweep {
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
		hang(out, fmt.Sprintf("%-*s  %-12s ", width(tried), row.Name, row.Verdict), row.Why, columns)
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
	for i, next := range page.Next {
		if i == 0 {
			fmt.Fprintln(out, "Worth running next")
		}
		fmt.Fprintf(out, "  %s\n", next.Command)
		hang(out, "    ", next.Why, columns)
	}
	fmt.Fprintf(out, "Page: %s\n", filepath.Join(f.dir, html.Index))
}

// row is what became of a drill, for the page and for JUnit. Planned says that it failed as the scenario declares.
func (a *attempt) row(declared map[string]string) (row html.MatrixDrill, one ci.Case, planned bool) {
	row = html.MatrixDrill{Name: a.name, Family: a.drill.Family, About: a.drill.About, Verdict: "not tried", Why: a.why}
	one = ci.Case{Name: a.name, Text: a.why}
	if a.res == nil {
		return row, one, false
	}
	planned = a.planned(declared)
	row.Verdict, row.Why, row.Link, row.Tone = string(a.res.Verdict), a.res.Reason, a.name+"/"+html.File,
		words.Tone(a.res.Verdict)
	for _, missing := range a.laid.Missing(a.res) {
		row.Why += " " + missing[1]
	}
	one.Verdict, one.Seconds = a.res.Verdict, a.res.Ended.Sub(a.res.Started).Seconds()
	if planned {
		row.Why, row.Tone, one.Verdict = asDeclared+a.res.Reason, words.Tone(scenarios.None), scenarios.Pass
	}
	one.Text = row.Why
	return row, one, planned
}
