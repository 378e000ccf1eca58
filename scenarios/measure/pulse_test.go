package measure_test

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"brunt/scenarios/measure"
)

// TestPulse: a span in which nothing of brunt ran is a freeze with its length, also for whoever asks
// before the pulse has woken up. Short delays are none, nor is the time after the end.
func TestPulse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, stopped := time.Now(), time.Duration(0)
		p := measure.NewPulse(func() time.Duration { return time.Since(began) + stopped }, nil)
		time.Sleep(time.Second)
		if list := p.Freezes(); len(list) > 0 {
			t.Errorf("freezes of a brunt that ran: %v", list)
		}
		stopped = 420 * time.Millisecond // SIGSTOP: the clock goes on and no goroutine runs
		want := []measure.Freeze{{From: time.Second, To: 1420 * time.Millisecond}}
		if list := p.Freezes(); !slices.Equal(list, want) {
			t.Errorf("freezes: %v, want %v", list, want)
		}
		time.Sleep(time.Second)
		p.Stop()
		time.Sleep(time.Second)
		if list := p.Freezes(); !slices.Equal(list, want) {
			t.Errorf("freezes at the end: %v, want %v", list, want)
		}
	})
}

// TestPulse_Quota: a stop by a CPU quota is a freeze though it is short; without a quota, or where that stopped
// nothing, such a delay is lag.
func TestPulse_Quota(t *testing.T) {
	for _, c := range []struct {
		name  string
		quota bool
		stops uint64 // in the delay
		delay time.Duration
		want  []measure.Freeze
	}{
		{
			"stopped by the quota", true, 1, 40 * time.Millisecond,
			[]measure.Freeze{{From: 1005 * time.Millisecond, To: 1040 * time.Millisecond}},
		},
		{"late for another reason", true, 0, 40 * time.Millisecond, nil},
		{"without a quota", false, 1, 40 * time.Millisecond, nil},
		{"long", true, 0, 100 * time.Millisecond, []measure.Freeze{{From: time.Second, To: 1100 * time.Millisecond}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began, stopped, count := time.Now(), time.Duration(0), uint64(7)
				stops := func() uint64 { return count }
				if !c.quota {
					stops = nil
				}
				p := measure.NewPulse(func() time.Duration { return time.Since(began) + stopped }, stops)
				time.Sleep(time.Second)
				synctest.Wait()
				stopped, count = c.delay, count+c.stops
				if list := p.Freezes(); !slices.Equal(list, c.want) {
					t.Errorf("freezes: %v, want %v", list, c.want)
				}
				time.Sleep(time.Second)
				p.Stop()
				if list := p.Freezes(); !slices.Equal(list, c.want) {
					t.Errorf("freezes at the end: %v, want %v", list, c.want)
				}
			})
		})
	}
}

// TestFrozen: the part of a span in freezes, in all and at most in one.
func TestFrozen(t *testing.T) {
	var list []measure.Freeze
	for at := range time.Duration(10) {
		list = append(list, measure.Freeze{From: 10 * at, To: 10*at + 4})
	}
	for _, c := range []struct{ from, to, all, longest time.Duration }{
		{0, 100, 40, 4},
		{4, 10, 0, 0},
		{2, 12, 4, 2},
		{22, 23, 1, 1},
		{94, 200, 0, 0},
		{93, 200, 1, 1},
		{-5, 1, 1, 1},
		{33, 51, 6, 4},
	} {
		if all, longest := measure.Frozen(list, c.from, c.to),
			measure.LongestFreeze(list, c.from, c.to); all != c.all || longest != c.longest {
			t.Errorf("%d to %d: %d, at most %d; want %d, %d", c.from, c.to, all, longest, c.all, c.longest)
		}
	}
}

// TestCommon: the parts that are in both lists.
func TestCommon(t *testing.T) {
	a := []measure.Freeze{{From: 1, To: 4}, {From: 6, To: 9}, {From: 20, To: 30}}
	b := []measure.Freeze{{From: 2, To: 3}, {From: 4, To: 7}, {From: 8, To: 22}, {From: 25, To: 40}}
	want := []measure.Freeze{{From: 2, To: 3}, {From: 6, To: 7}, {From: 8, To: 9}, {From: 20, To: 22}, {From: 25, To: 30}}
	for _, got := range [][]measure.Freeze{measure.CommonFreezes(a, b), measure.CommonFreezes(b, a)} {
		if !slices.Equal(got, want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	if got := measure.CommonFreezes(a, nil); got != nil {
		t.Errorf("%v in common with no freeze", got)
	}
}
