package words_test

import (
	"math"
	"strings"
	"testing"

	"brunt/reporters/reporterstest"
	"brunt/reporters/words"
	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
	"brunt/scenarios/syntax"
)

func TestWords(t *testing.T) {
	tests := []struct{ name, got, want string }{
		{"whole percent", words.Percent(.5), "50%"},
		{"three figures", words.Percent(.123456), "12.3%"},
		{"small", words.Percent(.00012345), "0.0123%"},
		{"never 100% when it is not", words.Percent(.99999), "99.999%"},
		{"nor nearly", words.Percent(.9987654), "99.877%"},
		{"all", words.Percent(1), "100%"},
		{"more than all", words.Percent(1.95032595), "195%"},
		{"much more", words.Percent(24.61234), "2461%"},
		{"a little more", words.Percent(1.00123), "100.12%"},
		{"none", words.Percent(0), "0%"},
		{"clock", words.Clock(3725), "1:02:05"},
		{"offset", words.Offset(75.0004), "1m15s"},
		{"offset to the millisecond", words.Offset(20.0021), "20.002s"},
		{"offset unknown", words.Offset(reporterstest.Nan), "–"},
		{"count", words.Count(1234567), "1\u00a0234\u00a0567"},
		{"small count", words.Count(9999), "9999"},
		{"number", words.Number(0.0123456), "0.0123"},
		{"large number", words.Number(1234.5), "1235"},
		{"bytes", words.Bytes(88213), "86.1 KiB"},
		{"join", words.Join([]string{"a", "b", "c"}), "a, b and c"},
		{"either", words.Either([]string{"a", "b", "c"}), "a, b or c"},
		{"sentence", syntax.Sentence("é x"), "É x."},
		{"clean", words.Clean("a\tb\nc\x1b[1m\u202e\xff"), "a b c\\x1b[1m\\u202e\ufffd"},
		{"lines stay", words.CleanLines("a\r\nb\x00"), "a\nb\\x00"},
		{
			"command", words.Command([]string{"brunt", "run", "a b.yaml", "--set", "x=it's", ""}),
			`brunt run 'a b.yaml' --set 'x=it'\''s' ''`,
		},
		{"verdict", words.Verdict(scenarios.NotReverted), "not reverted"},
		{
			"trace",
			words.TraceOfAnswer(map[string]string{"Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}),
			"4bf92f3577b34da6a3ce929d0e0e4736",
		},
		{"no trace", words.TraceOfAnswer(map[string]string{"traceparent": "nonsense"}), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}

func TestMarks_StandBesideEveryVerdict(t *testing.T) {
	for _, row := range scenarios.ExitTable() {
		v := scenarios.Verdict(row[1])
		if v == "-" {
			continue
		}
		want := map[scenarios.Verdict]string{
			scenarios.Pass: "good", scenarios.Fail: "bad", scenarios.NotReverted: "bad", scenarios.Regression: "bad",
			scenarios.Broken: "bad",
		}[v]
		if want == "" {
			want = "unsure"
		}
		meaning := words.Meaning(&result.Result{Verdict: v})
		if words.Tone(v) != want || meaning != row[2] || len(words.Verdict(v)) > words.WidestVerdict {
			t.Errorf("%s: %s, %q", v, words.Tone(v), meaning)
		}
	}
}

func TestEffect(t *testing.T) {
	tests := []struct {
		name string
		f    result.FaultRecord
		want string
	}{
		{
			"recovered",
			result.FaultRecord{
				Impact: result.Impacted, Onset: 0, Failover: reporterstest.Nan, Recover: 4, Heal: 2.6, Failed: 37,
				Degraded: 4,
			},
			"Impact at once, good again 4s after the injection and 2.6s after it was over; 37 requests failed in 4s of " +
				"degraded service.",
		},
		{
			"failed over",
			result.FaultRecord{
				Impact: result.Impacted, Onset: .5, Failover: 3, Recover: 3, Heal: 0, Failed: 1,
				Degraded: reporterstest.Nan,
			},
			"Impact 500ms after the injection, good again after 3s with the fault still in; " +
				"1 request failed.",
		},
		{
			"without impact",
			result.FaultRecord{Impact: result.NotImpacted, Limit: .01},
			"None seen: bad requests stayed within the limit of 1%.",
		},
		{"none seen", result.FaultRecord{
			Impact: result.NotImpacted, Limit: .01,
			Parts: &result.ImpactParts{Requests: 800, P50: .001, P95: .002, P50Before: .001, P95Before: .002},
		}, "None seen: no request failed. Good answers, from the baseline to the fault: p50 1ms → 1ms, p95 2ms → 2ms."},
		{"slower", result.FaultRecord{
			Impact: result.Impacted, OnsetAt: reporterstest.Nan, Limit: .01,
			Parts: &result.ImpactParts{Requests: 800, P50: .061, P95: .08, P50Before: .001, P95Before: .002, Slowed: true},
		}, "Impact: no request failed, and the load was slower. Good answers, from the baseline to the fault: p50 1ms → " +
			"61ms (61x), p95 2ms → 80ms (40x)."},
		{"slower, not certain", result.FaultRecord{
			Impact: result.UnknownYet, OnsetAt: reporterstest.Nan, Limit: .01,
			Parts: &result.ImpactParts{
				Requests: 800, P50: .511, P95: .53, P50Before: .001, P95Before: .002,
				SlowerBecause: result.Notes{{Kind: result.SlowerOwn}},
			},
		}, "No request failed, and the load may have been slower: brunt itself was later than before the fault, which " +
			"may explain all of it. Good answers, from the baseline to the fault: p50 1ms → 511ms (511x), p95 2ms → 530ms (265x)."},
		{"slower, and nothing shows that it did it", result.FaultRecord{
			Impact: result.UnknownYet, OnsetAt: reporterstest.Nan, Limit: .01,
			Parts: &result.ImpactParts{
				Requests: 800, P50: .511, P95: .53, P50Before: .001, P95Before: .002,
				SlowerBecause: result.Notes{{Kind: result.SlowerDuring}},
			},
		}, "No request failed, and the load was slower meanwhile: answers were slower at some time of the fault, not soon " +
			"after its begin nor up to its end, and nothing shows that it made them so. Good answers, from the baseline to " +
			"the fault: p50 1ms → 511ms (511x), p95 2ms → 530ms (265x)."},
		{"as fast, with a short baseline", result.FaultRecord{
			Impact: result.NotImpacted, Limit: .01,
			Parts: &result.ImpactParts{Requests: 800, P50: .001, P95: .002, P50Before: .001, P95Before: .002, Untested: true},
		}, "None seen: no request failed. Good answers, from the baseline to the fault: p50 1ms → 1ms, p95 2ms → 2ms."},
		{"a failed objective", result.FaultRecord{
			Impact: result.NotImpacted, Limit: .01, FailedObjectives: []string{"p95 < 1ms in f"},
			Parts: &result.ImpactParts{Requests: 800, P50: .001, P95: .002, P50Before: .001, P95Before: .002},
		}, "No request failed, and 1 objective on it failed: p95 < 1ms in f. Good answers, from the baseline to the " +
			"fault: p50 1ms → 1ms, p95 2ms → 2ms."},
		{"late writes", result.FaultRecord{
			Impact: result.NotImpacted, Limit: .01, Parts: &result.ImpactParts{Requests: 800, Late: 12, P50: reporterstest.Nan},
		}, "None seen: no request failed. 12 acknowledged writes were late."},
		{
			"shed, as an objective allows",
			result.FaultRecord{
				Impact: result.NotImpacted, Limit: .01,
				Parts: &result.ImpactParts{Requests: 302, Shed: 302, P50: reporterstest.Nan},
			},
			"No request failed, and 100% were shed (0% before) while it was in.",
		},
		{"within the limit", result.FaultRecord{
			Impact: result.NotImpacted, Limit: .01, Slow: .5,
			Parts: &result.ImpactParts{Requests: 80_000, Errors: 300, Slow: 6, First: 10.2, Last: 10.5, P50: reporterstest.Nan},
		}, "Within the limit of 1%: 306 requests failed or took over 500ms, 0.383%, from 10.2s to 10.5s."},
		{"writes lost", result.FaultRecord{
			Impact: result.Impacted, Onset: reporterstest.Nan, OnsetAt: reporterstest.Nan, Failover: reporterstest.Nan,
			Recover: 0,
			Heal:    0, Degraded: 0, Slow: reporterstest.Nan,
			Parts: &result.ImpactParts{Requests: 800, Shed: 2, Lost: 90, P50: reporterstest.Nan},
		}, "Impact; no request failed; 2 requests were shed while it was in; 90 acknowledged writes were lost."},
		{"not recovered", result.FaultRecord{
			Impact: result.NotRecovered, Onset: 1, Failover: reporterstest.Nan, Recover: reporterstest.Nan,
			Heal: reporterstest.Nan, Failed: 5, Degraded: 9,
		}, "Impact 1s after the injection; 5 requests failed in 9s of degraded service; not recovered by " +
			"the end of the run."},
		{
			"confounded",
			result.FaultRecord{Impact: result.Confounded, Note: "split was in as well"},
			"Its effect can't be separated: split was in as well.",
		},
		{"not injected", result.FaultRecord{Impact: result.NotInjected}, "It was not injected."},
		{"unknown", result.FaultRecord{Impact: result.UnknownYet}, "There is too little data to tell what it did."},
		{"unknown whether it recovered", result.FaultRecord{
			Impact: result.UnknownYet, Onset: 1, OnsetAt: 21, Failover: 6, Recover: reporterstest.Nan,
			Heal: reporterstest.Nan, Failed: 5, Degraded: 5, Note: "the load ended before a hold long enough to prove recovery",
		}, "Impact 1s after the injection, good again after 6s with the fault still in; 5 requests failed in 5s of " +
			"degraded service; whether the load recovered is not known: the load ended before a hold long enough to prove " +
			"recovery."},
		{"rejoining", rejoining(6, 2), "Impact at once, recovered in 6s; rejoining cost 2s, for good 17s after the " +
			"injection and 2s after it was over; 800 requests failed in 8s of degraded service."},
		{"harm of the revert alone", rejoining(0, 2), "Impact 15s after the injection, good while it was in; rejoining cost 2s, for good " +
			"17s after the injection and 2s after it was over; 800 requests failed in 8s of degraded service."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := words.FaultEffect(&tt.f); got != tt.want {
				t.Errorf("got %s", got)
			}
		})
	}
}

// rejoining is a fault of 15 s from 20 s on from which the target recovered after so many seconds, and whose revert did
// harm for some more.
func rejoining(back, cost result.Num) result.FaultRecord {
	onset := result.Num(0)
	if back == 0 {
		onset = 15
	}
	return result.FaultRecord{
		Name: "freeze", Impact: result.Impacted, Injected: 20, Cleared: 35, Onset: onset, OnsetAt: 20 + onset,
		Failover: reporterstest.Nan,
		Recover:  17, Heal: 2, RecoveredAt: 37, Failed: 800, Degraded: 8, Back: back, RejoinAt: 35, Rejoin: cost,
	}
}

// TestRejoined: the outcome of a fault and the answer of a run say both times, and only where the revert did harm.
func TestRejoined(t *testing.T) {
	never, none := rejoining(6, 2), rejoining(6, 2)
	never.Impact, never.Rejoin = result.NotRecovered, reporterstest.Nan
	none.RejoinAt, none.Rejoin, none.Back = reporterstest.Nan, reporterstest.Nan, reporterstest.Nan
	old := rejoining(0, 0) // a result of an earlier version has none of the keys
	old.RejoinAt = 0
	early := rejoining(0, 2) // slow calls to a unit that ended by itself shortly before
	early.Kind, early.RejoinAt, early.Recover, early.Cleared = "network.latency", 34.8, 17, 35
	early.Nature = scenarios.Nature{Verb: "slow"}
	for _, c := range []struct {
		name            string
		f               result.FaultRecord
		outcome, answer string
	}{
		{
			"both", rejoining(6, 2), "recovered in 6s; rejoining cost 2s",
			"and the target recovered from the fault in 6s; rejoining cost 2s.",
		},
		{
			"the revert alone", rejoining(0, 2), "good while it was in; rejoining cost 2s",
			"and the target recovered from the fault in 2s; rejoining cost 2s.",
		},
		{
			"never good again", never, "recovered in 6s; not recovered from rejoining",
			"yet the target did not recover from freeze, which no objective asks it to.",
		},
		{"before the end of slow calls", early, "recovered", "and the target recovered from the fault in 17s."},
		{"none", none, "recovered", "and the target recovered from the fault in 17s."},
		{"an earlier version", old, "recovered", "and the target recovered from the fault in 17s."},
	} {
		r := &result.Result{
			Verdict: scenarios.Pass, Faults: []result.FaultRecord{c.f}, Objectives: []result.ObjectiveResult{{}},
		}
		if got := words.FaultOutcome(&c.f); got != c.outcome {
			t.Errorf("%s: the outcome is %q, want %q", c.name, got, c.outcome)
		}
		if got := words.AnswerOf(r).Line(); !strings.HasSuffix(got, c.answer) {
			t.Errorf("%s: the answer is %q, want %q", c.name, got, c.answer)
		}
	}
}

func TestUsed(t *testing.T) {
	inf := result.Num(math.Inf(1))
	tests := []struct {
		name string
		o    result.ObjectiveResult
		want float64 // NaN: no meaning
	}{
		{"half of a limit", result.ObjectiveResult{Metric: "p95", Op: "<", Target: .2, Measured: .1}, .5},
		{"share that must be high", result.ObjectiveResult{Metric: "availability", Op: ">", Target: .99, Measured: .97}, 3},
		{"rate that must be high", result.ObjectiveResult{Metric: "rate", Op: ">=", Target: 100, Measured: 200}, .5},
		{"infinite", result.ObjectiveResult{Metric: "p99", Op: "<", Target: .2, Measured: inf, Infinite: true}, math.Inf(1)},
		{"unknown", result.ObjectiveResult{Metric: "p99", Op: "<", Target: .2, Measured: reporterstest.Nan}, math.NaN()},
		{"nothing allowed", result.ObjectiveResult{Metric: "errors", Op: "<=", Target: 0, Measured: .1}, math.NaN()},
		{"equal", result.ObjectiveResult{Metric: "timeouts", Op: "=", Target: 0, Measured: 1}, math.NaN()},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, ok := words.LimitUsed(&tt.o, tt.o.Measured)
			if ok != !math.IsNaN(tt.want) || ok && math.Abs(got-tt.want) > 1e-9 && got != tt.want {
				t.Errorf("got %v %v, want %v", got, ok, tt.want)
			}
		})
	}
}

func TestObjectiveBounds(t *testing.T) {
	bound := func(n result.Num) *result.Num { return &n }
	for _, tt := range []struct {
		o    result.ObjectiveResult
		want string
	}{
		{
			result.ObjectiveResult{Metric: "errors", Measured: 2. / 60, Bound: bound(.1012), Low: result.NaN, High: result.NaN},
			"at most 10.1% (95% sure)",
		},
		{
			result.ObjectiveResult{Metric: "errors", Measured: 0, Bound: bound(.000161), Low: 0, High: .000199},
			"at most 0.0161% (95% sure); a repeat may give 0% to 0.0199%",
		},
		{
			result.ObjectiveResult{Metric: "availability", Measured: 1, Bound: bound(.99006), Low: result.NaN, High: result.NaN},
			"at least 99.006% (95% sure)",
		},
		{result.ObjectiveResult{Metric: "errors", Measured: 0, Low: result.NaN, High: result.NaN}, ""},
		{result.ObjectiveResult{Metric: "p95", Measured: .1, Low: .09, High: .12}, "a repeat may give 90ms to 120ms"},
		{
			result.ObjectiveResult{Metric: "p95", Infinite: true, Measured: result.NaN, Low: .09, High: result.NaN},
			"a repeat may give 90ms to ∞",
		},
		{result.ObjectiveResult{Metric: "recover", Measured: 1.2, Low: 1.19, High: 1.22}, "between 1.19s and 1.22s"},
		{result.ObjectiveResult{Metric: "recover", Measured: 1.2, Low: result.NaN, High: result.NaN}, ""},
	} {
		if got := words.ObjectiveBounds(&tt.o); got != tt.want {
			t.Errorf("%s of %v: %q, want %q", tt.o.Metric, tt.o.Measured, got, tt.want)
		}
	}
}

// The errors listed add up to those of the table of phases, as skipped steps are named.
func TestErrorSum(t *testing.T) {
	cell := func(load, step, outcome string, n int64) result.Cell {
		return result.Cell{Phase: slo.ParsePhase("run"), Load: load, Step: step, Outcome: outcome, Count: n}
	}
	r := &result.Result{
		Cells: []result.Cell{
			cell("*", "*", "*", 1000), cell("*", "*", "error", 180), cell("*", "*", "skipped", 180), cell("*", "*", "ok", 640),
			cell("browse", "read", "skipped", 170), cell("browse", "write", "skipped", 10), cell("browse", "order", "skipped", 190),
		},
		Deliveries: []*result.DeliveryRecord{{Name: "order"}},
		Errors: []result.ErrorGroup{
			{Kind: "timeout", Load: "browse", Step: "list", Count: 180, First: 1, Last: 2},
			// of the same requests
			{Kind: "timeout", Load: "browse", Step: "list first byte", Count: 180, First: 1, Last: 2, Part: true},
		},
	}
	if got := words.ErrorSum(r); got != "360 of 1000 requests failed, 36%: 180 were made and failed, 180 were skipped, "+
		"as a step before them failed." {
		t.Error(got)
	}
	sum := int64(0)
	for _, e := range words.ErrorKinds(r) {
		sum += e.Count
	}
	if list := words.ErrorKinds(r); sum != 360 || len(list) != 2 || list[1].Kind != words.SkippedKind {
		t.Errorf("%d in %+v", sum, list)
	}
	if got := words.ErrorSum(&result.Result{}); got != "" {
		t.Error(got)
	}
}
