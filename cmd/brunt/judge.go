package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"brunt/reporters/ci"
	"brunt/reporters/html"
	"brunt/reporters/terminal"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/disk"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"

	"github.com/spf13/cobra"
)

// judgeFlags configures how runs are compared, and where the verdict is written.
type judgeFlags struct {
	charts  []html.TrendChart // for the page: the metrics over earlier runs
	o       compare.Options
	margins []string
	alpha   string
	summary string
	json    string
	strict  bool // exit 8 if inconclusive
	explain bool // print the statistics
}

// tell prints a comparison and writes it to the requested files. It also writes junit.xml and the page to folder,
// unless folder is empty. D describes the comparison in words. The error carries the exit code of d.
func (f *judgeFlags) tell(w io.Writer, found *compare.Comparison, d *result.Decision, folder string) error {
	if d.ExitCode = f.exitCode(found.Verdict); d.ExitCode == 0 && found.Verdict == scenarios.Inconclusive {
		d.Says = append(d.Says, undecided)
	}
	if err := f.write(w, found, d, folder); err != nil {
		return err
	}
	if d.ExitCode != 0 {
		return exit(d.ExitCode)
	}
	return nil
}

// undecided explains why the exit code is 0 although the comparison decided nothing.
const undecided = "NOTHING IS DECIDED: the exit code is 0, and with --fail-inconclusive it is 8"

// exitCode returns the exit code of a verdict. An inconclusive comparison fails only if a flag asks for that.
func (f *judgeFlags) exitCode(v scenarios.Verdict) int {
	if v == scenarios.Inconclusive && !f.strict {
		return scenarios.ExitPass
	}
	return v.ExitCode()
}

// write prints a comparison, and writes it to the files of a folder and to the files in flags.
func (f *judgeFlags) write(w io.Writer, found *compare.Comparison, d *result.Decision, folder string) error {
	if err := terminal.Decision(w, d, f.explain); err != nil {
		return err
	}
	if folder != "" {
		page, cases := filepath.Join(folder, html.DecisionFile(d)), filepath.Join(folder, ci.DecisionFile)
		err := errors.Join(os.MkdirAll(folder, 0o777),
			writeWhole(page, disk.Shared, func(w io.Writer) error { return html.Decision(w, d, f.charts...) }),
			writeWhole(cases, disk.Shared, func(w io.Writer) error { return ci.DecisionJUnit(w, d) }))
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "Report: %s\n", page)
	}
	return f.publish(found, d)
}

// publish writes the outcome as JSON to the file of --json, and shows it where CI shows it: in the step's summary, and
// as an annotation. Without a comparison the JSON has the verdict and the reason alone.
func (f *judgeFlags) publish(found *compare.Comparison, d *result.Decision) error {
	if f.json != "" {
		if found == nil {
			found = &compare.Comparison{
				Verdict: d.Verdict, Reason: d.Reason, Alpha: f.o.Alpha,
				Base: []string{}, Cand: []string{}, Rows: []compare.Row{},
			}
		}
		b, err := json.MarshalIndent(found, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.json, append(b, '\n'), disk.Shared); err != nil {
			return err
		}
	}
	log := clean(os.Stderr)
	if inActions() {
		if err := ci.AnnotateDecision(log, d); err != nil {
			return err
		}
	}
	if path := cmp.Or(f.summary, stepSummary()); path != "" {
		return appendSummary(log, path, func(w io.Writer) error { return ci.DecisionSummary(w, d) })
	}
	return nil
}

func (f *judgeFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.margins, "margin", nil,
		"how much worse a metric may be: p95=5%, or 5% for every metric; can be given several times")
	c.Flags().StringVar(&f.alpha, "alpha", "5%", "probability of a false alarm over all metrics together")
	c.Flags().StringVar(&f.summary, "summary", "",
		"append the table to a file as Markdown (default the step's summary, in GitHub Actions)")
	c.Flags().StringVar(&f.json, "json", "", "write the comparison to a file as JSON")
	c.Flags().BoolVar(&f.strict, "fail-inconclusive", false,
		"exit with 8 if the result is inconclusive; without it only a regression fails the job")
	c.Flags().BoolVar(&f.explain, "explain", false, "print the statistics behind the verdict")
	c.Flags().Bool("pass-inconclusive", true, "")
	_ = c.Flags().MarkDeprecated("pass-inconclusive", "it is the default; --fail-inconclusive is the opposite")
	f.narrow(c)
}

// narrow registers the flags that restrict the comparison.
func (f *judgeFlags) narrow(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.o.Metrics, "metric", nil, "compare only these metrics")
	completeOneOf(c, "metric", compare.MetricNames()...)
	c.Flags().StringSliceVar(&f.o.Phases, "phase", nil, "compare only these phases")
	c.Flags().StringSliceVar(&f.o.Steps, "step", nil, `compare only these steps; "*" is all of them together`)
}

// checkNames returns an error for a phase of --phase or a step of --step that a plan does not have. The steps of a
// script are known only when it runs.
func (f *judgeFlags) checkNames(p *plan.Plan) error {
	phases := []string{slo.RunPhase.String(), slo.BaselinePhase.String()}
	for i := range p.Scenario.Faults {
		phases = append(phases, p.Scenario.Faults[i].Name)
	}
	for _, asked := range f.o.Phases {
		if of := slo.ParsePhase(asked); of.OfFault() && !slices.Contains(phases, of.Fault) {
			return oneOf("--phase", []string{asked}, phases)
		}
	}
	if slices.ContainsFunc(p.Scenario.Loads, func(l scenarios.Load) bool { return l.Script != nil }) {
		return nil
	}
	names := []string{"*"}
	for _, of := range result.Masked(result.Names{Steps: p.StepNames()}, p.Scenario.Secrets.Mask).Steps {
		names = append(names, of...)
	}
	return oneOf("--step", f.o.Steps, names)
}

// options reads the flags.
func (f *judgeFlags) options() (compare.Options, error) {
	f.o.Margins = compare.Margins{}
	for _, text := range f.margins {
		if err := f.o.Margins.ParseMargin(text); err != nil {
			return f.o, scenarios.Usage(err)
		}
	}
	if err := oneOf("--metric", f.o.Metrics, compare.MetricNames()); err != nil {
		return f.o, err
	}
	if err := oneOf("--allow", f.o.Allow, compare.MismatchKinds()); err != nil {
		return f.o, err
	}
	var err error
	if f.o.Alpha, err = quantity.ParseShare(strings.TrimSpace(f.alpha)); err != nil || f.o.Alpha <= 0 || f.o.Alpha >= .5 {
		return f.o, usagef("--alpha %q: want a share such as 5%%", f.alpha)
	}
	return f.o, nil
}
