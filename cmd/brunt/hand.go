package main

import (
	"context"
	"os/signal"
	"syscall"
	"time"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"
	"brunt/chaos/journal"

	"github.com/spf13/cobra"
)

// handCommand is the agent that brunt has an engine start for operations on processes that
// brunt itself may not perform.
func handCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "hand",
		Short:  "Inject faults into processes of this machine, as standard input says",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := terminable(c)
			defer stop()
			return agent.Serve(ctx, catalog.Find, catalog.AllOperations(), c.InOrStdin(), c.OutOrStdout())
		},
	}
}

// wardenCommand is the remote watchdog that a brunt in a container has the engine start beside
// it.
func wardenCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "warden DEADLINE",
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

// terminable returns a context that ends when the engine asks the agent to terminate.
func terminable(c *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(c.Context(), syscall.SIGTERM)
}
