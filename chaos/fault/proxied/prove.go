package proxied

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/scenarios/quantity"
)

// Silence is how long a probe waits before an answer counts as lost. The round trip of a clean link on
// this machine takes under a millisecond.
const Silence = 250 * time.Millisecond

// Pings is the number of round trips of a probe. They run concurrently on connections of their own, so
// that their times do not add up and random effects are drawn for each.
const Pings = 5

// MostUndelayed is the longest round trip that shows that a delay is gone.
func MostUndelayed(delay time.Duration) time.Duration {
	return delay/2 + min(time.Millisecond, delay/4)
}

// Trips are the round trips of a probe.
type Trips struct {
	times  []time.Duration // sorted
	silent int             // without an answer
	waited time.Duration   // the shortest wait of those
}

// RoundTrips makes round trips over new connections on the link.
func RoundTrips(ctx context.Context, l *chaos.Link) (Trips, error) {
	var results [Pings]proxy.ProbeResult
	var errs [Pings]error
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i], errs[i] = l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT}) })
	}
	wg.Wait()
	var t Trips
	for _, r := range results {
		switch r.Outcome {
		case proxy.Answered:
			t.times = append(t.times, r.Times...)
		case proxy.Silent:
			if t.silent++; t.waited == 0 || r.Waited < t.waited {
				t.waited = r.Waited
			}
		default:
			return t, fmt.Errorf("a probe is %s", r.Outcome)
		}
	}
	slices.Sort(t.times)
	return t, chaos.JoinErrors(errs[:]...)
}

// errBlurred says that a probe was as slow as the fault makes it, but that this machine was late too,
// which may be the only cause.
var errBlurred = errors.New("this machine itself was late")

// Blurred says how late this machine was.
func Blurred(late time.Duration) error {
	return fmt.Errorf("%w by %s, so that there is no telling", errBlurred, quantity.FormatSeconds(late.Seconds()))
}

// telling returns the shortest time that proves a delay of least on a machine that is late: half of
// least more than the lateness alone explains.
func telling(least, late time.Duration) time.Duration { return max(least, late+least/2) }

// A result that is late only on a late machine counts as proof when it is found inARow times and never
// in time: without the fault some probe would have been quick between two stalls. When time is up,
// atEnd times are enough.
const (
	inARow = 10
	atEnd  = 2
)

// UntilClear repeats a proof until its result is not blurred, or ctx ends. The pulse measures the
// lateness of the machine during each try. A blurred try also returns what it found.
func UntilClear(ctx context.Context, prove func(pulse *proxy.Pulse) (string, error)) (string, error) {
	pulse, err := proxy.NewPulse(ctx)
	if err != nil {
		return "", err
	}
	defer pulse.Close()
	found, why := "", error(nil) // of the last blurred try
	for n := 1; ; n++ {
		pulse.Reset()
		text, err := prove(pulse)
		over := ctx.Err() != nil
		switch {
		case errors.Is(err, errBlurred):
			found, why = text, err
		case err != nil && over && n > 1 && !errors.Is(err, chaos.ErrNoEffect): // time was up during the try
			n--
		default:
			return text, err
		}
		switch {
		case n == inARow || n >= atEnd && over:
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
func (t Trips) median() (time.Duration, error) {
	if t.silent > 0 {
		return 0, fmt.Errorf("a probe is %s", proxy.Silent)
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
func OutcomeOf(ctx context.Context, before *proxy.Line) proxy.Outcome {
	ctx, cancel := context.WithTimeout(ctx, Silence)
	defer cancel()
	return before.RoundTrip(ctx).Outcome
}

// connects returns the outcome of a new connection that sends data.
func connects(ctx context.Context, l *chaos.Link) (proxy.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, Silence)
	defer cancel()
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT})
	return r.Outcome, err
}

// Outcomes are the expected outcomes of connections.
type Outcomes struct{ Fresh, Old proxy.Outcome }

// Find checks the outcomes of a new connection and of one that was opened before the fault.
func (f Outcomes) Find(ctx context.Context, l *chaos.Link, before *proxy.Line) (string, error) {
	return UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) { return f.try(ctx, l, before, pulse) })
}

func (f Outcomes) try(ctx context.Context, l *chaos.Link, before *proxy.Line, pulse *proxy.Pulse) (string, error) {
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
		return "", fmt.Errorf("%w on a connection that was open before: it is %s, and should be %s", chaos.ErrNoEffect, old, f.Old)
	}
	found := fmt.Sprintf("a new connection is %s, one that was open before is %s", fresh, old)
	if before == nil {
		found = fmt.Sprintf("a new connection is %s; none could be opened before, as another fault is on the link", fresh)
	}
	if silent && telling(Silence, late) > Silence {
		return found, Blurred(late)
	}
	return found, nil
}

// together is the number of concurrent connections of a probe with many requests, so that their delays
// do not add up.
const together = 16

// asked counts the requests of a probe.
type asked struct {
	n    int
	hits int           // hit by the fault
	sure int           // hits that the lateness of this machine alone cannot explain, where that is measured
	late time.Duration // the worst lateness of this machine
}

// An answer is the result of one request of a probe. Without an answer the status is 0, and took is
// the time waited.
type answer struct {
	status   int
	own      bool // made by the proxy
	took     time.Duration
	exchange *proxy.Exchange // nil if the probe does not keep exchanges, or without an answer
}

// requests makes n requests over the link, and counts those for which hit is true.
func requests(ctx context.Context, l *chaos.Link, n int, q proxy.ProbeRequest, hit func(answer) bool) (asked, error) {
	q.Kind = proxy.HTTP
	parts := make([]proxy.ProbeResult, min(together, n))
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i := range parts {
		q := q
		q.N = n / len(parts)
		if i < n%len(parts) {
			q.N++
		}
		wg.Go(func() { parts[i], errs[i] = l.Proxy.Probe(ctx, q) })
	}
	wg.Wait()
	var all asked
	for i, p := range parts {
		for j, took := range p.Times {
			got := answer{status: p.Statuses[j], own: p.Own[j], took: took}
			if q.Keep {
				got.exchange = &p.Kept[j]
			}
			all.add(hit(got))
		}
		switch p.Outcome {
		case proxy.Answered:
		case proxy.Silent:
			all.add(hit(answer{took: p.Waited}))
		default:
			errs[i] = chaos.JoinErrors(errs[i], fmt.Errorf("a request of a probe is %s", p.Outcome))
		}
	}
	return all, chaos.JoinErrors(errs...)
}

func (a *asked) add(hit bool) {
	a.n++
	if hit {
		a.hits++
	}
}

// proves judges the probes of a fault on a share: enough of them are hit, and that also without those
// that a late machine may have delayed. all says that with a share of 1 every probe has to be hit. found
// describes the hits, and missing what shows no effect.
func (a asked) proves(share float64, all bool, found, missing string) (string, error) {
	enough := func(hits int) bool {
		a.hits = hits
		return !a.few(share) && (share < 1 || !all || hits == a.n)
	}
	switch {
	case !enough(a.hits):
		return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, missing)
	case !enough(a.sure):
		return found, Blurred(a.late)
	}
	return found, nil
}

// over judges the probes after a fault: none may be hit. still and is describe a hit, such as "are still
// slow" and "is slow".
func (a asked) over(what, still, is string) (string, error) {
	if a.hits > 0 {
		return "", fmt.Errorf("%d of %d %s %s", a.hits, a.n, what, still)
	}
	return fmt.Sprintf("none of %d %s %s", a.n, what, is), nil
}

// few reports whether too few requests were hit for a fault on this share of them: on a busy machine
// some requests are slow by themselves.
func (a asked) few(share float64) bool { return a.hits == 0 || float64(a.hits) < share*float64(a.n)/4 }

const (
	leastShare = 0.0005 // of the requests; the smallest that mostTries probes can find
	oneTry     = 1000   // most requests of one probe
	mostTries  = 20     // most probes
)

// Tries returns the number of connections or requests that prove a fault on a share of them: the
// chance that it hits none of them is under one in a million.
func Tries(share float64) int {
	if share >= 1 {
		return Pings
	}
	return int(math.Ceil(math.Log(1e-6) / math.Log(1-share)))
}

// atOnce returns the number of requests of one probe. For a small share one probe is not enough, and
// several are made.
func atOnce(share float64) int { return min(oneTry, Tries(share)) }

// search makes requests until one is hit.
func search(ctx context.Context, share float64, requests func(ctx context.Context, n int) (asked, error)) (asked, error) {
	var all asked
	for range mostTries {
		some, err := requests(ctx, atOnce(share))
		all.n, all.hits, all.sure, all.late = all.n+some.n, all.hits+some.hits, all.sure+some.sure, max(all.late, some.late)
		if err != nil || all.hits > 0 || Tries(share) <= oneTry || ctx.Err() != nil {
			return all, err
		}
	}
	return all, nil
}

// LeastLate returns the shortest time of an operation that is delayed by delay ± jitter: no timer ends
// early. If the jitter is close to the delay, it returns a fifth of the delay; at most one in ten
// draws is below.
func LeastLate(delay, jitter time.Duration) time.Duration { return max(delay-jitter, delay/5) }

// Delayed proves that the slowest of the round trips takes at least the expected time. If the fault
// does not stay long enough, it proves that they have no answer while it stays. late is the lateness
// of this machine meanwhile.
func (t Trips) Delayed(delay, jitter, late time.Duration) (string, error) {
	least := LeastLate(delay, jitter)
	if t.silent > 0 {
		enough := min(least, Silence)
		if t.waited < enough {
			return "", errors.New("there is no time to find its effect")
		}
		found := "a round trip has no answer in " + quantity.FormatSeconds(t.waited.Seconds())
		if t.waited < telling(enough, late) {
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
		return "", fmt.Errorf("%w: %s, and should take %s and more", chaos.ErrNoEffect, found, quantity.FormatSeconds(least.Seconds()))
	case rtt < telling(least, late):
		return found, Blurred(late)
	}
	return found, nil
}

// MostRate is half of what a clean link carries on a busy machine with two cores, in bytes a second.
const MostRate = 125e6
