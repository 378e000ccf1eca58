package words

import (
	"slices"
	"strings"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// incidentBy returns an incident of a fault, with requests that failed and requests that were slow.
func incidentBy(fault string, begin result.Num, failed, slow int64) result.Incident {
	in := outageBy(fault)
	in.Begin, in.End, in.EndLow = begin, begin+3, begin+3
	in.Requests, in.Bad = failed+slow, failed+slow
	in.Kinds = map[string]int64{"status 503": failed}
	if slow > 0 {
		in.Kinds[slowKind] = slow
	}
	return in
}

// twoFaults returns a run in which a frozen dependency failed 181 requests, and later a slow link made 236 slow.
func twoFaults(t *testing.T) *result.Result {
	r := onNginx(t)
	freeze, slow := aFault("freeze-dep", "process.freeze", "redis[0]"), aFault("slow-dep", "network.latency")
	slow.Links, slow.Injected, slow.Cleared = []string{"nginx[0]->redis[0]"}, 26, 29
	slow.Parts = &result.ImpactParts{Requests: 240, Slow: 236, P50: .2, P50Before: .002, P95: .21, P95Before: .006}
	r.Faults = []result.FaultRecord{freeze, slow}
	r.Incidents = []result.Incident{incidentBy("freeze-dep", 10, 181, 0), incidentBy("slow-dep", 26, 0, 236)}
	r.Errors = []result.ErrorGroup{{Kind: "status 503", Load: "shoppers", Step: "read", Count: 181, First: 10.5, Last: 13}}
	r.Cells = []result.Cell{
		{Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Outcome: "*", Count: 2640},
		{Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Outcome: "status 503", Count: 181},
	}
	return r
}

func whyOf(r *result.Result) (points []string) {
	for _, p := range answerOf(r).Why {
		points = append(points, p.String())
	}
	return points
}

// TestCauses: the outage that is named is the one that the failed objectives count.
func TestCauses(t *testing.T) {
	for _, tt := range []struct {
		name       string
		objectives []string
		want       []string // faults of the causes
	}{
		{"a share of errors counts no slow answer", []string{"errors < 1%"}, []string{"freeze-dep"}},
		{"availability likewise", []string{"availability > 99%"}, []string{"freeze-dep"}},
		{"a response time counts both", []string{"p95 < 50ms"}, []string{"slow-dep", "freeze-dep"}},
		{"a time of good answers counts slow ones", []string{"ok.p95 < 50ms"}, []string{"slow-dep"}},
		{"a time without waits in brunt likewise", []string{"service.p95 < 50ms"}, []string{"slow-dep"}},
		{"a phase", []string{"p95 < 50ms in slow-dep"}, []string{"slow-dep"}},
		{"a recovery", []string{"recover < 1s after slow-dep"}, []string{"slow-dep"}},
		{"another step", []string{"errors < 1% of pay"}, nil},
		{"both", []string{"errors < 1%", "p95 < 50ms"}, []string{"freeze-dep", "slow-dep"}},
		{"memory is of no request", []string{"nginx.memory < 300MiB"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := twoFaults(t)
			for i := range r.Incidents {
				r.Incidents[i].Steps = []result.IncidentStep{{Load: "shoppers", Step: "read", Bad: r.Incidents[i].Bad}}
			}
			r.Objectives = nil
			for _, text := range tt.objectives {
				r.Objectives = append(r.Objectives, judged(t, text, .07, scenarios.Fail))
			}
			var got []string
			for _, c := range causes(r) {
				got = append(got, c.in.By)
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// explains checks the sentence of a run, and why it has its verdict.
func explains(t *testing.T, r *result.Result, sentence string, points ...string) {
	t.Helper()
	if got := answerOf(r).Sentence.String(); got != sentence {
		t.Errorf("got  %s\nwant %s", got, sentence)
	}
	if got := whyOf(r); !slices.Equal(got, points) {
		t.Errorf("got  %q\nwant %q", got, points)
	}
}

// TestAnswer_Cause: a run that failed for its errors is not explained by a fault that failed no request.
func TestAnswer_Cause(t *testing.T) {
	a := answerOf(twoFaults(t))
	want := "When the only replica of redis was frozen, every request failed for 3s. 13% of requests failed, and less than " +
		"1% may."
	explains(t, twoFaults(t), want, "10s: the only replica of redis was frozen; back at 12s.",
		"read failed first: 181 × status 503.", "1s of the 3s came after redis was back.")
	if got := a.Keep.String(); got != "Not this: slow-dep failed no request." {
		t.Errorf("keep: %q", got)
	}
	r := twoFaults(t)
	r.Incidents[1].Kinds["status 503"], r.Incidents[1].Bad = 30, 266 // after the fault, in its incident
	if got := answerOf(r).Keep.String(); got != "" {
		t.Errorf("it failed requests after its end: %q", got)
	}
	if len(a.Change) == 0 {
		t.Error("nothing to change")
	}
}

// TestAnswer_CountsOfOutage: the line under an outage counts its own requests, and leaves out another outage with the
// same errors.
func TestAnswer_CountsOfOutage(t *testing.T) {
	r := twoFaults(t)
	r.Faults[1].Kind, r.Faults[1].Parts = "network.partition", nil
	r.Incidents[0].Steps = []result.IncidentStep{{Load: "shoppers", Step: "read", Bad: 181, Kinds: r.Incidents[0].Kinds}}
	r.Incidents[1].Kinds = map[string]int64{"status 503": 90, "skipped": 90}
	r.Incidents[1].Bad = 180
	r.Incidents[1].Steps = []result.IncidentStep{
		{Load: "shoppers", Step: "read", Bad: 90, Kinds: map[string]int64{"status 503": 90}},
		{Load: "shoppers", Step: "list", Bad: 90, Skipped: 90},
	}
	r.Errors[0].Count, r.Errors[0].Last = 271, 29
	r.Cells = append(r.Cells, result.Cell{
		Phase: slo.Phase{Kind: slo.RunPhase}, Load: "shoppers", Step: "list", Outcome: "skipped", Count: 90,
	})
	if got := whyOf(r); !slices.Contains(got, "read failed first: 181 × status 503.") {
		t.Errorf("got %q", got)
	}
	r.Incidents[0].Bad, r.Incidents[1].Bad = r.Incidents[1].Bad, 500 // now the other one is the worst
	if got := whyOf(r); !slices.Contains(got, "read failed first: 90 × status 503. 90 of list were skipped as a result.") {
		t.Errorf("got %q", got)
	}
	for i := range r.Incidents[1].Steps {
		r.Incidents[1].Steps[i].Kinds = nil // as in earlier versions
	}
	if got := whyOf(r); !slices.Contains(got, "read failed first: 271 × status 503. 90 of list were skipped as a result.") {
		t.Errorf("got %q", got)
	}
}

// TestAnswer_SeenBefore: errors that came in an earlier outage have no known place in a later one, which other errors
// began, or whose first errors are not known.
func TestAnswer_SeenBefore(t *testing.T) {
	group := func(kind string, n int64, first, last result.Num) result.ErrorGroup {
		at := &result.Sample{At: float64(first), Curl: "curl " + kind}
		return result.ErrorGroup{
			Kind: kind, Load: "shoppers", Step: "read", Count: n, First: first + .1, Last: last, Sample: at,
		}
	}
	outage := func(by string, begin result.Num, kinds map[string]int64) result.Incident {
		n := int64(0)
		for _, k := range kinds {
			n += k
		}
		in := incidentBy(by, begin, n, 0)
		in.BeginLow, in.Kinds = begin-.01, kinds
		in.Steps = []result.IncidentStep{{Load: "shoppers", Step: "read", Bad: n, Kinds: kinds}}
		return in
	}
	hung := outage("freeze-dep", 10, map[string]int64{"timeout": 20})
	dead := outage("slow-dep", 40, map[string]int64{"refused": 300, "timeout": 90})
	alone := dead
	alone.By, alone.Faults, alone.Evidence = "", nil, ""
	for _, tt := range []struct {
		name      string
		incidents []result.Incident
		first     result.Num // request that was refused
		timeouts  result.Num // when the first of them was seen
		point     string
		advice    string
		curl      string
	}{
		{
			"others began it",
			[]result.Incident{hung, dead},
			40, 10,
			"read failed first: 300 × refused, then 90 × timeout.", "", "curl refused",
		},
		{"none began it", []result.Incident{hung, dead}, 40.5, 10, "read failed: 300 × refused, and 90 × timeout.", "", ""},
		{
			"no fault did it",
			[]result.Incident{hung, alone},
			40.5, 10, "read failed: 300 × refused, and 90 × timeout.",
			"Find out why read failed, by refused.", "",
		},
		{
			"all came in it alone",
			[]result.Incident{dead},
			40.5, 40,
			"read failed first: 90 × timeout, then 300 × refused.", "", "curl timeout",
		},
	} {
		r := twoFaults(t)
		r.Faults[1].Injected, r.Faults[1].Cleared = 40, 43
		r.Incidents = tt.incidents
		r.Errors = []result.ErrorGroup{group("timeout", 110, tt.timeouts, 43), group("refused", 300, tt.first, 43)}
		if got := whyOf(r); !slices.Contains(got, tt.point) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.point)
		}
		if got := changeOf(r); tt.advice != "" && !slices.Contains(got, tt.advice) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.advice)
		}
		if got := answerOf(r).Curl; got != tt.curl {
			t.Errorf("%s: the command %q, want %q", tt.name, got, tt.curl)
		}
	}
}

// TestAnswer_Causes: each outage that matters is named, the one with the largest share first, and each failed objective
// has its line.
func TestAnswer_Causes(t *testing.T) {
	r := twoFaults(t)
	r.Incidents = append(r.Incidents, incidentBy("", 20, 300, 0), incidentBy("freeze-dep", 18, 3, 0))
	r.Incidents[2].Faults = []string{"freeze-dep", "slow-dep"} // it began between them
	r.Faults[1].Injected = 19
	r.Cells[1].Count = 490
	r.Objectives = append(r.Objectives,
		judged(t, "lost = 0", 621, scenarios.Fail), judged(t, "nginx.memory < 300MiB", 313<<20, scenarios.Fail))
	r.Ledger = &result.LedgerRecord{Lost: 621, Read: true}
	want := []string{
		"20s: every request failed for 3s, with 300 of all 490 failed requests; slow-dep was in; freeze-dep was over, but is " +
			"not ruled out, and what did it is not known.",
		"10s: the only replica of redis was frozen; 2 outages, of 3s from 10s on and 3s from 18s on, with 184 of all 490 " +
			"failed requests; back at 12s.",
		"`nginx.memory < 300MiB` did not hold: it was 313MiB.",
	}
	if got := whyOf(r); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := IncidentText(r, &r.Incidents[2]); got != "from 20s to 23s (3s): 300 of 300 requests were bad: status 503; "+
		"during slow-dep, after freeze-dep" {
		t.Error(got)
	}
	r.Incidents[2].By, r.Incidents[2].Faults = "slow-dep", []string{"slow-dep"}
	said := "When the link from nginx to redis was slow, every request failed for 3s; 181 more failed in 1 other outage. 13% " +
		"of requests failed, and less than 1% may; 621 acknowledged writes were lost; 3 of 3 objectives failed."
	if got := answerOf(r).Sentence.String(); got != said {
		t.Errorf("got  %s\nwant %s", got, said)
	}
}

// TestAnswer_OutagesOfOneFault: the sentence of a run, the points and the row of a fault tell all of its outages.
func TestAnswer_OutagesOfOneFault(t *testing.T) {
	cut := func() *result.Result {
		r := onNginx(t)
		f := aFault("cut", "network.partition")
		f.Links, f.Injected, f.Cleared, f.Until, f.Slow = []string{"nginx[0]->redis[0]"}, 20, 40, 40, .5
		f.Recover, f.RecoveredAt = 18, 38
		r.Faults = []result.FaultRecord{f}
		r.Incidents = []result.Incident{incidentBy("cut", 20, 600, 0), incidentBy("cut", 35, 580, 0)}
		r.Incidents[1].Evidence = result.ByRecovery
		r.Errors[0].Count, r.Errors[0].First, r.Errors[0].Last, r.Errors[0].Sample = 1180, 20, 38, nil
		return r
	}
	row := func(r *result.Result, want string) {
		t.Helper()
		if got := answerOf(r).Faults[0].Line(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	const missed = " 13% of requests failed, and less than 1% may."
	const headline = "When the link from nginx to redis was cut, every request failed for 3s, and again "
	const point = "20s: the link from nginx to redis was cut; 2 outages, of 3s from 20s on and "
	explains(t, cut(), headline+"for 3s from 35s on."+missed, point+"3s from 35s on; over at 40s.",
		"GET /basket failed first: 1180 × status 502.")
	row(cut(), "cut  2 outages, 6s in all: 1180 requests failed; good again 2s before it was over")

	passed := cut()
	passed.Verdict, passed.Objectives[0].Verdict = scenarios.Pass, scenarios.Pass
	row(passed, "cut  2 outages, 6s in all: 1180 requests failed; good again 2s before it was over")

	beyond := cut() // the second one lasts until after the fault
	beyond.Incidents[1].Begin, beyond.Incidents[1].End, beyond.Incidents[1].EndLow = 38, 45, 45
	explains(t, beyond, headline+"for 7s from 38s on."+missed, point+"7s from 38s on; over at 40s.",
		"GET /basket failed first: 1180 × status 502.", "5s of the 10s came after it was over.")

	beyond.Errors[0].First, beyond.Errors[0].Last = 39, 45
	beyond.Errors[0].Sample = &result.Sample{Status: 503, Headers: map[string]string{"Retry-After": "5"}}
	breaker := "Let the circuit breaker try sooner than after 5s, likely up to 5s less outage."
	if got := changeOf(beyond); !slices.Contains(got, breaker) {
		t.Errorf("a breaker in the later outage: %q", got)
	}

	ended := cut() // its end did more harm than it
	ended.Incidents[1].Begin, ended.Incidents[1].End, ended.Incidents[1].EndLow = 40, 46, 46
	ended.Incidents[1].Evidence, ended.Incidents[1].Bad, ended.Incidents[1].Requests = result.ByRevert, 1200, 1200
	explains(t, ended, headline+"for 6s when the fault ended."+missed,
		point+"6s when the fault ended; over at 40s, which began the last one.",
		"GET /basket failed first: 1180 × status 502.")

	thrice := cut()
	thrice.Incidents = append(thrice.Incidents, incidentBy("cut", 28, 10, 0))
	if got, want := answerOf(thrice).Sentence.String(), headline+"2 times, for 6s in all."+missed; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// TestAnswer_Losses: a run that failed for losses alone is explained by those on which an objective failed, and by no
// outage, no slowdown and no growing load.
func TestAnswer_Losses(t *testing.T) {
	failed := func(r *result.Result, texts ...string) *result.Result {
		r.Objectives = []result.ObjectiveResult{judged(t, "errors < 50%", .13, scenarios.Pass)}
		for _, text := range texts {
			r.Objectives = append(r.Objectives, judged(t, text, 1, scenarios.Fail))
		}
		return r
	}
	span := func(fault string, n int64, at result.Num) []result.LostSpan {
		return []result.LostSpan{{Fault: fault, Lost: n, First: at, Last: at + 1}}
	}
	two := func() *result.Result { // ledgers
		r := onNginx(t)
		r.Faults = append(r.Faults, aFault("cut", "network.partition"))
		r.Faults[1].Links = []string{"nginx[0]->redis[0]"}
		r.Ledgers = []*result.LedgerRecord{
			{Name: "orders", Write: "place", Read: true, Lost: 1, LostSpans: span("kill-cache", 1, 9)},
			{Name: "events", Write: "tell", Read: true, Lost: 500, LostSpans: span("cut", 500, 20)},
		}
		return r
	}
	scattered := two()
	scattered.Ledgers[1].LostSpans[0].First, scattered.Ledgers[1].Lost = result.NaN, 512
	const died = "10s: the only replica of redis died; back at 12s."
	const order = "1 write of place, acknowledged from 9s to 10s, is gone, lost to kill-cache."
	crashed := func() *result.Result { // an outage within its limit, and later messages are lost
		r := onNginx(t)
		r.Faults = append(r.Faults, aFault("crash", "container.kill", "redis[0]"))
		r.Faults[1].Injected, r.Faults[1].Cleared, r.Faults[1].Until = 60, 62, 62
		r.Deliveries = []*result.DeliveryRecord{
			{Name: "mails", Acknowledged: 90, Lost: 3, LostSpans: span("crash", 3, 58)},
			{Name: "calls", Acknowledged: 90, Lost: 9, LostSpans: span("kill-cache", 9, 8)},
		}
		return r
	}
	mail := "3 messages of mails, acknowledged from 58s to 59s, are gone, lost to crash."
	either := crashed()
	either.Deliveries[0].LostSpans[0].Fault, either.Deliveries[0].LostSpans[0].Faults = "", []string{"kill-cache", "crash"}
	either.Deliveries[0].Unreadable = 1
	read := onNginx(t)
	read.Consistency = []*result.ConsistencyRecord{
		{Name: "carts", Kinds: []result.AnomalyKind{{Kind: result.AnomalyStale, Count: 1, First: 4, Last: 5}}},
		{Name: "stock", Kinds: []result.AnomalyKind{{Kind: result.AnomalyStale, Count: 2, First: 11, Last: 12}}},
	}
	downed := onNginx(t)
	downed.Faults = append(downed.Faults, aFault("cut", "network.partition", "nginx[0]->redis[0]"))
	downed.Faults[0].StaysDown, downed.Faults[0].Cleared = true, 10.1
	downed.Consistency = read.Consistency
	behind := growingRate(slowed(onURL(t)))
	behind.Incidents[0].Begin = 22
	behind.Ledger = &result.LedgerRecord{Write: "place", Read: true, Lost: 1, LostSpans: span("", 1, 9)}
	for _, tt := range []struct {
		name string
		r    *result.Result
		want []string
	}{
		{"of the ledger that failed", failed(two(), "lost(orders) = 0"), []string{died, order}},
		{"of both ledgers", failed(two(), "lost(orders) = 0", "lost(events) = 0"), []string{
			died, "10s: the link from nginx to redis was cut; over at 12s.", order,
			"500 writes of tell, acknowledged from 20s to 21s, are gone, lost to cut.",
		}},
		{"one of several losses, at an unknown time", failed(scattered, "lost(events) = 0"), []string{
			"10s: the link from nginx to redis was cut; over at 12s.",
			"500 writes of tell are gone, lost to cut; 512 are gone in all.",
		}},
		{"messages", failed(crashed(), "lost = 0 of mails"), []string{
			"1m: the only replica of redis died; back at 1m2s.", mail,
		}},
		{"messages of one of two faults", failed(either, "lost = 0 of mails"), []string{
			"At most 3 messages of mails, acknowledged from 58s to 59s, are gone, lost to kill-cache or crash.",
		}},
		{"reads", failed(read, "anomalies(stock) = 0"), []string{
			"11s to 12s: reads and writes of stock show 2 stale reads; kill-cache was in at 11s.",
		}},
		{"reads while a unit was down", failed(downed, "anomalies(stock) = 0"), []string{
			"11s to 12s: reads and writes of stock show 2 stale reads; cut was in and the unit of kill-cache was still down " +
				"at 11s.",
		}},
		{"a target that fell behind", failed(behind, "lost = 0"), []string{
			"1 write of place, acknowledged from 9s to 10s, is gone.",
		}},
	} {
		if got := whyOf(tt.r); !slices.Equal(got, tt.want) {
			t.Errorf("%s\ngot  %q\nwant %q", tt.name, got, tt.want)
		}
		if got := answerOf(tt.r).Sentence.String(); strings.Contains(got, "When ") || strings.Contains(got, "fell behind") {
			t.Errorf("%s: it tells an outage: %s", tt.name, got)
		}
	}
	if a := surerWrites(find(failed(two(), "lost(orders) = 0"))); a == nil ||
		!strings.Contains(a.Text.String(), ": 1 that kill-cache lost ") {
		t.Errorf("advice: %+v", a)
	}
	beside := failed(two(), "errors < 1%", "lost(orders) = 0")
	if got := answerOf(beside).Sentence.String(); !strings.Contains(got, "; 1 acknowledged write was lost; 2 of 3") {
		t.Errorf("beside an outage: %s", got)
	}
	slow := slowed(onURL(t))
	if got := strings.Join(whyOf(slow), " "); strings.Contains(got, "half of the requests") {
		t.Errorf("slow answers failed no objective: %q", got)
	}
}

// TestAnswer_OtherReason: an outage that the objectives allow does not explain a verdict that it did not give, and no
// advice is about it. It explains that a unit did not come back if it is by the fault on it.
func TestAnswer_OtherReason(t *testing.T) {
	reason := func(kind result.ReasonKind, v scenarios.Verdict, fault string) result.Reason {
		return result.Reason{Kind: kind, Verdict: v, Fault: fault}
	}
	frozen := []string{
		"10s: the only replica of redis was frozen; back at 12s.", "read failed first: 181 × status 503.",
		"1s of the 3s came after redis was back.",
	}
	for _, tt := range []struct {
		name   string
		why    result.Reason
		change func(*result.Result)
		points []string
	}{
		{"a fault did no harm", reason(result.NoImpact, scenarios.Fail, "slow-dep"), nil, nil},
		{
			"a fault did no harm, and an objective on memory failed", reason(result.NoImpact, scenarios.Fail, "slow-dep"),
			func(r *result.Result) {
				r.Objectives = append(r.Objectives, judged(t, "nginx.memory < 300MiB", 313<<20, scenarios.Fail))
			}, nil,
		},
		{"a person ended the run", reason(result.StoppedInside, scenarios.Stopped, ""), nil, nil},
		{"a fault stays", reason(result.NotUndone, scenarios.NotReverted, "slow-dep"), nil, nil},
		{"entries are open", reason(result.LeftBehind, scenarios.NotReverted, ""), nil, nil},
		{"its unit stays down", reason(result.StaysDown, scenarios.NotReverted, "freeze-dep"), nil, nil},
		{"the unit of another fault", reason(result.NotReadyAgain, scenarios.Fail, "kill-front"), nil, nil},
		{"its unit", reason(result.NotReadyAgain, scenarios.Fail, "freeze-dep"), nil, frozen},
		{"the unit of a step", reason(result.StillDown, scenarios.Fail, "freeze-dep.two"), func(r *result.Result) {
			r.Faults[0].Steps = []result.FaultStep{{Name: "freeze-dep.two"}}
		}, []string{
			"10s: freeze-dep was in; over at 12s.", "read failed first: 181 × status 503.",
			"1s of the 3s came after redis was back.",
		}},
		{
			"a stop condition", reason(result.StopCondition, scenarios.Stopped, ""),
			func(r *result.Result) { r.Slowdowns = nil }, frozen,
		},
		{"an objective too", reason(result.NotReadyAgain, scenarios.Fail, "kill-front"), func(r *result.Result) {
			r.Objectives[0].Verdict = scenarios.Fail
		}, frozen},
	} {
		r := twoFaults(t)
		r.Verdict, r.Reasons, r.Objectives[0].Verdict = tt.why.Verdict, []result.Reason{tt.why}, scenarios.Pass
		r.Incidents = r.Incidents[:1]
		r.Slowdowns = []result.Slowdown{{From: 20, To: 24, P50: .3, Usual: .01, Requests: 400}}
		if tt.change != nil {
			tt.change(r)
		}
		if got := whyOf(r); !slices.Equal(got, tt.points) {
			t.Errorf("%s\ngot  %q\nwant %q", tt.name, got, tt.points)
		}
		if got := changeOf(r); tt.points == nil && len(got) > 0 {
			t.Errorf("%s: advice %q", tt.name, got)
		}
	}
}

// TestAnswer_NotByValue: an objective that failed because its fault did no harm, or as the target was not well before
// it, is not said to be missed, and no other outage explains that.
func TestAnswer_NotByValue(t *testing.T) {
	const harmless = "require_impact is set, but no impact of slow-dep was seen"
	const unwell = "the steady state did not hold: windows before the injection were bad"
	for _, tt := range []struct {
		text     string
		measured result.Num
		note     result.Note
		reason   result.ReasonKind
		sentence string
		points   []string
	}{
		{
			"errors < 5% in slow-dep", .001,
			result.Note{Kind: result.ImpactMissing, Of: "slow-dep"},
			result.NoImpact,
			"1 of 2 objectives failed: errors < 5% in slow-dep, measured 0.1% (" + harmless + ").", nil,
		},
		{
			"recover < 5s after slow-dep", result.NaN,
			result.Note{Kind: result.ImpactMissing, Of: "slow-dep"},
			result.NoImpact,
			"1 of 2 objectives failed: recover < 5s after slow-dep (" + harmless + ").", nil,
		},
		{
			"recover < 5s after slow-dep", result.NaN,
			result.Note{Kind: result.BeforeUnsteady},
			result.UnsteadyBefore,
			"1 of 2 objectives failed: recover < 5s after slow-dep (" + unwell + ").",
			[]string{
				"10s: the only replica of redis was frozen; back at 12s.", "read failed first: 181 × status 503.",
				"1s of the 3s came after redis was back.",
			},
		},
	} {
		r := twoFaults(t)
		r.Verdict, r.Objectives[0].Verdict = "", scenarios.Pass
		o := judged(t, tt.text, tt.measured, scenarios.Fail)
		o.Because = result.Notes{tt.note}
		o.Say()
		r.Objectives = append(r.Objectives, o)
		r.Errors = append(r.Errors, result.ErrorGroup{
			Kind: "timeout", Load: "shoppers", Step: "read", Count: 1, First: 27, Last: 27,
		})
		r.Because(result.Reason{Kind: result.NotHeld, Verdict: scenarios.Fail, Objective: 2})
		r.Because(result.Reason{Kind: result.NoTraffic, Verdict: scenarios.Inconclusive, Fault: "freeze-dep"})
		r.Because(result.Reason{Kind: tt.reason, Verdict: scenarios.Fail, Fault: "slow-dep"})
		explains(t, r, tt.sentence, tt.points...)
		if got := MarginOf(&r.Objectives[1]).Text; got != "" {
			t.Errorf("%s: margin %q", tt.text, got)
		}
		missed := judged(t, "errors < 1%", .13, scenarios.Fail)
		r.Objectives[0] = missed
		if got := answerOf(r).Sentence.String(); !strings.Contains(got, "13% of requests failed, and less than 1% may") {
			t.Errorf("%s beside one that was missed: %s", tt.text, got)
		}
	}
}

// TestAnswer_NotByValueBeside: an objective that failed though its value did not make it fail tells nothing of the time
// that decided the run, of the requests that failed, nor of what was read.
func TestAnswer_NotByValueBeside(t *testing.T) {
	harmless := judged(t, "recover < 5s after slow-dep", result.NaN, scenarios.Fail)
	harmless.Because = result.Notes{{Kind: result.ImpactMissing, Of: "slow-dep"}}
	const first = "read failed first: "
	r := twoFaults(t)
	r.Incidents = nil
	r.Errors[0].First, r.Errors[0].Last = 16, 18
	r.Objectives = []result.ObjectiveResult{harmless, judged(t, "errors < 1%", .13, scenarios.Fail)}
	if got := strings.Join(whyOf(r), " "); !strings.Contains(got, first+"181 × status 503") {
		t.Errorf("errors outside of the fault: %q", got)
	}
	r.Errors[0].Count = 3
	r.Objectives[1] = judged(t, "p95 < 60ms", .2, scenarios.Fail)
	r.Objectives[1].Count = 2640
	if got := strings.Join(whyOf(r), " "); strings.Contains(got, first) {
		t.Errorf("of slow answers: %q", got)
	}
	r.Consistency = []*result.ConsistencyRecord{
		{Name: "stock", Kinds: []result.AnomalyKind{{Kind: result.AnomalyStale, Count: 2, First: 11, Last: 12}}},
	}
	r.Objectives[0] = judged(t, "anomalies(stock) = 0", 0, scenarios.Fail)
	r.Objectives[0].Because = harmless.Because
	if got := whyOf(r); len(got) != 0 {
		t.Errorf("of reads: %q", got)
	}
	r.Traces = &result.Traces{}
	r.Objectives[0], r.Objectives[1] = harmless, judged(t, "traces > 99%", .5, scenarios.Fail)
	if broken, only := find(r).whatTracesLack(); broken == nil || !only {
		t.Errorf("of traces: %v, only %t", broken, only)
	}
}

// TestAnswer_OwnEnd: a unit that ended explains an outage unless failures were seen before, or it was a job that was
// done. The conditions on it are named.
func TestAnswer_OwnEnd(t *testing.T) {
	const missed = " 13% of requests failed, and less than 1% may."
	const first = "GET / failed first: 300 × refused."
	for _, tt := range []struct {
		name     string
		change   func(*result.Result)
		sentence string
		began    string
	}{
		{
			"with the first failures", func(r *result.Result) { r.Events[0].T = 20.15 },
			"When api[0] ended by itself (exit status 3), 30% of requests failed for over 10s, to the end of the run." + missed,
			"20s: 30% of requests failed for over 10s; it began when api[0] ended by itself (exit status 3).",
		},
		{
			"after failures", func(r *result.Result) { r.Events[0].T = 20.8 }, strings.TrimPrefix(missed, " "),
			"20s: 30% of requests failed for over 10s; no fault was in; api[0] ended by itself (exit status 3) 800ms later.",
		},
		{
			"before a fault that was in for a part of it", func(r *result.Result) {
				r.Events, r.Faults = nil, []result.FaultRecord{aFault("slow", "network.latency", "api[0]")}
				r.Faults[0].Injected, r.Faults[0].Cleared, r.Faults[0].Until = 24, 26, 26
			}, strings.TrimPrefix(missed, " ") + " At 20s 30% of requests failed for over 10s; no fault was in when it began.",
			"20s: 30% of requests failed for over 10s; no fault was in when it began.",
		},
		{
			"a job that was done", func(r *result.Result) { r.Events[0].Text = "exit status 0" },
			strings.TrimPrefix(missed, " "), "20s: 30% of requests failed for over 10s; no fault was in.",
		},
		{
			"a service that ended well", func(r *result.Result) {
				r.Events[0].Text, r.Links = "exit code 0", []result.Link{{From: "web[0]", To: "api[0]"}}
			}, "When api[0] ended by itself (exit code 0), 30% of requests failed for over 10s, to the end of the run." + missed,
			"20s: 30% of requests failed for over 10s; it began when api[0] ended by itself (exit code 0).",
		},
		{
			"a condition was on it", func(r *result.Result) {
				r.Conditions = []result.Condition{
					{Name: "small", Kind: "memory.limit", Units: []string{"api[0]"}, Evidence: "64MiB", Injected: result.NaN},
					{Name: "late", Kind: "cpu.throttle", Units: []string{"api[0]"}, Evidence: "10%", Injected: 25},
					{Name: "away", Kind: "memory.limit", Units: []string{"api[0]"}, Injected: result.NaN},
				}
			}, "When api[0] ended (exit status 3) while the condition small was on it, 30% of requests failed for over 10s, " +
				"to the end of the run." + missed,
			"20s: 30% of requests failed for over 10s; it began when api[0] ended (exit status 3) while the condition small " +
				"was on it.",
		},
		{
			"conditions were on its links", func(r *result.Result) {
				wan := result.Condition{Name: "wan", Units: []string{"api[0]->db[0]"}, Evidence: "80ms", Injected: result.NaN}
				own := result.Condition{Name: "own", Kind: "exec", Evidence: "exit status 0", Injected: result.NaN}
				lan := result.Condition{Name: "lan", Units: []string{"load->api[0]"}, Evidence: "9ms", Injected: result.NaN}
				r.Conditions = []result.Condition{wan, own, lan}
			}, "When api[0] ended (exit status 3) while the conditions wan and lan were on it, 30% of requests failed for " +
				"over 10s, to the end of the run." + missed,
			"20s: 30% of requests failed for over 10s; it began when api[0] ended (exit status 3) while the conditions wan " +
				"and lan were on it.",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := diedAlone(t)
			r.Generator.Healthy = true
			tt.change(r)
			explains(t, r, tt.sentence, tt.began, first)
		})
	}
}

// TestTargetSaid: a page is quoted by its title, and never by its markup.
func TestTargetSaid(t *testing.T) {
	const doctype = "<!DOCTYPE html PUBLIC \"-//W3C//DTD HTML 4.01//EN\" \"http://www.w3.org/TR/html4/strict.dtd\">\n<html>"
	for body, want := range map[string]string{
		doctype + "<head>\n<title>ERROR: The page</title></head>": "ERROR: The page",
		doctype + "<head>\n<title lang=en>ERROR: The reque…":      "ERROR: The reque…",
		doctype + "<head><meta name=a>":                           "",
		"<?xml version=\"1.0\"?>\n<html><body>":                   "",
		"upstream failed\nbye":                                    "upstream failed",
	} {
		if got := targetSaid(&result.Sample{Status: 504, Body: body}); got != want {
			t.Errorf("of %q: %q, want %q", body, got, want)
		}
	}
}
