package words

import (
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// DecisionSentence makes a sentence of a text of a decision. It does not capitalize the name of a metric at its
// beginning.
func DecisionSentence(d *result.Decision, says string) string {
	says = Clean(says)
	sentence := syntax.Sentence(says)
	for i := range d.Metrics {
		if name := Clean(d.Metrics[i].Name); name != "" && strings.HasPrefix(says, name) {
			return name + sentence[len(name):]
		}
	}
	return sentence
}
