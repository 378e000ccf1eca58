package quantity

import (
	"fmt"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
)

// Counts is a range of whole numbers from 1 on, written 1..100. A single number is a range of one number. The zero
// value means that it was not written.
type Counts struct{ Min, Max int }

const maxCount = 1_000_000_000

// parseCounts parses a range of whole numbers.
func parseCounts(s string) (Counts, error) {
	a, b, two := strings.Cut(s, "..")
	from, ok := syntax.ParseInt(strings.TrimSpace(a))
	to, ok2 := from, ok
	if two {
		to, ok2 = syntax.ParseInt(strings.TrimSpace(b))
	}
	switch {
	case !ok || !ok2:
		return Counts{}, fmt.Errorf("want a number or a range such as 1..100, not %q", syntax.Clip(s, 40))
	case from < 1 || to > maxCount:
		return Counts{}, fmt.Errorf("want numbers from 1 to %d, not %s", maxCount, syntax.Clip(s, 40))
	case to < from:
		return Counts{}, fmt.Errorf("%d..%d runs backwards", from, to)
	}
	return Counts{int(from), int(to)}, nil
}

// String formats the range as parseCounts parses it.
func (c Counts) String() string {
	if c.Min == c.Max {
		return strconv.Itoa(c.Min)
	}
	return fmt.Sprintf("%d..%d", c.Min, c.Max)
}

// Mean returns the middle of the range.
func (c Counts) Mean() float64 { return float64(c.Min+c.Max) / 2 }

func (c *Counts) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, parseCounts, func(v Counts) { *c = v })
}

func (*Counts) Schema() syntax.Schema {
	const whole = `\s*\+?[1-9][0-9_]*\s*`
	return syntax.Schema{"anyOf": []any{
		syntax.Schema{"type": "integer", "minimum": 1, "maximum": maxCount},
		syntax.Pattern("^"+whole+`(\.\.`+whole+")?$", "1..100", 50),
	}}
}

// maxRange is the maximum number of values in an IntRange.
const maxRange = 1_000_000

// IntRange is a range of whole numbers, both ends included: 1..500.
type IntRange struct{ From, To int64 }

func (r *IntRange) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	syntax.DecodeScalar(n, m, parseIntRange, func(v IntRange) { *r = v })
}

func parseIntRange(s string) (IntRange, error) {
	a, b, _ := strings.Cut(s, "..")
	from, ok1 := syntax.ParseInt(strings.TrimSpace(a))
	to, ok2 := syntax.ParseInt(strings.TrimSpace(b))
	switch {
	case !ok1 || !ok2:
		return IntRange{}, fmt.Errorf("want a range such as 1..500, not %q", syntax.Clip(s, 40))
	case to < from:
		return IntRange{}, fmt.Errorf("%d..%d runs backwards", from, to)
	case uint64(to)-uint64(from) >= maxRange:
		return IntRange{}, fmt.Errorf("a range has at most %d values; ${int(%d,%d)} draws from any", maxRange, from, to)
	}
	return IntRange{from, to}, nil
}

func (*IntRange) Schema() syntax.Schema {
	const whole = `\s*[-+]?[0-9][0-9_]*\s*`
	return syntax.Pattern("^"+whole+`\.\.`+whole+"$", "1..500")
}
