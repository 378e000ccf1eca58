package impact

import (
	"math"
	"time"
)

// Smallest tells what a load of rate requests per second can show under a limit,
// where there is no error before: the shortest total outage, wherever it lies, the
// smallest error rate that lasts, and the width of the windows that it is seen in.
func Smallest(rate, limit float64) (outage time.Duration, share float64, window time.Duration) {
	width := math.Max(1, math.Ceil(expected/(limit*rate)))
	window = time.Duration(width) * time.Second
	// least is how many bad requests among n have a tail under chance
	least := func(n, chance float64) float64 {
		k := math.Floor(n*limit) + 1
		for k < n && upperTail(k, n, limit) >= chance {
			k++
		}
		return k
	}
	// the window after an injection has the rest of a second as well; and an outage
	// may fall into two, too little of it in one to be beyond doubt, and in the
	// other to be bad
	n := rate * (width + 1)
	k := least(n, tailStrong) + least(n, tailBad) - 1
	return time.Duration(k / rate * float64(time.Second)), least(rate*width, tailBad) / (rate * width), window
}
