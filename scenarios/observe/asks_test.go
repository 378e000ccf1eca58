package observe

import (
	"cmp"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
)

// named is a unit of which nothing but the name is known.
func named(name string) chaos.Unit { return unit{name: name} }

type unit struct {
	chaos.Unit
	name string
}

func (u unit) Name() string { return u.name }

// TestUnreached_Asks: a fault met traffic if brunt asked its unit for a token while the fault was in.
func TestUnreached_Asks(t *testing.T) {
	rec := &chaos.Record{Name: "f", Units: []string{"a[0]"}, Injected: 13 * time.Second, Cleared: 17 * time.Second}
	// nothing reached it
	u := &Usage{units: []*unitUsage{{of: named("a[0]"), traffic: traffic{reads: 20, latest: 20 * time.Second}}}}
	for _, c := range []struct {
		name string
		unit string
		at   time.Duration
		says bool
	}{
		{"while it was in", "a[0]", 15 * time.Second, false},
		{"as it was injected", "a[0]", 13 * time.Second, false},
		{"before", "a[0]", 12 * time.Second, true},
		{"when it was cleared", "a[0]", 17 * time.Second, true},
		{"another unit", "a[1]", 15 * time.Second, true},
	} {
		var asks Asks
		asks.Add(c.unit, c.at)
		if got := u.Unreached(rec, nil, &asks); (got != "") != c.says {
			t.Errorf("asked %s: it says %q", c.name, got)
		}
		group := &chaos.Record{Name: "g", Kind: result.GroupKind, Injected: rec.Injected, Steps: []*chaos.Record{rec}}
		if got := u.Unreached(group, nil, &asks); (got != "") != c.says {
			t.Errorf("a group, asked %s: it says %q", c.name, got)
		}
	}
}

// TestUnreached_Again: the requests by which brunt asks for the effect and the end of a fault are no traffic of its
// unit for the next fault on it. Others are, also those that came before.
func TestUnreached_Again(t *testing.T) {
	first := &chaos.Record{Name: "f", Units: []string{"a[0]"}, Injected: 5 * time.Second, Over: 8 * time.Second}
	second := &chaos.Record{Name: "g", N: 1, Units: []string{"a[0]"}, Injected: 13 * time.Second}
	span := func(from, to time.Duration) []requests.Span {
		return []requests.Span{{From: from * time.Second, To: to * time.Second}}
	}
	for _, c := range []struct {
		name string
		seen []requests.Span
		over time.Duration // of the first fault; zero is 8 s
		says bool
	}{
		{"nothing", nil, 0, true},
		{"while the first fault was in", span(6, 7), 0, true},
		{"as the first fault ended", span(8, 9), 0, true},
		{"before", span(3, 4), 0, false},
		{"between", span(9, 10), 0, false},
		{"after", span(14, 15), 0, true},
		{"the first fault had just ended", span(6, 7), 12 * time.Second, false},
	} {
		u := &Usage{units: []*unitUsage{{of: named("a[0]"), traffic: traffic{
			reads: 20, latest: 20 * time.Second, seen: c.seen,
		}}}}
		earlier := *first
		earlier.Over = cmp.Or(c.over, first.Over)
		if got := u.Unreached(second, []*chaos.Record{&earlier, second}, &Asks{}); (got != "") != c.says {
			t.Errorf("traffic %s: it says %q", c.name, got)
		}
	}
}
