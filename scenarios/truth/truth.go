package truth

import (
	"time"
)

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
	Good, Failed, Missing int      // answered under 400; answered otherwise or not at all; never arrived
	Slow                  int      // of the good: slower than Load.Slow
	Outages               []Outage // stretches in which every request was bad
	bad                   []bool   // by number
	load                  Load
}

// An Outage is a stretch of requests that were all bad. Times are offsets from T0.
type Outage struct {
	First, Last int           // numbers of the first and last bad request
	Begin       time.Duration // intended time of the first bad request
	End         time.Duration // intended time of the first good one after the last bad; of the end of the load if there is none
	Over        bool          // a good request came after it
}

// Of derives the truth from the entries of a log.
func Of(entries []Entry, l Load) Truth {
	t := Truth{load: l, bad: make([]bool, l.Requests)}
	seen := make([]bool, l.Requests)
	for _, e := range entries {
		if e.N >= l.Requests {
			continue
		}
		seen[e.N] = true
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
		o := Outage{First: n, Begin: l.Intended(n)}
		for n+1 < l.Requests && t.bad[n+1] {
			n++
		}
		o.Last, o.End, o.Over = n, l.Intended(n+1), n+1 < l.Requests
		t.Outages = append(t.Outages, o)
	}
	return t
}

// Recover is the time from an injection, an offset from T0, to the first good request after the last
// outage that begins before until. It is 0 where no request from the injection on was bad, and
// false where the last one never ended.
func (t Truth) Recover(injected, until time.Duration) (time.Duration, bool) {
	last := time.Duration(0)
	for _, o := range t.Outages {
		if o.End <= injected || o.Begin >= until {
			continue
		}
		if !o.Over {
			return 0, false
		}
		last = o.End - injected
	}
	return last, true
}
