package proxied

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"brunt/scenarios/quantity"

	"brunt/chaos"
	"brunt/chaos/proxy"
)

// Silence is how long a probe waits before what it waits for counts as lost: many
// times the round trip of a clean link on this machine, which is under a
// millisecond.
const Silence = 250 * time.Millisecond

// Pings is how many round trips a probe makes, all at once, each on a connection of
// its own, so that they don't add up and what is random is drawn for each.
const Pings = 5

// Trips are the round trips of a probe.
type Trips struct {
	times  []time.Duration // sorted
	silent int             // had no answer
	waited time.Duration   // for those, at least
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

// errBlurred is that something took as long as the fault makes it take, and that this
// machine itself was late by then: it may have done it alone.
var errBlurred = errors.New("this machine itself was late")

// Blurred says by how much.
func Blurred(late time.Duration) error {
	return fmt.Errorf("%w by %s, so that there is no telling", errBlurred, quantity.FormatSeconds(late.Seconds()))
}

// telling is the least that something must take to show what makes it take least, on a
// machine that itself is late: by half of it more than the machine alone could make it.
func telling(least, late time.Duration) time.Duration { return max(least, late+least/2) }

// How often something must be found late by a machine that is late itself, and never in
// time, to count after all: without the fault it would have been quick between two stalls,
// and once is enough to tell. When time is up fewer times do.
const (
	inARow = 10
	atEnd  = 2
)

// UntilClear looks until what it finds is not blurred, or ctx is over. A look has the
// pulse of its own time; one that is blurred gives what it found as well.
func UntilClear(ctx context.Context, look func(pulse *proxy.Pulse) (string, error)) (string, error) {
	pulse, err := proxy.NewPulse(ctx)
	if err != nil {
		return "", err
	}
	defer pulse.Close()
	found, why := "", error(nil) // of the last look that was blurred
	for n := 1; ; n++ {
		pulse.Reset()
		text, err := look(pulse)
		over := ctx.Err() != nil
		switch {
		case errors.Is(err, errBlurred):
			found, why = text, err
		case err != nil && over && n > 1 && !errors.Is(err, chaos.ErrNoEffect): // time was up in the middle of it
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

// RoundTrip is the median of what RoundTrips finds.
func RoundTrip(ctx context.Context, l *chaos.Link) (time.Duration, error) {
	t, err := RoundTrips(ctx, l)
	if err != nil {
		return 0, err
	}
	return t.median()
}

// median is the median of the round trips, all of which must have been answered.
func (t Trips) median() (time.Duration, error) {
	if t.silent > 0 {
		return 0, fmt.Errorf("a probe is %s", proxy.Silent)
	}
	return t.times[len(t.times)/2], nil
}

// Answers finds that new connections on the link are served again.
func Answers(ctx context.Context, l *chaos.Link) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	rtt, err := RoundTrip(ctx, l)
	if err != nil {
		return "", err
	}
	return "answers in " + quantity.FormatSeconds(rtt.Seconds()), nil
}

// Fate tells what became of a connection that was open before.
func Fate(ctx context.Context, before *proxy.Line) proxy.Outcome {
	ctx, cancel := context.WithTimeout(ctx, Silence)
	defer cancel()
	return before.RoundTrip(ctx).Outcome
}

// connects tells what becomes of a new connection that says something.
func connects(ctx context.Context, l *chaos.Link) (proxy.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, Silence)
	defer cancel()
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT})
	return r.Outcome, err
}

// Outcomes are what is to become of connections.
type Outcomes struct{ Fresh, Old proxy.Outcome }

// Find finds what became of a new connection and of one that was open before.
func (f Outcomes) Find(ctx context.Context, l *chaos.Link, before *proxy.Line) (string, error) {
	return UntilClear(ctx, func(pulse *proxy.Pulse) (string, error) { return f.look(ctx, l, before, pulse) })
}

func (f Outcomes) look(ctx context.Context, l *chaos.Link, before *proxy.Line, pulse *proxy.Pulse) (string, error) {
	var wg sync.WaitGroup
	var old proxy.Outcome
	if before != nil {
		wg.Go(func() { old = Fate(ctx, before) })
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

// together is how many connections a probe of many requests uses at once, so that
// delays among them do not add up.
const together = 16

// Asked are the requests of a probe.
type asked struct {
	n    int
	hits int           // that the fault hit
	sure int           // of those, that this machine alone can't have made late, where that is asked
	late time.Duration // this machine itself, at worst
}

// An answer is what came of a request of a probe. One that had none has status 0, after
// the time that was waited.
type answer struct {
	status   int
	own      bool // the proxy's own
	took     time.Duration
	exchange *proxy.Exchange // where the probe keeps them; nil where it does not, or there was no answer
}

// requests makes n requests over the link, and counts those that hit tells of.
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

// few tells that hardly any were hit for a fault that hits a share of them: on a busy
// machine some request is slow by itself.
func (a asked) few(share float64) bool { return a.hits == 0 || float64(a.hits) < share*float64(a.n)/4 }

const (
	leastShare = 0.0005 // of the requests, that is still found among mostTries
	oneTry     = 1000   // requests at once, at most
	mostTries  = 20     // such
)

// Tries is how many connections or requests show a fault that hits a share of them: with
// so many the chance of none being hit is under one in a million.
func Tries(share float64) int {
	if share >= 1 {
		return Pings
	}
	return int(math.Ceil(math.Log(1e-6) / math.Log(1-share)))
}

// atOnce is how many requests a probe makes. For a small share they are too few, and it
// is looked for several times.
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

// LeastLate is the least that something late by delay ± jitter takes: no timer ends
// early. Where the jitter is most of the delay, that is next to nothing; then it is what
// one in ten draws and fewer come below.
func LeastLate(delay, jitter time.Duration) time.Duration { return max(delay-jitter, delay/5) }

// Delayed finds that the slowest of the round trips takes what it should. Where the fault
// does not stay for long enough, it is that they have no answer for as long as it does.
// Late is how late this machine itself was meanwhile.
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

// MostRate is half of what a clean link carries on a busy machine of two cores, in
// bytes a second.
const MostRate = 125e6
