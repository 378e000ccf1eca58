package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/ci"
	"brunt/reporters/evidence"
	"brunt/reporters/html"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/disk"
	"brunt/scenarios/drills"
	"brunt/scenarios/result"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

// allFlags are the settings of `brunt drill all`.
type allFlags struct {
	drillFlags
	only []string
	dir  string // of -o
}

func drillAllCommand() *cobra.Command {
	var f allFlags
	c := &cobra.Command{
		Use:   "all [SCENARIO]",
		Short: "Run every drill that fits a system, and write a page of what was tried",
		Long: `Run every drill that fits a scenario and whose roles are bound, by --role or by the roles of the
scenario, from the harmless to the harmful. Without a scenario they run on the built-in
system. The page shows what was tried on which part, what was never tried, and the verdict
of each drill. A run that shows nothing, because the machine was too busy, is repeated, at
most twice. Where the folder of -o has runs of the same drills, brunt goes on after them. The
worst verdict counts; brunt ends at a fault that could not be taken back.`,
		Example: `  brunt drill all -o drills
  brunt drill all checkout.yaml --role replica=posts --role dependency="gateway->users"`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error { return f.all(c, args) },
	}
	f.registerBase(c)
	f.registerRoles(c)
	c.ValidArgsFunction = completeScenario
	c.Flags().StringSliceVar(&f.only, "only", nil, "families of drills to run, such as redundancy,dependency")
	c.Flags().StringVarP(&f.dir, "output", "o", "", "folder for the page and the reports (default brunt-results/drills-TIME)")
	f.log, f.repeat, f.table.brief = logFlags{"text", "error"}, 1, true
	return c
}

// An attempt is one drill of all, with what became of it.
type attempt struct {
	drill  *drills.Drill
	fits   bool         // the system has what it needs
	laid   *drills.Laid // nil: it can't run
	path   string
	source sourceFlags    // with the params that the drill leaves to the scenario
	res    *result.Result // nil: it was not run
	why    string         // it was not run
}

func (f *allFlags) all(c *cobra.Command, args []string) error {
	tries, err := f.attempts(args)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(tries, func(a attempt) bool { return a.laid != nil }) {
		return usagef("no drill can run: %s: %s; `brunt drill plan` shows what can play the roles", tries[0].drill.Name, tries[0].why)
	}
	if err := recoverOthers(c); err != nil {
		return err
	}
	if f.dir == "" {
		f.dir = filepath.Join("brunt-results", "drills-"+run.NewID())
	}
	if err := os.MkdirAll(f.dir, 0o777); err != nil {
		return usagef("the folder for the reports: %w", err)
	}
	ctx, stop := interruptible(&f.screen, "brunt: interrupted; taking faults back", hurries)
	defer stop()
	for i := range tries {
		a := &tries[i]
		if a.laid == nil {
			continue
		}
		if err := f.attempt(ctx, c, a); err != nil {
			return err
		}
		if a.res == nil {
			break
		}
		fmt.Fprintf(stderr(c), "%-18s %-12s %s\n", a.drill.Name, a.res.Verdict, a.res.Reason)
		if context.Cause(ctx) != nil || a.res.Verdict == scenarios.NotReverted {
			break
		}
	}
	return f.finish(c, tries)
}

// attempts lays every drill over the system; one that can't run has the reason.
func (f *allFlags) attempts(args []string) ([]attempt, error) {
	library, err := drills.Library()
	if err != nil {
		return nil, err
	}
	var tries []attempt
	set, roles := f.set, f.roles
	builtin := len(args) == 0 && f.url == ""
	for _, one := range drills.HarmlessFirst(library) {
		if len(f.only) > 0 && !slices.Contains(f.only, one.Family) {
			continue
		}
		f.set = set
		f.roles = slices.DeleteFunc(slices.Clone(roles), func(r string) bool { // a role is of some of the drills
			name, _, _ := strings.Cut(r, "=")
			return !slices.Contains(one.RoleNames(), name)
		})
		d, err := f.find(one.Name, builtin)
		if err != nil {
			tries = append(tries, attempt{drill: one, why: firstLine(err)})
			continue
		}
		base, err := f.base(args, d, nil)
		if err != nil {
			return nil, err
		}
		a := attempt{drill: d, fits: d.Fits(drills.SystemOf(base.Plan)) == nil, path: f.place(base, d), source: f.sourceFlags}
		laid, err := f.over(base, d, builtin)
		if err == nil {
			_, err = a.source.text(a.path, laid.Text, false)
		}
		if err != nil {
			a.why = firstLine(err)
		} else {
			a.laid = laid
		}
		tries = append(tries, a)
	}
	if len(tries) == 0 {
		return nil, usagef("there is no drill of %s; `brunt drill list` shows the families", strings.Join(f.only, ", "))
	}
	return tries, nil
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

// attempt runs a drill until the run shows something, unless the folder has such a run.
func (f *allFlags) attempt(ctx context.Context, c *cobra.Command, a *attempt) error {
	dir := filepath.Join(f.dir, a.drill.Name)
	kept := filepath.Join(f.dir, a.drill.Name+".yaml")
	if text, err := disk.Read(kept, 1<<20); err == nil && string(text) == a.laid.Text {
		if res, err := evidence.Read(dir); err == nil && res.Verdict != scenarios.Interrupted {
			a.res = res
			return nil
		}
	}
	if err := writeNew(kept, a.laid.Text, disk.Private, true); err != nil {
		return err
	}
	for range mostTries {
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		plan, err := a.source.text(a.path, a.laid.Text, false)
		if err != nil {
			return err
		}
		f.out = dir
		if a.res, err = f.once(ctx, c, plan, nil); err != nil {
			return err
		}
		if a.res == nil || a.res.Verdict != scenarios.Invalid || context.Cause(ctx) != nil {
			break
		}
	}
	return nil
}

// finish writes the page and junit.xml, and prints the table. The worst verdict counts.
func (f *allFlags) finish(c *cobra.Command, tries []attempt) error {
	page := html.MatrixPage{}
	var runs []drills.Tried
	var cases []ci.Case
	worst, code, passed, failed, fit := scenarios.Pass, scenarios.ExitPass, 0, 0, 0
	out := stdout(c)
	for i := range tries {
		a := &tries[i]
		row := html.MatrixDrill{Name: a.drill.Name, Family: a.drill.Family, About: a.drill.About, Verdict: "not tried", Why: a.why}
		if a.fits {
			fit++
		}
		verdict, took := scenarios.Verdict(""), 0.
		if a.res != nil {
			verdict, took = a.res.Verdict, a.res.Ended.Sub(a.res.Started).Seconds()
			row.Verdict, row.Why, row.Link = string(verdict), a.res.Reason, a.drill.Name+"/"+html.File
			row.Tone = words.Tone(a.res.Verdict)
			for _, one := range a.laid.Missing(a.res) {
				row.Why += " " + one[1]
			}
			runs = append(runs, drills.Tried{Name: a.drill.Name, Link: row.Link, Result: a.res})
			worst, code = worseOf(worst, code, a.res)
			page.Name, _, _ = strings.Cut(a.res.Name, ": "+a.drill.Name)
			switch a.res.Verdict {
			case scenarios.Pass:
				passed++
			case scenarios.Fail:
				failed++
			}
		}
		fmt.Fprintf(out, "%-18s %-12s %s\n", row.Name, row.Verdict, row.Why)
		cases = append(cases, ci.Case{Name: row.Name, Verdict: verdict, Text: row.Why, Seconds: took})
		page.Drills = append(page.Drills, row)
	}
	page.Summary = drills.Share(passed, failed, fit)
	fillMatrix(&page, drills.NewMatrix(runs))
	err := errors.Join(
		writeWhole(filepath.Join(f.dir, html.Index), disk.Shared, page.Report),
		writeWhole(filepath.Join(f.dir, ci.JUnitFile), disk.Shared, func(w io.Writer) error { return ci.WriteCases(w, "drills of "+page.Name, cases) }),
	)
	fmt.Fprintf(out, "\n%s\nPage: %s\n", page.Summary, filepath.Join(f.dir, html.Index))
	if err == nil && code != scenarios.ExitPass {
		return exit(code)
	}
	return err
}
