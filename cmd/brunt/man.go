package main

import (
	"os"

	"brunt/scenarios/machine"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// manCommand writes the man pages that a package installs.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "man DIR",
		Short:  "Write a manual page of each command into a folder",
		Long:   "Write a manual page of each command into a folder, for packages. SOURCE_DATE_EPOCH gives their date.",
		Args:   cobra.ExactArgs(1),
		Hidden: true,
		RunE: func(c *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o777); err != nil {
				return err
			}
			root := c.Root()
			root.DisableAutoGenTag = true
			return doc.GenManTree(root, &doc.GenManHeader{
				Title: "BRUNT", Section: "1", Source: "brunt " + machine.Version(), Manual: "brunt",
			}, args[0])
		},
	}
}
