package capacity

import (
	"brunt/scenarios/result"
)

// A Capacity is the answer of `brunt find`: what a target can take, and what under each fault.
type Capacity struct {
	Found             // the search without a fault
	Interval Interval `json:"interval"`
	Under    []Under  `json:"under,omitempty"`    // by fault, in the order in which they were given
	Peak     *Demand  `json:"peak,omitempty"`     // null if no peak was given
	AtLeast  *Demand  `json:"at_least,omitempty"` // null if no lower bound was given
}

// An Under is the capacity while a fault is in.
type Under struct {
	Held
	Kind     string   `json:"kind"`               // kind of the fault, such as process.stop
	Units    []string `json:"units,omitempty"`    // units or links that it acted on
	Evidence string   `json:"evidence,omitempty"` // the observation that showed that it was in
	// the observation that showed its end
	GoneEvidence string     `json:"gone_evidence,omitempty"`
	Transient    *Transient `json:"transient,omitempty"` // what followed the injection, apart from the rates

	Found
	Interval Interval `json:"interval"`
	// the share of the capacity without the fault, 0 to 1 and more; null if one of the two capacities has no upper bound
	Share *Interval `json:"share,omitempty"`
}

// A Transient is what followed the injection of a fault at a low load. It is no part of the judged rates.
type Transient struct {
	Rate float64 `json:"rate"` // iterations a second of the low load
	// from the injection until requests were good again, in seconds; 0 if none was bad, null if they were bad to the end
	Lasted result.Num    `json:"lasted"`
	Failed int64         `json:"failed_requests"` // bad requests in excess of the baseline's share
	Impact result.Impact `json:"impact"`
}

// A Demand is a rate that a target should sustain.
type Demand struct {
	Rate  float64 `json:"rate"`            // iterations a second
	All   Fit     `json:"all"`             // without a fault
	Under []Fit   `json:"under,omitempty"` // under each fault
}

// A Fit says whether a rate is within a capacity.
type Fit string

// The values of a Fit.
const (
	Fits      Fit = "yes"
	TooMuch   Fit = "no"
	Uncertain Fit = "uncertain" // the interval holds the rate, or the search did not try it
	Untried   Fit = "limited"   // the generator reached its limit below the rate, and the target did not
)

// FitOf says whether a rate is within the capacity that a search found.
func (f *Found) FitOf(iv Interval, rate float64) Fit {
	switch {
	case rate <= iv.Low:
		return Fits
	case iv.High > 0 && rate >= iv.High:
		return TooMuch
	case f.High == 0 && f.Limited > 0:
		return Untried
	}
	return Uncertain
}

// Demanded compares a rate with every capacity of the answer.
func (c *Capacity) Demanded(rate float64) *Demand {
	d := &Demand{Rate: rate, All: c.FitOf(c.Interval, rate)}
	for i := range c.Under {
		u := &c.Under[i]
		d.Under = append(d.Under, u.FitOf(u.Interval, rate))
	}
	return d
}

// Decisive lists the answers that a lower bound is decided by: of the faults, if there are any, else of the search
// without one.
func (d *Demand) Decisive() []Fit {
	if len(d.Under) > 0 {
		return d.Under
	}
	return []Fit{d.All}
}

// shareOf returns the interval of the quotient of two capacities. It holds the quotient if both intervals hold theirs.
func shareOf(under, all Interval) *Interval {
	if under.High == 0 || all.High == 0 || all.Low == 0 {
		return nil
	}
	return &Interval{Low: under.Low / all.High, High: under.High / all.Low}
}

// Add completes the answer under a fault by its search, and adds it.
func (c *Capacity) Add(u Under) {
	u.Interval = u.Bounds()
	u.Share = shareOf(u.Interval, c.Interval)
	c.Under = append(c.Under, u)
}
