package truth

import (
	"time"
)

// SocketCases is how many cases package sockets has at most. Of them and those of package played together, a third
// is written from the definitions alone.
const SocketCases = 40

// A Load is a constant arrival rate of one step: request n is intended n/Rate after T0.
type Load struct {
	Rate     int // requests a second
	Requests int
	T0       time.Time
	Slow     time.Duration // slower is bad; zero asks for no time
	Timeout  time.Duration
}

// Intended is when request n is intended, an offset from T0.
func (l Load) Intended(n int) time.Duration {
	return time.Duration(n) * time.Second / time.Duration(l.Rate)
}

// A Truth is what a run of a load against a server should find.
type Truth struct {
	Good, Failed, Missing int             // answered under 400; answered otherwise or not at all; never arrived
	Slow                  int             // of the good: slower than Load.Slow
	Outages               []Outage        // stretches in which every request was bad
	bad                   []bool          // by number
	arrived               []time.Duration // by number, offsets from T0; zero: never
	load                  Load
}

// An Outage is a stretch of requests that were all bad.
type Outage struct {
	First, Last int  // numbers of the first and last bad request
	Begin       Span // of the first bad request
	End         Span // of the first good one after the last bad; the end of the load if there is none
	Over        bool // a good request came after it
}

// A Span is when a request met the server: not before it was intended, and not after it arrived. Times are
// offsets from T0. A client that is late sends requests after their intended time, and a connection
// takes its time, so that no instant within the span is truer than another.
type Span struct{ Intended, Arrived time.Duration }

// spanOf is the span of request n, which arrived at an offset; one that never arrived, or is after the
// end of the load, has its intended time alone.
func (t *Truth) spanOf(n int) Span {
	at := t.load.Intended(n)
	if n >= len(t.arrived) {
		return Span{at, at}
	}
	return Span{at, max(at, t.arrived[n])}
}

// Since is the span as seen from an instant.
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

// Recover is the time from an injection, an offset from T0, to the first good request after the last
// outage that begins before until. It is 0 where no request from the injection on was bad, and
// false where the last one never ended.
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
