package redis

import (
	"context"
	"fmt"
	"net"
	"sync/atomic"

	"brunt/scenarios"
	"brunt/targets"
)

// sentinels remembers which sentinel to ask first: the one that answered last.
type sentinels struct{ first atomic.Int64 }

// primary returns the host:port of the primary according to the sentinels.
func (c *client) primary(ctx context.Context) (string, error) {
	return targets.TryEach(ctx, c.at.addresses, &c.sentinels.first, c.named)
}

// named returns the host:port of the primary according to one sentinel. The time counts as login.
func (c *client) named(ctx context.Context, sentinel string) (string, error) {
	targets.StagesOf(ctx).Enter(scenarios.InLogin)
	v, err := c.ask(ctx, sentinel, c.secure, "SENTINEL", "get-master-addr-by-name", c.at.master)
	if err != nil {
		return "", fmt.Errorf("the sentinel %s: %w", sentinel, err)
	}
	pair, _ := v.([]any)
	if len(pair) != 2 {
		return "", &targets.Error{
			Cause: scenarios.Unreachable, Text: fmt.Sprintf("the sentinel %s knows no primary %q", sentinel, c.at.master),
		}
	}
	host, _ := pair[0].(string)
	port, _ := pair[1].(string)
	return net.JoinHostPort(host, port), nil
}
