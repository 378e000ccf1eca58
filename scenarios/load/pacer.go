package load

import (
	"runtime"
	"time"
)

// A Pacer waits for points in time on the run's clock. It is used by one goroutine.
type Pacer interface {
	// Until returns once the clock has reached at, or a little later.
	Until(at time.Duration)
	// Due returns when an arrival that is scheduled for at is due. Efficient pacing moves the arrivals of a
	// millisecond to its beginning, so that the rounding is part of the schedule and not of response times.
	Due(at time.Duration) time.Duration
	// Name is the pacing mode in use, for the report.
	Name() string
	Close() error
}

// tick is the grid of efficient pacing.
const tick = time.Millisecond

// efficient is the name of efficient pacing.
const efficient = "efficient, arrivals of a millisecond together at its beginning"

// mostLead is how long before its time a precise pacer wakes up at first and at most, to spin for the rest: the
// typical delay from a timer's interrupt to a running goroutine. Measured on two quiet cores, it lowers the median
// lateness from 47 to 18 µs.
const mostLead = 30 * time.Microsecond

// leadStep is the step by which a pacer shortens its lead.
const leadStep = 250 * time.Nanosecond

// nextLead returns the lead that follows one with which a wake-up came left before its time. Where wake-ups are quick,
// the lead becomes so short that one of sixteen comes too late, because a spinning pacer takes a core from requests.
func nextLead(lead, left, most time.Duration) time.Duration {
	if left < 0 {
		return min(lead+15*leadStep, most)
	}
	return max(lead-leadStep, 0)
}

// NewPacer returns a pacer on the clock now, which returns offsets from t0. mode is precise, efficient, auto or
// sleep. Auto is precise up to a rate of [mostPrecise], and efficient above. rate is the highest rate of the load, so
// that the pacing never changes within a run. Sleep uses only the timers of the standard library, which a synctest
// bubble needs.
func NewPacer(mode string, now func() time.Duration, rate float64) Pacer {
	switch {
	case mode == "sleep":
		return &sleepPacer{now: now}
	case mode == "precise":
		return newPrecise(now)
	case mode == "efficient":
		return newTicks(now)
	case rate <= mostPrecise():
		return chosen{newPrecise(now)}
	}
	return chosen{newTicks(now)}
}

// mostPrecise returns the rate of arrivals per second up to which auto is precise: waking up for each of them costs
// at most a fifth of the processors that brunt may use.
func mostPrecise() float64 { return float64(runtime.GOMAXPROCS(0)) * mostWakes }

// chosen is a pacer that auto has chosen.
type chosen struct{ Pacer }

func (p chosen) Name() string { return "auto: " + p.Pacer.Name() }

// sleepPacer waits with the timers of the standard library, which may fire up to a millisecond
// late. It works everywhere and in a synctest bubble.
type sleepPacer struct {
	now func() time.Duration
	on  time.Duration // wakes up only at multiples of it; 0 means at any time
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

func (p *sleepPacer) Due(at time.Duration) time.Duration { return roundDown(at, p.on) }

func (p *sleepPacer) Name() string {
	if p.on > 0 {
		return efficient
	}
	return "precise"
}

func (p *sleepPacer) Close() error { return nil }

// roundDown returns the last multiple of on that is not after t. It returns t if on is 0.
func roundDown(t, on time.Duration) time.Duration {
	if on == 0 {
		return t
	}
	return roundUp(t-on+1, on)
}

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

// mostWakes is the number of wake-ups per second that cost a fifth of a core.
const mostWakes = float64(time.Second / 5 / wakeCost)
