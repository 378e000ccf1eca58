package statistics

// bets is the number of bets of a wager.
const bets = 50

// A wager is evidence that the mean of values between 0 and 1 exceeds a share, however often one looks at it. The
// zero value is not ready; newWager makes one.
//
// A gambler begins with a capital of 1 and bets a part of it on each value: a bet b multiplies the capital by
// 1 + b·(x/share - 1), which is 1 on average if the mean is share. Half of the capital is bet whole each time (b = 1),
// which grows fastest while all values are 1, and is lost with the first 0. The other half is split evenly over
// smaller bets. A mixture of martingales is a martingale, so Ville's inequality holds for it: if the mean is at most
// share, the capital ever reaches 1/alpha with a probability of at most alpha (Waudby-Smith and Ramdas, Estimating
// means of bounded random variables by betting, Journal of the Royal Statistical Society B 2024; Robbins, Statistical
// methods related to the law of the iterated logarithm, Annals of Mathematical Statistics 1970).
//
// The values must be independent of each other, or each have a mean of at most share given the ones before.
type wager struct {
	share   float64
	capital [bets]float64 // by size of the bet
}

// newWager returns a wager against a mean of at most share, which lies between 0 and 1.
func newWager(share float64) *wager {
	w := &wager{share: share}
	for i := range w.capital {
		w.capital[i] = .5 / (bets - 1)
	}
	w.capital[bets-1] = .5
	return w
}

// Add bets on a value between 0 and 1.
func (w *wager) Add(x float64) {
	for i := range w.capital {
		w.capital[i] *= 1 + float64(i+1)/bets*(x/w.share-1)
	}
}

// Capital returns the capital, an e-value: a mean of at most share is refuted at level alpha once it reaches 1/alpha.
func (w *wager) Capital() float64 {
	total := 0.
	for _, c := range w.capital {
		total += c
	}
	return total
}

// shareAbove returns the capital of a wager against a mean of at most share, after all values.
func shareAbove(values []float64, share float64) float64 { return wagered(values, share).Capital() }

func wagered(values []float64, share float64) *wager {
	w := newWager(share)
	for _, x := range values {
		w.Add(x)
	}
	return w
}

// shareBelow returns the capital of a wager against a mean of at least share: evidence for a smaller mean.
func shareBelow(values []float64, share float64) float64 {
	return shareAbove(complements(values), 1-share)
}

// complements returns 1-x of each value x.
func complements(values []float64) []float64 {
	out := make([]float64, len(values))
	for i, x := range values {
		out[i] = 1 - x
	}
	return out
}

// ShareLowest returns the lower bound of the mean of values between 0 and 1 that holds at all times together with a
// probability of at least 1-alpha; 0 without values.
func ShareLowest(values []float64, alpha float64) float64 {
	low, high := 0., 1.
	for high-low > 1e-9 {
		// the e-value falls as the share grows, because each of its factors does
		if middle := (low + high) / 2; shareAbove(values, middle) >= 1/alpha {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// ShareHighest returns the upper bound of the mean of values between 0 and 1 that holds at all times together with a
// probability of at least 1-alpha; 1 without values.
func ShareHighest(values []float64, alpha float64) float64 {
	return 1 - ShareLowest(complements(values), alpha)
}

// enoughValues bounds [EnoughAbove].
const enoughValues = 100_000

// EnoughAbove returns how many more values, each of them 1, show a mean of more than share with a probability of error
// of at most alpha; 0 if the values show it already. ok is false if a hundred thousand do not.
func EnoughAbove(values []float64, share, alpha float64) (n int, ok bool) {
	w := wagered(values, share)
	for n := range enoughValues {
		if w.Capital() >= 1/alpha {
			return n, true
		}
		w.Add(1)
	}
	return enoughValues, false
}
