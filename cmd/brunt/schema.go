package main

import (
	"encoding/json"

	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "schema",
		Short:   "Print the JSON Schema of scenarios, for editors",
		Example: "  brunt schema > brunt.schema.json",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			e := json.NewEncoder(c.OutOrStdout())
			e.SetIndent("", " ")
			e.SetEscapeHTML(false)
			return e.Encode(run.Schema())
		},
	}
}
