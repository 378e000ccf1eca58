package words

import (
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// Budget is the share of bad requests that an objective allows.
type Budget struct {
	Text       string
	Phase      slo.Phase
	Load, Step string  // "*" means all
	Allowed    float64 // share of the requests
}

// BudgetOf returns the error budget of an objective; ok is false if it has none.
func BudgetOf(o *result.ObjectiveResult) (b Budget, ok bool) {
	def, ok := o.Asks()
	if !ok || o.List == "steady" {
		return b, false
	}
	b = Budget{Text: Clean(o.Text), Phase: o.Phase, Load: "*", Step: "*"}
	if allows := def.Metric.Row().Allows; allows != nil && !def.Relative() {
		b.Allowed = allows(def)
	}
	if def.Load != "" {
		b.Load = def.Load
	}
	if def.Step != "" {
		b.Step = def.Step
	}
	return b, b.Allowed > 1e-12
}
