package main

import (
	"brunt/chaos/stress"

	"github.com/spf13/cobra"
)

// burnCommand is the command that starts a stress process.
func burnCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "burn",
		Short:  "Use the resources that standard input names, until it ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(c *cobra.Command, _ []string) error { return stress.Run(c.InOrStdin(), c.OutOrStdout()) },
	}
}
