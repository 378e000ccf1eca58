package words

import (
	"strings"

	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
)

// DecisionSentence makes a sentence of what a decision says. The name of a metric stays as it is written, also at its
// begin.
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
