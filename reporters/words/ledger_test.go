package words_test

import (
	"strings"
	"testing"

	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestLedgerText_Reads checks the sentences on reads during the load.
func TestLedgerText_Reads(t *testing.T) {
	l := result.LedgerRecord{
		Write: "write", Units: []string{"a", "b"}, Took: result.NaN, Reads: &result.LedgerReads{Made: 1200, Unanswered: 3},
	}
	if got := words.LedgerText(&l); !strings.HasSuffix(got,
		" During the load the latest write was read 1200 times, 3 without an answer: no read was stale.") {
		t.Error(got)
	}
	l.Reads = &result.LedgerReads{
		Made: 1200, Stale: 40, First: 10.2, Last: 14.9, Longest: .35, Units: map[string]int64{"a": 2, "b": 38},
		Faults: map[string]int64{"cut": 39},
	}
	want := " During the load the latest write was read 1200 times: 40 reads were stale, from 10.2s to 14.9s, up to " +
		"350ms after the " +
		"acknowledgement; at b: 38, a: 2; during cut: 39."
	if got := words.LedgerText(&l); !strings.HasSuffix(got, want) {
		t.Error(got)
	}
	rows := words.LostRows(&result.LedgerRecord{
		LostSeconds: []result.LostSecond{{T: 12, Fault: "cut", Lost: 31}, {T: 13, Lost: 2}},
	})
	if len(rows) != 2 || strings.Join(rows[0], "|") != "12s|31|cut" || strings.Join(rows[1], "|") != "13s|2|–" {
		t.Errorf("%q", rows)
	}
}

// TestLedgerText_SharedLoss: a loss is told as that of one fault only where it is known, and so in each table.
func TestLedgerText_SharedLoss(t *testing.T) {
	l := result.LedgerRecord{
		Write: "write", Units: []string{"a"}, Took: result.NaN, Lost: 12,
		LostSpans: []result.LostSpan{
			{Fault: "crash", Lost: 10, First: 1, Last: 3, Before: .5, After: 3.5},
			{Faults: []string{"pause", "cut", "crash"}, Lost: 2, First: 4, Last: 5, Before: 3.5, After: 6},
		},
		ReadBacks: []result.ReadBack{{Asked: 20, Found: 14, Absent: 5}, {}},
		Because:   result.Notes{{Kind: result.ReadBackNone, Faults: []string{"pause", "cut"}}},
	}
	const want = "10 writes were lost to crash, acknowledged from 1s to 3s: an RPO of 2s to 3s. 2 writes were lost to " +
		"pause, cut or crash, acknowledged from 4s to 5s: an RPO of at most 2.5s. " +
		"While the load ran, 20 writes were read back, " +
		"14 found, 5 not, 1 without an answer. There was no time to read writes back between pause, cut."
	if got := words.LedgerText(&l); !strings.HasSuffix(got, want) {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	key := result.WriteKey{State: result.WriteLost, ID: "7", Faults: []string{"pause", "cut"}, Age: result.NaN}
	if row := words.LedgerRow(&key); row[4] != "pause or cut" {
		t.Errorf("%q", row)
	}
	key.Faults = key.Faults[:1]
	if row := words.LedgerRow(&key); row[4] != "pause or no fault" {
		t.Errorf("%q", row)
	}
	rows := words.LostRows(&result.LedgerRecord{LostSeconds: []result.LostSecond{
		{T: 12, Faults: []string{"f#1", "f#2", "f#3", "f#4", "f#5", "f#6", "f#7"}, Lost: 31},
	}})
	if got := strings.Join(rows[0], "|"); got != "12s|31|f#1, f#2, f#3, f#4, f#5 or 2 more" {
		t.Errorf("%q", got)
	}
}

// TestLedgerText_ManyLosses: the text describes four spans, and counts the writes of the others.
func TestLedgerText_ManyLosses(t *testing.T) {
	l := result.LedgerRecord{Write: "write", Units: []string{"a"}, Took: result.NaN}
	for i, fault := range []string{"a", "b", "c", "d", ""} {
		at := result.Num(i)
		l.LostSpans = append(l.LostSpans, result.LostSpan{Fault: fault, Lost: 1, First: at, Last: at, Before: at, After: at})
	}
	if got := words.LedgerText(&l); !strings.HasSuffix(got, "an RPO of 0s. 1 more write was lost at other times.") {
		t.Error(got)
	}
}

// TestFault_SharedLoss: a fault that may have lost writes has neither a cross nor a tick for it, whatever else it did.
func TestFault_SharedLoss(t *testing.T) {
	for _, c := range []struct {
		name          string
		fault         result.FaultRecord
		mark, outcome string
		effect        string
	}{
		{
			"nothing else", result.FaultRecord{
				Impact: result.UnknownYet, Note: "told by the note", Because: result.Notes{{Kind: result.LossShared}},
			}, "?", "writes lost, cause unknown", "What it did is not known: told by the note.",
		},
		{
			"unknown for another reason",
			result.FaultRecord{Impact: result.UnknownYet, Note: "brunt stood still"},
			"?", "writes lost, cause unknown",
			"What it did is not known: brunt stood still; 3 acknowledged writes were lost to it or to cut.",
		},
		{
			"an outage",
			result.FaultRecord{Impact: result.Impacted, OnsetAt: 2, Recover: 1, Failed: 9},
			"✓", "recovered", "9 requests failed; 3 acknowledged writes were lost to it or to cut.",
		},
		{
			"alone, and nothing else", result.FaultRecord{
				Impact: result.UnknownYet, Note: "told by the note", Because: result.Notes{{Kind: result.LossUnshown}},
			}, "?", "writes lost, cause unknown", "What it did is not known: told by the note.",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := c.fault
			f.Parts = &result.ImpactParts{
				Requests: 100, LostShared: 3, LostWith: []string{"cut"}, P50: result.NaN, First: result.NaN,
			}
			f.Onset, f.Failover, f.Heal, f.Degraded = result.NaN, result.NaN, result.NaN, result.NaN
			mark, _ := words.FaultMark(&f)
			if got := words.FaultEffect(&f); mark != c.mark || words.FaultOutcome(&f) != c.outcome ||
				!strings.HasSuffix(got, c.effect) {
				t.Errorf("%s %s: %s", mark, words.FaultOutcome(&f), got)
			}
		})
	}
}

// TestFault_LossAndSlownessOpen: where it is also not known whether a fault lost writes, nothing says that only slower
// answers are open.
func TestFault_LossAndSlownessOpen(t *testing.T) {
	f := result.FaultRecord{
		Name: "pause", Injected: 10, Cleared: 14, Revert: "ok", Impact: result.UnknownYet, OnsetAt: result.NaN,
		Note: "it is unknown to which of them", Because: result.Notes{{Kind: result.LossShared, Count: 40}},
		Parts: &result.ImpactParts{
			Requests: 100, LostShared: 40, LostWith: []string{"kill"}, P50: .02, P50Before: .01, P95: .04, P95Before: .02,
			First: result.NaN, SlowerBecause: result.Notes{{Kind: result.SlowerFew}},
		},
	}
	if got := words.FaultOutcome(&f); got != "writes lost, cause unknown" {
		t.Error(got)
	}
	a := words.AnswerOf(&result.Result{
		Verdict: scenarios.Pass, Duration: 30, Generator: result.Generator{Healthy: true},
		Faults:     []result.FaultRecord{f},
		Objectives: []result.ObjectiveResult{{Text: "errors < 10%", Verdict: scenarios.Pass}},
	})
	want := "The objective held, though what pause did is not known."
	if got := a.Sentence.String(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := a.Faults[0].Line(); !strings.Contains(got, "it is unknown to which of them") {
		t.Error(got)
	}
}

// TestLedgerText_ReadBacks: each reading asks for all writes so far, so that readings are not summed.
func TestLedgerText_ReadBacks(t *testing.T) {
	l := &result.LedgerRecord{Read: true, Acknowledged: 776, Write: "write", Units: []string{"api"}, Took: result.NaN}
	for _, n := range []int64{341, 509} {
		l.ReadBacks = append(l.ReadBacks, result.ReadBack{Writes: n, Asked: n, Found: n - 1, Absent: 1})
	}
	want := "Writes by write, asked for at api. While the load ran, 341 writes were read back, 340 found, 1 not; then 509 " +
		"writes were read back, 508 found, 1 not."
	if got := words.LedgerText(l); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	l.ReadBacks = append(l.ReadBacks, l.ReadBacks[1], l.ReadBacks[1], l.ReadBacks[1])
	if got := words.LedgerText(l); !strings.HasSuffix(got, "; then 2 more readings.") {
		t.Error(got)
	}
}
