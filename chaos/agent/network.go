package agent

import (
	"context"
	"fmt"
	"io"
	"time"

	"brunt/chaos/netns/remote"
	"brunt/chaos/rpc"
)

// openRemote connects to an agent over pipe and waits for its first answer. If there is none, it closes pipe. The
// agent shares the network of a container that brunt may not enter. It removes all its faults when its input ends or is
// silent for ten seconds.
func openRemote(ctx context.Context, pipe io.ReadWriteCloser) (*remote.Namespace, error) {
	const most = 5 * time.Second // time for the agent to remove everything
	to, err := rpc.NewClient(ctx, pipe)
	if err != nil {
		return nil, err
	}
	named := func(ask rpc.Asks) rpc.Asks {
		return func(ctx context.Context, op string, args, result any) error {
			if err := ask(ctx, op, args, result); err != nil {
				return fmt.Errorf("the agent: %w", err)
			}
			return nil
		}
	}
	return remote.New(named(to.Call), named(to.Ask), func() error { return to.CloseWithin(most) }), nil
}
