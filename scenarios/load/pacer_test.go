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
			p := NewPacer(mode, now)
			defer func() {
				if err := p.Close(); err != nil {
					t.Error(err)
				}
			}()
			r := rand.New(rand.NewPCG(1, 1))
			var late []time.Duration
			for at := -20 * time.Millisecond; at < 80*time.Millisecond; at += time.Duration(r.Int64N(int64(700 * time.Microsecond))) {
				p.Until(at)
				got := now()
				if got < at {
					t.Fatalf("woke at %v for %v", got, at)
				}
				late = append(late, got-at)
			}
			slices.Sort(late)
			t.Logf("%s: %d waits, late by %v in the median, %v at p90, %v at most", p.Name(), len(late), late[len(late)/2], late[len(late)*9/10], late[len(late)-1])
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

// ideal is a pacer that is never late.
type ideal struct {
	name  string
	waits *[]string
}

func (p ideal) Until(time.Duration) { *p.waits = append(*p.waits, p.name) }
func (p ideal) Name() string        { return p.name }
func (p ideal) Close() error        { return nil }

func TestPacer_Auto(t *testing.T) {
	var waits []string
	p := &autoPacer{precise: ideal{"precise", &waits}, ticks: ideal{"ticks", &waits}}
	second := func(s, rate int) (coarse int) {
		waits = nil
		for i := range rate {
			p.Until(time.Duration(s)*time.Second + time.Duration(i)*time.Second/time.Duration(rate))
		}
		for _, w := range waits {
			if w == "ticks" {
				coarse++
			}
		}
		return coarse
	}
	if n := second(-1, mostWakes/2); n != 0 || p.Name() != "auto: precise" {
		t.Errorf("a slow second had %d coarse waits; %s", n, p.Name())
	}
	if n := second(0, mostWakes+100); n != 100 {
		t.Errorf("a fast second had %d coarse waits, want those over the limit", n)
	}
	if n := second(1, mostWakes*9/10); n != mostWakes*9/10 {
		t.Errorf("after it %d of %d waits were coarse", n, mostWakes*9/10)
	}
	second(2, mostWakes/2)
	if n := second(3, mostWakes/2); n != 0 {
		t.Errorf("two calm seconds later %d waits were coarse", n)
	}
	if want := "auto: efficient above 5000/s, else precise"; p.Name() != want {
		t.Errorf("named %q, want %q", p.Name(), want)
	}
}

func TestPacer_Many(t *testing.T) {
	before := files()
	now := clock(time.Now())
	var list []Pacer
	for range 200 {
		list = append(list, NewPacer("auto", now))
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
	p := NewPacer("precise", now)
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
			p := NewPacer(mode, now)
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
