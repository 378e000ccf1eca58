package demo

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// flights merge identical concurrent requests into one: a request waits for the answer to an
// identical one in progress.
//
// A nil flights merges nothing.
type flights struct {
	group  singleflight.Group
	limit  time.Duration // timeout of the merged request, which outlives the first caller; 0: none
	shared prometheus.Counter
}

func (f *flights) do(ctx context.Context, key string, ask func(context.Context) (reply, error)) (reply, error) {
	if f == nil {
		return ask(ctx)
	}
	began := false
	answer := f.group.DoChan(key, func() (any, error) {
		began = true
		ctx := context.WithoutCancel(ctx)
		if f.limit > 0 {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, f.limit)
			defer cancel()
		}
		return ask(ctx)
	})
	select {
	case a := <-answer:
		if !began {
			f.shared.Inc()
		}
		return a.Val.(reply), a.Err
	case <-ctx.Done():
		return reply{}, context.Cause(ctx)
	}
}

const (
	missingFor  = 2 * time.Second
	mostMissing = 4096 // ids; beyond that expired entries are dropped, or all if none has expired
)

// missing remembers which posts do not exist, so that repeated requests for them are not sent on. A
// post that appears meanwhile is not visible for that time.
//
// A nil missing remembers nothing.
type missing struct {
	mu  sync.Mutex
	ids map[string]time.Time // expiry by id
}

func newMissing() *missing { return &missing{ids: map[string]time.Time{}} }

func (m *missing) has(id string) bool {
	if m == nil {
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	until, ok := m.ids[id]
	return ok && time.Now().Before(until)
}

func (m *missing) add(id string) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	now := time.Now()
	if len(m.ids) >= mostMissing {
		for id, until := range m.ids {
			if !now.Before(until) {
				delete(m.ids, id)
			}
		}
		if len(m.ids) >= mostMissing {
			clear(m.ids)
		}
	}
	m.ids[id] = now.Add(missingFor)
}
