package main

import (
	"fmt"
	"strings"

	"brunt/reporters/catalog"
	"brunt/scenarios"
	"brunt/scenarios/convert"
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
			r, err := newReference()
			if err != nil {
				return err
			}
			text, err := r.Explain(strings.Join(args, " "))
			if err != nil {
				return scenarios.Usage(err)
			}
			_, err = fmt.Fprint(stdout(c), text)
			return err
		},
	}
}

// newReference builds the reference of this build of brunt.
func newReference() (*reference.Reference, error) { return referenceOf(schemas) }

// referenceOf builds a reference from the texts of schemas, by subject.
func referenceOf(schemas map[string][]byte) (*reference.Reference, error) {
	from := reference.Sources{
		Scenario: schemas["scenario"], Policy: schemas["policy"], Drill: schemas["drill"], Result: schemas["result"],
		Event: schemas["event"], Faults: plan.ArgumentKinds(), ExitCodes: scenarios.ExitTable(),
		Formats: map[string]string{},
	}
	for _, f := range catalog.All().Formats() {
		from.Formats[f.Name] = f.About
	}
	for _, f := range convert.Converters() {
		from.Converted = append(from.Converted, [3]string{f.Name, f.Source, f.Doc})
	}
	return reference.New(from)
}
