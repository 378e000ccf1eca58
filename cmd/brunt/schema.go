package main

import (
	"brunt/scenarios/run"

	"github.com/spf13/cobra"
)

func schemaCommand() *cobra.Command {
	policy := false
	c := &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenarios, for editors",
		Example: `  brunt schema > brunt.schema.json
  brunt schema --policy > brunt.policy.schema.json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if policy {
				return encodeJSON(c.OutOrStdout(), run.PolicySchema())
			}
			return encodeJSON(c.OutOrStdout(), run.Schema())
		},
	}
	c.Flags().BoolVar(&policy, "policy", false, "print that of policy files")
	return c
}
