// Package escape finds out whether a load alone keeps a target from recovering after a fault that is gone.
//
//	goodput
//	  |            3 raise: good at each step, up to the whole load: stuck
//	  |         .----------------.
//	  |       .'                 :  the fault
//	  |     .'                   v
//	  |    '-----------<---------'  1 wait at the whole load: bad, and no better
//	  |        2 lower in steps until requests are good again
//	  '----------------------------- load
//
// A target that is bad at a load which it can hold is in a metastable failure (Huang et al., "Metastable Failures in
// the Wild", OSDI 2022). A target that only needs time, such as one with a cold cache, comes back during the wait, or
// gets better meanwhile, and the load is not lowered. One that comes back later after the lowering than it had been bad
// before may have needed time as well: that is not told. A recovery that falls by chance into the time of the lowering
// can't be told from an escape by one run.
//
// [Seek] knows only loads and counts. A [Host] makes the load.
package escape

import (
	"context"
	"math"
	"time"

	"brunt/scenarios/judge/effect"
	"brunt/scenarios/result"
)

// A Host makes the load.
type Host interface {
	// At makes a share of the load of the baseline for a time, which begins where the last one ended. It returns the
	// requests that were due in a hold of that length which ends that long before the end of the time. The hold begins
	// and ends at whole seconds after t0, as the windows of a run do. An error, such as the end of ctx, ends the search;
	// the host keeps an error of its own.
	At(ctx context.Context, share float64, d, hold, before time.Duration) (Counts, error)
}

// Counts are the requests of a hold. Times are offsets from t0.
type Counts struct {
	From, To time.Duration
	N        int64 // offered requests without shed ones, and without those at which brunt failed
	Bad      int64
}

// Settings are the settings of a search.
type Settings struct {
	Gone    time.Duration // when the fault was over, an offset from t0
	Begin   time.Duration // when the first step begins, an offset from t0
	Hold    time.Duration
	Timeout time.Duration // the longest timeout of a request: by then it is known whether it was good
	Limit   float64       // share of bad requests
	Rate    float64       // of the baseline: iterations a second
	// the least time for which requests have to be bad at the whole load before it is lowered, which is then no shorter
	// than the way down through all loads; zero is four steps
	Wait time.Duration
}

// shares are the loads to which the whole load is lowered, and through which it is raised.
var shares = []float64{.85, .7, .5, .35, .2, .1}

const (
	leastWait    = 4  // steps for which requests have to be bad at the whole load before it is lowered
	mostWait     = 12 // steps at the whole load if it gets better
	mostCompared = 3  // steps that are compared with those before them, to see whether it gets better
	leastConfirm = 2  // steps at the whole load to show that it holds
	mostConfirm  = 20
	mostLowest   = 4  // steps at the lowest load, at which a backlog drains
	mostMade     = 3  // times that a step is made in which brunt falls short
	leastMade    = .9 // share of the load that brunt has to make in a hold
	late         = 200 * time.Millisecond
)

// A search is an escape under way.
type search struct {
	Settings
	host Host
	now  time.Duration
	out  *result.Escape
}

// Seek waits, lowers the load and raises it. If ctx ends or the host fails, the outcome is [result.EscapeCut].
func Seek(ctx context.Context, host Host, s Settings) *result.Escape {
	e := &search{Settings: s, host: host, now: s.Begin, out: &result.Escape{
		Outcome: result.EscapeCut, Rate: result.Num(s.Rate), Bad: result.NaN, Back: result.NaN, After: result.NaN,
		Held: result.NaN, Steps: []result.EscapeStep{},
	}}
	if outcome, err := e.seek(ctx); err == nil {
		e.out.Outcome = outcome
	}
	return e.out
}

func (e *search) seek(ctx context.Context) (result.EscapeOutcome, error) {
	outcome, err := e.wait(ctx)
	if outcome != "" || err != nil {
		return outcome, err
	}
	e.out.Bad = result.Sec(e.now - e.Gone)
	back, after, err := e.lower(ctx)
	if err != nil || back < 0 {
		return result.EscapeNone, err
	}
	e.out.Back, e.out.After = result.Num(shares[back]), result.Sec(after)
	for i := back - 1; i >= 0; i-- {
		if c, err := e.step(ctx, shares[i]); err != nil || !e.whole(c) {
			return result.EscapeLess, err
		}
	}
	switch holds, err := e.confirm(ctx, Counts{}); {
	case err != nil || !holds:
		return result.EscapeLess, err
	case e.out.After > e.out.Bad:
		return result.EscapeUntold, nil
	}
	return result.EscapeStuck, nil
}

// hold is the length of a hold, in whole seconds.
func (e *search) hold() time.Duration { return wholeSecond(e.Hold) }

// ends is the time in which the last request of a hold ends, in whole seconds.
func (e *search) ends() time.Duration { return wholeSecond(e.Timeout + late) }

// length is the length of a step: a hold to settle, a hold that counts, and the time until its last request has ended.
func (e *search) length() time.Duration { return 2*e.hold() + e.ends() }

// step makes a share of the load for a step. It ends at a whole second, so that no part of the hold to settle is within
// the windows of the hold that counts. The first step is longer if it does not begin at a whole second. A step in which
// brunt made too little of the load says nothing of the target, and is made again a few times.
func (e *search) step(ctx context.Context, share float64) (Counts, error) {
	for n := 1; ; n++ {
		end := wholeSecond(e.now + e.length())
		c, err := e.host.At(ctx, share, end-e.now, e.hold(), e.ends())
		if err != nil {
			return c, err
		}
		e.out.Steps = append(e.out.Steps, result.EscapeStep{
			Start: result.Sec(e.now), End: result.Sec(end), Share: result.Num(share), Offered: c.N, Bad: c.Bad,
			Hold: result.Sec(c.To - c.From), Whole: e.whole(c),
		})
		e.now = end
		if n == mostMade || !e.short(share, c) {
			return c, nil
		}
	}
}

// short reports whether a hold had fewer requests than the load has iterations, by more than chance explains: each
// iteration makes at least one request. The number of arrivals varies as that of Poisson does.
func (e *search) short(share float64, c Counts) bool {
	want := share * e.Rate * (c.To - c.From).Seconds()
	return float64(c.N) < leastMade*want-3*math.Sqrt(want)
}

// wholeSecond rounds a time up to whole seconds.
func wholeSecond(d time.Duration) time.Duration { return (d + time.Second - 1).Truncate(time.Second) }

// whole reports whether the share of bad requests was within the limit.
func (e *search) whole(c Counts) bool { return c.N > 0 && float64(c.Bad) <= e.Limit*float64(c.N) }

// wait keeps the whole load until requests were bad for so long that a lowering can tell. An outcome means that the
// load need not be lowered.
func (e *search) wait(ctx context.Context) (result.EscapeOutcome, error) {
	least := leastWait
	if e.Wait > 0 {
		least = max(len(shares), int((e.Wait+e.length()-1)/e.length()))
	}
	var seen []Counts
	for len(seen) < max(least, mostWait) {
		c, err := e.step(ctx, 1)
		if err != nil {
			return "", err
		}
		if e.whole(c) {
			e.out.Bad = result.Sec(c.From - e.Gone)
			if holds, err := e.confirm(ctx, c); holds || err != nil {
				return result.EscapeByItself, err
			}
			e.out.Bad, e.out.Held = result.NaN, result.NaN
		}
		if seen = append(seen, c); len(seen) >= least && !better(seen) {
			return "", nil
		}
	}
	e.out.Bad = result.Sec(e.now - e.Gone)
	return result.EscapeImproving, nil
}

// better reports whether fewer requests of the last holds were bad than of as many before them, by more than chance
// explains: the bounds of both shares (Clopper and Pearson, 1934) do not overlap.
func better(seen []Counts) bool {
	n := min(mostCompared, len(seen)/2)
	sum := func(list []Counts) (bad, all float64) {
		for _, c := range list {
			bad, all = bad+float64(c.Bad), all+float64(c.N)
		}
		return bad, all
	}
	bad, all := sum(seen[len(seen)-n:])
	badBefore, allBefore := sum(seen[len(seen)-2*n : len(seen)-n])
	return effect.UpperBound(bad, all, effect.Confidence) < effect.LowerBound(badBefore, allBefore, effect.Confidence)
}

// lower lowers the load until requests are good. It returns the index of the share, negative if they stay bad at every
// share, and the time from the first lowering to the begin of the hold.
func (e *search) lower(ctx context.Context) (back int, after time.Duration, err error) {
	begun := e.now
	for n := range len(shares) - 1 + mostLowest {
		i := min(n, len(shares)-1)
		c, err := e.step(ctx, shares[i])
		if err != nil {
			return -1, 0, err
		}
		if e.whole(c) {
			return i, c.From - begun, nil
		}
	}
	return -1, 0, nil
}

// confirm reports whether the target holds the whole load: the upper bound of the share of bad requests, over holds in
// a row, is within the limit. first is the first of these holds; the zero value means that no hold counts yet.
func (e *search) confirm(ctx context.Context, first Counts) (bool, error) {
	sum, from := first, first.From
	for n := range mostConfirm {
		if n >= leastConfirm && effect.UpperBound(float64(sum.Bad), float64(sum.N), effect.Confidence) <= e.Limit {
			e.out.Held = result.Sec(sum.To - from)
			return true, nil
		}
		c, err := e.step(ctx, 1)
		if err != nil || !e.whole(c) {
			return false, err
		}
		if sum.N == 0 {
			from = c.From
		}
		sum = Counts{To: c.To, N: sum.N + c.N, Bad: sum.Bad + c.Bad}
	}
	return false, nil
}
