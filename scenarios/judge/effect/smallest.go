package effect

import (
	"math"
	"time"
)

// Smallest computes the smallest effects that a load of rate requests per second can show under a limit, if there
// were no errors before: the shortest total outage at any position, the smallest lasting error rate, and the width of
// the windows that detect it.
func Smallest(rate, limit float64) (outage time.Duration, share float64, window time.Duration) {
	window, _ = Windows(rate, limit)
	width := window.Seconds()
	// least returns the smallest number of bad requests among n that is rarer than chance
	least := func(n, chance float64) float64 {
		k := math.Floor(n*limit) + 1
		for k < n && UpperTail(k, n, limit) >= chance {
			k++
		}
		return k
	}
	// the window after an injection includes the rest of a second; and an outage may be split over
	// two windows, with too little in one to be beyond doubt, and too little in the other to be bad
	n := rate * (width + 1)
	k := least(n, tailStrong) + least(n, tailBad) - 1
	if width > 1 { // requests that are bad in a row are enough; see searched
		k = max(sharpLeast, least(n, tailBad))
	}
	return time.Duration(k / rate * float64(time.Second)), least(rate*width, tailBad) / (rate * width), window
}
