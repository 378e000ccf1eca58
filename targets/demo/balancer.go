package demo

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
)

// A balancer spreads requests over the replicas of a service, one after the other.
// With ejection it leaves out those that are not fit. When none is fit it takes
// any: some answers are better than none, and what is wrong is then hardly the
// replicas' own doing.
type balancer struct {
	all      []*upstream
	ejection bool
	turn     atomic.Uint64

	cancel  context.CancelFunc
	watches sync.WaitGroup
}

// pick gives the replica whose turn it is among those not tried yet, nil when all
// were.
func (b *balancer) pick(tried []*upstream) *upstream {
	n := uint64(len(b.all))
	first := b.turn.Add(1)
	var unfit *upstream
	for i := range n {
		u := b.all[(first+i)%n]
		switch {
		case slices.Contains(tried, u):
		case !b.ejection, u.inRotation():
			return u
		case unfit == nil:
			unfit = u
		}
	}
	return unfit
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
