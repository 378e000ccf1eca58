package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"brunt/chaos"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/scenarios"

	"github.com/spf13/cobra"
)

func statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Show the current runs, and the faults that are in or were left behind",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			left, aside := 0, 0
			found := false
			for _, dir := range journal.Dirs(os.Getenv) {
				states, err := journal.List(dir)
				if errors.Is(err, fs.ErrPermission) {
					fmt.Fprintf(c.OutOrStdout(), "%s: not readable by this user\n", dir)
					continue
				}
				for _, s := range states {
					found = true
					left += printState(c, s)
				}
				for _, file := range journal.SetAside(dir) {
					found = true
					aside++
					fmt.Fprintf(c.OutOrStdout(), "%s: a damaged journal, all of which that can be read is taken back; what else it told of may be left. "+
						"Remove the file once you have looked\n", file)
				}
				if err != nil { // of some of them; the others are listed all the same
					fmt.Fprintf(c.ErrOrStderr(), "brunt: %v\n", err)
					found = true
					left++
				}
			}
			strays, err := journal.Strays(c.Context())
			for _, s := range strays {
				found = true
				left++
				fmt.Fprintf(c.OutOrStdout(), "%s: died\n  %s\n", s.Run, s)
			}
			if err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "brunt: looking for watchdogs that were never started: %v\n", err)
			}
			switch {
			case !found:
				fmt.Fprintln(c.OutOrStdout(), "no run is going on, and nothing is left behind")
			case left > 0:
				fmt.Fprintln(c.OutOrStdout(), "\n`brunt revert` takes back what is left behind.")
				return exit(scenarios.ExitNotReverted)
			case aside > 0:
				return exit(scenarios.ExitNotReverted)
			}
			return nil
		},
	}
}

// printState prints a journal and returns the number of entries left in it.
func printState(c *cobra.Command, s journal.State) int {
	out := c.OutOrStdout()
	how := "runs since " + s.Began.Local().Format(time.DateTime)
	switch {
	case s.Foreign:
		how = fmt.Sprintf("of another machine, %s, where it has to be taken back; it started %s", s.Host, s.Began.Local().Format(time.DateTime))
	case !s.Alive && s.Began.IsZero():
		how = "died; when it began is not known"
	case !s.Alive:
		how = "died; it began " + s.Began.Local().Format(time.DateTime)
	}
	fmt.Fprintf(out, "%s: %s\n", s.Run, how)
	for _, what := range s.Problems() {
		fmt.Fprintf(out, "  its journal %s is damaged: %s\n", s.Path, what)
	}
	for _, e := range s.Open {
		name := e.Fault
		if name == "" {
			name = "(target)"
		}
		fmt.Fprintf(out, "  %s: %s\n", name, e.What)
		if e.Error != "" {
			fmt.Fprintf(out, "    could not be taken back: %s\n", e.Error)
		}
	}
	if s.Foreign && !s.Alive {
		return len(s.Open) + len(s.Problems())
	}
	return s.Left()
}

// leftElsewhere lists what dead runs of other machines, which share a state directory with this one, have left.
func leftElsewhere(dir string) error {
	states, _ := journal.List(dir) // its errors are those of the recovery
	var errs []error
	for _, s := range states {
		if n := len(s.Open) + len(s.Problems()); s.Foreign && !s.Alive && n > 0 {
			errs = append(errs, fmt.Errorf("%s: it is of another machine, %s, and %s may be left there; run `brunt revert` on that machine",
				s.Path, s.Host, scenarios.Amount(n, "fault")))
		}
	}
	return errors.Join(errs...)
}

func revertCommand() *cobra.Command {
	find, yes := false, false
	c := &cobra.Command{
		Use:   "revert [RUN …]",
		Short: "Take back what runs that died have left behind",
		Long: `Take back what runs that died have left behind, by their journals.

With --discover, look for it without a journal, where that was lost or lies in a state
directory that is not known: every process that a run started carries the
run's mark, and so does its watchdog. What is found is shown, of all dead runs or of those
named; --yes takes it back. Nothing without a mark is touched, and nothing of a run that
goes on. Linux only.`,
		Example: `  brunt revert
  brunt revert --discover
  brunt revert --discover --yes`,
		RunE: func(c *cobra.Command, args []string) error {
			switch {
			case find:
				return discover(c, args, yes)
			case yes:
				return usagef("--yes goes with --discover")
			case len(args) > 0:
				return usagef("runs are named with --discover; without it all are taken back")
			}
			n := 0
			var errs []error
			for _, dir := range journal.Dirs(os.Getenv) {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				taken, err := journal.Recover(ctx, catalog.AllOperations(), dir, "revert")
				cancel()
				for _, t := range taken {
					n++
					fmt.Fprintf(c.OutOrStdout(), "%s: %s: %s\n", t.Run, t.Pending.What, outcomeText(t))
				}
				if !errors.Is(err, fs.ErrPermission) {
					errs = append(errs, err, leftElsewhere(dir))
				}
			}
			ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
			strays, err := journal.RemoveStrays(ctx)
			cancel()
			errs = append(errs, err)
			for _, t := range strays {
				n++
				fmt.Fprintf(c.OutOrStdout(), "%s: %s: %s\n", t.Run, t.Pending.What, outcomeText(t))
			}
			if err := errors.Join(errs...); err != nil {
				fmt.Fprintf(c.ErrOrStderr(), "brunt: %v\n", err)
				return exit(scenarios.ExitNotReverted)
			}
			if n == 0 {
				fmt.Fprintln(c.OutOrStdout(), "nothing is left behind")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&find, "discover", false, "look for brunt's marks, without a journal (Linux)")
	c.Flags().BoolVar(&yes, "yes", false, "with --discover: take back what is found")
	return c
}

func outcomeText(t journal.Taken) string {
	switch {
	case t.Err != nil:
		return "failed: " + t.Err.Error()
	case t.Outcome == chaos.Gone:
		return "gone by itself"
	}
	return "taken back"
}
