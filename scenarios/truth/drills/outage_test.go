//go:build linux

package drills

import (
	"testing"
	"time"
)

// TestOutages: an outage runs between the times at which requests were sent, whatever was intended, and a short one
// after it need not show.
func TestOutages(t *testing.T) {
	const every, apart = 5 * time.Millisecond, 20 * time.Millisecond
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	type span struct{ from, to int } // of bad requests, ms
	for _, c := range []struct {
		name        string
		bad         []span
		stop        span // in which the prober sent nothing
		near        int  // what brunt says is the end, ms
		count       int
		begins, end int
	}{
		{"one", []span{{100, 900}}, span{}, 900, 1, 100, 900},
		{"the prober stops before its end", []span{{100, 900}}, span{700, 1000}, 1000, 1, 100, 1000},
		{"the prober stops over its begin", []span{{100, 900}}, span{50, 300}, 900, 1, 300, 900},
		{"a long one follows", []span{{100, 900}, {4000, 4500}}, span{}, 4500, 2, 100, 4500},
		{"a long one that does not show", []span{{100, 900}, {4000, 4500}}, span{}, 900, 2, 100, 4500},
		{"a short one that shows", []span{{100, 900}, {4000, 4100}}, span{}, 4100, 2, 100, 4100},
		{"a short one that does not show", []span{{100, 900}, {4000, 4100}}, span{}, 900, 2, 100, 900},
		{"a blip that no load meets", []span{{100, 900}, {4000, 4015}}, span{}, 900, 1, 100, 900},
	} {
		t.Run(c.name, func(t *testing.T) {
			var probes []probe
			for ms := 0; ms < 8000; ms += int(every.Milliseconds()) {
				sent := ms
				if c.stop.from <= ms && ms < c.stop.to {
					sent = c.stop.to
				}
				p := probe{intended: at(ms), sent: at(sent)}
				for _, b := range c.bad {
					p.bad = p.bad || b.from <= sent && sent < b.to
				}
				probes = append(probes, p)
			}
			all := outages(probes, at(10), 2*time.Second, apart)
			if len(all) != c.count {
				t.Fatalf("%d outages, want %d: %+v", len(all), c.count, all)
			}
			last := lastOf(all, at(c.near))
			if got := all[0].begin.Sub(begin).Milliseconds(); int(got) != c.begins {
				t.Errorf("it begins at %d ms, want %d", got, c.begins)
			}
			if got := last.nearest(at(c.near)).Sub(begin).Milliseconds(); int(got) != c.end {
				t.Errorf("the last one ends at %d ms, want %d", got, c.end)
			}
		})
	}
}
