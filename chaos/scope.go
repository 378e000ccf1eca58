package chaos

import (
	"context"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
)

// KnowsZone reports whether a zone exists, and notes a mistake if it does not.
func (sc *Scope) KnowsZone(at syntax.Pos, zone string, m *syntax.Mistakes) bool {
	if sc.Cluster != nil { // its nodes have the zones
		return true
	}
	known := sc.Zones.names()
	if len(known) == 0 {
		sc.NoMatch(at, m, "`zones: [a, b]` beside a service's replicas puts them in turn into zones",
			"there is no zone %q: no unit stands in any", zone)
		return false
	}
	if !slices.Contains(known, zone) {
		hint := syntax.DidYouMean(zone, known)
		if hint == "" {
			hint = "known are " + strings.Join(known, ", ")
		}
		sc.NoMatch(at, m, hint, "there is no zone %q", zone)
		return false
	}
	return true
}

// HasEndpoint reports whether an end of an edge is an endpoint of the target.
func (sc *Scope) HasEndpoint(name string) bool {
	_, service := sc.Services[name]
	return !service && slices.ContainsFunc(sc.Endpoints, func(e Endpoint) bool { return e.Name == name })
}

// CheckName refuses the name of a peer that may not be looked up. host may also be an address or a network.
func (sc *Scope) CheckName(host string, port uint16) error {
	_, addr := netip.ParseAddr(host)
	_, network := netip.ParsePrefix(host)
	if sc.LookUp == nil || addr == nil || network == nil {
		return nil
	}
	return sc.LookUp(host, port)
}

// CheckHost refuses a host that is known to lie beyond the blast radius.
func (sc *Scope) CheckHost(u *url.URL) error {
	switch {
	case sc.Host != nil:
		return sc.Host(u)
	case scenarios.IsLoopback(u.Hostname()):
		return nil
	}
	return scenarios.FaultsBeyond(u.Hostname())
}

// Pairs lists the links between units that the declared edges expand to. No unit has a link to itself.
func (sc *Scope) Pairs() []EdgeName {
	var out []EdgeName
	for _, e := range sc.Edges {
		for _, from := range sc.UnitsOf(e.From) {
			for _, to := range sc.UnitsOf(e.To) {
				if from != to {
					out = append(out, EdgeName{from, to})
				}
			}
		}
	}
	return out
}

// Calls lists the links between units by which services call each other.
func (sc *Scope) Calls() []EdgeName {
	return slices.DeleteFunc(sc.Pairs(), func(e EdgeName) bool { return e.From == LoadName })
}

// Units lists all units of the target.
func (sc Scope) Units() []string {
	var out []string
	for service := range sc.Services {
		out = append(out, sc.UnitsOf(service)...)
	}
	slices.Sort(out)
	return out
}

// UnitsOf lists the units of a service. A name without replicas, such as the load or a target that
// already runs, stands for itself.
func (sc Scope) UnitsOf(service string) []string {
	n, known := sc.Services[service]
	if !known {
		return []string{service}
	}
	const most = 10_000 // replicas; a service without replicas of its own may have a huge number here
	var out []string
	for i := range min(n, most) {
		out = append(out, syntax.UnitName(service, i))
	}
	return out
}

// PIDName returns the name of a process that brunt did not start.
func PIDName(pid int) string { return fmt.Sprintf("pid %d", pid) }

// Protected lists everything that no fault may hit.
type Protected struct {
	Services   []string
	Units      []string // service[i]
	PIDs       []int
	Containers []string // by name in the engine
}

// Has reports whether a unit, or an end of a link from->to, is protected, and returns that unit.
func (p *Protected) Has(name string) (unit string, yes bool) {
	for unit := range strings.SplitSeq(name, LinkArrow) {
		service, _, ok := SplitUnit(unit)
		if !ok {
			service = unit
		}
		switch {
		case slices.Contains(p.Services, service), slices.Contains(p.Units, unit):
			return unit, true
		case slices.ContainsFunc(p.PIDs, func(pid int) bool { return PIDName(pid) == unit }):
			return unit, true
		case slices.ContainsFunc(p.Containers, func(name string) bool { return ContainerName(name) == unit }):
			return unit, true
		}
	}
	return "", false
}

// A Hit describes what a step is about to do to a unit.
type Hit struct {
	Name  string         // of the unit, or of a link from->to; empty where the hit is Peers alone
	Peers []netip.Prefix // addresses whose packets a fault in another network acts on
	Fills string         // directory of the unit whose filesystem is filled; empty: none
	// Now says that the hit follows at once. The process must then still be the one that was planned to be hit.
	Now bool
}

// Refused returns an error if a step of a fault would hit a protected unit. It checks steps, because the units that a
// fault picks are known only after planning. Now says that the steps are injected next.
func (t *Targets) Refused(ctx context.Context, f Fault, steps []Step, now bool) error {
	if t.Spare == nil {
		return nil
	}
	check := t.Spare(ctx, t)
	path := f.Traits(Scope{}).Fills
	for _, s := range steps {
		for _, u := range s.Units() {
			fills, err := t.filled(path, u)
			if err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
			if err := check(Hit{Name: u, Fills: fills, Now: now}); err != nil {
				return fmt.Errorf("%s: %w", s, err)
			}
		}
	}
	return nil
}

// filled returns the directory that a fault fills in the unit with a name.
func (t *Targets) filled(path, name string) (string, error) {
	if !strings.Contains(path, "${self.") {
		return path, nil
	}
	i := slices.IndexFunc(t.Units, func(u Unit) bool { return u.Name() == name })
	if i < 0 {
		return "", fmt.Errorf("%q holds ${self.…}, and %s is no unit of the scenario", path, name)
	}
	return FillSelf(path, t.Units[i])
}

// RefusedPeers returns an error if one of the addresses that a fault acts on belongs to a protected container.
func (t *Targets) RefusedPeers(ctx context.Context, peers []netip.Prefix) error {
	if t.Spare == nil || len(peers) == 0 {
		return nil
	}
	return t.Spare(ctx, t)(Hit{Peers: peers})
}

// Contained reports whether the units that a name stands for are containers.
func (sc *Scope) Contained(name string) bool {
	if strings.HasPrefix(name, ContainerPrefix) {
		return true
	}
	if service, _, ok := SplitUnit(name); ok {
		name = service
	}
	if sc.Cluster != nil {
		return strings.HasPrefix(name, ZonePrefix) ||
			syntax.IsName(name) && name != LoadName && name != TargetName && sc.Has(name) && !sc.HasEndpoint(name)
	}
	_, known := sc.Services[name]
	return sc.Found[name] || sc.Containers && (known || strings.HasPrefix(name, ZonePrefix))
}

// Contained reports whether the units that a name stands for are containers.
func (t *Targets) Contained(name string) bool {
	return strings.HasPrefix(name, ContainerPrefix) || slices.ContainsFunc(t.Units, func(u Unit) bool {
		return u.Traits().Contained != nil && t.Zones.At(name, u.Name())
	})
}

// SplitUnit splits service[i] into its parts.
func SplitUnit(s string) (service string, index int, ok bool) {
	service, rest, found := strings.Cut(s, "[")
	num, closed := strings.CutSuffix(rest, "]")
	i, err := strconv.Atoi(num)
	return service, i, found && closed && err == nil && i >= 0
}

// Bound refuses to hit more units than the guard allows.
func (t Targets) Bound(n int) error {
	if t.MaxUnits > 0 && n > t.MaxUnits {
		return BoundError{n, t.MaxUnits}
	}
	return nil
}

// ContainerPrefix begins the name of a unit that is a container of the engine and belongs to no
// service of the scenario, such as container/web. It may be an end of an edge.
const ContainerPrefix = "container/"

// ContainerName returns the unit name of the container with a name.
func ContainerName(name string) string { return ContainerPrefix + name }

// NodePrefix begins the name of a node of a cluster among the units that a step hits, such as node/n1.
const NodePrefix = "node/"

// A BoundError says that a fault would hit more units than the guard allows.
type BoundError struct{ Would, Most int }

func (e BoundError) Error() string {
	return fmt.Sprintf("it would hit %d units, and max_units is %d", e.Would, e.Most)
}
