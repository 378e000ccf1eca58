package k6

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"brunt/scenarios/slo"
)

// An expression is a parsed threshold: p(95)<200.
type expression struct {
	what       string  // count, rate, value, avg, min, max, med or p
	percentile float64 // percentile of p, 0 to 100
	op         string
	target     float64
}

var expressionPattern = regexp.MustCompile(`^\s*(count|rate|value|avg|min|max|med|p\(\s*([0-9]+(?:\.[0-9]+)?)\s*\))\s*(<=|>=|===|==|!=|<|` +
	`>)\s*([-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*$`)

// whats lists the aggregations of each type of metric.
var whats = map[string]string{"counter": "count rate", "gauge": "value", "rate": "rate", "trend": "avg min max med p"}

// parseExpression reads a threshold in k6's own grammar.
func parseExpression(source string) (expression, error) {
	m := expressionPattern.FindStringSubmatch(source)
	if m == nil {
		return expression{}, fmt.Errorf("%q is not a k6 threshold; want such as p(95)<200, rate<0.01, count>100", source)
	}
	e := expression{what: m[1], op: m[3]}
	if strings.HasPrefix(e.what, "p(") {
		e.what = "p"
		e.percentile, _ = strconv.ParseFloat(m[2], 64)
		if e.percentile > 100 {
			return expression{}, fmt.Errorf("the threshold %q asks for a percentile over 100", source)
		}
	}
	var err error
	if e.target, err = strconv.ParseFloat(m[4], 64); err != nil {
		return expression{}, fmt.Errorf("the threshold %q: %q is not a number", source, m[4])
	}
	return e, nil
}

// fits reports whether a metric of a type has the aggregation.
func (e expression) fits(typ string) bool {
	for w := range strings.FieldsSeq(whats[typ]) {
		if w == e.what {
			return true
		}
	}
	return false
}

// text returns the aggregation in k6's notation.
func (e expression) text() string {
	if e.what == "p" {
		return "p(" + strconv.FormatFloat(e.percentile, 'g', -1, 64) + ")"
	}
	return e.what
}

// Holds reports whether a value meets the target of a threshold, as k6 compares them.
func Holds(v float64, op string, target float64) bool {
	return slo.Objective{Op: op, Value: target}.Holds(v)
}

// holds compares the measured value with the threshold.
func (e expression) holds(v float64) bool { return Holds(v, e.op, e.target) }
