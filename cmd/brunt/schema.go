package main

import (
	"brunt/scenarios/edit/reference"
	"brunt/scenarios/syntax"

	"github.com/spf13/cobra"
)

// schemas are the JSON Schemas that brunt publishes, by subject.
var schemas = map[string]func() syntax.Schema{
	"scenario": reference.Schema, "policy": reference.PolicySchema, "drill": reference.DrillSchema,
	"result": reference.Result,
	"event":  reference.EventSchema,
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema [scenario|policy|drill|result|event]",
		Short: "Print the JSON Schema of scenarios, for editors, or of the files that a run writes",
		Long: `Print a JSON Schema: of scenarios, policies or drills, for editors; of result.json; or of an
event, which is a line of events.jsonl.`,
		Example: `  brunt schema > brunt.schema.json
  brunt schema result > result.schema.json`,
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"scenario", "policy", "drill", "result", "event"},
		RunE: func(c *cobra.Command, args []string) error {
			of := "scenario"
			if len(args) == 1 {
				of = args[0]
			}
			return encodeJSON(data(c), schemas[of]())
		},
	}
}
