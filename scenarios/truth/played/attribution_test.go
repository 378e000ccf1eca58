package played

import (
	"slices"

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
		faults: []span{{20 * sec, 55 * sec}},
		slo:    []string{"recover < 2s after incident => pass"},
		see:    ofFaults("f"),
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
		name: "a step is named that was made and failed, and not the two that were skipped", row: "H17", steps: 3,
		script: quick.Between(2000, 2200, f503), faults: in5,
		see: func(c *truth.Complaints, p played) {
			ofFaults("by f")(c, p)
			want := []result.IncidentStep{
				{Load: "main", Step: "read", Bad: 200}, {Load: "main", Step: "write", Bad: 200, Skipped: 200},
				{Load: "main", Step: "list", Bad: 200, Skipped: 200},
			}
			if len(p.Incidents) != 1 || !slices.Equal(p.Incidents[0].Steps, want) {
				c.Errorf("incidents: %+v, want steps %+v", p.Incidents, want)
			}
		},
	},
}
