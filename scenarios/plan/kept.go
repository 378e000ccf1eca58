package plan

import (
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
)

// KeepsSecret reports whether the journal has to keep a secret as the scenario writes it, to take the fault back after a
// crash of brunt. Of a secret that comes from a variable or a file the journal has the source.
func KeepsSecret(p *Plan, e *chaos.Entry) bool {
	return slices.ContainsFunc(e.Traits(chaos.Scope{}).Kept, func(text string) bool {
		return p.Scenario.Secrets.MaskFields(text) != text
	})
}

// NamedSecret says how a secret does not come into the journal.
const NamedSecret = "give it as ${env.NAME} or ${file.PATH}, of which the journal has the name alone"

// keptSecrets notes which of the faults the journal keeps a secret of.
func keptSecrets(p *Plan, faults []*chaos.Entry) []string {
	var names []string
	for _, e := range faults {
		if KeepsSecret(p, e) {
			names = append(names, fmt.Sprintf("%q", e.Name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("what takes %s back has a secret that the scenario itself writes: it is in the journal, which only this user and root "+
		"can read, until the fault is taken back; %s", strings.Join(names, ", "), NamedSecret)}
}
