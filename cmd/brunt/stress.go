package main

import (
	"brunt/chaos/stress"

	"github.com/spf13/cobra"
)

// stressCommand is the command that starts a stress process.
func stressCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "stress",
		Short:  "Use the resources that standard input names, until it ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(c *cobra.Command, _ []string) error { return stress.Run(c.InOrStdin(), c.OutOrStdout()) },
	}
}

// stressor returns the command line of a stress process.
func stressor() []string { return append(self(), "stress") }
