package redis

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"brunt/scenarios"
	"brunt/targets"
)

// sentinels is which of the sentinels is asked first: the one that answered last.
type sentinels struct{ first atomic.Int64 }

// primary returns the host:port of the primary that the sentinels name now. The time is that of the login.
func (c *client) primary(ctx context.Context) (string, error) {
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	return tryEach(ctx, c.at.addresses, &c.sentinels.first, func(ctx context.Context, address string) (string, error) {
		v, err := c.ask(ctx, address, c.secure, "SENTINEL", "get-master-addr-by-name", c.at.master)
		if err != nil {
			return "", fmt.Errorf("the sentinel %s: %w", address, err)
		}
		pair, _ := v.([]any)
		if len(pair) != 2 {
			return "", &targets.Error{Cause: scenarios.Unreachable, Text: fmt.Sprintf("the sentinel %s knows no primary %q", address, c.at.master)}
		}
		host, _ := pair[0].(string)
		port, _ := pair[1].(string)
		return net.JoinHostPort(host, port), nil
	})
}

// tryEach asks addresses in turn, from the number first on, until one has an answer. Each has its share of the time.
func tryEach[T any](ctx context.Context, addresses []string, first *atomic.Int64, ask func(context.Context, string) (T, error)) (v T, err error) {
	var errs []error
	from := int(first.Load())
	for i := range addresses {
		at := (from + i) % len(addresses)
		share, cancel := ctx, context.CancelFunc(func() {})
		if until, bounded := ctx.Deadline(); bounded {
			share, cancel = context.WithTimeout(ctx, time.Until(until)/time.Duration(len(addresses)-i))
		}
		v, err = ask(share, addresses[at])
		cancel()
		if err == nil {
			first.Store(int64(at))
			return v, nil
		}
		errs = append(errs, err)
		if ctx.Err() != nil {
			break
		}
	}
	return v, errors.Join(errs...)
}
