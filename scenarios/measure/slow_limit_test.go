package measure

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestRecorder_SlowLimit: the first injection computes the limit of slow answers from the baseline: from good answers
// of the judged run, without brunt's own time.
func TestRecorder_SlowLimit(t *testing.T) {
	g := newClocked(t, Config{Series: oneStep, SlowShare: .005})
	record := func(at, d time.Duration, kind int) {
		o := request(at, d, okay)
		switch kind {
		case 1: // brunt sent it late
			o.Ready, o.Slot, o.Sent = at+d-5*ms, at+d-5*ms, at+d-5*ms
		case 2:
			o = request(at, d, failure)
		}
		g.Shard(0).Record(&o)
	}
	for i := range 1000 {
		record(-time.Duration(i+1)*ms, sec, 0) // warm-up
		record(time.Duration(i)*10*ms, 5*ms, 0)
		if i%100 == 0 {
			record(time.Duration(i)*10*ms, 900*ms, 1)
			record(time.Duration(i)*10*ms, 900*ms, 2)
		}
	}
	g.now = 11 * sec
	if err := g.Fold(); err != nil {
		t.Fatal(err)
	}
	if l := g.SlowLimits(); l.All.At != 0 || l.By != nil {
		t.Errorf("before the injection: %+v", l)
	}
	n, _ := g.Inject("f", "f")
	first := g.SlowLimits().By[0]
	if first.Answers != 1010 || first.Needed != 598 || first.Bound < 5*ms || first.Bound > 5300*time.Microsecond ||
		first.At != first.Bound+20*ms {
		t.Errorf("%+v", first)
	}
	g.Clear(n)
	for i := range 1000 {
		record(12*sec+time.Duration(i)*ms, sec, 0)
	}
	g.now = 20 * sec
	if err := g.Fold(); err != nil {
		t.Fatal(err)
	}
	g.Inject("f", "f#2")
	if l := g.SlowLimits().By[0]; l != first {
		t.Errorf("the second injection changed it: %+v", l)
	}
	slow := int64(0)
	if err := g.Finish().Cells(func(k Key, c *Cell) { slow += c.Slow }); err != nil || slow != 1000 {
		t.Errorf("%d slow answers, want 1000; %v", slow, err)
	}
}

// TestSlowLimits: each step has a limit of its own, so that a slow step is not slow by what is usual for a fast one,
// and one that a fault makes five times slower is bad, though still faster than the slow step. A step with few answers
// has the limit of all together, and no less than twice its longest answer.
func TestSlowLimits(t *testing.T) {
	usual := make([]PhaseTimes, 4)
	for i := range 1000 {
		usual[0].take(10*ms + time.Duration(i)*time.Microsecond)
		usual[1].take(sec + time.Duration(i)*time.Microsecond)
	}
	for range 5 {
		usual[2].take(2 * sec)
	}
	l := slowLimits(usual, .005)
	for i, want := range []struct {
		at  time.Duration
		few bool
	}{{30 * ms, false}, {2 * sec, false}, {4 * sec, true}, {4 * sec, true}} {
		if got := l.By[i]; got.Few != want.few || got.At < want.at || got.At > want.at*11/10 {
			t.Errorf("step %d: %+v, want about %v, %v", i, got, want.at, want.few)
		}
	}
	c := Config{Series: Series{Steps: make([]SeriesStep, 4)}, SlowBy: l.At()}
	if least, most := c.SlowRange(); least != l.By[0].At || most != 4*sec {
		t.Errorf("from %v to %v", least, most)
	}
	if few := slowLimits(usual[2:], .005); few.By != nil || few.All.At != 0 || few.All.Answers != 5 {
		t.Errorf("with few answers: %+v", few)
	}
}

// TestRecorder_SlowLimitOnBusyMachine: while brunt itself wakes up late, an answer that is later by no more than that
// is not the target's doing; one that is much later is. The request that shows the lag may end before the answers,
// after them, or some folds after them.
func TestRecorder_SlowLimitOnBusyMachine(t *testing.T) {
	for ends, slow := range map[string][2]int64{
		"before the answers": {3, 1}, "after them": {3, 1}, "two folds after them": {3, 2}, // which is slow itself
	} {
		t.Run(ends, func(t *testing.T) { slowOnBusyMachine(t, ends, slow) })
	}
}

func slowOnBusyMachine(t *testing.T, ends string, slow [2]int64) {
	t.Helper()
	g := newClocked(t, Config{Series: oneStep, SlowShare: .005})
	for i := range 1000 {
		o := request(time.Duration(i)*10*ms, 5*ms, okay)
		g.Shard(0).Record(&o)
	}
	g.now = 11 * sec
	if err := g.Fold(); err != nil {
		t.Fatal(err)
	}
	g.Inject("f", "f") // slow is over 25 ms
	for i, second := range []time.Duration{12 * sec, 13 * sec} {
		late := lateBy(60*ms, second, 65*ms, okay, 0)
		switch { // a busy second
		case i > 0:
		case ends == "before the answers":
			g.Shard(0).Record(&late)
		case ends == "two folds after them":
			g.Late(late.Intended, late.Lag()) // when it is sent
			late.End += 10 * sec
		}
		for j, d := range []time.Duration{20 * ms, 70 * ms, 200 * ms} {
			o := request(second+time.Duration(100+j)*ms, d, okay)
			g.Shard(0).Record(&o)
		}
		if i == 0 && ends != "before the answers" {
			if late.End > 20*sec {
				for range 2 {
					if err := g.Fold(); err != nil {
						t.Fatal(err)
					}
				}
			}
			g.Shard(0).Record(&late)
		}
	}
	g.now = 40 * sec
	got := map[time.Duration][2]int64{}
	if err := g.Finish().Cells(func(k Key, c *Cell) {
		if k.Series == 0 && k.Start >= 12*sec && c.Offered() > 0 {
			n := got[k.Start]
			got[k.Start] = [2]int64{n[0] + c.Slow, n[1] + c.Slow - c.own.slow}
		}
	}); err != nil {
		t.Fatal(err)
	}
	if want := map[time.Duration][2]int64{12 * sec: slow, 13 * sec: {2, 2}}; !maps.Equal(got, want) {
		t.Errorf("slow as measured and without brunt's own time: %v, want %v", got, want)
	}
}

// TestSlowLimit_Few: a baseline that is too small to bound the quantile gives no limit.
func TestSlowLimit_Few(t *testing.T) {
	for n, limited := range map[int]bool{0: false, 597: false, 598: true} {
		var usual PhaseTimes
		for range n {
			usual.take(ms)
		}
		if l := slowLimit(&usual, .005); (l.At > 0) != limited || l.Needed != 598 {
			t.Errorf("%d answers: %+v", n, l)
		}
	}
}

// TestSlowLimit_FalseAlarms: whatever the distribution, the share of an unchanged target's answers above the bound
// exceeds the stated share in at most 5 of 100 baselines, and the share above the limit never exceeds twice of it,
// which is judge.limit.
func TestSlowLimit_FalseAlarms(t *testing.T) {
	const share, baselines = .005, 400
	for name, draw := range map[string]func(*rand.Rand) float64{
		"exponential": func(r *rand.Rand) float64 { return 2e6 * r.ExpFloat64() },
		"heavy tail":  func(r *rand.Rand) float64 { return 1e6 / (1 - r.Float64()) }, // Pareto with exponent 1
		"bimodal": func(r *rand.Rand) float64 {
			if r.IntN(200) == 0 {
				return 300e6 + 1e6*r.Float64()
			}
			return 2e6 + 1e6*r.Float64()
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			truth := make([]time.Duration, 1_000_000)
			for i := range truth {
				truth[i] = time.Duration(draw(r))
			}
			slices.Sort(truth)
			above := func(d time.Duration) float64 {
				i, _ := slices.BinarySearch(truth, d+1)
				return float64(len(truth)-i) / float64(len(truth))
			}
			bound, worst := 0, 0.
			for range baselines {
				var usual PhaseTimes
				for range 600 + r.IntN(3000) {
					usual.take(time.Duration(draw(r)))
				}
				l := slowLimit(&usual, share)
				if above(l.Bound) > share*1.02 { // the sample of the truth errs by a hundredth
					bound++
				}
				worst = max(worst, above(l.At))
			}
			t.Logf("bound too low in %d of %d baselines; at most %.3g above a limit", bound, baselines, worst)
			if bound > baselines*8/100 || worst > 2*share {
				t.Errorf("bound too low in %d of %d baselines; at most %.3g above a limit", bound, baselines, worst)
			}
		})
	}
}
