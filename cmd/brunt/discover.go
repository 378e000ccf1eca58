package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/chaos/proc"
	"brunt/reporters/words"
	"brunt/scenarios"

	"github.com/spf13/cobra"
)

// mostStopped bounds the stopped processes that are listed.
const mostStopped = 20

// mostSearches bounds the repeated searches for processes started meanwhile.
const mostSearches = 5

// discover finds what dead runs have left by brunt's marks, without a journal, and reverts it
// if yes is set.
func discover(c *cobra.Command, runs []string, yes bool) error {
	d, err := journal.Discover(runs...)
	if err != nil {
		return usage{err}
	}
	out := clean(c.OutOrStdout())
	for _, l := range d.Left {
		fmt.Fprintf(out, "%s: %s\n", words.Clean(l.Run), words.Clean(l.What))
	}
	for _, run := range d.Alive {
		fmt.Fprintf(out, "%s: still running, or its watchdog is at work; its processes are left alone\n", run)
	}
	stoppedByOthers(c, d.Stopped)
	switch {
	case len(d.Left) == 0:
		fmt.Fprintln(out, "nothing has the mark of a dead run")
		return nil
	case !yes:
		fmt.Fprintln(out, "\n`brunt revert --discover --yes` ends these processes and takes back the open entries of these journals.")
		return exit(scenarios.ExitNotReverted)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	fmt.Fprintln(out)
	for range mostSearches {
		taken, terr := d.TakeBack(ctx, catalog.AllOperations())
		for _, t := range taken {
			fmt.Fprintf(out, "%s: %s: %s\n", words.Clean(t.Run), words.Clean(t.Pending.What), outcomeText(t))
		}
		if d, err = journal.Discover(runs...); err != nil {
			return err
		}
		if err = terr; err == nil && len(d.Left) == 0 {
			return nil
		}
	}
	if err == nil {
		err = errors.New("the ended processes keep starting others")
	}
	fmt.Fprintf(clean(c.ErrOrStderr()), "brunt: %v\n", strings.ReplaceAll(err.Error(), "\n", "; "))
	return exit(scenarios.ExitNotReverted)
}

// stoppedByOthers lists processes that are stopped and carry no mark. brunt leaves them alone.
func stoppedByOthers(c *cobra.Command, stopped []proc.Process) {
	for i, p := range stopped {
		if i == mostStopped {
			fmt.Fprintf(c.OutOrStdout(), "and %d more\n", len(stopped)-i)
			break
		}
		fmt.Fprintf(clean(c.OutOrStdout()), "process %d (%s) is stopped and has no mark, so brunt leaves it alone; if a fault stopped it, `kill -CONT %d` "+
			"continues it\n", p.PID, p.Name, p.PID)
	}
}
