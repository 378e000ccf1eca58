package observe

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios/judge/requests"
)

// TestWaits: a unit waits for all of the time from 1.0 to 1.2 s, and for half of it from 3 to 5 s. Another group takes
// its place at 6 s.
func TestWaits(t *testing.T) {
	const ms, sec = time.Millisecond, time.Second
	var list Readings
	waited := time.Duration(0)
	for at := time.Duration(0); at < 8*sec; at += waitsEvery {
		r := Reading{At: at, Waited: waited, Group: 1}
		if at >= 6*sec {
			r.Group, r.Waited = 2, waited-500*ms
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
	if got, known := Readings(nil).within(0, sec, sec); known {
		t.Errorf("without a reading the wait is %s", got)
	}
}

// TestWaits_WaitedOne: a thread that has waited for 170 ms tells of it with the last of five readings, in whose time
// another one had told of 20 ms. The times of an earlier life stay.
func TestWaits_WaitedOne(t *testing.T) {
	const ms = time.Millisecond
	list := Readings{
		{At: 0, Life: 1},
		{At: 50 * ms, Waited: 10 * ms, Life: 1},
		{At: 100 * ms, Life: 2},
		{At: 150 * ms, Life: 2},
		{At: 200 * ms, Waited: 20 * ms, Life: 2},
		{At: 250 * ms, Waited: 70 * ms, Life: 2},
	}
	list.waitedOne(170 * ms)
	var got []time.Duration
	for _, r := range list {
		got = append(got, r.Waited)
	}
	if want := []time.Duration{0, 10 * ms, 0, 50 * ms, 100 * ms, 150 * ms}; !slices.Equal(got, want) {
		t.Errorf("the waits are %v, want %v", got, want)
	}
	list = Readings{{At: 0}, {At: 50 * ms, Waited: 40 * ms}, {At: 100 * ms, Waited: 90 * ms}}
	list.waitedOne(60 * ms)
	if list[1].Waited != 40*ms || list[2].Waited != 90*ms {
		t.Errorf("a wait within the time in which others waited counts again: %v", list)
	}
}

// TestWaits_WaitedLeast: what is known of the waits of a unit's tasks counts, although tasks began and ended meanwhile.
func TestWaits_WaitedLeast(t *testing.T) {
	const ms = time.Millisecond
	list := Readings{
		{At: 0, Life: 1},
		{At: 50 * ms, Waited: 10 * ms, Least: 10 * ms, Life: 1},
		{At: 100 * ms, Least: 15 * ms, Life: 2},
		{At: 150 * ms, Waited: 30 * ms, Least: 45 * ms, Life: 2},
	}
	u := (&Usage{units: []*unitUsage{{of: named("bus[0]"), waits: unitWaits{list: list}}}}).Waits()
	for _, c := range []struct {
		unit     string
		from, to time.Duration
		want     time.Duration
	}{
		{"bus[0]", 0, 200 * ms, 45 * ms},
		{"bus[0]", 50 * ms, 100 * ms, 5 * ms},
		{"bus[0]", 60 * ms, 90 * ms, 0},
		{"bus[0]", 300 * ms, 400 * ms, 0},
		{"bus[1]", 0, 200 * ms, 0},
	} {
		if got := u.WaitedLeast(c.unit, requests.Span{From: c.from, To: c.to}); got != c.want {
			t.Errorf("%s from %s to %s: %s, want %s", c.unit, c.from, c.to, got, c.want)
		}
	}
}

// TestWaits_Waited: the waits of units are known if those of each are. Units of one control group wait together, and
// the threads of others besides.
func TestWaits_Waited(t *testing.T) {
	const ms, sec = time.Millisecond, time.Second
	every := func(share time.Duration, group uint64) (list Readings) {
		for at := time.Duration(0); at <= 2*sec; at += waitsEvery {
			list = append(list, Reading{At: at, Waited: at * share / 100, Group: group})
		}
		return list
	}
	unit := func(list Readings) *unitUsage { return &unitUsage{of: named("a[0]"), waits: unitWaits{list: list}} }
	machine := every(80, 0)
	proxies, late := unit(every(30, 0)).waits.list, unit(every(30, 0)).waits.list[22:]
	changed := slices.Clone(proxies)
	for i := range changed[:24] {
		changed[i].Life = 1
	}
	for _, c := range []struct {
		name    string
		units   []*unitUsage
		helpers Readings
		want    time.Duration // in a span of 400 ms, with the rest of the intervals at its ends
		own     bool
	}{
		{"threads", []*unitUsage{unit(every(10, 0))}, nil, 45 * ms, true},
		{"threads of two units", []*unitUsage{unit(every(10, 0)), unit(every(20, 0))}, nil, 135 * ms, true},
		{"two units of one group", []*unitUsage{unit(every(10, 7)), unit(every(20, 7))}, nil, 90 * ms, true},
		{"a group and threads", []*unitUsage{unit(every(10, 7)), unit(every(20, 0))}, nil, 135 * ms, true},
		{"threads, and brunt's proxies", []*unitUsage{unit(every(10, 0))}, proxies, 180 * ms, true},
		{"proxies that begin meanwhile", []*unitUsage{unit(every(10, 0))}, late, 180 * ms, true},
		{"proxies that change meanwhile", []*unitUsage{unit(every(10, 0))}, changed, 360 * ms, false},
		{"one is not known", []*unitUsage{unit(every(10, 7)), unit(nil)}, nil, 360 * ms, false},
	} {
		u := &Usage{units: c.units, machine: machine}
		if c.helpers != nil {
			u.helpers = []*unitWaits{{list: c.helpers}}
		}
		if got, own, known := u.Waits().Waited(1010*ms, 1020*ms, 400*ms); got != c.want || own != c.own || !known {
			t.Errorf("%s: %s, own %t, known %t; want %s, own %t", c.name, got, own, known, c.want, c.own)
		}
	}
}
