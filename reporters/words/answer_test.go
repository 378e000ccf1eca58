package words

import (
	"math"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

func TestAnswer(t *testing.T) {
	objective := func(text string, measured result.Num, v scenarios.Verdict) result.ObjectiveResult {
		o, err := slo.ParseObjective(text)
		if err != nil {
			t.Fatal(err)
		}
		return result.ObjectiveResult{
			ID: o.ID, Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: result.Num(o.Value),
			Measured: measured,
			Infinite: math.IsInf(float64(measured), 1), Verdict: v,
		}
	}
	endless := result.Num(math.Inf(1))
	pass, fail := scenarios.Pass, scenarios.Fail
	held := objective("p95 < 1s", .1, pass)
	for _, tt := range []struct {
		name string
		r    result.Result
		want string
	}{
		{
			"nothing asked",
			result.Result{Verdict: scenarios.None, Reason: "Every request was good."},
			"Nothing to decide by. Every request was good.",
		},
		{
			"nothing asked, and some failed",
			result.Result{Verdict: scenarios.None, ExitCode: 3, Reason: "5% of requests failed."},
			"Don't ship by this run. 5% of requests failed.",
		},
		{"held", result.Result{Verdict: pass, Objectives: []result.ObjectiveResult{held}}, "Ship. The objective held."},
		{
			"control",
			result.Result{Verdict: pass, Control: true, Objectives: []result.ObjectiveResult{held, held}},
			"Both objectives held, but in this control run nothing was broken, so that it says little about failures.",
		},
		{"faults", *reporterstest.Results()["minute"], "Ship. All 6 objectives held, and of 3 faults 1 " +
			"had no effect seen and the target recovered from 2, the " +
			"slowest time in 3s."},
		{"slower", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Faults: []result.FaultRecord{{
				Name: "slow", Impact: result.Impacted, OnsetAt: result.NaN,
				Parts: &result.ImpactParts{Slowed: true},
			}},
		}, "Ship. The objective held, and the share of bad requests stayed within the limit during the fault, though slow " +
			"made answers slower."},
		{"stray failures during a fault, which it may not have caused", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Faults: []result.FaultRecord{{
				Name: "slow", Impact: result.NotImpacted, OnsetAt: result.NaN, Limit: .01,
				Parts: &result.ImpactParts{Requests: 1000, Errors: 3},
			}},
		}, "Ship. The objective held, and the share of bad requests stayed within the limit during the fault, though 3 " +
			"requests failed during slow."},
		{"partial answers", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Faults: []result.FaultRecord{{
				Name: "kill", Impact: result.NotImpacted, OnsetAt: result.NaN, Limit: .01,
				Parts: &result.ImpactParts{Requests: 1000, Partial: 312, Lacking: true},
			}},
		}, "Ship. The objective held, and the share of bad requests stayed within the limit during the fault, though 312 " +
			"good answers lacked parts during kill."},
		{"partial answers, not certain, and stray failures", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Faults: []result.FaultRecord{{
				Name: "kill", Impact: result.NotImpacted, OnsetAt: result.NaN, Limit: .01,
				Parts: &result.ImpactParts{Requests: 1000, Errors: 3, Partial: 2, LackingUntold: true},
			}},
		}, "Ship. The objective held, and the share of bad requests stayed within the limit during the fault, though 3 " +
			"requests failed and 2 good answers lacked parts, which may be chance, during kill."},
		{"outages that no fault did", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Faults: []result.FaultRecord{{
				Name: "kill", Impact: result.NotImpacted, OnsetAt: result.NaN, Limit: .01,
				Parts: &result.ImpactParts{Requests: 1000},
			}},
			Incidents: []result.Incident{
				{Begin: 60, End: 80, Over: true, Requests: 2000, Bad: 2000},
				{Begin: 90, End: 91, Over: true, Requests: 100, Bad: 30},
			},
		}, "Ship. The objective held, and the fault did no harm that could be seen; at 1m every request failed for 20s; " +
			"no fault was in; 1 more outage."},
		{"an effect that was shown in part", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Faults: []result.FaultRecord{{
				Name: "full", Impact: result.NotImpacted, OnsetAt: result.NaN, Limit: .01, NotShown: "that pg[2] uses /data",
				Parts: &result.ImpactParts{Requests: 1000},
			}},
		}, "Ship. The objective held, and the fault did no harm that could be seen; the effect of full on the target was " +
			"shown only in part."},
		{
			"not recovered", *reporterstest.Results()["faults"],
			"Ship. Both objectives held, yet the target did not recover from split#13, which no " +
				"objective asks it to.",
		},
		{"writes lost", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held}, Ledger: &result.LedgerRecord{Lost: 1085},
			Faults: []result.FaultRecord{{
				Name: "cut", Impact: result.Impacted, OnsetAt: result.NaN,
				Parts: &result.ImpactParts{Lost: 1085},
			}},
		}, "Ship. The objective held, yet 1085 acknowledged writes were lost, which no objective asks about."},
		{"writes lost to one of two faults", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held}, Ledger: &result.LedgerRecord{Lost: 1},
			Faults: []result.FaultRecord{
				{Name: "cut", Impact: result.Impacted, OnsetAt: result.NaN, Parts: &result.ImpactParts{Lost: 1}},
				{Name: "kill", Impact: result.Impacted, OnsetAt: 20, Recover: 2},
			},
		}, "Ship. The objective held, and the target recovered from the other fault in 2s, yet 1 acknowledged write was " +
			"lost, which no objective asks about."},
		{"writes lost, as allowed", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{objective("rpo < 5s", 1, pass)},
			Ledger: &result.LedgerRecord{Lost: 90},
			Faults: []result.FaultRecord{{
				Name: "cut", Impact: result.Impacted, OnsetAt: 20, Recover: 2,
				Parts: &result.ImpactParts{Lost: 90},
			}},
		}, "Ship. The objective held, and the target recovered from the fault in 2s, though 90 acknowledged writes were " +
			"lost, as an objective allows."},
		{"writes lost in a ledger that no objective asks about", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{objective("lost(orders) = 0", 0, pass)},
			Ledgers: []*result.LedgerRecord{{Name: "orders"}, {Name: "events", Lost: 5}},
		}, "Ship. The objective held, yet 5 acknowledged writes of events were lost, which no objective asks about."},
		{"messages that may have been seen", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{held},
			Deliveries: []*result.DeliveryRecord{{Name: "mails", Lost: 3, Unreadable: 3}},
		}, "Ship. The objective held, yet at most 3 messages of mails were never seen, which no objective asks about."},
		{"messages lost in two deliveries", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{objective("lost < 9 of mails", 5, pass)},
			Deliveries: []*result.DeliveryRecord{{Name: "mails", Lost: 5}, {Name: "calls", Lost: 1}},
		}, "Ship. The objective held, though 5 messages of mails were never seen, as an objective allows, yet 1 message of " +
			"calls was never seen, which no objective asks about."},
		{"two sets of registers", result.Result{
			Verdict: pass, Objectives: []result.ObjectiveResult{objective("anomalies(carts) < 9", 0, pass)},
			Consistency: []*result.ConsistencyRecord{{Name: "carts"}, {Name: "stock", Anomalies: 3}},
		}, "Ship. The objective held, yet stock was not linearizable, which no objective asks about."},
		{
			"imported",
			result.Result{Verdict: pass, Imported: "k6", Objectives: []result.ObjectiveResult{held}},
			"Ship, as far as the imported requests go. The objective held.",
		},
		{
			"undecided",
			result.Result{Verdict: scenarios.Inconclusive, Reason: "The objective could not be decided: p99 < 1s."},
			"Not certain. The objective could not be decided: p99 < 1s.",
		},
		{
			"nothing failed but the run",
			result.Result{Verdict: fail, Reason: "The steady state did not hold."},
			"Don't ship. The steady state did not hold.",
		},
		{
			"a script failed, and an objective",
			result.Result{
				Verdict: fail, Reason: "The script ended with 107.", Reasons: []result.Reason{{Kind: result.ScriptFailed}},
				Objectives: []result.ObjectiveResult{objective("p95 < 1s", 1.1, fail)},
			},
			"Don't ship. The script ended with 107.",
		},
		{
			"not whole",
			result.Result{Verdict: scenarios.NotReverted, Reason: "Cut could not be taken back: no such process."},
			"Don't ship, and look at the target first. Cut could not be taken back: no such process.",
		},
		{
			"brunt was late",
			result.Result{Verdict: scenarios.Invalid, Reason: "Brunt itself was late."},
			"Says nothing of the target. Brunt itself was late.",
		},
		{
			"the baseline failed",
			result.Result{
				Verdict: scenarios.Invalid, Reason: "The baseline failed: 9 of 10 requests were bad.",
				Reasons: []result.Reason{{Kind: result.BaselineFailed}},
			},
			"Not judged. The baseline failed: 9 of 10 requests were bad.",
		},
		{
			"it goes on",
			result.Result{Verdict: scenarios.Running, Reason: "So far the objective holds."},
			"So far the objective holds.",
		},
		{"one of three failed, and one is open", result.Result{Verdict: fail, Objectives: []result.ObjectiveResult{
			held, objective("p95 < 1s", 1.1, fail), objective("p99 < 1s", .1, scenarios.Inconclusive),
		}}, "Don't ship. 95% of requests took up to 1.1s, and less than 1s was asked for; 1 of 3 objectives failed, 1 " +
			"could not be decided."},
		{"the worst of two", result.Result{Verdict: fail, Objectives: []result.ObjectiveResult{
			held, objective("p95 < 1s", 1.1, fail),
			objective("errors < 1% in cut", .3, fail),
		}}, "Don't ship. 30% of requests during cut failed, and less than 1% may; 2 of 3 objectives failed."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := answerOf(&tt.r).Line(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
	for _, tt := range []struct {
		text     string
		measured result.Num
		want     string
	}{
		{
			`p95 < 200ms of "read post" in baseline`, .34,
			"95% of requests of “read post” before anything was broken took up to 340ms, and less than 200ms " +
				"was asked for",
		},
		{"ok.p95 < 200ms", .9, "95% of good answers took up to 900ms, and less than 200ms was asked for"},
		{
			"service.p95 < 200ms of list in cut", .9,
			"95% of good answers of list during cut took up to 900ms, and less than 200ms was asked for",
		},
		{"ok.max < 200ms", .9, "the slowest of good answers took 900ms, and less than 200ms was asked for"},
		{
			"p99 < 200ms", endless,
			"fewer than 99% of requests were answered rightly, and 99% within 200ms was asked for",
		},
		{
			"availability >= 99.9% in recovery/cut", .97,
			"only 97% of requests after cut were answered rightly, and at least 99.9% must be",
		},
		{
			"within(200ms) > 99% in cut", .5,
			"only 50% of requests during cut were answered rightly within 200ms, and more than 99% must be",
		},
		{"rate > 100/s of load browse", 80, "80/s were reached of the load browse, and more than 100/s was asked for"},
		{"recover <= 10s after cut", 12, "the target took 12s to recover from cut, and at most 10s was asked for"},
		{
			"failover < 10s after cut", endless,
			"the target did not manage to work again while cut was in (∞), and less than 10s was asked for",
		},
		{
			"recover < 200ms for 50% after cut", endless,
			"`recover < 200ms for 50% after cut` was met in 0 of 3 occurrences",
		},
		{"detect < 10s after cut", 30, "the monitoring took 30s to notice cut, and less than 10s was asked for"},
		{"lost = 0", 12, "of the writes that were acknowledged, 12 are lost, and none may be"},
		{"lost = 0", 1, "of the writes that were acknowledged, 1 is lost, and none may be"},
		{"duplicated = 0 of order", 1, "1 message was seen more than once, and none may be"},
		{"burn(99.9%, 1m) < 1", 3, "`burn(99.9%, 1m) < 1` did not hold: it was 3"},
	} {
		o := objective(tt.text, tt.measured, fail)
		if strings.Contains(tt.text, " for 50%") {
			o.Drills = make([]result.Drill, 3)
			for i := range o.Drills {
				o.Drills[i].Verdict = fail
			}
		}
		if got := missedObjective(&o); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

// TestAnswer_Unblamed: whatever its verdict, a headline tells an outage that no fault is shown to have done, once. A
// run that says nothing of the target tells none, and requests that brunt cut off are no outage of the target.
func TestAnswer_Unblamed(t *testing.T) {
	const outage, fail = "t 14s every request failed for 2s; no fault was in.", scenarios.Fail
	for _, tt := range []struct {
		name   string
		change func(r *result.Result)
		says   bool
	}{
		{"pass", func(*result.Result) {}, true},
		{"control", func(r *result.Result) { r.Control = true }, true},
		{"imported", func(r *result.Result) { r.Imported = "access.log" }, true},
		{"nothing was asked", func(r *result.Result) { r.Verdict, r.Objectives = scenarios.None, nil }, true},
		{"inconclusive", func(r *result.Result) { r.Verdict = scenarios.Inconclusive }, true},
		{"stopped", func(r *result.Result) { r.Verdict = scenarios.Stopped }, true},
		{"interrupted", func(r *result.Result) { r.Verdict = scenarios.Interrupted }, true},
		{"failed by something else", func(r *result.Result) { r.Verdict, r.Objectives[0].Verdict = fail, fail }, true},
		{"invalid", func(r *result.Result) { r.Verdict = scenarios.Invalid }, false},
		{"a fault did it", func(r *result.Result) { r.Incidents[0].By = "hurt" }, false},
		{"brunt cut them off", func(r *result.Result) {
			r.Incidents[0].Kinds = map[string]int64{"unfinished": 200}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &result.Result{
				Verdict: scenarios.Pass, Objectives: []result.ObjectiveResult{judged(t, "errors < 50%", .1, scenarios.Pass)},
				Faults: []result.FaultRecord{{
					Name: "hurt", Kind: "http.error", Injected: 5, Verified: 5, Cleared: 7, Until: 7, Impact: result.NotImpacted,
				}},
				Incidents: []result.Incident{{
					Begin: 14, End: 16, Over: true, Degraded: 2, Requests: 200, Bad: 200, Kinds: map[string]int64{"status 500": 200},
				}},
			}
			tt.change(r)
			line := AnswerOf(r).Line()
			n := strings.Count(line, outage)
			if want := map[bool]int{true: 1}[tt.says]; n != want {
				t.Errorf("the outage is told %d times, want %d: %s", n, want, line)
			}
		})
	}
}

// TestAnswer_CutOff: a run that passed tells the requests that brunt cut off, whose answers are unknown.
func TestAnswer_CutOff(t *testing.T) {
	r := &result.Result{
		Verdict: scenarios.Pass, Objectives: []result.ObjectiveResult{judged(t, "p50 < 1s", .1, scenarios.Pass)},
		Cells: []result.Cell{{
			Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Outcome: "*", Count: 400,
			Cut: &result.CutOff{Count: 80},
		}},
	}
	const want = "Ship. The objective held; brunt cut off 80 of 400 requests at the end, and whether they would have " +
		"been answered is unknown."
	if got := AnswerOf(r).Line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
