package evidence

import (
	"io"

	"brunt/reporters"
	"brunt/scenarios/result"
)

// Scenario writes scenario.yaml: the scenario in the form that the run resolved, with its seed, so that the run can
// be repeated.
type Scenario struct{}

var _ reporters.Reporter = Scenario{}

const scenarioFile = "scenario.yaml"

func (Scenario) Format() reporters.Format {
	return reporters.Format{
		Name: "scenario", File: scenarioFile,
		About: "The scenario as the run resolved it, with its seed, so that the run can be repeated.",
	}
}

func (Scenario) Report(w io.Writer, r *result.Result) error {
	_, err := io.WriteString(w, string([]rune(r.Scenario))) // invalid UTF-8 is replaced, like in result.json
	return err
}
