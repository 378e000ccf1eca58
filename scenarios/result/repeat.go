package result

import (
	"math"
	"slices"
)

// A Repeat summarizes the occurrences of a repeated fault.
type Repeat struct {
	Fault       string `json:"fault" mask:"-"` // name of the fault
	Kind        string `json:"kind" mask:"-"`  // kind of the fault, such as process.crash
	Occurrences int    `json:"occurrences"`    // number of due occurrences
	Impacted    int    `json:"impacted"`       // occurrences with impact that were recovered from
	// occurrences with an impact but no outage to recover from: answers were slower, or writes were lost
	NoOutage    int `json:"no_outage,omitempty"`
	NotImpacted int `json:"not_impacted"` // occurrences without impact; they count as recovered after 0 s
	// of these, the ones in which one step alone had an outage
	StepOutages  int `json:"step_outages,omitempty"`
	NotRecovered int `json:"not_recovered"` // occurrences without recovery; they count as slower than any
	// occurrences that were not injected or whose effect is unknown; the figures leave them out
	Unknown int `json:"unknown"`
	// time from the injection to the first harm, over occurrences with an impact
	Onset Spread `json:"onset"`
	// time from the injection until requests were good again, over occurrences in which they were so during the fault
	Failover Spread `json:"failover"`
	Recover  Spread `json:"recover"`  // time from the injection to recovery
	Heal     Spread `json:"heal"`     // time from the clearing to recovery
	Degraded Spread `json:"degraded"` // seconds of bad requests
}

// A Spread is the distribution of one figure over the occurrences of a fault that have it. Its
// percentiles are measured values: the smallest value that the given share does not exceed.
type Spread struct {
	N      int `json:"n"`      // number of occurrences with the figure
	Min    Num `json:"min"`    // the least
	Median Num `json:"median"` // the median
	P95    Num `json:"p95"`    // the 95th percentile; null with fewer than 20 occurrences
	Max    Num `json:"max"`    // the largest; null with n > 0 means infinite
}

// EnoughForSpread returns how many occurrences the percentile q needs to differ from their maximum.
func EnoughForSpread(q float64) int {
	return int(math.Ceil(1/(1-q) - 1e-9))
}

// OfSpread returns the percentile q of ascending figures: the smallest figure that a share q of
// them does not exceed.
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

// Repeats summarizes the faults among records that occurred several times, in the order of their
// first occurrence.
func Repeats(records []FaultRecord) []Repeat {
	var order []string
	by := map[string][]*FaultRecord{}
	for i := range records {
		phase := records[i].Phase()
		if phase.Occurrence == 0 {
			continue
		}
		name := phase.Fault
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
		switch {
		case f.NoOutage():
			r.NoOutage++
		case f.Impact == Impacted:
			r.Impacted++
		case f.Impact == NotImpacted:
			r.NotImpacted++
			if f.Parts != nil && f.Parts.StepOutage != nil {
				r.StepOutages++
			}
		case f.Impact == NotRecovered:
			r.NotRecovered++
		default:
			r.Unknown++
			continue
		}
		onset, failover, recover, heal, degraded = known(onset, f.Onset), known(failover, f.Failover),
			known(recover, f.Recover), known(heal, f.Heal), known(degraded, f.Degraded)
	}
	r.Onset, r.Failover, r.Recover, r.Heal, r.Degraded = spreadOf(onset), spreadOf(failover), spreadOf(recover),
		spreadOf(heal), spreadOf(degraded)
	return r
}
