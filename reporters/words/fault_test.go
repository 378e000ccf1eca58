package words

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// A share of failures beyond the limit is never said to be within it.
func TestTooFew(t *testing.T) {
	for _, tt := range []struct {
		errors, requests int64
		before           result.Num
		few              bool
		verdict          scenarios.Verdict
		outcome, effect  string
	}{
		{
			5, 10, 0, true, scenarios.Inconclusive, "too few requests",
			"Too few requests to tell: 5 requests failed of 10, beyond the limit of 1%",
		},
		{5, 1000, 0, true, scenarios.Inconclusive, "too few requests", "Too few requests to tell: 5 requests failed of 1000"},
		{5, 1000, 0, false, scenarios.Pass, "within limit", "Within the limit of 1%: 5 requests failed, 0.5%"},
		{30, 1000, .025, false, scenarios.Pass, "within limit", "Within the limit of 1%: 30 requests failed, 3%"},
		{0, 10, 0, false, scenarios.Pass, "none seen", "None seen: no request failed"},
	} {
		f := &result.FaultRecord{
			Impact: result.NotImpacted, Limit: .01, Slow: result.NaN,
			Parts: &result.ImpactParts{
				Requests: tt.requests, Errors: tt.errors, ErrorsBefore: tt.before, First: result.NaN,
				P50: result.NaN, P50Before: result.NaN, FewBad: tt.few,
			},
		}
		if v, o, e := faultVerdict(f), FaultOutcome(f),
			FaultEffect(f); v != tt.verdict || o != tt.outcome || !strings.HasPrefix(e, tt.effect) {
			t.Errorf("%d of %d: %s, %s, %s", tt.errors, tt.requests, v, o, e)
		}
	}
}

// TestFault_Partial: partial answers that may be chance are no effect that was not seen.
func TestFault_Partial(t *testing.T) {
	for _, c := range []struct {
		parts                 result.ImpactParts
		mark, outcome, effect string
	}{
		{result.ImpactParts{}, "✓", "none seen", "None seen: no request failed."},
		{
			result.ImpactParts{Partial: 100, Lacking: true},
			"!", "partial answers",
			"No request failed. 100 good answers lacked some of what their steps want, 0% of those before.",
		},
		{
			result.ImpactParts{Partial: 2, LackingUntold: true},
			"!", "partial answers, not certain",
			"No request failed. 2 good answers lacked some of what their steps want, 0% of those before, which may be chance.",
		},
	} {
		c.parts.Requests, c.parts.P50, c.parts.P50Before = 300, result.NaN, result.NaN
		f := &result.FaultRecord{Impact: result.NotImpacted, Limit: .01, Slow: result.NaN, Parts: &c.parts}
		mark, _ := FaultMark(f)
		if o, e := FaultOutcome(f), FaultEffect(f); mark != c.mark || o != c.outcome || e != c.effect {
			t.Errorf("%s %s: %s\nwant %s %s: %s", mark, o, e, c.mark, c.outcome, c.effect)
		}
		if l := faultLine(&result.Result{}, f); (l.Outcome == "survived") != (c.mark == "✓") {
			t.Errorf("%s: the line says %s", c.outcome, l.Outcome)
		}
	}
}

func TestFaultSpan(t *testing.T) {
	for _, tt := range []struct {
		cleared, until result.Num
		want           string
	}{
		{11.04, 15.01, "in from 10.01s to 11.04s, judged until 15.01s"},
		{15.01, 15.01, "in from 10.01s to 15.01s"},
		{15.01, 0, "in from 10.01s to 15.01s"}, // of an older version
		{result.NaN, result.NaN, "in from 10.01s to –"},
	} {
		if got := FaultSpan(&result.FaultRecord{Injected: 10.01, Cleared: tt.cleared, Until: tt.until}); got != tt.want {
			t.Errorf("%s, want %s", got, tt.want)
		}
	}
}

// Writes that were lost to a fault are shown whatever else is known of it.
func TestFault_LostWrites(t *testing.T) {
	for _, impact := range []result.Impact{result.UnknownYet, result.Confounded, result.NotImpacted, result.Impacted} {
		f := &result.FaultRecord{
			Impact: impact, Note: "x", Limit: .01, OnsetAt: result.NaN, Onset: result.NaN, Failover: result.NaN,
			Recover: result.NaN, Slow: result.NaN,
			Degraded: result.NaN, Parts: &result.ImpactParts{Requests: 800, Lost: 12, P50: result.NaN, P50Before: result.NaN},
		}
		_, tone := FaultMark(f)
		if o, e := FaultOutcome(f), FaultEffect(f); o != "writes lost" || tone != "bad" ||
			strings.Count(e, "12 acknowledged writes were lost") != 1 {
			t.Errorf("%s: %s, %s, %s", impact, o, tone, e)
		}
	}
}

// TestUnitEvent: every event about what a unit did has words, in the report of a fault as in the list of a run.
func TestUnitEvent(t *testing.T) {
	for kind := range result.EventKinds() {
		family, _, _ := strings.Cut(kind, ".")
		families := []string{"unit", "container", "watch", "pod", "probe", "hpa", "workload", "node", "cluster"}
		want := slices.Contains(families, family) && kind != "unit.waiting" // the run waits
		if what, known := UnitEvent(kind, ""); known != want || known == (what == "") {
			t.Errorf("%s: %q, known %t, want %t", kind, what, known, want)
		}
	}
	for _, tt := range [][3]string{
		{"container.die", "exit 137", "ended (exit 137)"},
		{"container.health", "unhealthy", "is unhealthy"},
		{"container.gone", "", "was removed"},
	} {
		if got, _ := UnitEvent(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%s: %q, want %q", tt[0], got, tt[2])
		}
	}
	clock := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	f := &result.FaultRecord{Events: []result.Event{
		{T: 3, Event: "container.restart", Unit: "web[0]"},
		{T: 4, Event: "pod.killed", Unit: "web[1]", Text: "exit code 1; at rest", Cluster: clock},
	}}
	if _, got := FaultEvents(f); got != "web[0] was restarted by order at 3s, web[1] ended (exit code 1; at rest) at 4s" {
		t.Error(got)
	}
	if got := f.Events[1].Says(); got != "exit code 1; at rest; at 03:04:05 by the cluster's clock" {
		t.Error(got)
	}
}

// TestTraffic: every unit of a fault's traffic has a singular, and bytes are written with a prefix.
func TestTraffic(t *testing.T) {
	for _, c := range []struct {
		n    int64
		unit string
		want string
	}{
		{0, "requests", "0 requests"},
		{1, "requests", "1 request"},
		{1, "statements", "1 statement"},
		{1474, "requests", "1474 requests"},
		{1, "bytes", "1 B"},
		{14 << 10, "bytes", "14 KiB"},
	} {
		if got := Traffic(c.n, c.unit); got != c.want {
			t.Errorf("%d %s: %q, want %q", c.n, c.unit, got, c.want)
		}
	}
}

// A fault whose effect on its unit was shown in part gets no plain tick, and says what was not shown.
func TestFaultMark_NotShown(t *testing.T) {
	cut := result.Notes{{Kind: result.FaultCut, Of: "full", For: 5, Within: 30, Text: "web[0]", Faults: []string{"g"}}}
	for _, c := range []struct {
		not, mark, said string
		because         result.Notes
	}{
		{"", "✓", "seen", nil},
		{"that it waits", "!", "seen; not shown: that it waits", nil},
		{"", "!", "seen", cut},
	} {
		f := &result.FaultRecord{
			Impact: result.Impacted, Injected: 1, Cleared: 2, OnsetAt: 1, Recover: 1, Revert: "ok", Evidence: "seen",
			NotShown: c.not, Because: c.because,
		}
		if mark, _ := FaultMark(f); mark != c.mark {
			t.Errorf("%q not shown: mark %s, want %s", c.not, mark, c.mark)
		}
		if said := FaultEvidence(f); said != c.said {
			t.Errorf("it says %q, want %q", said, c.said)
		}
	}
}

// A fault that did no harm, and whose effect on its unit was shown in part, is not said to be survived.
func TestFaultLine_NotShown(t *testing.T) {
	long := "that cache[0] stands still: pid 8224 (cache-main) goes on; `processes: tree` stops all of its processes, and " +
		"`main` says that one is meant"
	slower := &result.ImpactParts{
		Requests: 1000, P50: .4, P50Before: .1, P95: .6, P95Before: .2,
		SlowerBecause: result.Notes{{Kind: result.SlowerVaried}},
	}
	for _, c := range []struct {
		not, outcome, text string
		parts              *result.ImpactParts
		because            result.Notes
	}{
		{"", "survived", "no request failed, and answers were not clearly slower", &result.ImpactParts{Requests: 1000}, nil},
		{
			long, "none seen", "no request failed, and answers were not clearly slower; not shown: " + long,
			&result.ImpactParts{Requests: 1000}, nil,
		},
		{
			"that it waits", "slower, not certain",
			"p50 100ms → 400ms (4x), p95 200ms → 600ms (3x); no request failed; not shown: that it waits", slower, nil,
		},
		{
			"", "none seen",
			"no request failed, and answers were not clearly slower; full was on web[0] for 5s of 30s: g ended it there",
			&result.ImpactParts{Requests: 1000},
			result.Notes{{Kind: result.FaultCut, Of: "full", For: 5, Within: 30, Text: "web[0]", Faults: []string{"g"}}},
		},
	} {
		f := &result.FaultRecord{
			Name: "full", Impact: result.NotImpacted, Injected: 1, Cleared: 2, Revert: "ok", OnsetAt: result.NaN,
			NotShown: c.not, Parts: c.parts, Because: c.because,
		}
		f.Say()
		if l := faultLine(&result.Result{}, f); l.Outcome != c.outcome || l.Text != c.text {
			t.Errorf("%q not shown: %s: %s, want %s: %s", c.not, l.Outcome, l.Text, c.outcome, c.text)
		}
	}
}

// frozenLong returns a fault of 3 s of which the last requests waited to its end and were answered in time.
func frozenLong(slow result.Num) *result.Result {
	f := aFault("freeze", "process.freeze", "api[0]")
	f.Cleared, f.Until, f.Slow, f.Failed, f.Recover, f.Failover, f.Onset = 13, 13, slow, 42, 1.06, result.NaN, .01
	f.Parts = &result.ImpactParts{Requests: 120, Errors: 42, P50: 1, P50Before: .0004, P95: 1.9, P95Before: .06}
	in := outageBy("freeze")
	in.End, in.EndLow, in.Bad, in.Requests = 11.05, 11.05, 42, 42
	return &result.Result{
		Verdict: scenarios.Pass, Duration: 30, Faults: []result.FaultRecord{f}, Incidents: []result.Incident{in},
		Generator:  result.Generator{Healthy: true},
		Loads:      []result.LoadInfo{{Name: "read", Timeout: 2}},
		Objectives: []result.ObjectiveResult{{Text: "errors < 10%", Verdict: scenarios.Pass}},
		Cells: []result.Cell{
			{Phase: f.Phase(), Load: "*", Step: "*", Outcome: "*", Count: 120},
			{Phase: f.Phase(), Load: "*", Step: "*", Outcome: "ok", Count: 78, Response: result.Times{Max: 1.98}},
		},
	}
}

// TestFaultLine_Waited: where requests waited for a frozen server and no answer is judged slow, its outage is at least
// as long as its requests failed, and it was not good again then.
func TestFaultLine_Waited(t *testing.T) {
	r := frozenLong(result.NaN)
	l := faultLine(r, &r.Faults[0])
	want := "42 requests failed; good answers waited, p95 60ms → 1.9s (31.7x), up to 1.98s: none is judged slow"
	if l.Outcome != "outage of at least 1.05s" || l.Text != want {
		t.Errorf("%s: %s\nwant %s", l.Outcome, l.Text, want)
	}
	for _, text := range []string{FaultTimes(&r.Faults[0]), FaultEffect(&r.Faults[0])} {
		if strings.Contains(text, "good again") || !strings.Contains(text, "no failed request") {
			t.Error(text)
		}
	}
	if said := answerOf(r).Sentence.String(); !strings.HasSuffix(said, "recovered from the fault in at least 1.06s.") {
		t.Error(said)
	}
	f := &r.Faults[0]
	f.Heal = .4
	in := &result.Incident{By: f.Name, Begin: 1, End: 2, Over: true}
	for _, said := range []string{Recover(f), Heal(f), IncidentLasted(r, in)} {
		if !strings.HasPrefix(said, "at least ") {
			t.Error(said)
		}
	}
	r = frozenLong(.5)
	if said := Recover(&r.Faults[0]) + IncidentLasted(r, in); strings.Contains(said, "least") {
		t.Error(said)
	}
	if l := faultLine(r, &r.Faults[0]); l.Outcome != "outage of 1.05s" || !strings.Contains(l.Text, "good again") {
		t.Errorf("with a limit: %s: %s", l.Outcome, l.Text)
	}
}

// TestFaultLine_Cut: the first good request waited for the end of a cut link, up to its limit and the distance of two
// requests.
func TestFaultLine_Cut(t *testing.T) {
	r := frozenLong(.0609)
	f := &r.Faults[0]
	f.Kind, f.Units, f.Links = "network.partition", nil, []string{"proxy[0]->origin[0]"}
	f.Resolution, r.Incidents[0].End = .015, 13-.0682
	if l := faultLine(r, f); l.Text != "42 requests failed; good again as soon as it was over" {
		t.Error(l.Text)
	}
	r.Incidents[0].End = 12.9
	if l := faultLine(r, f); l.Text != "42 requests failed; good again 100ms before it was over" {
		t.Error(l.Text)
	}
}

// TestFaultLine_GroupLeftDown: of a group only the units are said to be away that nothing starts again.
func TestFaultLine_GroupLeftDown(t *testing.T) {
	r := onNginx(t)
	f := &r.Faults[0]
	f.Kind, f.Units, f.StaysDown = result.GroupKind, []string{"redis[0]", "nginx[0]"}, true
	f.Steps = []result.FaultStep{
		{Kind: "network.latency", Units: []string{"redis[0]"}},
		{Kind: "process.crash", Units: []string{"nginx[0]"}, StaysDown: true},
	}
	if l := faultLine(r, f); l.Text != "400 requests failed; good again 4s after the injection, without nginx[0]" {
		t.Error(l.Text)
	}
	if got := whyOf(r)[0]; got != "10s: kill-cache was in; nothing starts nginx[0] again." {
		t.Error(got)
	}
}

// TestFault_Overtaken: where another fault came before recovery could show, no form of a report says when the load was
// good again.
func TestFault_Overtaken(t *testing.T) {
	r := frozenLong(.5)
	f := &r.Faults[0]
	f.Impact, f.Recover, f.RecoveredAt, f.Cleared = result.Confounded, result.NaN, result.NaN, 10.5
	f.Because = result.Notes{{Kind: result.OtherNext, Of: "kill-api", For: 6}}
	f.Note = "kill-api was injected before recovery could show: 6s more was needed"
	if l := faultLine(r, f); l.Outcome != "outage of 1.05s" || l.Text != "42 requests failed; "+f.Note {
		t.Errorf("%s: %s", l.Outcome, l.Text)
	}
	want := "Impact 10ms after the injection; 42 requests failed or took over 500ms; whether the load recovered is not " +
		"known: " + f.Note + ". Good answers, from the baseline to the fault: p50 400µs → 1s (2500x), p95 60ms → 1.9s (31.7x)."
	if got := FaultEffect(f); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestFaultOutcome_LostWrites: a fault with the mark of lost writes is not merely recovered.
func TestFaultOutcome_LostWrites(t *testing.T) {
	f := aFault("freeze-api", "process.freeze", "api[0]")
	f.Parts.Lost = 72
	if mark, _ := FaultMark(&f); mark != "✗" || FaultOutcome(&f) != "recovered, writes lost" {
		t.Errorf("%s %s", mark, FaultOutcome(&f))
	}
}

// Answers that were slower during two faults at once are given to neither.
func TestWhy_SlowerDuringTwo(t *testing.T) {
	for _, c := range []struct {
		impact result.Impact
		in     string // the phase of the objective that failed
		why    result.NoteKind
		want   string
	}{
		{result.Impacted, "slow", "", "slow made answers 30x slower at p50: p50 2ms → 60ms; no request failed."},
		{
			result.Confounded, "slow", "",
			"During slow answers were 30x slower at p50: p50 2ms → 60ms; no request failed.",
		},
		{
			result.UnknownYet, "slow", result.SlowerDuring,
			"During slow answers were 30x slower at p50: p50 2ms → 60ms; no request failed.",
		},
		{result.UnknownYet, "slow", result.SlowerVaried, ""},
		{result.Impacted, "rest/slow", "", ""},
		{result.Impacted, "recovery/slow", "", ""},
	} {
		o, err := slo.ParseObjective("p95 < 20ms in " + c.in)
		if err != nil {
			t.Fatal(err)
		}
		r := &result.Result{
			Verdict: scenarios.Fail,
			Objectives: []result.ObjectiveResult{{
				Text: o.Text, Phase: o.PhaseOrRun(), Metric: o.Metric.Text, Op: o.Op, Target: .02, Measured: .07,
				Verdict: scenarios.Fail,
			}},
			Faults: []result.FaultRecord{{
				Name: "slow", Impact: c.impact, Injected: 1, Cleared: 9, OnsetAt: result.NaN,
				Parts: &result.ImpactParts{Requests: 800, Slowed: true, P50Before: .002, P50: .06, P95Before: .003, P95: .07},
			}},
		}
		if p := r.Faults[0].Parts; c.why != "" {
			p.Slowed, p.SlowerBecause = false, result.Notes{{Kind: c.why}}
		}
		if got := FaultOutcome(&r.Faults[0]); (got == "slower meanwhile") != (c.why == result.SlowerDuring) {
			t.Errorf("%s, %s: the outcome is %q", c.impact, c.why, got)
		}
		if got := find(r).whatWasSlow().String(); got != c.want {
			t.Errorf("%s, %s in %s: %q, want %q", c.impact, c.why, c.in, got, c.want)
		}
	}
}

// TestWhy_WhenItBegan: a fault that was over when an outage began was not in, whatever it may have left.
func TestWhy_WhenItBegan(t *testing.T) {
	r := &result.Result{Faults: []result.FaultRecord{
		{Name: "freeze", Injected: 5, Cleared: 6},
		{Name: "lose", Injected: 14, Cleared: 17},
		{Name: "cut", Injected: 15, Cleared: result.NaN},
	}}
	for want, faults := range map[string][]string{
		"freeze was over, but is not ruled out":              {"freeze"},
		"lose was in":                                        {"lose"},
		"lose was in; freeze was over, but is not ruled out": {"freeze", "lose"},
		"lose and cut were in":                               {"lose", "cut"},
	} {
		f := findings{r: r, in: &result.Incident{Begin: 15.7, Faults: faults}}
		if got := whenItBegan(f.r, f.in); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestFaultTarget_Led: a report names the unit that was hit and the one that led.
func TestFaultTarget_Led(t *testing.T) {
	for _, c := range []struct {
		units []string
		role  string
		led   string
		want  string
	}{
		{[]string{"db[0]"}, "leader", "db[0]", "process.freeze on db[0] (the leader, because asked: it leads), via signal"},
		{
			[]string{"db[1]"},
			"follower", "db[0]",
			"process.freeze on db[1] (a follower, because asked: it leads), while db[0] led, via signal",
		},
		{[]string{"db[0]", "db[1]"}, "", "db[0]", "process.freeze on db[0] and db[1], of which db[0] led, via signal"},
		{[]string{"db[1]", "db[2]"}, "", "db[0]", "process.freeze on db[1] and db[2], while db[0] led, via signal"},
		{[]string{"db[1]", "db[2]"}, "", "", "process.freeze on db[1] and db[2], via signal"},
	} {
		f := &result.FaultRecord{
			Kind: "process.freeze", Units: c.units, Role: c.role, RoleSaid: "it leads", Led: c.led, Via: "signal",
		}
		if got := FaultTarget(f); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// TestSurvived_TooFew: a median that rose is told where there were too few answers to test it, and is no harm that was
// not seen.
func TestSurvived_TooFew(t *testing.T) {
	f := result.FaultRecord{
		Name: "slow", Injected: 4, Cleared: 8, Impact: result.NotImpacted, Limit: .03,
		Parts: &result.ImpactParts{Requests: 200, P50: .06, P50Before: .04, Untested: true},
	}
	if got := survivedText(&f); got != "no request failed; p50 40ms → 60ms, of too few answers to tell" {
		t.Error(got)
	}
	const want = "though slow may have raised p50 from 40ms to 60ms (too few answers to tell)"
	if _, got := outcomeOf(&result.Result{}, []*result.FaultRecord{&f}, false); !strings.HasSuffix(got, want) {
		t.Error(got)
	}
	f.Parts.Untested = false
	if got := survivedText(&f); got != "no request failed, and answers were not clearly slower" {
		t.Error(got)
	}
}

// TestShed_Slower: requests that the target shed only in a fault are told beside answers that were slower, or may have
// been.
func TestShed_Slower(t *testing.T) {
	const shed = "50%% %swere shed (0%% before)"
	for _, c := range []struct {
		name    string
		impact  result.Impact
		slower  bool
		because result.Notes
	}{
		{"slower", result.Impacted, true, nil},
		{"slower, and the outage is not known", result.UnknownYet, true, nil},
		{"not certain", result.UnknownYet, false, result.Notes{{Kind: result.SlowerFew}}},
		{"meanwhile", result.UnknownYet, false, result.Notes{{Kind: result.SlowerDuring}}},
		{"one step", result.UnknownYet, false, result.Notes{{Kind: result.SlowerStep, Of: "read", Part: 30, Count: 33}}},
	} {
		f := result.FaultRecord{
			Name: "shed", Injected: 4, Cleared: 8, Impact: c.impact, OnsetAt: result.NaN, Limit: .01, Slow: result.NaN,
			Parts: &result.ImpactParts{
				Requests: 1000, Shed: 500, First: result.NaN, P50: .2, P50Before: .1, P95: .4, P95Before: .2,
				Slowed: c.slower, SlowerBecause: c.because,
			},
		}
		l := faultLine(&result.Result{}, &f)
		_, answer := outcomeOf(&result.Result{}, []*result.FaultRecord{&f}, false)
		if !strings.Contains(l.Line(), "; "+fmt.Sprintf(shed, "")) {
			t.Errorf("%s: line %s", c.name, l.Line())
		}
		for _, got := range []string{FaultEffect(&f), answer} {
			if !strings.Contains(got, fmt.Sprintf(shed, "of requests ")) {
				t.Errorf("%s: %s", c.name, got)
			}
		}
	}
}

// TestShed_ObjectiveFailed: requests that the target shed only in a fault are told beside a failed objective on it.
func TestShed_ObjectiveFailed(t *testing.T) {
	f := result.FaultRecord{
		Name: "shed", Injected: 4, Cleared: 8, Impact: result.NotImpacted, Limit: .01, Slow: result.NaN,
		FailedObjectives: []string{"shed < 10% in shed"},
		Parts:            &result.ImpactParts{Requests: 1000, Shed: 500, First: result.NaN, P50: result.NaN},
	}
	const want = "No request failed; 50% of requests were shed (0% before), and 1 objective on it failed: " +
		"shed < 10% in shed."
	if got := FaultEffect(&f); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSurvived_Shed: requests that the target shed only in a fault are told wherever it is said that none failed.
func TestSurvived_Shed(t *testing.T) {
	for _, c := range []struct {
		name                        string
		shed, errors                int64
		before                      result.Num
		mark, outcome, line, answer string
	}{
		{
			"half", 500, 0, 0, "!", "requests shed",
			"shed  requests shed: no request failed, 50% were shed (0% before), and answers were not clearly slower",
			"though 50% of requests were shed (0% before) during shed",
		},
		{
			"half, and some failed", 500, 5, .01, "!", "requests shed",
			"shed  requests shed: 5 requests failed, 0.5%, within the limit of 1%; 50% were shed (1% before)",
			"though 5 requests failed and 50% of requests were shed (1% before) during shed",
		},
		{
			"few", 5, 0, 0, "✓", "none seen",
			"shed  survived: no request failed, 0.5% were shed (0% before), and answers were not clearly slower",
			"though 0.5% of requests were shed (0% before) during shed",
		},
		{
			"as before", 31, 0, .03, "✓", "none seen",
			"shed  survived: no request failed, and answers were not clearly slower",
			"the fault did no harm that could be seen",
		},
	} {
		f := result.FaultRecord{
			Name: "shed", Injected: 4, Cleared: 8, Impact: result.NotImpacted, Limit: .01, Slow: result.NaN,
			Parts: &result.ImpactParts{
				Requests: 1000, Shed: c.shed, ShedBefore: c.before, Errors: c.errors, First: result.NaN, P50: result.NaN,
			},
		}
		l := faultLine(&result.Result{}, &f)
		_, answer := outcomeOf(&result.Result{}, []*result.FaultRecord{&f}, false)
		if l.Mark != c.mark || FaultOutcome(&f) != c.outcome || l.Line() != c.line || !strings.HasSuffix(answer, c.answer) {
			t.Errorf("%s: %s %s; %s; %s", c.name, l.Mark, FaultOutcome(&f), l.Line(), answer)
		}
		if strings.Contains(l.Line(), " shed (") && !strings.Contains(FaultEffect(&f), " shed (") {
			t.Errorf("%s: %s", c.name, FaultEffect(&f))
		}
	}
}

// TestFault_StepOutage: a fault in which one step alone had an outage is survived nowhere, and does not let a
// hypothesis hold, unless an objective asks about the step.
func TestFault_StepOutage(t *testing.T) {
	const pay, ofAll = "24 of 24 requests of pay failed", "; they are 0.923% of all, within the limit of 1%"
	for _, c := range []struct {
		name                             string
		change                           func(f *result.FaultRecord)
		objective                        string // beside errors < 2%
		mark, line, effect, answer, held string
	}{
		{
			"only that step failed", nil, "errors < 1% of list",
			"!", "lose  outage of pay: " + pay + ofAll,
			"Within the limit of 1%: 24 requests failed, 0.923%; " + pay + ".",
			"the share of bad requests stayed within the limit during the fault, though " + pay + " during lose",
			"not refuted; " + pay + " during lose, and no objective asks about pay",
		},
		{
			"an objective on the step allows it", nil, "errors < 50% of pay",
			"!", "lose  outage of pay: " + pay + ofAll,
			"Within the limit of 1%: 24 requests failed, 0.923%; " + pay + ".",
			"the share of bad requests stayed within the limit during the fault, though " + pay + " during lose",
			"held",
		},
		{
			"an objective on a step of two loads", func(f *result.FaultRecord) { f.Parts.StepOutage.Step = "shop: pay" },
			"recover < 1m of pay after lose",
			"!", "lose  outage of shop: pay: 24 of 24 requests of shop: pay failed" + ofAll,
			"Within the limit of 1%: 24 requests failed, 0.923%; 24 of 24 requests of shop: pay failed.",
			"during the fault, though 24 of 24 requests of shop: pay failed during lose", "held",
		},
		{
			"an objective on the baseline of the step", nil, "errors < 50% of pay in baseline",
			"!", "lose  outage of pay: " + pay + ofAll,
			"Within the limit of 1%: 24 requests failed, 0.923%; " + pay + ".",
			"the share of bad requests stayed within the limit during the fault, though " + pay + " during lose",
			"not refuted; " + pay + " during lose, and no objective asks about pay",
		},
		{
			"so few were bad that a share beyond the limit may be chance",
			func(f *result.FaultRecord) { f.Parts.Requests, f.Parts.Errors, f.Parts.FewBad = 2000, 27, true },
			"p95 < 2s in lose",
			"!", "lose  outage of pay: " + pay + "; with 3 of other steps they are 1.35% of all, over the limit of 1%",
			"Too few requests to tell: 27 requests failed of 2000, beyond the limit of 1%; " + pay + ".",
			"what lose did is not known; " + pay + " during lose",
			"not refuted; " + pay + " during lose, and no objective asks about pay",
		},
		{
			"answers were slower as well",
			func(f *result.FaultRecord) {
				f.Impact, f.Parts.Slowed, f.Parts.P50, f.Parts.P50Before = result.Impacted, true, .3, .1
			}, "ok.p95 < 2s of pay",
			"!", "lose  3x slower at p50: p50 100ms → 300ms; 24 requests failed; " + pay,
			"Impact: the load was slower, and bad requests were within the limit of 1%: 24 requests failed, 0.923%; " + pay +
				". Good answers, from the baseline to the fault: p50 100ms → 300ms (3x), p95 – → –.",
			"though lose made answers 3x slower at p50, and " + pay,
			"not refuted; " + pay + " during lose, and no objective asks about pay",
		},
	} {
		r := &result.Result{
			Verdict: scenarios.Pass, Hypothesis: "It works",
			Objectives: []result.ObjectiveResult{
				{Text: "errors < 2%", Verdict: scenarios.Pass}, {Text: c.objective, Verdict: scenarios.Pass},
			},
			Faults: []result.FaultRecord{{
				Name: "lose", Injected: 20, Cleared: 30, Impact: result.NotImpacted, OnsetAt: result.NaN, Limit: .01,
				Slow: result.NaN, Traffic: 2600, Parts: &result.ImpactParts{
					Requests: 2600, Errors: 24, First: result.NaN, P50: result.NaN, P95: result.NaN, P95Before: result.NaN,
					StepOutage: &result.StepOutage{Step: "pay", Requests: 24, Errors: 24},
				},
			}},
		}
		f := &r.Faults[0]
		if c.change != nil {
			c.change(f)
		}
		l, held := faultLine(r, f), strings.TrimSuffix(strings.TrimPrefix(Hypothesis(r), "Hypothesis: "), ". It works.")
		_, answer := outcomeOf(r, []*result.FaultRecord{f}, false)
		for _, x := range [][2]string{
			{l.Mark, c.mark}, {l.Line(), c.line}, {FaultEffect(f), c.effect}, {answer, c.answer}, {held, c.held},
		} {
			if !strings.HasSuffix(x[0], x[1]) {
				t.Errorf("%s: got %q, want %q", c.name, x[0], x[1])
			}
		}
		again := result.Repeats([]result.FaultRecord{
			{Name: "lose#1", Impact: f.Impact, OnsetAt: f.OnsetAt, Parts: f.Parts},
		})
		const seen = "1 with no impact seen on all requests, 1 of these with an outage of one step"
		if said := RepeatSummary(&again[0]); f.Impact == result.NotImpacted && !strings.HasSuffix(said, seen) {
			t.Errorf("%s: %s", c.name, said)
		}
	}
}

// TestFaultEffect_Share: a share of bad requests above the limit is not called within it, and one that is above the
// limit alone stands beside the share before the fault.
func TestFaultEffect_Share(t *testing.T) {
	f := &result.FaultRecord{
		Name: "f", Impact: result.UnknownYet, Limit: .01, Injected: 1, OnsetAt: result.NaN,
		Parts: &result.ImpactParts{Requests: 302, Errors: 27, SlowerBecause: result.Notes{{Kind: result.SlowerVaried}}},
	}
	share := func(want string) {
		t.Helper()
		for _, text := range []string{FaultEffect(f), survivedText(f)} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q: %s", want, text)
			}
		}
	}
	if want := "bad requests were not certainly over the limit of 1%: 27 requests failed, 8.94%"; !strings.Contains(
		FaultEffect(f), want) {
		t.Error(FaultEffect(f))
	}
	if want := "27 requests failed, 8.94%, not certainly over the limit of 1%"; survivedText(f) != want {
		t.Error(survivedText(f))
	}
	f.Parts.Requests, f.Parts.Errors, f.Parts.ErrorsBefore = 241, 6, .0247
	share("6 requests failed, 2.49%, and 2.47% before")
	share("within the limit of 1%")
	f.Parts.Requests, f.Parts.ErrorsBefore = 1000, .001
	if text := FaultEffect(f) + survivedText(f); strings.Contains(text, "before") {
		t.Error(text)
	}
}
