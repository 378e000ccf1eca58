package judge_test

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/measure"
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
		{
			"good for less than a hold", 100,
			[]span{{20 * sec, 22 * sec}, {26 * sec, 29 * sec}},
			[]span{{20 * sec, 29 * sec}},
			nil, "", false,
		},
		{"up to the end", 100, []span{{100 * sec, 121 * sec}}, []span{{100 * sec, 120 * sec}}, nil, "", false},
		{"from the beginning", 100, []span{{0, 12 * sec}}, []span{{0, 12 * sec}}, nil, "", false},
		{
			"of two faults together", 100,
			[]span{{31 * sec, 44300 * ms}},
			[]span{{31 * sec, 44300 * ms}},
			[]injection{{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 35 * sec, 50 * sec}},
			"f", true, // g was injected when it went on already
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
			g := newFixture(t, oneStep)
			var actions []action
			for i, f := range c.faults {
				actions = append(actions, action{f.injected, func() { g.Inject(f.fault, f.name) }},
					action{f.cleared, func() { g.Clear(i) }})
			}
			g.play(all, actions...)
			got := g.finish(judge.Case{}, 120*sec).Incidents
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

// TestIncidents_Closed: users who wait send few requests, and many in the same second once the target is good again.
// Those are no requests of the outage.
func TestIncidents_Closed(t *testing.T) {
	from, to := 10100*ms, 16400*ms
	var all []scenarios.Outcome
	want := int64(0)
	for user := range 10 {
		for at := time.Duration(user) * 500 * time.Microsecond; at < 30*sec; {
			took, does := 5*ms, okay
			if at >= from && at < to {
				took, does = sec, failure
				want++
			}
			all = append(all, request(at, took, does))
			at += took
		}
	}
	slices.SortStableFunc(all, func(a, b scenarios.Outcome) int { return cmp.Compare(a.Intended, b.Intended) })
	s := oneStep
	s.Loads = []measure.SeriesLoad{{Name: "browse", Closed: true}}
	g := newFixtureWith(t, measure.Config{Series: s})
	g.play(all)
	got := g.finish(judge.Case{Hold: 5 * sec}, 30*sec).Incidents
	if len(got) != 1 || got[0].Bad != want || got[0].Requests > want+want/20 {
		t.Errorf("%+v; want %d bad requests, and no others", got, want)
	}
}

// TestIncidents_LessThanAHold checks that the last bad request bounds an incident from below, where the load was
// good from there to its end, for less than a hold.
func TestIncidents_LessThanAHold(t *testing.T) {
	for _, end := range []time.Duration{114 * sec, 112300 * ms} {
		g := newFixture(t, oneStep)
		g.play(slices.Concat(perSecond(100, 0, 112*sec, ms, okay), perSecond(100, 112*sec, end, ms, failure),
			perSecond(100, end, 120*sec, ms, okay)))
		got := g.finish(judge.Case{}, 120*sec).Incidents
		if len(got) != 1 || got[0].Over || !near(got[0].End, 120*sec, 100) || !near(got[0].EndLow, end, 50) {
			t.Errorf("bad to %s: %+v", end, got)
		}
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
		g := newFixture(t, oneStep)
		g.play(requestsAt(rate, func(time.Duration, int) bool { return r.Float64() < share }))
		found += len(g.finish(judge.Case{}, 120*sec).Incidents)
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
		{"the longest of two", 5 * sec, func(at time.Duration) bool {
			return between(31*sec, 33*sec)(at) ||
				between(48*sec, 54*sec)(at)
		}, both, 6, scenarios.Fail},
		{"not over", 30 * sec, between(45*sec, 101*sec), both, -1, scenarios.Fail},
		{"not over, and not too long yet", 80 * sec, between(45*sec, 101*sec), both, -1, scenarios.Inconclusive},
		{
			"good again for less than a hold", 800 * ms, between(92*sec, 92300*ms),
			[]injection{{"f", "f", 91800 * ms, 93 * sec}},
			-1, scenarios.Inconclusive,
		},
		{
			"noise in a long fault", 3 * sec, between(50*sec, 54*sec),
			[]injection{{"f", "f", 30 * sec, 80 * sec}},
			-1,
			scenarios.Inconclusive,
		},
		{
			"noise in a long fault, and harm at its end", 3 * sec, func(at time.Duration) bool {
				return between(50*sec, 54*sec)(at) || between(80*sec, 84*sec)(at)
			}, []injection{{"f", "f", 30 * sec, 80 * sec}}, 4, scenarios.Fail,
		},
		{"no fault was injected", 30 * sec, between(45*sec, 50*sec), nil, -1, scenarios.Inconclusive},
		{
			"the load ends within a hold of the fault", sec, between(0, 0),
			[]injection{{"f", "f", 98 * sec, 99 * sec}},
			-1,
			scenarios.Inconclusive,
		},
		{
			"the load ends within a hold of the second fault", 5 * sec, between(31*sec, 33*sec),
			[]injection{{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 98 * sec, 99 * sec}},
			-1, scenarios.Inconclusive,
		},
		{"too long, whatever the second fault did", sec, between(31*sec, 33*sec), []injection{
			{"f", "f", 30 * sec, 40 * sec}, {"g", "g", 98 * sec, 99 * sec},
		}, 2, scenarios.Fail},
		{"three faults that follow each other", sec, between(0, 0), []injection{
			{"f", "f", 30 * sec, 31 * sec}, {"g", "g", 33 * sec, 34 * sec}, {"h", "h", 36 * sec, 37 * sec},
		}, 0, scenarios.Pass},
		{"three faults that follow each other up to the end", sec, between(0, 0), []injection{
			{"f", "f", 90 * sec, 91 * sec}, {"g", "g", 93 * sec, 94 * sec}, {"h", "h", 96 * sec, 97 * sec},
		}, -1, scenarios.Inconclusive},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, fmt.Sprintf("recover < %s after incident", c.limit)), judge.Case{}, outage(c.bad),
				c.faults...)
			o := f.Objectives[0]
			if o.Verdict != c.verdict || c.measured >= 0 && !near(o.Measured, result.Num(c.measured).D(), 200) {
				t.Errorf("%s with %v (%s), want %s with %g", o.Verdict, o.Measured, o.Note, c.verdict, c.measured)
			}
		})
	}
}

// TestIncident_NotVerified: that no incident overlaps a fault that was not verified shows nothing.
func TestIncident_NotVerified(t *testing.T) {
	fault := injection{"f", "f", 30 * sec, 40 * sec}
	for _, c := range []struct {
		bad  func(time.Duration) bool
		want scenarios.Verdict
	}{{between(0, 0), scenarios.Invalid}, {between(31*sec, 33*sec), scenarios.Pass}} {
		f := drill(t, parseObjectives(t, "recover < 5s after incident"),
			judge.Case{Occurrences: []judge.Occurrence{{Unverified: true}}}, outage(c.bad), fault)
		if o := f.Objectives[0]; o.Verdict != c.want {
			t.Errorf("%s with %v (%s), want %s", o.Verdict, o.Measured, o.Note, c.want)
		}
	}
}

// TestIncidents_Shed: a surge of shed requests is an incident, unless an objective on shed covers it.
func TestIncidents_Shed(t *testing.T) {
	for _, c := range []struct {
		name  string
		slo   []string
		every int  // one in so many requests is shed all along; 0: none
		calm  bool // no more are shed from 50 to 55 s
		want  int
	}{
		{"none covers it", nil, 0, false, 1},
		{"an objective on shed covers it", []string{"shed < 50%"}, 0, false, 0},
		{"one covers another phase", []string{"shed < 1% in baseline", "shed < 99% in f"}, 0, false, 1},
		{"it sheds little anyway", nil, 20, false, 1},
		{"it sheds no more than anyway", nil, 20, true, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := parseObjectives(t, c.slo...)
			g := newFixture(t, oneStep, o...)
			all := requestsAt(100, func(time.Duration, int) bool { return false })
			sheds := int64(0)
			for i := range all {
				at := all[i].Intended
				if !c.calm && at >= 50*sec && at < 55*sec || c.every > 0 && i%c.every == 0 {
					all[i] = request(at, ms, shed)
				}
				if at >= 50*sec && at < 55*sec {
					sheds++
				}
			}
			g.play(all, action{48 * sec, func() { g.Inject("f", "f") }}, action{56 * sec, func() { g.Clear(0) }})
			got := g.finish(judge.Case{SLO: o}, 120*sec).Incidents
			if len(got) != c.want {
				t.Fatalf("%d incidents, want %d: %+v", len(got), c.want, got)
			}
			if c.want == 0 {
				return
			}
			in := got[0]
			if c.every == 0 && (math.Abs(float64(in.Begin)-50) > .005 || math.Abs(float64(in.End)-55) > .005) {
				t.Errorf("from %v to %v, want 50 to 55: a sharp edge is known to the request", in.Begin, in.End)
			}
			if in.Begin < 49 || in.Begin > 51 || in.End < 54 || in.End > 56 || in.Kinds["shed"] < sheds ||
				in.Bad != in.Kinds["shed"] || !in.Planned {
				t.Errorf("%+v", in)
			}
		})
	}
}

// TestIncidents_ShedWithoutFault: a surge is not measured against itself where no fault tells a baseline. Load that is
// shed all along is no incident.
func TestIncidents_ShedWithoutFault(t *testing.T) {
	for _, c := range []struct {
		name  string
		rate  float64
		sheds func(at time.Duration, n int) bool
		want  int
	}{
		{"most of the time", 100, func(at time.Duration, n int) bool { return at >= 10*sec && at < 90*sec && n%5 < 3 }, 1},
		{"all along", 100, func(_ time.Duration, n int) bool { return n%5 == 0 }, 0},
		{"all along at 5/s", 5, func(_ time.Duration, n int) bool { return n*7919%13 < 3 }, 0},
	} {
		g := newFixture(t, oneStep)
		all := requestsAt(c.rate, func(time.Duration, int) bool { return false })
		for i := range all {
			if c.sheds(all[i].Intended, i) {
				all[i] = request(all[i].Intended, ms, shed)
			}
		}
		g.play(all)
		if got := g.finish(judge.Case{}, 120*sec).Incidents; len(got) != c.want {
			t.Errorf("%s: %d incidents, want %d: %+v", c.name, len(got), c.want, got)
		}
	}
}

// TestIncidents_Delayed: an outage that begins soon after the clearing is one of the fault: its own
// recovery includes it, so `after incident` does. A one-shot fault is over before its phase.
func TestIncidents_Delayed(t *testing.T) {
	for _, c := range []struct {
		from  time.Duration
		ended *time.Duration
		want  result.Num
	}{
		{45 * sec, nil, 3},
		{70 * sec, nil, 0},
		{45 * sec, new(31 * sec), 0},
		{40500 * ms, new(31 * sec), 3},
	} {
		o := parseObjectives(t, "recover < 10s after incident")
		g := newFixture(t, oneStep, o...)
		all := requestsAt(100, func(at time.Duration, _ int) bool { return at >= c.from && at < c.from+3*sec })
		g.play(all, action{30 * sec, func() { g.Inject("f", "f") }}, action{40 * sec, func() { g.Clear(0) }})
		r := g.finish(judge.Case{SLO: o, Occurrences: []judge.Occurrence{{Ended: c.ended}}}, 120*sec).Objectives[0]
		if r.Measured != c.want || r.Verdict != scenarios.Pass {
			t.Errorf("an outage at %s: %s, measured %v, want %v (%s)", c.from, r.Verdict, r.Measured, c.want, r.Note)
		}
	}
}

// TestIncidents_Own: timeouts that brunt's own freeze caused are no kind of the incident.
func TestIncidents_Own(t *testing.T) {
	g := newFixture(t, oneStep)
	late := int64(0)
	all := requestsAt(100, func(at time.Duration, _ int) bool { return at >= 50*sec && at < 53*sec })
	for i := range all {
		if o := &all[i]; o.Kind != okay {
			o.Cause, o.Answered, o.End = scenarios.Timeout, false, o.Intended+sec
			if i%4 == 0 {
				o.Ready, late = o.Intended+990*ms, late+1
			}
		}
	}
	g.play(all)
	in := g.finish(judge.Case{}, 120*sec).Incidents
	if len(in) != 1 || in[0].Bad != 300-late || in[0].Kinds["timeout"] != 300-late {
		t.Errorf("%+v, want %d timeouts of the target", in, 300-late)
	}
}

// TestIncidents_BeforeInjection: an incident that began before the injection keeps its begin, though all requests of
// a hang are in flight at it, and shed ones are no bad ones of the edges. One that the fault began starts with it.
func TestIncidents_BeforeInjection(t *testing.T) {
	ending := func(from, to, at time.Duration, kind scenarios.Kind) []scenarios.Outcome { // all end at at
		list := perSecond(100, from, to, ms, kind)
		for i := range list {
			list[i] = request(list[i].Intended, at-list[i].Intended, kind)
		}
		return list
	}
	good := func(from, to time.Duration) []scenarios.Outcome { return perSecond(100, from, to, 10*ms, okay) }
	for _, c := range []struct {
		name  string
		slow  time.Duration // answers above it are slow; 0: none
		at    time.Duration // of the injection
		list  [][]scenarios.Outcome
		begin time.Duration
	}{
		{"shed until the end", 0, 12 * sec, [][]scenarios.Outcome{
			good(0, 10*sec), perSecond(100, 10*sec, 15*sec, ms, shed),
			good(15*sec, 60*sec),
		}, 10 * sec},
		{"shed by the fault", 0, 12 * sec, [][]scenarios.Outcome{
			good(0, 12*sec), perSecond(100, 12*sec, 15*sec, ms, shed),
			good(15*sec, 60*sec),
		}, 12 * sec},
		{
			"a hang of slow answers", 100 * ms, 8 * sec,
			[][]scenarios.Outcome{good(0, 5*sec), ending(5*sec, 12*sec, 12*sec, okay), good(12*sec, 60*sec)},
			5 * sec,
		},
		{"a hang of errors", 0, 8 * sec, [][]scenarios.Outcome{
			good(0, 5*sec), ending(5*sec, 12*sec, 12*sec, failure),
			good(12*sec, 60*sec),
		}, 5 * sec},
		{
			"in flight when the fault began", 0, 8 * sec,
			[][]scenarios.Outcome{
				perSecond(100, 0, 7700*ms, 300*ms, okay), ending(7710*ms, 12*sec, 12*sec, failure),
				good(12*sec, 60*sec),
			},
			8 * sec,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixtureWith(t, measure.Config{Series: oneStep, Slow: c.slow})
			g.play(slices.Concat(c.list...), action{c.at, func() { g.Inject("f", "f") }},
				action{20 * sec, func() { g.Clear(0) }})
			got := g.finish(judge.Case{}, 60*sec).Incidents
			if len(got) != 1 || !near(got[0].Begin, c.begin, 100) || got[0].Planned != (c.begin == c.at) {
				t.Errorf("%+v, want a begin at %s", got, c.begin)
			}
		})
	}
}

// TestIncidents_Steps: an incident names the step with the most requests that were made and failed first, whatever step
// has the most that were skipped as a result of an earlier failure.
func TestIncidents_Steps(t *testing.T) {
	for _, c := range []struct {
		name  string
		fails [3]int // by step: so many of 10 iterations would fail there, if they came so far
		want  string
	}{
		{"the first fails, and the others are skipped", [3]int{10, 0, 0}, "read 100/0, list 100/100, create 100/100"},
		{"the second fails more often than the first", [3]int{1, 10, 0}, "list 100/10, read 10/0, create 100/100"},
		{
			"the first fails more often, and the second is skipped more often",
			[3]int{8, 9, 0},
			"read 80/0, list 90/80, create 90/90",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := newFixture(t, measure.Series{
				Loads: []measure.SeriesLoad{{Name: "browse"}},
				Steps: []measure.SeriesStep{{Name: "read"}, {Name: "list"}, {Name: "create"}},
			})
			var all []scenarios.Outcome
			for i := range 6000 {
				at, failed := time.Duration(i)*10*ms, false
				for step, n := range c.fails {
					kind := okay
					switch {
					case failed:
						kind = scenarios.Skipped
					case at >= 20*sec && at < 21*sec && i%10 < n:
						kind, failed = failure, true
					}
					o := request(at, ms, kind)
					o.Step = int32(step)
					all = append(all, o)
				}
			}
			g.play(all)
			got := g.finish(judge.Case{}, 60*sec).Incidents
			var steps []string
			for _, in := range got {
				for _, s := range in.Steps {
					steps = append(steps, fmt.Sprintf("%s %d/%d", s.Step, s.Bad, s.Skipped))
					if s.Kinds["status 500"] != s.Made() {
						t.Errorf("%s: %v", s.Step, s.Kinds)
					}
				}
			}
			if strings.Join(steps, ", ") != c.want {
				t.Errorf("%s, want %s", strings.Join(steps, ", "), c.want)
			}
		})
	}
}
