package result

import (
	"math"
	"slices"

	"brunt/scenarios"
)

// A Repeat is what a fault did that came several times, over its occurrences.
type Repeat struct {
	Fault        string `json:"fault"`         // its name
	Kind         string `json:"kind"`          // such as process.crash
	Occurrences  int    `json:"occurrences"`   // that were due
	Impacted     int    `json:"impacted"`      // and recovered from
	NotImpacted  int    `json:"not_impacted"`  // they count as recovered after 0 s
	NotRecovered int    `json:"not_recovered"` // they count as slower than any
	Unknown      int    `json:"unknown"`       // not injected, or nothing is known of what they did; they don't count
	Onset        Spread `json:"onset"`         // of those with an impact
	Failover     Spread `json:"failover"`      // of those good again while the fault was in
	Recover      Spread `json:"recover"`       // From the injection to recovered
	Heal         Spread `json:"heal"`          // From the clearing to recovered
	Degraded     Spread `json:"degraded"`      // seconds in bad windows
}

// A Spread is how one figure lies over the occurrences of a fault that have it. Its
// percentiles are figures that were measured: the smallest that so many do not exceed.
type Spread struct {
	N      int `json:"n"`      // how many have the figure
	Min    Num `json:"min"`    // the least
	Median Num `json:"median"` // the median
	P95    Num `json:"p95"`    // null where there are fewer than 20
	Max    Num `json:"max"`    // a figure that is null though n says that there are is infinite
}

// EnoughForSpread is how many occurrences a percentile over them needs, so that it is
// not the greatest of them by another name.
func EnoughForSpread(q float64) int {
	return int(math.Ceil(1/(1-q) - 1e-9))
}

// OfSpread is the percentile q of figures in rising order: the smallest that a share q
// of them does not exceed.
func OfSpread(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	return sorted[max(1, int(math.Ceil(q*float64(len(sorted))-1e-9)))-1]
}

func spreadOf(figures []float64) Spread {
	s := Spread{N: len(figures), Min: NaN, Median: NaN, P95: NaN, Max: NaN}
	if s.N == 0 {
		return s
	}
	slices.Sort(figures)
	s.Min, s.Median, s.Max = Num(figures[0]), Num(OfSpread(figures, .5)), Num(figures[s.N-1])
	if s.N >= EnoughForSpread(.95) {
		s.P95 = Num(OfSpread(figures, .95))
	}
	return s
}

// Repeats sums up the faults among records that came several times, in the order of
// their first occurrence.
func Repeats(records []FaultRecord) []Repeat {
	var order []string
	by := map[string][]*FaultRecord{}
	for i := range records {
		name := scenarios.FaultOf(records[i].Name)
		if name == records[i].Name {
			continue
		}
		if by[name] == nil {
			order = append(order, name)
		}
		by[name] = append(by[name], &records[i])
	}
	var out []Repeat
	for _, name := range order {
		out = append(out, repeatOf(name, by[name]))
	}
	return out
}

func repeatOf(name string, records []*FaultRecord) Repeat {
	r := Repeat{Fault: name, Kind: records[0].Kind, Occurrences: len(records)}
	var onset, failover, recover, heal, degraded []float64
	known := func(all []float64, n Num) []float64 {
		if n.Known() || math.IsInf(float64(n), 1) {
			all = append(all, float64(n))
		}
		return all
	}
	for _, f := range records {
		switch f.Impact {
		case Impacted:
			r.Impacted++
		case NotImpacted:
			r.NotImpacted++
		case NotRecovered:
			r.NotRecovered++
		default:
			r.Unknown++
			continue
		}
		onset, failover, recover, heal, degraded = known(onset, f.Onset), known(failover, f.Failover), known(recover, f.Recover), known(heal, f.Heal), known(degraded, f.Degraded)
	}
	r.Onset, r.Failover, r.Recover, r.Heal, r.Degraded = spreadOf(onset), spreadOf(failover), spreadOf(recover), spreadOf(heal), spreadOf(degraded)
	return r
}
