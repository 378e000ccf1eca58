package judge_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// lateBy returns requests that brunt sent late by lag.
func lateBy(lag time.Duration, list []scenarios.Outcome) []scenarios.Outcome {
	for i := range list {
		o := &list[i]
		o.Ready, o.Slot, o.Sent = o.Intended+lag, o.Intended+lag, o.Intended+lag
		o.First, o.End = o.First+lag, o.End+lag
	}
	return list
}

// unsent returns requests that brunt never sent.
func unsent(n int) []scenarios.Outcome {
	list := many(n, 300*ms, failure)
	for i := range list {
		o := &list[i]
		o.Cause, o.Status, o.WasSent, o.Answered, o.Ready = scenarios.Unsent, 0, false, false, o.Intended+420*ms
	}
	return list
}

// TestJudge_OwnTime: brunt's own time makes an objective invalid only where it decides it. What it
// can't turn stands, and a failure of the target counts whatever brunt did.
func TestJudge_OwnTime(t *testing.T) {
	good := many(10_000, 5*ms, okay)
	with := func(more ...[]scenarios.Outcome) []scenarios.Outcome {
		return slices.Concat(good, slices.Concat(more...))
	}
	frozen := lateBy(300*ms, many(200, 5*ms, okay))
	for _, c := range []struct {
		name, text string
		list       []scenarios.Outcome
		want       scenarios.Verdict
	}{
		{"lag decides a percentile", "p99 < 100ms", with(frozen), scenarios.Invalid},
		{"lag can't decide a wide one", "p99 < 400ms", with(frozen), scenarios.Pass},
		{"lag can't decide a lower one", "p95 < 100ms", with(frozen), scenarios.Pass},
		{"the target is slow, brunt or not", "p99 < 100ms", with(frozen, many(400, 200*ms, okay)), scenarios.Fail},
		{"lag decides the slowest", "max < 100ms", with(lateBy(300*ms, many(1, 5*ms, okay))), scenarios.Invalid},
		{"lag can't decide a wide slowest", "max < 400ms", with(lateBy(300*ms, many(1, 5*ms, okay))), scenarios.Pass},
		{"lag decides the mean", "mean < 20ms", with(lateBy(10*sec, many(100, 5*ms, okay))), scenarios.Invalid},
		{"lag makes a lower bound hold", "p50 > 100ms", lateBy(300*ms, many(1000, 5*ms, okay)), scenarios.Invalid},
		{"within", "within(100ms) > 99%", with(frozen), scenarios.Invalid},
		{
			"two thirds are 404, and brunt was late", "errors < 5%",
			slices.Concat(lateBy(300*ms, many(333, ms, okay)), lateBy(300*ms, many(667, ms, failure))), scenarios.Fail,
		},
		{"checks, and brunt was late", "availability > 99%", lateBy(300*ms, many(10_000, ms, okay)), scenarios.Pass},
		{"64 were never sent, and more errors are allowed", "errors < 1%", with(unsent(64)), scenarios.Pass},
		{"64 were never sent, and fewer errors are allowed", "errors < 0.5%", with(unsent(64)), scenarios.Invalid},
		{"what was never sent is not a timeout of the target", "timeouts = 0", with(unsent(64)), scenarios.Pass},
		{"what was never sent is not an error of the target", "errors = 0%", with(unsent(64)), scenarios.Invalid},
		{"over 1 % were never sent", "errors < 5%", with(unsent(200)), scenarios.Invalid},
		{
			"over 1 % were never sent, and the target failed", "errors < 5%", with(unsent(200), many(5000, ms, failure)),
			scenarios.Fail,
		},
		{"none was sent", "errors < 5%", unsent(1000), scenarios.Invalid},
		{"what was never sent burns no budget", "burn(99%, 20s) < 1", with(unsent(150)), scenarios.Invalid},
		{"slices", "slices(1s, 99.9%) > 99%", with(unsent(64)), scenarios.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := verdictOn(t, c.text, 20*sec, c.list)
			if r.Verdict != c.want {
				t.Errorf("%s is %s, measured %v (%s); want %s", c.text, r.Verdict, r.Measured, r.Note, c.want)
			}
			if c.want == scenarios.Invalid && !strings.HasPrefix(r.Note, "brunt itself was late") {
				t.Errorf("note %q", r.Note)
			}
		})
	}
}

// TestUnasked_Own: a run without objectives is invalid where brunt caused all errors.
func TestUnasked_Own(t *testing.T) {
	cells := []result.Cell{
		{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "*", Count: 100},
		{Phase: slo.ParsePhase("run"), Load: "*", Step: "*", Outcome: "error", Count: 10},
	}
	for own, want := range map[int64]scenarios.Verdict{10: scenarios.Invalid, 9: scenarios.None} {
		if why, good := requests.Unasked(&result.Result{Cells: cells}, own); why.Verdict != want || good {
			t.Errorf("%d: %+v", own, why)
		}
	}
}
