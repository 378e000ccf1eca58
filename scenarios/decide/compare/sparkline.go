package compare

import (
	"math"
	"strings"
)

// bars are the characters of a sparkline, the lowest first.
var bars = []rune("▁▂▃▄▅▆▇█")

// sparkline draws the last width values as bars between the smallest and the largest, the last at the right. A value
// that is not finite is drawn as !.
func sparkline(values []float64, width int) string {
	values = values[max(0, len(values)-width):]
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			low, high = min(low, v), max(high, v)
		}
	}
	var b strings.Builder
	for _, v := range values {
		switch {
		case math.IsNaN(v) || math.IsInf(v, 0):
			b.WriteRune('!')
		case high <= low:
			b.WriteRune(bars[0])
		default:
			b.WriteRune(bars[min(len(bars)-1, int(float64(len(bars))*(v-low)/(high-low)))])
		}
	}
	return b.String()
}
