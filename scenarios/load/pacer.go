package load

import (
	"errors"
	"fmt"
	"time"
)

// A Pacer waits for points in time on the run's clock. It is used by one goroutine.
type Pacer interface {
	// Until returns once the clock has reached at, or a little later.
	Until(at time.Duration)
	// Name is the pacing mode in use, for the report.
	Name() string
	Close() error
}

// tick is the grid of efficient pacing.
const tick = time.Millisecond

// lead is how long before its time a precise pacer wakes, to spin for the rest. It is the typical
// delay from a timer's interrupt to a running goroutine; measured on two quiet cores, it lowers
// the median lateness from 47 to 18 µs.
const lead = 30 * time.Microsecond

// NewPacer returns a pacer on the clock now, which returns offsets from t0. Mode is precise,
// efficient, auto or sleep. Auto is precise while waiting costs less than a fifth of a core, and
// uses coarser ticks above that. Sleep uses only the timers of the standard library, which a
// synctest bubble needs.
func NewPacer(mode string, now func() time.Duration) Pacer {
	switch mode {
	case "sleep":
		return &sleepPacer{now: now}
	case "precise":
		return newPrecise(now)
	case "efficient":
		return newTicks(now)
	}
	return &autoPacer{precise: newPrecise(now), ticks: newTicks(now)}
}

// sleepPacer waits with the timers of the standard library, which may fire up to a millisecond
// late. It works everywhere and in a synctest bubble.
type sleepPacer struct {
	now func() time.Duration
	on  time.Duration // wakes on multiples of it; 0: at any time
}

func (p *sleepPacer) Until(at time.Duration) {
	if p.on > 0 {
		at = roundUp(at, p.on)
	}
	for {
		d := at - p.now()
		if d <= 0 {
			return
		}
		time.Sleep(d)
	}
}

func (p *sleepPacer) Name() string {
	if p.on > 0 {
		return "efficient"
	}
	return "precise"
}

func (p *sleepPacer) Close() error { return nil }

func roundUp(t, on time.Duration) time.Duration {
	r := t % on
	switch {
	case r > 0:
		return t - r + on
	case r < 0:
		return t - r
	}
	return t
}

// wakeCost is the CPU time of a precise wake-up, thread switches included: 35 to 60 µs measured
// on two cores.
const wakeCost = 40 * time.Microsecond

// autoPacer is precise while its wake-ups cost less than a fifth of a core.
type autoPacer struct {
	precise, ticks Pacer
	coarse         bool
	ever           bool
	second         time.Duration
	count          int
}

// mostWakes is the number of wake-ups per second that cost a fifth of a core.
const mostWakes = int(time.Second / 5 / wakeCost)

func (p *autoPacer) Until(at time.Duration) {
	if s := roundUp(at+1-time.Second, time.Second); s != p.second {
		p.coarse = p.coarse && p.count > mostWakes*4/5 // hysteresis: back to precise only well below the limit
		p.second, p.count = s, 0
	}
	if p.count++; p.count > mostWakes {
		p.coarse, p.ever = true, true
	}
	if p.coarse {
		p.ticks.Until(at)
		return
	}
	p.precise.Until(at)
}

func (p *autoPacer) Name() string {
	if p.ever {
		return fmt.Sprintf("auto: efficient above %d/s, else precise", mostWakes)
	}
	return "auto: precise"
}

func (p *autoPacer) Close() error { return errors.Join(p.precise.Close(), p.ticks.Close()) }
