package judge_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/series"
	"brunt/scenarios/result"
)

// TestFault_Detect: verdicts on `detect < 5s after f` for what the team's monitoring detected,
// independent of the effect on the load.
func TestFault_Detect(t *testing.T) {
	nothing := func(time.Duration) bool { return false }
	one := injection{"f", "f", 30 * sec, 40 * sec}
	for _, c := range []struct {
		name     string
		c        judge.Case
		harm     func(time.Duration) bool
		faults   []injection
		verdict  scenarios.Verdict
		measured float64 // -1 is unknown
		low      float64
		note     string
	}{
		{
			"noticed",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 33 * sec, NotYet: 32 * sec}}}},
			nothing,
			[]injection{one},
			scenarios.Pass, 3, 2, "",
		},
		{
			"noticed after it was cleared",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 42 * sec, NotYet: 41 * sec}}}},
			nothing,
			[]injection{one},
			scenarios.Fail, 12, 11, "",
		},
		{
			"too late",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 36 * sec, NotYet: 35 * sec}}}},
			between(30*sec, 45*sec),
			[]injection{one},
			scenarios.Fail, 6, 5, "",
		},
		{
			"between the poll before the limit and the one after it",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 36 * sec, NotYet: 34 * sec}}}},
			nothing,
			[]injection{one},
			scenarios.Inconclusive, 6, 4, "what it saw may have come up to 2s earlier",
		},
		{
			"noticed at once",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 30500 * ms, NotYet: 30 * sec}}}},
			nothing,
			[]injection{one},
			scenarios.Pass, .5, 0, "",
		},
		{
			"never",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {NotYet: 99 * sec}}}},
			nothing,
			[]injection{one},
			scenarios.Fail, math.Inf(1), 69, "not noticed: > 1m9s",
		},
		{
			"not asked for long enough",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {NotYet: 33 * sec}}}},
			nothing,
			[]injection{one},
			scenarios.Inconclusive, -1, 3, "not noticed: > 3s",
		},
		{
			"a false alarm",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {Why: "a false alarm"}}}},
			nothing,
			[]injection{one},
			scenarios.Inconclusive, -1, -1, "a false alarm",
		},
		{"not asked", judge.Case{}, nothing, []injection{one}, scenarios.Inconclusive, -1, -1, "was not queried"},
		{"not injected", judge.Case{}, nothing, nil, scenarios.Inconclusive, -1, -1, "not injected"},
		{
			"unverified",
			judge.Case{
				Occurrences: []judge.Occurrence{{Unverified: true}},
				Reactions:   series.Reactions{Detected: map[int]series.Detection{0: {At: 33 * sec}}},
			},
			nothing,
			[]injection{one},
			scenarios.Invalid, -1, -1, "not verified",
		},
		{
			"bad before",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 33 * sec, NotYet: 32 * sec}}}},
			between(10*sec, 45*sec),
			[]injection{one},
			scenarios.Pass, 3, 2, "",
		},
		{
			"two at once",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 36 * sec, NotYet: 35 * sec}}}},
			nothing,
			[]injection{one, {"g", "g", 35 * sec, 50 * sec}},
			scenarios.Inconclusive, -1, -1,
			"g was active at the same time",
		},
		{
			"another later",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{0: {At: 33 * sec, NotYet: 32 * sec}}}},
			nothing,
			[]injection{one, {"g", "g", 50 * sec, 55 * sec}},
			scenarios.Pass, 3, 2, "",
		},
		{
			"another was still in",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{1: {At: 33 * sec, NotYet: 32 * sec}}}},
			nothing,
			[]injection{{"g", "g", 20 * sec, 31 * sec}, one},
			scenarios.Inconclusive, -1, -1,
			"g was active at the same time",
		},
		{
			"another that was over at once, though its phase lasts longer",
			judge.Case{
				Reactions:   series.Reactions{Detected: map[int]series.Detection{1: {At: 33 * sec, NotYet: 32 * sec}}},
				Occurrences: []judge.Occurrence{{Ended: new(27 * sec)}},
			},
			nothing,
			[]injection{{"g", "g", 26 * sec, 31 * sec}, one},
			scenarios.Pass, 3, 2, "",
		},
		{
			"the worst of two",
			judge.Case{Reactions: series.Reactions{Detected: map[int]series.Detection{
				0: {At: 31 * sec, NotYet: 30 * sec},
				1: {At: 67 * sec, NotYet: 66 * sec},
			}}},
			nothing,
			[]injection{{"f", "f#1", 30 * sec, 40 * sec}, {"f", "f#2", 60 * sec, 65 * sec}},
			scenarios.Fail, 7, 6,
			"",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := drill(t, parseObjectives(t, "detect < 5s after f"), c.c, outage(c.harm), c.faults...)
			o := f.Objectives[0]
			if o.Verdict != c.verdict || !strings.Contains(o.Note, c.note) ||
				c.note == "" && o.Note != "" && !math.IsInf(c.measured, 1) {
				t.Errorf("%s (%s), want %s (%s)", o.Verdict, o.Note, c.verdict, c.note)
			}
			if got := float64(o.Measured); c.measured < 0 != math.IsNaN(got) || c.measured >= 0 && got != c.measured {
				t.Errorf("measured %v, want %v", o.Measured, c.measured)
			}
			if got := float64(o.Low); c.low < 0 != math.IsNaN(got) || c.low >= 0 && got != c.low {
				t.Errorf("at least %v, want %v", o.Low, c.low)
			}
			for _, ff := range f.Faults {
				if ff.Unsteady.Kind != "" {
					t.Errorf("the steady state: %s", ff.Unsteady.Text)
				}
			}
		})
	}
}

// TestFault_Resolved: an alert is resolved so long after the true end of a fault that happens once, however long its
// phase.
func TestFault_Resolved(t *testing.T) {
	key := series.AlertKey{Occurrence: 0, Alert: "down"}
	for _, c := range []struct {
		text string
		want scenarios.Verdict
	}{
		{"resolved(down) < 10s after f", scenarios.Fail},
		{"resolved(down) < 12500ms after f", scenarios.Inconclusive},
		{"resolved(down) < 14s after f", scenarios.Pass},
	} {
		f := drill(t, parseObjectives(t, c.text), judge.Case{
			Occurrences: []judge.Occurrence{{Ended: new(31 * sec)}},
			Reactions:   series.Reactions{Resolved: map[series.AlertKey]series.Resolution{key: {At: 44 * sec, Still: 43 * sec}}},
		}, outage(between(0, 0)), injection{"f", "f", 30 * sec, 35 * sec})
		if o := f.Objectives[0]; o.Verdict != c.want || o.Measured != 13 || o.Low != 12 {
			t.Errorf("%s is %s, measured %v from %v (%s), want %s of 13 s", c.text, o.Verdict, o.Measured, o.Low, o.Note, c.want)
		}
	}
}

// TestFault_Marked: a mark counts from the injection to the instant of the mark. Without a mark the time is unknown,
// though others are there: people may forget one.
func TestFault_Marked(t *testing.T) {
	marks := map[series.MarkKey]time.Duration{
		{Occurrence: 0, Kind: result.Seen}: 33 * sec, {Occurrence: 0, Kind: result.Acted}: 75 * sec,
		{Occurrence: 1, Kind: result.Understood}: 99 * sec,
	}
	for _, c := range []struct {
		text     string
		want     scenarios.Verdict
		measured float64 // NaN: unknown
		note     string
	}{
		{"seen < 4s after f", scenarios.Pass, 3, ""},
		{"seen < 3s after f", scenarios.Fail, 3, ""},
		{"acted < 1m after f", scenarios.Pass, 45, ""},
		{"acted < 40s after f", scenarios.Fail, 45, ""},
		{"understood < 5m after f", scenarios.Inconclusive, math.NaN(), "no person marked it as understood"},
	} {
		f := drill(t, parseObjectives(t, c.text), judge.Case{Reactions: series.Reactions{Marks: marks}},
			outage(between(30*sec, 45*sec)), injection{"f", "f", 30 * sec, 40 * sec})
		o := f.Objectives[0]
		if o.Verdict != c.want || o.Note != c.note || float64(o.Measured) != c.measured && !math.IsNaN(c.measured) ||
			math.IsNaN(c.measured) != !o.Measured.Known() {
			t.Errorf("%s is %s, measured %v (%s), want %s of %v", c.text, o.Verdict, o.Measured, o.Note, c.want, c.measured)
		}
	}
}
