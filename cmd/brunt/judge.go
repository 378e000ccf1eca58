package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/compare"
	"brunt/scenarios/disk"
	"brunt/scenarios/quantity"

	"github.com/spf13/cobra"
)

// judgeFlags say how runs are compared, and where the verdict goes.
type judgeFlags struct {
	o       compare.Options
	margins []string
	alpha   string
	summary string
	json    string
	lenient bool // exit 0 if inconclusive
}

// tell prints a comparison, and writes it to the requested files. The error carries its exit
// code.
func (f *judgeFlags) tell(w io.Writer, found *compare.Comparison) error {
	if err := f.write(w, found); err != nil {
		return err
	}
	if f.lenient && found.Verdict == scenarios.Inconclusive {
		fmt.Fprintln(w, "inconclusive; the exit code is 0 because of --pass-inconclusive")
		return nil
	}
	if code := found.Verdict.ExitCode(); code != 0 {
		return exit(code)
	}
	return nil
}

// write prints a comparison, and writes it to the files that flags name.
func (f *judgeFlags) write(w io.Writer, found *compare.Comparison) error {
	if err := found.Text(w); err != nil {
		return err
	}
	if f.json != "" {
		b, err := json.MarshalIndent(found, "", "  ")
		if err != nil {
			return err
		}
		if err := os.WriteFile(f.json, append(b, '\n'), disk.Shared); err != nil {
			return err
		}
	}
	if path := cmp.Or(f.summary, stepSummary()); path != "" {
		return appendSummary(clean(os.Stderr), path, found.Markdown)
	}
	return nil
}

func (f *judgeFlags) register(c *cobra.Command) {
	c.Flags().StringArrayVar(&f.margins, "margin", nil, "how much worse a metric may be: p95=5%, or 5% for every metric; can be given several times")
	c.Flags().StringVar(&f.alpha, "alpha", "5%", "probability of a false alarm over all metrics together")
	c.Flags().StringVar(&f.summary, "summary", "", "append the table to a file as Markdown (default the step's summary, in GitHub Actions)")
	c.Flags().StringVar(&f.json, "json", "", "write the comparison to a file as JSON")
	c.Flags().BoolVar(&f.lenient, "pass-inconclusive", false, "exit with 0 instead of 8 if the result is inconclusive, so that only a regression fails the job")
	f.narrow(c)
}

// narrow registers the flags that restrict the comparison.
func (f *judgeFlags) narrow(c *cobra.Command) {
	c.Flags().StringSliceVar(&f.o.Metrics, "metric", nil, "compare only these metrics")
	c.Flags().StringSliceVar(&f.o.Phases, "phase", nil, "compare only these phases")
	c.Flags().StringSliceVar(&f.o.Steps, "step", nil, `compare only these steps; "*" is all of them together`)
}

// options reads the flags.
func (f *judgeFlags) options() (compare.Options, error) {
	f.o.Margins = compare.Margins{}
	for _, text := range f.margins {
		if err := f.o.Margins.ParseMargin(text); err != nil {
			return f.o, usage{err}
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
