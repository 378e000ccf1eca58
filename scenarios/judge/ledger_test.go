package judge_test

import (
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestLedger(t *testing.T) {
	read := func(change func(l *result.LedgerRecord)) *result.LedgerRecord {
		l := &result.LedgerRecord{Read: true, Acknowledged: 1000, Held: 1000}
		change(l)
		return l
	}
	lost := func(n, unknown int64) *result.LedgerRecord {
		return read(func(l *result.LedgerRecord) { l.Lost, l.Unknown = n, unknown })
	}
	tests := []struct {
		name string
		text string
		l    *result.LedgerRecord
		want scenarios.Verdict
	}{
		{"all held", "lost = 0", lost(0, 0), scenarios.Pass},
		{"one lost", "lost = 0", lost(1, 0), scenarios.Fail},
		{"none lost, one unknown", "lost = 0", lost(0, 1), scenarios.Inconclusive},
		{"one lost, one unknown", "lost = 0", lost(1, 1), scenarios.Fail},
		{"a bound that the unknown could break", "lost <= 2", lost(1, 2), scenarios.Inconclusive},
		{"a bound that they could not", "lost <= 3", lost(1, 2), scenarios.Pass},
		{"a number that they could make", "lost = 3", lost(1, 2), scenarios.Inconclusive},
		{"a number that they could not", "lost = 5", lost(1, 2), scenarios.Fail},
		{"without an id", "lost = 0", read(func(l *result.LedgerRecord) { l.Unnamed = 1 }), scenarios.Inconclusive},
		{
			"beyond the ledger", "duplicated = 0", read(func(l *result.LedgerRecord) { l.Unrecorded = 1 }),
			scenarios.Inconclusive,
		},
		{"found, and a unit silent", "lost = 0", read(func(l *result.LedgerRecord) { l.Unread = 1000 }), scenarios.Pass},
		{
			"found, and a unit silent: stale", "stale < 1%", read(func(l *result.LedgerRecord) { l.Unread = 1000 }),
			scenarios.Inconclusive,
		},
		{
			"found, and a unit silent: twice", "duplicated = 0", read(func(l *result.LedgerRecord) { l.Unread = 1 }),
			scenarios.Inconclusive,
		},
		{"twice", "duplicated = 0", read(func(l *result.LedgerRecord) { l.Duplicated = 1 }), scenarios.Fail},
		{"few stale", "stale < 1%", read(func(l *result.LedgerRecord) { l.Stale = 4 }), scenarios.Pass},
		{
			"few stale, and a bound over the target", "stale < 1%", read(func(l *result.LedgerRecord) { l.Stale = 9 }),
			scenarios.Inconclusive,
		},
		{
			"2 stale of 60", "stale < 5%", read(func(l *result.LedgerRecord) { l.Acknowledged, l.Stale = 60, 2 }),
			scenarios.Inconclusive,
		},
		{"none stale of 60", "stale < 5%", read(func(l *result.LedgerRecord) { l.Acknowledged = 60 }), scenarios.Pass},
		{"none stale", "stale = 0%", read(func(*result.LedgerRecord) {}), scenarios.Pass},
		{"too many stale", "stale < 1%", read(func(l *result.LedgerRecord) { l.Stale = 10 }), scenarios.Fail},
		{
			"too few to tell", "stale < 1%", read(func(l *result.LedgerRecord) { l.Acknowledged = 100 }),
			scenarios.Inconclusive,
		},
		{"rpo", "rpo < 5s", read(func(l *result.LedgerRecord) { l.RPO = 4 }), scenarios.Pass},
		{"rpo over", "rpo < 5s", read(func(l *result.LedgerRecord) { l.RPOLow, l.RPO = 6, 6 }), scenarios.Fail},
		{
			"rpo, bounds around the target", "rpo < 5s", read(func(l *result.LedgerRecord) { l.RPOLow, l.RPO = 4.5, 5.5 }),
			scenarios.Inconclusive,
		},
		{
			"rpo, both bounds over", "rpo < 5s", read(func(l *result.LedgerRecord) { l.RPOLow, l.RPO = 5.2, 5.5 }),
			scenarios.Fail,
		},
		{"late", "late < 5s", read(func(l *result.LedgerRecord) { l.LateLow, l.LateHigh = 4, 4.5 }), scenarios.Pass},
		{
			"late, bounds around the target", "late < 5s", read(func(l *result.LedgerRecord) { l.LateLow, l.LateHigh = 4, 5.5 }),
			scenarios.Inconclusive,
		},
		{"too late", "late < 5s", read(func(l *result.LedgerRecord) { l.LateLow, l.LateHigh = 6, 6.5 }), scenarios.Fail},
		{"lost, not late", "late < 5s", lost(3, 0), scenarios.Pass},
		{"rpo, unknown", "rpo < 5s", lost(0, 1), scenarios.Inconclusive},
		{
			"nothing acknowledged", "lost = 0", read(func(l *result.LedgerRecord) { l.Acknowledged = 0 }),
			scenarios.Inconclusive,
		},
		{"not read", "lost = 0", &result.LedgerRecord{Acknowledged: 5, Note: "why"}, scenarios.Inconclusive},
		{"none", "lost = 0", nil, scenarios.Inconclusive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o, err := slo.ParseObjective(tt.text)
			if err != nil {
				t.Fatal(err)
			}
			r := judge.JudgeWrites(o, ledgers(tt.l))
			if r.Verdict != tt.want {
				t.Errorf("%s is %s (%s), want %s", tt.text, r.Verdict, r.Note, tt.want)
			}
			if r.Verdict == scenarios.Inconclusive && r.Note == "" {
				t.Error("nothing says why")
			}
		})
	}
}

// ledgers is the only ledger of a run, or none.
func ledgers(l *result.LedgerRecord) []*result.LedgerRecord {
	if l == nil {
		return nil
	}
	return []*result.LedgerRecord{l}
}

// TestLedger_Named: an objective is about the ledger that it names.
func TestLedger_Named(t *testing.T) {
	all := []*result.LedgerRecord{
		{Name: "posts", Read: true, Acknowledged: 1000, Held: 1000},
		{Name: "events", Read: true, Acknowledged: 1000, Held: 993, Lost: 7},
	}
	for text, want := range map[string]scenarios.Verdict{
		"lost(posts) = 0": scenarios.Pass, "lost(events) = 0": scenarios.Fail, "lost(events) <= 7": scenarios.Pass,
		"lost(other) = 0": scenarios.Inconclusive,
	} {
		o, err := slo.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		if r := judge.JudgeWrites(o, all); r.Verdict != want {
			t.Errorf("%s is %s (%s), want %s", text, r.Verdict, r.Note, want)
		}
	}
}
