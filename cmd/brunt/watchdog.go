package main

import (
	"fmt"
	"time"

	"brunt/chaos/catalog"
	"brunt/chaos/journal"
	"brunt/scenarios"
	"brunt/scenarios/run/revert"

	"github.com/spf13/cobra"
)

// watchdogCommand is the watchdog that reverts everything when brunt dies.
func watchdogCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "watchdog JOURNAL",
		Short:  "Take back the open entries of the journal when standard input ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			err := journal.RunWatchdog(revert.Operations(), c.InOrStdin(), args[0])
			if err == nil {
				return nil
			}
			if f, ferr := journal.WatchdogLog(args[0]); ferr == nil {
				fmt.Fprintf(f, "%s watchdog: %v\n", time.Now().UTC().Format(time.RFC3339), err)
				_ = f.Close()
			}
			return exit(scenarios.ExitNotReverted)
		},
	}
}

// remoteWatchdogCommand is the remote watchdog that a brunt in a container has the engine start beside
// it.
func remoteWatchdogCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "remote-watchdog DEADLINE",
		Short:  "Take back the open entries of the journal on standard input when it ends",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			most, err := time.ParseDuration(args[0])
			if err != nil {
				return err
			}
			ctx, stop := terminable(c)
			defer stop()
			return journal.RunRemoteWatchdog(ctx, catalog.AllOperations(), c.InOrStdin(), c.OutOrStdout(), most)
		},
	}
}

// watchdog returns the command line of the watchdog, without its journal.
func watchdog() []string { return append(self(), "watchdog") }
