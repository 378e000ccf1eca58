package requests_test

import (
	"strings"
	"testing"

	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestUnasked: a run without objectives names what was not good, and is good only where all was.
func TestUnasked(t *testing.T) {
	for _, c := range []struct {
		name                   string
		ok, shed, bad, skipped int64
		want                   string
		good                   bool
	}{
		{"all failed", 0, 0, 300, 0, "100% of requests failed and no objective asks about it.", false},
		{"skipped steps count", 50, 0, 25, 25, "50% of requests failed and no objective asks about it.", false},
		{"one of many", 99_999, 0, 1, 0, "0.001% of requests failed and no objective asks about it.", false},
		{"shed", 150, 50, 0, 0, "25% of requests were shed and no objective asks about it.", false},
		{"both", 50, 25, 25, 0, "25% of requests failed, 25% of requests were shed and no objective asks about it.", false},
		{"all good", 100, 0, 0, 0, "Every request and check was good, and no objective asks about anything.", true},
		{"nothing", 0, 0, 0, 0, "No request was made and no objective asks about it.", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var cells []result.Cell
			for outcome, n := range map[string]int64{
				"*": c.ok + c.shed + c.bad + c.skipped, "ok": c.ok, "shed": c.shed, "error": c.bad, "skipped": c.skipped,
			} {
				if n > 0 || outcome == "*" {
					cells = append(cells, result.Cell{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: outcome, Count: n},
						result.Cell{Phase: slo.ParsePhase("warmup"), Load: "*", Step: "*", Outcome: outcome, Count: 9 * n})
				}
			}
			r := &result.Result{Cells: cells}
			why, good := requests.Unasked(r, 0)
			if got := why.Sentence(r); got != c.want || good != c.good {
				t.Errorf("%q, %v; want %q, %v", got, good, c.want, c.good)
			}
		})
	}
}

// checkUnasked judges a result without objectives, of a run whose every request was good.
func checkUnasked(t *testing.T, r *result.Result, good bool, want string) {
	t.Helper()
	r.Cells = []result.Cell{
		{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 100},
		{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "ok", Count: 100},
	}
	why, is := requests.Unasked(r, 0)
	if got := why.Sentence(r); is != good || !strings.HasPrefix(got, want) {
		t.Errorf("%q, %v; want %q, %v", got, is, want, good)
	}
}

// TestUnasked_Writes: a run whose every request was good, and which lost a write, is not good.
func TestUnasked_Writes(t *testing.T) {
	for _, c := range []struct {
		ledger result.LedgerRecord
		good   bool
		want   string
	}{
		{result.LedgerRecord{Read: true, Acknowledged: 100, Held: 100}, true, "Every request and check was good"},
		{
			result.LedgerRecord{Read: true, Acknowledged: 100, Held: 97, Lost: 3},
			false,
			"3 acknowledged writes were lost, duplicated or stale and no objective",
		},
		{result.LedgerRecord{Acknowledged: 100}, false, "the writes were not read back and no objective"},
		{
			result.LedgerRecord{Read: true, Acknowledged: 500, Unknown: 500},
			false,
			"500 acknowledged writes were of unknown fate and no objective",
		},
		{
			result.LedgerRecord{Read: true, Acknowledged: 100, Held: 99, Lost: 1, Unread: 1},
			false,
			"1 acknowledged write was lost, duplicated or stale, 1 acknowledged write was of unknown fate and no objective",
		},
		{
			result.LedgerRecord{Read: true, Acknowledged: 100, Held: 100, Reads: &result.LedgerReads{Made: 50, Stale: 2}},
			false,
			"2 reads during the load did not find the latest write and no objective",
		},
		{
			result.LedgerRecord{Name: "orders", Read: true, Acknowledged: 100, Held: 100, Unreported: "worker 2 was lost"},
			false,
			"writes of orders by a lost worker are unknown and no objective",
		},
	} {
		checkUnasked(t, &result.Result{Ledger: &c.ledger}, c.good, c.want)
	}
}

// TestUnasked_Registers: a run whose every request was good, and whose registers are not all checked, is not good.
func TestUnasked_Registers(t *testing.T) {
	for _, c := range []struct {
		registers result.ConsistencyRecord
		good      bool
		want      string
	}{
		{result.ConsistencyRecord{}, true, "Every request and check was good"},
		{result.ConsistencyRecord{Anomalies: 1}, false, "1 operation on keys shows that it is not linearizable and no"},
		{result.ConsistencyRecord{Undecided: 2}, false, "2 registers of keys were not decided and no objective"},
		{result.ConsistencyRecord{LeftOut: 1, Unrecorded: 2}, false, "3 operations on keys were left out of the check"},
	} {
		c.registers.Name, c.registers.Reads, c.registers.Writes = "keys", 50, 50
		checkUnasked(t, &result.Result{Consistency: []*result.ConsistencyRecord{&c.registers}}, c.good, c.want)
	}
}
