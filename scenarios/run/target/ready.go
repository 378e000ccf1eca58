package target

import (
	"context"
	"net/netip"
	"slices"

	"brunt/chaos"
	chaoscontainer "brunt/chaos/container"
	"brunt/chaos/probe"
	"brunt/targets/platform"
	"brunt/targets/platform/docker"
)

// asking returns the target's description, with the questions whether its services are ready. e is the engine of its
// containers; nil if there is none.
func (s *System) asking(e *docker.Engine) platform.Spec {
	spec := *s.host.Plan.Stack
	spec.Services = slices.Clone(spec.Services)
	for i := range spec.Services {
		svc := &spec.Services[i]
		r := s.host.Plan.ReadyOf(svc.Name)
		if r == nil {
			continue
		}
		svc.Ready.Runs = r.Runs()
		svc.Ready.Asks = func(ctx context.Context, unit, addr, ref string) error {
			if e == nil {
				return r.AskUnit(ctx, probe.UnitAt(unit, svc.Name, addr), s.host.asksBy())
			}
			c := &chaoscontainer.Container{
				Engine: e, Ref: ref, Of: chaoscontainer.Named{Unit: unit, Service: svc.Name}, At: addr,
			}
			if at, err := netip.ParseAddrPort(addr); err == nil && !s.host.Plan.LoadAllowlist.Own.Has(at.Addr()) {
				s.host.Plan.LoadAllowlist.Own.Add(at.Addr())
			}
			return r.AskUnit(ctx, c, s.host.asksBy())
		}
	}
	return spec
}

// asksBy returns the data of the run that questions need.
func (h *Host) asksBy() chaos.Host {
	return chaos.Host{Run: h.Run, Allow: h.Plan.MonitoringRules(), AskStep: h.AskStep}
}

// askTarget asks a target that already runs whether it is ready; nil means yes.
func (s *System) askTarget(ctx context.Context, r *probe.Ready) error {
	if r.Runs() {
		if err := s.pace.Wait(ctx); err != nil {
			return err
		}
	}
	return r.AskTarget(ctx, probe.TargetAt(s.host.Plan.FirstHop()), s.host.asksBy())
}
