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
	checkTimeout  = 250 * time.Millisecond // of the check itself: it holds with timeouts off, too
	checkFailures = 2                      // in a row take a replica out: one that hangs is out in 0.75 s
	callFailures  = 3                      // requests in a row that fail take it out at once
)

// health is whether a replica is fit to be sent requests. Requests that fail in a
// row take it out, and so do health checks; only a health check brings it back, as
// a replica that is out gets no requests.
//
// A nil health is never out.
type health struct {
	changed func(out bool, why string) // called under mu, so that changes are told in order

	mu     sync.Mutex
	out    bool
	calls  int // failed in a row
	checks int // failed in a row
}

func (h *health) isOut() bool {
	if h == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.out
}

// request tells how a request to the replica ended.
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

// checked tells how a health check ended.
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

// eject takes the replica out; mu is held.
func (h *health) eject(why string) {
	if !h.out {
		h.out = true
		h.changed(true, why)
	}
}

// watch checks the health of u until ctx ends.
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
