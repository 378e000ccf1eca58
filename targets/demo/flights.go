package demo

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/singleflight"
)

// flights make questions that are asked at the same time a single one: who asks what
// is being asked already waits for that answer.
//
// A nil flights asks for everybody.
type flights struct {
	group  singleflight.Group
	limit  time.Duration // for the question itself, which outlives who began it; 0: none
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
