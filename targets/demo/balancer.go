package demo

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
)

// The policies of a balancer.
const (
	roundRobin       = "round_robin"       // replicas in turn
	leastConnections = "least_connections" // the replica with the fewest requests in progress
	ipHash           = "ip_hash"           // a replica by the hash of the client's address
)

// A balancer spreads requests over the replicas of a service; the zero value uses round robin. A
// request of a session goes to the session's replica while that is fit, and a retry goes to another
// replica.
//
// With ejection it omits replicas that are not fit. If none is fit it uses any: some responses are
// better than none, and the cause is then probably not the replicas.
type balancer struct {
	all      []*upstream
	ejection bool
	registry *member // nil: all are there
	by       string
	canary   int // each of so many requests goes to a newer replica, which has an odd index; 0: no request is chosen
	turn     atomic.Uint64

	cancel  context.CancelFunc
	watches sync.WaitGroup
}

// pick returns the replica for q among those not tried yet; nil if all were tried, or none is registered.
func (b *balancer) pick(q call, tried []*upstream) *upstream {
	if q.stay > 0 && q.stay <= len(b.all) {
		if u := b.all[q.stay-1]; b.fit(u) && !slices.Contains(tried, u) {
			return u
		}
	}
	n := uint64(len(b.all))
	first := b.turn.Add(1)
	switch {
	case b.by == ipHash:
		first = hashOf(q.client)
	case b.canary > 0 && n > 1 && first%uint64(b.canary) == 0:
		first = first/uint64(b.canary)%(n/2)*2 + 1
	case b.canary > 0:
		first = first % ((n + 1) / 2) * 2
	}
	var best, unfit *upstream
	for i := range n {
		u := b.all[(first+i)%n]
		switch {
		case slices.Contains(tried, u) || u.unlisted.Load():
		case !b.fit(u):
			if unfit == nil {
				unfit = u
			}
		case b.by != leastConnections:
			return u
		case best == nil || u.busy.Load() < best.busy.Load():
			best = u
		}
	}
	if best != nil {
		return best
	}
	return unfit
}

// fit reports whether a replica may get requests. Without ejection every replica that is registered is fit.
func (b *balancer) fit(u *upstream) bool {
	return !u.unlisted.Load() && (!b.ejection || u.inRotation())
}

// hashOf hashes a text, such as a client's address (FNV-1a).
func hashOf(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s))
	return h.Sum64()
}

// start starts the health checks.
func (b *balancer) start() {
	b.registry.start()
	if !b.ejection {
		return
	}
	var ctx context.Context
	ctx, b.cancel = context.WithCancel(context.Background())
	for _, u := range b.all {
		b.watches.Go(func() { u.watch(ctx) })
	}
}

func (b *balancer) stop() {
	b.registry.stop()
	if b.cancel != nil {
		b.cancel()
	}
	b.watches.Wait()
}
