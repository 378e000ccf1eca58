package played

import (
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/truth"
)

// early is a fault from 5 to 10 s, after a short baseline.
var early = []span{{5 * sec, 10 * sec}}

// slowed are cases on whether a fault made answers slower, in pairs: where it has to be said, and where it must not.
var slowed = []playedCase{
	{
		name: "a target that pauses all along, though not before the fault", row: "H1",
		script: pauses(quick, 6*sec, 9*sec, 24*sec, 31*sec, 36500*ms, 45*sec, 52*sec), faults: early, impact: "unknown",
		slo: []string{"recover < 5s after f => inconclusive", "errors = 0% => pass"}, see: slower(result.Untested),
	},
	{
		name: "a target that pauses in the fault alone", row: "H1",
		script: pauses(quick, 5200*ms, 6400*ms, 7100*ms, 8200*ms, 9100*ms),
		faults: early, impact: "impacted", slo: []string{"errors = 0% => pass"}, see: slower(result.Yes),
	},
	{
		name: "a target that pauses all along, and is far slower in the fault", row: "H1",
		script: pauses(quick.Between(500, 1000, truth.Act{Delay: 500 * ms}), 24*sec, 31*sec, 36*sec, 45*sec, 52*sec),
		faults: early, impact: "impacted", see: slower(result.Yes),
	},
	{
		name: "a target that stays far slower after the fault", row: "H1",
		script: quick.Between(500, 1<<30, truth.Act{Delay: 500 * ms}), faults: early, impact: "impacted",
		see: slower(result.Yes),
	},
	{
		name: "a target that stays slower after the fault in one answer of ten", row: "definition",
		script: quick.EveryIn(500, 1<<30, 10, truth.Act{Delay: 500 * ms}), faults: early, impact: "impacted",
		see: slower(result.Yes),
	},
	{
		name: "slower by a hundred times for as long as it takes to be good again", row: "definition", slow: 100 * ms,
		script: quick.Between(2000, 2300, truth.Act{Delay: 200 * ms}), faults: in5, impact: "impacted",
		slo: []string{
			"recover < 3100ms after f => pass", "recover < 2900ms after f => fail", "heal < 100ms after f => pass",
			"errors = 0% => pass", "p95 < 100ms in f => fail", "p99 < 100ms in baseline => pass",
		},
		see: sharp,
	},
	{
		name: "57 answers as before are too few to say no", row: "definition", rate: 10, seconds: 90,
		script: quick, faults: []span{{40 * sec, 45600 * ms}}, impact: "unknown", see: slower(result.Untested),
	},
	{
		name: "60 answers as before say no", row: "definition", rate: 10, seconds: 90,
		script: quick, faults: []span{{40 * sec, 46 * sec}}, impact: "not_impacted", see: slower(result.No),
		slo: []string{"recover < 1s after f => pass"},
	},
	{
		name: "one and a half times as long, by a millisecond", row: "definition",
		script: quick.Between(2000, 2500, truth.Act{Delay: 3 * ms}), faults: in5, impact: "impacted", see: slower(result.Yes),
	},
	{
		name: "30 ms longer, and brunt late by 40 ms all along", row: "H1",
		script: quick.Between(2000, 2500, truth.Act{Delay: 32 * ms}), faults: in5, impact: "impacted",
		lag: func(int) time.Duration { return 40 * ms }, see: slower(result.Yes),
	},
	{
		name: "as before, and brunt late by 40 ms all along", row: "definition", script: quick, faults: in5,
		lag: func(int) time.Duration { return 40 * ms }, impact: "not_impacted", see: slower(result.No),
		slo: []string{"recover < 1s after f => pass", "errors = 0% => pass"},
	},
	{ // the same on average, and in one request of ten ten times as much
		name: "as before, and brunt late by 40 ms all along, though unevenly in the fault", row: "H1", script: quick,
		faults: in5, impact: "not_impacted",
		lag: func(n int) time.Duration {
			switch {
			case n < 2000 || n >= 2500:
				return 40 * ms
			case n%10 == 0:
				return 400 * ms
			}
			return 0
		},
		see: slower(result.No),
	},
	{
		name: "30 ms longer, and brunt late by 40 ms before the fault alone", row: "H1",
		script: quick.Between(2000, 2500, truth.Act{Delay: 32 * ms}), faults: in5, impact: "impacted",
		lag: func(n int) time.Duration {
			if n < 2000 {
				return 40 * ms
			}
			return 0
		},
		see: slower(result.Yes),
	},
	{
		name: "as before, and brunt late by 40 ms in the fault", row: "H1", script: quick, faults: in5, impact: "not_impacted",
		lag: func(n int) time.Duration { return lateUntil(n, 2000, 2500, time.Duration(n)*10*ms+40*ms) },
		see: slower(result.No),
		slo: []string{"recover < 1s after f => pass"},
	},
	{
		name: "one of two faults made answers slower", row: "definition", seconds: 90,
		script: quick.Between(5000, 5500, truth.Act{Delay: 300 * ms}),
		faults: []span{{20 * sec, 25 * sec}, {50 * sec, 55 * sec}}, impact: "not_impacted",
		slo: []string{"recover < 1s after f => pass", "recover < 1s after g => inconclusive"}, // without a limit
		see: slower(result.No, result.Yes),
	},
	{
		name: "slow inside a long harmless fault", row: "E5", seconds: 120,
		script: quick.Between(4500, 7500, truth.Act{Delay: 50 * ms}), faults: long, impact: "unknown",
		slo: []string{"recover < 10s after f => inconclusive", "errors = 0% => pass"}, see: slowerDuring,
	},
	{
		name: "slow inside a long harmless fault, under the limit of slow answers", row: "E5", seconds: 120, slow: 300 * ms,
		script: quick.Between(4500, 7500, truth.Act{Delay: 50 * ms}), faults: long, impact: "unknown",
		slo: []string{"recover < 10s after f => pass"}, see: slowerDuring,
	},
	{
		name: "a little slower inside a long harmless fault, under a limit from the baseline", row: "definition",
		seconds: 120, slowShare: .01, script: quick.Between(4500, 7500, truth.Act{Delay: 3 * ms}), faults: long,
		slo: []string{"recover < 10s after f => pass"}, impact: "unknown", see: slowerDuring,
	},
	{
		name: "failures, and then slow all along under a limit from the baseline", row: "H1", seconds: 120, slowShare: .01,
		faults: []span{{40 * sec, 60 * sec}}, see: slower(result.Yes),
		script: uneven.Between(4000, 6000, truth.Act{Delay: 100 * ms}).Between(4000, 4100, f503),
		slo: []string{
			"recover < 3s after f => inconclusive", "degraded < 3s after f => inconclusive",
			"failover < 3s after f => inconclusive", "recover < 3s after incident => inconclusive",
			"recover < 500ms after f => fail",
		},
	},
	{
		name: "failures, and then slow for a moment under a limit from the baseline", row: "definition", seconds: 120,
		slowShare: .01, faults: []span{{40 * sec, 60 * sec}}, see: slower(result.Yes),
		script: uneven.Between(4000, 4300, truth.Act{Delay: 100 * ms}).Between(4000, 4100, f503),
		slo:    []string{"recover < 3s after f => pass", "degraded < 3s after f => pass"},
	},
	{
		name: "failures, and then slow all along without a limit", row: "H1", seconds: 120,
		faults: []span{{40 * sec, 60 * sec}}, see: slower(result.Yes),
		script: quick.Between(4000, 6000, truth.Act{Delay: 100 * ms}).Between(4000, 4100, f503),
		slo: []string{
			"recover < 3s after f => inconclusive", "degraded < 3s after f => inconclusive",
			"area < 3s after f => inconclusive", "failover < 3s after f => inconclusive",
		},
	},
	{
		name: "slow from inside a long harmless fault to the end of the load", row: "E5", seconds: 120,
		script: quick.Between(6000, 1<<30, truth.Act{Delay: 50 * ms}), faults: long, impact: "unknown", see: slowerDuring,
	},
	{
		name: "slow inside a long fault, as a unit of it falls ill", row: "E5", seconds: 120,
		script: quick.Between(4500, 7500, truth.Act{Delay: 50 * ms}), faults: long, impact: "impacted",
		unwell: map[int][]requests.Span{0: {{From: 45 * sec, To: 50 * sec}}},
		slo:    []string{"recover < 10s after f => inconclusive"}, see: slower(result.Yes),
	},
	{
		name: "slow inside a long fault, of which a unit is ill since the injection", row: "definition", seconds: 120,
		script: quick.Between(4500, 7500, truth.Act{Delay: 50 * ms}), faults: long, impact: "unknown",
		unwell: map[int][]requests.Span{0: {{From: 20 * sec, To: 80 * sec}}}, see: slowerDuring,
	},
	{
		name: "slower all along a long fault", row: "E5", seconds: 120,
		script: quick.Between(2000, 8000, truth.Act{Delay: 3 * ms}), faults: long, impact: "impacted",
		see: slower(result.Yes),
	},
	{
		name: "slow soon after the injection of a long fault", row: "definition", seconds: 120,
		script: quick.Between(2500, 4000, truth.Act{Delay: 50 * ms}), faults: long, impact: "impacted",
		see: slower(result.Yes),
	},
	{
		name: "slow from inside a long fault until it is taken back", row: "E5", seconds: 120,
		script: quick.Between(6000, 8000, truth.Act{Delay: 50 * ms}), faults: long, impact: "impacted",
		see: slower(result.Yes),
	},
	{
		name: "slow from inside a long fault until some seconds after it", row: "definition", seconds: 120,
		script: quick.Between(6000, 8500, truth.Act{Delay: 50 * ms}), faults: long, impact: "impacted",
		see: slower(result.Yes),
	},
	{
		name: "slow from inside a long harmless fault on, and far slower in it, after a short uneven baseline",
		row:  "definition", seconds: 120, impact: "unknown", see: slowerDuring, faults: []span{{5 * sec, 80 * sec}},
		script: func(n int) truth.Act {
			switch {
			case n >= 8000:
				return truth.Act{Delay: 48 * ms}
			case n >= 4000:
				return truth.Act{Delay: 900 * ms}
			}
			return truth.Act{Delay: []time.Duration{20, 26, 16, 25, 15}[n/100%5] * ms}
		},
	},
	{
		name: "slow until a long fault is taken back, and no more after the one that follows at once", row: "definition",
		seconds: 150, impact: "unknown", see: slowerDuring, faults: []span{{20 * sec, 80 * sec}, {82 * sec, 90 * sec}},
		script: quick.Between(6000, 9000, truth.Act{Delay: 50 * ms}),
	},
	{
		name: "at 10/s, slow from inside a long fault until it is taken back", row: "definition", rate: 10,
		seconds: 160, hold: 5 * sec,
		script: quick.Between(900, 1200, truth.Act{Delay: 50 * ms}), faults: []span{{40 * sec, 120 * sec}},
		impact: "impacted", see: slower(result.Yes),
	},
	{
		name: "at 1/s, slow all along a long fault", row: "definition", rate: 1, seconds: 150,
		script: quick.Between(40, 120, truth.Act{Delay: 500 * ms}), faults: []span{{40 * sec, 120 * sec}}, impact: "unknown",
		see: slower(result.Yes), // too few requests tell of an outage
	},
	{
		name: "of two faults at once, the one that begins with the slow answers made them so", row: "definition",
		seconds: 120, script: quick.Between(6000, 7000, truth.Act{Delay: 50 * ms}),
		faults: []span{{20 * sec, 100 * sec}, {60 * sec, 70 * sec}}, impact: "confounded",
		see: slower(result.Untested, result.Yes),
	},
	{
		name: "a second that is slow, long after the fault", row: "definition",
		script: quick.Between(4500, 4600, truth.Act{Delay: 500 * ms}), faults: in5, impact: "not_impacted",
		slo: []string{"recover < 1s after f => pass"}, see: slower(result.No),
	},
}

// long is a fault from 20 to 80 s.
var long = []span{{20 * sec, 80 * sec}}

// slowerDuring holds that answers were slower while the first fault was in, and that nothing shows that it made them
// so. No objective says that it is open whether they were slower.
func slowerDuring(c *truth.Complaints, p played) {
	if parts := p.Faults[0].Parts; parts.Slowed || !parts.SlowerBecause.Has(result.SlowerDuring) {
		c.Errorf("parts: %+v, want slower answers that nothing shows to be the fault's", parts)
	}
	for _, o := range p.Objectives {
		if o.Because.Has(result.SlowUntold) {
			c.Errorf("%s: %s, although answers were slower", o.Text, o.Note)
		}
	}
}

// pauses is a script of 100/s whose target stands still for 0.6 s from each instant on.
func pauses(s truth.Script, from ...time.Duration) truth.Script {
	return func(n int) truth.Act {
		a, at := s(n), time.Duration(n)*10*ms
		for _, f := range from {
			if at >= f && at < f+600*ms {
				a.Delay += f + 600*ms - at
			}
		}
		return a
	}
}

// slower holds the answers to whether each fault made answers slower.
func slower(want ...result.Answer) func(c *truth.Complaints, p played) {
	return func(c *truth.Complaints, p played) {
		for i, want := range want {
			if got := p.Faults[i].Parts.Slower(); got.Answer != want {
				c.Errorf("%s made answers slower: %s (%s), want %s: %+v", p.Faults[i].Name, got.Answer, got.Why.Phrase(nil), want,
					p.Faults[i].Parts)
			}
		}
	}
}
