package demo

import (
	"context"
	"hash/fnv"
	"slices"
	"sync"
	"sync/atomic"
)

// How a balancer picks a replica.
const (
	roundRobin       = "round_robin"       // one after the other
	leastConnections = "least_connections" // the one with the fewest requests under way
	ipHash           = "ip_hash"           // the one that the client's address leads to
)

// A balancer spreads requests over the replicas of a service; the zero value does one
// after the other. A request whose session belongs to a replica goes there while that
// is fit, and one that is tried again goes to another.
//
// With ejection it leaves out those that are not fit. When none is fit it takes
// any: some answers are better than none, and what is wrong is then hardly the
// replicas' own doing.
type balancer struct {
	all      []*upstream
	ejection bool
	by       string
	turn     atomic.Uint64

	cancel  context.CancelFunc
	watches sync.WaitGroup
}

// pick gives the replica for q among those not tried yet, nil when all were.
func (b *balancer) pick(q call, tried []*upstream) *upstream {
	if q.stay > 0 && q.stay <= len(b.all) {
		if u := b.all[q.stay-1]; b.fit(u) && !slices.Contains(tried, u) {
			return u
		}
	}
	n := uint64(len(b.all))
	first := b.turn.Add(1)
	if b.by == ipHash {
		first = hashOf(q.client)
	}
	var best, unfit *upstream
	for i := range n {
		u := b.all[(first+i)%n]
		switch {
		case slices.Contains(tried, u):
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

// fit tells whether a replica is to be sent requests; without ejection nobody asks.
func (b *balancer) fit(u *upstream) bool { return !b.ejection || u.inRotation() }

// hashOf spreads addresses over the replicas (FNV-1a).
func hashOf(client string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(client))
	return h.Sum64()
}

// start begins the health checks.
func (b *balancer) start() {
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
	if b.cancel != nil {
		b.cancel()
	}
	b.watches.Wait()
}
