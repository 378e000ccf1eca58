package reporters

import (
	"io"

	"brunt/scenarios/result"
)

// Scenario writes scenario.yaml: the scenario as it was resolved for the run, seed
// included, so that the run can be had again.
type Scenario struct{}

var _ Reporter = Scenario{}

// Report implements [Reporter].
func (Scenario) Report(w io.Writer, r *result.Result) error {
	_, err := io.WriteString(w, string([]rune(r.Scenario))) // what is no UTF-8 is replaced, as in result.json
	return err
}
