package played

import (
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/truth"
)

// definedCases are written from the texts of `brunt explain` alone, without sight of the rules' code.
var definedCases = []playedCase{
	{
		name: "a percentile leaves out what was shed", row: "definition", shed: true,
		// of 4500 that were not shed, 500 are slow
		script: quick.EveryIn(0, 1<<30, 4, f503).EveryIn(1, 1<<30, 12, truth.Act{Delay: 300 * ms}),
		slo: []string{
			"p90 < 200ms => fail", "p50 < 100ms => pass", "errors < 1% => pass", "shed < 30% => pass", "shed < 20% => fail",
			"availability > 80% => fail", "availability.admitted > 99% => pass",
		},
	},
	{
		name: "two iterations of twelve steps fail in a fault, with all their steps", row: "definition", rate: 20,
		seconds: 60, steps: len(ofTwelve) - 1, named: ofTwelve,
		script: quick.Between(405, 406, f503).Between(435, 436, f503),
		faults: []span{{20 * sec, 40 * sec}}, see: noIncident,
		slo: []string{
			"recover < 3s after f => pass", "errors < 1% in f => inconclusive",
			"errors < 1% of s5 in f => inconclusive",
		},
	},
	{
		name: "thirty iterations of twelve steps fail in a fault, with all their steps", row: "definition", rate: 20,
		seconds: 60, steps: len(ofTwelve) - 1, named: ofTwelve, script: quick.Between(405, 435, f503),
		faults: []span{{20 * sec, 40 * sec}}, impact: "impacted",
		slo: []string{"recover < 1s after f => fail", "recover < 3s after f => pass"},
	},
	{
		name: "a rare step fails while a fault is in", row: "definition", side: true, rare: 125,
		script: quick.EveryIn(2000, 4000, 125, f503), faults: []span{{20 * sec, 39 * sec}}, impact: "not_impacted",
		slo: []string{
			"recover < 3s after f => pass", "errors < 2% in f => pass", "errors < 1% of other in f => fail",
		},
		see: outageOf(result.StepOutage{Step: "other", Requests: 16, Errors: 16}),
	},
	{
		name: "a rare step is too slow from a fault to the end of the run", row: "definition", side: true, rare: 125,
		slow: 100 * ms, script: quick.EveryIn(2000, 6000, 125, truth.Act{Delay: 500 * ms}),
		faults: []span{{20 * sec, 39 * sec}}, impact: "not_impacted", slo: []string{"recover < 3s after f => pass"},
		see: outageOf(result.StepOutage{Step: "other", Requests: 16, Slow: 16}),
	},
	{
		name: "a rare step fails while the first of two faults is in, and each requires an impact", row: "definition",
		side: true, rare: 125, required: true, script: quick.EveryIn(2000, 4000, 125, f503), seconds: 100,
		faults: []span{{20 * sec, 39 * sec}, {60 * sec, 79 * sec}}, impact: "not_impacted",
		slo: []string{"recover < 3s after f => pass", "recover < 3s after g => fail"},
		see: requires(scenarios.Pass, scenarios.Fail),
	},
	{
		name: "a rare step sheds all while a fault is in that requires an impact", row: "definition", side: true, rare: 125,
		shed: true, required: true, script: quick.EveryIn(2000, 4000, 125, f503), faults: []span{{20 * sec, 39 * sec}},
		impact: "not_impacted", slo: []string{"recover < 3s after f => pass"}, see: requires(scenarios.Pass),
	},
	{
		name: "a rare step sheds all while a fault is in", row: "definition", side: true, rare: 125, shed: true,
		script: quick.EveryIn(2000, 4000, 125, f503), faults: []span{{20 * sec, 39 * sec}}, impact: "not_impacted",
		slo: []string{"recover < 3s after f => pass"},
		see: outageOf(result.StepOutage{Step: "other", Requests: 16, Shed: 16}),
	},
	{
		name: "a rare step sheds as much as an objective allows", row: "definition", side: true, rare: 125, shed: true,
		script: quick.EveryIn(2000, 4000, 125, f503), faults: []span{{20 * sec, 39 * sec}}, impact: "not_impacted",
		slo: []string{"shed < 5% => pass"}, see: outageOf(result.StepOutage{}),
	},
	{
		name: "a request of a rare step fails in a fault that requires an impact", row: "definition", side: true, rare: 125,
		required: true, script: quick.Between(2500, 2501, f503), faults: []span{{20 * sec, 40 * sec}},
		impact: "not_impacted", slo: []string{"recover < 3s after f => fail"}, see: requires(scenarios.Fail),
	},
	{
		name: "a request of a rare step fails in a fault", row: "definition", side: true, rare: 125,
		script: quick.Between(2500, 2501, f503), faults: []span{{20 * sec, 40 * sec}}, impact: "not_impacted",
		slo: []string{"recover < 3s after f => pass"}, see: outageOf(result.StepOutage{}),
	},
	{
		name: "a step that was not reached is offered and bad", row: "definition", steps: 2,
		script: quick.EveryIn(10, 1<<30, 50, f503),
		slo: []string{
			"errors < 3% => pass", "errors < 1% => fail", "errors < 1% of read => fail", "errors < 1% of write => fail",
			"availability > 97% => pass",
			"timeouts = 0 => pass",
		},
	},
	{
		name: "requests in flight at the injection belong to the fault", row: "definition", faults: in5,
		script: truth.Healthy(500*ms).Between(1960, 2300, truth.Act{Delay: 500 * ms, Status: 503}),
		slo: []string{
			"errors = 0% in baseline => pass", "errors < 70% in f => pass", "errors < 55% in f => fail",
			"onset < 50ms after f => pass",
			"recover < 3600ms after f => pass", "recover < 3100ms after f => inconclusive", "recover < 2900ms after f => fail",
		},
		impact: "impacted", see: func(c *truth.Complaints, p played) {
			if len(p.Incidents) != 1 {
				c.Errorf("incidents: %+v, want one from 20 to 23 s", p.Incidents)
				return
			}
			begin, end := float64(p.Incidents[0].Begin), float64(p.Incidents[0].End)
			c.Near("begin of the incident", &begin, 20*sec, 15*ms)
			c.Near("end of the incident", &end, 23*sec, 15*ms)
		},
	},
	{
		name: "recovery ends a hold after the last bad request, and rest at the end", row: "definition", hold: 5 * sec,
		script: quick.Between(3000, 1<<30, truth.Act{Delay: 300 * ms}).Between(2000, 2200, f503),
		faults: []span{{20 * sec, 21 * sec}},
		slo: []string{
			"errors < 22% in recovery/f => pass", "errors < 12% in recovery/f => fail", "errors < 4% in rest/f => pass",
			"errors < 2% in rest/f => fail",
			"ok.max < 100ms in recovery/f => pass", "ok.max < 100ms in rest/f => fail",
		},
		impact: "impacted", see: sharp,
	},
	{
		name: "every second request fails for ten seconds", row: "definition", script: quick.EveryIn(2000, 3000, 2, f503),
		faults: []span{{20 * sec, 30 * sec}},
		slo: []string{
			"area < 5200ms after f => pass", "area < 4800ms after f => fail", "failed < 510 after f => pass",
			"failed < 490 after f => fail",
			"degraded < 10100ms after f => pass", "degraded < 9s after f => fail", "recover < 11s after f => pass",
			"recover < 9s after f => fail",
		},
		impact: "impacted",
	},
	{
		name: "an objective takes the worst occurrence", row: "definition", again: true,
		script: quick.Between(2000, 2100, f503).Between(3500, 3750, f503),
		faults: []span{{20 * sec, 22 * sec}, {35 * sec, 37 * sec}},
		slo: []string{
			"recover < 2600ms after f => pass", "recover < 2s after f => fail", "errors < 60% in f => fail",
			"degraded < 2600ms after f => pass",
			"degraded < 2s after f => fail",
		},
		impact: "impacted",
	},
	{
		name: "good for less than a hold between two outages", row: "definition",
		script: quick.Between(2000, 2100, f503).Between(2600, 2700, f503),
		faults: []span{{20 * sec, 22 * sec}}, slo: []string{
			"recover < 7100ms after f => pass", "recover < 6900ms after f => fail", "heal < 5100ms after f => pass",
			"heal < 4900ms after f => fail",
			"degraded < 2100ms after f => pass", "degraded < 1900ms after f => fail", "recover < 7100ms after incident => pass",
			"recover < 6900ms after incident => fail",
		},
		impact: "impacted", see: func(c *truth.Complaints, p played) {
			if len(p.Incidents) != 1 {
				c.Errorf("incidents: %+v, want one from 20 to 27 s", p.Incidents)
			}
		},
	},
	{
		name: "good for more than a hold between two outages", row: "definition", hold: 4 * sec,
		script: quick.Between(2000, 2100, f503).Between(2800, 2900, f503), faults: []span{{20 * sec, 22 * sec}},
		slo: []string{
			// bad again more than a hold after the recovery, and nothing shows that the fault did it
			"recover < 1100ms after f => pass", "recover < 900ms after f => fail",
			// the second began later than a hold after the clearing
			"recover < 1100ms after incident => pass", "recover < 900ms after incident => fail",
		},
		impact: "impacted", see: edges,
	},
	{
		name: "good for more than a hold between two outages, and for less than the first lasted", row: "definition",
		hold: 4 * sec, script: quick.Between(2000, 2700, f503).Between(3300, 3400, f503),
		faults: []span{{20 * sec, 22 * sec}}, slo: []string{
			"recover < 7100ms after f => pass", "recover < 6900ms after f => fail", // the second is no harm of the fault
		},
		impact: "impacted", see: edges,
	},
	{
		name: "standing errors and an outage", row: "definition",
		script: quick.EveryIn(50, 1<<30, 200, f503).Between(2000, 2200, f503), faults: in5,
		slo: []string{
			"recover < 2100ms after f => pass", "recover < 1900ms after f => fail", "failed < 210 after f => pass",
			"failed < 190 after f => fail",
			"errors < 5% => pass", "errors < 3% => fail",
		},
		impact: "impacted",
	},
	{
		// a histogram of three digits has both in one bucket
		name: "answers just within a limit and just over it", row: "definition",
		script: quick.EveryIn(0, 1<<30, 12, truth.Act{Delay: 199950 * time.Microsecond}).EveryIn(6, 1<<30, 12,
			truth.Act{Delay: 200050 * time.Microsecond}),
		slo: []string{
			"p95 < 200ms => fail", "p90 < 200ms => pass", "within(200ms) > 90% => pass",
			"within(200ms) > 93% => fail",
		},
	},
	{
		name: "five requests time out", row: "definition", timeout: sec, script: quick.Between(3000, 3005, hang),
		slo: []string{
			"timeouts = 0 => fail", "timeouts < 6 => pass", "timeouts < 5 => fail", "errors < 1% => pass", "errors = 0% => fail",
			"max < 10s => fail",
			"ok.max < 100ms => pass", "p99 < 100ms => pass",
		},
	},
	{
		name: "290 good requests", row: "definition", rate: 10, seconds: 29, script: quick,
		slo: []string{
			"errors < 1% => inconclusive", "errors < 2% => pass", "errors = 0% => pass", "p95 < 100ms => pass",
			"p99 < 100ms => inconclusive",
		},
	},
	{
		name: "300 good requests", row: "definition", rate: 10, seconds: 30, script: quick,
		slo: []string{"errors < 1% => pass", "availability > 99% => pass", "p99 < 100ms => inconclusive"},
	},
	{
		name: "20 of 100 fail: too few to pass, and enough to fail", row: "definition", rate: 10, seconds: 10,
		script: quick.EveryIn(0, 1<<30, 5, f503),
		slo: []string{
			"errors < 1% => fail", "p95 < 100ms => fail", "availability > 99% => fail",
			"errors < 22% => inconclusive",
		},
	},
	{
		name: "answers that are slower by a twentieth", row: "definition",
		script: quick.Between(2000, 2500, truth.Act{Delay: 2100 * time.Microsecond}),
		faults: in5, slo: []string{"errors < 1% in f => pass"}, impact: "not_impacted",
	},
	{
		name: "answers that are slower by half", row: "definition",
		script: quick.Between(2000, 2500, truth.Act{Delay: 3 * ms}), faults: in5,
		slo: []string{"errors < 1% in f => pass"}, impact: "impacted", see: func(c *truth.Complaints, p played) {
			if parts := p.Faults[0].Parts; parts.Slower().Answer != result.Yes || len(p.Incidents) != 0 {
				c.Errorf("parts: %+v, incidents: %+v, want slower and none", parts, p.Incidents)
			}
		},
	},
	{
		name: "a short outage long before a fault", row: "definition", script: quick.Between(1000, 1020, f503),
		faults: []span{{40 * sec, 45 * sec}},
		slo: []string{
			"recover < 1s after f => pass", "recover < 1s after incident => pass", "errors = 0% in baseline => fail",
			"errors = 0% in f => pass",
		},
		impact: "not_impacted", see: func(c *truth.Complaints, p played) {
			if len(p.Incidents) != 1 || p.Incidents[0].Planned {
				c.Errorf("incidents: %+v, want one that is not planned", p.Incidents)
			}
		},
	},
	{
		name: "writes that are there twice", row: "definition", script: quick,
		ledger: written(func(l *result.LedgerRecord) { l.Duplicated = 7 }),
		slo:    []string{"duplicated = 0 => fail", "duplicated < 8 => pass", "lost = 0 => pass"},
	},
	{
		name: "the mean of good answers", row: "definition",
		script: quick.EveryIn(0, 1<<30, 2, truth.Act{Delay: 10 * ms}).EveryIn(1, 1<<30, 3, f503),
		slo:    []string{"mean < 1s => fail", "ok.mean < 7ms => pass", "ok.mean < 5ms => fail", "ok.p95 < 20ms => pass"},
	},
	{
		name: "service time leaves out brunt's own lateness", row: "definition", script: quick,
		lag: func(int) time.Duration { return 80 * ms },
		slo: []string{
			"service.p95 < 10ms => pass", "service.max < 10ms => pass", "p95 < 50ms => invalid", "p95 < 1s => pass",
			"errors < 1% => pass",
		},
	},
	{
		name: "shed service is lost service", row: "definition", shed: true, script: quick.Between(2000, 2500, f503),
		faults: in5,
		slo: []string{
			"area < 5500ms after f => pass", "area < 4500ms after f => fail", "recover < 5100ms after f => pass",
			"recover < 4900ms after f => fail",
			"availability > 95% => fail", "availability > 90% => pass",
		},
		impact: "impacted",
	},
}

// ofTwelve names a load and its twelve steps.
var ofTwelve = []string{"main", "read", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "s12"}

// noIncident complains of an incident.
func noIncident(c *truth.Complaints, p played) {
	if len(p.Incidents) > 0 {
		c.Errorf("incidents: %+v", p.Incidents)
	}
}

// outageOf holds the step that alone had an outage in the first fault, and that the run has no incident. The zero value
// stands for no step.
func outageOf(want result.StepOutage) func(c *truth.Complaints, p played) {
	return func(c *truth.Complaints, p played) {
		noIncident(c, p)
		got := result.StepOutage{}
		if out := p.Faults[0].Parts.StepOutage; out != nil {
			got = *out
		}
		if got != want {
			c.Errorf("the outage of a step is %+v, want %+v", got, want)
		}
	}
}
