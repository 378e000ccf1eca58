package slo

import (
	"math"
	"time"
)

// Times are the response or service times of the requests of an objective, in seconds.
type Times struct {
	At   func(q float64) float64 // the value at a quantile, 0 to 1; failed requests count as slower than any answer
	OK   int64                   // good answers
	Bad  int64                   // requests that count as slower than any answer
	Most float64                 // the longest good answer
	Sum  float64                 // sum of the times of good answers
}

// slowest returns the longest time: infinite if a request failed, NaN without a request.
func slowest(_ Metric, t Times) float64 {
	switch {
	case t.Bad > 0:
		return math.Inf(1)
	case t.OK == 0:
		return math.NaN()
	}
	return t.Most
}

// mean returns the mean time: infinite if a request failed, NaN without a request.
func mean(_ Metric, t Times) float64 {
	switch {
	case t.Bad > 0:
		return math.Inf(1)
	case t.OK == 0:
		return math.NaN()
	}
	return t.Sum / float64(t.OK)
}

// An Instant is a point in time with the interval that contains it, in seconds from t0; NaN means unknown.
type Instant struct{ At, Low, High float64 }

// An Effect is the effect of a fault on the load. Times are seconds from t0; NaN means unknown.
type Effect struct {
	Injected float64
	// instant from which recover and failover count: the injection, or for a group the begin of its incident
	Begin     Instant
	Cleared   float64 // NaN means that the fault was not cleared
	Untouched bool    // the share of bad requests stayed within the limit
	Onset     Instant // first bad request
	Failover  Instant // first good request after the last bad one, while the fault was active
	// lower bound of a failover that the requests do not show; NaN if it is shown, and if there was none
	FailoverNotBefore float64
	Recovered         Instant // first good request after the last bad one
	NotBefore         float64 // time until which the load had not recovered; NaN if it recovered
	Degraded          float64 // seconds of bad requests
	Failed            int64
	Area              float64 // seconds of full outage
	Width             float64 // uncertainty of onset and recovery if no interval is known
}

// A Value is the value of a metric of a fault. The zero value is exactly 0.
type Value struct {
	V       float64 // NaN means unknown, infinite means never
	Least   bool    // without recovery V is the least possible value so far
	Unshown bool    // V is the least possible value; it may also be infinite
	Bounded bool    // the value lies between Low and High
	Low     float64
	High    float64
	// V is unknown because the share of bad requests stayed within the limit
	Untouched bool
}

// from returns the time from start to an instant.
func (i Instant) from(start float64) Value {
	since := func(at float64) float64 { return max(0, at-start) }
	return Value{V: since(i.At), Bounded: true, Low: since(i.Low), High: since(i.High)}
}

// after returns the time from one instant to another.
func (i Instant) after(begin Instant) Value {
	return Value{V: max(0, i.At-begin.At), Bounded: true, Low: max(0, i.Low-begin.High), High: max(0, i.High-begin.Low)}
}

func onset(e Effect) Value {
	if e.Untouched {
		return Value{V: math.NaN(), Untouched: true}
	}
	return e.Onset.from(e.Injected)
}

func failover(e Effect) Value {
	switch {
	case !math.IsNaN(e.Failover.At):
		return e.Failover.after(e.Begin)
	case e.Untouched:
		return Value{}
	case !math.IsNaN(e.FailoverNotBefore):
		return Value{V: max(0, e.FailoverNotBefore-e.Begin.At), Unshown: true}
	}
	return Value{V: math.Inf(1)}
}

func recoverTime(e Effect) Value {
	if math.IsNaN(e.Recovered.At) {
		return Value{V: max(0, e.NotBefore-e.Begin.At), Least: true}
	}
	return e.Recovered.after(e.Begin)
}

func heal(e Effect) Value {
	switch {
	case math.IsNaN(e.Cleared):
		return Value{V: math.NaN()}
	case math.IsNaN(e.Recovered.At):
		return Value{V: max(0, e.NotBefore-e.Cleared), Least: true}
	}
	return e.Recovered.from(e.Cleared)
}

func degraded(e Effect) Value { return e.sum(e.Degraded) }

// sum returns a sum of times. Its interval is as wide as the intervals of the edges between which it was summed up.
// Without a recovery it is the lower end.
func (e Effect) sum(of float64) Value {
	v := Value{
		V: of, Least: math.IsNaN(e.Recovered.At), Bounded: true, Low: max(0, of-e.Width), High: of + e.Width,
	}
	if !math.IsNaN(e.Recovered.High) && !math.IsNaN(e.Onset.Low) {
		v.Low = max(0, of-(e.Onset.High-e.Onset.At+e.Recovered.At-e.Recovered.Low))
		v.High = of + (e.Onset.At - e.Onset.Low + e.Recovered.High - e.Recovered.At)
	}
	if v.Least {
		v.V = v.Low
	}
	return v
}

func failed(e Effect) Value {
	return Value{V: float64(e.Failed), Least: math.IsNaN(e.Recovered.At)}
}

func area(e Effect) Value { return e.sum(e.Area) }

// Writes are the findings of the ledger about acknowledged writes.
type Writes struct {
	Acknowledged      int64
	Lost              int64
	Duplicated        int64
	Stale             int64
	MayBeLost         int64 // acknowledged writes that may be lost because they could not be read back
	MayBeWrong        int64 // MayBeLost, and writes for which a unit gave no answer
	StaleReads        int64 // reads during the load that did not find a write
	RPOLow, RPOHigh   float64
	LateLow, LateHigh float64
}

// orLost returns the upper bound high, or infinity if writes may be lost.
func (w Writes) orLost(high float64) float64 {
	if w.MayBeLost > 0 {
		return math.Inf(1)
	}
	return high
}

// Deliveries are the findings about what was sent and had to be seen elsewhere.
type Deliveries struct {
	Lost       int64
	Duplicated int64
	Reordered  int64
	MayBeSeen  int64 // of Lost: they may have been seen in messages without a readable id
	MayBeLost  int64 // acknowledged, not seen, and brunt did not look on until its end
	// messages that were seen without a readable id, which may be duplicates
	MayBeAgain  int64
	MayBeBefore int64 // messages whose order is unknown
}

// Registers are the findings about reads and writes of registers.
type Registers struct {
	Anomalies int64
	Staleness float64
}

// Spans holds the requests of a phase over time.
type Spans struct {
	From, To time.Duration
	Slices   []Slice // ascending
}

// A Slice counts the requests intended in a part of a second.
type Slice struct {
	Start, End time.Duration
	Offered    int64
	Bad        int64
	Good       int64
	Blocked    bool // a closed load offered no request, because its requests were in flight and none ended

	// Requests calls do with each request, in the order of time, except shed requests and requests that brunt failed
	// to send. Requests of one kind within 1/1024 s count as one. Nil means that single requests are unknown.
	Requests func(do func(at time.Duration, bad bool))
}
