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
	"brunt/reporters/words"
	"brunt/scenarios"

	"github.com/spf13/cobra"
)

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
		Short: "Take back what dead runs left behind",
		Long: `Take back what dead runs left behind, by their journals.

--discover works without a journal, if that was lost or lies in an unknown state directory:
every process that a run started carries the run's mark, and so does its watchdog. brunt
shows what it finds, of all dead runs or of the named ones; --yes takes it back. brunt
touches nothing without a mark, and nothing of a live run. Linux only.`,
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
					fmt.Fprintf(c.OutOrStdout(), "%s: %s: %s\n", words.Clean(t.Run), words.Clean(t.Pending.What), outcomeText(t))
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
				fmt.Fprintf(c.OutOrStdout(), "%s: %s: %s\n", words.Clean(t.Run), words.Clean(t.Pending.What), outcomeText(t))
			}
			if err := errors.Join(errs...); err != nil {
				fmt.Fprintf(clean(c.ErrOrStderr()), "brunt: %v\n", err)
				return exit(scenarios.ExitNotReverted)
			}
			if n == 0 {
				fmt.Fprintln(c.OutOrStdout(), "nothing is left behind")
			}
			return nil
		},
	}
	c.Flags().BoolVar(&find, "discover", false, "look for brunt's marks, without a journal (Linux)")
	c.Flags().BoolVar(&yes, "yes", false, "with --discover: take back what was found")
	return c
}

func outcomeText(t journal.Taken) string {
	switch {
	case t.Err != nil:
		return "failed: " + words.Clean(t.Err.Error())
	case t.Outcome == chaos.Gone:
		return "gone by itself"
	}
	return "taken back"
}
