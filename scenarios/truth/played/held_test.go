package played

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/truth"
)

// TestHeld_ClearFailures plays targets that clearly miss their objectives on a machine whose processors other programs
// hold, and a brunt that is late for a few requests: answers with a status, and slow answers to most requests, fail all
// the same.
func TestHeld_ClearFailures(t *testing.T) {
	counts := map[string]map[scenarios.Verdict]int{}
	for seed := range uint64(suite.Trials(300)) {
		r := rand.New(rand.NewPCG(seed, 13))
		took, late := time.Duration(10+r.IntN(60))*ms, time.Duration(5+r.IntN(20))*ms
		p := timed{playedCase: playedCase{
			held: true, seconds: 30, rate: pick(r, 50, 100, 200), timeout: 2 * sec, faults: []span{{12 * sec, 18 * sec}},
			lag: func(n int) time.Duration {
				if n%100 == 0 { // one percent of the requests
					return late
				}
				return 100 * time.Microsecond
			},
		}}
		wrong := pick(r, truth.Act{Delay: 2 * ms, Status: 503}, truth.Act{Delay: 300 * ms, Status: 503},
			truth.Act{Delay: 500 * ms, Status: 504}, truth.Act{Delay: 2 * ms, Status: 500})
		usual := truth.Act{Delay: 2 * ms}
		if slow := r.IntN(2) == 0; slow {
			usual.Delay = took
			limit := took * 2 / 3
			for _, form := range []string{"p50 < %v", "p90 < %v", "within(%v) > 90%%", "p50 < %v in f"} {
				p.want = append(p.want, timedTruth{fmt.Sprintf(form, limit), false})
			}
		} else {
			for _, text := range []string{
				"errors < 5%", "errors < 1% in f", "availability > 99% in f", "recover < 2s after f", "degraded < 2s after f",
			} {
				p.want = append(p.want, timedTruth{text, false})
			}
		}
		p.script = func(n int) truth.Act {
			if at := time.Duration(n) * sec / time.Duration(p.rate); usual.Delay == 2*ms && at >= 12*sec && at < 18*sec {
				if n%200 == 0 { // of a balancer
					return truth.Act{Delay: 150 * ms, Status: 503}
				}
				return wrong
			}
			return usual
		}
		for i, v := range p.judged(t) {
			text := p.want[i].text
			if v != scenarios.Fail {
				t.Errorf("seed %d: %d/s, answers take %v, and in f %+v, brunt is late by %v: %s is %s", seed, p.rate, usual.Delay, wrong,
					late, text, v)
			}
			if counts[text[:4]] == nil {
				counts[text[:4]] = map[scenarios.Verdict]int{}
			}
			counts[text[:4]][v]++
		}
	}
	t.Log(counts)
}
