package truth

import (
	"time"
)

// SocketCases is the maximum number of cases in package sockets. A third of the cases of packages sockets and played
// together is written only from the definitions.
const SocketCases = 40

// A Load is a constant arrival rate of one step: the intended time of request n is n/Rate after T0.
type Load struct {
	Rate     int // requests a second
	Requests int
	T0       time.Time
	Slow     time.Duration // a slower answer is bad; zero: no limit
	Timeout  time.Duration
}

// Intended returns the intended time of request n, as an offset from T0.
func (l Load) Intended(n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(l.Rate)
}

// A Truth is what a run of a load against a server should find.
type Truth struct {
	Good, Failed, Missing int             // status below 400; another answer or none; never arrived
	Slow                  int             // number of good ones that took longer than Load.Slow
	Outages               []Outage        // stretches in which every request was bad
	bad                   []bool          // by number
	arrived               []time.Duration // by number, offsets from T0; zero: never
	load                  Load
}

// An Outage is a run of consecutive requests that were all bad.
type Outage struct {
	First, Last int  // numbers of the first and last bad request
	Begin       Span // of the first bad request
	End         Span // of the first good request after the last bad one; the end of the load if there is none
	Over        bool // a good request came after it
}

// A Span says when a request met the server: not before its intended time, and not after it arrived. Times are
// offsets from T0. A late client sends requests after their intended time, and a connection takes time, so every
// instant within the span is possible.
type Span struct{ Intended, Arrived time.Duration }

// spanOf returns the span of request n. A request that never arrived, or would be after the end of the load, has only
// its intended time.
func (t *Truth) spanOf(n int) Span {
	at := t.load.Intended(n)
	if n >= len(t.arrived) {
		return Span{at, at}
	}
	return Span{at, max(at, t.arrived[n])}
}

// Since returns the span relative to an instant.
func (s Span) Since(at time.Duration) Span { return Span{s.Intended - at, s.Arrived - at} }

// Of derives the truth from the entries of a log.
func Of(entries []Entry, l Load) Truth {
	t := Truth{load: l, bad: make([]bool, l.Requests), arrived: make([]time.Duration, l.Requests)}
	seen := make([]bool, l.Requests)
	for _, e := range entries {
		if e.N >= l.Requests {
			continue
		}
		seen[e.N] = true
		t.arrived[e.N] = e.Arrived.Sub(l.T0)
		took := e.Ended.Sub(l.T0) - l.Intended(e.N)
		switch {
		case !e.Act.Good() || l.Timeout > 0 && took > l.Timeout:
			t.Failed++
			t.bad[e.N] = true
		case l.Slow > 0 && took > l.Slow:
			t.Good++
			t.Slow++
			t.bad[e.N] = true
		default:
			t.Good++
		}
	}
	for n, is := range seen {
		if !is {
			t.Missing++
			t.bad[n] = true
		}
	}
	for n := 0; n < l.Requests; n++ {
		if !t.bad[n] {
			continue
		}
		o := Outage{First: n, Begin: t.spanOf(n)}
		for n+1 < l.Requests && t.bad[n+1] {
			n++
		}
		o.Last, o.End, o.Over = n, t.spanOf(n+1), n+1 < l.Requests
		t.Outages = append(t.Outages, o)
	}
	return t
}

// Recover returns the time from an injection, an offset from T0, to the first good request after the last outage that
// begins before until. It is 0 if no request after the injection was bad, and false if the last outage never ended.
func (t Truth) Recover(injected, until time.Duration) (Span, bool) {
	last := Span{}
	for _, o := range t.Outages {
		if o.End.Arrived <= injected || o.Begin.Intended >= until {
			continue
		}
		if !o.Over {
			return Span{}, false
		}
		last = o.End.Since(injected)
	}
	return last, true
}
