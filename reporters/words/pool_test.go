package words_test

import (
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios/result"
)

// TestPoolSentence words pools of one run and of several, with and without misses.
func TestPoolSentence(t *testing.T) {
	for _, c := range []struct {
		name string
		p    result.Pool
		want string
		more string
	}{
		{
			"a run",
			result.Pool{Share: .95, Run: &result.Shown{Runs: 1, Met: 24, Low: .88265, High: 1, Row: 59, More: 35}},
			"recover < 5s after f: met in 24 of 24, so by at least 88.2% of occurrences under the conditions of this run (95% " +
				"confidence); 59 in a row would show 95%.", "",
		},
		{
			"shown",
			result.Pool{Share: .9, Asked: true, Run: &result.Shown{Runs: 1, Met: 30, Low: .905, High: 1, Row: 29}},
			"recover < 5s after f: met in 30 of 30, so by at least 90.5% of occurrences under the conditions of this run (95% " +
				"confidence).", "",
		},
		{
			"refuted",
			result.Pool{
				Share: .9, Asked: true, Run: &result.Shown{Runs: 1, Met: 1, Missed: 3, Unknown: 1, Left: 2, Low: .01, High: .8108},
			},
			"recover < 5s after f: met in 1 of 5 (unknown of 1), so by at most 81.1% of occurrences under the conditions of " +
				"this run (95% confidence); 2 left out, because brunt itself was late.", "",
		},
		{
			"in phase",
			result.Pool{
				Share: .95, Instants: result.InPhase, Run: &result.Shown{Runs: 1, Met: 8, Missed: 1, Low: .57, High: .99, More: 84},
			},
			"recover < 5s after f: met in 8 of 9, so by at least 57% of occurrences under the conditions of this run (95% " +
				"confidence); 84 more in a row would show 95%. They came at the same phase of a second: a cycle of the system " +
				"that divides the time between them, such as a heartbeat, was always hit at the same point; `jitter` spreads them.",
			"",
		},
		{
			"runs",
			result.Pool{
				Share: .9, Run: &result.Shown{Runs: 1, Met: 4, Low: .4729, High: 1, Row: 29, More: 25},
				All: &result.Shown{Runs: 3, Met: 12, Low: .2924, High: 1, Row: 33, More: 30},
			},
			"recover < 5s after f: met in 12 of 12 in 3 runs, so by at least 29.2% of all occurrences (95% confidence, " +
				"whenever the series of runs ends); 30 more runs in a row would show 90%. Each run counts once, because its " +
				"occurrences share a start of the system.",
			"Of these in this run: met in 4 of 4, so by at least 47.2% of occurrences under the conditions of this run (95% " +
				"confidence); 29 in a row would show 90%.",
		},
		{
			"runs of one",
			result.Pool{Share: .9, All: &result.Shown{Runs: 24, Met: 24, Low: .8575, High: 1, Row: 33, More: 9}},
			"recover < 5s after f: met in 24 of 24, so by at least 85.7% of all occurrences (95% confidence, whenever the " +
				"series of runs ends); 33 in a row would show 90%.", "",
		},
	} {
		c.p.Objective, c.p.Fault = "recover < 5s after f", "f"
		if got := words.PoolSentence(&c.p); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
		if got := words.PoolOfRun(&c.p); got != c.more {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.more)
		}
	}
}
