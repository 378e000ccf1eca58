package demo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// errNone reports that the registry knows of no replica; nothing was sent.
var errNone = errors.New("no replica is registered")

// errOpen reports that a breaker rejected a call; nothing was sent.
var errOpen = errors.New("the circuit breaker is open")

// An upstream is a replica of a service that the gateway calls.
type upstream struct {
	name    string // such as posts[1]
	index   int
	busy    atomic.Int64 // requests in progress
	addr    string
	client  *client
	breaker *breaker // nil: none
	health  *health  // nil: never ejected

	unlisted atomic.Bool // the registry does not know it
}

// upstreamMetrics show the state of upstreams at the gateway.
type upstreamMetrics struct {
	breaker *prometheus.GaugeVec
	ejected *prometheus.GaugeVec
}

func newUpstreamMetrics(m *metrics) upstreamMetrics {
	return upstreamMetrics{
		breaker: m.auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "socialconnect_breaker_state", Help: "0 closed, 1 half-open, 2 open.",
		}, []string{"upstream"}),
		ejected: m.auto.NewGaugeVec(prometheus.GaugeOpts{
			Name: "socialconnect_upstream_ejected", Help: "1 while the balancer leaves the replica out.",
		}, []string{"upstream"}),
	}
}

// upstreamsOf returns the replicas of a service, with the defences that are on.
func upstreamsOf(p parts, c *client, m upstreamMetrics, service string, breakers, ejection bool) []*upstream {
	var all []*upstream
	for i, addr := range p.env.link(service) {
		u := &upstream{name: fmt.Sprintf("%s[%d]", service, i), index: i, addr: addr, client: c}
		log := p.log.With("upstream", u.name)
		if breakers {
			state := m.breaker.WithLabelValues(u.name)
			u.breaker = &breaker{changed: func(s breakerState) {
				state.Set(float64(s))
				log.Log(context.Background(), levelOf(s == closed), "breaker "+s.String())
			}}
		}
		if ejection {
			ejected := m.ejected.WithLabelValues(u.name)
			u.health = &health{changed: func(out bool, why string) {
				if out {
					ejected.Set(1)
					log.Warn("upstream ejected", "reason", why)
				} else {
					ejected.Set(0)
					log.Info("upstream back")
				}
			}}
		}
		all = append(all, u)
	}
	return all
}

func levelOf(fine bool) slog.Level {
	if fine {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// inRotation reports whether the balancer should send requests to the upstream.
func (u *upstream) inRotation() bool { return !u.health.isOut() && u.breaker.ready() }

// send makes one attempt within timeout (0: none), and reports the result to breaker and health. A nil upstream
// reaches no replica.
func (u *upstream) send(ctx context.Context, q call, timeout time.Duration) (reply, error) {
	if u == nil {
		return reply{}, errNone
	}
	p, ok := u.breaker.allow()
	if !ok {
		return reply{}, fmt.Errorf("%s: %w", u.name, errOpen)
	}
	u.busy.Add(1)
	rep, err := u.client.do(ctx, u.addr, q, timeout)
	u.busy.Add(-1)
	rep.by = u.index
	o := good
	switch {
	case gone(ctx):
		o = abandoned
	case failed(rep, err):
		o = bad
	}
	u.breaker.done(p, o)
	u.health.request(o)
	return rep, err
}

// failed reports whether the replica, or a service that it depends on, caused an attempt to fail.
func failed(r reply, err error) bool {
	return err != nil || r.status >= http.StatusInternalServerError
}
