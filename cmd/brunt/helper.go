package main

import (
	"brunt/chaos/agent"

	"github.com/spf13/cobra"
)

// helperCommand is the agent that brunt has an engine start in the network of a container that
// brunt may not enter itself.
func helperCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "helper",
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
