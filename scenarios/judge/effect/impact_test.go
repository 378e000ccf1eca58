package effect

import (
	"math"
	"testing"
	"time"

	"brunt/scenarios/result"
)

// scene makes a question: a run of end seconds at 1000/s, injected at 30 s and cleared at 50 s, with
// bad(second) bad requests of 1000 in each second.
func scene(end int, bad func(second int) int64) Question {
	q := Question{Injected: 30 * sec, Cleared: 50 * sec, Horizon: time.Duration(end) * sec, Limit: .01, Hold: 10 * sec}
	for i := range end {
		s := Slice{
			Start: time.Duration(i) * sec, End: time.Duration(i+1) * sec, N: 1000, Offered: 1000, Ended: 1000, InFlight: 5,
		}
		if bad != nil {
			s.Bad = bad(i)
		}
		s.Good = s.N - s.Bad
		q.Slices = append(q.Slices, s)
		if s.End <= q.Injected {
			q.Baseline = append(q.Baseline, s)
		}
	}
	q.Before = q.Baseline
	return q
}

// from returns n bad requests in the seconds [a, b).
func from(a, b int, n int64) func(int) int64 {
	return func(i int) int64 {
		if i >= a && i < b {
			return n
		}
		return 0
	}
}

func known(a result.Num) any {
	if a.Known() {
		return float64(a)
	}
	return "never"
}

// TestAsk has one case for every sentence of the definition.
func TestAsk(t *testing.T) {
	const never = "never"
	for _, c := range []struct {
		name                       string
		q                          Question
		impact                     result.Impact
		onset, failover, recovered any
		degraded                   time.Duration
		failed                     int64
		area                       float64
	}{
		{"nothing happens", scene(100, nil), result.NotImpacted, never, never, 30., 0, 0, 0},
		{
			"bad from injection to clearing", scene(100, from(30, 50, 200)), result.Impacted, 30., never, 50., 20 * sec, 4000,
			4,
		},
		{"late onset", scene(100, from(35, 50, 200)), result.Impacted, 35., never, 50., 15 * sec, 3000, 3},
		{"slow to heal", scene(100, from(30, 57, 200)), result.Impacted, 30., never, 57., 27 * sec, 5400, 5.4},
		{"under the limit", scene(100, from(30, 50, 9)), result.NotImpacted, never, never, 30., 0, 180, .18},
		{
			"over it, but no more than chance", scene(100, from(30, 50, 12)), result.NotImpacted, never, never, 30., 0, 240,
			.24,
		},
		{"one window that is bad", scene(100, from(35, 36, 20)), result.NotImpacted, never, never, 30., 0, 20, .02},
		{
			"two of three", scene(100, func(i int) int64 { return from(35, 36, 20)(i) + from(37, 38, 20)(i) }), result.Impacted,
			35., 38., 38., 2 * sec, 40, .04,
		},
		{"one window beyond doubt", scene(100, from(35, 36, 60)), result.Impacted, 35., 36., 36., sec, 60, .06},
		{"failed over", scene(100, from(30, 34, 500)), result.Impacted, 30., 34., 34., 4 * sec, 2000, 2},
		{
			"failed over, and failing back does harm",
			scene(100, func(i int) int64 { return from(30, 34, 500)(i) + from(50, 53, 300)(i) }),
			result.Impacted, 30., 34., 53., 7 * sec, 2900, 2.9,
		},
		{
			"relapsed long after, and recovered again",
			scene(100, func(i int) int64 { return from(30, 34, 500)(i) + from(61, 63, 300)(i) }),
			result.Impacted, 30., 34., 63., 6 * sec, 2600, 2.6,
		},
		{
			"relapsed long after, up to the end",
			scene(100, func(i int) int64 { return from(30, 34, 500)(i) + from(67, 100, 1000)(i) }),
			result.NotRecovered, 30., 34., never, 37 * sec, 35000, 35,
		},
		{"flapping", scene(100, func(i int) int64 {
			if i >= 30 && i < 70 && (i-30)%8 < 4 {
				return 200
			}
			return 0
		}), result.Impacted, 30., never, 66., 20 * sec, 4000, 4},
		{"never recovered", scene(100, from(30, 100, 200)), result.NotRecovered, 30., never, never, 70 * sec, 14000, 14},
		{"the hold does not fit in", scene(58, from(30, 50, 200)), result.UnknownYet, 30., never, never, 20 * sec, 4000, 4},
		{"the load ends within a hold of the injection", scene(39, nil), result.UnknownYet, never, never, never, 0, 0, 0},
		{
			"bad before", scene(100, from(10, 50, 200)), result.UnknownYet, never, never, never, 0, 4000 - 20*133,
			4 - 20*2./15,
		},
		// P(X >= 18 | 1000, 1 %) is 0.014, of 19 it is 0.007; of 28 it is 1.9e-6, of 29 0.6e-6
		{"two of three, just not bad", scene(100, from(35, 37, 18)), result.NotImpacted, never, never, 30., 0, 36, .036},
		{"two of three, just bad", scene(100, from(35, 37, 19)), result.Impacted, 35., 37., 37., 2 * sec, 38, .038},
		{
			"one window, just not beyond doubt", scene(100, from(35, 36, 28)), result.NotImpacted, never, never, 30., 0, 28,
			.028,
		},
		{"one window, just beyond doubt", scene(100, from(35, 36, 29)), result.Impacted, 35., 36., 36., sec, 29, .029},
		{
			"two of four", scene(100, func(i int) int64 { return from(35, 36, 20)(i) + from(38, 39, 20)(i) }),
			result.NotImpacted, never, never, 30., 0, 40, .04,
		},
		{
			"bad from before the injection on is none of its doing", scene(100, from(28, 35, 200)), result.UnknownYet, never,
			never, never, 0, 1000 - 20*13, 1 - 20*400./30000,
		},
		// 20 of 1000 are bad at 1 %, but not at twice the baseline's 0.9 %
		{
			"no more than twice the baseline's share", scene(100, func(i int) int64 { return 9 + from(30, 50, 11)(i) }),
			result.NotImpacted, never, never, 30., 0, 220, .22,
		},
		// of 10 000, at most 83 bad ones show that the share is at most 1 %
		{
			"a hold that just shows it",
			scene(60, func(i int) int64 { return from(30, 50, 200)(i) + from(50, 60, 8)(i) + from(57, 60, 1)(i) }),
			result.Impacted, 30., never, 50., 20 * sec, 4000, 4,
		},
		{
			"a hold that just does not",
			scene(60, func(i int) int64 { return from(30, 50, 200)(i) + from(50, 60, 8)(i) + from(56, 60, 1)(i) }),
			result.UnknownYet, 30., never, never, 20 * sec, 4084, 4.084,
		},
		{
			"lengthened until it shows it",
			scene(77, func(i int) int64 { return from(30, 50, 200)(i) + from(50, 77, 9)(i) }), result.UnknownYet, 30.,
			never, never, 20 * sec, 4243, 4.243,
		},
		{
			"which is after 28 s of 0.9 %",
			scene(78, func(i int) int64 { return from(30, 50, 200)(i) + from(50, 78, 9)(i) }), result.Impacted, 30., never,
			50., 20 * sec, 4000, 4,
		},
		{
			"standing errors below the limit", scene(100, func(i int) int64 { return 5 + from(30, 50, 200)(i) }),
			result.Impacted, 30., never, 50., 20 * sec, 4000, 4,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := Ask(c.q)
			if a.Impact != c.impact {
				t.Errorf("%s (%s), want %s", a.Impact, a.Notes.Phrase(nil), c.impact)
			}
			for _, v := range []struct {
				name      string
				got, want any
			}{
				{"onset", known(a.OnsetAt), c.onset},
				{"failover", known(a.FailoverAt), c.failover},
				{"recovered", known(a.RecoveredAt), c.recovered},
			} {
				if v.got != v.want {
					t.Errorf("%s at %v, want %v", v.name, v.got, v.want)
				}
			}
			if a.Degraded != c.degraded {
				t.Errorf("degraded for %s, want %s", a.Degraded, c.degraded)
			}
			if math.Abs(float64(a.Failed-c.failed)) > 10 {
				t.Errorf("%d failed, want %d", a.Failed, c.failed)
			}
			if math.Abs(a.Area-c.area) > 1e-9 {
				t.Errorf("area %g, want %g", a.Area, c.area)
			}
		})
	}
}

// TestAsk_Next: every note about the end of the data names what ended it.
func TestAsk_Next(t *testing.T) {
	few := scene(50, nil)
	for i := range few.Slices {
		if s := &few.Slices[i]; s.Start >= few.Injected {
			s.N, s.Offered, s.Ended, s.InFlight = 2, 2, 2, 2
		}
	}
	for _, c := range []struct {
		name      string
		q         Question
		end, next string
	}{
		{
			"within a hold", scene(39, nil),
			"the load ended within a hold of the injection: 1s more was needed",
			"g was injected within a hold of the injection: 1s more was needed",
		},
		{
			"after a bad window", scene(50, from(49, 50, 20)),
			"the load ended after a bad window, and one bad window does not decide: 1s more was needed",
			"g was injected after a bad window, and one bad window does not decide: 1s more was needed",
		},
		{
			"too few", few,
			"too few requests after the injection to decide: 40 came, and 1000 are needed, 8m more of the load",
			"too few requests between the injection and that of g to decide: 40 came, and 1000 are needed, 8m more of " +
				"the load",
		},
		{
			"before a hold", scene(58, from(30, 50, 200)),
			"the load ended before a hold long enough to prove recovery: 2s more was needed",
			"g was injected before a hold long enough to prove recovery: 2s more was needed",
		},
		{"long enough", scene(50, nil), "", ""},
	} {
		if a := Ask(c.q); a.Notes.Phrase(nil) != c.end {
			t.Errorf("%s of the end of the load: %q", c.name, a.Notes.Phrase(nil))
		}
		c.q.Next = "g"
		if a := Ask(c.q); a.Notes.Phrase(nil) != c.next {
			t.Errorf("%s of the next fault: %q", c.name, a.Notes.Phrase(nil))
		}
	}
}

// TestAsk_NotBefore: an unknown recovery has a lower limit.
func TestAsk_NotBefore(t *testing.T) {
	for _, c := range []struct {
		name string
		q    Question
		want any
	}{
		{"recovered", scene(100, from(30, 50, 200)), "never"},
		{"no impact", scene(100, nil), "never"},
		{"never recovered: not before the end", scene(100, from(30, 100, 200)), 100.},
		{"it may have begun", scene(58, from(30, 50, 200)), 50.},
	} {
		if got := known(Ask(c.q).NotBefore); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

// TestAsk_Baseline: without a baseline there is nothing to compare with.
func TestAsk_Baseline(t *testing.T) {
	q := scene(100, from(30, 50, 200))
	q.Baseline = nil
	if a := Ask(q); a.Impact != result.UnknownYet || a.Notes.Phrase(nil) == "" || a.RecoveredAt.Known() {
		t.Errorf("%s at %v: %q", a.Impact, a.RecoveredAt, a.Notes.Phrase(nil))
	}
}

// TestAsk_TooFew: with too few requests to fill two windows or a hold, impact is unknown, not none.
func TestAsk_TooFew(t *testing.T) {
	for _, c := range []struct {
		name string
		n    int64 // per second
		bad  func(int) int64
		want result.Impact
	}{
		{"none at all", 0, nil, result.UnknownYet},
		{"140 in 70 s", 2, nil, result.UnknownYet},
		{"350 in 70 s fill a hold", 5, nil, result.NotImpacted},
		{"350 in 70 s, some bad", 5, from(40, 43, 1), result.UnknownYet},
		{"1400 in 70 s fill two windows", 20, from(40, 43, 1), result.NotImpacted},
		{"700 in 70 s, bad in the only window there is", 10, from(60, 75, 1), result.UnknownYet},
	} {
		q := scene(100, c.bad)
		for _, list := range [][]Slice{q.Slices, q.Baseline} {
			for i := range list {
				if s := &list[i]; s.Start >= q.Injected {
					s.N, s.Offered, s.Ended, s.InFlight = c.n, c.n, c.n, c.n
				}
			}
		}
		if a := Ask(q); a.Impact != c.want {
			t.Errorf("%s: %s (%s), want %s", c.name, a.Impact, a.Notes.Phrase(nil), c.want)
		}
	}
}

// TestVerdict: a window that the end of the data cuts short is neither good nor bad; it counts only
// when it is bad beyond doubt.
func TestVerdict(t *testing.T) {
	c := chances{limit: .01, phi: 1, n: 1000, ends: 100, endsPhi: 1}
	for _, v := range []struct {
		n, bad  int64
		stall   time.Duration
		partial bool
		want    verdictOf
	}{
		{1000, 0, 0, false, good},
		{1000, 10, 0, false, good}, // its share does not exceed the limit
		{1000, 18, 0, false, good},
		{1000, 19, 0, false, bad},
		{1000, 29, 0, false, strong},
		{1000, 0, 0, true, unknown},
		{1000, 19, 0, true, unknown},
		{1000, 29, 0, true, strong},
		{0, 0, 40 * ms, false, good}, // the chance that none of 100/s ends is e^-4
		{0, 0, 50 * ms, false, bad},
		{0, 0, 140 * ms, false, strong},
		{0, 0, 50 * ms, true, unknown},
	} {
		w := window{Slice: Slice{N: v.n, Bad: v.bad}, stall: v.stall, partial: v.partial}
		if got := c.judge(&w); got != v.want {
			t.Errorf("%d of %d, Stalled for %s, partial %t: %d, want %d", v.bad, v.n, v.stall, v.partial, got, v.want)
		}
	}
}

// TestAsk_Stall: requests in flight of which none ends are bad, whatever their outcome; in an open
// load, which continues to offer requests, and in a closed one, which offers nothing meanwhile.
func TestAsk_Stall(t *testing.T) {
	for _, closed := range []bool{false, true} {
		q := scene(100, nil)
		for i := 33; i < 41; i++ {
			s := &q.Slices[i]
			s.Ended = 0
			if closed {
				s.N, s.Offered, s.Good = 0, 0, 0
			}
		}
		a := Ask(q)
		if a.Impact != result.Impacted || a.OnsetAt != 33 || a.RecoveredAt != 41 {
			t.Errorf("closed %t: %s from %v to %v, want from 33 to 41", closed, a.Impact, a.OnsetAt, a.RecoveredAt)
		}
		if want := map[bool]float64{false: 0, true: 8}[closed]; a.Area != want {
			t.Errorf("closed %t: area %g, want %g", closed, a.Area, want)
		}
		if a.Failed != 0 {
			t.Errorf("closed %t: %d failed", closed, a.Failed)
		}
	}
	// at a low rate, seconds in which no request ends are normal
	q := scene(100, nil)
	for _, list := range [][]Slice{q.Slices, q.Baseline} {
		for i := range list {
			list[i].N, list[i].Ended, list[i].InFlight = int64(i%2), int64((i+1)%2), int64(i%2)
		}
	}
	if a := Ask(q); a.OnsetAt.Known() || a.BadBefore {
		t.Errorf("%s at %v: %s", a.Impact, a.OnsetAt, a.Notes.Phrase(nil))
	}
}

// TestAsk_Dispersion: the same number of bad requests is chance where errors come in clusters, and
// an impact where they do not.
func TestAsk_Dispersion(t *testing.T) {
	harm := func(i int) int64 { return from(35, 36, 22)(i) + from(36, 37, 22)(i) }
	plain := scene(100, func(i int) int64 { return 2 + harm(i) })
	clustered := scene(100, func(i int) int64 {
		if i%10 == 5 && i < 30 {
			return 20
		}
		return harm(i)
	})
	if a := Ask(plain); a.Impact != result.Impacted {
		t.Errorf("2 bad in every second before: %s", a.Impact)
	}
	if a := Ask(clustered); a.Impact != result.NotImpacted {
		t.Errorf("20 bad in every tenth second before: %s", a.Impact)
	}
}

// TestBefore: the clustering of bad requests is estimated from neighbouring slices, so that a
// constant level, or a step at its ends, is no cluster.
func TestBefore(t *testing.T) {
	for _, c := range []struct {
		name string
		bad  func(int) int64
		want float64
	}{
		{"a level that lasts", from(30, 50, 200), 1},
		{
			"one that begins within the first second", func(i int) int64 { return from(30, 31, 100)(i) + from(31, 50, 200)(i) },
			1,
		},
		// 8, but no more than five
		{"clusters of eight, in half of the seconds", func(i int) int64 { return int64(i%2) * 8 }, 5},
		{"clusters of three", func(i int) int64 { return int64(i%2) * 3 }, 3},
	} {
		q := scene(100, c.bad)
		ch := newChances(scene(100, nil).Baseline, q.Limit)
		if got := ch.degradationBefore(q, 30, 50).phi; math.Abs(got-c.want) > 1e-9 {
			t.Errorf("%s: %g, want %g", c.name, got, c.want)
		}
	}
}

// TestAsk_Widened: windows are joined until n·L >= 5, and the seconds inside them locate the onset.
func TestAsk_Widened(t *testing.T) {
	q := scene(100, from(33, 50, 20))
	for _, list := range [][]Slice{q.Slices, q.Baseline} {
		for i := range list {
			list[i].N, list[i].Offered = 100, 100
		}
	}
	a := Ask(q)
	if a.OnsetAt != 33 || a.RecoveredAt != 50 || a.Resolution != 5*sec {
		t.Errorf("from %v to %v by %s, want from 33 to 50 by 5s", a.OnsetAt, a.RecoveredAt, a.Resolution)
	}
}

// TestAsk_Caught: requests in flight at the injection count as failed.
func TestAsk_Caught(t *testing.T) {
	q := scene(100, from(30, 50, 200))
	q.Caught = Slice{N: 50, Bad: 50}
	if a := Ask(q); a.Failed != 4050 {
		t.Errorf("%d failed, want 4050", a.Failed)
	}
}
