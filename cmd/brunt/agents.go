package main

import (
	"context"
	"os/signal"
	"syscall"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"

	"github.com/spf13/cobra"
)

// networkAgentCommand is the agent that brunt has an engine start in the network of a container that
// brunt may not enter itself.
func networkAgentCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "network-agent",
		Short:  "Inject faults into the network of this process, as standard input says",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := terminable(c)
			defer stop()
			return agent.ServeNetwork(ctx, c.InOrStdin(), c.OutOrStdout())
		},
	}
}

// processAgentCommand is the agent that brunt has an engine start for operations on processes that
// brunt itself may not perform.
func processAgentCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "process-agent",
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

// terminable returns a context that ends when the engine asks the agent to terminate.
func terminable(c *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(c.Context(), syscall.SIGTERM)
}
