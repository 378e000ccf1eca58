package main

import (
	"fmt"
	"io"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/recovery"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// sureFlags are the settings of a series of runs that ends once it is known how often objectives are met.
type sureFlags struct {
	text   string
	most   int
	series *recovery.Series // nil: there is no such series
	void   int              // runs in a row that answered no objective
}

const mostUnanswered = 3 // runs in a row that answer no objective, of which the last ends the series

func (f *sureFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.text, "until-sure", "",
		"repeat the drill until it is 95 % sure that at least this share of failovers, such as 95%, meets each objective on "+
			"a time after its fault, or that fewer do; an objective with a share of its own, such as for 90%, keeps it")
	c.Flags().IntVar(&f.most, "at-most", 200, "with --until-sure: the largest number of runs")
}

// begin prepares the series for a plan, and sets the largest number of runs.
func (f *sureFlags) begin(c *cobra.Command, p *plan.Plan, repeat *int) error {
	if f.text == "" {
		if c.Flags().Changed("at-most") {
			return usagef("--at-most goes with --until-sure")
		}
		return nil
	}
	share, err := quantity.ParseShare(f.text)
	switch {
	case err != nil:
		return usagef("--until-sure: %w", err)
	case share <= 0 || share >= 1:
		return usagef("--until-sure %s: no number of runs shows that; a share between 0%% and 100%%, such as 95%%, takes 68 "+
			"runs in a row, and 90%% takes 33", f.text)
	case f.most < 1:
		return usagef("--at-most is at least 1")
	}
	if f.series, err = recovery.NewSeries(p.Scenario.SLO, share, f.most); err != nil {
		return usagef("--until-sure: %w", err)
	}
	*repeat = f.most
	return nil
}

// add adds a run and prints what the series shows. It reports whether the series is over. It returns the verdict and
// the exit code that the run adds to the series.
func (f *sureFlags) add(w io.Writer, n int, res *result.Result) (v scenarios.Verdict, code int, over bool) {
	v, code = res.Verdict, res.ExitCode
	if f.series == nil {
		return v, code, false
	}
	if f.void++; f.series.Add(res) {
		f.void = 0
	}
	beside, differs := f.series.Beside(res)
	if differs {
		v, code = beside, beside.ExitCode()
	}
	for _, a := range f.series.Answers() {
		fmt.Fprintf(w, "run %d  %s\n", n, words.SeriesSentence(a.Objective, a.Share, &a.Shown))
	}
	if f.void == mostUnanswered {
		fmt.Fprintf(w, "%d runs in a row answer no objective: %s; mend that until `brunt run` of the scenario is valid\n",
			f.void, strings.TrimSuffix(res.Reason, "."))
		return v, code, true
	}
	return v, code, f.series.Verdict() != scenarios.Inconclusive
}

// end prints what the series shows, and returns its verdict.
func (f *sureFlags) end(w io.Writer) (v scenarios.Verdict, code int) {
	fmt.Fprintln(w)
	for _, a := range f.series.Answers() {
		verdict := a.Verdict()
		fmt.Fprintf(w, "%s %s\n", words.Mark(verdict), words.SeriesSentence(a.Objective, a.Share, &a.Shown))
	}
	v = f.series.Verdict()
	return v, v.ExitCode()
}
