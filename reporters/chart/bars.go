package chart

import (
	"math"
	"strings"
)

// levels are the characters of a row of bars, from the lowest.
const levels = "▁▂▃▄▅▆▇█"

// SparkTimes returns a character for each time in seconds. The scale is logarithmic, from the least to the largest
// finite time, which SparkTimes also returns as low and high; without a finite time they are NaN. An infinite time is
// as high as the largest finite one. A blank stands for NaN.
func SparkTimes(values []float64) (bars string, low, high float64) {
	low, high = math.Inf(1), 0
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 1) { // false for NaN
			low, high = min(low, v), max(high, v)
		}
	}
	s, ok := Log(values)
	if !ok {
		s, low, high = Scale{Hi: 1}, math.NaN(), math.NaN() // infinite values are at the top
	}
	return row(values, s), low, high
}

// SparkShares returns a character for each share of bad requests, on a linear scale up to most. A blank stands for
// zero or NaN.
func SparkShares(values []float64, most float64) string {
	shown := make([]float64, len(values))
	for i, v := range values {
		shown[i] = math.NaN()
		if v > 0 {
			shown[i] = min(v, most)
		}
	}
	return row(shown, Scale{Hi: math.Max(most, 1e-9)})
}

func row(values []float64, s Scale) string {
	chars := []rune(levels)
	var b strings.Builder
	for _, v := range values {
		if math.IsNaN(v) {
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(chars[min(len(chars)-1, int(s.At(v)*float64(len(chars))))])
	}
	return b.String()
}
