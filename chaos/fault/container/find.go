package container

import (
	"context"
	"fmt"
	"strings"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/targets/platform/containers"
)

// findPaused finds the containers that are paused.
func findPaused(_ context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	for i := range s.Containers {
		c := &s.Containers[i]
		if !c.Paused {
			continue
		}
		out = append(out, chaos.Remnant{
			Run: c.Labels[containers.RunLabel], What: fmt.Sprintf("container %s is paused", c.Name),
			Why:     "container.pause leaves no mark on a container; anyone may have paused it",
			Command: "docker unpause " + c.Name,
			Undo: chaos.Undo{
				Op: opUnpause, Identity: container.RawOf(container.Identity{Container: c.ID, Started: c.Started}),
				Args: container.RawOf(container.EngineArgs{Engine: s.Engine.Address()}), Prior: container.RawOf("running"),
			},
		})
	}
	return out, nil
}

// findDisconnected finds the containers that are not in the network that they were made for.
func findDisconnected(ctx context.Context, s *chaos.Search) ([]chaos.Remnant, error) {
	var out []chaos.Remnant
	var errs []error
	for i := range s.Containers {
		c := &s.Containers[i]
		if !c.Running || c.Shares != "" || c.Made.IsZero() {
			continue
		}
		ep, err := s.Engine.Missing(ctx, c.ID)
		if err != nil {
			errs = append(errs, err)
		}
		if ep == nil {
			continue
		}
		var aliases []string
		for _, a := range ep.Aliases {
			aliases = append(aliases, "--alias "+a+" ")
		}
		out = append(out, chaos.Remnant{
			Run: c.Labels[containers.RunLabel], What: fmt.Sprintf("container %s is out of network %s, which it was made for",
				c.Name, ep.Name),
			Why: "network.disconnect leaves no mark on a container; anyone may have taken it out. Its address, links and " +
				"aliases there are known as far as " +
				"its labels tell",
			Command: fmt.Sprintf("docker network connect %s%s %s", strings.Join(aliases, ""), ep.Name, c.Name),
			Undo: chaos.Undo{
				Op: opConnect, Identity: container.RawOf(container.Identity{Container: c.ID, Network: ep.Network}),
				Args:  container.RawOf(container.EngineArgs{Engine: s.Engine.Address(), Endpoint: ep}),
				Prior: container.RawOf("connected"),
			},
		})
	}
	return out, chaos.JoinErrors(errs...)
}
