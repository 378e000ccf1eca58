package played

import (
	"math"
	"time"

	"brunt/scenarios/result"
	"brunt/scenarios/truth"
)

// byHand are cases whose figures are computed by hand, or by a formula of its own beside them, from the texts of
// `brunt explain` alone.
var byHand = []playedCase{
	{
		// of 12 slices, one has 75 % of good requests, and one has 83 %
		name: "slices of five seconds", row: "definition",
		script: quick.EveryIn(2000, 2500, 4, f503).EveryIn(3000, 3500, 6, f503),
		slo:    []string{"slices(5s, 80%) > 91% => pass", "slices(5s, 80%) > 92% => fail", "slices(5s, 90%) > 84% => fail"},
	},
	{
		// 60 of the 1000 requests from 20 s on: 6 times what 99 % allow
		name: "two bursts in one span of a burn rate", row: "definition",
		script: quick.Between(2000, 2030, f503).Between(2950, 2980, f503),
		slo: []string{
			"burn(99%, 10s) < 6.2 => pass", "burn(99%, 10s) < 5.8 => fail", "burn(99%, 5s) < 6.2 => pass",
			"burn(99%, 5s) < 5.8 => fail",
		},
	},
	{
		name: "every fourth request fails for 20 seconds", row: "definition", script: quick.EveryIn(2000, 4000, 4, f503),
		faults: []span{{20 * sec, 40 * sec}}, impact: "impacted",
		slo: []string{
			"area < 5200ms after f => pass", "area < 4800ms after f => fail", "failed < 510 after f => pass",
			"failed < 490 after f => fail", "degraded < 20100ms after f => pass", "degraded < 19s after f => fail",
			"errors < 27% in f => pass", "errors < 24% in f => fail",
		},
	},
	{
		// 100 bad requests of 1000, of which the share of the baseline, 0.5 %, explains 5
		name: "failed requests beyond the share of the baseline", row: "definition",
		script: quick.EveryIn(0, 1<<30, 200, f503).EveryIn(2000, 3000, 10, f503),
		faults: []span{{20 * sec, 30 * sec}}, impact: "impacted",
		slo: []string{"failed < 97 after f => pass", "failed < 93 after f => fail"},
	},
	{
		name: "goodput leaves out what failed", row: "definition", script: quick.EveryIn(2000, 2500, 2, f503), faults: in5,
		slo: []string{
			"goodput > 95/s => pass", "goodput > 97/s => fail", "goodput > 48/s in f => pass", "goodput > 52/s in f => fail",
		},
	},
	{
		name: "goodput leaves out what was shed", row: "definition", shed: true, script: quick.EveryIn(2000, 2500, 2, f503),
		faults: in5,
		slo:    []string{"goodput > 48/s in f => pass", "goodput > 52/s in f => fail", "errors = 0% => pass"},
	},
	{
		name: "timeouts of a phase", row: "definition", timeout: sec, script: quick.Between(2100, 2150, hang), faults: in5,
		slo: []string{
			"timeouts < 51 in f => pass", "timeouts < 50 in f => fail", "timeouts = 0 in baseline => pass",
			"timeouts = 0 in rest/f => pass", "timeouts = 0 => fail",
		},
	},
	{
		// 300 fail and 240 are slow: 9 % of 6000 are not within, and 240 of 5700 good ones are over
		name: "within counts failures, ok does not", row: "definition",
		script: quick.EveryIn(1, 1<<30, 25, truth.Act{Delay: 300 * ms}).EveryIn(0, 1<<30, 20, f503),
		slo: []string{
			"within(200ms) > 90% => pass", "within(200ms) > 92% => fail", "ok.p95 < 200ms => pass", "p95 < 200ms => fail",
			"p90 < 200ms => pass", "ok.p99 < 200ms => fail",
		},
	},
	{
		name: "the mean of three times", row: "definition", // (10 + 20 + 60) / 3
		script: truth.Healthy(10*ms).EveryIn(1, 1<<30, 3, truth.Act{Delay: 20 * ms}).
			EveryIn(2, 1<<30, 3, truth.Act{Delay: 60 * ms}),
		slo: []string{
			"mean < 31ms => pass", "mean < 29ms => fail", "max < 61ms => pass", "max < 59ms => fail", "p50 < 21ms => pass",
			"p50 < 19ms => fail",
		},
	},
	{
		// ten of 6000 lie above 99.83 %, and 99.9 % has six
		name: "too few requests above a percentile", row: "definition", script: quick,
		slo: []string{"p99.9 < 100ms => inconclusive", "p99 < 10ms => pass", "p99.99 < 100ms => inconclusive"},
	},
	{
		name: "a percentile that fails with few requests above it", row: "definition",
		script: quick.EveryIn(0, 1<<30, 100, truth.Act{Delay: 300 * ms}),
		slo:    []string{"p99.9 < 100ms => fail", "p95 < 10ms => pass"},
	},
	{
		name: "the median of three occurrences", row: "definition", again: true, seconds: 100,
		script: quick.Between(2000, 2100, f503).Between(4000, 4200, f503).Between(6000, 6300, f503),
		faults: []span{{20 * sec, 24 * sec}, {40 * sec, 44 * sec}, {60 * sec, 64 * sec}},
		slo: []string{
			"recover.p50 < 2100ms after f => pass", "recover.p50 < 1900ms after f => fail",
			"recover < 3100ms after f => pass", "recover < 2900ms after f => fail",
			"recover.p95 < 10s after f => inconclusive", // of three
		},
	},
	{
		name: "no failover where the outage outlasts the fault", row: "definition", script: quick.Between(2000, 2700, f503),
		faults: in5, impact: "impacted",
		slo: []string{
			"failover < 10s after f => fail", "heal < 2100ms after f => pass", "heal < 1900ms after f => fail",
			"recover < 7100ms after f => pass", "recover < 6900ms after f => fail",
		},
	},
	{
		name: "a failover in a fault that is over too soon to show it", row: "definition", rate: 50,
		script: quick.Between(1000, 1025, f503), faults: in5, impact: "impacted",
		slo: []string{
			"failover < 3s after f => inconclusive", "failover < 400ms after f => fail", "recover < 1s after f => pass",
		},
		see: func(c *truth.Complaints, p played) {
			if b := p.Objectives[0].Because; len(b) != 1 || b[0].Kind != result.FailoverUntold || b[0].Need < 299 ||
				b[0].Count != 200 || b[0].For != 2 {
				c.Errorf("because %+v", b)
			}
		},
	},
	{
		name: "the same rate without a failover", row: "definition", rate: 20, seconds: 100,
		script: quick.Between(400, 500, f503), faults: in5, impact: "impacted",
		slo: []string{"failover < 3s after f => fail", "failover < 20s after f => fail"},
	},
	{
		name: "half of the requests fail until the fault is over", row: "definition", rate: 20, seconds: 100,
		script: quick.EveryIn(400, 500, 2, f503), faults: in5, impact: "impacted",
		slo: []string{"failover < 3s after f => fail", "failover < 20s after f => fail"},
	},
	{
		name: "a failover, and harm as the fault ends", row: "definition",
		script: quick.Between(2000, 2050, f503).Between(2500, 2600, f503), faults: in5, impact: "impacted",
		slo: []string{"failover < 3s after f => inconclusive", "failover < 400ms after f => fail"},
	},
	{
		name: "failovers of which one can't be shown", row: "definition", again: true, rate: 50, seconds: 160,
		script: quick.Between(1000, 1025, f503).Between(3000, 3025, f503).Between(5000, 5100, f503),
		faults: []span{{20 * sec, 40 * sec}, {60 * sec, 80 * sec}, {100 * sec, 105 * sec}},
		slo: []string{
			"failover.p50 < 1s after f => pass", "failover < 3s after f => inconclusive", "failover < 1s after f => fail",
		},
	},
	{
		name: "nothing to heal where the load was good before the clearing", row: "definition",
		script: quick.Between(2000, 2200, f503), faults: []span{{20 * sec, 30 * sec}}, impact: "impacted",
		slo: []string{"heal < 100ms after f => pass", "failover < 2100ms after f => pass", "failover < 1900ms after f => fail"},
	},
	{
		// good by 25 s, so the recovery is from 25 to 30 s
		name: "slow answers after a recovery", row: "definition", hold: 5 * sec,
		script: quick.Between(2000, 2200, f503).Between(3010, 3600, truth.Act{Delay: 300 * ms}), faults: in5,
		slo: []string{"ok.max < 100ms in recovery/f => pass", "ok.max < 100ms in rest/f => fail"},
	},
	{
		name: "slow answers in a recovery", row: "definition", hold: 5 * sec,
		script: quick.Between(2000, 2200, f503).Between(2900, 2950, truth.Act{Delay: 300 * ms}), faults: in5,
		slo: []string{"ok.max < 100ms in recovery/f => fail", "ok.max < 100ms in baseline => pass"},
	},
	{
		name: "the rest ends at the next injection", row: "definition", script: quick.Between(4000, 4100, f503),
		faults: []span{{20 * sec, 22 * sec}, {40 * sec, 42 * sec}},
		slo: []string{
			"errors = 0% in rest/f => pass", "errors < 1% in g => fail", "errors < 55% in g => inconclusive",
			"errors < 60% in g => pass", "errors = 0% in rest/g => pass", "errors = 0% in f => pass",
			"recover < 1s after f => pass",
		},
	},
	{
		name: "a fault's phase is the time it was in", row: "definition", script: quick.Between(2000, 2500, f503), faults: in5,
		slo: []string{
			"errors = 0% in baseline => pass", "errors = 0% in rest/f => pass", "availability < 1% in f => pass",
			"errors < 9% => pass", "errors < 8% => fail",
		},
		impact: "impacted", see: sharp,
	},
	{
		name: "two outages of no fault, with less than a hold between", row: "definition",
		script: quick.Between(2000, 2100, f503).Between(2900, 3000, f503), see: incidentsFrom(20, 30),
	},
	{
		name: "two outages of no fault, with more than a hold between", row: "definition",
		script: quick.Between(2000, 2100, f503).Between(3200, 3300, f503), see: incidentsFrom(20, 21, 32, 33),
	},
	{
		name: "2 of 60, and their bound", row: "definition", rate: 10, seconds: 6, script: quick.EveryIn(20, 50, 15, f503),
		slo: []string{"errors < 10% => inconclusive", "errors < 10.2% => pass", "errors < 3% => inconclusive"},
		see: func(c *truth.Complaints, p played) {
			for _, o := range p.Objectives {
				if want := upperBound(2, 60); o.Bound == nil || math.Abs(float64(*o.Bound)-want) > 1e-6 {
					c.Errorf("the bound is %v, want %v", o.Bound, want)
				}
			}
		},
	},
	{
		name: "errors within the author's limit of 5 %", row: "definition", limit: .05, script: quick.EveryIn(2000, 4000, 33, f503),
		faults: []span{{20 * sec, 40 * sec}}, impact: "not_impacted",
		slo: []string{"recover < 1s after f => pass", "recover < 1s after incident => pass"},
	},
	{
		name: "the same errors beyond the limit of 1 %", row: "definition", script: quick.EveryIn(2000, 4000, 33, f503),
		faults: []span{{20 * sec, 40 * sec}}, impact: "impacted",
		slo: []string{"recover < 19s after f => fail", "recover < 21s after f => pass"},
	},
	{
		name: "an objective's own time in place of the slow limit", row: "definition", slow: 200 * ms,
		script: quick.Between(2000, 2300, truth.Act{Delay: 80 * ms}), faults: in5,
		slo: []string{
			"recover < 1s after f => pass", "recover(50ms) < 9s after f => pass", "recover(50ms) < 2900ms after f => fail",
			"recover(100ms) < 1s after f => pass",
		},
	},
	{
		name: "the end of an outage by an objective's own time, to the request", row: "definition", slow: 200 * ms,
		script: quick.Between(2000, 2300, truth.Act{Delay: 80 * ms}), faults: in5,
		slo: []string{
			"recover(50ms) < 3100ms after f => pass", "recover(50ms) < 2900ms after f => fail",
			"heal(50ms) < 100ms after f => pass", "degraded(50ms) < 3100ms after f => pass",
		},
	},
	{
		name: "an objective's own time above the slow limit", row: "definition", slow: 50 * ms,
		script: quick.Between(2000, 2300, truth.Act{Delay: 80 * ms}).Between(2100, 2200, truth.Act{Delay: 300 * ms}),
		faults: in5, impact: "impacted",
		slo: []string{
			"recover < 3100ms after f => pass", "recover < 2900ms after f => fail",
			"recover(200ms) < 2100ms after f => pass", "recover(200ms) < 1900ms after f => fail",
			"onset(200ms) < 1100ms after f => pass", "onset(200ms) < 900ms after f => fail",
		},
	},
	{
		name: "an objective's own time among requests that fail", row: "definition", slow: 50 * ms,
		script: quick.Between(2000, 2300, truth.Act{Delay: 80 * ms}).Between(2100, 2200, f503),
		faults: in5, impact: "impacted",
		slo: []string{"recover(200ms) < 2100ms after f => pass", "recover(200ms) < 1900ms after f => fail"},
	},
	{
		name: "an objective's own time at 20/s", row: "definition", slow: 200 * ms, rate: 20, seconds: 120,
		script: quick.Between(400, 460, truth.Act{Delay: 80 * ms}), faults: in5,
		slo: []string{"recover(50ms) < 3100ms after f => pass", "recover(50ms) < 2900ms after f => fail"},
	},
	{
		// those due by 22.5 s wait for over half a second
		name: "all wait for one instant, and are good", row: "definition", slow: 500 * ms,
		script: func(n int) truth.Act {
			if n >= 2000 && n < 2300 {
				return truth.Act{Delay: 23*sec - time.Duration(n)*10*ms}
			}
			return quick(n)
		},
		faults: in5, impact: "impacted",
		slo: []string{
			"recover < 3100ms after f => pass", "recover < 2600ms after f => inconclusive", // the first good answer is at 23 s
			"recover < 2400ms after f => fail", "errors = 0% => pass",
			"availability = 100% => pass",
		},
	},
	{
		name: "the longest incident of two faults", row: "definition", seconds: 90,
		script: quick.Between(2000, 2100, f503).Between(5000, 5200, f503),
		faults: []span{{20 * sec, 24 * sec}, {50 * sec, 54 * sec}},
		slo: []string{
			"recover < 2100ms after incident => pass", "recover < 1900ms after incident => fail",
			"recover < 1100ms after f => pass", "recover < 900ms after f => fail", "recover < 2100ms after g => pass",
		},
	},
	{
		name: "too few requests fail to tell an outage from chance", row: "H1", rate: 20, seconds: 160,
		script: quick.Between(400, 403, f503), faults: []span{{20 * sec, 40 * sec}},
		slo: []string{"recover < 100ms after f => inconclusive", "recover < 3s after f => pass"},
		see: func(c *truth.Complaints, p played) {
			if o := p.Objectives[1]; !o.Because.Has(result.FewBad) || o.Because.Has(result.WithinLimit) {
				c.Errorf("%s: %s", o.Text, o.Note)
			}
		},
	},
	{
		name: "skipped steps are no timeouts", row: "definition", steps: 3, timeout: sec,
		script: quick.Between(2000, 2010, hang),
		slo: []string{
			"timeouts < 11 => pass", "timeouts < 10 => fail", "errors < 0.3% => pass", "errors < 0.1% => fail",
		},
	},
	{
		name: "an outage in the last second of a fault is known to the request", row: "definition",
		script: quick.Between(2450, 2490, f503), faults: in5, impact: "impacted",
		slo: []string{
			"onset < 4600ms after f => pass", "onset < 4400ms after f => fail", "recover < 5s after f => pass",
			"recover < 4800ms after f => fail", "degraded < 500ms after f => pass", "degraded < 300ms after f => fail",
		},
		see: sharp,
	},
}

// upperBound is the one-sided 95 % bound of a share: the share at which so few bad ones of n have a chance of 5 %. It
// sums the binomial distribution term by term.
func upperBound(bad, n int) float64 {
	tail := func(p float64) (sum float64) {
		term := math.Pow(1-p, float64(n))
		for k := 0; k <= bad; k++ {
			sum += term
			term *= float64(n-k) / float64(k+1) * p / (1 - p)
		}
		return sum
	}
	low, high := 0., 1.
	for range 60 {
		if middle := (low + high) / 2; tail(middle) > .05 {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// incidentsFrom holds the incidents against their begins and ends, in seconds, of which none is a fault's.
func incidentsFrom(edges ...float64) func(c *truth.Complaints, p played) {
	return func(c *truth.Complaints, p played) {
		if len(p.Incidents) != len(edges)/2 {
			c.Errorf("%d incidents, want %d: %+v", len(p.Incidents), len(edges)/2, p.Incidents)
			return
		}
		for i, in := range p.Incidents {
			if begin, end := edges[2*i], edges[2*i+1]; math.Abs(float64(in.Begin)-begin) > .015 ||
				math.Abs(float64(in.End)-end) > .015 || in.Planned || len(in.Faults) > 0 {
				c.Errorf("an incident from %v to %v of %v, want %v to %v of none", in.Begin, in.End, in.Faults, begin, end)
			}
		}
	}
}
