package container

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/targets/platform/docker"
)

// Undo operations on containers.
const (
	opUnpause = "docker.unpause" // resumes a paused container
	opConnect = "docker.connect" // puts a container back into a network
)

// operations revert the faults on containers.
func operations() []chaos.Operation {
	return []chaos.Operation{
		container.StartOperation(),
		continueOperation(),
		{Name: opUnpause, ByEngine: true, Do: container.OnContainer(func(ctx context.Context, e *docker.Engine,
			id container.Identity,
			args container.EngineArgs,
		) (chaos.Outcome, error) {
			return unpauseContainer(ctx, e, id, args.Settle)
		}), Find: findPaused},
		{
			Name: opConnect, ByEngine: true, Exclusive: true,
			Do: container.OnContainer(func(ctx context.Context, e *docker.Engine, id container.Identity,
				args container.EngineArgs,
			) (chaos.Outcome, error) {
				if args.Endpoint == nil {
					return chaos.Failed, fmt.Errorf("%w: it does not describe the container's endpoint in its network",
						chaos.ErrDamaged)
				}
				return connectContainer(ctx, e, id, *args.Endpoint, args.Settle)
			}), Find: findDisconnected,
		},
	}
}
