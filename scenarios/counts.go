package scenarios

import (
	"fmt"
	"strconv"
	"strings"
)

// Counts is a span of whole numbers from 1 on, written 1..100; a single number is the
// span from itself to itself. The zero value was not written.
type Counts struct{ Min, Max int }

const maxCount = 1_000_000_000

// ParseCounts reads a span of whole numbers.
func ParseCounts(s string) (Counts, error) {
	a, b, two := strings.Cut(s, "..")
	from, ok := parseInt(strings.TrimSpace(a))
	to, ok2 := from, ok
	if two {
		to, ok2 = parseInt(strings.TrimSpace(b))
	}
	switch {
	case !ok || !ok2:
		return Counts{}, fmt.Errorf("want a number or a range such as 1..100, not %q", clip(s, 40))
	case from < 1 || to > maxCount:
		return Counts{}, fmt.Errorf("want numbers from 1 to %d, not %s", maxCount, clip(s, 40))
	case to < from:
		return Counts{}, fmt.Errorf("%d..%d runs backwards", from, to)
	}
	return Counts{int(from), int(to)}, nil
}

// String writes the span as ParseCounts reads it.
func (c Counts) String() string {
	if c.Min == c.Max {
		return strconv.Itoa(c.Min)
	}
	return fmt.Sprintf("%d..%d", c.Min, c.Max)
}

// Mean is the middle of the span.
func (c Counts) Mean() float64 { return float64(c.Min+c.Max) / 2 }

// DecodeNode implements [NodeDecoder].
func (c *Counts) DecodeNode(n *Node, m *Mistakes) {
	decodeScalar(n, m, ParseCounts, func(v Counts) { *c = v })
}

// Schema implements [Schemer].
func (*Counts) Schema() Schema {
	const whole = `\s*\+?[1-9][0-9_]*\s*`
	return Schema{"anyOf": []any{Schema{"type": "integer", "minimum": 1, "maximum": maxCount}, pattern("^"+whole+`(\.\.`+whole+")?$", "1..100", 50)}}
}
