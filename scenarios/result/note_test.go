package result_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"brunt/scenarios/result"
	"brunt/scenarios/slo"
)

// TestNotes_Phrase: what each kind of note says, with its figures.
func TestNotes_Phrase(t *testing.T) {
	const (
		late   = "brunt itself was late"
		share  = "errors < 1%"
		limits = "answers were slower, and how long is not known: "
	)
	run, fault := slo.ParsePhase("run"), slo.ParsePhase("f#2")
	for _, c := range []struct {
		objective, want string
		notes           result.Notes
	}{
		{"", "", nil},
		{"", "12 requests, but at least 59 are needed", result.Notes{{Kind: result.FewRequests, Count: 12, Need: 59}}},
		{"", "too many of only 12 requests were bad", result.Notes{{Kind: result.TooManyBad, Count: 12}}},
		{"", "strict: the target lies within the 95 % interval", result.Notes{{Kind: result.AtTarget}}},
		{
			share, "0% of 60 requests, which show no better than 10.1%: about 547 are needed at this share",
			result.Notes{{Kind: result.NotShown, Count: 60, High: .101, Need: 547}},
		},
		{
			share, "0.9% of 60 requests, which show no better than 10.1%",
			result.Notes{{Kind: result.NotShown, Value: .009, Count: 60, High: .101}},
		},
		{
			"", late + " or without a socket for 3 of 90 requests: it fails as measured, but not with brunt's own time taken off",
			result.Notes{{Kind: result.OwnLagFails, Part: 3, Count: 90}},
		},
		{
			"", late + ": it holds as measured, but not with brunt's own time taken off",
			result.Notes{{Kind: result.OwnLagHolds, Count: 90}},
		},
		{
			"", late + " or without a socket for 3 of 90 requests, so the load was not the scheduled one",
			result.Notes{{Kind: result.NotTheLoad, Part: 3, Count: 90}},
		},
		{
			"", late + " or without a socket for 3 of 90 requests during f, so the load was not the scheduled one",
			result.Notes{{Kind: result.NotTheLoad, Part: 3, Count: 90, Of: "f"}},
		},
		{
			"", late + ": it sent 4 requests of f#2 after that was over, and the objective does not hold if those were bad",
			result.Notes{{Kind: result.SentAfter, Count: 4, Phase: fault}},
		},
		{
			"p95 < 1s", "users waited instead of sending: it is 2.5s with the 40 requests that they did not send",
			result.Notes{{Kind: result.UsersWaited, Value: 2.5, Count: 40}},
		},
		{
			share, "users waited instead of sending: it is 2.5% by time",
			result.Notes{{Kind: result.UsersWaitedByTime, Value: .025}},
		},
		{"", "worker 2 is lost", result.Notes{{Kind: result.LostWorker, Text: "worker 2 is lost"}}},
		{"", "no request in run", result.Notes{{Kind: result.RequestsNone, Phase: run}}},
		{"", "no request was sent in run", result.Notes{{Kind: result.RequestsUnsent, Phase: run}}},
		{"", "no iteration began in run", result.Notes{{Kind: result.IterationsNone, Phase: run}}},
		{
			"", "recovery/f is empty: another fault was injected, or the load ended, before the fault was cleared",
			result.Notes{{Kind: result.PhaseEmpty, Phase: slo.ParsePhase("recovery/f")}},
		},
		{"", "the phase did not occur", result.Notes{{Kind: result.PhaseAbsent}}},

		{"p95 < 1s", "baseline was 24ms", result.Notes{{Kind: result.ReferenceIs, Of: "baseline", Value: .024}}},
		{
			"p95 < 1s",
			"p95 of baseline lies between 24ms and 31ms (95 %), which decides: more requests in it tell it more exactly",
			result.Notes{{Kind: result.ReferenceDecides, Of: "baseline", Low: .024, High: .031}},
		},
		{
			"p95 < 1s", "p95 of load a is infinite, as too many of its requests failed",
			result.Notes{{Kind: result.ReferenceInfinite, Of: "load a"}},
		},
		{"p95 < 1s", "p95 of load a is not known", result.Notes{{Kind: result.ReferenceUnknown, Of: "load a"}}},
		{
			"p95 < 1s", "nothing to compare with: 12 requests, but at least 59 are needed",
			result.Notes{{Kind: result.ReferenceUndone}, {Kind: result.FewRequests, Count: 12, Need: 59}},
		},
		{"", "there was no f#2 to compare with", result.Notes{{Kind: result.ReferenceAbsent, Phase: fault}}},
		{"", "a worker was lost, whose requests f#2 lacks", result.Notes{{Kind: result.ReferenceLost, Phase: fault}}},
		{
			share, "errors is 0% in both phases, and so is any multiple of it: want <=",
			result.Notes{{Kind: result.ReferenceSame}},
		},

		{"", "the fault was not injected", result.Notes{{Kind: result.FaultAbsent}}},
		{"", "f was injected in part, so its effect is unknown", result.Notes{{Kind: result.FaultPartly, Of: "f"}}},
		{"", "f was not verified, so its effect is unknown", result.Notes{{Kind: result.FaultUnverified, Of: "f"}}},
		{"", "f affected no traffic, so its effect is unknown", result.Notes{{Kind: result.FaultUnmet, Of: "f"}}},
		{
			"", "f was skipped: no unit matches posts",
			result.Notes{{Kind: result.FaultSkipped, Of: "f", Text: "no unit matches posts"}},
		},
		{
			"", "f was over before its time, after 1.05s: [it] <was> killed; twice",
			result.Notes{{Kind: result.FaultOver, Of: "f", For: 1.0461, Text: "[it] <was> killed; twice"}},
		},
		{"", "it was killed", result.Notes{{Kind: result.FaultVoid, Text: "it was killed"}}},
		{
			"", "no request in run; f was over after 1.046s, and is judged for 5.002s",
			result.Notes{
				{Kind: result.RequestsNone, Phase: run},
				{Kind: result.FaultBrief, Of: "f", For: 1.0461, Within: 5.0021},
			},
		},
		{
			"", "f was on web[0] for 5s of 30s: g ended it there",
			result.Notes{{
				Kind: result.FaultCut, Of: "f", For: 5.0012, Within: 30, Text: "web[0]", Faults: []string{"g"},
			}},
		},
		{
			"", "require_impact is set, but no impact of f was seen",
			result.Notes{{Kind: result.ImpactMissing, Of: "f"}},
		},
		{
			"", "require_impact is set, but whether f had an impact is unknown: slower, not certain: the baseline " +
				"is too short, or its times vary too much, to exclude chance",
			result.Notes{
				{Kind: result.ImpactUntold, Of: "f"},
				{Kind: result.SlowUntold},
				{Kind: result.SlowerVaried},
			},
		},
		{
			"", "the share of bad requests stayed within the limit, so there is no onset",
			result.Notes{{Kind: result.OnsetNone}},
		},
		{
			"", "not recovered: > 16s; 0.5% of requests were bad before the first fault and 0.667% long after the fault, and " +
				"recovery shows only where their share is known to be under judge.limit, 1%: `judge: {limit: 2%}` is well above " +
				"that share, relapsed at 20.5s",
			result.Notes{
				{Kind: result.RecoveryNone, For: 16},
				{Kind: result.UsualBad, Base: .005, Value: .00667, Limit: .01, High: .02},
				{Kind: result.RelapsedThen, From: 20.5},
			},
		},
		{
			"", "relapsed at 20.5s, so its last recovery counts",
			result.Notes{{Kind: result.RecoveryLast, From: 20.5}},
		},
		{"", "no recovery while the fault was active", result.Notes{{Kind: result.FailoverNone}}},
		{
			"", "the fault was over before a hold long enough to prove that the target was good while it was in: 11s more " +
				"was needed, as 299 good requests prove it, and only 90 of them came",
			result.Notes{{Kind: result.FailoverUntold, For: 11, Need: 299, Count: 90}},
		},
		{
			"", "f was over by itself before a hold long enough to prove that the target was good while it was in: ask how " +
				"long until it has recovered from f",
			result.Notes{{Kind: result.FailoverUntold, Of: "f"}},
		},
		{"", "the share of bad requests stayed within the limit", result.Notes{{Kind: result.WithinLimit}}},
		{
			"", "it is known to lie between 1.234s and 2s only, and the limit is between them",
			result.Notes{{Kind: result.EndsDecide, Low: 1.23412, High: 2}},
		},
		{"", "of f, g together", result.Notes{{Kind: result.Together, Faults: []string{"f", "g"}}}},
		{
			"recover < 1s after f", "f, g together: 1.5s; which of them did it is unknown",
			result.Notes{{Kind: result.TogetherFails, Faults: []string{"f", "g"}, Value: 1.5}},
		},
		{
			"", "4 occurrences, but at least 10 are needed",
			result.Notes{{Kind: result.FewOccurrences, Count: 4, Need: 10}},
		},
		{
			"", "the effect of 1 of 10 occurrences is unknown, and decides: g was in as well",
			result.Notes{{Kind: result.OccurrencesUnfit, Part: 1, Count: 10}, {Kind: result.OtherIn, Of: "g"}},
		},
		{"", "no incident overlaps a fault", result.Notes{{Kind: result.IncidentNone}}},
		{
			"", "whether f had an incident is unknown: g had not been recovered from",
			result.Notes{{Kind: result.IncidentUntold, Of: "f"}, {Kind: result.OtherOpen, Of: "g"}},
		},
		{"", "not shown to have recovered: > 3.5s", result.Notes{{Kind: result.IncidentOpen, For: 3.5}}},
		{
			"", "the incident from 6.02s to 7.146s",
			result.Notes{{Kind: result.IncidentWas, From: 6.02, To: 7.1459}},
		},
		{
			"", late + ": it sent 30 of 40 requests of f after that was over, and sent no request meanwhile",
			result.Notes{{Kind: result.OwnSentAfter, Part: 30, Count: 40, Of: "f"}, {Kind: result.OwnSentNone}},
		},
		{
			"", late + ": it saw nothing of the target for 1.5s of the 2.001s of f",
			result.Notes{{Kind: result.OwnSawNothing, For: 1.5, Within: 2.0012, Of: "f"}},
		},
		{
			"", late + ": it saw nothing of the target from 1m1s to 1m2.5s, and what the target did then decides",
			result.Notes{{Kind: result.OwnUnseen, From: 61, To: 62.5}},
		},
		{
			"", late + ": nearly all requests around 6.02s were sent 400ms late, and an outage that is as much longer " +
				"or shorter decides",
			result.Notes{{Kind: result.OwnLate, From: 6.02, For: .4}},
		},
		{
			"", "answers were slower, and how long is not certain: " + late + " by as much in some of those seconds",
			result.Notes{{Kind: result.OwnSlow}},
		},
		{
			"", "f: " + limits + "the baseline has too few answers to tell which are slow; make it longer, or set " +
				"`judge: {slow: ...}`",
			result.Notes{{Kind: result.OfOne, Of: "f"}, {Kind: result.SlowUnlimited}},
		},
		{
			"", limits + "they took less than the limit from the baseline, 69.1ms; set `judge: {slow: ...}`",
			result.Notes{{Kind: result.SlowUnderLimit, Limit: .06908}},
		},

		{
			"", "no request ended before the first injection, so there is no baseline",
			result.Notes{{Kind: result.BaselineNone}},
		},
		{
			"", "the steady state did not hold: windows before the injection were bad",
			result.Notes{{Kind: result.BeforeUnsteady}},
		},
		{"", "requests were in flight and none ended before f", result.Notes{{Kind: result.BeforeStuck, Of: "f"}}},
		{"", "errors were already over 1% before f", result.Notes{{Kind: result.BeforeFailed, Of: "f", Limit: .01}}},
		{
			"", "errors and answers over 69.1ms were already over 1% before f",
			result.Notes{{Kind: result.BeforeFailed, Of: "f", Limit: .01, For: .06908}},
		},
		{
			"", "errors and answers over the limit of their step were already over 1% before f",
			result.Notes{{Kind: result.BeforeFailedStep, Of: "f", Limit: .01}},
		},
		{"", "the load ended within a hold of the injection", result.Notes{{Kind: result.EndWithinHold}}},
		{
			"", "the load ended before a hold long enough to prove recovery: 17s more was needed, as 780 good requests prove " +
				"it, and only 355 of them came",
			result.Notes{{Kind: result.EndBeforeHold, For: 17, Count: 355, Need: 780}},
		},
		{
			"", "g was injected before a hold long enough to prove recovery: 3s more was needed",
			result.Notes{{Kind: result.EndBeforeHold, Of: "g", For: 3}},
		},
		{
			"", "g was injected within a hold of the injection",
			result.Notes{{Kind: result.EndWithinHold, Of: "g"}},
		},
		{
			"", "the load ended after a bad window, and one bad window does not decide",
			result.Notes{{Kind: result.EndAfterBad}},
		},
		{
			"", "g was injected before a hold long enough to prove recovery",
			result.Notes{{Kind: result.EndBeforeHold, Of: "g"}},
		},
		{"", "too few requests after the injection to decide", result.Notes{{Kind: result.FewAfter}}},
		{
			"", "too few requests between the injection and that of g to decide",
			result.Notes{{Kind: result.FewAfter, Of: "g"}},
		},
		{"", "g was injected before recovery could show", result.Notes{{Kind: result.OtherNext, Of: "g"}}},
		{"", "it is in", result.Notes{{Kind: result.FaultIn}}},
		{"", "it is in and does harm: 7 requests failed so far", result.Notes{{Kind: result.FaultHarms, Count: 7}}},
		{
			"", "it is cleared and not yet recovered from: 0 requests failed so far",
			result.Notes{{Kind: result.FaultOpen}},
		},
		{"", "it is cleared, and it is too early to tell", result.Notes{{Kind: result.FaultFresh}}},
		{
			"", "no unit; late; not on web[1]; taken back early, as the run ended",
			result.Notes{
				{Kind: result.FaultFailed, Text: "no unit"},
				{Kind: result.FaultLate, Text: "late"},
				{Kind: result.FaultMissing, Text: "not on web[1]"},
				{Kind: result.FaultTakenBack},
			},
		},

		{"", "brunt itself was later than before the fault, which may explain all of it", result.Notes{{Kind: result.SlowerOwn}}},
		{
			"", "there are 7 good answers of the fault and 1000000 of the baseline, and 59 and 20 are needed",
			result.Notes{{Kind: result.SlowerFew, Count: 7, Base: 1e6, Need: 59, NeedBase: 20}},
		},
		{
			"", "the baseline has good answers in 3 s, and 5 s are needed",
			result.Notes{{Kind: result.SlowerShort, Count: 3, Need: 5}},
		},
		{
			"", "requests were bad from 22.1s to 22.2s, 12.1s after the injection of f, and nothing shows that it did that",
			result.Notes{{Kind: result.HarmDuring, Of: "f", From: 22.1, To: 22.2, For: 12.1}},
		},
		{
			"", "requests were bad from 22.1s on, 2.1s after f was over, and nothing shows that it did that",
			result.Notes{{Kind: result.HarmAfter, Of: "f", From: 22.1, For: 2.1}},
		},
		{
			"", "30 of 40 good answers are of steps that had fewer than 5 in the baseline",
			result.Notes{{Kind: result.SlowerSteps, Part: 30, Count: 40, Need: 5}},
		},
		{
			"", "30 of 80 good answers took far longer than the median before the fault, which is not certainly more than half",
			result.Notes{{Kind: result.SlowerHalf, Part: 30, Count: 80}},
		},
		{
			"", "3 of 80 good answers took far longer than the 95th percentile before the fault, which is not certainly more than one in 20",
			result.Notes{{Kind: result.SlowerTail, Part: 3, Count: 80}},
		},
		{
			"", "30 of 33 good answers of report alone took over twice as long as before the fault, and over 20 ms longer",
			result.Notes{{Kind: result.SlowerStep, Of: "report", Part: 30, Count: 33}},
		},
		{
			"", "seconds without a fault were as slow after the recovery, though not before the fault",
			result.Notes{{Kind: result.SlowerRest}},
		},
		{"", "no fault was injected", result.Notes{{Kind: result.SlowerNoFault}}},
		{"", "it was not injected", result.Notes{{Kind: result.SlowerThis}}},
		{"", "that is tested when the run is over", result.Notes{{Kind: result.SlowerLater}}},

		{"", "the monitoring was not queried", result.Notes{{Kind: result.MonitorUnasked}}},
		{"", "no answer; timeout", result.Notes{{Kind: result.MonitorFailed, Text: "no answer; timeout"}}},
		{"", "not noticed: > 12.5s", result.Notes{{Kind: result.NoticedNone, For: 12.5}}},
		{"", "no person marked it as acted", result.Notes{{Kind: result.MarkNone, Text: "acted"}}},
		{"", "not reached: > 12.5s", result.Notes{{Kind: result.ReachedNone, For: 12.5}}},
		{"", "still firing: > 12.5s", result.Notes{{Kind: result.FiringStill, For: 12.5}}},
		{
			"", "g was active at the same time, so it is unknown which of the two was noticed",
			result.Notes{{Kind: result.NoticedWhich, Of: "g"}},
		},
		{
			"", "g was active at the same time, so it is unknown which of the two the alert fired for",
			result.Notes{{Kind: result.FiredWhich, Of: "g"}},
		},
		{"", "f was not cleared", result.Notes{{Kind: result.FaultUncleared, Of: "f"}}},
		{"", "the stage did not begin", result.Notes{{Kind: result.StageAbsent}}},
		{
			"", "posts had 4 ready pods before, so that reaching this number shows nothing",
			result.Notes{{Kind: result.PodsBefore, Of: "posts", Count: 4}},
		},
		{"", "fewer were ready again at 12.5s", result.Notes{{Kind: result.PodsFewer, From: 12.5}}},
		{"", "no value of depth is known", result.Notes{{Kind: result.ValueUnknown, Of: "depth"}}},
		{"", "no value of depth is known from then on", result.Notes{{Kind: result.ValueUnknownThen, Of: "depth"}}},
		{"", "posts[0]", result.Notes{{Kind: result.OfOne, Of: "posts[0]"}}},
		{
			"", "posts[0]: no value is known in run",
			result.Notes{{Kind: result.OfOne, Of: "posts[0]"}, {Kind: result.ValuesNone, Phase: run}},
		},
		{"", "no value was read in run", result.Notes{{Kind: result.ValuesUnread, Phase: run}}},
		{
			"", "no value was read in run, which lasted 8s: GET /: status 401",
			result.Notes{{Kind: result.ValuesUnreadFor, Phase: run, For: 8, Text: "GET /: status 401"}},
		},
		{
			"", "no value of depth is known: GET /: status 401",
			result.Notes{{Kind: result.ValueUnknown, Of: "depth", Text: "GET /: status 401"}},
		},
		{
			"", "no value was read in run, which lasted 500ms",
			result.Notes{{Kind: result.ValuesUnreadFor, Phase: run, For: .5}},
		},
		{
			"", "20 values are known in run, but 60 were expected: the worst may be missing",
			result.Notes{{Kind: result.ValuesMissing, Count: 20, Phase: run, Need: 60}},
		},
		{
			"", "55 values are known in run, but 60 were expected, and none for 6s: the worst may be missing",
			result.Notes{{Kind: result.ValuesMissing, Count: 55, Phase: run, Need: 60, For: 6}},
		},
		{
			"", "calls was read 6 times in run, and its growth in 54s of it is not known",
			result.Notes{{Kind: result.GrowthMissing, Of: "calls", Count: 6, Phase: run, For: 54}},
		},
		{
			"", "9 values, but at least 10 are needed to judge growth",
			result.Notes{{Kind: result.FewValues, Count: 9, Need: 10}},
		},
		{"", "its process restarted too often to judge growth", result.Notes{{Kind: result.ProcessRestarted}}},
		{
			"slope(posts[0].memory) < 1MiB/m", "it grows by 0B/m to 17.1KiB/s: a longer run would decide",
			result.Notes{{Kind: result.GrowthBetween, High: 1 << 20 / 60.}},
		},
		{
			"", "calls was read 2 times in run, and its growth there needs 3: it is read every 1m30s (every: …)",
			result.Notes{{Kind: result.FewReadings, Of: "calls", Count: 2, Phase: run, Need: 3, For: 90}},
		},
		{"", "idle did not grow in run", result.Notes{{Kind: result.GrowthNone, Of: "idle", Phase: run}}},
		{"", "600 for 0.333", result.Notes{{Kind: result.GrowthFor, Value: 600, Base: 1 / 3.}}},
		{
			"", "the calls of a->b were counted 2 times in run, and 3 are needed: brunt counts every 200ms",
			result.Notes{{Kind: result.FewCounts, Of: "a->b", Count: 2, Phase: run, Need: 3, For: .2}},
		},
		{
			"amplification(a -> b) < 1.5", "by the times of the counts and the calls without load, between 1.4 and 1.6: a " +
				"longer phase or more requests would decide",
			result.Notes{{Kind: result.CallsBetween, Low: 1.4, High: 1.6}},
		},
		{"", "brunt counted the bytes of a->b, not its calls", result.Notes{{Kind: result.CallsUnread, Of: "a->b"}}},
		{
			"", "2 connections of a->b carried a protocol that brunt does not read, so their calls are unknown",
			result.Notes{{Kind: result.ConnectionsUnread, Of: "a->b", Count: 2}},
		},
		{"", "the calls of a->b without load are unknown", result.Notes{{Kind: result.QuietNone, Of: "a->b"}}},
		{"", "there is no ledger", result.Notes{{Kind: result.LedgerAbsent}}},
		{"", "a; b", result.Notes{{Kind: result.LedgerUnread}, {Kind: result.LedgerUnreported, Text: "a; b"}}},
		{
			"", "acknowledged writes were lost (7), to it or to pause, cut: which of them did it is unknown",
			result.Notes{{Kind: result.LossShared, Count: 7, Faults: []string{"pause", "cut"}}},
		},
		{
			"", "there was no time to read writes back between a, b; nothing was read back between b, c: no unit answered; " +
				"3 of 40 writes were read back between c, d, as there was no time for all",
			result.Notes{
				{Kind: result.ReadBackNone, Faults: []string{"a", "b"}},
				{Kind: result.ReadBackSilent, Faults: []string{"b", "c"}},
				{Kind: result.ReadBackPart, Part: 3, Count: 40, Faults: []string{"c", "d"}},
			},
		},
		{"", "no write was acknowledged", result.Notes{{Kind: result.WritesNone}}},
		{"", "3 of 40 writes could not be read back", result.Notes{{Kind: result.WritesUnread, Part: 3, Count: 40}}},
		{
			"", "the bounds of what was measured lie on both sides of the target",
			result.Notes{{Kind: result.WritesBounds}},
		},
		{"", "12 writes, but at least 59 are needed", result.Notes{{Kind: result.FewWrites, Count: 12, Need: 59}}},
		{
			share, "0.9% of 60 writes, which show no better than 10.1%",
			result.Notes{{Kind: result.WritesNotShown, Value: .009, Count: 60, High: .101}},
		},
		{
			"", "no answered request has a trace in run",
			result.Notes{{Kind: result.TracesNone, Phase: run}},
		},
		{
			"", "no span of a request came: the target sends none, or not to brunt",
			result.Notes{{Kind: result.SpansNone}},
		},
		{"", "12 traces, but at least 299 are needed", result.Notes{{Kind: result.FewTraces, Count: 12, Need: 299}}},
		{
			share, "0.9% of 60 traces are not whole, which show no better than 10.1%",
			result.Notes{{Kind: result.TracesNotShown, Value: .009, Count: 60, High: .101}},
		},
		{"", "no read during the load was answered", result.Notes{{Kind: result.ReadsNone}}},
		{"", "3 of 40 reads had no answer", result.Notes{{Kind: result.ReadsUnanswered, Part: 3, Count: 40}}},
		{"", "the load never began", result.Notes{{Kind: result.LoadUnbegun}}},
		{"", "in milliseconds", result.Notes{{Kind: result.ThresholdMillis}}},
		{
			"", "the script made no sample of it, which k6 takes for 0",
			result.Notes{{Kind: result.ThresholdEmpty}},
		},
		{"", "what a later brunt says", result.Notes{{Kind: "of_a_later_brunt", Text: "what a later brunt says"}}},
	} {
		of := &result.ObjectiveResult{}
		if c.objective != "" {
			o, err := slo.ParseObjective(c.objective)
			if err != nil {
				t.Fatal(err)
			}
			*of = result.NewObjective(o, "")
		}
		of.Because = c.notes
		of.Say()
		if of.Note != c.want {
			t.Errorf("%q, want %q", of.Note, c.want)
		}
		checkRead(t, c.notes)
	}
}

// checkRead checks that notes are the same once they are read from a file.
func checkRead(t *testing.T, notes result.Notes) {
	t.Helper()
	b, err := json.Marshal(notes)
	if err != nil {
		t.Fatal(err)
	}
	var again result.Notes
	if err := json.Unmarshal(b, &again); err != nil {
		t.Fatal(err)
	}
	if again.Phrase(nil) != notes.Phrase(nil) {
		t.Errorf("%s is %v, and was %v", b, again, notes)
	}
}

// TestNotes_And: more notes leave those of another objective as they are.
func TestNotes_And(t *testing.T) {
	one := append(make(result.Notes, 0, 4), result.Note{Kind: result.FaultIn})
	a, b := one.And(result.Note{Kind: result.FaultTakenBack}), one.And(result.Note{Kind: result.FaultFresh})
	if reflect.DeepEqual(a, b) || len(one) != 1 {
		t.Errorf("%v and %v", a, b)
	}
}
