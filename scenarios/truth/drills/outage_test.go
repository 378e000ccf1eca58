//go:build linux

package drills

import (
	"strconv"
	"strings"
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
		{
			"bursts within the limit follow, and show",
			[]span{{100, 900}, {2000, 2025}, {2100, 2125}},
			span{},
			2125, 1, 100,
			2125,
		},
		{
			"bursts within the limit follow, and do not show",
			[]span{{100, 900}, {2000, 2025}, {2100, 2125}},
			span{},
			900, 1,
			100, 900,
		},
		{"bursts over the limit follow", []span{{100, 900}, {2000, 2100}}, span{}, 900, 1, 100, 2100},
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

// TestOwnStops: an answer that came while the prober stood still is not slow for that.
func TestOwnStops(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for _, c := range []struct {
		name       string
		sent, took int // of the slow answer, ms
		bad        bool
	}{
		{"it came in the stop", 300, 560, false},
		{"it came as the stop ended", 300, 603, false},
		{"it was slow before the stop", 100, 750, true},
		{"it came after the stop", 350, 600, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			probes := []probe{{sent: at(c.sent), took: ms(c.took), bad: true, cause: slowCause}}
			for n := c.sent + 5; n < 1000; n += 5 {
				if n <= 750 || n >= 900 {
					probes = append(probes, probe{sent: at(n), took: ms(1)})
				}
			}
			if ownStops(probes, ms(5), ms(500)); probes[0].bad != c.bad {
				t.Errorf("bad is %v, want %v", probes[0].bad, c.bad)
			}
		})
	}
}

// TestBlind: two times may be far apart only where one of the two sent nothing meanwhile.
func TestBlind(t *testing.T) {
	begin := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(ms int) time.Time { return begin.Add(time.Duration(ms) * time.Millisecond) }
	type span struct{ from, to int }
	for _, c := range []struct {
		name      string
		got       row
		brunt     span // in which brunt sent nothing, ms
		prober    span
		wantBlind bool
	}{
		{"brunt stops", row{truth: 1, got: 1.1, low: 0.98, high: 1.1}, span{990, 1090}, span{}, true},
		{
			"brunt stops, and its interval does not say so",
			row{truth: 1, got: 1.1, low: 1.09, high: 1.1},
			span{990, 1090},
			span{},
			false,
		},
		{"brunt stops at another time", row{truth: 1, got: 1.1, low: 0.98, high: 1.1}, span{700, 800}, span{}, false},
		{"brunt does not stop", row{truth: 1, got: 1.1, low: 0.98, high: 1.1}, span{}, span{}, false},
		{"the prober stops", row{truth: 1.1, got: 1, low: 0.99, high: 1}, span{}, span{985, 1095}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := drill{rate: 100, every: 5 * time.Millisecond}
			var probes []probe
			var writes []time.Time
			for ms := 0; ms < 2000; ms += 5 {
				if ms < c.prober.from || ms > c.prober.to {
					probes = append(probes, probe{sent: at(ms)})
				}
				if ms%10 == 0 && (ms < c.brunt.from || ms > c.brunt.to) {
					writes = append(writes, at(ms))
				}
			}
			if said := d.blind(&c.got, []time.Time{at(int(c.got.got * 1000))}, at(int(c.got.truth*1000)), probes,
				writes); (said != "") != c.wantBlind {
				t.Errorf("%q, want one: %v", said, c.wantBlind)
			}
		})
	}
}

// TestCompareRoles: a change that brunt does not show in time, and one that it invents, are errors.
func TestCompareRoles(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return t0.Add(seconds(s)) }
	roles := []role{
		{unit: "db[0]", says: "leader", asked: at(-1), said: at(-1)},
		{unit: "db[0]", says: "", before: at(4), asked: at(4.02), said: at(4.42)},
		{unit: "db[0]", says: "follower", before: at(8), asked: at(8.02), said: at(8.03)},
	}
	for _, c := range []struct {
		name   string
		states string // "FROM:TEXT ...", up to 16 s
		errors int
	}{
		{"all", "-1:leader 4.1: 8.2:follower", 0},
		{"one is late", "-1:leader 4.1: 9:follower", 1},
		{"one lacks", "-1:leader 8.2:follower", 1},
		{"one is invented", "-1:leader 2:follower 4.1: 8.2:follower", 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := watched{Unit: "db[0]"}
			for one := range strings.FieldsSeq(c.states) {
				from, text, _ := strings.Cut(one, ":")
				s := unitState{To: 16, Text: text}
				s.From, _ = strconv.ParseFloat(from, 64)
				w.States = append(w.States, s)
			}
			var out row
			compareRoles(&out, &report{T0: t0, Watches: []watched{w}}, roles)
			if len(out.wrong) != c.errors {
				t.Errorf("%d errors, want %d: %q", len(out.wrong), c.errors, out.wrong)
			}
		})
	}
}

// TestAnswered: a time without an answer hides no change, and does not count as one.
func TestAnswered(t *testing.T) {
	t0 := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	at := func(s float64) time.Time { return t0.Add(seconds(s)) }
	roles := []role{
		{unit: "db[0]", says: "leader", asked: at(-1), said: at(-1)},
		{unit: "db[0]", says: "", before: at(4), asked: at(4.02), said: at(4.42)},
		{unit: "db[0]", says: "leader", before: at(6), asked: at(6.02), said: at(6.03)},
		{unit: "db[0]", says: "", before: at(8), asked: at(8.02), said: at(8.42)},
		{unit: "db[0]", says: "follower", before: at(12), asked: at(12.02), said: at(12.03)},
	}
	for _, c := range []struct {
		name   string
		states []unitState
		errors int
	}{
		{"the gaps are brunt's as well", []unitState{{-1, 4, "leader"}, {4, 6, ""}, {6, 9, "leader"}, {9, 16, "follower"}}, 0},
		{"brunt heard it throughout", []unitState{{-1, 12.1, "leader"}, {12.1, 16, "follower"}}, 0},
		{"the change lacks", []unitState{{-1, 8.1, "leader"}, {8.1, 16, ""}}, 1},
		{"the change is early", []unitState{{-1, 7, "leader"}, {7, 16, "follower"}}, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := &report{T0: t0, Watches: []watched{{Unit: "db[0]", States: c.states}}}
			var out row
			compareRoles(&out, r, answered(r, roles))
			if len(out.wrong) != c.errors {
				t.Errorf("%d errors, want %d: %q", len(out.wrong), c.errors, out.wrong)
			}
		})
	}
}
