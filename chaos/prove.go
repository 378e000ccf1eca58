package chaos

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"brunt/chaos/proxy"
	"brunt/scenarios"
)

// silence is how long a probe waits before what it waits for counts as lost: many
// times the round trip of a clean link on this machine, which is under a
// millisecond.
const silence = 250 * time.Millisecond

// pings is how many round trips a probe makes.
const pings = 5

// roundTrip gives the median round trip over a new connection on the link.
func roundTrip(ctx context.Context, l *Link) (time.Duration, error) {
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT, N: pings})
	if err != nil {
		return 0, err
	}
	if r.Outcome != proxy.Answered {
		return 0, fmt.Errorf("a probe is %s", r.Outcome)
	}
	slices.Sort(r.Times)
	return r.Times[len(r.Times)/2], nil
}

// answers finds that a new connection on the link is served again.
func answers(ctx context.Context, l *Link) (string, error) {
	rtt, err := roundTrip(ctx, l)
	if err != nil {
		return "", err
	}
	return "answers in " + scenarios.FormatSeconds(rtt.Seconds()), nil
}

// silent finds that a new connection on the link gets no answer.
func silent(ctx context.Context, l *Link) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT})
	if err != nil {
		return "", err
	}
	if r.Outcome != proxy.Silent {
		return "", fmt.Errorf("a new connection is %s, and should have no answer", r.Outcome)
	}
	return fmt.Sprintf("a new connection has no answer in %s", silence), nil
}

// fate tells what became of a connection that was open before.
func fate(ctx context.Context, before *proxy.Line) proxy.Outcome {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	return before.RoundTrip(ctx).Outcome
}

// connects tells what becomes of a new connection that says something.
func connects(ctx context.Context, l *Link) (proxy.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, silence)
	defer cancel()
	r, err := l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.RTT})
	return r.Outcome, err
}

// together is how many connections a probe of many requests uses at once, so that
// delays among them do not add up.
const together = 16

// requests makes n requests over the link.
func requests(ctx context.Context, l *Link, n int, method, path string) (proxy.ProbeResult, error) {
	parts := make([]proxy.ProbeResult, min(together, n))
	errs := make([]error, len(parts))
	var wg sync.WaitGroup
	for i := range parts {
		share := n / len(parts)
		if i < n%len(parts) {
			share++
		}
		wg.Go(func() {
			parts[i], errs[i] = l.Proxy.Probe(ctx, proxy.ProbeRequest{Kind: proxy.HTTP, N: share, Method: method, Path: path})
			if errs[i] == nil && parts[i].Outcome != proxy.Answered {
				errs[i] = fmt.Errorf("a request of a probe is %s", parts[i].Outcome)
			}
		})
	}
	wg.Wait()
	var all proxy.ProbeResult
	for _, p := range parts {
		all.Times = append(all.Times, p.Times...)
		all.Statuses = append(all.Statuses, p.Statuses...)
	}
	return all, errors.Join(errs...)
}

// tries is how many requests show a fault that hits a share of them: with so many
// the chance of none being hit is under one in a million. At most a thousand.
func tries(share float64) int {
	if share >= 1 {
		return pings
	}
	return min(1000, int(math.Ceil(math.Log(1e-6)/math.Log(1-share))))
}

var errNoEffect = errors.New("it has no effect")

// spared checks what became of a connection that was open before: one that was to
// be left alone still answers.
func spared(ctx context.Context, before *proxy.Line, keep bool, want proxy.Outcome) (string, error) {
	if keep {
		want = proxy.Answered
	}
	if got := fate(ctx, before); got != want {
		return "", fmt.Errorf("%w on a connection that was open before: it is %s, and should be %s", errNoEffect, got, want)
	}
	return fmt.Sprintf("one that was open before is %s", want), nil
}
