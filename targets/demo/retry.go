package demo

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	maxRetries  = 2
	backoffBase = 25 * time.Millisecond // upper limit of the first wait; it doubles with each retry

	budgetSlices = 10 // seconds over which the budget counts
	budgetShare  = 10 // one retry for each so many requests
	budgetExtra  = 10 // and this many in addition
)

// A retrier repeats a request when an attempt failed and another may succeed.
//
// A nil retrier makes one attempt.
type retrier struct {
	budget    budget
	unlimited bool                   // the budget does not count
	count     *prometheus.CounterVec // by result
}

func newRetrier(m *metrics) *retrier {
	return &retrier{count: m.auto.NewCounterVec(prometheus.CounterOpts{
		Name: "socialconnect_retries_total",
		Help: "Retries that were made (sent), or not for want of budget (over_budget) or time (too_late).",
	}, []string{"result"})}
}

// send returns the response of one of the balancer's replicas.
//
// It repeats a request that is not safe to repeat only if no part of it was sent. A rejection by a
// breaker costs no retry: the next replica is tried at once, because no replica did any work.
func (r *retrier) send(ctx context.Context, b *balancer, q call, timeout time.Duration, safe bool) (reply, error) {
	if r == nil {
		return b.pick(q, nil).send(ctx, q, timeout)
	}
	r.budget.request()
	var tried []*upstream
	for retries := 0; ; {
		u := b.pick(q, tried)
		rep, err := u.send(ctx, q, timeout)
		if !failed(rep, err) || ctx.Err() != nil || u == nil {
			return rep, err
		}
		tried = append(tried, u)
		all := len(tried) == len(b.all)
		if errors.Is(err, errOpen) {
			if all {
				return rep, err
			}
			continue
		}
		if !safe && !neverLeft(err) || retries == maxRetries || !r.again(ctx, retries) {
			return rep, err
		}
		retries++
		if all {
			tried = tried[:0]
		}
	}
}

// again waits for the time of the next retry, and reports whether to make it.
func (r *retrier) again(ctx context.Context, retries int) bool {
	wait := rand.N(backoffBase << retries) // full jitter
	result := "sent"
	switch deadline, ok := ctx.Deadline(); {
	case ok && time.Until(deadline) <= wait:
		result = "too_late"
	case !r.budget.take() && !r.unlimited:
		result = "over_budget"
	}
	r.count.WithLabelValues(result).Inc()
	if result != "sent" {
		return false
	}
	return pause(ctx, wait) == nil
}

// A budget limits the load that retries add to a failing system: over the last budgetSlices seconds
// they are at most a share of the requests, plus a few for low request rates.
type budget struct {
	mu     sync.Mutex
	slices [budgetSlices]budgetSlice
}

type budgetSlice struct {
	second            int64
	requests, retries int
}

func (b *budget) request() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now().requests++
}

// take reports whether one more retry is within the budget, and counts it.
func (b *budget) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.now()
	requests, retries := 0, 0
	for _, s := range b.slices {
		if s.second > now.second-budgetSlices {
			requests += s.requests
			retries += s.retries
		}
	}
	if retries >= requests/budgetShare+budgetExtra {
		return false
	}
	now.retries++
	return true
}

// now returns the slice of the present second.
func (b *budget) now() *budgetSlice {
	second := time.Now().Unix()
	s := &b.slices[second%budgetSlices]
	if s.second != second {
		*s = budgetSlice{second: second}
	}
	return s
}
