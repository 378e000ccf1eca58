package judge_test

import (
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
)

// TestJudge_Reach: the time from an injection or from a stage, until all series of a name hold a condition, as the
// readings show it.
func TestJudge_Reach(t *testing.T) {
	read := func(labels string, values ...float64) result.Series {
		s := result.Series{Name: "replicas", Labels: map[string]string{"zone": labels}, Every: 1}
		for i, v := range values {
			s.Points = append(s.Points, result.Point{T: result.Num(i + 1), V: result.Num(v)})
		}
		return s
	}
	ready := func(values ...float64) []result.Series {
		s := read("", values...)
		s.Name, s.Service, s.Labels = "web.ready", "web", nil
		return []result.Series{s}
	}
	nan := float64(result.NaN)
	for name, c := range map[string]struct {
		text      string
		series    []result.Series
		verdict   scenarios.Verdict
		low, high float64 // from the injection at 4 s, or from the stage at 3 s
		note      string
	}{
		"reached between two readings": {
			"reach(metric(replicas) >= 4) < 5s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Pass,
			2, 3, "",
		},
		"reached and lost again": {
			"reach(metric(replicas) >= 4) < 5s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 4, 2, 2)},
			scenarios.Pass,
			1, 2, "",
		},
		"reached too late": {
			"reach(metric(replicas) >= 4) < 2s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Fail,
			2, 3, "",
		},
		"the limit between two readings": {
			"reach(metric(replicas) >= 4) < 3s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Inconclusive,
			2, 3, "brunt asks at intervals, so what it saw may have come up to 1s earlier, which would decide",
		},
		"too late by the one of two that was read": {
			"reach(metric(replicas) >= 4) < 2s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 2, 2, 4, 4), read("b", 2, 2, 2, 2, nan, nan, nan, 4)},
			scenarios.Fail,
			2, 4, "",
		},
		"never": {
			"reach(metric(replicas) >= 5) < 3s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Fail,
			4, nan, "not reached: > 4s",
		},
		"the slowest of two": {
			"reach(metric(replicas) >= 4) < 5s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 4, 4, 4, 4), read("b", 2, 2, 2, 2, 2, 2, 2, 4)},
			scenarios.Pass, 3, 4, "",
		},
		"one of two never": {
			"reach(metric(replicas) >= 4) < 3s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 4, 4, 4, 4), read("b", 2, 2, 2, 2, 2, 2, 2, 2)},
			scenarios.Fail, 4, nan, "not reached",
		},
		"there already": {
			"reach(metric(replicas) >= 2) < 1s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Pass,
			0, 0, "",
		},
		"a reading is missing": {
			"reach(metric(replicas) >= 4) < 5s after grow",
			[]result.Series{read("a", 2, 2, 2, 2, 3, nan, 4, 4)},
			scenarios.Pass,
			1, 3, "",
		},
		"after a stage": {
			"reach(metric(replicas) >= 4) < 5s after main.rise",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Pass, 3, 4, "",
		},
		"too late after a stage": {
			"reach(metric(replicas) >= 4) < 3s after main.rise",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Fail, 3, 4, "",
		},
		"a stage that did not begin": {
			"reach(metric(replicas) >= 4) < 3s after main.fall",
			[]result.Series{read("a", 2, 2, 2, 2, 3, 3, 4, 4)},
			scenarios.Inconclusive, nan, nan,
			"the stage did not begin",
		},
		"scaled after a stage": {
			"scaled(web, 4) < 5s after main.rise", ready(2, 2, 2, 2, 3, 3, 4, 4), scenarios.Pass, 3, 4,
			"",
		},
		"scaled and lost again": {
			"scaled(web, 4) < 5s after grow", ready(2, 2, 2, 2, 3, 4, 2, 2), scenarios.Pass, 1, 2,
			"fewer were ready again at 7s",
		},
		"never scaled": {
			"scaled(web, 5) < 3s after grow", ready(2, 2, 2, 2, 3, 3, 4, 4), scenarios.Fail, 4, nan,
			"not reached: > 4s",
		},
		"scaled before": {
			"scaled(web, 2) < 5s after grow", ready(2, 2, 2, 2, 3, 3, 4, 4), scenarios.Inconclusive, nan, nan,
			"web had 2 ready pods before, so that reaching this number shows nothing",
		},
		"scaled, not known": {
			"scaled(api, 2) < 5s after grow", ready(2, 2, 2, 2, 3, 3, 4, 4), scenarios.Inconclusive, nan,
			nan, "no value of api is known",
		},
		"nothing is known": {
			"reach(metric(replicas) >= 4) < 5s after grow", nil, scenarios.Inconclusive, nan, nan,
			"no value of replicas is known",
		},
	} {
		t.Run(name, func(t *testing.T) {
			o := parseObjectives(t, c.text)
			g, in := newFixture(t, oneStep, o...), 0
			g.play(perSecond(50, 0, 8*sec, ms, okay), action{4 * sec, func() { in, _ = g.Inject("grow", "grow") }},
				action{7 * sec, func() { g.Clear(in) }})
			stages := map[string]time.Duration{"main.rise": 3 * sec, "main.fall": 9 * sec}
			r := g.finish(judge.Case{SLO: o, Series: c.series, Reactions: series.Reactions{Stages: stages}}, 8*sec).Objectives[0]
			same := func(a result.Num, b float64) bool { return !a.Known() && b != b || float64(a) == b }
			if r.Verdict != c.verdict || !same(r.Low, c.low) || !same(r.High, c.high) ||
				c.note != "" && r.Note[:min(len(r.Note), len(c.note))] != c.note {
				t.Errorf("%s between %v and %v (%s); want %s between %v and %v (%s)", r.Verdict, r.Low, r.High, r.Note, c.verdict,
					c.low, c.high, c.note)
			}
		})
	}
}
