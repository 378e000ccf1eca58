package run

import (
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios/measure"
	"brunt/scenarios/quantity"
)

// slowLimits words the limits of slow answers of the first steps.
func slowLimits(series *measure.Series, by []measure.SlowLimit) string {
	const most = 6
	var out []string
	rest := 0
	for i, l := range by {
		if !series.InSums(i) {
			continue
		}
		if len(out) == most {
			rest++
			continue
		}
		one := series.Steps[i].Name + " over " + quantity.FormatSeconds(l.At.Seconds())
		if l.Few {
			one += " (with too few answers of its own)"
		} else {
			one += " (bound " + quantity.FormatSeconds(l.Bound.Seconds()) + " of " + strconv.FormatInt(l.Answers, 10) +
				" answers)"
		}
		out = append(out, one)
	}
	if rest > 0 {
		out = append(out, fmt.Sprintf("and %d more", rest))
	}
	return strings.Join(out, ", ")
}
