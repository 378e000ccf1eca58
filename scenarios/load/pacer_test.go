package load

import (
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"
	"time"
)

func clock(t0 time.Time) func() time.Duration {
	return func() time.Duration { return time.Since(t0) }
}

func TestPacer_NeverEarly(t *testing.T) {
	for _, mode := range []string{"precise", "efficient", "auto", "sleep"} {
		t.Run(mode, func(t *testing.T) {
			now := clock(time.Now().Add(20 * time.Millisecond)) // begins before 0
			p := NewPacer(mode, now, 1000)
			defer func() {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}()
			r := rand.New(rand.NewPCG(1, 1))
			var late []time.Duration
			step := func() time.Duration { return time.Duration(r.Int64N(int64(700 * time.Microsecond))) }
			for at := -20 * time.Millisecond; at < 80*time.Millisecond; at += step() {
				p.Until(at)
				got := now()
				if got < at {
					t.Fatalf("woke at %v for %v", got, at)
				}
				late = append(late, got-at)
			}
			slices.Sort(late)
			t.Logf("%s: %d waits, late by %v in the median, %v at p90, %v at most", p.Name(), len(late), late[len(late)/2],
				late[len(late)*9/10], late[len(late)-1])
		})
	}
}

// Efficient pacing wakes on a grid of the run's clock, so that one wake-up sends arrivals that
// are close together.
func TestPacer_Ticks(t *testing.T) {
	bubble(t, func(t *testing.T) {
		now := clock(time.Now().Add(10*time.Millisecond + 300*time.Microsecond))
		p := &sleepPacer{now: now, on: tick}
		for _, c := range []struct{ at, want time.Duration }{
			{-10*ms - 100*time.Microsecond, -10 * ms},
			{-9*ms - 1, -9 * ms},
			{-9 * ms, -9 * ms},
			{-1, 0},
			{0, 0},
			{1, ms},
			{ms, ms},
			{3*ms + 999*time.Microsecond, 4 * ms},
			{2 * ms, 4 * ms}, // in the past
		} {
			if p.Until(c.at); now() != c.want {
				t.Errorf("until %v: woke at %v, want %v", c.at, now(), c.want)
			}
		}
	})
}

func TestRoundUp(t *testing.T) {
	for at := -5 * time.Duration(7); at <= 5*7; at++ {
		got := roundUp(at, 7)
		if got < at || got >= at+7 || got%7 != 0 {
			t.Errorf("roundUp(%d, 7) = %d", at, got)
		}
	}
}

// TestPacer_Auto: auto chooses once, by the highest rate of the load and the processors that brunt may use.
func TestPacer_Auto(t *testing.T) {
	most := mostPrecise()
	if want := 5000 * float64(runtime.GOMAXPROCS(0)); most != want {
		t.Errorf("precise up to %g/s, want %g", most, want)
	}
	for rate, want := range map[float64]string{1: "auto: precise", most: "auto: precise", most + 1: "auto: " + efficient} {
		p := NewPacer("auto", clock(time.Now()), rate)
		if p.Name() != want {
			t.Errorf("at %g/s: %s, want %s", rate, p.Name(), want)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

// TestPacer_Due: efficient pacing moves an arrival to the beginning of its millisecond, precise pacing does not move
// it.
func TestPacer_Due(t *testing.T) {
	for _, mode := range []string{"precise", "efficient"} {
		p := NewPacer(mode, clock(time.Now()), 0)
		for _, c := range []struct{ at, due time.Duration }{
			{0, 0},
			{1, 0},
			{ms - 1, 0},
			{ms, ms},
			{1500 * time.Microsecond, ms},
			{-1, -ms},
			{-ms, -ms},
			{-1500 * time.Microsecond, -2 * ms},
		} {
			want := c.due
			if mode == "precise" {
				want = c.at
			}
			if got := p.Due(c.at); got != want {
				t.Errorf("%s: an arrival at %s is due at %s, want %s", mode, c.at, got, want)
			}
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestPacer_Many(t *testing.T) {
	before := files()
	now := clock(time.Now())
	var list []Pacer
	for range 200 {
		list = append(list, NewPacer("auto", now, 1000))
	}
	at := now() + 5*time.Millisecond
	done := make(chan struct{})
	for _, p := range list {
		go func() {
			p.Until(at)
			done <- struct{}{}
		}()
	}
	for range list {
		<-done
	}
	if now() < at {
		t.Error("woke early")
	}
	for _, p := range list {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	}
	if after := files(); after > before {
		t.Errorf("%d files are open, before there were %d", after, before)
	}
}

// A pacer whose timer has failed still waits.
func TestPacer_TimerFails(t *testing.T) {
	now := clock(time.Now())
	p := NewPacer("precise", now, 0)
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	at := now() + 3*time.Millisecond
	if p.Until(at); now() < at {
		t.Errorf("woke early, at %v", now())
	}
}

// BenchmarkPacer_Until reports the lateness of a pacer under the machine's current load.
func BenchmarkPacer_Until(b *testing.B) {
	for _, mode := range []string{"precise", "efficient", "sleep"} {
		b.Run("mode="+mode, func(b *testing.B) {
			b.ReportAllocs()
			now := clock(time.Now())
			p := NewPacer(mode, now, 1000)
			defer p.Close()
			var late []time.Duration
			at := now()
			for b.Loop() {
				at += 500 * time.Microsecond
				p.Until(at)
				late = append(late, now()-at)
			}
			slices.Sort(late)
			b.ReportMetric(float64(late[len(late)/2].Microseconds()), "µs-late-p50")
			b.ReportMetric(float64(late[len(late)*99/100].Microseconds()), "µs-late-p99")
			runtime.KeepAlive(p)
		})
	}
}

// TestPacer_Lead: the lead of a precise pacer becomes as long as wake-ups need and no longer, and never longer than its
// limit.
func TestPacer_Lead(t *testing.T) {
	const us = time.Microsecond
	for _, c := range []struct{ least, most, from, to time.Duration }{
		{5 * us, 10 * us, 9 * us, 13 * us},
		{10 * us, 20 * us, 18 * us, 23 * us},
		{40 * us, 60 * us, mostLead, mostLead},
		{0, 1, 0, 4 * us},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		lead, late, sum := mostLead, 0, time.Duration(0)
		const before, n = 1000, 16000
		for i := range before + n {
			left := lead - c.least - time.Duration(r.Int64N(int64(c.most-c.least)))
			if i >= before {
				sum += lead
				if left < 0 {
					late++
				}
			}
			lead = nextLead(lead, left, mostLead)
		}
		if mean := sum / n; mean < c.from || mean > c.to {
			t.Errorf("wake-ups after %s to %s: the lead is %s in the mean, want %s to %s", c.least, c.most, mean, c.from, c.to)
		}
		if share := float64(late) / n; c.most < mostLead && share > 0.07 {
			t.Errorf("wake-ups after %s to %s: %.0f %% come too late, want a sixteenth", c.least, c.most, 100*share)
		}
	}
}

// TestSleepPacer_Grid: an efficient pacer says so, and what is due is what its last wake-up covers. A precise one has
// no grid.
func TestSleepPacer_Grid(t *testing.T) {
	grid, precise := &sleepPacer{on: 7}, &sleepPacer{}
	if grid.Name() != efficient || precise.Name() != "precise" {
		t.Errorf("they are %q and %q", grid.Name(), precise.Name())
	}
	for at := -5 * time.Duration(7); at <= 5*7; at++ {
		if got := grid.Due(at); got > at || got <= at-7 || got%7 != 0 {
			t.Errorf("at %d, %d is due", at, got)
		}
		if got := precise.Due(at); got != at {
			t.Errorf("at %d, %d is due without a grid", at, got)
		}
	}
}
