package run

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/scenarios/quantity"
	"brunt/targets"
)

// ownDeaths notes which units of the target ended without a fault on them.
func (r *runner) ownDeaths(end time.Duration) {
	first := map[string]int{}
	times := map[string]int{}
	var units []string
	events := r.Events()
	for i, e := range events {
		at := e.T.D()
		if e.Event != "unit.exit" || at > end || r.hit(e.Unit, at) {
			continue
		}
		if times[e.Unit]++; times[e.Unit] == 1 {
			first[e.Unit] = i
			units = append(units, e.Unit)
		}
	}
	for _, u := range units {
		e := events[first[u]]
		how := "at " + quantity.FormatSeconds(math.Round(float64(e.T)*1e3)/1e3)
		if n := times[u]; n > 1 {
			how = fmt.Sprintf("%d times, first %s", n, how)
		}
		r.Note("%s ended by itself %s: %s", u, how, e.Text)
	}
}

// hit reports whether a fault was on the unit at the time.
func (r *runner) hit(unit string, at time.Duration) bool {
	const early = 100 * time.Millisecond // an exit may be reported before the injecting call returns
	return slices.ContainsFunc(r.records, func(c *chaos.Record) bool {
		return c.N >= 0 && slices.Contains(c.Units, unit) && at >= c.Injected-early && at <= c.Cleared
	})
}

// spoken notes which loads used another protocol than HTTP/1.1, and which waited for a free stream
// on multiplexed connections.
func (r *runner) spoken() {
	for i, c := range r.clients {
		s, ok := c.(targets.Speaker)
		if !ok {
			continue
		}
		l := &r.Loads[i]
		if v := s.Speaks(); len(v) > 0 && !slices.Equal(v, []string{"HTTP/1.1"}) {
			r.Note("load %q spoke %s; connections: %d", l.Name, strings.Join(v, " and "), c.Opened())
		}
		if waits, each := s.Streams(); waits > 0 {
			most := ""
			if n := l.Connections.Max; n > 0 {
				most = fmt.Sprintf(", and connections.max is %d", n)
			}
			r.Note("load %q: %d requests waited for a stream: a connection takes %d at once%s; their waiting is queue, and part of their response time", l.Name, waits, each, most)
		}
	}
}

// full notes which loads reached the limit that their author set.
func (r *runner) full() {
	for i := range r.stats {
		if lp := &r.Loads[i]; r.stats[i].Full && lp.MaxInFlight > 0 {
			r.Note("load %q reached its max_in_flight of %d: further arrivals waited, and their waiting is part of their response time", lp.Name, lp.MaxInFlight)
		}
	}
}
