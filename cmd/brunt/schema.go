package main

import (
	"brunt/examples"

	"github.com/spf13/cobra"
)

// schemas are the JSON Schemas that brunt publishes, by subject. Making them from the source takes a second of
// processor time, so that brunt holds the finished texts.
var schemas = map[string][]byte{
	"scenario": examples.ScenarioSchema, "policy": examples.PolicySchema, "drill": examples.DrillSchema,
	"result": examples.ResultSchema, "event": examples.EventSchema,
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
			_, err := data(c).Write(schemas[of])
			return err
		},
	}
}
