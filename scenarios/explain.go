package scenarios

import "brunt/scenarios/syntax"

// Explain writes the scenario as it was resolved: extends merged, params filled in.
// What came from the environment or a file stays the placeholder that names it, and
// is masked wherever else it stands. It is itself a scenario.
func (s *Scenario) Explain() string {
	if s.Root == nil {
		return ""
	}
	return syntax.WriteYAML(s.resolved(), s.Secrets.Mask)
}
