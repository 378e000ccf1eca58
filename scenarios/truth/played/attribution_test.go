package played

import (
	"math"
	"reflect"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/truth"
)

// attributed are cases on which fault an incident or a harm belongs to, in pairs: where it has to be said, and where it
// must not.
var attributed = []playedCase{
	{
		name: "an outage, good service, and a relapse before the next fault", row: "H7",
		script: quick.Between(2000, 2300, f503).Between(3500, 3800, f503),
		faults: []span{{20 * sec, 60 * sec}, {41 * sec, 45 * sec}},
		see:    ofFaults("by f", "f"),
	},
	{
		name: "at 10/s, an outage, 12 s of good service, and another that goes on when the next fault comes", row: "H7",
		rate: 10, seconds: 90, script: quick.Between(200, 230, f503).Between(350, 430, f503),
		faults: []span{{20 * sec, 60 * sec}, {41 * sec, 45 * sec}},
		see:    ofFaults("by f", "f"),
	},
	{
		name: "an outage that begins with the next fault, soon after one of the fault before", row: "definition",
		script: quick.Between(2000, 2300, f503).Between(2800, 3000, f503),
		faults: []span{{20 * sec, 24 * sec}, {28 * sec, 32 * sec}},
		see:    ofFaults("by f", "f g"),
	},
	{
		name: "noise inside a long harmless fault", row: "definition", script: quick.Between(4500, 4600, f503),
		faults: []span{{20 * sec, 55 * sec}}, impact: "unknown",
		slo: []string{
			"recover < 2s after incident => pass", "recover < 10s after f => inconclusive", "recover < 30s after f => pass",
			"onset < 1s after f => inconclusive", "degraded < 500ms after f => inconclusive",
		},
		see: ofFaults("f"),
	},
	{
		name: "noise inside a long harmless fault, and noise long after it", row: "definition", seconds: 100,
		script: quick.Between(4500, 4600, f503).Between(7000, 7100, f503), faults: []span{{20 * sec, 55 * sec}},
		slo: []string{"recover < 10s after f => inconclusive"}, impact: "unknown", see: ofFaults("f", ""),
	},
	{
		name: "noise inside a long harmless fault, of which a unit is down all along", row: "definition",
		script: quick.Between(4500, 4600, f503), faults: []span{{20 * sec, 55 * sec}},
		unwell: map[int][]requests.Span{0: {{From: 20 * sec, To: 55 * sec}}},
		slo:    []string{"recover < 10s after f => inconclusive"}, impact: "unknown", see: ofFaults("f"),
	},
	{
		name: "slow harm inside a long fault, as a unit of it falls ill", row: "definition",
		script: quick.Between(4500, 4700, f503), faults: []span{{20 * sec, 55 * sec}},
		unwell: map[int][]requests.Span{0: {{From: 44500 * ms, To: 47 * sec}}},
		slo:    []string{"recover < 28s after f => pass", "recover < 26s after f => fail", "degraded < 1s after f => fail"},
		impact: "impacted", see: ofFaults("by f"),
	},
	{
		name: "slow harm inside a long fault, of which a unit falls ill in the harm", row: "definition",
		script: quick.Between(4500, 4700, f503), faults: []span{{20 * sec, 55 * sec}},
		unwell: map[int][]requests.Span{0: {{From: 46 * sec, To: 50 * sec}}},
		slo:    []string{"recover < 26s after f => fail"}, impact: "impacted", see: ofFaults("by f"),
	},
	{
		name: "noise inside a long harmless fault, of which a unit was ill before and falls ill after it", row: "definition",
		script: quick.Between(4500, 4600, f503), faults: []span{{20 * sec, 55 * sec}},
		unwell: map[int][]requests.Span{0: {{From: 30 * sec, To: 34 * sec}, {From: 47 * sec, To: 48 * sec}}},
		slo:    []string{"recover < 10s after f => inconclusive"}, impact: "unknown", see: ofFaults("f"),
	},
	{
		name: "slow harm that lasts until a long fault is taken back", row: "definition",
		script: quick.Between(4500, 5500, f503), faults: []span{{20 * sec, 55 * sec}},
		slo: []string{
			"recover < 36s after f => pass", "recover < 34s after f => fail", "recover < 5s after incident => fail",
		},
		impact: "impacted", see: ofFaults("by f"), seconds: 80,
	},
	{
		name: "slow harm that comes and goes until a long fault is taken back", row: "definition",
		script: quick.Between(4000, 4200, f503).Between(4600, 4800, f503).Between(5200, 5520, f503),
		faults: []span{{20 * sec, 55 * sec}}, seconds: 80, impact: "impacted",
		slo: []string{"recover < 36s after f => pass", "recover < 34s after f => fail", "onset < 19s after f => fail"},
		see: ofFaults("by f"),
	},
	{
		name: "slow harm that lasts some seconds longer than a long fault", row: "definition",
		script: quick.Between(4500, 6200, f503), faults: []span{{20 * sec, 55 * sec}}, seconds: 90,
		slo:    []string{"recover < 43s after f => pass", "recover < 41s after f => fail"},
		impact: "impacted", see: ofFaults("by f"),
	},
	{
		name: "an outage that begins in a long harmless fault, and lasts long beyond it", row: "definition",
		script: quick.Between(4500, 7500, f503), faults: []span{{20 * sec, 55 * sec}}, seconds: 100,
		slo:    []string{"recover < 10s after f => inconclusive", "recover < 60s after f => pass"},
		impact: "unknown", see: ofFaults("f"),
	},
	{
		name: "an outage that begins in a long harmless fault, and ends with the load", row: "definition",
		script: quick.Between(4500, 1<<30, f503), faults: []span{{20 * sec, 0}},
		slo:    []string{"recover < 10s after f => inconclusive", "errors < 1% in f => fail"},
		impact: "unknown", see: ofFaults("f"),
	},
	{
		name: "noise inside a long fault, and harm as it is taken back", row: "definition", seconds: 80,
		script: quick.Between(4000, 4100, f503).Between(5500, 5700, f503), faults: []span{{20 * sec, 55 * sec}},
		slo: []string{
			"recover < 38s after f => pass", "recover < 36s after f => fail", "degraded < 2500ms after f => inconclusive",
			"degraded < 1500ms after f => fail", "degraded < 3500ms after f => pass",
		},
		impact: "impacted", see: func(c *truth.Complaints, p played) {
			ofFaults("f", "by f")(c, p)
			rejoined(20, 55, 57)(c, p)
		},
	},
	{
		name: "noise inside a long fault, and slow harm that lasts until it is taken back", row: "definition", seconds: 80,
		script: quick.Between(3200, 3300, f503).Between(4600, 5500, f503), faults: []span{{20 * sec, 55 * sec}},
		slo: []string{
			"recover < 36s after f => pass", "recover < 34s after f => fail", "onset < 20s after f => inconclusive",
		},
		impact: "impacted", see: ofFaults("f", "by f"),
	},
	{
		name: "noise inside a long fault, and soon after it", row: "definition", seconds: 80,
		script: quick.Between(4500, 4600, f503).Between(5800, 5900, f503), faults: []span{{20 * sec, 55 * sec}},
		slo:    []string{"recover < 10s after f => inconclusive", "recover < 40s after f => pass"},
		impact: "unknown",
	},
	{
		name: "slow harm while two faults are in, soon after the second", row: "definition",
		script: quick.Between(4500, 4700, f503), faults: []span{{20 * sec, 55 * sec}, {44 * sec, 50 * sec}}, seconds: 80,
		slo: []string{"recover < 20s after f => inconclusive", "recover < 28s after f => pass"}, see: ofFaults("f g"),
	},
	{
		name: "an outage at the injection of a long fault", row: "definition", script: quick.Between(2050, 2200, f503),
		faults: []span{{20 * sec, 55 * sec}},
		slo:    []string{"recover < 2s after incident => pass"},
		see:    ofFaults("by f"),
	},
	{
		name: "an outage before the fault that goes on when it comes", row: "definition", script: quick.Between(1800, 2300, f503),
		faults: in5, impact: "unknown",
		slo: []string{"recover < 4s after incident => fail"}, see: ofFaults(""),
	},
	{
		name: "good service between two outages of one fault splits neither its recovery", row: "H7", hold: 4 * sec,
		rate: 20, seconds: 120, script: quick.Between(400, 440, f503).Between(560, 600, f503),
		faults: []span{{20 * sec, 32 * sec}},
		slo: []string{
			"recover < 10100ms after incident => pass", "recover < 9900ms after incident => fail",
			"recover < 10100ms after f => pass", "recover < 9900ms after f => fail",
		},
		see: ofFaults("by f", "by f"), // it had not been shown to have recovered
	},
	{
		name: "a fault after 23 s of clean traffic, after two at once", row: "N5",
		script: quick.Between(2100, 3200, f503).Between(5500, 5600, f503), seconds: 80,
		faults: []span{{20 * sec, 30 * sec}, {25 * sec, 35 * sec}, {55 * sec, 58 * sec}}, impact: "confounded",
		slo: []string{"recover < 2s after h => pass", "recover < 900ms after h => fail", "recover < 5s after g => inconclusive"},
		see: ofFaults("by f", "by h"),
	},
	{
		name: "a fault after 5 s of clean traffic, after two at once", row: "definition",
		script: quick.Between(2100, 3200, f503).Between(4000, 4100, f503), seconds: 80,
		faults: []span{{20 * sec, 30 * sec}, {25 * sec, 35 * sec}, {40 * sec, 43 * sec}}, impact: "confounded",
		slo: []string{"recover < 2s after h => inconclusive"},
		see: ofFaults("by f", "f h"),
	},
	{
		name: "at 10/s, a fault after 20 s of clean traffic, which do not prove the recovery from the one before", row: "N5",
		rate: 10, seconds: 100, script: quick.Between(200, 220, f503).Between(450, 470, f503),
		faults: []span{{20 * sec, 25 * sec}, {45 * sec, 50 * sec}}, impact: "confounded",
		slo: []string{"recover < 3s after f => inconclusive", "recover < 3s after g => pass"},
		see: ofFaults("by f", "by g"),
	},
	{
		name: "a fault after 30 s in which the load never recovered from two at once", row: "definition",
		script: quick.EveryIn(2100, 5900, 10, f503), seconds: 90,
		faults: []span{{20 * sec, 24 * sec}, {22 * sec, 26 * sec}, {56 * sec, 58 * sec}}, impact: "confounded",
		slo: []string{"recover < 2s after h => inconclusive"},
		see: ofFaults("by f"),
	},
	{
		name: "harm that begins as one fault ends and another one begins", row: "H9", seconds: 90,
		script: quick.Between(4000, 4200, f503),
		faults: []span{{20 * sec, 40 * sec}, {40 * sec, 50 * sec}}, impact: "confounded",
		slo: []string{
			"heal < 1s after f => inconclusive", "recover < 1s after g => inconclusive",
			"recover < 3s after incident => pass",
			"recover < 1s after incident => fail",
		},
	},
	{
		name: "harm that begins soon after a fault, and soon before another one", row: "H9", seconds: 90, hold: 5 * sec,
		script: quick.Between(3250, 3500, f503), faults: []span{{20 * sec, 30 * sec}, {33 * sec, 40 * sec}},
		slo: []string{"recover < 1s after incident => inconclusive"},
	},
	{
		name: "harm in the middle of a fault that begins as another one ends", row: "definition", seconds: 90,
		script: quick.Between(4300, 4500, f503),
		faults: []span{{20 * sec, 40 * sec}, {40 * sec, 50 * sec}}, impact: "not_impacted",
		slo: []string{"heal < 1s after f => pass", "recover < 3s after g => fail", "recover < 6s after g => pass"},
	},
	{
		name: "a step is named that was made and failed, and not the two that were skipped", row: "H17", steps: 3,
		script: quick.Between(2000, 2200, f503), faults: in5,
		see: func(c *truth.Complaints, p played) {
			ofFaults("by f")(c, p)
			want := []result.IncidentStep{
				{Load: "main", Step: "read", Bad: 200, Kinds: map[string]int64{"status 503": 200}},
				{Load: "main", Step: "write", Bad: 200, Skipped: 200},
				{Load: "main", Step: "list", Bad: 200, Skipped: 200},
			}
			if len(p.Incidents) != 1 || !reflect.DeepEqual(p.Incidents[0].Steps, want) {
				c.Errorf("incidents: %+v, want steps %+v", p.Incidents, want)
			}
		},
	},
	{
		name: "an outage soon after the clearing, with a unit of the fault that was not ready", row: "H9",
		script: quick.Between(2900, 3100, f503), faults: in5, impact: "impacted",
		unwell: map[int][]requests.Span{0: {{From: 28500 * ms, To: 30 * sec}}},
		slo: []string{
			"recover < 3s after incident => pass", "recover < 1s after incident => fail",
			"recover < 12s after f => pass", "recover < 10s after f => fail",
		},
		see: func(c *truth.Complaints, p played) {
			sharp(c, p)
			ofFaults("by f")(c, p)
		},
	},
	{
		name: "an outage soon after the clearing, and a unit of the fault that was not ready long before", row: "H9",
		script: quick.Between(2900, 3100, f503), faults: in5, impact: "unknown",
		unwell: map[int][]requests.Span{0: {{From: 20 * sec, To: 21 * sec}}},
		slo:    []string{"recover < 12s after f => pass", "recover < 10s after f => inconclusive"},
		see:    ofFaults(""),
	},
	{
		name: "an outage long after a fault that did no harm, with a unit of it that falls ill then", row: "definition",
		script: quick.Between(4100, 4300, f503), faults: in5, impact: "not_impacted", seconds: 80,
		unwell: map[int][]requests.Span{0: {{From: 40500 * ms, To: 43 * sec}}},
		slo:    []string{"recover < 1s after f => pass"}, see: ofFaults(""),
	},
	{
		name: "an outage long after a fault that did no harm, with a unit of it that is ill since", row: "definition",
		script: quick.Between(4100, 4300, f503), faults: in5, impact: "impacted", seconds: 80,
		unwell: map[int][]requests.Span{0: {{From: 24500 * ms, To: 43 * sec}}},
		slo:    []string{"recover < 1s after f => fail"}, see: ofFaults("by f"),
	},
	{
		name: "an outage that begins with the clearing of a fault that did no harm", row: "definition",
		script: quick.Between(2500, 2700, f503), faults: in5, impact: "impacted",
		slo: []string{"recover < 8s after f => pass", "recover < 6s after f => fail", "recover < 1s after incident => fail"},
		see: func(c *truth.Complaints, p played) {
			sharp(c, p)
			ofFaults("by f")(c, p)
			rejoined(20, 25, 27)(c, p)
		},
	},
	{
		name: "noise long after a fault that did no harm", row: "definition", script: quick.Between(4100, 4300, f503),
		faults: in5, impact: "not_impacted", seconds: 80,
		slo: []string{
			"recover < 1s after f => pass", "recover < 1s after incident => pass", "onset < 1s after f => inconclusive",
			"errors < 10% => pass",
		},
		see: ofFaults(""),
	},
	{
		name: "a relapse long after a fault that did harm", row: "F18",
		script: quick.Between(2050, 2200, f503).Between(4200, 4400, f503), faults: []span{{20 * sec, 23 * sec}},
		seconds: 80, impact: "impacted",
		slo: []string{
			"recover < 5s after f => pass", "recover < 25s after f => pass", "recover < 1s after f => fail",
			"degraded < 2s after f => pass", "onset < 1s after f => pass",
		},
		see: ofFaults("by f", ""),
	},
	{
		name: "a relapse long after a fault that did harm, with a unit of it that is ill since", row: "F18",
		script: quick.Between(2050, 2200, f503).Between(4200, 4400, f503), faults: []span{{20 * sec, 23 * sec}},
		unwell:  map[int][]requests.Span{0: {{From: 22500 * ms, To: 43 * sec}}},
		seconds: 80, impact: "impacted", slo: []string{"recover < 5s after f => fail"}, see: ofFaults("by f", "by f"),
	},
	{
		name: "a relapse long after a fault that did harm, with a unit of it that falls ill then", row: "definition",
		script: quick.Between(2050, 2200, f503).Between(4200, 4400, f503), faults: []span{{20 * sec, 23 * sec}},
		unwell:  map[int][]requests.Span{0: {{From: 41500 * ms, To: 43 * sec}}},
		seconds: 80, impact: "impacted", slo: []string{"recover < 5s after f => pass"}, see: ofFaults("by f", ""),
	},
	{
		name: "bad again after a hold, and sooner than the recovery took", row: "definition",
		script: quick.Between(2050, 3500, f503).Between(4800, 5000, f503), faults: []span{{20 * sec, 23 * sec}},
		seconds: 80, impact: "impacted", slo: []string{"recover < 16s after f => pass"}, see: ofFaults("by f", ""),
	},
	{
		name: "bad again after a hold, sooner than the recovery took, and once more", row: "definition", seconds: 300,
		script: quick.Between(2000, 3800, f503).Between(5000, 5200, f503).Between(20000, 20200, f503),
		faults: []span{{20 * sec, 23 * sec}}, impact: "impacted",
		slo: []string{"recover < 20s after f => pass", "recover < 17s after f => fail"},
		see: ofFaults("by f", "", ""),
	},
	{
		name: "noise inside a long fault that the target had failed over from", row: "F2",
		script: quick.Between(2000, 2300, f503).Between(6000, 6200, f503), faults: []span{{20 * sec, 90 * sec}},
		seconds: 120, impact: "impacted",
		slo: []string{
			"recover < 10s after f => inconclusive", "recover < 45s after f => pass", "recover < 2s after f => fail",
			"failover < 5s after f => pass", "degraded < 4s after f => inconclusive", "recover < 4s after incident => pass",
		},
		see: ofFaults("by f", "f"),
	},
	{
		name: "noise twice inside a long fault that the target had failed over from", row: "F2",
		script: quick.Between(2000, 2300, f503).Between(4500, 4600, f503).Between(6000, 6200, f503),
		faults: []span{{20 * sec, 90 * sec}}, seconds: 120, impact: "impacted",
		slo: []string{"recover < 10s after f => inconclusive", "recover < 45s after f => pass"},
		see: ofFaults("by f", "f", "f"),
	},
	{
		name: "later harm inside a long fault that the target had failed over from, as a unit of it falls ill", row: "F2",
		script: quick.Between(2000, 2300, f503).Between(6000, 6200, f503), faults: []span{{20 * sec, 90 * sec}},
		unwell:  map[int][]requests.Span{0: {{From: 59500 * ms, To: 62 * sec}}},
		seconds: 120, impact: "impacted", slo: []string{"recover < 10s after f => fail", "failover < 5s after f => pass"},
		see: ofFaults("by f", "by f"),
	},
	{
		name: "later harm that lasts until a long fault is taken back, which the target had failed over from", row: "F2",
		script: quick.Between(2000, 2300, f503).Between(8000, 9000, f503), faults: []span{{20 * sec, 90 * sec}},
		seconds: 120, impact: "impacted", slo: []string{"recover < 65s after f => fail", "recover < 75s after f => pass"},
		see: ofFaults("by f", "by f"),
	},
	{
		name: "harm that lasts until a long fault is taken back, after a failover and long before noise", row: "F2",
		script: quick.Between(2000, 2300, f503).Between(8000, 9000, f503).Between(20000, 20200, f503),
		faults: []span{{20 * sec, 90 * sec}}, seconds: 300, impact: "impacted",
		slo: []string{"recover < 65s after f => fail", "recover < 75s after f => pass"},
		see: ofFaults("by f", "by f", ""),
	},
	{
		name: "noise between a failover and harm that lasts until the fault is taken back", row: "F2",
		script: quick.Between(2000, 2300, f503).Between(5000, 5100, f503).Between(8000, 9000, f503),
		faults: []span{{20 * sec, 90 * sec}}, seconds: 120, impact: "impacted",
		slo: []string{
			"recover < 65s after f => fail", "recover < 75s after f => pass", "degraded < 13500ms after f => inconclusive",
		},
		see: ofFaults("by f", "f", "by f"),
	},
	{
		name: "noise inside a long fault that the target had failed over from, and no recovery after it", row: "definition",
		script: quick.Between(2000, 2300, f503).Between(5000, 5100, f503).Between(9000, 1<<30, f503),
		faults: []span{{20 * sec, 90 * sec}}, seconds: 120, impact: "not_recovered",
		slo: []string{"recover < 80s after f => fail"}, see: ofFaults("by f", "f", "by f"),
	},
	{
		name: "away for 6 s, good for 9 s, and harmed for 2 s when the fault is taken back", row: "H14",
		script: quick.Between(2000, 2600, f503).Between(3500, 3700, f503), faults: []span{{20 * sec, 35 * sec}},
		impact: "impacted", slo: []string{
			"recover < 17100ms after f => pass", "recover < 16900ms after f => fail",
			"recover < 17100ms after incident => pass", "recover < 16900ms after incident => fail",
		},
		see: func(c *truth.Complaints, p played) {
			ofFaults("by f", "by f")(c, p)
			rejoined(26, 35, 37)(c, p)
			if len(p.Incidents) == 2 && p.Incidents[1].Evidence != result.ByRevert {
				c.Errorf("the second incident is the fault's as %s", p.Incidents[1].Evidence)
			}
		},
	},
	{
		name: "a crash that is over at once, and whose unit stays away for 14 s", row: "definition",
		script: quick.Between(2001, 3401, f503), faults: []span{{20 * sec, 20*sec + 4*ms}}, impact: "impacted",
		slo: []string{"recover < 13900ms after f => fail"},
		see: func(c *truth.Complaints, p played) {
			ofFaults("by f")(c, p)
			if len(p.Incidents) == 1 && p.Incidents[0].Evidence != result.ByInjection {
				c.Errorf("the incident is the fault's as %s", p.Incidents[0].Evidence)
			}
		},
	},
	{
		name: "away for 6 s, good for 19 s, and harmed for 2 s when the fault is taken back", row: "H14",
		script: quick.Between(2000, 2600, f503).Between(4500, 4700, f503), faults: []span{{20 * sec, 45 * sec}},
		impact: "impacted", slo: []string{
			"recover < 27100ms after f => pass", "recover < 26900ms after f => fail", "failover < 7s after f => pass",
			"recover < 6100ms after incident => pass", "recover < 5900ms after incident => fail",
		},
		see: func(c *truth.Complaints, p played) {
			ofFaults("by f", "by f")(c, p)
			rejoined(26, 45, 47)(c, p)
		},
	},
	{
		name: "away until 2 s after the fault is taken back is no rejoining", row: "definition",
		script: quick.Between(2000, 3700, f503), faults: []span{{20 * sec, 35 * sec}}, impact: "impacted",
		slo: []string{"recover < 17100ms after f => pass"}, see: rejoined(0, 0, 0),
	},
	{
		name: "away for 6 s, and again long before the fault is taken back, is no rejoining", row: "definition",
		script: quick.Between(2000, 2600, f503).Between(3200, 3300, f503), faults: []span{{20 * sec, 35 * sec}},
		impact: "impacted", slo: []string{"recover < 13100ms after f => pass"}, see: rejoined(0, 0, 0),
	},
	{
		name: "away for 6 s, and again from half a second before the fault is taken back, is no rejoining", row: "definition",
		script: quick.Between(2000, 2600, f503).Between(3450, 3700, f503), faults: []span{{20 * sec, 35 * sec}},
		impact: "impacted", slo: []string{"recover < 17100ms after f => pass"}, see: rejoined(0, 0, 0),
	},
	{
		name: "away for 6 s, and good for the rest of the fault and after it", row: "definition",
		script: quick.Between(2000, 2600, f503), faults: []span{{20 * sec, 35 * sec}},
		impact: "impacted", slo: []string{"recover < 6100ms after f => pass"}, see: rejoined(0, 0, 0),
	},
	{
		name: "never good again once the fault is taken back", row: "H14", seconds: 80,
		script: quick.Between(2000, 2600, f503).Between(3500, 1<<30, f503), faults: []span{{20 * sec, 35 * sec}},
		impact: "not_recovered", slo: []string{"recover < 17s after f => fail"}, see: rejoined(26, 35, 0),
	},
}

// rejoined holds the harm of the first fault's revert against the seconds at which the load was good before, harmed,
// and good again; zero is never.
func rejoined(back, from, to float64) func(c *truth.Complaints, p played) {
	return func(c *truth.Complaints, p played) {
		for _, at := range []struct {
			what      string
			got, want float64
		}{
			{"good again before the revert", float64(p.Faults[0].BackAt), back},
			{"harmed by the revert", float64(p.Faults[0].RejoinAt), from},
			{"good again after the revert", float64(p.Faults[0].RejoinedAt), to},
		} {
			if known := !math.IsNaN(at.got); known != (at.want > 0) || known && math.Abs(at.got-at.want) > .015 {
				c.Errorf("%s at %v, want %v", at.what, at.got, at.want)
			}
		}
	}
}
