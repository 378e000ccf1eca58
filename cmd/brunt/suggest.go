package main

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/decide/compare"
	"brunt/scenarios/quantity"

	"github.com/spf13/cobra"
)

// mostSuggested is the width of the comments of proposals, in columns, unless the terminal is narrower.
const mostSuggested = 100

func suggestCommand() *cobra.Command {
	var rate, file string
	var allow []string
	c := &cobra.Command{
		Use:   "suggest RESULT...",
		Short: "Propose objectives from a baseline, each with how often an unchanged build would fail it",
		Long: `Propose objectives from the results of one or several runs of a scenario, as YAML to paste into it.
Each has the share of runs in which an unchanged build would fail it at most, with 95 % confidence,
so that a gate that turns red means something.

The proposals are on the baseline: the 95th and 99th percentile and the share of errors of all
requests, the 95th percentile of each step, and from runs without faults the rate of closed loads
and the memory of each service. A limit is at least the margin of brunt compare beyond the worst
run. It is further away if the runs scatter more than --rate allows.

The share assumes that the figures of runs have a log-normal distribution. A second share assumes
nothing, and needs many runs: 59 show 5 %. One run is divided into ten parts that stand for runs,
which does not show how another start differs. Five runs or more are a good baseline.`,
		Example: `  brunt suggest brunt-results/*
  brunt run shop.yaml --no-chaos --repeat 5 -o base && brunt suggest base/*
  brunt suggest base/* --rate 1% --json suggestion.json`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			most, err := quantity.ParseShare(rate)
			if err != nil || most < .001 || most > .5 {
				return usagef("--rate %q: want a share from 0.1%% to 50%%, such as 5%%", rate)
			}
			if err := oneOf("--allow", allow, compare.MismatchKinds()); err != nil {
				return err
			}
			runs, err := readRuns(args)
			if err != nil {
				return err
			}
			found, err := compare.Suggest(runs, most, allow)
			if found != nil && errors.Is(err, compare.ErrNoSuggestion) {
				var why []string
				for i := range found.Left {
					why = append(why, "  "+words.LeftOutSentence(&found.Left[i]))
				}
				err = fmt.Errorf("%w:\n%s", err, strings.Join(why, "\n"))
			}
			if err != nil {
				return scenarios.Usage(err)
			}
			if file != "" {
				if err := writeJSON(file, found); err != nil {
					return err
				}
			}
			width := mostSuggested
			if n := columns(c); n > 0 {
				width = min(width, n)
			}
			_, err = io.WriteString(stdout(c), words.SuggestionYAML(found, width))
			return err
		},
	}
	c.Flags().StringVar(&rate, "rate", "5%", "highest share of runs in which an unchanged build may fail an objective")
	c.Flags().StringSliceVar(&allow, "allow", nil,
		"use the runs together even if these differ: "+strings.Join(compare.MismatchKinds(), ", "))
	c.Flags().StringVar(&file, "json", "", "write the proposals to a file as JSON")
	return c
}
