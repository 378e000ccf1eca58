package demo

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	checkEvery    = 250 * time.Millisecond
	checkTimeout  = 250 * time.Millisecond // of the check itself, even if timeouts are off
	checkFailures = 2                      // consecutive failures that eject a replica: in 0.75 s if it hangs
	callFailures  = 3                      // consecutive failed requests that eject it at once
)

// health tracks whether a replica is fit for requests. Consecutive failures of requests or health
// checks eject it. Only a health check readmits it, because an ejected replica gets no requests.
//
// A nil health never ejects.
type health struct {
	changed func(out bool, why string) // called under mu, so that changes are reported in order

	mu     sync.Mutex
	out    bool
	calls  int // consecutive failures
	checks int // consecutive failures
}

func (h *health) isOut() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.out
}

// request records the end of a request to the replica.
func (h *health) request(o outcome) {
	if h == nil || o == abandoned {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if o == good {
		h.calls = 0
		return
	}
	h.calls++
	if h.calls >= callFailures {
		h.eject(fmt.Sprintf("%d requests in a row failed", h.calls))
	}
}

// checked records the end of a health check.
func (h *health) checked(ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !ok {
		h.checks++
		if h.checks >= checkFailures {
			h.eject(fmt.Sprintf("%d health checks in a row failed", h.checks))
		}
		return
	}
	h.checks = 0
	if h.out {
		h.out, h.calls = false, 0
		h.changed(false, "")
	}
}

// eject ejects the replica; mu is held.
func (h *health) eject(why string) {
	if !h.out {
		h.out = true
		h.changed(true, why)
	}
}

// watch runs health checks of u until ctx ends.
func (u *upstream) watch(ctx context.Context) {
	tick := time.NewTicker(checkEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		rep, err := u.client.do(ctx, u.addr, call{method: http.MethodGet, path: "/healthz"}, checkTimeout)
		if ctx.Err() == nil {
			u.health.checked(err == nil && rep.status == http.StatusOK)
		}
	}
}
