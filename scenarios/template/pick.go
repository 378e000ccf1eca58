package template

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"sort"
	"strings"

	"brunt/scenarios/syntax"
)

// How rows of a table are picked.
const (
	inTurn   = "next"
	shuffled = "shuffle"
	drawn    = "random"
	once     = "unique"
	skewed   = "zipf"
)

// plain are the ways without a setting.
var plain = []string{inTurn, shuffled, drawn, once}

// A picking says which row of a table an iteration takes: next, shuffle, random, unique, or {zipf: 1.1}.
type picking struct {
	By   string
	Zipf float64 // the exponent
}

// skew is the form of a picking that prefers some rows.
type skew struct {
	syntax.Place
	// how much more often early rows are picked: row n is picked n to the power of this number less often than row 1;
	// 1 is Zipf's law, and with 1.1 the first of a million rows is one of eight picks
	Zipf float64 `yaml:"zipf,required"`
}

// mostSkew is the largest exponent. With it the second row is 1024 times rarer than the first.
const mostSkew = 10

func (p *picking) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.Map {
		syntax.DecodeScalar(n, m, parsePick, func(by string) { p.By = by })
		return
	}
	var s skew
	before := m.Len()
	syntax.Decode(n, &s, m)
	switch {
	case m.Len() > before:
	case !(s.Zipf > 0 && s.Zipf <= mostSkew):
		m.AddHint(s.Of("zipf"), "such as 1.1; random picks all rows alike", "want a number over 0, up to %d, not %v",
			mostSkew, s.Zipf)
	default:
		p.By, p.Zipf = skewed, s.Zipf
	}
}

func parsePick(s string) (string, error) {
	if slices.Contains(plain, s) {
		return s, nil
	}
	text := fmt.Sprintf("want %s or {zipf: 1.1}, not %q", strings.Join(plain, ", "), syntax.Clip(s, 40))
	if near := syntax.Nearest(s, plain); near != "" {
		text += fmt.Sprintf("; did you mean %q?", near)
	}
	return "", fmt.Errorf("%s", text)
}

func (*picking) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{syntax.Enum(plain), syntax.SchemaOf(reflect.TypeFor[skew](), doc)}}
}

// zipfWeights returns the cumulative weights of n rows. The weight of a row is its number to the power of -s (Zipf,
// 1949).
func zipfWeights(n int, s float64) []float64 {
	sums := make([]float64, n)
	sum := 0.0
	for i := range sums {
		sum += math.Pow(float64(i+1), -s)
		sums[i] = sum
	}
	return sums
}

// weighed returns the row for a random number from 0 to 1.
func weighed(sums []float64, at float64) int {
	at *= sums[len(sums)-1]
	return min(sort.Search(len(sums), func(i int) bool { return sums[i] > at }), len(sums)-1)
}
