// Package converttest parses converted scenarios for the tests of converters.
package converttest

import "brunt/scenarios"

// Parse parses a converted scenario. Every environment variable is set, and every file that it names
// is a table of two columns.
func Parse(text string) (*scenarios.Scenario, error) {
	return scenarios.Parse("made.yaml", scenarios.Options{
		Env: func(string) (string, bool) { return "secret", true },
		Read: func(path string) ([]byte, error) {
			if path == "made.yaml" {
				return []byte(text), nil
			}
			return []byte("a,b\n1,2\n"), nil
		},
	})
}
