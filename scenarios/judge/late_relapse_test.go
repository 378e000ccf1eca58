package judge_test

import (
	"fmt"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
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
			}, nil, scenarios.Inconclusive,
		},
		{
			"and the unit was not well, from 37 s after the recovery on", func(at time.Duration) bool {
				return between(20*sec, 22*sec)(at) || between(60*sec, 71*sec)(at)
			}, []requests.Span{{From: 59 * sec, To: 69 * sec}}, scenarios.Inconclusive,
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
					judge.Case{Unwell: map[int][]requests.Span{0: c.unwell}, Hold: 5 * sec}, outage(c.harm), faults...)
				if o := f.Objectives[0]; o.Verdict != c.want {
					t.Errorf("%s, measured %v (%s); want %s", o.Verdict, o.Measured, o.Note, c.want)
				}
			})
		}
	}
}
