package played

import (
	"testing"
	"time"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/truth"
)

// unrecoveredAs checks why the load had not recovered from the first fault.
func unrecoveredAs(want result.Unrecovered) func(*truth.Complaints, played) {
	return func(c *truth.Complaints, p played) {
		if got := p.Faults[0].Unrecovered; got != want {
			c.Errorf("the load had not recovered as %q, want %q", got, want)
		}
	}
}

// TestUnrecovered plays servers that stay bad after a fault, or come back, and tells why the load had not recovered by
// its end.
func TestUnrecovered(t *testing.T) {
	toEnd := quick.Between(2000, 1<<30, f503)
	const stays = "recover < 5s after f => fail"
	cases := []playedCase{
		{
			name: "bad for 37 s after the fault is gone", script: toEnd, faults: []span{{20 * sec, 23 * sec}}, gone: true,
			slo: []string{stays}, impact: "not_recovered", see: unrecoveredAs(result.GoneStillHarm),
		},
		{
			name: "a third of answers bad after the fault is gone", script: quick.EveryIn(2000, 1<<30, 3, f503),
			faults: []span{{20 * sec, 23 * sec}}, gone: true, slo: []string{stays}, impact: "not_recovered",
			see: unrecoveredAs(result.GoneStillHarm),
		},
		{
			name: "the end of the fault is not proved", script: toEnd, faults: []span{{20 * sec, 23 * sec}},
			slo: []string{stays}, impact: "not_recovered", see: unrecoveredAs(result.StillAway),
		},
		{
			name: "the fault is in", script: toEnd, faults: []span{{20 * sec, 0}}, gone: true,
			slo: []string{stays}, impact: "not_recovered", see: unrecoveredAs(result.StillAway),
		},
		{
			name: "a unit is away in the last hold", script: toEnd, faults: []span{{20 * sec, 23 * sec}}, gone: true,
			unwell: map[int][]requests.Span{0: {{From: 55 * sec, To: time.Hour}}},
			slo:    []string{stays}, impact: "not_recovered", see: unrecoveredAs(result.StillAway),
		},
		{
			name: "a unit was away and is back", script: toEnd, faults: []span{{20 * sec, 23 * sec}}, gone: true,
			unwell: map[int][]requests.Span{0: {{From: 21 * sec, To: 40 * sec}}},
			slo:    []string{stays}, impact: "not_recovered", see: unrecoveredAs(result.GoneStillHarm),
		},
		{
			name: "the load ends 7 s after the fault", script: toEnd, faults: []span{{20 * sec, 53 * sec}}, gone: true,
			slo: []string{stays}, impact: "not_recovered", see: unrecoveredAs(result.GoneTooShort),
		},
		{
			name: "back after 20 s", script: quick.Between(2000, 4000, f503), faults: []span{{20 * sec, 23 * sec}},
			gone: true, slo: []string{stays}, impact: "impacted", see: unrecoveredAs(""),
		},
	}
	for _, c := range cases {
		t.Run(c.name, c.try)
	}
}
