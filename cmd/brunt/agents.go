package main

import (
	"context"
	"os/signal"
	"syscall"

	"brunt/chaos/agent"
	"brunt/chaos/catalog"

	"github.com/spf13/cobra"
)

// agentCommand is the agent that brunt has an engine start for what brunt itself may not do: in the network
// of a container, or to processes of the machine.
func agentCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "agent",
		Short:  "Inject faults into the network of this process or into processes of this machine, as standard input says",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			ctx, stop := terminable(c)
			defer stop()
			return agent.Serve(ctx, agent.Options{Find: catalog.Find, Operations: catalog.AllOperations()}, c.InOrStdin(), c.OutOrStdout())
		},
	}
}

// terminable returns a context that ends when the engine asks the agent to terminate.
func terminable(c *cobra.Command) (context.Context, context.CancelFunc) {
	return signal.NotifyContext(c.Context(), syscall.SIGTERM)
}
