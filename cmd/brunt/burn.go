package main

import (
	"brunt/chaos/burner"

	"github.com/spf13/cobra"
)

// burnCommand is what brunt starts to use up what a unit is to be short of.
func burnCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "burn",
		Short:  "Do the job that standard input gives, until it ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(c *cobra.Command, _ []string) error { return burner.Run(c.InOrStdin(), c.OutOrStdout()) },
	}
}
