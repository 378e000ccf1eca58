package main

import (
	"fmt"
	"os"
	"text/tabwriter"

	"brunt/chaos"
	"brunt/scenarios"
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	var f sourceFlags
	c := &cobra.Command{
		Use:   "doctor [SCENARIO]",
		Short: "Find out what this machine can do, and what to do about the rest",
		Long: `Find out what this machine can do, and what to do about the rest. With a scenario,
find out as well whether it can be run here and now: its commands and ports, its open
files, and whether its target answers. Nothing is started.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var needs []run.Check
			if len(args) == 1 {
				plan, err := compile(args[0], &f)
				if err != nil {
					return err
				}
				needs = plan.Needs(c.Context())
			}
			bad := false
			t := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
			checks := append(run.Doctor(c.Context(), chaos.StateDirs(os.Getenv), os.Getenv), run.DoctorPolicies(policyFiles(f.policy))...)
			for _, k := range append(checks, needs...) {
				bad = bad || k.State == run.Bad
				fmt.Fprintf(t, "%s\t%s\t%s\n", k.Name, k.State, k.Found)
				if k.Fix != "" {
					fmt.Fprintf(t, "\t\t-> %s\n", k.Fix)
				}
			}
			if err := t.Flush(); err != nil {
				return err
			}
			if bad {
				return exit(scenarios.ExitError)
			}
			return nil
		},
	}
	f.register(c)
	return c
}
