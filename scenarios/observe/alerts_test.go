package observe

import (
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/result"
)

func TestAlertWatch(t *testing.T) {
	const s, tenth = time.Second, 100 * time.Millisecond
	nan := result.NaN
	type spell struct{ pending, notFiring, firing, still, resolved result.Num }
	for _, c := range []struct {
		name, states string // from -2 s on
		injected     time.Duration
		want         chaos.Sighting
		err          string
		spells       []spell
		events       string
	}{
		{
			"fires", "....ppFFF..", 1 * s,
			chaos.Sighting{Noticed: true, At: 4*s + tenth, NotYet: 3 * s, Text: "here"},
			"",
			[]spell{{1.8, 3, 4.1, 6, 7.1}},
			"pending firing resolved",
		},
		{
			"fires at once, still does", "....FFF", 1500 * time.Millisecond,
			chaos.Sighting{Noticed: true, At: 2*s + tenth, NotYet: 1500 * time.Millisecond, Text: "here"},
			"",
			[]spell{{nan, 1, 2.1, 4, nan}},
			"firing",
		},
		{"never", ".......", 1 * s, chaos.Sighting{NotYet: 4 * s}, "", nil, ""},
		{"pending, and no more", "....pp..", 1 * s, chaos.Sighting{NotYet: 5 * s}, "", nil, "pending"},
		{
			"fired before", "FFFFFFF", 1 * s,
			chaos.Sighting{NotYet: 1 * s},
			"already fired before the injection",
			[]spell{{nan, nan, -1.9, 4, nan}},
			"firing",
		},
		{
			"fired before, and was over", "FF....F", 1500 * time.Millisecond,
			chaos.Sighting{Noticed: true, At: 4*s + tenth, NotYet: 3 * s, Text: "here"},
			"",
			[]spell{{nan, nan, -1.9, -1, .1}, {nan, 3, 4.1, 4, nan}},
			"firing resolved firing",
		},
		{
			"no answer before", "xxxxFF", 1 * s,
			chaos.Sighting{NotYet: 1 * s},
			"did not answer before the injection: no route",
			[]spell{{nan, nan, 2.1, 3, nan}},
			"failed firing",
		},
		{
			"no answer after", "...xxx", 1 * s,
			chaos.Sighting{NotYet: 1 * s},
			"did not answer after the injection: no route",
			nil, "failed",
		},
		{
			"a gap", "....xxxF", 1500 * time.Millisecond,
			chaos.Sighting{Noticed: true, At: 5*s + tenth, NotYet: 1500 * time.Millisecond, Text: "here"},
			"",
			[]spell{{nan, 1, 5.1, 5, nan}},
			"failed firing",
		},
		{
			"asked only afterwards", "..FF", -3 * s,
			chaos.Sighting{NotYet: -3 * s},
			"had not answered before the injection",
			[]spell{{nan, -1, .1, 1, nan}},
			"firing",
		},
		{
			"over and pending again", "...Fp.", 0,
			chaos.Sighting{Noticed: true, At: 1*s + tenth, NotYet: 0, Text: "here"},
			"",
			[]spell{{nan, 0, 1.1, 1, 2.1}},
			"firing resolved",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, events := played(c.states)
			got := a.sighting(c.injected)
			if err := got.Err; (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
				t.Errorf("%v, want %s", err, c.err)
			}
			got.Err = nil
			if *got != c.want {
				t.Errorf("got %+v, want %+v", *got, c.want)
			}
			if len(a.rec.Spells) != len(c.spells) {
				t.Fatalf("%+v", a.rec.Spells)
			}
			for i, want := range c.spells {
				is := a.rec.Spells[i]
				for n, pair := range [][2]result.Num{
					{is.Pending, want.pending},
					{is.NotFiring, want.notFiring},
					{is.Firing, want.firing},
					{is.StillFiring, want.still},
					{is.Resolved, want.resolved},
				} {
					if pair[0].Known() != pair[1].Known() || pair[0].Known() && (pair[0]-pair[1] > 1e-6 || pair[1]-pair[0] > 1e-6) {
						t.Errorf("spell %d, figure %d: %v, want %v", i, n, pair[0], pair[1])
					}
				}
			}
			for i := range events {
				events[i] = strings.TrimPrefix(events[i], "alert.")
			}
			if got := strings.Join(events, " "); got != c.events {
				t.Errorf("events %q, want %q", got, c.events)
			}
		})
	}
}

func TestAlertWatch_Resolution(t *testing.T) {
	const s, tenth = time.Second, 100 * time.Millisecond
	for _, c := range []struct {
		name, states      string
		injected, cleared time.Duration
		at, still         time.Duration
		why               string
	}{
		{"after the clearing", "....FFFFF..", 1 * s, 4 * s, 7*s + tenth, 6 * s, ""},
		{"before it", "....FF.....", 1 * s, 6 * s, 4*s + tenth, 3 * s, ""},
		{"before it, and again", "....F.FF...", 1 * s, 5500 * time.Millisecond, 6*s + tenth, 5 * s, ""},
		{"after it, and again: another matter", "....FF..FF.", 1 * s, 3 * s, 4*s + tenth, 3 * s, ""},
		{"still", "....FFFFFFF", 1 * s, 4 * s, 0, 8 * s, ""},
		{"no answer", "....FFFxxxx", 1 * s, 4 * s, 0, 4 * s, ""},
		{"did not fire", "...........", 1 * s, 4 * s, 0, 0, "did not fire"},
		{"fired before", "FFFFFFF....", 1 * s, 4 * s, 0, 0, "already fired"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, _ := played(c.states)
			got := a.resolution(c.injected, c.cleared)
			if got.At != c.at || got.Still != c.still || !strings.Contains(got.Why, c.why) || c.why == "" && got.Why != "" {
				t.Errorf("got %+v, want at %s, still %s, %q", got, c.at, c.still, c.why)
			}
		})
	}
}

// TestObserver_Earliest: the first alert to fire decides when the fault was detected.
func TestObserver_Earliest(t *testing.T) {
	late, _ := played("......FF")
	soon, _ := played(".....FFF")
	never, _ := played("........")
	early, _ := played("FFFFFFFF")
	for _, c := range []struct {
		name string
		of   []*alertWatch
		at   time.Duration
		err  bool
	}{
		{"the first", []*alertWatch{late, soon, never}, 3100 * time.Millisecond, false},
		{"whatever another one did before", []*alertWatch{early, late}, 4100 * time.Millisecond, false},
		{"none", []*alertWatch{early, never}, 0, false},
		{"nothing is known", []*alertWatch{early}, 0, true},
	} {
		s := (&Observer{alerts: c.of}).Earliest(time.Second)
		if s.At != c.at || (s.Err != nil) != c.err || s.Noticed != (c.at > 0) {
			t.Errorf("%s: %+v", c.name, s)
		}
	}
}
