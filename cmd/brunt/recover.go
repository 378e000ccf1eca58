package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"brunt/chaos/journal"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/run/guard"

	"github.com/spf13/cobra"
)

// notReplayed names the journals that others may have written. They do not stop a run.
func notReplayed(c *cobra.Command, dir string) {
	states, _ := journal.List(dir) // recovery reports the same errors
	for _, s := range states {
		if s.Unproven != nil && !s.Alive {
			fmt.Fprintf(stderr(c), "brunt: the journal %s is not replayed: %s; `brunt status` shows what it would do\n",
				words.Clean(s.Path), words.Clean(s.Unproven.Error()))
		}
	}
}

// recoverOthers reverts the faults that dead runs left.
func recoverOthers(c *cobra.Command) error {
	for _, dir := range journal.Dirs(os.Getenv) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		taken, err := journal.Recover(ctx, guard.Operations(), dir, "run")
		cancel()
		for _, t := range taken {
			fmt.Fprintf(stderr(c), "brunt: run %s had died; taken back: %s (%s)\n", words.Clean(t.Run),
				words.Clean(t.Pending.What), t.Outcome)
		}
		notReplayed(c, dir)
		if err != nil && !errors.Is(err, journal.ErrUnreadable) {
			fmt.Fprintf(stderr(c),
				"brunt: an earlier run left faults that could not be taken back: %v\nbrunt: see `brunt status`\n", err)
			return exit(scenarios.ExitNotReverted)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	strays, err := journal.RemoveStrays(ctx)
	for _, t := range strays {
		fmt.Fprintf(stderr(c), "brunt: run %s had died; taken back: %s (%s)\n", words.Clean(t.Run),
			words.Clean(t.Pending.What), t.Outcome)
	}
	if err != nil { // such a run has no effect, so it is no obstacle
		fmt.Fprintf(stderr(c), "brunt: looking for watchdogs of earlier runs that were never started: %v\n", err)
	}
	return nil
}
