package observe

import (
	"testing"
	"time"
)

// TestWaits: a unit waits for all of the time from 1.0 to 1.2 s, and for half of it from 3 to 5 s. Another group takes
// its place at 6 s.
func TestWaits(t *testing.T) {
	const ms, sec = time.Millisecond, time.Second
	var list waits
	waited := time.Duration(0)
	for at := time.Duration(0); at < 8*sec; at += waitsEvery {
		r := waitsReading{at: at, waited: waited, group: 1}
		if at >= 6*sec {
			r.group, r.waited = 2, waited-500*ms
		}
		list = append(list, r)
		switch {
		case at >= sec && at < 1200*ms:
			waited += waitsEvery
		case at >= 3*sec && at < 5*sec:
			waited += waitsEvery / 2
		}
	}
	for _, c := range []struct {
		name           string
		from, to, most time.Duration
		want           time.Duration
		unknown        bool
	}{
		{name: "no waits", from: 0, to: 500 * ms, most: 400 * ms},
		{name: "a request that begins before", from: 0, to: sec, most: 100 * ms, want: 100 * ms},
		{name: "as long as the request", from: sec, to: 2 * sec, most: 40 * ms, want: 40 * ms},
		{name: "a request that is longer", from: 900 * ms, to: 1300 * ms, most: 500 * ms, want: 200 * ms},
		{name: "half of a second, and half of an interval", from: 3500 * ms, to: 3600 * ms, most: sec, want: 525 * ms},
		{name: "after the waits", from: 5100 * ms, to: 5200 * ms, most: 300 * ms},
		{name: "another group", from: 5900 * ms, to: 6100 * ms, most: 50 * ms, unknown: true},
		{name: "before the first reading", from: -sec, to: sec, most: 50 * ms, unknown: true},
		{name: "after the last", from: 9 * sec, to: 10 * sec, most: 50 * ms, unknown: true},
		{name: "up to the end of the load", from: 7 * sec, to: 9 * sec, most: 2 * sec},
	} {
		got, known := list.within(c.from, c.to, c.most)
		if known == c.unknown || got != c.want {
			t.Errorf("%s: %s, known %t; want %s", c.name, got, known, c.want)
		}
	}
	if got, known := waits(nil).within(0, sec, sec); known {
		t.Errorf("without a reading the wait is %s", got)
	}
}
