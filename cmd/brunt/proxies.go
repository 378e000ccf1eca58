package main

import (
	"brunt/chaos/proxy/child"

	"github.com/spf13/cobra"
)

// proxiesCommand is the process with the proxies of links.
func proxiesCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "proxies",
		Short:  "Run the proxies that standard input asks for, until it ends",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return child.Serve(c.Context(), c.InOrStdin(), c.OutOrStdout())
		},
	}
}

// proxies returns the command line of that process.
func proxies() []string { return append(self(), "proxies") }
