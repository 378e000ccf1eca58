package link

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/scenarios/quantity"
)

// RTTs are the round trips of a probe.
type RTTs struct {
	times  []time.Duration // sorted
	silent int             // without an answer
	waited time.Duration   // the shortest wait of those
}

// NotAnswered returns the error of a probe that was not answered as expected. For a silent one it is
// [chaos.ErrNoAnswer].
func NotAnswered(o proxy.Outcome) error {
	if o == proxy.Silent {
		return chaos.ErrNoAnswer
	}
	return fmt.Errorf("a probe is %s", o)
}

// RoundTrips makes round trips over new connections on the link.
func RoundTrips(ctx context.Context, l *chaos.Link) (RTTs, error) {
	var results [proof.Pings]proxy.ProbeResult
	var errs [proof.Pings]error
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i], errs[i] = l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT}) })
	}
	wg.Wait()
	var t RTTs
	for _, r := range results {
		switch r.Outcome {
		case proxy.Answered:
			t.times = append(t.times, r.Times...)
		case proxy.Silent:
			if t.silent++; t.waited == 0 || r.Waited < t.waited {
				t.waited = r.Waited
			}
		default:
			return t, NotAnswered(r.Outcome)
		}
	}
	slices.Sort(t.times)
	return t, chaos.JoinErrors(errs[:]...)
}

// errBlurred says that a probe was as slow as the fault makes it, but that this machine was late too,
// which may be the only cause.
var errBlurred = errors.New("this machine itself was late")

// Blurred returns an error that says how late this machine was.
func Blurred(late time.Duration) error {
	return fmt.Errorf("%w by %s, so that there is no telling", errBlurred, quantity.FormatSeconds(late.Seconds()))
}

// errMixed says that some probes were nearly as slow as the fault makes them: a late machine may well have made the
// others as slow.
var errMixed = fmt.Errorf("%w for some of them", errBlurred)

// Mixed returns an error that says how late this machine was, when some probes were nearly as slow as a fault on a
// share of them makes the others. It proves nothing, however often it is found.
func Mixed(late time.Duration) error {
	return fmt.Errorf("%w by %s, so that there is no telling", errMixed, quantity.FormatSeconds(late.Seconds()))
}

// LeastTelling returns the shortest time that proves a delay of least on a machine that is late: more than the lateness
// alone explains, by half of least.
func LeastTelling(least, late time.Duration) time.Duration { return max(least, late+least/2) }

// A result that is late only on a late machine counts as proof when it is found InARow times and never
// in time: without the fault some probe would have been quick between two stalls. When time is up,
// atEnd times are enough.
const (
	InARow = 10
	atEnd  = 2
)

// UntilClear repeats a proof until its result is not blurred, or ctx ends. The pulse measures the lateness of the
// machine during each try. A blurred try also returns its finding.
func UntilClear(ctx context.Context, prove func(pulse *proxy.Pulse) (string, error)) (string, error) {
	pulse, err := proxy.NewPulse(ctx)
	if err != nil {
		return "", err
	}
	defer pulse.Close()
	found, why := "", error(nil) // of the last blurred try
	for n := 1; ; n++ {          // tries in a row that count
		pulse.Reset()
		text, err := prove(pulse)
		over := ctx.Err() != nil
		switch {
		case errors.Is(err, errBlurred):
			if found, why = text, err; errors.Is(err, errMixed) {
				n = 0
			}
		case err != nil && over && n > 1 && !errors.Is(err, chaos.ErrNoEffect): // time was up during the try
			n--
		default:
			return text, err
		}
		switch {
		case n == InARow || n >= atEnd && over:
			return fmt.Sprintf("%s, %d times in a row, though %v", found, n, errBlurred), nil
		case over:
			return "", fmt.Errorf("%s, and %w", found, why)
		}
	}
}

// RoundTrip returns the median of RoundTrips.
func RoundTrip(ctx context.Context, l *chaos.Link) (time.Duration, error) {
	t, err := RoundTrips(ctx, l)
	if err != nil {
		return 0, err
	}
	return t.median()
}

// median returns the median of the round trips. All must have been answered.
func (t RTTs) median() (time.Duration, error) {
	if t.silent > 0 {
		return 0, NotAnswered(proxy.Silent)
	}
	return t.times[len(t.times)/2], nil
}

// Answers proves that new connections on the link are served again.
func Answers(ctx context.Context, l *chaos.Link) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	rtt, err := RoundTrip(ctx, l)
	if err != nil {
		return "", err
	}
	return "answers in " + quantity.FormatSeconds(rtt.Seconds()), nil
}

// OutcomeOf returns the outcome of a connection that was opened before the fault.
func OutcomeOf(ctx context.Context, before proxy.Line) proxy.Outcome {
	ctx, cancel := context.WithTimeout(ctx, proof.Silence)
	defer cancel()
	return before.RoundTrip(ctx).Outcome
}

// connects returns the outcome of a new connection that sends data.
func connects(ctx context.Context, l *chaos.Link) (proxy.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, proof.Silence)
	defer cancel()
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT})
	return r.Outcome, err
}

// Outcomes are the expected outcomes of connections.
type Outcomes struct{ Fresh, Old proxy.Outcome }

// Find checks the outcomes of a new connection and of one that was opened before the fault.
func (f Outcomes) Find(ctx context.Context, l *chaos.Link, before proxy.Line) (string, error) {
	return UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) { return f.try(ctx, l, before, pulse) })
}

func (f Outcomes) try(ctx context.Context, l *chaos.Link, before proxy.Line, pulse *proxy.Pulse) (string, error) {
	var wg sync.WaitGroup
	var old proxy.Outcome
	if before != nil {
		wg.Go(func() { old = OutcomeOf(ctx, before) })
	}
	fresh, err := connects(ctx, l)
	wg.Wait()
	silent := fresh == proxy.Silent || before != nil && old == proxy.Silent
	late := pulse.Late()
	switch {
	case err != nil:
		return "", err
	case fresh != f.Fresh:
		return "", fmt.Errorf("%w: a new connection is %s, and should be %s", chaos.ErrNoEffect, fresh, f.Fresh)
	case before != nil && old != f.Old:
		return "", fmt.Errorf("%w on a connection that was open before: it is %s, and should be %s", chaos.ErrNoEffect, old,
			f.Old)
	}
	found := fmt.Sprintf("a new connection is %s, one that was open before is %s", fresh, old)
	if before == nil {
		found = fmt.Sprintf("a new connection is %s; none could be opened before, as another fault is on the link", fresh)
	}
	if silent && LeastTelling(proof.Silence, late) > proof.Silence {
		return found, Blurred(late)
	}
	return found, nil
}

// Delayed proves that the slowest of the round trips takes at least the expected time. If the fault
// does not stay long enough, it proves that they have no answer while it stays. late is the lateness
// of this machine meanwhile.
func (t RTTs) Delayed(delay, jitter, late time.Duration) (string, error) {
	least := proof.LeastLate(delay, jitter)
	if t.silent > 0 {
		enough := min(least, proof.Silence)
		if t.waited < enough {
			return "", errors.New("there is no time to find its effect")
		}
		found := "a round trip has no answer in " + quantity.FormatSeconds(t.waited.Seconds())
		if t.waited < LeastTelling(enough, late) {
			return found, Blurred(late)
		}
		return found, nil
	}
	rtt := t.times[len(t.times)/2]
	if delay-jitter < least {
		rtt = t.times[len(t.times)-1]
	}
	found := "a round trip takes " + quantity.FormatSeconds(rtt.Seconds())
	switch {
	case rtt < least:
		return "", fmt.Errorf("%w: %s, and should take %s and more", chaos.ErrNoEffect, found,
			quantity.FormatSeconds(least.Seconds()))
	case rtt < LeastTelling(least, late):
		return found, Blurred(late)
	}
	return found, nil
}

// MostRate is half of what a clean link carries on a busy machine with two cores, in bytes a second.
const MostRate = 125e6
