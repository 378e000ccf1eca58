package main

import (
	"brunt/chaos/stress"

	"github.com/spf13/cobra"
)

// stressCommand runs a process that stresses a resource.
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
