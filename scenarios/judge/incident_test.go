package judge

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestIncidents compares the incidents of a run with its list of requests.
func TestIncidents(t *testing.T) {
	type span struct{ from, to time.Duration }
	for _, c := range []struct {
		name    string
		rate    float64
		bad     []span // every request in these fails
		want    []span // incidents, by the list of requests below
		faults  []injection
		in      string // faults of the first incident
		planned bool
	}{
		{"none", 100, nil, nil, nil, "", false},
		{"no fault was in", 100, []span{{20 * sec, 23400 * ms}}, []span{{20 * sec, 23400 * ms}}, nil, "", false},
		{"at a low rate", 20, []span{{41120 * ms, 44 * sec}}, []span{{41120 * ms, 44 * sec}}, nil, "", false},
		{"shorter than a second", 1000, []span{{41120 * ms, 41420 * ms}}, []span{{41120 * ms, 41420 * ms}}, nil, "", false},
		{
			"two, with a hold between them", 100,
			[]span{{20 * sec, 22 * sec}, {50 * sec, 55 * sec}},
			[]span{{20 * sec, 22 * sec}, {50 * sec, 55 * sec}},
			nil, "", false,
		},
		{"good for less than a hold", 100, []span{{20 * sec, 22 * sec}, {26 * sec, 29 * sec}}, []span{{20 * sec, 29 * sec}}, nil, "", false},
		{"up to the end", 100, []span{{100 * sec, 121 * sec}}, []span{{100 * sec, 120 * sec}}, nil, "", false},
		{"from the beginning", 100, []span{{0, 12 * sec}}, []span{{0, 12 * sec}}, nil, "", false},
		{
			"of two faults together", 100,
			[]span{{31 * sec, 44300 * ms}},
			[]span{{31 * sec, 44300 * ms}},
			[]injection{{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 35 * sec, 50 * sec}},
			"f g", true,
		},
		{
			"before the fault", 100,
			[]span{{21 * sec, 28 * sec}},
			[]span{{21 * sec, 28 * sec}},
			[]injection{{"f", "f", 30 * sec, 40 * sec}},
			"", false,
		},
		{
			"soon after it was cleared", 100,
			[]span{{45 * sec, 47 * sec}},
			[]span{{45 * sec, 47 * sec}},
			[]injection{{"f", "f", 30 * sec, 40 * sec}},
			"", true,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			fails := func(at time.Duration, _ int) bool {
				for _, s := range c.bad {
					if at >= s.from && at < s.to {
						return true
					}
				}
				return false
			}
			all := requestsAt(c.rate, fails)
			g := newRig(t, oneStep)
			var actions []action
			for i, f := range c.faults {
				actions = append(actions, action{f.injected, func() { g.Inject(f.fault, f.name) }}, action{f.cleared, func() { g.Clear(i) }})
			}
			g.play(all, actions...)
			got := g.finish(Case{}, 120*sec).Incidents
			if len(got) != len(c.want) {
				t.Fatalf("%d incidents, want %d: %+v", len(got), len(c.want), got)
			}
			for i, w := range c.want {
				in, bad, requests := got[i], int64(0), int64(0)
				begin, end := time.Duration(-1), 120*sec
				for j := range all { // the truth, from the list
					if o := &all[j]; o.Intended >= w.from && o.Intended < w.to {
						requests++
						if o.Kind != scenarios.OK {
							bad++
							if begin < 0 {
								begin = o.Intended
							}
						}
					} else if o.Intended >= w.to {
						end = o.Intended
						break
					}
				}
				if !near(in.Begin, begin, c.rate) || !near(in.End, end, c.rate) {
					t.Errorf("from %v to %v, want %s to %s", in.Begin, in.End, begin, end)
				}
				if in.Bad != bad || in.Requests < requests-2 || in.Requests > requests+2 {
					t.Errorf("%d of %d are bad, want %d of %d", in.Bad, in.Requests, bad, requests)
				}
				if in.BeginLow > in.Begin || in.BeginHigh < in.Begin || in.EndLow > in.End || in.EndHigh < in.End {
					t.Errorf("%+v lies outside its intervals", in)
				}
				if in.Over != (w.to < 120*sec) || in.Kinds["status 500"] != bad || len(in.Steps) != 1 || in.Steps[0].Bad != bad {
					t.Errorf("%+v", in)
				}
			}
			if len(got) > 0 && (strings.Join(got[0].Faults, " ") != c.in || got[0].Planned != c.planned) {
				t.Errorf("in %v, planned %t; want %q, %t", got[0].Faults, got[0].Planned, c.in, c.planned)
			}
		})
	}
}

// TestIncidents_None: loads without an outage have no incident, in 99 of 100 runs, whatever errors they
// have below the limit.
func TestIncidents_None(t *testing.T) {
	runs, found := 60, 0
	if testing.Short() {
		runs = 12
	}
	for i := range runs {
		r := rand.New(rand.NewPCG(7, uint64(i)))
		rate, share := []float64{20, 100, 500}[i%3], []float64{0, .002, .005}[i/3%3]
		g := newRig(t, oneStep)
		g.play(requestsAt(rate, func(time.Duration, int) bool { return r.Float64() < share }))
		found += len(g.finish(Case{}, 120*sec).Incidents)
	}
	if found > max(0, runs/50) {
		t.Errorf("%d incidents in %d runs without one", found, runs)
	}
}

// TestIncident_Recover: `after incident` judges the longest incident that overlaps a fault.
func TestIncident_Recover(t *testing.T) {
	both := []injection{{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 35 * sec, 50 * sec}}
	for _, c := range []struct {
		name     string
		limit    time.Duration
		bad      func(time.Duration) bool
		faults   []injection
		measured float64
		verdict  scenarios.Verdict
	}{
		{"within", 15 * sec, between(31*sec, 44300*ms), both, 13.3, scenarios.Pass},
		{"too long", 13 * sec, between(31*sec, 44300*ms), both, 13.3, scenarios.Fail},
		{"none", sec, between(0, 0), both, 0, scenarios.Pass},
		{"one without a fault does not count", sec, between(70*sec, 80*sec), both, 0, scenarios.Pass},
		{"the longest of two", 5 * sec, func(at time.Duration) bool { return between(31*sec, 33*sec)(at) || between(48*sec, 54*sec)(at) }, both, 6, scenarios.Fail},
		{"not over", 30 * sec, between(45*sec, 101*sec), both, -1, scenarios.Fail},
		{"not over, and not too long yet", 80 * sec, between(45*sec, 101*sec), both, -1, scenarios.Inconclusive},
		{"no fault was injected", 30 * sec, between(45*sec, 50*sec), nil, -1, scenarios.Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, fmt.Sprintf("recover < %s after incident", c.limit)), Case{}, outage(c.bad), c.faults...)
			o := f.Objectives[0]
			if o.Verdict != c.verdict || c.measured >= 0 && !near(o.Measured, result.Num(c.measured).D(), 200) {
				t.Errorf("%s with %v (%s), want %s with %g", o.Verdict, o.Measured, o.Note, c.verdict, c.measured)
			}
		})
	}
}
