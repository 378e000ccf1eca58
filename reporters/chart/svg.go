package chart

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// The size of a drawing in its own units. It is stretched to its place.
const (
	width  = 1000
	height = 100
)

func sparkUnit(f float64) string { return strconv.Itoa(int(math.Round(f))) }

// Line returns the path of values in steps, one for each column.
func (c *SparkSeries) Line(values []float64, s Scale) string {
	var b strings.Builder
	down := false
	last := ""
	for i, v := range values {
		if math.IsNaN(v) {
			down = false
			continue
		}
		y := sparkUnit(height * (1 - s.At(v)))
		switch {
		case !down:
			fmt.Fprintf(&b, "M%s %s", c.edge(i), y)
		case y != last:
			b.WriteString("V" + y)
		}
		if i+1 == len(values) || math.IsNaN(values[i+1]) || sparkUnit(height*(1-s.At(values[i+1]))) != y {
			b.WriteString("H" + c.edge(i+1))
		}
		down, last = true, y
	}
	return b.String()
}

// Level returns the path of one value over a part of the series.
func (c *SparkSeries) Level(from, to, value float64, s Scale) string {
	if !(to > c.From && from < c.To) { // true for NaN
		return ""
	}
	return fmt.Sprintf("M%s %sH%s", sparkUnit(c.place(from)*width), sparkUnit(height*(1-s.At(value))),
		sparkUnit(c.place(to)*width))
}

// Area returns the path of the area under values. A value of 0 or NaN has no area.
func (c *SparkSeries) Area(values []float64, s Scale) string {
	var b strings.Builder
	for i := 0; i < len(values); i++ {
		if !(values[i] > 0) { // false for NaN
			continue
		}
		from := i
		for i+1 < len(values) && values[i+1] == values[from] {
			i++
		}
		y := math.Min(height*(1-s.At(values[from])), height-2) // the smallest share stays visible
		fmt.Fprintf(&b, "M%s %dV%sH%sV%dz", c.edge(from), height, sparkUnit(y), c.edge(i+1), height)
	}
	return b.String()
}

// edge is the left edge of a column.
func (c *SparkSeries) edge(i int) string { return sparkUnit(float64(i) * width / float64(len(c.P95))) }

// Rect returns the path of a part of the series from top to bottom, at least one unit wide; empty if the part lies
// outside.
func (c *SparkSeries) Rect(from, to float64) string {
	if !(to >= c.From && from <= c.To) { // true for NaN
		return ""
	}
	a, b := c.place(from)*width, c.place(to)*width
	return fmt.Sprintf("M%s 0H%sV%dH%sz", sparkUnit(a), sparkUnit(math.Max(b, a+1)), height, sparkUnit(a))
}
