package selector

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/chaos/netns"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/containers"
)

// A network fault acts in one of two ways: through the proxy on a link, or on the packets of a container in its own
// network. The ends of the edge decide which: there are no proxies between containers.

// ByPackets reports whether a fault on the edge acts on packets.
func (e *Edge) ByPackets(contained func(name string) bool) bool {
	switch {
	case !e.query().IsZero():
		return true
	case e.Via == "proxy" || e.From == chaos.LoadName:
		return false
	case e.Via != "" && e.Via != "auto":
		return true
	}
	ends := []string{e.From, e.To, e.Service, e.Unit}
	if e.Zone != "" {
		ends = append(ends, chaos.ZonePrefix+e.Zone)
	}
	return slices.ContainsFunc(ends, func(end string) bool { return end != "" && contained(end) })
}

// OnPods reports whether the packets are packets of pods. The mechanisms then are on their nodes, not on this machine.
func (e *Edge) OnPods(sc chaos.Scope) bool {
	return sc.Cluster != nil && e.query().IsZero() && e.ByPackets(sc.Contained)
}

// PacketVia returns the requested mechanism; "" means the first that works.
func (e *Edge) PacketVia() string {
	if e.Via == "auto" {
		return ""
	}
	return e.Via
}

// CheckPackets checks an edge whose packets are hit.
func (e *Edge) CheckPackets(at syntax.Pos, do netns.Action, sc chaos.Scope, m *syntax.Mistakes) {
	own := 0
	found := !e.query().IsZero()
	for _, has := range []bool{e.Service != "" && !found, e.Unit != "", e.Zone != "", found} {
		if has {
			own++
		}
	}
	switch {
	case own > 1 || own == 1 && (e.From != "" || e.To != ""):
		m.Add(at, "want from and to, or a service, a unit, a zone, or what selects containers, but not several of them")
		return
	case own == 0 && e.From == "" && e.To == "":
		m.AddHint(at, "such as {from: posts, to: store} or {container: redis}", "want from and to, or whose traffic it is")
		return
	}
	if vias := netns.Vias(do); e.PacketVia() != "" && len(vias) > 0 && !slices.Contains(vias, e.Via) {
		m.Add(e.Of("via"), "%s acts on packets by %s, not by %s", do, strings.Join(vias, ", "), e.Via)
	}
	before := m.Len()
	if e.From == chaos.LoadName {
		m.Add(e.Of("from"), "packets of the load pass the proxy on its link; via is proxy there")
	}
	for _, end := range []struct{ key, name string }{
		{"from", e.From}, {"to", e.To}, {"service", e.Service}, {"unit", e.Unit},
	} {
		if end.name != chaos.LoadName && !(found && end.key == "service") {
			e.checkRemote(end.key, end.name, sc, m)
		}
	}
	if e.Zone != "" {
		sc.KnowsZone(e.Of("zone"), e.Zone, m)
	}
	if e.Probes != "" && !e.OnPods(sc) {
		m.Add(e.Of("probes"), "probes goes with pods of Kubernetes, to which their nodes send probes")
	}
	if m.Len() > before {
		return
	}
	if s := e.subjectEnd(sc.Contained); s != "" && !sc.Contained(s) {
		m.AddHint(at, "use via: proxy for a process", "%s is not a container, so it has no packets of its own to break", s)
	}
	e.checkPick(e.subjectEnd(sc.Contained), sc, m)
}

// checkPick checks how the units of the subject are picked. How many containers a selector finds is not known before
// the run.
func (e *Edge) checkPick(subject string, sc chaos.Scope, m *syntax.Mistakes) {
	e.roles().check(e.Place, 1, sc, m)
	if !e.query().IsZero() || strings.HasPrefix(subject, chaos.ContainerPrefix) || sc.Later(subject) {
		return
	}
	total := unitsOf(subject, sc)
	if !e.roles().checkEnough(total, e.Place, subject, sc, m) {
		return
	}
	if n := e.roles().among(total); e.Has("pick") && e.Pick.Of(n, total) > n {
		m.Add(e.Of("pick"), "%d can't be picked of %d", e.Pick.Of(n, total), n)
	}
}

// query selects containers that brunt did not start. It is zero when the settings select none.
func (e *Edge) query() containers.Query {
	s := Selector{Service: e.Service, Container: e.Container, Labels: e.Labels, Project: e.Project, InNetwork: e.InNetwork}
	return s.Query()
}

// subjectEnd returns the end in whose network the fault acts: from, else to. It is "" for selected containers.
func (e *Edge) subjectEnd(contained func(string) bool) string {
	switch {
	case !e.query().IsZero():
		return ""
	case e.Zone != "":
		return chaos.ZonePrefix + e.Zone
	case e.Service+e.Unit != "":
		return e.Service + e.Unit
	case e.From != "" && (contained(e.From) || e.To == "" || !contained(e.To)):
		return e.From
	}
	return e.To
}

// checkRemote checks that an end of the edge exists: a unit, a zone, a container, or an address.
func (e *Edge) checkRemote(key, name string, sc chaos.Scope, m *syntax.Mistakes) {
	at := e.Of(key)
	switch {
	case name == "" || strings.HasPrefix(name, chaos.ContainerPrefix):
	case name == chaos.LoadName:
		m.Add(at, "the load is where links begin, not where they end")
	case strings.HasPrefix(name, chaos.ZonePrefix):
		sc.KnowsZone(at, strings.TrimPrefix(name, chaos.ZonePrefix), m)
	case strings.Contains(name, "[") && !strings.HasPrefix(name, "["):
		checkUnit(at, name, sc, m)
	default:
		if _, ok := sc.Services[name]; ok || sc.Cluster != nil && sc.Contained(name) {
			return
		}
		if host, port, ok := address(name); ok && (key == "from" || key == "to") {
			if err := sc.CheckName(host, port); err != nil {
				m.Add(at, "%v", err)
			}
			return
		}
		known := slices.Sorted(maps.Keys(sc.Services))
		hint := syntax.DidYouMean(name, known)
		if hint == "" && (key == "from" || key == "to") {
			hint = "a service, a unit, zone/…, container/…, a host (with a dot), host:port, an address or a network such as " +
				"10.0.0.0/8"
		}
		sc.NoMatch(at, m, hint, "there is no service %q", name)
	}
}

// address parses an end of an edge outside the target: an address, a network, or a host, optionally
// with a port. A host has a dot or a port; otherwise it is a service.
func address(s string) (host string, port uint16, ok bool) {
	if _, err := netip.ParsePrefix(s); err == nil {
		return s, 0, true
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return s, 0, true
	}
	if h, p, err := net.SplitHostPort(s); err == nil {
		var n Ports
		var m syntax.Mistakes
		n.DecodeNode(&syntax.Node{Kind: syntax.String, Value: p}, &m)
		if m.Len() > 0 || h == "" {
			return "", 0, false
		}
		return h, n[0], true
	}
	return s, 0, strings.Contains(strings.Trim(s, "."), ".") && !strings.ContainsAny(s, "/:[] ")
}

// Flow says which part of the traffic of an edge is hit.
type Flow int

const (
	FlowOnce   Flow = iota // packets of one direction, either one: a round trip is hit once
	FlowThere              // packets from `from` to `to`
	FlowBack               // packets from `to` to `from`
	FlowBoth               // packets of both directions
	FlowConns              // connections, opened by either end, or all packets of both directions
	FlowOut                // packets that leave the subject
	FlowOpened             // connections that `from` opens
)

// InjectionPoint is a place where a fault is injected: the network of a unit, for the packets of some peers.
type InjectionPoint struct {
	Target  container.Target
	Dir     netns.Direction
	Peers   []netip.Prefix
	Ports   []uint16
	Toward  []netip.AddrPort
	Outside bool
	Others  []container.Target    // units whose addresses are the peers; none: the peers are fixed
	Made    func() []netip.Prefix // returns the present addresses of Others
	Links   []string              // names of the links that the packets pass; none: the edge names only one end
	Fronts  []netip.AddrPort      // virtual addresses among the peers
	Spare   []netip.Prefix        // with Spares: further addresses whose packets are not hit
	Spares  bool                  // packets of the unit's own machine are not hit; Peers is then empty
}

// remoteEnd is the other end of an edge.
type remoteEnd struct {
	peers  []netip.Prefix
	ports  []uint16
	units  []container.Target
	toward []netip.AddrPort
	fronts []netip.AddrPort // virtual addresses that lead to the units
}

// lookupWithin bounds the time to resolve a host.
const lookupWithin = 5 * time.Second

// end resolves an end of an edge.
func (e *Edge) end(ctx context.Context, env chaos.Env, name string) (remoteEnd, error) {
	var f remoteEnd
	units, err := unitsNamed(ctx, env.Targets, name)
	if err != nil && !errors.Is(err, chaos.ErrNoUnit) {
		return f, err
	}
	f.units = container.ResolveAll(units)
	for _, u := range f.units {
		if u.Contained == nil {
			return f, fmt.Errorf("%s is not a container, so its packets can't be distinguished from others", u.Name())
		}
		f.toward = append(f.toward, TowardUnit(u.Contained)...)
	}
	if len(f.units) > 0 {
		if f.peers = peersOf(f.units); len(f.peers) == 0 && !env.Dry { // an empty list would match all peers
			return f, fmt.Errorf("%w: %s has no address now, so its packets can't be distinguished from others", chaos.ErrNoUnit,
				name)
		}
		return f, f.front(ctx, units)
	}
	host, port, ok := address(name)
	if !ok {
		return f, err
	}
	if port != 0 {
		f.ports = []uint16{port}
	}
	if p, err := netip.ParsePrefix(host); err == nil {
		f.peers = []netip.Prefix{p.Masked()}
		f.toward = within(p, env.Units)
		return f, env.RefusedPeers(ctx, f.peers)
	}
	addrs := []netip.Addr{}
	if a, err := netip.ParseAddr(host); err == nil {
		addrs = append(addrs, a)
	} else {
		ctx, cancel := context.WithTimeout(ctx, lookupWithin)
		defer cancel()
		if addrs, err = net.DefaultResolver.LookupNetIP(ctx, "ip", host); err != nil {
			return f, fmt.Errorf("the addresses of %s: %w", host, err)
		}
	}
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		f.peers = append(f.peers, netip.PrefixFrom(a, a.BitLen()))
		f.toward = append(f.toward, netip.AddrPortFrom(a, port))
	}
	return f, env.RefusedPeers(ctx, f.peers)
}

// front adds the virtual addresses through which others reach the units.
func (f *remoteEnd) front(ctx context.Context, units []chaos.Unit) (err error) {
	host := units[0].Traits().Node
	if host == nil {
		return nil
	}
	f.fronts, err = host.Fronts(ctx, units)
	f.toward = slices.Concat(f.fronts, f.toward)
	f.peers = withFronts(f.peers, f.fronts)
	return err
}

// withFronts adds virtual addresses to peers.
func withFronts(peers []netip.Prefix, fronts []netip.AddrPort) []netip.Prefix {
	if len(peers) == 0 { // an empty list would match all peers
		return nil
	}
	for _, a := range fronts {
		peers = append(peers, netip.PrefixFrom(a.Addr(), a.Addr().BitLen()))
	}
	return slices.Compact(peers)
}

// within returns the addresses of known units in a network. If no unit is in the network, it returns the first address
// of the network, which usually is the gateway.
func within(p netip.Prefix, units []chaos.Unit) []netip.AddrPort {
	var out []netip.AddrPort
	for _, u := range container.ResolveAll(units) {
		if u.Contained == nil {
			continue
		}
		for _, a := range u.Contained.Addresses() {
			if p.Contains(a) {
				out = append(out, netip.AddrPortFrom(a, 0))
			}
		}
	}
	if p.IsSingleIP() {
		return append(out, netip.AddrPortFrom(p.Addr(), 0))
	}
	return append(out, netip.AddrPortFrom(p.Masked().Addr().Next(), 0))
}

// TowardUnit returns the addresses at which a unit can be probed, with a port that it listens on, if
// known.
func TowardUnit(u chaos.Contained) []netip.AddrPort {
	port := uint16(0)
	if ports := u.Listens(); len(ports) > 0 {
		port = ports[0]
	}
	var out []netip.AddrPort
	for _, a := range u.Addresses() {
		out = append(out, netip.AddrPortFrom(a, port))
	}
	return out
}

// subjects returns the picked units, in whose networks the fault acts.
func (e *Edge) subjects(ctx context.Context, env chaos.Env) ([]container.Target, error) {
	s := Selector{
		Place: e.Place, Pick: e.Pick, Except: e.Except, Leader: e.Leader, Labels: e.Labels, Project: e.Project,
		InNetwork: e.InNetwork,
		Container: e.Container,
	}
	name := e.subjectEnd(env.Contained)
	zone, inZone := strings.CutPrefix(name, chaos.ZonePrefix)
	named, isContainer := strings.CutPrefix(name, chaos.ContainerPrefix)
	switch {
	case name == "":
		s.Service = e.Service // the service of Compose
	case inZone:
		s.Zone = zone
	case isContainer:
		s.Container = named
	case strings.Contains(name, "["):
		s.Unit = name
	default:
		s.Service = name
	}
	if s.Pick == (Pick{}) && e.all() {
		s.Pick = Pick{all: true}
	}
	targets, err := s.Targets(ctx, env)
	for _, u := range targets {
		if u.Contained == nil {
			return nil, fmt.Errorf("%s is not a container, so it has no packets of its own to break", u.Name())
		}
	}
	return targets, err
}

// Ends resolves the two ends of an edge between containers: the picked units of from, and all units of to.
func (e *Edge) Ends(ctx context.Context, env chaos.Env) (from, to []container.Target, err error) {
	units, err := unitsNamed(ctx, env.Targets, e.From)
	if err != nil {
		return nil, nil, err
	}
	others, err := unitsNamed(ctx, env.Targets, e.To)
	if err != nil {
		return nil, nil, err
	}
	pick := e.Pick
	if !e.Has("pick") {
		pick = Pick{all: true}
	}
	if units, err = (picked{e.roles(), pick, e.From}).of(ctx, env, units); err != nil {
		return nil, nil, err
	}
	return container.ResolveAll(units), container.ResolveAll(others), nil
}

// InjectionPoints finds where to inject a fault on the edge.
func (e *Edge) InjectionPoints(ctx context.Context, env chaos.Env, f Flow, ports []uint16) ([]InjectionPoint, error) {
	units, err := e.subjects(ctx, env)
	if err != nil {
		return nil, err
	}
	subject := e.subjectEnd(env.Contained)
	p := path{units: units, back: e.From != subject && e.To == subject, outgoing: e.Via == "netem" || e.Via == "tbf"}
	other := e.To
	if p.back {
		other = e.From
	}
	if other != "" {
		p.other = other
		if p.there, err = e.end(ctx, env, other); err != nil {
			return nil, err
		}
	}
	p.ports = slices.Concat(ports, p.there.ports)
	p.others, p.made = p.there.units, func() []netip.Prefix { return withFronts(peersOf(p.there.units), p.there.fronts) }
	p.spares = other == "" && e.Probes != "hit" &&
		slices.ContainsFunc(units, func(u container.Target) bool { return u.Traits().Node != nil })
	if e.Zone != "" {
		own := peersOf(units)
		if len(own) == 0 && !env.Dry {
			return nil, fmt.Errorf("%w: no unit of zone %s has an address now", chaos.ErrNoUnit, e.Zone)
		}
		if p.spares {
			p.spare = own
		} else {
			p.there.peers = OutsideOf(own)
		}
		p.others, p.made = units, func() []netip.Prefix {
			own := peersOf(units)
			if len(own) == 0 {
				return nil
			}
			return OutsideOf(own)
		}
	}
	return p.points(f), nil
}

// A path is an edge whose packets are hit, with resolved ends.
type path struct {
	units    []container.Target // units in whose networks the fault acts
	there    remoteEnd
	other    string // the other end as the scenario names it; empty: any
	back     bool   // units are the end `to`
	outgoing bool   // the mechanism acts on outgoing packets only
	ports    []uint16
	others   []container.Target    // units whose addresses are the peers; none: the peers are fixed
	made     func() []netip.Prefix // returns the present addresses of others
	spares   bool                  // packets of the units' own machines are not hit
	spare    []netip.Prefix        // packets with these addresses are not hit either
}

// points returns the injection points for a flow.
func (p *path) points(f Flow) []InjectionPoint {
	known := len(p.there.units) > 0
	toward, away := netns.Out, netns.In // packets to the other end, and from it
	if p.back {
		toward, away = netns.In, netns.Out
	}
	switch f {
	case FlowOnce, FlowConns: // the mechanism picks the direction of FlowOnce that it supports
		return p.local(netns.Both, false)
	case FlowThere:
		if known && !p.back && !p.outgoing {
			return p.remote()
		}
		return p.local(toward, false)
	case FlowBack:
		return p.local(away, false)
	case FlowBoth:
		if known && !p.back {
			return append(p.local(netns.In, false), p.remote()...)
		}
		return append(p.local(netns.In, false), p.local(netns.Out, false)...)
	case FlowOut:
		return p.local(netns.Out, false)
	case FlowOpened:
		return p.local(toward, p.back)
	}
	return nil
}

// local returns the points in the networks of the units. With outside the fault is probed from outside.
func (p *path) local(dir netns.Direction, outside bool) []InjectionPoint {
	var out []InjectionPoint
	for _, u := range p.units {
		point := InjectionPoint{
			Target: u, Dir: dir, Peers: p.there.peers, Ports: p.ports, Toward: p.there.toward, Outside: outside,
			Others: p.others, Made: p.made,
			Links: p.links(u), Fronts: p.there.fronts, Spares: p.spares, Spare: p.spare,
		}
		if outside {
			point.Toward = TowardUnit(u.Contained)
		}
		out = append(out, point)
	}
	return out
}

// remote returns the points at the other end, which hit incoming packets.
func (p *path) remote() []InjectionPoint {
	var toward []netip.AddrPort
	for _, u := range p.units {
		toward = append(toward, TowardUnit(u.Contained)...)
	}
	var out []InjectionPoint
	for _, u := range p.there.units {
		out = append(out, InjectionPoint{
			Target: u, Dir: netns.In, Peers: peersOf(p.units), Ports: p.ports, Toward: toward, Others: p.units,
			Made: func() []netip.Prefix { return peersOf(p.units) },
		})
		for _, from := range p.units {
			if from.Name() != u.Name() {
				out[len(out)-1].Links = append(out[len(out)-1].Links, chaos.LinkName(from.Name(), u.Name()))
			}
		}
	}
	return out
}

// links names the links between a unit and the other end: one for each other unit of that end, if it has units.
func (p *path) links(u container.Target) []string {
	others := []string{p.other}
	switch {
	case p.other == "":
		return nil
	case len(p.there.units) > 0:
		others = nil
		for _, there := range p.there.units {
			if there.Name() != u.Name() {
				others = append(others, there.Name())
			}
		}
	}
	for i, other := range others {
		if others[i] = chaos.LinkName(u.Name(), other); p.back {
			others[i] = chaos.LinkName(other, u.Name())
		}
	}
	return others
}

// OutsideOf returns all addresses except the given ones.
func OutsideOf(inside []netip.Prefix) []netip.Prefix {
	var out []netip.Prefix
	var split func(p netip.Prefix)
	split = func(p netip.Prefix) {
		if !slices.ContainsFunc(inside, p.Overlaps) {
			out = append(out, p)
			return
		}
		if p.IsSingleIP() {
			return
		}
		low := netip.PrefixFrom(p.Addr(), p.Bits()+1)
		b := p.Addr().AsSlice()
		b[p.Bits()/8] |= 0x80 >> (p.Bits() % 8)
		high, _ := netip.AddrFromSlice(b)
		split(low)
		split(netip.PrefixFrom(high, p.Bits()+1))
	}
	split(netip.MustParsePrefix("0.0.0.0/0"))
	split(netip.MustParsePrefix("::/0"))
	return out
}

// peersOf returns the addresses of units as single-address networks.
func peersOf(units []container.Target) []netip.Prefix {
	var out []netip.Prefix
	for _, u := range units {
		for _, a := range u.Contained.Addresses() {
			out = append(out, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	slices.SortFunc(out, func(a, b netip.Prefix) int { return a.Addr().Compare(b.Addr()) })
	return slices.Compact(out)
}
