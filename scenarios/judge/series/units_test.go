package series_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// runs is the usage of a unit: + is a second in which it runs, - one in which it does not, ? one of which nothing is
// known, and a blank one without a sample.
func runs(unit, seconds string) result.UnitUsage {
	u := result.UnitUsage{Unit: unit, Service: "posts"}
	for i, r := range seconds {
		if r != ' ' {
			u.Seconds = append(u.Seconds, result.UsageTick{T: result.Num(i) + .01, Running: r == '+', Unknown: r == '?'})
		}
	}
	return u
}

// TestJudge_Units: how many units of a service run, at worst in a phase.
func TestJudge_Units(t *testing.T) {
	a, b, c := runs("posts[0]", "++++++++++"), runs("posts[1]", "+++---++++"), runs("posts[2]", "++++--++++")
	other := runs("store[0]", "----------")
	other.Service = "store"
	all := []result.UnitUsage{a, b, c, other}
	for name, tt := range map[string]struct {
		text     string
		usage    []result.UnitUsage
		from     time.Duration
		verdict  scenarios.Verdict
		measured float64
	}{
		"two are gone":   {"posts.units >= 1", all, 2 * time.Second, scenarios.Pass, 1},
		"too few":        {"posts.units >= 2", all, 2 * time.Second, scenarios.Fail, 1},
		"all are back":   {"posts.units = 3", all, 6 * time.Second, scenarios.Pass, 3},
		"an upper bound": {"posts.units <= 2", all, 2 * time.Second, scenarios.Fail, 3},
		"the last":       {"last(posts.units) >= 3", all, 2 * time.Second, scenarios.Pass, 3},
		"a sample is late": {
			"posts.units >= 3",
			[]result.UnitUsage{a, runs("posts[1]", "+++ + + ++"), c},
			6 * time.Second, scenarios.Pass, 3,
		},
		"the engine is silent": {
			"posts.units >= 1",
			[]result.UnitUsage{a, runs("posts[1]", "++????????")},
			2 * time.Second, scenarios.Inconclusive, -1,
		},
		"samples are missing": {
			"posts.units >= 1",
			[]result.UnitUsage{a, runs("posts[1]", "++       +")},
			2 * time.Second, scenarios.Inconclusive, 2,
		},
		"it has no unit with data": {"posts.units >= 1", []result.UnitUsage{other}, 0, scenarios.Inconclusive, -1},
	} {
		o, err := slo.ParseObjective(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		r := series.JudgeGauge(o, slo.ParsePhase("run"), requests.Span{From: tt.from, To: 9500 * time.Millisecond},
			tt.usage, nil, 0)
		if r.Verdict != tt.verdict || tt.measured >= 0 && float64(r.Measured) != tt.measured {
			t.Errorf("%s: %s %v (%s), want %s %v", name, r.Verdict, r.Measured, r.Note, tt.verdict, tt.measured)
		}
	}
}

// TestReached_Units: when so many units of a service ran again, and when they did not yet.
func TestReached_Units(t *testing.T) {
	o, err := slo.ParseObjective("reach(posts.units >= 3) < 5s after lose")
	if err != nil {
		t.Fatal(err)
	}
	usage := []result.UnitUsage{
		runs("posts[0]", "++++++++++"), runs("posts[1]", "+++----+++"), runs("posts[2]", "++++--++++"),
	}
	gone := runs("posts[2]", "+++++++---")
	for name, c := range map[string]struct {
		usage                    []result.UnitUsage
		from, within, at, notYet time.Duration
	}{
		"too few at the fault":           {usage, 3500, 5000, 7010, 6010},
		"lost a second after it":         {usage, 2500, 5000, 7010, 6010},
		"lost later than counts":         {usage, 1500, 1000, 1500, 1500},
		"lost at once":                   {usage, 3000, 5000, 7010, 6010},
		"never so many":                  {usage[:2], 3500, 5000, 0, 9010},
		"lost for ever":                  {[]result.UnitUsage{usage[0], usage[0], gone}, 6500, 5000, 0, 9010},
		"held all the time, before, too": {usage, 7500, 5000, 7500, 7500},
	} {
		at, notYet, why := series.Reached(o.Metric, c.from*time.Millisecond, c.within*time.Millisecond, c.usage, nil)
		if at != c.at*time.Millisecond || notYet != c.notYet*time.Millisecond || why != nil {
			t.Errorf("%s: reached at %s, not yet at %s, %s", name, at, notYet, why.Phrase(nil))
		}
	}
}

// TestJudge_Counted: a counter may grow while nothing is known of its unit at the end of a phase. An increase that is
// known stands.
func TestJudge_Counted(t *testing.T) {
	known, silent, away, late := "++++++++++++++++++++", "++++++++++??????????", "++++++++++          ", "+++++++++++++++++   "
	back := "++++++++++?????+++++"
	for _, c := range []struct {
		text, seconds string
		starts        int // from 5 s on
		to            time.Duration
		verdict       scenarios.Verdict
	}{
		{"posts.restarts = 0", known, 1, 20, scenarios.Pass},
		{"posts.restarts = 0", silent, 1, 20, scenarios.Inconclusive},
		{"posts.ooms = 0", silent, 1, 20, scenarios.Inconclusive},
		{"posts.restarts < 2", silent, 2, 20, scenarios.Inconclusive},
		{"posts.restarts = 0", silent, 2, 20, scenarios.Fail},
		{"posts.restarts < 1", silent, 2, 20, scenarios.Fail},
		{"posts.restarts >= 1", silent, 2, 20, scenarios.Pass},
		{"posts.restarts >= 2", silent, 2, 20, scenarios.Inconclusive},
		{"posts.restarts = 2", silent, 2, 20, scenarios.Inconclusive},
		{"posts.restarts = 0", silent, 1, 10, scenarios.Pass},
		{"posts.restarts = 0", away, 1, 20, scenarios.Inconclusive},
		{"posts.restarts = 0", late, 1, 20, scenarios.Pass},
		{"posts.restarts = 0", back, 1, 20, scenarios.Pass},
		{"posts.restarts = 0", back, 1, 15, scenarios.Inconclusive},
	} {
		o, err := slo.ParseObjective(c.text)
		if err != nil {
			t.Fatal(err)
		}
		u := runs("posts[0]", c.seconds)
		for i := range u.Seconds {
			if u.Seconds[i].Starts = 1; u.Seconds[i].T >= 5 {
				u.Seconds[i].Starts = c.starts
			}
		}
		r := series.JudgeGauge(o, slo.ParsePhase("run"), requests.Span{To: c.to * time.Second}, []result.UnitUsage{u}, nil, 0)
		if r.Verdict != c.verdict || int(r.Measured) != c.starts-1 {
			t.Errorf("%s of %q until %d s: %s %v (%s), want %s", c.text, c.seconds, c.to, r.Verdict, r.Measured,
				r.Because.Phrase(&r), c.verdict)
		}
	}
}
