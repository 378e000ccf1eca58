package measure

import (
	"reflect"
	"testing"
	"time"

	"brunt/scenarios"
)

// lateBy returns the outcome of a request that brunt sent late.
func lateBy(lag, at, d time.Duration, kind scenarios.Kind, cause scenarios.Cause) scenarios.Outcome {
	o := request(at, d, kind)
	o.Ready, o.Slot, o.Sent, o.Cause = at+lag, at+lag, at+lag, cause
	return o
}

// TestCounts_Punctual: counts without brunt's own time are those of the same requests sent on time,
// without the ones at which brunt failed. They survive the spill file.
func TestCounts_Punctual(t *testing.T) {
	limits := []Limit{{At: 100 * ms}, {At: 100 * ms, Service: true}, {At: 10 * ms}}
	unsent := lateBy(700*ms, sec, 500*ms, scenarios.Error, scenarios.Unsent)
	unsent.WasSent, unsent.Answered = false, false
	skipped := request(sec, 0, scenarios.Skipped)
	skipped.Cause = scenarios.Unsent
	frozen := request(5*sec, 429*ms, okay)                // brunt did not run for 420 ms of it
	timedOut := request(4900*ms, 600*ms, scenarios.Error) // it was in flight over the freeze, for longer than its timeout
	timedOut.Cause = scenarios.Timeout
	list := []scenarios.Outcome{
		request(0, 5*ms, okay),
		lateBy(95*ms, 0, 104*ms, okay, 0), // 9 ms without the lag
		lateBy(2*ms, 0, 150*ms, okay, 0),  // over the limit either way
		// overdue: an answer has taken 148 ms, and 140 were left
		lateBy(360*ms, 0, 500*ms, scenarios.Error, scenarios.Timeout),
		// the target's: it had over twice as long as it ever took
		lateBy(190*ms, 0, 500*ms, scenarios.Error, scenarios.Timeout),
		lateBy(1*ms, 0, 500*ms, scenarios.Error, scenarios.Timeout), // the target's
		request(0, 3*ms, scenarios.Error),                           // status 500
		unsent, skipped, frozen, timedOut,
		request(sec, 0, scenarios.Skipped), request(sec, 0, scenarios.Skipped), // the target's
	}
	g := newClocked(t, Config{
		Series: oneStep, Limits: limits, Slow: 100 * ms,
		Freezes: func() []Freeze { return []Freeze{{From: 5005 * ms, To: 5425 * ms}} },
	})
	for i := range list {
		g.Shard(0).Record(&list[i])
	}
	g.now = 60 * sec
	all := &Counts{}
	for _, now := range []bool{true, false} {
		if now { // before the spill
			if err := g.Fold(); err != nil {
				t.Fatal(err)
			}
			_, s := g.Interval()
			all.Merge(&s.Counts[0])
		} else {
			all = &Counts{}
			if err := g.Finish().Cells(func(k Key, c *Cell) { all.Merge(c.Counts()) }); err != nil {
				t.Fatal(err)
			}
		}
		if want := []int64{3, 2, 3}; !reflect.DeepEqual(all.Over, want) {
			t.Errorf("over the limits as measured: %v, want %v", all.Over, want)
		}
		if all.Own.Unsent() != 4 || all.Timeouts != 4 || all.Bad() != 9 || all.Most != 429*ms {
			t.Errorf("as measured: %+v", all)
		}
		p := all.Punctual()
		if !now && (all.Slow != 3 || p.Slow != 1) {
			t.Errorf("%d slow as measured, %d without brunt's own time; want 3 and 1", all.Slow, p.Slow)
		}
		if want := []int64{1, 1, 1}; !reflect.DeepEqual(p.Over, want) {
			t.Errorf("over the limits without brunt's own time: %v, want %v", p.Over, want)
		}
		if p.Offered() != 9 || p.Bad() != 5 || p.Timeouts != 2 || p.Failed != 5 || p.Most != 148*ms ||
			p.Total != (5+9+148+9)*ms {
			t.Errorf("without brunt's own time: %+v", p)
		}
	}
}

// TestRecorder_OwnTimeouts: a timeout that passed in a freeze is brunt's own, unless the freeze was short beside it.
func TestRecorder_OwnTimeouts(t *testing.T) {
	for _, c := range []struct {
		froze, took time.Duration
		own         int64
	}{{420 * ms, 300 * ms, 1}, {500 * ms, 5 * sec, 1}, {80 * ms, 5 * sec, 0}} {
		const deadline = 15 * sec
		g := newClocked(t, Config{Series: oneStep, Freezes: func() []Freeze {
			return []Freeze{{From: deadline - 20*ms, To: deadline - 20*ms + c.froze}}
		}})
		o := request(deadline-c.took, c.took, scenarios.Error)
		o.Cause = scenarios.Timeout
		g.Shard(0).Record(&o)
		g.now = 60 * sec
		all := &Counts{}
		if err := g.Finish().Cells(func(_ Key, cell *Cell) { all.Merge(cell.Counts()) }); err != nil {
			t.Fatal(err)
		}
		if all.Timeouts != 1 || all.Own.Timeouts != c.own {
			t.Errorf("a freeze of %s in a timeout of %s: %+v, want %d of brunt's own", c.froze, c.took, all, c.own)
		}
	}
}

// TestFold_FreezeWhileFolding: a request that ends in a freeze is counted with it, even if both happen
// while samples are folded.
func TestFold_FreezeWhileFolding(t *testing.T) {
	var g *clocked
	asked := 0
	g = newClocked(t, Config{Series: oneStep, Slow: 100 * ms, Freezes: func() []Freeze {
		asked++
		if asked > 1 {
			return []Freeze{{From: 5005 * ms, To: 5425 * ms}}
		}
		frozen := request(5*sec, 429*ms, okay)
		g.Shard(0).Record(&frozen)
		return nil
	}})
	for range 2 {
		g.now += 30 * sec
		if err := g.Fold(); err != nil {
			t.Fatal(err)
		}
	}
	all := &Counts{}
	if err := g.Finish().Cells(func(k Key, c *Cell) { all.Merge(c.Counts()) }); err != nil {
		t.Fatal(err)
	}
	if p := all.Punctual(); all.Slow != 1 || p.Slow != 0 || p.Most != 9*ms {
		t.Errorf("%d slow as measured, %d without the freeze, the longest %v; want 1, 0 and 9ms", all.Slow, p.Slow, p.Most)
	}
}
