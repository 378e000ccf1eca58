package ledger

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"brunt/chaos"
	"brunt/scenarios/result"
)

// planted is a verification without readings between faults.
func planted(r Run) *verification {
	b := &verification{run: r, out: &result.LedgerRecord{}, suspects: newSuspects(nil, &r)}
	b.suspects.shown = slices.Repeat([]bool{true}, len(b.suspects.faults))
	return b
}

// plant adds an acknowledged write.
func (b *verification) plant(at time.Duration, lost, held bool) {
	b.acked.add(at, held)
	if lost {
		to, _ := b.suspects.of("", at, false)
		b.acked.lose(lostWrite{at: at, to: to})
	}
}

// TestSpans compares the bounds of the recovery point with those of a search in every pair of
// writes, for random writes of which a stretch around a fault is lost in part.
func TestSpans(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		fault := &chaos.Record{Name: "f", Injected: 5 * time.Second, Cleared: 6 * time.Second}
		b := planted(Run{End: 10 * time.Second, Faults: []*chaos.Record{fault}})
		type write struct {
			end        time.Duration
			lost, held bool
		}
		var kept []write
		lost := 0
		for range 50 + random.IntN(100) {
			w := write{end: time.Duration(random.Int64N(int64(10 * time.Second)))}
			if w.end > 4*time.Second && w.end < 6*time.Second {
				w.lost = random.IntN(3) > 0
			}
			if w.held = !w.lost; w.lost {
				lost++
			}
			kept = append(kept, w)
			b.plant(w.end, w.lost, w.held)
		}
		b.spans()
		if lost == 0 {
			if b.out.RPO != 0 || len(b.out.LostSpans) != 0 {
				t.Fatalf("nothing was lost, and the RPO is %v", b.out.RPO)
			}
			continue
		}
		sum := int64(0)
		for i, at := range b.out.LostSeconds {
			if sum += at.Lost; at.T < 4 || at.T >= 6 || at.Fault != "f" || i > 0 && at.T <= b.out.LostSeconds[i-1].T {
				t.Fatalf("lost by second: %+v", b.out.LostSeconds)
			}
		}
		if sum != int64(lost) {
			t.Fatalf("%d lost by second, want %d", sum, lost)
		}
		low, before, after := time.Duration(0), time.Duration(-1), 11*time.Second
		first, last := 11*time.Second, time.Duration(-1)
		for _, x := range kept {
			for _, y := range kept {
				if x.lost && y.lost {
					low = max(low, y.end-x.end)
				}
			}
			if x.lost {
				first, last = min(first, x.end), max(last, x.end)
			}
		}
		for _, x := range kept {
			if !x.lost && x.end <= first {
				before = max(before, x.end)
			}
			if !x.lost && x.end >= last {
				after = min(after, x.end)
			}
		}
		if len(b.out.LostSpans) != 1 || b.out.LostSpans[0].Lost != int64(lost) || b.out.LostSpans[0].Fault != "f" {
			t.Fatalf("spans are %+v, want one of %d writes lost to f", b.out.LostSpans, lost)
		}
		if b.out.RPOLow != result.Sec(last)-result.Sec(first) || low != last-first ||
			b.out.RPO != result.Sec(after)-result.Sec(before) {
			t.Fatalf("RPO is %v to %v, want %v to %v", b.out.RPOLow, b.out.RPO, low, after-before)
		}
	}
}

// TestSpansAtTheEnds holds that the first and the last write bound a span that reaches them.
func TestSpansAtTheEnds(t *testing.T) {
	b := planted(Run{End: 10 * time.Second})
	for i := range 5 {
		b.plant(time.Duration(i)*time.Second, true, false)
	}
	b.spans()
	if b.out.RPO != 4 || b.out.RPOLow != 4 {
		t.Errorf("RPO is %v to %v, want 4 s for both", b.out.RPOLow, b.out.RPO)
	}
}

// TestSpansEndBeforeOutage: no write can have been lost that the target did not acknowledge, so the time for which it
// acknowledged none is no part of the upper bound.
func TestSpansEndBeforeOutage(t *testing.T) {
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	refused := func(from, to, takes int) (all []attempt) {
		for at := from; at < to; at += 10 {
			all = append(all, attempt{ms(at), ms(at + takes)})
		}
		return all
	}
	for _, c := range []struct {
		name   string
		lost   []int // acknowledged at; the writes at 4.5 s and at 10 s survive
		failed []attempt
		want   float64 // the upper bound
	}{
		{"refused at once", []int{4510, 4997}, refused(5000, 9990, 1), 0.501},
		{"one write of a grid of 10 ms", []int{4510}, refused(4520, 9000, 1), 0.021},
		{"timed out: the time that a write takes", []int{4510, 4997}, refused(5000, 9990, 2000), 0.52},
		{"the next is refused", []int{4510, 4997}, []attempt{{ms(5000), ms(7000)}, {ms(5010), ms(5011)}}, 0.511},
		{"no attempt until the survivor", []int{4510, 4997}, nil, 5.5},
		{"only after the survivor", []int{4510, 4997}, refused(10_010, 11_000, 1), 5.5},
		{"one fails before the last write", []int{4510, 4997}, []attempt{{ms(4600), ms(4601)}}, 5.5},
		{"one of before hangs on", []int{4510, 4997}, []attempt{{ms(4600), ms(8600)}}, 5.5},
	} {
		b := planted(Run{End: ms(12_000)})
		b.plant(ms(4500), false, true)
		for _, at := range c.lost {
			b.acked.add(ms(at), false)
			to, _ := b.suspects.of("", ms(at), false)
			b.acked.lose(lostWrite{at: ms(at), took: ms(20), to: to})
		}
		b.plant(ms(10_000), false, true)
		for _, a := range slices.Backward(c.failed) {
			b.acked.fail(a)
		}
		b.spans()
		if got := float64(b.out.RPO); math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: RPO is at most %v, want %v", c.name, got, c.want)
		}
		if s := b.out.LostSpans[0]; math.Abs(float64(s.After-s.Before)-c.want) > 1e-9 {
			t.Errorf("%s: the span is %v to %v, want %v s", c.name, s.Before, s.After, c.want)
		}
	}
}

// TestSpansOfFaults: of writes that one of two faults lost, each may have lost all, which bounds the recovery point
// above, and the two may have shared them, which bounds it below. A write whose state is unknown bounds no span.
func TestSpansOfFaults(t *testing.T) {
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	faults := []*chaos.Record{
		{Name: "a", Injected: sec(10), Cleared: sec(20)}, {Name: "b", Injected: sec(50), Cleared: sec(60)},
	}
	b := planted(Run{End: sec(100), Faults: faults})
	for _, w := range []struct {
		at     float64
		effect string
	}{
		{9, "held"},
		{11, "lost"},
		{12, "lost"},
		{19, "held"},
		{49, "held"},
		{51, "lost"},
		{59, "lost"},
		{59.2, "unknown"},
		{59.5, "held"},
	} {
		b.plant(sec(w.at), w.effect == "lost", w.effect == "held")
	}
	b.spans()
	if b.out.RPOLow != 8 || b.out.RPO != 50.5 || b.out.RPOFault != "" {
		t.Errorf("RPO is %v to %v by %q, want 8 to 50.5 by none", b.out.RPOLow, b.out.RPO, b.out.RPOFault)
	}
	if s := b.out.LostSpans; len(s) != 1 || s[0].After != 59.5 || s[0].Fault != "" || !slices.Equal(s[0].Faults,
		[]string{"a", "b"}) {
		t.Errorf("spans are %+v", b.out.LostSpans)
	}
}

// TestLeastSpan compares the least span with a search in all ways to cut the times.
func TestLeastSpan(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		times := make([]time.Duration, 1+random.IntN(7))
		for i := range times {
			times[i] = time.Duration(random.IntN(20))
		}
		slices.Sort(times)
		n := 1 + random.IntN(3)
		var best func(from, n int) time.Duration
		best = func(from, n int) time.Duration {
			if from == len(times) {
				return 0
			}
			if n == 0 {
				return time.Hour
			}
			least := time.Hour
			for end := from; end < len(times); end++ {
				least = min(least, max(times[end]-times[from], best(end+1, n-1)))
			}
			return least
		}
		if got, want := leastSpan(times, n), best(0, n); got != want {
			t.Fatalf("%v in %d spans: %d, want %d", times, n, got, want)
		}
	}
}

// TestSuspects: to which faults a write may have been lost, without a reading between them.
func TestSuspects(t *testing.T) {
	sec := func(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
	cut := &chaos.Record{Name: "cut", Injected: sec(20), Cleared: sec(30)}
	crash := &chaos.Record{Name: "crash", Injected: sec(90), Cleared: sec(92), OneShot: true}
	forever := &chaos.Record{Name: "forever", Injected: sec(20)}
	missed := &chaos.Record{Name: "missed", N: -1, Cleared: sec(31)}
	for _, c := range []struct {
		name   string
		faults []*chaos.Record
		at     []float64 // of the writes that are lost
		want   string    // faults: first to last, in the order of time
	}{
		{"after the clearing of the only one", []*chaos.Record{cut, missed}, []float64{29, 30.4, 31}, "cut: 29 to 31"},
		{"between two", []*chaos.Record{cut, crash}, []float64{30.4, 31, 89.9, 90}, "cut or crash: 30.4 to 90"},
		{"before two", []*chaos.Record{cut, crash}, []float64{5, 19.9}, "cut or crash: 5 to 19.9"},
		{"after two", []*chaos.Record{cut, crash}, []float64{92.5}, "cut or crash: 92.5 to 92.5"},
		{"never cleared", []*chaos.Record{forever}, []float64{25, 99}, "forever: 25 to 99"},
		{"without a fault", []*chaos.Record{missed}, []float64{25, 31}, ": 25 to 31"},
	} {
		b := planted(Run{End: sec(100), Faults: c.faults})
		for _, at := range c.at {
			b.plant(sec(at), true, false)
		}
		b.spans()
		var got []string
		for _, s := range b.out.LostSpans {
			got = append(got, fmt.Sprintf("%s%s: %v to %v", s.Fault, strings.Join(s.Faults, " or "), float64(s.First),
				float64(s.Last)))
		}
		if found := strings.Join(got, ", "); found != c.want {
			t.Errorf("%s: lost to %s, want %s", c.name, found, c.want)
		}
	}
	for _, c := range []struct {
		faults []*chaos.Record
		ages   map[float64]float64
	}{
		{[]*chaos.Record{cut}, map[float64]float64{19: 1, 25: 5, 31: 69}},
		{[]*chaos.Record{crash}, map[float64]float64{80: 10, 91: 0}},
		{[]*chaos.Record{cut, crash}, map[float64]float64{19: 71, 25: 65, 31: 69, 80: 20, 91: 9}},
	} {
		s := newSuspects(nil, &Run{End: sec(100), Faults: c.faults})
		for at, want := range c.ages {
			if _, age := s.of("", sec(at), false); age != sec(want) {
				t.Errorf("the write at %v s was lost after %s, want %v s", at, age, want)
			}
		}
	}
}

// TestLateTo: a late write counts for each fault during which it was acknowledged, and for no other.
func TestLateTo(t *testing.T) {
	faults := []*chaos.Record{
		{Name: "a", Injected: 10 * time.Second, Cleared: 20 * time.Second},
		{Name: "b", Injected: 15 * time.Second, Cleared: 30 * time.Second},
		{Name: "not injected", N: -1, Cleared: time.Hour},
	}
	b := &verification{run: Run{Faults: faults}, out: &result.LedgerRecord{}}
	for at := range 40 {
		b.lateTo(time.Duration(at) * time.Second)
	}
	if n := b.out.LateTo; len(n) != 2 || n["a"] != 11 || n["b"] != 16 {
		t.Errorf("%v, want 11 of a and 16 of b", n)
	}
}

// TestJudge_ManyMissing: a missing write beyond those that are asked for again may be late, so that it is no lost one.
func TestJudge_ManyMissing(t *testing.T) {
	b := &verification{out: &result.LedgerRecord{}, listed: map[result.WriteState][]result.WriteKey{}}
	b.run.Mask = strings.Clone
	b.reader = &reader{units: []*asked{{Place: Place{Name: "store[0]"}}}}
	for range mostMissing + 3 {
		c := &checkedWrite{loggedWrite: loggedWrite{ID: "w", Acked: true}, answers: []sight{{}}}
		if err := b.judge(c); err != nil {
			t.Fatal(err)
		}
	}
	if len(b.missing) != mostMissing || b.out.Unknown != 3 || b.out.Lost != 0 {
		t.Errorf("%d are asked for again, %d unknown and %d lost; want %d, 3 and none", len(b.missing), b.out.Unknown,
			b.out.Lost, mostMissing)
	}
	b.ledger = &Ledger{}
	if b.conclude(); !strings.Contains(b.out.Note, "3 writes were not there, and are not asked for again") {
		t.Errorf("nothing says so: %q", b.out.Note)
	}
}
