package main

import (
	"fmt"

	"brunt/scenarios/drills"
	"brunt/scenarios/edit/doctor"
	"brunt/scenarios/plan/dryrun"

	"github.com/spf13/cobra"
)

func validateCommand() *cobra.Command {
	var f sourceFlags
	var explain, ask bool
	c := &cobra.Command{
		Use:   "validate SCENARIO",
		Short: "Check a scenario without starting anything",
		Long: `Check everything about a scenario that can be checked without touching anything: its
syntax, the names in it, and whether its load is enough to judge its objectives. brunt
shows all mistakes at once, and what the load can show. The file of a drill is checked as a
drill; whether it fits a system is seen with ` + "`brunt drill show FILE SCENARIO`" + `. With --cluster,
brunt also asks the cluster of the scenario whether a run would be let in there, as
` + "`brunt doctor SCENARIO`" + ` does; nothing is made.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if drills.IsDrill(args[0]) {
				return validateDrill(c, args[0], f)
			}
			plan, err := compile(args[0], &f)
			if err != nil {
				return err
			}
			out := stdout(c)
			if explain {
				fmt.Fprint(stdout(c), plan.Scenario.Explain())
				return nil
			}
			if ask {
				if err := doctor.Refused(doctor.Cluster(c.Context(), plan)); err != nil {
					return usagef("%s: %w", args[0], err)
				}
			}
			fmt.Fprintf(out, "%s: ok\n", args[0])
			for _, line := range dryrun.Describe(plan) {
				fmt.Fprintln(out, "  "+line)
			}
			for _, n := range plan.Notes {
				fmt.Fprintln(out, "note: "+n)
			}
			if !ask && (plan.Scenario.Target.Kubernetes != nil || plan.Scenario.Workers.Elsewhere()) {
				fmt.Fprintln(out, "note: the cluster was not asked whether it lets the run in; --cluster asks it")
			}
			return nil
		},
	}
	f.register(c)
	c.Flags().BoolVar(&ask, "cluster", false, "also ask the cluster of the scenario whether a run would be let in")
	c.Flags().BoolVar(&explain, "explain", false, "print the scenario as resolved, secrets masked")
	return c
}

// validateDrill checks the file of a drill, and prints what the drill needs.
func validateDrill(c *cobra.Command, file string, f sourceFlags) error {
	set, err := f.params()
	if err != nil {
		return err
	}
	d, err := drills.Find(drills.Named(file), set)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout(c), "%s: ok, a drill; `brunt drill show %s SCENARIO` lays it over a system\n", file, file)
	for _, need := range d.Needs() {
		fmt.Fprintln(stdout(c), "  "+need)
	}
	return nil
}
