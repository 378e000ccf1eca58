package selector

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/netns"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Edge says which links a network fault hits: the links from one service or unit to another, or all links of a service.
// LoadName stands for the load. If the units are containers, it says which packets are hit: the packets between the
// ends, or all packets of a unit.
type Edge struct {
	syntax.Place
	// a service, a unit such as posts[0], a zone such as zone/a, a container such as container/redis, or load
	From string `yaml:"from"`
	// a service, a unit, a zone or a container; for packets also a host, host:port, an address or a network such as
	// 10.0.0.0/8
	To string `yaml:"to"`
	// all links of its units, in and out; with project, a service of Compose
	Service   string            `yaml:"service"`
	Unit      string            `yaml:"unit"`       // all links of the unit, in and out
	Zone      string            `yaml:"zone"`       // all links into the zone and out of it, but none within it
	Container string            `yaml:"container"`  // all packets of a container that runs already, by its name or id
	Labels    map[string]string `yaml:"labels"`     // all packets of containers that carry them; an empty value is any
	Project   string            `yaml:"project"`    // all packets of the containers of this project of Compose
	InNetwork string            `yaml:"in_network"` // all packets of the containers in this network, by its name or id
	// how many units of from, else of the service or zone, else of to: one, all, a number, a share, leader, follower,
	// minority or quorum; not written is all, of a service and of containers one
	Pick Pick `yaml:"pick"`
	// with leader, the unit that leads is left out, and pick is among the others
	Except string `yaml:"except,oneof=leader"`
	// how the leader is found, for pick: leader, pick: follower and except: leader; with pick: minority and pick: quorum
	// it only says who led. nil is the question of the service in `leaders`
	Leader *Leader `yaml:"leader"`
	// the mechanism; zero is auto: the first one available
	Via string `yaml:"via,oneof=auto|proxy|nft|nfqueue|ebpf|netem|tbf"`
	// what happens when a container whose packets are hit restarts; zero is inject: the fault is injected again. void
	// ends it, and the run is invalid
	OnRestart string `yaml:"on_restart,oneof=inject|void"`
	// of all packets of pods: whether packets of their nodes, such as health probes, are hit; zero is spare: they are
	// not, since an outage of a network does not stop them. hit hits them too
	Probes string `yaml:"probes,oneof=spare|hit"`
	// for pods: whether those that join while the fault is injected are hit too; for connections between pods, those
	// that join the callers; zero is yes with pick: all, else no. With another pick or a unit, yes hits the pod that
	// replaces a hit one. Peers of packets that join are always hit; a callee at a new address voids a fault on
	// connections
	Follow string `yaml:"follow,oneof=yes|no"`
}

// PacketKeys lists the keys of an edge that select packets. They have no use for a fault that acts only on links.
func PacketKeys() []string {
	return []string{"container", "in_network", "labels", "on_restart", "probes", "project"}
}

// On reports whether the edge contains the link between two units.
func (e *Edge) On(from, to string, z chaos.Zones) bool {
	if !e.query().IsZero() { // a selected container is no end of a link
		return false
	}
	if e.Zone != "" {
		return z.At(chaos.ZonePrefix+e.Zone, from) != z.At(chaos.ZonePrefix+e.Zone, to)
	}
	if own := e.Service + e.Unit; own != "" {
		return z.At(own, from) || z.At(own, to)
	}
	return (e.From == "" || z.At(e.From, from)) && (e.To == "" || z.At(e.To, to))
}

// OnDatagrams reports whether the edge is a link on which the load sends datagrams.
func (e *Edge) OnDatagrams(sc chaos.Scope) bool {
	return !e.ByPackets(sc.Contained) && e.query().IsZero() && e.To != "" && (e.From == "" || e.From == chaos.LoadName) &&
		sc.Datagrams(e.To)
}

// zones lists the zones that the edge names.
func (e *Edge) zones() []string {
	var out []string
	for _, end := range []string{chaos.ZonePrefix + e.Zone, e.From, e.To} {
		if zone, ok := strings.CutPrefix(end, chaos.ZonePrefix); ok && zone != "" {
			out = append(out, zone)
		}
	}
	return out
}

// CheckNetwork checks the edge of a fault that acts on links or on packets. only names the settings that apply to
// packets alone.
func (e *Edge) CheckNetwork(at syntax.Pos, do netns.Action, sc chaos.Scope, m *syntax.Mistakes, only ...string) {
	if e.ByPackets(sc.Contained) {
		e.CheckPackets(at, do, sc, m)
		return
	}
	for _, key := range only {
		if e.Has(key) {
			m.Add(e.Of(key), "%s goes with the packets of containers, and this is done on a link", key)
		}
	}
	if do == netns.Reset || do == netns.Stall {
		e.RefuseDatagrams(at, sc, m)
	}
	e.checkLinks(at, sc, m)
}

// ActOnDatagrams says which faults have an effect on a link of datagrams.
const ActOnDatagrams = "network.loss, .duplicate, .reorder, .corrupt, .latency, .bandwidth, .blackhole and .partition " +
	"act on datagrams"

// RefuseDatagrams notes a mistake if the load sends datagrams on the edge, on which the fault has no effect.
func (e *Edge) RefuseDatagrams(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	if e.OnDatagrams(sc) {
		m.AddHint(at, ActOnDatagrams, "this fault acts on connections, and the load sends datagrams to %s", e.To)
	}
}

// CheckEdge checks the edge of a fault on the connections of links.
func (e *Edge) CheckEdge(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	e.RefuseDatagrams(at, sc, m)
	e.checkLinks(at, sc, m)
}

// checkLinks checks the edge of a fault on links.
func (e *Edge) checkLinks(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	if !e.query().IsZero() || e.Via != "" && e.Via != "auto" && e.Via != "proxy" {
		m.AddHint(at, "this fault wants from and to: brunt's proxy does it on the way from one unit to another",
			"faults such as network.latency act on the packets of containers, too")
		return
	}
	if e.ByPackets(sc.Contained) {
		e.checkDiverted(at, sc, m)
		return
	}
	if e.Has("on_restart") {
		m.Add(e.Of("on_restart"), "on_restart goes with the packets of containers; a link stays over restarts")
	}
	if e.Has("probes") {
		m.Add(e.Of("probes"), "probes goes with pods of Kubernetes, to which their nodes send probes")
	}
	own := 0
	for _, has := range []bool{e.Service != "", e.Unit != "", e.Zone != ""} {
		if has {
			own++
		}
	}
	switch {
	case own == 0 && e.From == "" && e.To == "":
		first := chaos.EdgeName{From: "posts", To: "store"}
		if len(sc.Edges) > 0 {
			first = sc.Edges[0]
		}
		m.AddHint(at, "such as {from: "+first.From+", to: "+first.To+"}; declared are "+edgeNames(sc),
			"want from and to, or a service")
		return
	case own > 1 || own == 1 && (e.From != "" || e.To != ""):
		m.Add(at, "want from and to, or a service, or a unit, or a zone, but not several of them")
		return
	}
	void := false
	if inner := sc.Void; inner != nil {
		sc.Void = func(why string) {
			void = true
			inner(why)
		}
	}
	before := m.Len()
	for _, end := range []struct{ key, name string }{
		{"from", e.From}, {"to", e.To}, {"service", e.Service}, {"unit", e.Unit},
	} {
		e.checkEnd(end.key, end.name, sc, m)
	}
	if e.Zone != "" {
		sc.KnowsZone(e.Of("zone"), e.Zone, m)
	}
	if m.Len() > before || void {
		return
	}
	onLoad := func(l chaos.EdgeName) bool { return l.From == chaos.LoadName && e.On(l.From, l.To, sc.Zones) }
	if sc.Containers && !slices.ContainsFunc(sc.Pairs(), onLoad) {
		m.AddHint(at, "network.* faults act on their packets; from: load has a link",
			"it acts on links, and there is no proxy of brunt's between containers")
		return
	}
	if !e.any(sc) {
		sc.NoMatch(at, m, "declared are "+edgeNames(sc), "no link is declared %s", e.Describe())
		return
	}
	units := 1
	if s := e.subject(); sc.External != "" || s == chaos.LoadName || s == chaos.TargetName || sc.HasEndpoint(s) {
		units = 0
	}
	e.roles().check(e.Place, units, sc, m)
	if !e.roles().checkEnough(e.candidates(sc), e.Place, e.subject(), sc, m) {
		return
	}
	total := e.candidates(sc)
	if n := e.roles().among(total); e.Has("pick") && e.Pick.Of(n, total) > n {
		m.Add(e.Of("pick"), "%d can't be picked of %d", e.Pick.Of(n, total), n)
	}
}

func (e *Edge) Describe() string {
	switch {
	case e.Zone != "":
		return "into zone " + e.Zone + " or out of it"
	case e.Service+e.Unit != "":
		return "from or to " + e.Service + e.Unit
	case e.From == "":
		return "to " + e.To
	case e.To == "":
		return "from " + e.From
	}
	return "from " + e.From + " to " + e.To
}

func edgeNames(sc chaos.Scope) string {
	var names []string
	for _, l := range sc.Edges {
		names = append(names, l.From+" -> "+l.To)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// checkEnd checks that an end of the edge exists.
func (e *Edge) checkEnd(key, name string, sc chaos.Scope, m *syntax.Mistakes) {
	switch {
	case name == "" || name == chaos.LoadName && key == "from":
		return
	case name == chaos.TargetName && key == "to" && sc.External != "":
		return
	case name == chaos.LoadName:
		m.Add(e.Of(key), "the load is where links begin, not where they end")
		return
	case strings.HasPrefix(name, chaos.ZonePrefix) && (key == "from" || key == "to"):
		sc.KnowsZone(e.Of(key), strings.TrimPrefix(name, chaos.ZonePrefix), m)
		return
	case strings.Contains(name, ":"):
		m.Add(e.Of(key), "%q: only declared links can be slowed or cut here; declared are %s", name, edgeNames(sc))
		return
	case strings.Contains(name, "["):
		checkUnit(e.Of(key), name, sc, m)
		return
	}
	if _, ok := sc.Services[name]; !ok {
		known := slices.Sorted(maps.Keys(sc.Services))
		for _, end := range sc.Endpoints {
			if key == "to" && end.Name == name {
				if end.NoLink != "" {
					m.Add(e.Of(key), "no link leads to the endpoint %q: %s", name, end.NoLink)
				}
				return
			}
			if key == "to" && end.NoLink == "" {
				known = append(known, end.Name)
			}
		}
		if key == "from" {
			known = append(known, chaos.LoadName)
		}
		if sc.External != "" && key == "to" {
			known = append(known, chaos.TargetName)
		}
		sc.NoMatch(e.Of(key), m, syntax.DidYouMean(name, known), "there is no service %q", name)
	}
}

// any reports whether the edge contains a declared link.
func (e *Edge) any(sc chaos.Scope) bool {
	if len(e.zones()) > 0 {
		return slices.ContainsFunc(sc.Pairs(), func(l chaos.EdgeName) bool { return e.On(l.From, l.To, sc.Zones) })
	}
	serviceOf := func(s string) string {
		if service, _, ok := chaos.SplitUnit(s); ok {
			return service
		}
		return s
	}
	own := serviceOf(e.Service + e.Unit)
	return slices.ContainsFunc(sc.Edges, func(l chaos.EdgeName) bool {
		if own != "" {
			return l.From == own || l.To == own
		}
		return (e.From == "" || l.From == serviceOf(e.From)) && (e.To == "" || l.To == serviceOf(e.To))
	})
}

// subject returns the end whose units are counted and picked: from, else the service or the zone, else
// to.
func (e *Edge) subject() string {
	if e.Zone != "" {
		return chaos.ZonePrefix + e.Zone
	}
	if !e.query().IsZero() {
		return chaos.ContainerPrefix + e.Container
	}
	for _, s := range []string{e.From, e.Service, e.Unit, e.To} {
		if s != "" && s != chaos.LoadName {
			return s
		}
	}
	return e.To
}

// candidates returns the number of units of the subject.
func (e *Edge) candidates(sc chaos.Scope) int { return unitsOf(e.subject(), sc) }

// unitsOf returns the number of units of an end.
func unitsOf(end string, sc chaos.Scope) int {
	if zone, ok := strings.CutPrefix(end, chaos.ZonePrefix); ok {
		return sc.Zones.Count(zone, "")
	}
	if n, ok := sc.Services[end]; ok {
		return n
	}
	return 1
}

// CheckJitter notes a mistake if a jitter exceeds its delay.
func (e *Edge) CheckJitter(delay, jitter quantity.Duration, m *syntax.Mistakes) {
	if jitter > delay {
		m.Add(e.Of("jitter"), "the jitter %s is more than the delay %s, and no delay is negative", jitter, delay)
	}
}

// hits returns the number of links or units that the edge hits.
func (e *Edge) hits(sc chaos.Scope) int {
	total := e.candidates(sc)
	n := e.roles().among(total)
	if e.all() {
		return n
	}
	return min(n, e.Pick.Of(n, total))
}

// roles returns the settings that pick units by their role.
func (e *Edge) roles() roles { return roles{e.Pick, e.Except, e.Leader} }

// Whose describes the units whose links are hit, if they are picked by their role; otherwise it is empty.
func (e *Edge) Whose() string {
	if !e.roles().asks() {
		return ""
	}
	return e.roles().whose()
}

// all reports whether no pick narrows the edge.
func (e *Edge) all() bool {
	return !e.Has("pick") && e.Service == "" && e.Container == "" && len(e.Labels) == 0
}

// Links finds the links to hit.
func (e *Edge) Links(ctx context.Context, env chaos.Env) ([]*chaos.Link, error) {
	var found []*chaos.Link
	for _, l := range env.Links {
		if e.On(l.From, l.To, env.Zones) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w: no link %s", chaos.ErrNoUnit, e.Describe())
	}
	var units []string
	for _, l := range found {
		for _, end := range []string{l.From, l.To} {
			if env.Zones.At(e.subject(), end) && !slices.Contains(units, end) {
				units = append(units, end)
			}
		}
	}
	if e.roles().asks() && env.Dry {
		return found, nil
	}
	if (!e.all() || e.roles().asks()) && len(units) > 0 {
		slices.Sort(units)
		total := len(units)
		switch {
		case e.roles().asks():
			var err error
			if units, err = e.roles().of(ctx, env, units); err != nil {
				return nil, err
			}
		case e.Leader != nil && !env.Dry:
			e.roles().note(ctx, env, units)
		}
		env.Rand.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
		if !e.all() {
			units = units[:min(len(units), e.Pick.Of(len(units), total))]
		}
		found = slices.DeleteFunc(found, func(l *chaos.Link) bool {
			return !slices.Contains(units, l.From) &&
				!slices.Contains(units, l.To)
		})
	}
	return found, env.Bound(len(units))
}

// CheckPercent notes a mistake if a share is zero or below least, and could not be verified.
func (e *Edge) CheckPercent(share *quantity.Share, least quantity.Share, of string, m *syntax.Mistakes) {
	switch {
	case share == nil:
	case *share == 0:
		m.Add(e.Of("percent"), "0%% hits no %s; want more", of)
	case *share < least:
		m.Add(e.Of("percent"), "%s of the %s are too few to prove that any is hit; at least %s", share, of, least)
	}
}

// checkDiverted checks an edge between containers whose connections are diverted to a proxy.
func (e *Edge) checkDiverted(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	before := m.Len()
	switch {
	case e.From == "" || e.To == "" || e.Service+e.Unit+e.Zone != "":
		m.AddHint(at, "such as {from: posts, to: store} or {from: container/web, to: container/db}",
			"between containers it is done on the way from one to another: want from and to")
	case e.Has("on_restart"):
		m.Add(e.Of("on_restart"), "a caller that is started again has a new network, and the fault is void")
	case e.Has("probes"):
		m.Add(e.Of("probes"), "probes goes with all packets of pods; this acts on connections from one to another")
	default:
		for _, end := range []struct{ key, name string }{{"from", e.From}, {"to", e.To}} {
			if strings.HasPrefix(end.name, chaos.ContainerPrefix) ||
				!strings.Contains(end.name, "[") && sc.Cluster != nil && sc.Contained(end.name) &&
					!strings.HasPrefix(end.name, chaos.ZonePrefix) { // pods are found during the run
				continue
			}
			e.checkEnd(end.key, end.name, sc, m)
		}
		if m.Len() == before {
			e.checkPick(e.From, sc, m)
		}
	}
}
