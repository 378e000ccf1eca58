package agent

import (
	"context"
	"errors"
	"fmt"

	"brunt/chaos"
	"brunt/chaos/proxy/child"
)

// Proxies returns the proxies that an agent has in the network of a unit on another machine, until the end of the run.
// It starts them unless they run already.
func Proxies(ctx context.Context, of chaos.Agents, u chaos.Contained) (*child.Process, error) {
	i, ok := of.(*Pool)
	if !ok {
		return nil, fmt.Errorf("%s: no agents are here", u.Name())
	}
	id := u.ContainerID()
	i.proxiesMu.Lock()
	p := i.proxies[id]
	i.proxiesMu.Unlock()
	if p != nil && !errors.Is(p.Alive(ctx), child.ErrEnded) {
		return p, nil
	}
	pipe, err := u.Traits().Node.LendProxies(ctx)
	if err != nil {
		return nil, err
	}
	if p, err = child.Attach(ctx, pipe); err != nil {
		return nil, fmt.Errorf("the proxies in the network of %s: %w", u.Name(), err)
	}
	i.proxiesMu.Lock()
	defer i.proxiesMu.Unlock()
	if i.proxies == nil {
		i.proxies = map[chaos.ContainerID]*child.Process{}
	}
	old := i.proxies[id]
	i.proxies[id] = p
	if old != nil { // it has ended, or another fault has just started a new one
		i.past = append(i.past, old)
	}
	return p, nil
}

// closeProxies ends all proxies.
func (i *Pool) closeProxies() error {
	i.proxiesMu.Lock()
	defer i.proxiesMu.Unlock()
	var errs []error
	for _, p := range i.proxies {
		errs = append(errs, p.Close())
	}
	for _, p := range i.past {
		errs = append(errs, p.Close())
	}
	i.proxies, i.past = nil, nil
	return errors.Join(errs...)
}
