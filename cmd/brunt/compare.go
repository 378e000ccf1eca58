package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	"brunt/reporters"
	"brunt/scenarios"
	"brunt/scenarios/compare"

	"github.com/spf13/cobra"
)

func compareCommand() *cobra.Command {
	o := compare.Options{Margins: compare.Margins{}}
	var margins []string
	var alpha, file string
	c := &cobra.Command{
		Use:   "compare BASE... -- CANDIDATE...",
		Short: "Tell whether one set of runs is worse than another",
		Long: `Compare the results of several runs on each side, such as

  brunt compare results/main-* -- results/branch-*

The unit is the run, not the request, and so each side needs two runs at least; five
of a minute are a beginning. Runs that were made in turns (A B B A) are compared as
pairs, others as two groups. A metric fails when it is worse beyond doubt and by more
than its margin, passes when it can't be worse by as much, and is inconclusive else,
with what it would take. Exit code 4 is a regression, 8 inconclusive.

Metrics: ` + strings.Join(compare.MetricNames(), " ") + `. Default margins: ` + compare.DefaultMargins().String() + `.`,
		RunE: func(c *cobra.Command, args []string) error {
			dash := c.ArgsLenAtDash()
			if dash < 0 {
				return usagef("want two sides: brunt compare BASE... -- CANDIDATE...")
			}
			for _, text := range margins {
				if err := o.Margins.ParseMargin(text); err != nil {
					return usage{err}
				}
			}
			if err := oneOf("--metric", o.Metrics, compare.MetricNames()); err != nil {
				return err
			}
			if err := oneOf("--allow", o.Allow, compare.MismatchKinds()); err != nil {
				return err
			}
			var err error
			if o.Alpha, err = scenarios.ParseShare(alpha); err != nil || o.Alpha <= 0 || o.Alpha >= .5 {
				return usagef("--alpha %q: want a share such as 5%%", alpha)
			}
			base, err := readRuns(args[:dash])
			if err != nil {
				return err
			}
			cand, err := readRuns(args[dash:])
			if err != nil {
				return err
			}
			found, err := compare.Compare(base, cand, o)
			if err != nil {
				return usage{err}
			}
			if file != "" {
				b, err := json.MarshalIndent(found, "", "  ")
				if err != nil {
					return err
				}
				if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
					return err
				}
			}
			if err := found.Text(c.OutOrStdout()); err != nil {
				return err
			}
			if code := found.Verdict.ExitCode(); code != 0 {
				return exit(code)
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringArrayVar(&margins, "margin", nil, "what may get worse unnoticed: p95=5%, or 5% for every metric; again for more")
	f.StringVar(&alpha, "alpha", "5%", "chance of a false alarm over all rows together")
	f.StringSliceVar(&o.Metrics, "metric", nil, "compare these metrics alone")
	f.StringSliceVar(&o.Phases, "phase", nil, "compare these phases alone")
	f.StringSliceVar(&o.Steps, "step", nil, `compare these steps alone; "*" is all of them together`)
	f.StringSliceVar(&o.Allow, "allow", nil, "compare although these differ: "+strings.Join(compare.MismatchKinds(), ", "))
	f.StringVar(&file, "json", "", "write the comparison to a file as JSON")
	return c
}

// oneOf refuses values of a flag that are not known.
func oneOf(flag string, given, known []string) error {
	for _, g := range given {
		if !slices.Contains(known, g) {
			hint := scenarios.DidYouMean(g, known)
			if hint == "" {
				hint = "known are " + strings.Join(known, ", ")
			}
			return usagef("%s %q is not known; %s", flag, g, hint)
		}
	}
	return nil
}

// readRuns reads result folders.
func readRuns(dirs []string) ([]compare.Run, error) {
	var out []compare.Run
	for _, dir := range dirs {
		r, err := reporters.Read(dir)
		if err != nil {
			return nil, usage{fmt.Errorf("%s: %w", dir, err)}
		}
		out = append(out, compare.Run{Name: dir, Result: r})
	}
	return out, nil
}
