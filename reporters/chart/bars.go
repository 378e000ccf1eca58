package chart

import (
	"math"
	"strings"
)

// levels are the characters of a row of bars, from the lowest.
const levels = "▁▂▃▄▅▆▇█"

// SparkTimes returns a character for each time in seconds, on a logarithmic scale from the least to the largest finite
// one, which it also returns. An infinite time is as high as the largest, a blank stands for an unknown one. Without a
// finite time low and high are NaN.
func SparkTimes(values []float64) (bars string, low, high float64) {
	low, high = math.Inf(1), 0
	for _, v := range values {
		if v > 0 && !math.IsInf(v, 1) { // false for NaN
			low, high = min(low, v), max(high, v)
		}
	}
	s, ok := Log(values)
	if !ok {
		s, low, high = Scale{Hi: 1}, math.NaN(), math.NaN() // whatever is infinite is at its top
	}
	return row(values, s), low, high
}

// SparkShares returns a character for each share of bad requests, on a linear scale up to most. A blank stands for
// none.
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
