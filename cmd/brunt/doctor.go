package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"brunt/chaos/journal"
	"brunt/chaos/netns"
	"brunt/scenarios"
	"brunt/scenarios/edit/doctor"

	"github.com/spf13/cobra"
)

func doctorCommand() *cobra.Command {
	var f sourceFlags
	c := &cobra.Command{
		Use:   "doctor [SCENARIO]",
		Short: "Check what this machine can do, and say what to do about the rest",
		Long: `Check what this machine can do, and say what to do about the rest. With a scenario,
also check whether it can run here and now: its commands and ports, its open files,
whether its target answers, and what each fault would hit, or why it would fail. Where its
workers are pods, ask the cluster for each right that they take, and whether it would admit
them; where faults hit pods, for those of the faults and of the watchdog there. Nothing is
started.

It lists too what no fault may hit here, with the rule, and what ` + "`brunt revert --discover`" + `
finds of dead runs.

The second table lists the faults on the network of a container or of another namespace,
with the mechanisms of the kernel that can inject each, the best first. brunt tries each
mechanism in a temporary namespace. A scenario chooses one by ` + "`via:`" + `.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			var needs []doctor.Check
			if len(args) == 1 {
				plan, err := compile(args[0], &f)
				if err != nil {
					return err
				}
				needs = doctor.Needs(c.Context(), plan)
			}
			bad := false
			t := tabwriter.NewWriter(stdout(c), 0, 0, 2, ' ', 0)
			checks := append(doctor.Machine(c.Context(), journal.Dirs(os.Getenv), os.Getenv),
				doctor.Policies(policyFiles(f.policy))...)
			for _, k := range append(checks, needs...) {
				bad = bad || k.State == doctor.Bad
				for _, line := range k.Lines() {
					fmt.Fprintln(t, line)
				}
			}
			if err := t.Flush(); err != nil {
				return err
			}
			if err := printCapabilities(stdout(c), netns.Capabilities()); err != nil {
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

// printCapabilities prints which faults brunt can inject into the packets of a namespace, with which mechanism, and
// the requirements of the others.
func printCapabilities(w io.Writer, all []netns.Capability) error {
	none := func(k netns.Capability) bool { return errors.Is(k.Err, netns.ErrNoThrowaway) }
	if len(all) > 0 && !slices.ContainsFunc(all, func(k netns.Capability) bool { return !none(k) }) {
		_, err := fmt.Fprintf(w, "\nfaults of a namespace's network can't be tried: %v\n-> %s\n", all[0].Err, all[0].Fix)
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "\nfault\tby\tworks\twhy not\n")
	fixes := map[string]string{}
	var order []string
	for _, k := range all {
		works, why := "yes", ""
		if k.Err != nil {
			works, why = "no", k.Err.Error()
			if fixes[k.Via] == "" {
				order = append(order, k.Via)
			}
			fixes[k.Via] = k.Fix
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", k.Do.Fault(), k.Via, works, why)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, via := range order {
		if fixes[via] != "" {
			fmt.Fprintf(w, "-> %s: %s\n", via, fixes[via])
		}
	}
	return nil
}
