package plan

import (
	"fmt"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/timeline"
	"brunt/scenarios"
)

// KeepsSecret reports whether the journal has to keep a secret in clear text, as the scenario has it, to be able to
// take the fault back after a crash of brunt. For a secret from a variable or a file, the journal keeps only the
// source. With steps it also keeps the URLs that they may go to.
func KeepsSecret(sc *scenarios.Scenario, e *timeline.Entry) bool {
	t := e.Traits(chaos.Scope{})
	texts := slices.Clone(t.Kept)
	if slices.ContainsFunc(t.Acts, func(s chaos.Sequence) bool { return s.Kept }) {
		texts = append(texts, sc.Target.URL.Text())
		for _, to := range sc.Target.Endpoints {
			texts = append(texts, to.Text())
		}
	}
	return slices.ContainsFunc(texts, func(text string) bool { return sc.Secrets.MaskFields(text) != text })
}

// NamedSecret is advice on how to keep a secret out of the journal.
const NamedSecret = "give it as ${env.NAME} or ${file.PATH}: the journal then has only the name"

// secretNotes returns notes on the faults whose secrets the journal keeps.
func secretNotes(sc *scenarios.Scenario, faults []*timeline.Entry) []string {
	var names []string
	for _, e := range faults {
		if KeepsSecret(sc, e) {
			names = append(names, fmt.Sprintf("%q", e.Name))
		}
	}
	if len(names) == 0 {
		return nil
	}
	return []string{fmt.Sprintf("what takes %s back has a secret that the scenario itself writes: it is in the "+
		"journal, which only this user and root "+
		"can read, until the fault is taken back; %s", strings.Join(names, ", "), NamedSecret)}
}
