package judge_test

import (
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
)

// TestCorrect_Timeouts: ten users who wait for timeouts send little meanwhile, however short the timeout. A percentile
// that holds by count is then inconclusive. Users whose requests are refused at once don't wait. Two lost requests
// decide nothing.
func TestCorrect_Timeouts(t *testing.T) {
	for _, c := range []struct {
		name    string
		timeout time.Duration
		took    time.Duration // of the requests that fail
		want    scenarios.Verdict
	}{
		{"of a second", sec, sec - 20*time.Microsecond, scenarios.Inconclusive},
		{"of 400 ms", 400 * ms, 400 * ms, scenarios.Inconclusive},
		{"of five seconds, and the answers of a second are late", 5 * sec, 1200 * ms, scenarios.Inconclusive},
		{"none: they are refused", sec, ms, scenarios.Pass},
	} {
		lost := &requests.LostWorkers{Why: "worker 2 was lost", Loads: []requests.LostLoad{
			{From: 15 * sec, To: 16 * sec, Most: 1, Flows: [][]int32{{0}}},
		}}
		objectives := parseObjectives(t, "p99 < 200ms")
		// the timeout of another load, which the recorder waits for, has no part in it
		closed := measure.Series{Loads: []measure.SeriesLoad{
			{Name: "browse", Closed: true, Users: 10, Timeout: c.timeout},
			{Name: "other", Closed: true, Users: 1, Timeout: time.Minute},
		}, Steps: oneStep.Steps}
		g := newFixtureWith(t, measure.Config{Series: closed, Timeout: time.Minute}, objectives...)
		all := perSecond(300, 0, 8*sec, 3*ms, okay)
		for range 10 {
			all = append(all, request(8*sec, c.took, failure), request(8*sec+c.took, c.took, failure))
		}
		slices.SortStableFunc(all, func(a, b scenarios.Outcome) int { return int(a.Intended - b.Intended) })
		g.play(slices.Concat(all, perSecond(300, 8*sec+2*c.took, 16*sec, 3*ms, okay)))
		o := g.finish(judge.Case{SLO: objectives, Lost: lost}, 16*sec).Objectives[0]
		if o.Verdict != c.want || (o.Corrected != nil) != (c.want == scenarios.Inconclusive) {
			t.Errorf("timeout %s: %s with %v (%s), want %s", c.name, o.Verdict, o.Measured, o.Note, c.want)
		}
	}
}

// usersAsk are the requests of users who ask one after the other, each again 10 ms after its answer. Of says what
// becomes of the request of a user at a time.
func usersAsk(
	users int, to time.Duration, of func(user int, at time.Duration) (time.Duration, scenarios.Kind),
) (all []scenarios.Outcome) {
	for u := range users {
		for at := time.Duration(u) * ms; at < to; {
			took, kind := of(u, at)
			o := request(at, took, kind)
			if kind == okay {
				o.Checks = 1
			}
			all = append(all, o)
			at += took + 10*ms
		}
	}
	return all
}

// TestCorrect_Failures: users who wait for timeouts hide how many requests of an open load would have failed, and so
// errors and checks that hold by count alone are inconclusive. Waits that end well are no errors, nor is one request
// without an answer a stall of the target, nor a slow target.
func TestCorrect_Failures(t *testing.T) {
	const timeout = 5 * sec
	usual := func(int, time.Duration) (time.Duration, scenarios.Kind) { return 2 * ms, okay }
	dark := func(_ int, at time.Duration) (time.Duration, scenarios.Kind) {
		if at < 20*sec || at >= 30*sec {
			return 2 * ms, okay
		}
		if d := 30*sec + 2*ms - at; d < timeout {
			return d, okay
		}
		return timeout, failure
	}
	for _, c := range []struct {
		name  string
		users int
		of    func(user int, at time.Duration) (time.Duration, scenarios.Kind)
		want  scenarios.Verdict
	}{
		{"none", 10, usual, scenarios.Pass},
		{"10 of 60 s dark", 10, dark, scenarios.Inconclusive},
		{"10 of 60 s dark, for one user", 1, dark, scenarios.Inconclusive},
		{"10 of 60 s dark, and answered at last", 10, func(_ int, at time.Duration) (time.Duration, scenarios.Kind) {
			return max(0, min(10*sec, 30*sec-max(at, 20*sec))) + 2*ms, okay
		}, scenarios.Pass},
		{"ten requests without an answer, apart", 10, func(u int, at time.Duration) (time.Duration, scenarios.Kind) {
			if at > time.Duration(4*u)*sec && at <= time.Duration(4*u)*sec+12*ms {
				return timeout, failure
			}
			return 2 * ms, okay
		}, scenarios.Pass},
		{"a slow target with some errors", 10, func(u int, at time.Duration) (time.Duration, scenarios.Kind) {
			if u == 3 && at > 30*sec && at < 32*sec {
				return 20 * ms, failure
			}
			return 1700 * ms, okay
		}, scenarios.Pass},
	} {
		objectives := parseObjectives(t, "errors < 15%", "errors < 1%", "checks > 99%", "errors < 100%")
		if c.name == "a slow target with some errors" {
			objectives = parseObjectives(t, "errors < 30%", "errors < 25%", "checks > 75%", "errors < 100%")
		}
		closed := measure.Series{
			Loads: []measure.SeriesLoad{{Name: "browse", Closed: true, Users: c.users, Timeout: timeout}}, Steps: oneStep.Steps,
		}
		g := newFixtureWith(t, measure.Config{Series: closed}, objectives...)
		g.play(usersAsk(c.users, 60*sec, c.of))
		for i, o := range g.finish(judge.Case{SLO: objectives}, 60*sec).Objectives {
			want := scenarios.Pass
			if i == 1 || i == 2 {
				want = c.want
			}
			if o.Verdict != want || (o.Corrected != nil) != (c.want == scenarios.Inconclusive) {
				t.Errorf("%s: %s is %s with %v of %d, corrected %v (%s), want %s", c.name, o.Text, o.Verdict, o.Measured, o.Count,
					o.Corrected, o.Note, want)
			}
		}
	}
}

// TestCorrect_Mixed: users beside an open load are corrected as well, each load with the requests that it usually
// sends.
func TestCorrect_Mixed(t *testing.T) {
	mixed := measure.Series{
		Loads: []measure.SeriesLoad{{Name: "browse", Closed: true, Users: 10, Timeout: 5 * sec}, {Name: "probe"}},
		Steps: []measure.SeriesStep{{Name: "read"}, {Name: "ask", Load: 1}},
	}
	texts := []string{
		"availability > 99%", "errors < 1%", "p99 < 200ms", "availability > 99% of load probe", "availability > 80%",
	}
	for _, c := range []struct {
		name       string
		rate       int
		dark, down time.Duration // how long the users wait, and how long the probe fails
		want       []scenarios.Verdict
	}{
		{"the users wait", 10, 10 * sec, 0, []scenarios.Verdict{
			scenarios.Inconclusive, scenarios.Inconclusive, scenarios.Inconclusive, scenarios.Pass, scenarios.Pass,
		}},
		{"all wait", 10, 10 * sec, 10 * sec, []scenarios.Verdict{
			scenarios.Inconclusive, scenarios.Inconclusive, scenarios.Inconclusive, scenarios.Fail, scenarios.Pass,
		}},
		{"none waits", 10, 0, 0, []scenarios.Verdict{
			scenarios.Pass, scenarios.Pass, scenarios.Pass, scenarios.Pass,
			scenarios.Pass,
		}},
		{
			"the probe fails for a while", 100, 0, 2 * sec,
			[]scenarios.Verdict{scenarios.Pass, scenarios.Pass, scenarios.Pass, scenarios.Fail, scenarios.Pass},
		},
	} {
		objectives := parseObjectives(t, texts...)
		g := newFixtureWith(t, measure.Config{Series: mixed}, objectives...)
		all := usersAsk(10, 60*sec, func(_ int, at time.Duration) (time.Duration, scenarios.Kind) {
			switch left := 20*sec + c.dark - at; {
			case at < 20*sec || left <= 0:
				return 2 * ms, okay
			case left < 5*sec:
				return left, okay
			}
			return 5 * sec, failure
		})
		for _, o := range perSecond(c.rate, 0, 60*sec, 3*ms, okay) {
			if o.Intended >= 20*sec && o.Intended < 20*sec+c.down {
				o = request(o.Intended, 3*ms, failure)
			}
			o.Load, o.Step = 1, 1
			all = append(all, o)
		}
		g.play(all)
		for i, o := range g.finish(judge.Case{SLO: objectives}, 60*sec).Objectives {
			if o.Verdict != c.want[i] {
				t.Errorf("%s: %s is %s with %v, corrected %v (%s), want %s", c.name, o.Text, o.Verdict, o.Measured, o.Corrected,
					o.Note, c.want[i])
			}
		}
	}
}

// TestCorrect_OneWaits: availability by time counts no stretch in which one of ten users alone waits for an answer, as
// the others have ended. It counts one in which all of two users wait.
func TestCorrect_OneWaits(t *testing.T) {
	slowFrom := func(from, took time.Duration) func(int, time.Duration) (time.Duration, scenarios.Kind) {
		return func(_ int, at time.Duration) (time.Duration, scenarios.Kind) {
			if at >= from {
				return took, okay
			}
			return 2 * ms, okay
		}
	}
	for _, c := range []struct {
		name    string
		users   int
		to      time.Duration // the end of the load of all users but the first
		of      func(int, time.Duration) (time.Duration, scenarios.Kind)
		want    scenarios.Verdict
		correct bool
	}{
		{"one of ten", 10, 40 * sec, slowFrom(40*sec, 3*sec), scenarios.Pass, false},
		{"both of two", 2, 60 * sec, slowFrom(40*sec, 3*sec), scenarios.Inconclusive, true},
		{"all, and as long as ever", 10, 60 * sec, slowFrom(0, 1900*ms), scenarios.Pass, false},
	} {
		objectives := parseObjectives(t, "availability > 98%")
		closed := measure.Series{
			Loads: []measure.SeriesLoad{{Name: "browse", Closed: true, Users: c.users, Timeout: 5 * sec}}, Steps: oneStep.Steps,
		}
		g := newFixtureWith(t, measure.Config{Series: closed}, objectives...)
		all := slices.DeleteFunc(usersAsk(c.users, c.to, c.of),
			func(o scenarios.Outcome) bool { return o.Intended >= 40*sec && c.to < 60*sec })
		if c.to < 60*sec {
			for at := 40 * sec; at < 60*sec; at += 3*sec + 10*ms {
				all = append(all, request(at, 3*sec, okay))
			}
		}
		g.play(all)
		o := g.finish(judge.Case{SLO: objectives}, 60*sec).Objectives[0]
		if o.Verdict != c.want || (o.Corrected != nil) != c.correct {
			t.Errorf("%s: %s with %v, corrected %v (%s), want %s", c.name, o.Verdict, o.Measured, o.Corrected, o.Note, c.want)
		}
	}
}

// TestCorrect_QuickErrors: users whose requests the target refuses at once send more, and do not wait.
func TestCorrect_QuickErrors(t *testing.T) {
	objectives := parseObjectives(t, "availability > 50%", "availability > 99%")
	closed := measure.Series{
		Loads: []measure.SeriesLoad{{Name: "browse", Closed: true, Users: 10, Timeout: 5 * sec}}, Steps: oneStep.Steps,
	}
	g := newFixtureWith(t, measure.Config{Series: closed}, objectives...)
	g.play(usersAsk(10, 60*sec, func(_ int, at time.Duration) (time.Duration, scenarios.Kind) {
		if at >= 30*sec && at < 32*sec {
			return ms, failure
		}
		return 10 * ms, okay
	}))
	for i, o := range g.finish(judge.Case{SLO: objectives}, 60*sec).Objectives {
		want := []scenarios.Verdict{scenarios.Pass, scenarios.Fail}[i]
		if o.Verdict != want || o.Corrected != nil || o.Note != "" {
			t.Errorf("%s: %s with %v, corrected %v (%s), want %s", o.Text, o.Verdict, o.Measured, o.Corrected, o.Note, want)
		}
	}
}
