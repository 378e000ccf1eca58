package words

import (
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestMarginOf: the distance of a value from its limit, and a verdict that brunt's own time leaves open.
func TestMarginOf(t *testing.T) {
	pass, fail := scenarios.Pass, scenarios.Fail
	because := func(kind result.NoteKind) func(*result.ObjectiveResult) {
		return func(o *result.ObjectiveResult) { o.Because = result.Notes{{Kind: kind}} }
	}
	for _, tt := range []struct {
		name     string
		text     string
		measured result.Num
		verdict  scenarios.Verdict
		change   func(*result.ObjectiveResult)
		word     string
		want     string
		value    string // empty: any
	}{
		{"a share over", "errors < 1%", .0367, fail, nil, "failed", "3.7x the limit", ""},
		{"a share far over", "errors < 1%", .456, fail, nil, "failed", "46x the limit", ""},
		{"a little over", "p95 < 200ms", .25, fail, nil, "failed", "1.3x the limit", ""},
		{"the share that is missing", "availability > 99%", .9633, fail, nil, "failed", "3.7x the 1% allowed", ""},
		{"hardly over", "p95 < 200ms", .206, fail, nil, "failed", "1.03x the limit", ""},
		{"just over", "p95 < 200ms", .2002, fail, nil, "failed", "just over the limit", ""},
		{"a time left", "recover < 5s after f", 2.14, pass, nil, "held", "57% left", ""},
		{"hardly left", "p95 < 200ms", .1999, pass, nil, "held", "< 1% left", ""},
		{"too low a rate", "rate > 100/s", 80, fail, nil, "failed", "20% short", ""},
		{"none may", "lost = 0", 12, fail, nil, "failed", "none may", ""},
		{"no outage", "heal < 4s after f", 0, pass, because(result.WithinLimit), "held", "", "no outage"},
		{
			"none of a fault", "recover < 1s after incident", 0, pass, because(result.IncidentNone), "held", "",
			"no outage of a fault",
		},
		{"never good again", "recover < 4s after f", result.NaN, fail, func(o *result.ObjectiveResult) {
			o.Because = result.Notes{{Kind: result.RecoveryNone, For: 9}}
		}, "failed", "over 9s", ""},
		{"never good again, without a bound", "recover < 4s after f", result.NaN, fail, func(o *result.ObjectiveResult) {
			o.Because = result.Notes{{Kind: result.RecoveryNone}}
		}, "failed", "not good by the end", ""},
		{"not good while the fault was in", "failover < 4s after f", result.NaN, fail, func(o *result.ObjectiveResult) {
			o.Because = result.Notes{{Kind: result.FailoverNone}}
		}, "failed", "not while it was in", ""},
		{"good too late to show it", "failover < 4s after f", result.NaN, fail, func(o *result.ObjectiveResult) {
			o.Low, o.Because = 9, result.Notes{{Kind: result.EndBeforeHold, Of: "g"}}
		}, "failed", "over 9s", ""},
		{"too many failed", "p95 < 200ms", result.NaN, fail, func(o *result.ObjectiveResult) {
			o.Infinite = true
		}, "failed", "too many failed", ""},
		{"brunt was late", "p95 < 200ms", .25, scenarios.Invalid, func(o *result.ObjectiveResult) {
			o.Why = result.Late
		}, "not certain", "? not certain", ""},
		{"the fault was not injected", "errors < 1%", result.NaN, scenarios.Invalid, func(o *result.ObjectiveResult) {
			o.Why = result.Absent
		}, "not judged", "? not judged", ""},
		{"too few requests", "p99 < 1s", .1, scenarios.Inconclusive, nil, "not certain", "? not certain", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := judged(t, tt.text, tt.measured, tt.verdict)
			if tt.change != nil {
				tt.change(&o)
			}
			if l := objectiveLine(&o); tt.value != "" && l.Value != tt.value {
				t.Errorf("%q, want %q", l.Value, tt.value)
			} else if l.Margin.Text != tt.want || l.Word != tt.word {
				t.Errorf("%s, %q; want %s, %q", l.Word, l.Margin.Text, tt.word, tt.want)
			}
		})
	}
}

// TestTrust: the line says by how much brunt itself was late, and what that leaves open.
func TestTrust(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*result.Result)
		want   string
	}{
		{"quiet", func(*result.Result) {}, "Quiet machine: brunt itself sent 99% of requests at most 78ms late."},
		{
			"in time, and the kernel does not report pressure", func(r *result.Result) { r.Generator.Pressure = result.NaN },
			"On time: brunt itself sent 99% of requests at most 78ms late.",
		},
		{"in time on a busy machine", func(r *result.Result) { r.Generator.Pressure = .944 }, "Busy machine: brunt itself sent " +
			"99% of requests at most 78ms late. In the worst ten seconds tasks waited for a processor 94% of the time, so a " +
			"target on this machine may have been slower for it."},
		{"some tasks waited", func(r *result.Result) { r.Generator.Pressure = .34 }, "Quiet machine: brunt itself sent 99% of " +
			"requests at most 78ms late."},
		{"failures stand", func(r *result.Result) {
			r.Generator.Healthy = false
			r.Objectives = append(r.Objectives, r.Objectives[0])
		}, "Busy machine: brunt itself sent 99% of requests at most 78ms late. The 2 failures stand without it; read response times as " +
			"upper limits."},
		{"one is open", func(r *result.Result) {
			r.Generator.Healthy = false
			r.Objectives = append(r.Objectives, r.Objectives[0])
			r.Objectives[1].Verdict, r.Objectives[1].Why = scenarios.Invalid, result.Late
		}, "Busy machine: brunt itself sent 99% of requests at most 78ms late. The failure stands without it; 1 other verdict is not " +
			"certain because of it; read response times as upper limits."},
		{"all held", func(r *result.Result) {
			r.Generator.Healthy = false
			r.Objectives[0].Verdict = scenarios.Pass
		}, "Busy machine: brunt itself sent 99% of requests at most 78ms late. The verdict is the same without it; read response times " +
			"as upper limits."},
		{"all held, and users waited", func(r *result.Result) {
			r.Generator.Healthy, r.Loads[0].Closed = false, true
			r.Objectives[0].Verdict = scenarios.Pass
		}, "Busy machine: brunt itself sent 99% of requests at most 78ms late. The users of a closed load wait for brunt " +
			"too, so the target may have had less load than they make; read response times as upper limits."},
		{"a closed load on a busy machine", func(r *result.Result) {
			r.Generator.Pressure, r.Loads[0].Closed = .944, true
		}, "Busy machine: brunt itself sent 99% of requests at most 78ms late. In the worst ten seconds tasks waited for a " +
			"processor 94% of the time, so a target on this machine may have been slower for it, and may have had less load: " +
			"the users of a closed load wait for brunt."},
		{"late at the wrong moment", func(r *result.Result) {
			r.Generator.Lag.P99, r.Generator.Lag.Max = .0002, .42
			r.Objectives[0].Verdict, r.Objectives[0].Why = scenarios.Invalid, result.Late
		}, "Late for a moment: brunt itself sent 99% of requests at most 200µs late, and one 420ms late. 1 verdict is not certain " +
			"because of it."},
		{"other programs held the processors", func(r *result.Result) {
			r.Generator.Lag.P99, r.Generator.Lag.Max = .0002, .42
			r.Objectives[0].Verdict, r.Objectives[0].Because = scenarios.Inconclusive, result.Notes{{Kind: result.MachineFails}}
		}, "Busy machine: brunt itself sent 99% of requests at most 200µs late, and one 420ms late. 1 verdict is not certain " +
			"because of it."},
		{"imported", func(r *result.Result) { r.Imported = "k6" }, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := onURL(t)
			r.Generator.Lag.P99 = .078
			r.Generator.Limited = []result.Limit{{Kind: result.LimitLag}}
			tt.change(r)
			got := ""
			if a := trust(r); a != nil {
				got = a.Line()
			}
			if got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestFaultLines: the outcome of a fault in plain words.
func TestFaultLines(t *testing.T) {
	for _, tt := range []struct {
		name   string
		r      func() *result.Result
		change func(*result.Result)
		want   string
		mark   string
	}{
		{
			"an outage with an incident", func() *result.Result { return onNginx(t) },
			func(r *result.Result) { r.Faults[0].FailedObjectives = []string{"errors < 1% in kill-cache"} },
			"kill-cache  outage of 4s: 400 requests failed; good again 2s after redis was back", "✗",
		},
		{
			"an outage that no objective forbids", func() *result.Result { return onPatroni(t) }, nil,
			"lose-the-leader  outage of 4s: 400 requests failed; good again 2s after patroni[1] was back", "!",
		},
		{
			"an older result, without incidents", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].Failed, r.Faults[0].Degraded, r.Faults[0].RecoveredAt = nil, 390, 3.9, 13
			}, "kill-cache  outage of 3.9s: 390 requests failed; good again 1s after redis was back", "!",
		},
		{
			"slower alone", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt = nil, result.NaN
				r.Faults[0].Parts = &result.ImpactParts{Requests: 500, Slowed: true, P50: .067, P50Before: .0031}
			}, "kill-cache  22x slower at p50: p50 3.1ms → 67ms; no request failed", "!",
		},
		{
			"slower at some time of it", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt, r.Faults[0].Impact = nil, result.NaN, result.UnknownYet
				r.Faults[0].Parts = &result.ImpactParts{
					Requests: 500, P50: .067, P50Before: .0031, SlowerBecause: result.Notes{{Kind: result.SlowerDuring}},
				}
			}, "kill-cache  22x slower at p50 meanwhile: p50 3.1ms → 67ms; no request failed; nothing shows that it made " +
				"answers slower", "?",
		},
		{
			"slower at one of two steps", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt = nil, result.NaN
				r.Faults[0].Parts = &result.ImpactParts{Requests: 500, Slowed: true, P50: .067, P50Before: .0031}
				base := slo.Phase{Kind: slo.BaselinePhase}
				for step, now := range map[string]result.Num{"remote": .06, "local": .001} {
					for phase, p50 := range map[slo.Phase]result.Num{base: min(now, .002), r.Faults[0].Phase(): now} {
						for _, outcome := range []string{"*", "ok"} {
							r.Cells = append(r.Cells, result.Cell{
								Phase: phase, Load: "shoppers", Step: step, Outcome: outcome, Count: 250,
								Response: result.Times{P50: p50, P95: p50},
							})
						}
					}
				}
			}, "kill-cache  remote 30x slower at p50: p50 2ms → 60ms; local not clearly slower; no request failed", "!",
		},
		{
			"survived", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt, r.Faults[0].Impact = nil, result.NaN, result.NotImpacted
				r.Faults[0].Parts = &result.ImpactParts{Requests: 500}
			}, "kill-cache  survived: no request failed, and answers were not clearly slower", "✓",
		},
		{
			"not certain whether slower", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt, r.Faults[0].Impact = nil, result.NaN, result.NotImpacted
				r.Faults[0].Parts = &result.ImpactParts{
					Requests: 500, SlowerBecause: result.Notes{{Kind: result.SlowerVaried}},
					P50: .01, P50Before: .01, P95: .1, P95Before: .02,
				}
			}, "kill-cache  slower, not certain: p50 10ms → 10ms, p95 20ms → 100ms (5x); no request failed", "?",
		},
		{
			"as fast, not certain", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt, r.Faults[0].Impact = nil, result.NaN, result.NotImpacted
				r.Faults[0].Parts = &result.ImpactParts{
					Requests: 500, SlowerBecause: result.Notes{{Kind: result.SlowerVaried}},
					P50: .01, P50Before: .01, P95: .02, P95Before: .02,
				}
			}, "kill-cache  not certain: p50 10ms → 10ms, p95 20ms → 20ms; no request failed, and that answers were slower is " +
				"not excluded", "?",
		},
		{
			"one step far slower", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt, r.Faults[0].Impact = nil, result.NaN, result.NotImpacted
				r.Faults[0].Parts = &result.ImpactParts{
					Requests: 1000, P50: .01, P50Before: .01, P95: .02, P95Before: .02,
					SlowerBecause: result.Notes{{Kind: result.SlowerStep, Of: "report", Part: 30, Count: 33}},
				}
			}, "kill-cache  slower, not certain: 30 of 33 good answers of report alone took over twice as long as before the " +
				"fault, and over 20 ms longer; no request failed", "?",
		},
		{
			"writes lost", func() *result.Result { return onNginx(t) },
			func(r *result.Result) {
				r.Incidents, r.Faults[0].OnsetAt, r.Faults[0].Impact = nil, result.NaN, result.NotImpacted
				r.Faults[0].Parts = &result.ImpactParts{
					Requests: 500, Lost: 151, SlowerBecause: result.Notes{{Kind: result.SlowerVaried}}, P50: .01, P50Before: .02,
				}
			}, "kill-cache  writes lost: 151 acknowledged writes were lost; no request failed", "✗",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.r()
			if tt.change != nil {
				tt.change(r)
			}
			_, list := faultLines(r)
			if got := list[0].Line(); got != tt.want || list[0].Mark != tt.mark {
				t.Errorf("got  %s %s\nwant %s %s", list[0].Mark, got, tt.mark, tt.want)
			}
		})
	}
}

// TestFaultsTitle: a fault that no traffic met is not only said to have taken effect, and one that stays is not said to
// have been taken back.
func TestFaultsTitle(t *testing.T) {
	for _, tt := range []struct {
		name     string
		traffic  []int64
		notShown string // of the first fault
		want     string
	}{
		{"met", []int64{400}, "", "Fault: took effect, was taken back"},
		{"not met", []int64{0}, "", "Fault: took effect, affected no traffic, was taken back"},
		{"one of two", []int64{0, 7}, "", "Faults: all took effect, 1 of 2 affected no traffic, all were taken back"},
		{"not all shown", []int64{7}, "that it waits", "Fault: took effect, shown only in part, was taken back"},
		{
			"one not all shown",
			[]int64{7, 7},
			"that it waits",
			"Faults: all took effect, 1 of 2 shown only in part, all were taken back",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := onNginx(t)
			r.Faults = nil
			for _, n := range tt.traffic {
				f := aFault("kill-cache", "container.kill", "redis[0]")
				f.Traffic, f.TrafficUnit = n, "requests"
				r.Faults = append(r.Faults, f)
			}
			r.Faults[0].NotShown = tt.notShown
			if got, _ := faultLines(r); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	none := func(kind string, down bool) result.FaultRecord {
		f := aFault("lost", kind, "redis[0]")
		f.Revert, f.StaysDown = "none", down
		return f
	}
	group := none("group", false)
	group.Steps = []result.FaultStep{{Kind: "process.freeze", Revert: "ok"}, {Kind: "process.crash", StaysDown: true}}
	for _, tt := range []struct {
		name   string
		faults []result.FaultRecord
		want   string
	}{
		{"a crash that nothing heals", []result.FaultRecord{none("process.crash", true)}, "Fault: took effect, stays"},
		{"a step of a group", []result.FaultRecord{group}, "Fault: took effect, stays"},
		{"a command without a revert", []result.FaultRecord{none("exec", false)}, "Fault: took effect, stays"},
		{"a crash that a supervisor heals", []result.FaultRecord{none("process.crash", false)}, "Fault: took effect, is over"},
		{
			"two ways to be over",
			[]result.FaultRecord{aFault("cut", "network.partition", "a->b"), none("process.crash", false)},
			"Faults: all took effect, all are over",
		},
		{
			"some",
			[]result.FaultRecord{aFault("cut", "network.partition", "a->b"), none("exec", false), none("action.run", false)},
			"Faults: all took effect, 1 of 3 was taken back, 2 of 3 stay",
		},
	} {
		r := onNginx(t)
		r.Faults = tt.faults
		if got, _ := faultLines(r); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestFaultsNote: the mark of an outage that made no objective fail is explained. If p95 before the faults is longer in
// objectives than in the rows of faults, because it includes brunt's own time, the report gives both.
func TestFaultsNote(t *testing.T) {
	slower := func(p95 result.Num) *result.Result {
		r := onNginx(t)
		r.Incidents, r.Faults[0].OnsetAt = nil, result.NaN
		r.Faults[0].Parts = &result.ImpactParts{
			Requests: 500, Slowed: true, P50: .067, P50Before: .0031, P95: .09, P95Before: .0179,
		}
		base := slo.Phase{Kind: slo.BaselinePhase}
		r.Cells = []result.Cell{
			{Phase: base, Load: "*", Step: "*", Outcome: "*", Count: 900},
			{Phase: base, Load: "*", Step: "*", Outcome: "ok", Count: 900, Response: result.Times{P95: p95}},
		}
		return r
	}
	for _, tt := range []struct {
		name string
		r    *result.Result
		want string
	}{
		{"two figures", slower(.04), "Response times of faults are of good answers, without brunt's own time: without it " +
			"p95 before the faults is 17.9ms, and with it 40ms."},
		{"about the same", slower(.0185), ""},
		{"no times are shown", func() *result.Result {
			r := slower(.04)
			r.Incidents, r.Faults[0].OnsetAt = onNginx(t).Incidents, 10
			r.Faults[0].Parts.Errors = 400
			return r
		}(), "An outage marked ! made no objective about its fault fail."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a := answerOf(tt.r)
			if a.FaultsNote != tt.want || tt.want != "" && !strings.HasSuffix(a.Text(), tt.want+"\n") {
				t.Errorf("got %q, want %q in %s", a.FaultsNote, tt.want, a.Text())
			}
		})
	}
}

// slowed adds a slowdown of 4 s to a run.
func slowed(r *result.Result) *result.Result {
	r.T0 = time.Date(2026, 11, 26, 16, 45, 0, 0, time.UTC)
	r.Slowdowns = []result.Slowdown{{From: 10, To: 14, Requests: 160, P50: .45, Usual: .044}}
	return r
}

// TestSlowdown: a report says when the target was slow without a fault, whatever the verdict.
func TestSlowdown(t *testing.T) {
	const why = "10s: for 4s half of the requests took 450ms or more, 10x the usual 44ms; no fault was in"
	failed := slowed(onURL(t))
	failed.Incidents, failed.Errors = nil, nil
	failed.Objectives = []result.ObjectiveResult{judged(t, "p95 < 200ms", .486, scenarios.Fail)}
	if got := answerOf(failed).Why; len(got) != 1 || got[0].String() != why+"." {
		t.Errorf("got %v, want %q", got, why)
	}
	failed.Slowdowns = append(failed.Slowdowns, result.Slowdown{From: 20, To: 22, Requests: 80, P50: .2, Usual: .044})
	if got := answerOf(failed).Why[0].String(); got != why+"; 1 more such span." {
		t.Errorf("got %q", got)
	}
	held := slowed(onURL(t))
	held.Verdict, held.Incidents = scenarios.Pass, nil
	held.Objectives = []result.ObjectiveResult{judged(t, "p95 < 1s", .486, scenarios.Pass)}
	if got := answerOf(held).Sentence.String(); got != "The objective held; from 10s to 14s answers took 10x the usual "+
		"44ms, with no fault in." {
		t.Errorf("got %q", got)
	}
	held.Conditions = []result.Condition{{Name: "slow-net", Evidence: "round trips take 80ms"}}
	if got := answerOf(held).Sentence.String(); !strings.HasSuffix(got, ", with no fault but the condition slow-net in.") {
		t.Errorf("got %q", got)
	}
	crash := aFault("crash", "process.crash", "web[0]")
	crash.Injected, crash.Cleared, crash.StaysDown = 2, 2, true
	down := *held
	down.Faults = []result.FaultRecord{crash}
	if got := answerOf(&down).Sentence.String(); !strings.Contains(got, "44ms, while the unit of crash was still down") {
		t.Errorf("got %q", got)
	}
	held.Slowdowns = nil
	if got := answerOf(held).Sentence.String(); got != "The objective held." {
		t.Errorf("got %q", got)
	}
}

// TestAnswer_NotKnown: the sentence of a run that passed names the faults whose effect is not known.
func TestAnswer_NotKnown(t *testing.T) {
	unsure := func(name string) result.FaultRecord {
		f := aFault(name, "network.partition", "a->b")
		f.Impact, f.OnsetAt = result.UnknownYet, result.NaN
		f.Parts = &result.ImpactParts{Requests: 500, SlowerBecause: result.Notes{{Kind: result.SlowerVaried}}}
		return f
	}
	lost := unsure("lost")
	lost.Note = "its effect is hidden by brunt's own time"
	lost.Parts = &result.ImpactParts{Requests: 500}
	slow := unsure("slow-store")
	slow.Impact = result.Impacted
	slow.Parts = &result.ImpactParts{Requests: 500, Slowed: true, P50: .067, P50Before: .001}
	meanwhile := unsure("split")
	meanwhile.Parts = &result.ImpactParts{
		Requests: 500, P50: .067, P50Before: .001, SlowerBecause: result.Notes{{Kind: result.SlowerDuring}},
	}
	for _, tt := range []struct {
		name   string
		faults []result.FaultRecord
		want   string
	}{
		{"one", []result.FaultRecord{unsure("split")}, "whether split made answers slower is not certain."},
		{"beside a slower one", []result.FaultRecord{slow, unsure("split")}, "whether split made answers slower is not " +
			"certain; slow-store made answers 67x slower at p50."},
		{
			"slower at some time of it", []result.FaultRecord{meanwhile}, "answers were 67x slower at p50 during split, and " +
				"nothing shows that it made them so.",
		},
		{
			"of two",
			[]result.FaultRecord{meanwhile, unsure("cut")},
			"whether split and cut made answers slower is not certain.",
		},
		{"harm is not excluded", []result.FaultRecord{lost, unsure("split")}, "what lost and split did is not known."},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := onNginx(t)
			r.Verdict, r.Incidents, r.Faults = scenarios.Pass, nil, tt.faults
			r.Objectives = []result.ObjectiveResult{judged(t, "errors < 1%", 0, scenarios.Pass)}
			if got := answerOf(r).Sentence.String(); got != "The objective held, though "+tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// TestPast: figures of a busy machine are no difference between two runs.
func TestPast(t *testing.T) {
	r := onNginx(t)
	run := slo.Phase{Kind: slo.RunPhase}
	r.Cells = []result.Cell{
		{Phase: run, Load: "*", Step: "*", Outcome: "*", Count: 3000},
		{Phase: run, Load: "*", Step: "*", Outcome: "error", Count: 110},
		{
			Phase: slo.Phase{Kind: slo.BaselinePhase}, Load: "*", Step: "*", Outcome: "ok", Count: 900,
			Response: result.Times{P90: .06, P95: .0817, P99: .13},
		},
	}
	if past(r) != nil {
		t.Error("without an earlier run there is a past")
	}
	r.Earlier = []result.Earlier{
		{Verdict: scenarios.Fail},
		{
			Verdict: scenarios.Pass, Requests: 3000, P95: .0021, P95Low: .0018, P95High: .0024,
			Changed: []result.SettingChange{{Param: "replicas", Before: "2", Now: "1"}},
		},
	}
	want := "Last runs: ✗✓✗. Since the last run: failed: 0% → 3.67%, worse; p95 before faults: 2.1ms → 81.7ms, worse; " +
		"parameter replicas: 2 → 1."
	if got := past(r).Line(); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	r.Earlier[1].Verdict = scenarios.Invalid
	if got := past(r).Line(); !strings.Contains(got, "failed: 0% → 3.67%, not certain") {
		t.Errorf("after a run that says nothing: got %s", got)
	}
	r.Earlier[1].Verdict = scenarios.Pass
	r.Generator.Healthy = false
	want = "Last runs: ✗✓✗. Since the last run: failed: 0% → 3.67%, worse; p95 before faults: 2.1ms → 81.7ms, not certain; " +
		"parameter replicas: 2 → 1."
	if got := past(r).Line(); got != want {
		t.Errorf("busy: got  %s\nwant %s", got, want)
	}
	for _, tt := range []struct {
		bad1, n1, bad2, n2 int64
		outages            bool
		want               string
	}{
		{3, 300, 12, 300, false, "worse"},
		{12, 300, 3, 300, false, "better"},
		{3, 300, 8, 300, false, "not certain"},
		{30, 3000, 32, 3000, false, "about the same"},
		{0, 3000, 0, 3000, false, "about the same"},
		{0, 100, 0, 100, false, "not certain"},
		{1050, 30_000, 1200, 30_000, false, "worse"},
		{1050, 30_000, 1200, 30_000, true, "not certain"}, // one outage of 2.1 s, and one of 2.4 s
		{2400, 30_000, 1050, 30_000, true, "not certain"},
		{1050, 30_000, 1060, 30_000, true, "about the same"},
		{400, 30_000, 1250, 30_000, true, "worse"},
		{1250, 30_000, 400, 30_000, true, "better"},
		{0, 3000, 110, 3000, true, "worse"},
	} {
		var d Difference
		if d.judge(shareDiffers(tt.bad1, tt.n1, tt.bad2, tt.n2, tt.outages)); d.Word != tt.want {
			t.Errorf("%d of %d, then %d of %d: %s, want %s", tt.bad1, tt.n1, tt.bad2, tt.n2, d.Word, tt.want)
		}
	}
	r.Generator.Healthy = true
	for _, tt := range []struct {
		count int64
		p95   result.Num // times that of the run before
		want  string
	}{{20, 1.25, "not certain"}, {200, 1.25, "not certain"}, {5000, 1.25, "worse"}, {5000, 1.02, "about the same"}} {
		before := result.Times{P90: .08, P95: .1, P99: .15}
		c := &r.Cells[2]
		c.Count, c.Response = tt.count, before
		e := &r.Earlier[1]
		e.P95, e.P95Low, e.P95High = result.SteadyP95(r.Cells)
		c.Response = result.Times{P90: .08 * tt.p95, P95: .1 * tt.p95, P99: .15 * tt.p95}
		if got := past(r).Line(); !strings.Contains(got, "ms, "+tt.want+"; parameter") {
			t.Errorf("%d answers, %gx: got %s, want %s", tt.count, float64(tt.p95), got, tt.want)
		}
	}
}

// TestAnswer_OnlyTooSlow: a fault that makes answers too slow, and no request fail, is no outage.
func TestAnswer_OnlyTooSlow(t *testing.T) {
	r := &result.Result{
		Verdict: scenarios.Pass, Objectives: []result.ObjectiveResult{{Verdict: scenarios.Pass}, {Verdict: scenarios.Pass}},
		Faults: []result.FaultRecord{{
			Name: "slow-line", Kind: "network.latency", Injected: 12, Verified: 12.2, Cleared: 20.06, Gone: true, Slow: .101,
			Impact: result.Impacted, OnsetAt: 12, RecoveredAt: 19.97, Degraded: 7.9, Failed: 474,
			Parts: &result.ImpactParts{
				Requests: 480, Slow: 474, Slowed: true, P50: .153, P50Before: .003, P95: .162, P95Before: .015,
			},
		}},
		Incidents: []result.Incident{{
			Begin: 12.07, End: 19.97, Over: true, Bad: 474, Requests: 474, Kinds: map[string]int64{"slow": 474}, By: "slow-line",
		}},
	}
	const want = "Both objectives held, though slow-line made answers 51x slower at p50 for 7.9s; no request failed."
	if _, said := sentence(r); said.String() != want {
		t.Errorf("got  %s\nwant %s", said, want)
	}
	const line = "slow-line  51x slower at p50 for 7.9s: 474 requests took over 101ms, none failed; good again as soon as it was over"
	if _, list := faultLines(r); list[0].Line() != line || list[0].Mark != "!" {
		t.Errorf("got  %s %s\nwant %s", list[0].Mark, list[0].Line(), line)
	}
	r.Cells = []result.Cell{ // a request failed before the fault
		{Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Outcome: "*", Count: 900},
		{Phase: slo.Phase{Kind: slo.RunPhase}, Load: "*", Step: "*", Outcome: "error", Count: 1},
	}
	if _, said := sentence(r); !strings.HasSuffix(said.String(), " for 7.9s; it failed no request.") {
		t.Errorf("a request failed elsewhere: %s", said)
	}
	breaker := *r // requests failed after the fault, in its incident
	breaker.Incidents = slices.Clone(r.Incidents)
	breaker.Incidents[0].Bad, breaker.Incidents[0].Requests = 594, 594
	breaker.Incidents[0].Kinds = map[string]int64{"slow": 474, "status 503": 120}
	const outage = "slow-line  outage of 7.9s: 594 requests failed or were too slow; "
	if _, list := faultLines(&breaker); !strings.HasPrefix(list[0].Line(), outage) {
		t.Error(list[0].Line())
	}
	if _, said := sentence(&breaker); strings.Contains(said.String(), "failed no request") {
		t.Error(said)
	}
	crash := r.Faults[0]
	crash.Name, crash.Recover, crash.Parts = "crash", 1.5, &result.ImpactParts{Requests: 100, Errors: 40, Slow: 3}
	r.Faults = append(r.Faults, crash)
	const both = "Both objectives held, though slow-line made answers 51x slower at p50 for 7.9s; the target recovered from " +
		"the other fault in 1.5s."
	if _, said := sentence(r); said.String() != both {
		t.Errorf("got  %s\nwant %s", said, both)
	}
	if _, list := faultLines(r); !strings.HasPrefix(list[1].Outcome, "outage of ") {
		t.Errorf("requests that failed are %q", list[1].Outcome)
	}
}

// TestAnswer_OpenByOwnTime: where brunt's own time leaves a fault's effect open, the verdict is not the same without
// it, and there is something to do about it.
func TestAnswer_OpenByOwnTime(t *testing.T) {
	r := onURL(t)
	r.Generator.Healthy = false
	r.Generator.Add(result.Limit{Kind: result.LimitLag, Remedy: result.OwnCore})
	r.Verdict, r.Objectives[0].Verdict, r.Objectives[0].Why = scenarios.Inconclusive, scenarios.Inconclusive, ""
	r.Objectives[0].Because = result.Notes{{Kind: result.SlowUntold}, {Kind: result.SlowerOwn}}
	if text := trust(r).Text; !strings.Contains(text, "1 verdict is not certain because of it") {
		t.Error(text)
	}
	if ownCore(find(r)) == nil {
		t.Error("nothing is advised")
	}
	r.Objectives[0].Because = result.Notes{{Kind: result.SlowUntold}, {Kind: result.SlowerFew}}
	if text := trust(r).Text; strings.Contains(text, "not certain") {
		t.Error(text)
	}
}

// TestAnswer_Text is the answer as a message: all of it, in plain lines.
func TestAnswer_Text(t *testing.T) {
	const want = `✗ shop
Don't ship. When the only replica of redis died, every request failed for 4s. ` +
		`13% of requests failed, and less than 1% may.
Why it failed
- 10s: the only replica of redis died; back at 12s.
- GET /basket failed first: 400 × status 502 “502 Bad Gateway”.
- 2s of the 4s came after redis was back.
What to change
1. Run a second replica of redis. Try: brunt run shop.yaml --set rate=100/s --set caches=2
Quiet machine: brunt itself sent 99% of requests at most 0s late.
Objectives: 1 failed
✗ errors < 1%  13%  13x the limit
Fault: took effect, was taken back
! kill-cache  outage of 4s: 400 requests failed; good again 2s after redis was back
An outage marked ! made no objective about its fault fail.
`
	r := onNginx(t)
	r.Name = "shop"
	if got := answerOf(r).Text(); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}
