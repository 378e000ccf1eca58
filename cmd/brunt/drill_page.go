package main

import (
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

	"github.com/spf13/cobra"
)

// asDeclared says of a failed fault of a sweep that the scenario declares what was hit hard.
const asDeclared = "as declared: "

// count is what became of the drills that fit a system.
type count struct{ passed, failed, fit int }

// add counts a drill of the library.
func (n *count) add(a *attempt) {
	if a.swept != nil || a.pair {
		return
	}
	if a.fits {
		n.fit++
	}
	if a.res != nil && a.res.Verdict == scenarios.Pass {
		n.passed++
	}
	if a.res != nil && a.res.Verdict == scenarios.Fail {
		n.failed++
	}
}

// finish writes the page and junit.xml, and prints the table. The worst verdict counts.
func (f *allFlags) finish(c *cobra.Command, tries []attempt, system *drills.System, again []string, declared map[string]string) error {
	page := html.MatrixPage{}
	var runs []drills.Tried
	var cases []ci.Case
	var n count
	worst, code := scenarios.Pass, scenarios.ExitPass
	out := stdout(c)
	for i := range tries {
		a := &tries[i]
		n.add(a)
		row, one, planned := a.row(declared)
		if a.res != nil {
			runs = append(runs, drills.Tried{Name: a.name, Link: row.Link, Result: a.res})
			page.Name, _, _ = strings.Cut(a.res.Name, ": "+a.drill.Name)
		}
		if a.res != nil && !planned {
			worst, code = worseOf(worst, code, a.res)
		}
		fmt.Fprintf(out, "%-18s %-12s %s\n", row.Name, row.Verdict, row.Why)
		cases = append(cases, one)
		page.Drills = append(page.Drills, row)
	}
	if slices.ContainsFunc(tries, func(a attempt) bool { return a.pair }) {
		page.Method = drills.PairMethod
	}
	fillMatrix(&page, runs, system, again)
	page.Summary = page.Coverage
	if n.fit > 0 {
		page.Summary = drills.Share(n.passed, n.failed, n.fit)
	}
	err := errors.Join(
		writeWhole(filepath.Join(f.dir, html.Index), disk.Shared, page.Report),
		writeWhole(filepath.Join(f.dir, ci.JUnitFile), disk.Shared, func(w io.Writer) error { return ci.WriteCases(w, "drills of "+page.Name, cases) }),
	)
	fmt.Fprintf(out, "\n%s\n", page.Summary)
	if page.Surprise != "" {
		fmt.Fprintln(out, page.Surprise)
	}
	for i, next := range page.Next {
		if i == 0 {
			fmt.Fprintln(out, "Worth running next")
		}
		fmt.Fprintf(out, "  %s\n    %s\n", next.Command, next.Why)
	}
	fmt.Fprintf(out, "Page: %s\n", filepath.Join(f.dir, html.Index))
	if err == nil && code != scenarios.ExitPass {
		return exit(code)
	}
	return err
}

// row is what became of a drill, for the page and for JUnit. Planned says that it failed as the scenario declares.
func (a *attempt) row(declared map[string]string) (row html.MatrixDrill, one ci.Case, planned bool) {
	row = html.MatrixDrill{Name: a.name, Family: a.drill.Family, About: a.drill.About, Verdict: "not tried", Why: a.why}
	one = ci.Case{Name: a.name, Text: a.why}
	if a.res == nil {
		return row, one, false
	}
	planned = a.swept != nil && a.swept.AsDeclared(declared) && a.res.Verdict == scenarios.Fail
	row.Verdict, row.Why, row.Link, row.Tone = string(a.res.Verdict), a.res.Reason, a.name+"/"+html.File, words.Tone(a.res.Verdict)
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
