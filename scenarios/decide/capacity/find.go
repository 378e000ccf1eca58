package capacity

import (
	"context"
	"errors"
	"fmt"
	"math"

	"brunt/scenarios/result/capacity"
)

// The data of a search; reporters know it from package result/capacity.
type (
	Answer   = capacity.Answer
	Try      = capacity.Try
	Figures  = capacity.Figures
	Found    = capacity.Found
	Interval = capacity.Interval
	Capacity = capacity.Capacity
	Under    = capacity.Under
	Held     = capacity.Held
	Demand   = capacity.Demand
	Fit      = capacity.Fit
	// Transient is what followed the injection of a fault.
	Transient = capacity.Transient
)

// The answers, and whether a rate fits.
const (
	Holds     = capacity.Holds
	Breaks    = capacity.Breaks
	Limited   = capacity.Limited
	Disturbed = capacity.Disturbed
	Fits      = capacity.Fits
	TooMuch   = capacity.TooMuch
	Uncertain = capacity.Uncertain
	Untried   = capacity.Untried
)

// A Prober probes the target.
type Prober interface {
	// Probe loads the target with rate iterations a second. It returns the answer with its reason, and what it measured.
	Probe(ctx context.Context, rate float64) (Try, error)
	// CoolDown gives the target time to recover after a break.
	CoolDown(ctx context.Context) error
}

// Options bound the search. The comment of each field gives the meaning of its zero value.
type Options struct {
	From      float64 // the first rate, per second; more than zero
	Max       float64 // the largest rate to try, per second; zero is no bound
	Precision float64 // high/low - 1 of the interval; zero is 4 %
	Confirm   int     // number of probes of which a majority decides: odd, because an even number can tie; zero is 3
	Tried     func(Try)
}

// ErrNoRate means that the target met its objectives at no rate, not even at the smallest.
var ErrNoRate = errors.New("no rate held")

const (
	stair   = 2    // factor from one step to the next
	descent = 1024 // the staircase goes down to the first rate divided by this, at most
	mostAsk = 200  // largest number of probes in a search
	stalls  = 40   // largest number of disturbed probes at one rate
)

type search struct {
	o      Options
	prober Prober
	able   float64 // the largest rate that the generator reached
	within [2]int  // probes up to that rate: undisturbed, and disturbed
	asked  int     // undisturbed probes
	found  Found
}

// Find searches for the largest rate that holds.
func Find(ctx context.Context, p Prober, o Options) (*Found, error) {
	if o.From <= 0 || math.IsNaN(o.From) || math.IsInf(o.From, 0) {
		return nil, fmt.Errorf("the first rate is %v", o.From)
	}
	if o.Precision <= 0 {
		o.Precision = .04
	}
	if o.Confirm <= 0 {
		o.Confirm = 3
	}
	if o.Confirm%2 == 0 {
		return nil, fmt.Errorf("a majority of %d probes is to decide, which can be torn; make it %d", o.Confirm, o.Confirm+1)
	}
	if o.Max > 0 {
		o.From = min(o.From, o.Max)
	}
	s := &search{o: o, prober: p}
	err := s.climb(ctx)
	if err == nil {
		err = s.bisect(ctx)
	}
	if s.found.High > 0 && s.found.High <= s.found.Limited { // the target broke first
		s.found.Limited = 0
	}
	return &s.found, err
}

// climb raises the rate step by step to the first that breaks, or lowers it to the first that holds.
func (s *search) climb(ctx context.Context) error {
	for rate := s.o.From; ; rate = math.Min(rate*stair, s.bound()) {
		a, err := s.stepped(ctx, rate)
		if err != nil {
			return err
		}
		switch a {
		case Holds:
			if s.found.Low = rate; rate >= s.bound() {
				return nil
			}
			continue
		case Limited:
			s.found.Limited = rate
		case Breaks:
			s.found.High = rate
		}
		if s.found.Low > 0 {
			return nil
		}
		break
	}
	for rate := s.o.From / stair; rate > s.o.From/descent; rate /= stair {
		a, err := s.decided(ctx, rate)
		if err != nil {
			return err
		}
		switch a {
		case Holds:
			s.found.Low = rate
			return nil
		case Limited:
			s.found.Limited = rate
		case Breaks:
			s.found.High = rate
		}
	}
	last := s.found.Tries[len(s.found.Tries)-1]
	return fmt.Errorf("%w, down to %.4g/s: %s", ErrNoRate, s.o.From/descent*stair, last.Why)
}

func (s *search) bound() float64 {
	if s.o.Max > 0 {
		return s.o.Max
	}
	return math.Inf(1)
}

// bisect narrows the interval. When the low end no longer holds, because of the aftermath of a break
// or because it held by chance, the search moves further down.
func (s *search) bisect(ctx context.Context) error {
	for {
		top := s.found.High
		if s.found.Limited > 0 && (top == 0 || s.found.Limited < top) {
			top = s.found.Limited
		}
		if top == 0 {
			return nil
		}
		if top/s.found.Low <= 1+s.o.Precision {
			a, err := s.decided(ctx, s.found.Low)
			if err != nil || a == Holds {
				return err
			}
			s.note(s.found.Low, a)
			s.found.Low /= 1 + 2*s.o.Precision
			continue
		}
		rate := math.Sqrt(s.found.Low * top)
		a, err := s.decided(ctx, rate)
		if err != nil {
			return err
		}
		if a == Holds {
			s.found.Low = rate
		} else {
			s.note(rate, a)
		}
	}
}

// note lowers the upper end of the interval to a rate that broke.
func (s *search) note(rate float64, a Answer) {
	if a == Limited {
		s.found.Limited = rate
	} else {
		s.found.High = rate
	}
}

// stepped probes a rate once, and repeats the probe until a majority agrees when the rate does not
// hold. The bisection probes a rate that holds on the way up again.
func (s *search) stepped(ctx context.Context, rate float64) (Answer, error) {
	a, err := s.ask(ctx, rate)
	if err != nil || a == Holds && rate < s.bound() {
		return a, err
	}
	return s.decided(ctx, rate, a)
}

// decided probes a rate until a majority of probes agrees. Before holds the answers so far.
func (s *search) decided(ctx context.Context, rate float64, before ...Answer) (Answer, error) {
	votes := map[Answer]int{}
	for {
		var a Answer
		if len(before) > 0 {
			a, before = before[0], before[1:]
		} else {
			var err error
			if a, err = s.ask(ctx, rate); err != nil {
				return "", err
			}
		}
		votes[a]++
		switch {
		case a != Disturbed && votes[a] > s.o.Confirm/2:
			return a, nil
		case votes[Disturbed] >= s.patience(rate):
			return Limited, nil
		}
	}
}

// patience is the number of disturbed probes at a rate after which the search considers the
// generator unable to reach the rate. At the share of disturbed probes seen at lower rates, that
// many occur by chance once in a thousand times. The number is on the high side, because
// disturbances come in bursts.
func (s *search) patience(rate float64) int {
	if rate <= s.able {
		return stalls
	}
	calm, disturbed := float64(s.within[0]), float64(s.within[1])
	share := (disturbed + 2) / (calm + disturbed + 3)
	return min(max(4, int(math.Ceil(math.Log(.001)/math.Log(share)))), stalls)
}

// ask makes one probe, and lets the target cool down after a break.
func (s *search) ask(ctx context.Context, rate float64) (Answer, error) {
	if s.asked >= mostAsk {
		return "", fmt.Errorf("%d probes did not find an interval: it lies between %.4g/s and %.4g/s",
			mostAsk, s.found.Low, s.found.High)
	}
	if err := ctx.Err(); err != nil {
		return "", context.Cause(ctx)
	}
	t, err := s.prober.Probe(ctx, rate)
	if err != nil {
		return "", err
	}
	t.Rate = rate
	a := t.Answer
	s.found.Tries = append(s.found.Tries, t)
	if s.o.Tried != nil {
		s.o.Tried(t)
	}
	if a == Holds || a == Breaks {
		s.able = max(s.able, rate)
	}
	switch {
	case a != Disturbed:
		s.within[0]++
		s.asked++
	case rate <= s.able:
		s.within[1]++
	}
	if a == Breaks || a == Disturbed { // a disturbance needs time to end as well
		err = s.prober.CoolDown(ctx)
	}
	return a, err
}
