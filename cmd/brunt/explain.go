package main

import (
	"fmt"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/edit/reference"
	"brunt/scenarios/plan"

	"github.com/spf13/cobra"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [PATH]",
		Short: "Explain a key, a kind of fault, a metric, an exit code or a term",
		Long: `Explain a key of a scenario, of a policy, of a drill or of result.json, a kind of fault, an executor,
a protocol, a metric, an exit code, or a term of a report. PATH is the keys with dots between them, or
the last of these keys. Without PATH, list everything that can be explained.`,
		Example: `  brunt explain network.latency
  brunt explain load.rate
  brunt explain hold
  brunt explain exit-codes`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: completeTerms,
		RunE: func(c *cobra.Command, args []string) error {
			text, err := newReference().Explain(strings.Join(args, " "))
			if err != nil {
				return scenarios.Usage(err)
			}
			_, err = fmt.Fprint(stdout(c), text)
			return err
		},
	}
}

// newReference returns the reference of this build of brunt.
func newReference() *reference.Reference {
	return reference.Read(reference.Sources{Faults: plan.ArgumentKinds(), ExitCodes: scenarios.ExitTable()})
}
