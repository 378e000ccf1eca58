package judge_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/judge"
	"brunt/scenarios/judge/requests"
	"brunt/scenarios/suite"
)

// manyFaults records a load at 50/s with n faults, one every 1.8 s. Some of them fail requests, and some slow them.
func manyFaults(t testing.TB, n int) (*fixture, time.Duration) {
	const every, stays = 1800 * ms, 500 * ms
	r, rnd := newFixture(t, oneStep), rand.New(rand.NewPCG(1, 1))
	end := 20*sec + time.Duration(n)*every
	var outcomes []scenarios.Outcome
	for at := time.Duration(0); at < end; at += 20 * ms {
		o := request(at, time.Duration(rnd.ExpFloat64()*float64(5*ms)), scenarios.OK)
		if since := (at - 10*sec) % every; at >= 10*sec && since < stays {
			switch (at - 10*sec) / every % 3 {
			case 0:
				o.End += 40 * ms
			case 1:
				o.Kind, o.Cause = scenarios.Error, scenarios.Status(500)
			}
		}
		outcomes = append(outcomes, o, iteration(o))
	}
	var actions []action
	for i := range n {
		at, in := 10*sec+time.Duration(i)*every, 0
		actions = append(actions,
			action{at, func() { in, _ = r.Inject(fmt.Sprint("cut", i%4), fmt.Sprintf("cut%d#%d", i%4, i/4)) }},
			action{at + stays, func() { r.Clear(in) }})
	}
	r.play(outcomes, actions...)
	return r, end
}

// TestJudge_ManyFaults: what judging allocates grows as the number of faults does, and not as its square.
func TestJudge_ManyFaults(t *testing.T) {
	suite.Sequential(t)
	const few, many = 200, 800
	allocations := map[int]uint64{}
	for _, n := range []int{few, many} {
		r, end := manyFaults(t, n)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		f := r.finish(judge.Case{SLO: parseObjectives(t, "errors < 20%", "recover < 10s after cut1", "errors < 50% in cut2")},
			end)
		runtime.ReadMemStats(&after)
		if allocations[n] = after.Mallocs - before.Mallocs; len(f.Faults) != n {
			t.Errorf("%d faults; want %d", len(f.Faults), n)
		}
	}
	t.Logf("%v allocations", allocations)
	if most := allocations[few] * many / few * 3 / 2; allocations[many] > most {
		t.Errorf("%d faults take %d allocations, and %d take %d; want at most %d", few, allocations[few], many,
			allocations[many], most)
	}
}

// BenchmarkJudge judges an hour with 2000 faults.
func BenchmarkJudge(b *testing.B) {
	for _, n := range []int{500, 2000} {
		b.Run(fmt.Sprintf("faults=%d", n), func(b *testing.B) {
			r, end := manyFaults(b, n)
			recording := r.Finish()
			b.ReportAllocs()
			for b.Loop() {
				c := judge.Case{SLO: parseObjectives(b, "errors < 20%"), Loads: []requests.Span{{To: end}}}
				if _, err := judge.Judge(recording, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
