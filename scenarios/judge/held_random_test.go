package judge_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/measure"
	"brunt/scenarios/suite"
)

// TestJudge_HeldOnlyDoubts plays random outages, with random readings of a machine that other programs hold, and of
// units that are away and wait. Such readings doubt a failure. They turn no failure into a pass, and change no other
// verdict.
func TestJudge_HeldOnlyDoubts(t *testing.T) {
	texts := []string{
		"errors < 1%", "availability > 99%", "p95 < 300ms", "within(300ms) > 99%", "goodput > 45/s", "timeouts <= 5",
		"burn(99%, 5s) < 1", "recover < 3s after f", "recover < 3s after incident", "degraded < 2s after f",
		"failed < 50 after f", "errors < 5% in f", "errors < 1% in recovery/f", "errors < 1% in baseline",
	}
	doubted := 0
	for seed := range uint64(suite.Trials(600)) {
		r := rand.New(rand.NewPCG(seed, 3))
		span := func() requests.Span {
			from := time.Duration(r.IntN(280)) * 100 * ms
			return requests.Span{From: from, To: from + time.Duration(1+r.IntN(80))*100*ms}
		}
		list := perSecond(50, 0, 30*sec, 5*ms, okay)
		for range 1 + r.IntN(3) {
			in, kind, every := span(), r.IntN(4), 1+r.IntN(3)
			for i := range list {
				o := &list[i]
				if o.Intended < in.From || o.Intended >= in.To || i%every > 0 {
					continue
				}
				switch o.Kind = scenarios.Error; kind {
				case 0:
					o.Cause, o.Status, o.Answered = scenarios.Timeout, 0, false
					o.First, o.End = o.Sent+2*sec, o.Sent+2*sec
				case 1:
					o.Cause, o.Status = scenarios.Status(503), 503
				case 2:
					o.Cause, o.Status, o.Answered = scenarios.Refused, 0, false
				case 3:
					o.Kind = scenarios.OK
					o.First, o.End = o.Sent+700*ms, o.Sent+700*ms
				}
			}
		}
		late := time.Duration(r.IntN(60)) * 10 * ms
		for i := r.IntN(50); i < len(list); i += 50 {
			if list[i].Kind == scenarios.OK {
				lateBy(late, list[i:i+1])
			}
		}
		o, s := parseObjectives(t, texts...), oneStep
		s.Loads = []measure.SeriesLoad{{Name: "browse", Timeout: 2 * sec}}
		at := time.Duration(8+r.IntN(8)) * sec
		play := func(c judge.Case) *judge.Findings {
			f := newFixtureWith(t, measure.Config{Series: s}, o...)
			own := append([]scenarios.Outcome{}, list...)
			f.play(own, action{at, func() { f.Inject("f", "f") }}, action{at + 2*sec, func() { f.Clear(0) }})
			c.SLO, c.Hold = o, 2*sec
			return f.finish(c, 30*sec)
		}
		of := judge.Occurrence{Hit: []string{"web[0]"}}
		if r.IntN(2) == 0 {
			of.Unwell = []requests.Span{{From: at, To: at + time.Duration(1+r.IntN(60))*100*ms}}
		}
		share := r.Float64()
		before := play(judge.Case{Occurrences: []judge.Occurrence{of}})
		held := play(judge.Case{
			Occurrences: []judge.Occurrence{of},
			Held:        []requests.Span{span(), {From: at - sec, To: at + time.Duration(r.IntN(10))*sec}},
			UnitWaits: func(_ string, in requests.Span) time.Duration {
				return time.Duration(share * float64(in.Length()))
			},
		})
		for i := range before.Objectives {
			was, is := before.Objectives[i].Verdict, held.Objectives[i].Verdict
			switch {
			case was == is:
			case was == scenarios.Fail && is == scenarios.Inconclusive:
				doubted++
			default:
				t.Errorf("seed %d: %s is %s, and %s on a held machine: %s", seed, texts[i], was, is, held.Objectives[i].Note)
			}
		}
	}
	if doubted == 0 {
		t.Error("no failure is doubted")
	}
	t.Logf("%d failures are doubted", doubted)
}
