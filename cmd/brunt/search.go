package main

import (
	"context"
	"time"

	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"

	"github.com/spf13/cobra"
)

// searchFlags are the settings of a search whose probes are runs: of `brunt find` and `brunt tolerate`.
type searchFlags struct {
	runFlags
	from, precision string
	confirm         int
	cool            time.Duration
	file, page      string
}

// The defaults of the settings of searches.
const (
	confirming          = 3 // probes for each value
	cooling             = 2 * time.Second
	tolerancePrecision  = "10%"
	toleranceConfidence = "95%"
)

// register adds the flags that do not depend on the search. Value names what it looks for, such as a rate.
func (f *searchFlags) register(c *cobra.Command, value string) {
	f.runFlags.register(c)
	c.Flags().DurationVar(&f.cool, "cool-down", cooling, "pause after a "+value+" at which the objectives failed")
	c.Flags().IntVar(&f.confirm, "confirm", confirming, "probes for each "+value+", an odd number; the majority decides")
	c.Flags().StringVar(&f.file, "json", "", "write the result to a file as JSON")
	f.log, f.repeat = logFlags{"text", "error"}, 1
}

// narrowness checks how a search decides, and returns the width of its interval. Such is an example of a width.
func (f *searchFlags) narrowness(such string) (float64, error) {
	width, err := quantity.ParseShare(f.precision)
	switch {
	case err != nil || width <= 0 || width >= 1:
		return 0, usagef("--precision %q: want a share such as %s", f.precision, such)
	case f.confirm < 1 || f.confirm%2 == 0:
		return 0, usagef("--confirm %d: want an odd number, such as 3, so that a majority decides", f.confirm)
	}
	return width, nil
}

// judged runs a plan without a report.
func (f *searchFlags) judged(ctx context.Context, p *plan.Plan, control bool) (*result.Result, error) {
	f.noChaos = control
	return f.made.Make(p, func() (*result.Result, error) { return f.probe(ctx, p) })
}
