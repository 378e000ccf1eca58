package proxied

import (
	"context"
	"fmt"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/medium/link"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/scenarios/quantity"
)

// together is the number of concurrent connections of a probe with many requests. Their delays then do not add up.
const together = 16

// asked counts the results of the requests of a probe.
type asked struct {
	n    int
	hits int           // hit by the fault
	sure int           // hits that the lateness of this machine alone cannot explain, if lateness is measured
	late time.Duration // the worst lateness of this machine

	// hidden counts requests that were not hit, but may have been without the lateness of this machine: it read late,
	// and so together, what had arrived one by one.
	hidden int

	// between counts requests that were not hit but slow, though faster than any hit: this machine delayed them. It is
	// counted only if every hit has a delay longer than that.
	between int
}

// An answer is the result of one request of a probe. If there was no answer, the status is 0, and took is the time
// waited.
type answer struct {
	status   int
	own      bool // made by the proxy
	took     time.Duration
	exchange *proxy.Exchange // nil if the probe does not keep exchanges, or if there was no answer
}

// requests makes n requests over the link, and counts those for which hit is true.
func requests(ctx context.Context, l *chaos.Link, n int, q proxy.ProbeRequest, hit func(answer) bool) (asked, error) {
	q.Kind, q.Form = proxy.HTTP, form(l, q.Form)
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

// proves judges the probes of a fault on a share of the requests. Enough of them must be hit, even without counting the
// hits that a late machine may have caused. It gives no verdict if the machine delayed many other requests for about as
// long, more than a quarter of the sure hits: the two cannot be told apart. Nor does it if the hits that a late machine
// may have hidden would be enough. all says that with a share of 1 every probe must be hit. found describes the hits,
// missing describes their lack.
func (a asked) proves(share float64, all bool, found, missing string) (string, error) {
	enough := func(hits int) bool {
		return !a.few(hits, share) && (share < 1 || !all || hits == a.n)
	}
	switch {
	case !enough(a.hits) && enough(a.hits+a.hidden):
		return missing, link.Mixed(a.late)
	case !enough(a.hits):
		return "", fmt.Errorf("%w: %s", chaos.ErrNoEffect, missing)
	case share < 1 && a.between > a.sure/4:
		return found, link.Mixed(a.late)
	case !enough(a.sure), a.between > a.sure/4:
		return found, link.Blurred(a.late)
	}
	return found, nil
}

// over judges the probes after a fault: none may be hit. still and is describe hits, such as "are still slow" and "is
// slow".
func (a asked) over(what, still, is string) (string, error) {
	if a.hits > 0 {
		return "", fmt.Errorf("%d of %d %s %s", a.hits, a.n, what, still)
	}
	return fmt.Sprintf("none of %d %s %s", a.n, what, is), nil
}

// few reports whether there are too few hits for a fault on this share of the requests. On a busy machine some requests
// are slow without a fault.
func (a asked) few(hits int, share float64) bool {
	return hits == 0 || float64(hits) < share*float64(a.n)/4
}

const (
	leastShare = 0.0005 // share of requests; the smallest that mostTries probes can find
	oneTry     = 1000   // most requests of one probe
	mostTries  = 20     // most probes
)

// atOnce returns the number of requests of one probe. A small share may take several probes.
func atOnce(share float64) int { return min(oneTry, proof.Tries(share)) }

// search makes requests until one is hit, in at most mostTries probes.
func search(
	ctx context.Context, share float64, requests func(ctx context.Context, n int) (asked, error),
) (asked, error) {
	var all asked
	for range mostTries {
		some, err := requests(ctx, atOnce(share))
		all.n, all.hits, all.sure, all.between = all.n+some.n, all.hits+some.hits, all.sure+some.sure,
			all.between+some.between
		all.late = max(all.late, some.late)
		if err != nil || all.hits > 0 || proof.Tries(share) <= oneTry || ctx.Err() != nil {
			return all, err
		}
	}
	return all, nil
}

// find proves a fault on a share of the requests, and describes the hits.
func find(
	ctx context.Context, percent *quantity.Share, what, how string, ask func(ctx context.Context, n int) (asked, error),
) (string, error) {
	share := proof.OrAll(percent)
	got, err := search(ctx, share, ask)
	if err != nil {
		return "", err
	}
	if got.hits == 0 || share == 1 && got.hits < got.n {
		return "", fmt.Errorf("%w: %d of %d %s are %s", chaos.ErrNoEffect, got.hits, got.n, what, how)
	}
	return fmt.Sprintf("%d of %d %s are %s", got.hits, got.n, what, how), nil
}

// gone proves that no request is hit any more.
func gone(
	ctx context.Context, percent *quantity.Share, what, how string, ask func(ctx context.Context, n int) (asked, error),
) (string, error) {
	got, err := ask(ctx, atOnce(proof.OrAll(percent)))
	if err != nil {
		return "", err
	}
	return got.over(what, "are still "+how, "is "+how)
}
