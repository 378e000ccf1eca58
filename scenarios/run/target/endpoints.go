package target

import (
	"context"
	"fmt"

	"brunt/chaos"
	"brunt/scenarios/template"
)

// endpointLinks puts links between the load and the endpoints that a fault needs one to.
func (s *System) endpointLinks(ctx context.Context) error {
	h := s.host
	for _, e := range h.Plan.Scope.Endpoints {
		if hit, _ := h.Plan.NeedsLink(chaos.LoadName, e.Name); !hit || e.NoLink != "" {
			continue
		}
		upstream, err := s.host.reach(ctx, h.Plan.EndpointUpstream(e))
		if err != nil {
			return fmt.Errorf("%w: the endpoint %q: %w", errNotReady, e.Name, err)
		}
		if err := s.linkLoad(ctx, e.Name, e.Addr, upstream); err != nil {
			return err
		}
	}
	return nil
}

// LoadReady waits until each endpoint of the loads accepts connections. It is called after setup, which may start
// them. [System.Up] waits for endpoints of steps before the load. Endpoints of teardown and of the ledger are not
// awaited, because they may come up with the load, or never.
func (s *System) LoadReady(ctx context.Context) error {
	return s.endpointsReady(ctx, s.host.Plan.LoadEndpoints())
}

// endpointsReady waits until each of the endpoints accepts connections. One of datagrams accepts none, and is not
// awaited.
func (s *System) endpointsReady(ctx context.Context, used []string) error {
	if len(used) == 0 {
		return nil
	}
	urls := s.host.Plan.Endpoints(&template.Env{Units: s.host.Units})
	for _, name := range used {
		text, known := urls[name]
		if !known || s.host.Plan.Datagrams(text) {
			continue // without an address of its unit, the steps report that
		}
		addr, err := s.host.Plan.HopTo(text)
		if err != nil {
			return fmt.Errorf("%w: the endpoint %q: %w", errNotReady, name, err)
		}
		if addr == s.host.Plan.FirstHop() && s.group == nil && s.entry != "" {
			continue // already checked as the target
		}
		if err := s.host.await(ctx, endpointAt(name, addr), func(ctx context.Context) error {
			return s.host.accepts(ctx, addr)
		}); err != nil {
			return err
		}
	}
	return nil
}
