// Package search is what a search for the largest rate found, alone and under faults: data for reporters.
package search

import (
	"math"

	"brunt/scenarios/result"
)

// A Capacity is the answer of `brunt find`: what a target can take, and what under each fault.
type Capacity struct {
	Found             // the search without a fault
	Interval Interval `json:"interval"`
	Under    []Under  `json:"under,omitempty"`    // by fault, in the order in which they were given
	Peak     *Demand  `json:"peak,omitempty"`     // null if no peak was given
	AtLeast  *Demand  `json:"at_least,omitempty"` // null if no lower bound was given
	// what followed an overload, without a fault; null if it was not asked for
	Hysteresis *result.Overload `json:"hysteresis,omitempty"`
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

// An Answer is the result of a probe at a rate.
type Answer string

// The answers.
const (
	Holds   Answer = "holds"
	Breaks  Answer = "breaks"
	Limited Answer = "limited" // the generator reached its limit, not the target
	// Disturbed means that the probe says nothing: something else used the machine and the generator fell short at a low
	// load, or the run was invalid. The search ignores the probe and repeats it.
	Disturbed Answer = "disturbed"
)

// A Try is one probe.
type Try struct {
	Rate   float64 `json:"rate"`   // iterations a second
	Answer Answer  `json:"answer"` // holds, breaks, limited or disturbed
	Why    string  `json:"why"`    // what the probe observed
	// texts of the objectives that failed, in the order of the scenario; empty if the prober does not tell
	Failed []string `json:"failed_objectives,omitempty"`

	Figures *Figures `json:"figures,omitempty"` // what the probe measured; nil if it was not a run
}

// Figures are what a probe measured over all its requests.
type Figures struct {
	Offered  float64    `json:"offered"`   // requests a second that were asked for
	Good     float64    `json:"good"`      // requests a second that were answered with every check held
	Failed   float64    `json:"failed"`    // share of requests that failed or were skipped, 0 to 1
	P50      result.Num `json:"p50"`       // response time in seconds; null is infinite
	P95      result.Num `json:"p95"`       // response time in seconds; null is infinite
	InFlight int64      `json:"in_flight"` // requests in flight at the end of the load
}

// Tail returns the p95 in seconds; infinite if more requests failed than it allows.
func (f *Figures) Tail() float64 {
	if f.P95.Known() {
		return float64(f.P95)
	}
	return math.Inf(1)
}

// A Found is the interval that holds the capacity.
type Found struct {
	Low  float64 `json:"low"`  // the largest rate that held
	High float64 `json:"high"` // the smallest rate that broke; zero means none did
	// Limited is the rate at which the generator fell short before the target broke; zero means that
	// it did not.
	Limited float64 `json:"limited,omitempty"`
	Tries   []Try   `json:"tries"` // in their order
}

// Middle is the geometric mean of Low and High.
func (f *Found) Middle() float64 {
	if f.High == 0 {
		return f.Low
	}
	return math.Sqrt(f.Low * f.High)
}

// A Held is a fault that is in while rates are judged: one of its fields is set.
type Held struct {
	During  string `json:"during,omitempty"`  // a fault of the scenario
	Without string `json:"without,omitempty"` // a unit, a service or zone=NAME, which is stopped and kept down
}

// String returns the name of the fault, or what is stopped.
func (h Held) String() string {
	if h.During != "" {
		return h.During
	}
	return "without " + h.Without
}
