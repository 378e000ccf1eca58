package demo

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

const (
	extrasShare = 0.25 // of the queue: extras are refused once it is this full
	loginsShare = 4    // with hash_pool, one place in 4 is for logins
)

// An admission decides which requests the gateway works on, if it has a capacity. Requests of one feature have a pool;
// features may share it.
type admission struct {
	posts, users, logins *pool
	degrade              bool // extras give way first
	refused              prometheus.Counter
}

func newAdmission(p parts) *admission {
	a := &admission{
		degrade: p.env.asked("DEMO_DEGRADE"),
		refused: p.metrics.auto.NewCounter(prometheus.CounterOpts{
			Name: "socialconnect_shed_total", Help: "Requests refused because too many waited.",
		}),
	}
	n, shedding := p.env.number("DEMO_CAPACITY"), p.env.on("DEMO_SHEDDING")
	own := func(places int) *pool {
		if n == 0 {
			return nil
		}
		made := newPool(max(places, 1))
		if shedding {
			made.most = cap(made.slots)
		}
		return made
	}
	a.posts = own(n)
	a.users = a.posts
	if p.env.asked("DEMO_BULKHEAD") {
		a.posts, a.users = own(n/2), own(n/2)
	}
	a.logins = a.users
	if p.env.on("DEMO_HASH_POOL") {
		a.logins = own(n / loginsShare)
	}
	return a
}

// bounded answers a request by h once the pool has a place for it.
func (a *admission) bounded(p *pool, h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		share := 1.
		if a.degrade && isExtra(r) {
			share = extrasShare
		}
		free, err := p.take(r.Context(), share)
		switch {
		case err == nil:
			defer free()
			return h(w, r)
		case gone(r.Context()):
			return clientGone
		case errors.Is(err, context.DeadlineExceeded):
			err = poolFull
		}
		a.refused.Inc()
		return err
	}
}

// isExtra reports whether a client can do without an answer, by the header Priority of RFC 9218: its urgency is 0 to
// 7, of which 0 is the most urgent, and 3 is the default.
func isExtra(r *http.Request) bool {
	for field := range strings.SplitSeq(r.Header.Get("Priority"), ",") {
		if u, ok := strings.CutPrefix(strings.TrimSpace(field), "u="); ok {
			return u > "3"
		}
	}
	return false
}
