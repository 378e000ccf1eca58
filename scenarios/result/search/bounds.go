package search

import (
	"math"

	"brunt/scenarios/statistics"
)

// An Interval of rates holds a capacity with 95 % confidence.
type Interval struct {
	Low  float64 `json:"low"`  // a second
	High float64 `json:"high"` // a second; zero means that no bound was found
}

// within is the mass of the posterior within an [Interval]. It is more than the confidence of 95 %: an interval of 95 %
// of the posterior holds the capacity of 95 % of all searches on average, so of 200 searches fewer than 190 in every
// second series.
const within = .98

// The model of [Found.Bounds]: how far the capacity of a probe may vary, as the standard deviation of its logarithm,
// and the share of probes whose answer has nothing to do with the rate.
const (
	leastSpread = .005
	mostSpread  = .3
	spreads     = 16
	lapse       = .01
	gridStep    = .002 // of the logarithm of the capacity
	aside       = .5   // the grid goes so far beyond the ends of the search, as a logarithm
)

// Bounds returns the interval that holds the capacity with 95 % confidence: the rate at which half of all probes hold.
// It is at least as wide as from Low to High, which are the ends of the search and have no confidence of their own,
// because the capacity of a probe varies.
//
// The answers of all probes are compared with a model: the logarithm of the capacity of a probe is normal, of a median
// and a spread that are unknown; the prior is flat in both logarithms. The interval leaves out 1 % of the posterior of
// the median at each end. That holds for rates that were chosen by earlier answers too. Source: Watson and Pelli,
// QUEST: a Bayesian adaptive psychometric method, 1983; Kontsevich and Tyler, Bayesian adaptive estimation of
// psychometric slope and threshold, 1999.
func (f *Found) Bounds() Interval {
	if f.High == 0 {
		return Interval{Low: f.Low}
	}
	votes := map[float64][2]float64{} // by rate: the probes that held, and those that broke
	least := f.High
	for _, t := range f.Tries {
		v := votes[t.Rate]
		switch t.Answer {
		case Holds:
			v[0]++
		case Breaks:
			v[1]++
		default:
			continue
		}
		votes[t.Rate], least = v, min(least, t.Rate)
	}
	if len(votes) == 0 {
		return Interval{f.Low, f.High}
	}
	if f.Low > 0 {
		least = f.Low
	}
	from := math.Log(least) - aside
	n := int((math.Log(f.High) + aside - from) / gridStep)
	logs := make([][spreads]float64, n)
	highest := math.Inf(-1)
	for i := range logs {
		median := from + float64(i)*gridStep
		for j := range spreads {
			spread := leastSpread * math.Pow(mostSpread/leastSpread, float64(j)/(spreads-1))
			sum := 0.0
			for rate, v := range votes {
				holds := lapse/2 + (1-lapse)*statistics.NormalSurvival((math.Log(rate)-median)/spread)
				sum += v[0]*math.Log(holds) + v[1]*math.Log(1-holds)
			}
			logs[i][j] = sum
			highest = max(highest, sum)
		}
	}
	mass, all := make([]float64, n), 0.0
	for i := range logs {
		for _, l := range logs[i] {
			mass[i] += math.Exp(l - highest)
		}
		all += mass[i]
	}
	at := func(share float64) float64 {
		sum := 0.0
		for i, m := range mass {
			if sum += m; sum >= share*all {
				return math.Exp(from + float64(i)*gridStep)
			}
		}
		return f.High
	}
	out := Interval{Low: at((1 - within) / 2), High: at(1 - (1-within)/2)}
	out.Low = min(out.Low, f.Low) // zero where no rate held
	out.High = max(out.High, f.High)
	return out
}
