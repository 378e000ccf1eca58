package judge_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/result"
)

// every5 returns the first second of each five between two times.
func every5(from, to time.Duration) (out []requests.Span) {
	for ; from < to; from += 5 * sec {
		out = append(out, requests.Span{From: from, To: from + sec})
	}
	return out
}

// TestFault_LateRelapse: a fault that recurs at 20 and at 70 s, each for 2 s, and one at 20 s alone. Requests that are
// bad long after the recovery from the first occurrence do not fail it: nothing shows that it did that.
func TestFault_LateRelapse(t *testing.T) {
	first, second := injection{"f", "f#1", 20 * sec, 22 * sec}, injection{"f", "f#2", 70 * sec, 72 * sec}
	for _, c := range []struct {
		name   string
		harm   func(time.Duration) bool
		unwell []requests.Span // of the unit that the first occurrence hit
		want   scenarios.Verdict
	}{
		{"good to the end", between(20*sec, 22*sec), nil, scenarios.Pass},
		{
			"bad 38 s after the recovery", func(at time.Duration) bool {
				return between(20*sec, 22*sec)(at) || between(60*sec, 71*sec)(at)
			}, nil, scenarios.Pass,
		},
		{
			"and the unit was not well, from 37 s after the recovery on", func(at time.Duration) bool {
				return between(20*sec, 22*sec)(at) || between(60*sec, 71*sec)(at)
			}, []requests.Span{{From: 59 * sec, To: 69 * sec}}, scenarios.Pass,
		},
		{
			"and the unit was not well since the first", func(at time.Duration) bool {
				return between(20*sec, 22*sec)(at) || between(60*sec, 71*sec)(at)
			}, []requests.Span{{From: 24 * sec, To: 69 * sec}}, scenarios.Fail,
		},
		{
			"and the unit was not well time and again since the first", func(at time.Duration) bool {
				return between(20*sec, 22*sec)(at) || between(60*sec, 71*sec)(at)
			}, every5(24*sec, 69*sec), scenarios.Fail,
		},
		{
			"bad sooner than it took to recover", func(at time.Duration) bool {
				return between(20*sec, 39*sec)(at) || between(52*sec, 71*sec)(at)
			}, nil, scenarios.Fail,
		},
		{
			"too long before it as well", func(at time.Duration) bool {
				return between(20*sec, 32*sec)(at) || between(60*sec, 71*sec)(at)
			}, nil, scenarios.Fail,
		},
	} {
		for _, faults := range [][]injection{{first, second}, {first}} {
			t.Run(fmt.Sprintf("%s, of %d", c.name, len(faults)), func(t *testing.T) {
				f := drill(t, parseObjectives(t, "recover < 10s after f#1"),
					judge.Case{Occurrences: []judge.Occurrence{{Unwell: c.unwell}}, Hold: 5 * sec}, outage(c.harm), faults...)
				if o := f.Objectives[0]; o.Verdict != c.want {
					t.Errorf("%s, measured %v (%s); want %s", o.Verdict, o.Measured, o.Note, c.want)
				}
			})
		}
	}
}

// TestFault_LateRelapse_Value: a recovery that took too long fails with the time that is shown, and not with the time
// to harm long after it.
func TestFault_LateRelapse_Value(t *testing.T) {
	f := drill(t, parseObjectives(t, "recover < 1s after f"), judge.Case{Hold: 5 * sec},
		outage(func(at time.Duration) bool { return between(20*sec, 22*sec)(at) || between(60*sec, 63*sec)(at) }),
		injection{"f", "f", 20 * sec, 22 * sec})
	o := f.Objectives[0]
	if o.Verdict != scenarios.Fail || !(o.Measured > 1.8 && o.Measured < 2.5) {
		t.Errorf("%s, measured %v, at least %v (%s); want a failure by 2s", o.Verdict, o.Measured, o.Low, o.Note)
	}
}

// TestFault_StaysDown: a crash at 20 s whose unit nothing starts again is in until the end of the run. The others take
// over while it is down, and later harm is its harm only with evidence, as in any long fault.
func TestFault_StaysDown(t *testing.T) {
	crash, other := injection{"f", "f", 20 * sec, 22 * sec}, injection{"g", "g", 60 * sec, 62 * sec}
	down := []requests.Span{{From: 20 * sec, To: measure.Never}}
	blip := func(at time.Duration) bool { return between(20*sec, 21*sec)(at) || between(60*sec, 63*sec)(at) }
	for _, c := range []struct {
		name      string
		objective string
		harm      func(time.Duration) bool
		unwell    []requests.Span
		faults    []injection
		supervise bool
		want      scenarios.Verdict
		note      result.NoteKind
		by        []string // of each incident, the fault that did it
	}{
		{
			name: "the others take over", objective: "failover < 5s after f", harm: between(20*sec, 21*sec), unwell: down,
			want: scenarios.Pass, by: []string{"f"},
		},
		{
			name: "of a process that brunt did not start", objective: "failover < 5s after f",
			harm: between(20*sec, 21*sec), want: scenarios.Pass, by: []string{"f"},
		},
		{
			name: "no other takes over", objective: "failover < 5s after f", harm: between(20*sec, 100*sec), unwell: down,
			want: scenarios.Fail, by: []string{"f"},
		},
		{
			name: "no other takes over for as long as the load lasts", objective: "failover < 90s after f",
			harm: between(20*sec, 100*sec), unwell: down, want: scenarios.Inconclusive, note: result.RecoveryNone,
			by: []string{"f"},
		},
		{
			name: "the load ends too soon after they took over", objective: "failover < 5s after f",
			harm: between(92*sec, 94*sec), faults: []injection{{"f", "f", 92 * sec, 94 * sec}}, want: scenarios.Inconclusive,
			note: result.EndBeforeHold, by: []string{"f"},
		},
		{
			name: "another fault is injected too soon after they took over", objective: "failover < 5s after f",
			harm: between(54*sec, 56*sec), faults: []injection{{"f", "f", 54 * sec, 56 * sec}, other},
			want: scenarios.Inconclusive, note: result.OtherNext, by: []string{"f"},
		},
		{
			name: "harm long after they took over", objective: "recover < 10s after f", harm: blip, unwell: down,
			want: scenarios.Inconclusive, note: result.HarmDuring, by: []string{"f", ""},
		},
		{
			name: "of a process that brunt did not start, too", objective: "recover < 10s after f", harm: blip,
			want: scenarios.Inconclusive, note: result.HarmDuring, by: []string{"f", ""},
		},
		{
			name: "of incidents", objective: "recover < 2s after incident", harm: blip, unwell: down,
			want: scenarios.Inconclusive, note: result.HarmDuring, by: []string{"f", ""},
		},
		{
			name: "but its supervisor should have started it again", objective: "recover < 10s after f", harm: blip,
			unwell: down, supervise: true, want: scenarios.Fail, by: []string{"f", "f"},
		},
		{
			name: "harm again before they took over for good", objective: "recover < 10s after f", unwell: down,
			harm: func(at time.Duration) bool { return between(20*sec, 24*sec)(at) || between(32*sec, 36*sec)(at) },
			want: scenarios.Fail, by: []string{"f"},
		},
		{
			name: "harm by another fault", objective: "recover < 10s after g", harm: blip, unwell: down,
			faults: []injection{crash, other}, want: scenarios.Pass, by: []string{"f", "g"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.faults == nil {
				c.faults = []injection{crash}
			}
			f := drill(t, parseObjectives(t, c.objective), judge.Case{
				Hold: 10 * sec, Occurrences: []judge.Occurrence{{
					Unwell: c.unwell, Ended: new(c.faults[0].injected + 4*ms), StaysDown: !c.supervise,
				}},
			}, outage(c.harm), c.faults...)
			o := f.Objectives[0]
			if o.Verdict != c.want || c.note != "" && !o.Because.Has(c.note) {
				t.Errorf("%s, measured %v (%s); want %s", o.Verdict, o.Measured, o.Note, c.want)
			}
			var by []string
			for _, in := range f.Incidents {
				by = append(by, in.By)
				if !in.Planned && !c.supervise {
					t.Errorf("the incident at %v is not planned", in.Begin)
				}
			}
			if !slices.Equal(by, c.by) {
				t.Errorf("incidents by %q, want %q: %+v", by, c.by, f.Incidents)
			}
		})
	}
}
