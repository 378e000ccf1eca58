package result_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// objective is the result of an objective.
func objective(t *testing.T, text string, v scenarios.Verdict, measured float64, note string) result.ObjectiveResult {
	t.Helper()
	asked, err := slo.ParseObjective(text)
	if err != nil {
		t.Fatal(err)
	}
	o := result.NewObjective(asked, v)
	o.Measured, o.Note = result.Num(measured), note
	return o
}

// TestReason_Sentence holds each kind of reason to its words.
func TestReason_Sentence(t *testing.T) {
	one := []result.ObjectiveResult{objective(t, "errors < 1%", scenarios.Fail, .05, "")}
	many := []result.ObjectiveResult{
		objective(t, "errors < 1%", scenarios.Fail, .05, "5 requests"),
		objective(t, "p95 < 1s", scenarios.Invalid, .2, "brunt itself was late"),
		objective(t, "rate > 1/s", scenarios.Inconclusive, 3, ""),
		objective(t, "p50 < 1s", scenarios.Pass, .1, ""),
	}
	late := result.Generator{Limits: []string{"p99 lag 1s in run is over 10ms: brunt itself was late. It had little to do."}}
	timeouts := []result.ErrorGroup{{Kind: "timeout", Count: 9}}
	undecided := []result.ObjectiveResult{
		objective(t, "p95 < 1s", scenarios.Inconclusive, .2, "3s more was needed"),
		objective(t, "rate > 1/s", scenarios.Inconclusive, 3, ""),
	}
	for _, c := range []struct {
		reason result.Reason
		of     result.Result
		want   string
	}{
		{result.Reason{Kind: result.Held}, result.Result{Objectives: one}, "The objective held."},
		{result.Reason{Kind: result.Held}, result.Result{Objectives: many}, "All 4 objectives held."},
		{
			result.Reason{Kind: result.Held},
			result.Result{Objectives: one, Incidents: []result.Incident{{By: "f", Bad: 9}, {Bad: 200, Begin: 14}}},
			"The objective held, and 200 requests failed or were too slow in an outage at 14s that no fault is shown to " +
				"have done.",
		},
		{
			result.Reason{Kind: result.Held},
			result.Result{Objectives: many, Incidents: []result.Incident{{Bad: 2, Begin: 1}, {Bad: 200, Begin: 14}}},
			"All 4 objectives held, and no fault is shown to have done 2 outages, the worst at 14s.",
		},
		{
			result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 1},
			result.Result{Objectives: one},
			"The objective failed: errors < 1%, measured 5%.",
		},
		{
			result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 1},
			result.Result{Objectives: many},
			"1 of 4 objectives failed, 1 could not be judged, 1 could not be decided: errors < 1%, measured 5% (5 requests).",
		},
		{
			result.Reason{Kind: result.NotHeld, Verdict: scenarios.Invalid, Objective: 2, Why: result.Late},
			result.Result{Objectives: many, Generator: late},
			"1 of 4 objectives could not be judged, 1 could not be decided: p95 < 1s, measured 200ms (brunt itself was late). " +
				"p99 lag 1s in run is over 10ms: brunt itself was late. It had little to do.",
		},
		{
			result.Reason{Kind: result.NotHeld, Verdict: scenarios.Inconclusive, Objective: 1},
			result.Result{Objectives: undecided},
			"2 of 2 objectives could not be decided, one of them p95 < 1s, measured 200ms (3s more was needed).",
		},
		{
			result.Reason{Kind: result.SoFar},
			result.Result{Objectives: many},
			"So far 1 of 4 objectives fail, 1 hold, and 0 can't be judged yet.",
		},
		{
			result.Reason{Kind: result.NotSent, Failed: 3, Requests: 40},
			result.Result{},
			"brunt itself was late or without a socket for 3 of 40 requests.",
		},
		{
			result.Reason{Kind: result.NoImpact, Fault: "slow"},
			result.Result{},
			"Require_impact is set, but no impact of slow was seen.",
		},
		{
			result.Reason{Kind: result.ImpactUnknown, Fault: "slow", Text: "too few requests"},
			result.Result{},
			"Require_impact is set, but whether slow had an impact is unknown: too few requests.",
		},
		{
			result.Reason{Kind: result.NotUndone, Fault: "slow", Text: "no such process"},
			result.Result{},
			"slow could not be taken back: no such process.",
		},
		{
			result.Reason{Kind: result.GoneUnverified, Fault: "slow", Text: "timeout"},
			result.Result{},
			"slow was taken back, and that it is over is unverified: timeout.",
		},
		{
			result.Reason{Kind: result.StillDown, Fault: "crash", After: 30, Text: "no answer"},
			result.Result{},
			"crash: its unit was not healthy again within 30s: no answer.",
		},
		{
			result.Reason{Kind: result.StillDown, After: 2},
			result.Result{},
			"Its unit was not healthy again within 2s.",
		},
		{
			result.Reason{
				Kind: result.NotReadyAgain, Fault: "freeze", Text: "web[0] did not become ready in 30s: GET /: 503",
			},
			result.Result{},
			"freeze was taken back; web[0] did not become ready in 30s: GET /: 503.",
		},
		{
			result.Reason{
				Kind: result.NotReadyAgain, Fault: "freeze", Text: "web[0] did not become ready in 30s: GET /: 503",
				Verdict: scenarios.Inconclusive,
			},
			result.Result{},
			"freeze was taken back; web[0] did not become ready in 30s: GET /: 503. Other programs held the processors " +
				"meanwhile, and it waited for one for half of the time: run it again on a quiet machine.",
		},
		{
			result.Reason{Kind: result.StaysDown, Fault: "freeze", Text: "pg[0] did not become ready in 30s: refused"},
			result.Result{},
			"freeze is over, and a unit that brunt did not start stays down: pg[0] did not become ready in 30s: refused; " +
				"start it again yourself.",
		},
		{
			result.Reason{Kind: result.OverEarly, Fault: "slow", After: 1.5, Text: "the link was closed"},
			result.Result{},
			"slow was over before its time, after 1.5s: the link was closed.",
		},
		{
			result.Reason{Kind: result.OverEarly, Fault: "slow", After: 1.5, Text: "web[0] was started again", Undone: true},
			result.Result{},
			"slow was over before its time, after 1.5s: web[0] was started again. If the target heals itself, take a fault " +
				"of one moment, process.crash, process.restart or container.restart, which measures how long it takes to heal. " +
				"Else end what undid the fault for the run.",
		},
		{
			result.Reason{Kind: result.Void, Fault: "slow", Text: "it was taken back"},
			result.Result{},
			"slow: it was taken back.",
		},
		{
			result.Reason{Kind: result.InjectionFailed, Fault: "slow", Text: "no tc"},
			result.Result{},
			"slow was not injected: no tc.",
		},
		{
			result.Reason{Kind: result.PartlyInjected, Fault: "both", Text: "no tc"},
			result.Result{},
			"both was injected in part: no tc.",
		},
		{
			result.Reason{Kind: result.NoEffect, Text: "it answers"},
			result.Result{},
			"It was injected, but not verified: it answers.",
		},
		{
			result.Reason{Kind: result.NoTraffic, Fault: "slow"},
			result.Result{},
			"slow affected no traffic, so its effect is unknown.",
		},
		{
			result.Reason{Kind: result.NoTraffic, Fault: "slow", After: 3.70312},
			result.Result{},
			"slow came 3.7s after the load had ended, so its effect is unknown.",
		},
		{
			result.Reason{Kind: result.UnsteadyBefore, Fault: "slow", Text: "errors were already over 1% before slow"},
			result.Result{},
			"The steady state did not hold: errors were already over 1% before slow.",
		},
		{result.Reason{Kind: result.NotStarted, Text: "setup failed"}, result.Result{}, "Setup failed."},
		{
			result.Reason{Kind: result.SteadyLost, Text: "`errors < 1%`, measured 5%"},
			result.Result{},
			"The steady state did not hold: `errors < 1%`, measured 5%; no fault was injected.",
		},
		{
			result.Reason{Kind: result.SteadyLost, Verdict: scenarios.Inconclusive, Text: "`errors < 1%`, measured 5%"},
			result.Result{},
			"The steady state did not hold: `errors < 1%`, measured 5%; no fault was injected. Other programs held the " +
				"processors meanwhile, which may be why: run it again on a quiet machine.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "9 of 10 requests were bad"},
			result.Result{Generator: result.Generator{Healthy: true, Pressure: .9}, Errors: timeouts},
			"The baseline failed: 9 of 10 requests were bad; no fault was injected. Mend the target or the load. If so many " +
				"errors are normal, say so by an objective such as `errors < 60% in baseline`, or by `steady`.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "9 of 10 requests were bad"},
			result.Result{
				Generator: result.Generator{Healthy: true, Seconds: []result.GeneratorTick{{T: 3, Others: .8, Pressure: .9}}},
				Errors:    timeouts,
			},
			"The baseline failed: 9 of 10 requests were bad; no fault was injected. The machine was busy meanwhile, which may " +
				"be why: run it again on a quiet one. Else mend the target or the load. If so many errors are normal, say so by " +
				"an objective such as `errors < 60% in baseline`, or by `steady`.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "9 of 10 requests were bad"},
			result.Result{
				Generator: result.Generator{Healthy: true, Seconds: []result.GeneratorTick{{T: 3, Others: .8, Pressure: .9}}},
				Errors:    []result.ErrorGroup{{Kind: "status 500", Count: 6}, {Kind: "timeout", Count: 3}},
			},
			"The baseline failed: 9 of 10 requests were bad; no fault was injected. Mend the target or the load. If so many " +
				"errors are normal, say so by an objective such as `errors < 60% in baseline`, or by `steady`.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "9 of 10 requests were bad"},
			result.Result{
				Errors: []result.ErrorGroup{{Kind: "status 504", Count: 6, TimedOut: true}, {Kind: "timeout", Count: 3}},
			},
			"The baseline failed: 9 of 10 requests were bad; no fault was injected. brunt itself was late meanwhile, which may " +
				"be why. Else mend the target or the load. If so many errors are normal, say so by an objective such as " +
				"`errors < 60% in baseline`, or by `steady`.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "9 of 10 requests were bad"},
			result.Result{Errors: timeouts},
			"The baseline failed: 9 of 10 requests were bad; no fault was injected. brunt itself was late meanwhile, which may " +
				"be why. Else mend the target or the load. If so many errors are normal, say so by an objective such as " +
				"`errors < 60% in baseline`, or by `steady`.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "92 of 100 requests were bad"},
			result.Result{
				Generator: result.Generator{Healthy: true}, Errors: []result.ErrorGroup{{Kind: "status 500", Count: 92}},
				Cells: []result.Cell{
					{Phase: slo.Phase{Kind: slo.BaselinePhase}, Load: "*", Step: "*", Outcome: "*", Count: 100},
					{Phase: slo.Phase{Kind: slo.BaselinePhase}, Load: "*", Step: "*", Outcome: "ok", Count: 8},
				},
			},
			"The baseline failed: 92 of 100 requests were bad; no fault was injected. Mend the target or the load.",
		},
		{
			result.Reason{Kind: result.BaselineFailed, Text: "no request had ended"},
			result.Result{
				Generator: result.Generator{Healthy: true},
				Errors:    []result.ErrorGroup{{Kind: scenarios.Unsent.String(), Count: 824}},
			},
			"The baseline failed: no request had ended; no fault was injected. Mend the target or the load.",
		},
		{result.Reason{Kind: result.Interrupted, After: 5}, result.Result{}, "Interrupted after 5s."},
		{
			result.Reason{Kind: result.Interrupted, After: 5, Text: "the page"},
			result.Result{},
			"Stopped by the page after 5s.",
		},
		{
			result.Reason{Kind: result.StopCondition, Text: "errors > 50%"},
			result.Result{},
			"Stop condition met: errors > 50%.",
		},
		{
			result.Reason{Kind: result.LeftBehind, Left: 2},
			result.Result{},
			"2 entries of the journal are open; `brunt revert` tries again.",
		},
		{
			result.Reason{Kind: result.LeftBehind, Left: 1},
			result.Result{},
			"1 entry of the journal is open; `brunt revert` tries again.",
		},
		{
			result.Reason{Kind: result.Crashed, Text: "panic: x"},
			result.Result{},
			"brunt itself crashed: panic: x; its measurements are lost, and everything was taken back",
		},
		{
			result.Reason{Kind: result.CrashedIn, Text: "panic: x", Left: 3},
			result.Result{},
			"brunt itself crashed: panic: x; its watchdog left 3 entries of its journal: see `brunt status`",
		},
		{
			result.Reason{Kind: result.CrashedIn, Text: "panic: x", Left: 1},
			result.Result{},
			"brunt itself crashed: panic: x; its watchdog left 1 entry of its journal: see `brunt status`",
		},
		{
			result.Reason{Kind: result.Unasked, Requests: 100},
			result.Result{
				Ledger:      &result.LedgerRecord{Read: true, Lost: 1},
				Ledgers:     []*result.LedgerRecord{{Name: "orders", Read: true, Stale: 2}},
				Consistency: []*result.ConsistencyRecord{{Name: "kv", Anomalies: 1}, {Name: "carts", Anomalies: 2}},
			},
			"1 acknowledged write was lost, duplicated or stale, 2 acknowledged writes of orders were lost, duplicated or " +
				"stale, 1 operation on kv shows that it is not linearizable, 2 operations on carts show that it is not " +
				"linearizable and no objective asks about it.",
		},
		{
			result.Reason{Kind: result.Unasked, Requests: 100},
			result.Result{Deliveries: []*result.DeliveryRecord{
				{Name: "mails", Lost: 3},
				{Name: "calls", Lost: 2, Unreadable: 1, Late: 1},
				{Name: "chats"},
				{Name: "jobs", Unreadable: 1, Duplicated: 1, Again: 1, Reordered: 2, Unknown: 1, Unnamed: 1},
			}},
			"3 messages of mails were lost, 2 messages of calls were lost or seen without a readable id, 1 message of calls " +
				"was seen late, 1 message of jobs was seen without a readable id, 1 message of jobs was seen more than once, " +
				"1 message of jobs was perhaps seen more than once, 2 messages of jobs were seen out of order, 2 messages of " +
				"jobs were of unknown fate and no objective asks about it.",
		},
	} {
		if got := c.reason.Sentence(&c.of); got != c.want {
			t.Errorf("%s:\n  %s\nwant\n  %s", c.reason.Kind, got, c.want)
		}
	}
}

// TestResult_Because checks that the worst reason decides, the first of equals, and that a file keeps all of them.
func TestResult_Because(t *testing.T) {
	r := &result.Result{Objectives: []result.ObjectiveResult{objective(t, "errors < 1%", scenarios.Fail, .05, "")}}
	r.Because(result.Reason{Kind: result.NoTraffic, Verdict: scenarios.Invalid, Fault: "slow"})
	r.Because(result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 1})
	r.Because(result.Reason{Kind: result.NoImpact, Verdict: scenarios.Fail, Fault: "slow"})
	was := r.Verdict
	r.Because(result.Reason{Kind: result.LeftBehind, Verdict: scenarios.NotReverted, Left: 1})
	if was != scenarios.Fail || r.Verdict != scenarios.NotReverted {
		t.Errorf("verdicts %s, %s", was, r.Verdict)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var again result.Result
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	var kinds []result.ReasonKind
	for i := range again.Reasons {
		kinds = append(kinds, again.Reasons[i].Kind)
	}
	want := []result.ReasonKind{result.LeftBehind, result.NotHeld, result.NoTraffic, result.NoImpact}
	for i := range want {
		if len(kinds) != len(want) || kinds[i] != want[i] {
			t.Fatalf("reasons %v, want %v", kinds, want)
		}
	}
	if got := again.Reasons[0].Sentence(&again); got != r.Reason {
		t.Errorf("of the file: %q, want %q", got, r.Reason)
	}
	r.Verdict = ""
	r.Because(result.Reason{Kind: result.Unwritten, Verdict: scenarios.Broken, Text: "no space left"})
	if want := "The report could not be written: no space left; the run itself: not reverted: 1 entry of the journal is " +
		"open; `brunt revert` tries again."; r.Reason != want {
		t.Errorf("%q, want %q", r.Reason, want)
	}
}

// TestResult_Broke: an error of brunt after a run becomes its verdict, unless the verdict of the run takes precedence.
func TestResult_Broke(t *testing.T) {
	for _, c := range []struct {
		verdict, want scenarios.Verdict
		code, exits   int
	}{
		{scenarios.Pass, scenarios.Broken, scenarios.ExitPass, scenarios.ExitError},
		{scenarios.Fail, scenarios.Broken, scenarios.ExitFail, scenarios.ExitError},
		{scenarios.Interrupted, scenarios.Interrupted, 143, 143},
		{scenarios.NotReverted, scenarios.NotReverted, scenarios.ExitNotReverted, scenarios.ExitNotReverted},
	} {
		r := result.Result{ExitCode: c.code}
		r.Because(result.Reason{Kind: result.Void, Verdict: c.verdict, Text: "so it ended"})
		r.Broke(result.FailedAfter, errors.Join(errors.New("the job stays"), errors.New("and the pod")))
		if r.Verdict != c.want || r.ExitCode != c.exits || len(r.Reasons) != 2 {
			t.Errorf("%s: %s with exit code %d, want %s with %d", c.verdict, r.Verdict, r.ExitCode, c.want, c.exits)
		}
		if want := "Brunt itself failed after the run: the job stays; and the pod; the run itself: " + c.verdict.Words() +
			": "; c.want == scenarios.Broken && !strings.HasPrefix(strings.ToLower(r.Reason), strings.ToLower(want)) {
			t.Errorf("it says %q", r.Reason)
		}
	}
}
