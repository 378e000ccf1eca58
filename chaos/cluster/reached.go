package cluster

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/kube"
)

// Fronts implements [chaos.Node]: the addresses of the cluster's services.
func (n onNode) Fronts(ctx context.Context, units []chaos.Unit) (out []netip.AddrPort, err error) {
	services, _, err := n.services(ctx, units)
	for _, s := range services {
		out = append(out, virtual(s)...)
	}
	return out, err
}

// Reached implements [chaos.Node]. The ports of a pod are the ones that it declares, and the ones to which services
// lead.
func (n onNode) Reached(ctx context.Context, units []chaos.Unit) (out []chaos.Reach, err error) {
	services, ports, err := n.services(ctx, units)
	if err != nil {
		return nil, err
	}
	for _, s := range services {
		r := chaos.Reach{Name: units[0].Service()}
		for _, front := range virtual(s) {
			for _, p := range s.Spec.Ports {
				if overTCP(&p.Protocol) {
					r.At = append(r.At, netip.AddrPortFrom(front.Addr(), uint16(p.Port)))
				}
			}
		}
		out = append(out, r)
	}
	for _, u := range units {
		r := chaos.Reach{Name: u.Name()}
		p, ok := Of(u)
		if !ok {
			continue
		}
		all := slices.Concat(p.Listens(), ports[u.Name()])
		slices.Sort(all)
		for _, a := range p.Addresses() {
			for _, port := range slices.Compact(all) {
				r.At = append(r.At, netip.AddrPortFrom(a, port))
			}
		}
		out = append(out, r)
	}
	return out, nil
}

// overTCP reports whether a port is a TCP port. A port without a protocol is.
func overTCP(of *kube.Protocol) bool { return of == nil || *of == "" || *of == kube.ProtocolTCP }

// services returns the services whose virtual addresses lead to some of the units and to no others, and the ports of
// the units to which any service leads.
func (n onNode) services(
	ctx context.Context, units []chaos.Unit,
) (out []*kube.Service, ports map[string][]uint16, err error) {
	ours := map[string]string{} // units, by the UIDs of their pods
	for _, u := range units {
		if p, ok := Of(u); ok {
			ours[string(p.last().UID)] = u.Name()
		}
	}
	ns := n.t.Place.Namespace
	services, err := kube.Services(n.t.Cluster, ns).List(ctx, kube.Query{})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: list its services: %w", n.t.Place, err)
	}
	ends, err := kube.Slices(n.t.Cluster, ns).List(ctx, kube.Query{})
	if err != nil {
		return nil, nil, fmt.Errorf("%s: list the endpoints of its services: %w", n.t.Place, err)
	}
	ports = map[string][]uint16{}
	for i := range services {
		s := &services[i]
		unit, other := "", ""
		for j := range ends {
			if ends[j].Labels[kube.LabelServiceName] != s.Name {
				continue
			}
			for _, e := range ends[j].Endpoints {
				if gone := e.Conditions.Terminating; gone != nil && *gone { // a terminating pod is in no slot
					continue
				}
				if name := ours[uidOf(e)]; name != "" {
					unit = name
					ports[name] = append(ports[name], portsOf(&ends[j])...)
				} else {
					other = nameOf(e)
				}
			}
		}
		at := virtual(s)
		switch {
		case unit == "" || len(at) == 0:
		case other != "":
			return nil, nil, fmt.Errorf("the service %s (%s) leads to %s and to the pod %s, which its callers can't tell "+
				"apart: name all that it leads to, "+
				"or hit the packets of one pod by `unit: %[3]s`", s.Name, at[0].Addr(), unit, other)
		default:
			out = append(out, s)
		}
	}
	return out, ports, nil
}

// portsOf returns the ports of pods to which a service leads over TCP.
func portsOf(e *kube.EndpointSlice) (out []uint16) {
	for _, p := range e.Ports {
		if p.Port != nil && overTCP(p.Protocol) {
			out = append(out, uint16(*p.Port))
		}
	}
	return out
}

func uidOf(e kube.Endpoint) string {
	if e.TargetRef == nil {
		return ""
	}
	return string(e.TargetRef.UID)
}

func nameOf(e kube.Endpoint) string {
	if e.TargetRef == nil {
		return strings.Join(e.Addresses, ", ")
	}
	return e.TargetRef.Name
}

// virtual returns the addresses of a service, each with the first TCP port of the service.
func virtual(s *kube.Service) (out []netip.AddrPort) {
	port := uint16(0)
	for _, p := range slices.Backward(s.Spec.Ports) {
		if overTCP(&p.Protocol) {
			port = uint16(p.Port)
		}
	}
	for _, ip := range s.Spec.ClusterIPs { // None for a service without an address
		if a, err := netip.ParseAddr(ip); err == nil {
			out = append(out, netip.AddrPortFrom(a, port))
		}
	}
	return out
}
