package chaos

import (
	"context"
	"fmt"

	"brunt/targets/platform/docker"
)

// Undo operations on containers.
const (
	opStart   = "docker.start"   // starts a container that was killed or stopped
	opUnpause = "docker.unpause" // resumes one that was paused
	opConnect = "docker.connect" // puts one back into a network
)

// containerOperations are the undo operations of the faults on containers.
func containerOperations() []Operation {
	return []Operation{
		{Name: opStart, ByEngine: true, Do: onContainer(func(ctx context.Context, e *docker.Engine, id containerIdentity, args engineArgs) (Outcome, error) {
			return startContainer(ctx, e, id, args.Settle)
		})},
		{Name: opUnpause, ByEngine: true, Do: onContainer(func(ctx context.Context, e *docker.Engine, id containerIdentity, args engineArgs) (Outcome, error) {
			return unpauseContainer(ctx, e, id, args.Settle)
		})},
		{Name: opConnect, ByEngine: true, Exclusive: true, Do: onContainer(func(ctx context.Context, e *docker.Engine, id containerIdentity, args engineArgs) (Outcome, error) {
			if args.Endpoint == nil {
				return Failed, fmt.Errorf("%w: it does not describe the container's endpoint in its network", ErrDamaged)
			}
			return connectContainer(ctx, e, id, *args.Endpoint, args.Settle)
		})},
	}
}
