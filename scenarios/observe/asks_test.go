package observe

import (
	"testing"
	"time"

	"brunt/chaos"
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
		if got := u.Unreached(rec, &asks); (got != "") != c.says {
			t.Errorf("asked %s: it says %q", c.name, got)
		}
		group := &chaos.Record{Name: "g", Kind: result.GroupKind, Injected: rec.Injected, Steps: []*chaos.Record{rec}}
		if got := u.Unreached(group, &asks); (got != "") != c.says {
			t.Errorf("a group, asked %s: it says %q", c.name, got)
		}
	}
}
