package words

import (
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
)

// TestAnswer_Overload: where the target fell behind a growing load, the answer names that first, and no other cause of
// the harm that came after it. It is silent where the harm came before, or where brunt was late.
func TestAnswer_Overload(t *testing.T) {
	overloaded := func() *result.Result {
		r := growingRate(onURL(t)) // 100 a second at 18 s, more after that
		r.Incidents[0].Begin = 22
		r.Errors[0].First, r.Errors[0].Sample.At = 22, 22
		r.Slowdowns = []result.Slowdown{{From: 20, To: 21, P50: .4, Usual: .05}}
		r.Objectives = []result.ObjectiveResult{
			judged(t, "errors < 1%", .13, scenarios.Fail), judged(t, "p95 < 300ms", .9, scenarios.Fail),
		}
		return r
	}
	a := answerOf(overloaded())
	const want = "The target fell behind at about 100/s, and 155/s were asked for. "
	if got := a.Sentence.String(); !strings.HasPrefix(got, want) {
		t.Errorf("sentence %q, want %q", got, want)
	}
	if len(a.Why) == 0 || !strings.HasPrefix(a.Why[0].String(), "18s: the target fell behind") {
		t.Errorf("why %q", a.Because())
	}
	rules := func(a *Answer) (names []string) {
		for _, c := range a.Change {
			names = append(names, c.Rule)
		}
		return names
	}
	if got := strings.Join(rules(a), " "); got != "capacity" {
		t.Errorf("advice by %s", got)
	}
	if said := a.Text(); strings.Contains(said, "half of the requests took") {
		t.Errorf("two causes of one harm: %s", said)
	}
	for _, c := range []struct {
		name   string
		change func(*result.Result)
		behind bool     // the sentence says that the target fell behind
		advice []string // rules that speak
	}{
		{"the harm came before", func(r *result.Result) {
			r.Incidents[0].Begin, r.Errors[0].First, r.Slowdowns[0].From = 5, 5, 3
			r.T0 = r.T0.AddDate(2026, 0, 0)
		}, false, []string{"capacity", "slowdown", "first-step"}},
		{"brunt was late", func(r *result.Result) { r.Generator.Healthy = false }, false, []string{"capacity"}},
		{"no growth", func(r *result.Result) { steadyRate(r, func(int) int64 { return 3 }) }, false, []string{"first-step"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := overloaded()
			c.change(r)
			a := answerOf(r)
			if strings.Contains(a.Sentence.String(), "fell behind") != c.behind {
				t.Errorf("sentence %q", a.Sentence.String())
			}
			if got, want := strings.Join(rules(a), " "), strings.Join(c.advice, " "); got != want {
				t.Errorf("advice by %q, want %q", got, want)
			}
		})
	}
}

// TestFaultLine_SurelySlower: a fault that is shown to have made answers slower says so, also where it is not known
// whether there was an outage. One whose slowdown is not shown stays unknown.
func TestFaultLine_SurelySlower(t *testing.T) {
	f := aFault("slow-stock", "network.latency", "orders[0]->stock[0]")
	f.Impact, f.OnsetAt, f.Note = result.UnknownYet, result.NaN, "the load ended after a bad window"
	f.Parts = &result.ImpactParts{
		Requests: 405, Slow: 13, Slowed: true, P50: .113, P50Before: .051, P95: .117, P95Before: .057,
	}
	r := onURL(t)
	r.Incidents = nil
	l := faultLine(r, &f)
	if l.Outcome != "2.2x slower at p50" || l.Mark != "?" ||
		l.Text != "p50 51ms → 113ms; 13 requests were too slow; whether there was an outage is not known" {
		t.Errorf("%s", l.Line())
	}
	const effect = "Answers were slower, and whether there was an outage is not known: "
	if got := FaultEffect(&f); !strings.HasPrefix(got, effect) {
		t.Errorf("%s", got)
	}
	f.Parts.Slowed = false
	if l = faultLine(r, &f); l.Outcome == "2.2x slower at p50" || strings.HasPrefix(FaultEffect(&f), effect) {
		t.Errorf("%s", l.Line())
	}
}

// TestFaultLine_AskedBefore: without a limit on slow answers, a request that was asked in the fault and answered in
// time after it is no sign that the target was good before the fault was over.
func TestFaultLine_AskedBefore(t *testing.T) {
	for _, c := range []struct {
		end  result.Num
		want string
	}{
		{10.1, "400 requests failed; good again as soon as redis was back"},
		{8.5, "400 requests failed; good again 3.5s before redis was back"},
	} {
		r := onNginx(t)
		f := &r.Faults[0]
		f.Slow, r.Incidents[0].End = result.NaN, c.end // the client waits for 3 s, and redis is back at 12 s
		if l := faultLine(r, f); l.Text != c.want {
			t.Errorf("good from %v on: %s", c.end, l.Text)
		}
	}
	r := onNginx(t)
	f := &r.Faults[0]
	f.Slow, r.Incidents[0].End = result.NaN, 11 // the client waits for 3 s, and no good answer took over 50 ms
	r.Cells = []result.Cell{{
		Phase: f.Phase(), Load: "*", Step: "*", Outcome: "ok", Count: 10, Response: result.Times{Max: .05},
	}}
	if l := faultLine(r, f); l.Text != "400 requests failed; good again 1s before redis was back" {
		t.Errorf("with quick answers: %s", l.Text)
	}
}

// TestFaultLines_NotInjected: the row of a fault that was not injected says why, unless the sentence of the run does.
func TestFaultLines_NotInjected(t *testing.T) {
	const why = "redis[0] (pid 3025) is stopped already, and not by this run"
	for _, c := range []struct {
		name    string
		reasons []result.Reason
		want    string
	}{
		{"an objective failed", []result.Reason{
			{Kind: result.NotHeld, Objective: 1}, {Kind: result.InjectionFailed, Fault: "kill-cache"},
		}, why},
		{"that is the reason", []result.Reason{{Kind: result.InjectionFailed, Fault: "kill-cache"}}, ""},
		{"another one is the reason", []result.Reason{{Kind: result.InjectionFailed, Fault: "kill-web"}}, why},
		{"the baseline failed", []result.Reason{{Kind: result.BaselineFailed}}, ""},
	} {
		r := onNginx(t)
		f := &r.Faults[0]
		f.Injected, f.Impact, f.Note, r.Incidents, r.Reasons = result.NaN, result.NotInjected, why, nil, c.reasons
		if title, list := faultLines(r); title != "Faults: none was injected" || list[0].Text != c.want {
			t.Errorf("%s: %s: %q, want %q", c.name, title, list[0].Text, c.want)
		}
	}
}

// TestBadKinds says of each count what was bad.
func TestBadKinds(t *testing.T) {
	for _, c := range []struct {
		errors, slow int64
		want         string
	}{
		{1, 0, "1 request failed"},
		{0, 1, "1 request was too slow"},
		{0, 2, "2 requests were too slow"},
		{1, 1, "2 requests failed or were too slow"},
	} {
		if got := badKinds(&result.ImpactParts{Errors: c.errors, Slow: c.slow}); got != c.want {
			t.Errorf("%d errors, %d slow: %s", c.errors, c.slow, got)
		}
	}
}

// TestAnswer_MoreFaults: of an outage in which another fault was injected, the answer says so, and not what came after
// the first one was over.
func TestAnswer_MoreFaults(t *testing.T) {
	for _, tt := range []struct {
		name     string
		injected result.Num
		more     bool
	}{
		{"in the outage", 13, true},
		{"before it", 9, false},
		{"after it", 15, false},
		{"not at all", result.NaN, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := onNginx(t)
			next := aFault("slow-cache", "network.latency", "redis[0]")
			next.Injected, next.Cleared = tt.injected, tt.injected+1
			r.Faults = append(r.Faults, next)
			text := answerOf(r).Text()
			if strings.Contains(text, "for 4s, in which 1 more fault was injected.") != tt.more ||
				strings.Contains(text, "2s of the 4s came after redis was back") == tt.more {
				t.Error(text)
			}
		})
	}
}
