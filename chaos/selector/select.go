package selector

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"brunt/chaos"
	"brunt/chaos/container"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/containers"
)

// Selector says which units a fault hits: exactly one of service, unit, zone and pid; or the units of
// a service in a zone; or containers of the machine's Docker engine that match all of container,
// labels, project and in_network.
type Selector struct {
	syntax.Place
	// the service to hit, with as many units as pick says; with project, a service of Compose
	Service   string            `yaml:"service"`
	Unit      string            `yaml:"unit"`       // one unit, service[i]
	Zone      string            `yaml:"zone"`       // all units of the zone, or those of the service in it
	PID       int               `yaml:"pid,min=2"`  // a process that brunt did not start
	Container string            `yaml:"container"`  // the name or id of a container that runs already
	Labels    map[string]string `yaml:"labels"`     // labels that containers have, all of them; an empty value is any
	Project   string            `yaml:"project"`    // the project of Compose whose containers are hit
	InNetwork string            `yaml:"in_network"` // containers in this network, by its name or id
	// how many units: one (the default), all (the default of a zone), a number, a share, leader, follower, minority (as
	// many as a majority can do without) or quorum (a majority)
	Pick Pick `yaml:"pick"`
	// with leader, the unit that leads is left out, and pick is among the others
	Except string `yaml:"except,oneof=leader"`
	// how the leader is found, for pick: leader, pick: follower and except: leader; with pick: minority and pick: quorum
	// it only says who led. nil is the question of the service in `leaders`
	Leader *Leader `yaml:"leader"`
	// for pods: whether those that join while the fault is injected are hit too; zero is yes with pick: all, else no.
	// With another pick, yes hits the pod that replaces a hit one
	Follow string `yaml:"follow,oneof=yes|no"`
}

// Query selects containers that brunt did not start. It is zero when the settings select none.
func (s *Selector) Query() containers.Query {
	q := containers.Query{Container: s.Container, Labels: s.Labels, Project: s.Project, Network: s.InNetwork}
	if s.Project != "" {
		q.Service = s.Service
	}
	return q
}

// Pick says how many of the matching units are hit. The zero value is one.
type Pick struct {
	all   bool
	Role  string // chaos.RoleLeader or chaos.RoleFollower; empty is any
	part  string // of the members of a replicated store: minority or quorum; empty is neither
	n     int
	share float64
}

// The parts of the members of a replicated store.
const (
	minority = "minority" // as many as can be lost while the others are a majority
	quorum   = "quorum"   // a majority
)

func (p *Pick) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	switch {
	case s == "one":
		p.n = 1
	case s == "all":
		p.all = true
	case s == chaos.RoleLeader, s == chaos.RoleFollower:
		p.Role = s
	case s == minority, s == quorum:
		p.part = s
	case strings.HasSuffix(s, "%"):
		f, err := quantity.ParseShare(s)
		if err != nil || f == 0 {
			m.Add(n.Pos, "want a share of the units such as 50%%, not %q", s)
		}
		p.share = f
	default:
		k, err := strconv.Atoi(s)
		if err != nil || k < 1 {
			m.Add(n.Pos, "pick is one, all, leader, follower, minority, quorum, a number or a share such as 50%%, not %q", s)
		}
		p.n = k
	}
}

// Of returns how many of the candidates are hit, which are those of total units that have the wanted role. A share is
// rounded up, so it hits at least one. One or two units have no minority, and Of returns 0.
func (p Pick) Of(candidates, total int) int {
	switch {
	case p.all:
		return candidates
	case p.part == minority:
		return max(0, (total-1)/2)
	case p.part == quorum:
		return total/2 + 1
	case p.share > 0:
		return int(math.Ceil(p.share*float64(candidates) - 1e-9))
	}
	return max(1, p.n)
}

// pick returns the pick of the settings. The default of a zone is all.
func (s *Selector) pick() Pick {
	if s.Zone != "" && s.Pick == (Pick{}) {
		return Pick{all: true}
	}
	return s.Pick
}

// matches returns the number of matching units. Containers that are found during the run count as
// one.
func (s *Selector) matches(sc chaos.Scope) int {
	switch {
	case !s.Query().IsZero():
		return 1
	case s.Zone != "":
		return sc.Zones.Count(s.Zone, s.Service)
	case s.Service != "":
		return sc.Services[s.Service]
	}
	return 1
}

// Matching describes the matching units, such as "web in zone a".
func (s *Selector) Matching() string {
	if q := s.Query(); !q.IsZero() {
		return q.String()
	}
	name := s.Service + s.Unit
	if s.Zone != "" {
		name = strings.TrimPrefix(name+" in zone "+s.Zone, " in ")
	}
	return name
}

// CheckSelector checks the selector against the services of the target.
func (s *Selector) CheckSelector(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	if !s.Query().IsZero() {
		s.checkFound(sc, m)
		return
	}
	given := 0
	for _, has := range []bool{s.Service != "", s.Unit != "", s.Zone != "" && s.Service == "", s.PID != 0} {
		if has {
			given++
		}
	}
	if given != 1 {
		m.AddHint(at, "such as {service: posts, pick: one}",
			"want exactly one of service, unit, zone, pid, or what selects containers")
		return
	}
	names := slices.Sorted(maps.Keys(sc.Services))
	before := m.Len()
	if s.PID == 0 && s.Unit == "" {
		s.roles().check(s.Place, 1, sc, m)
	} else if s.Leader != nil || s.Except != "" {
		m.Add(s.Of("leader"), "the leader is found among the units of a service or a zone")
	}
	if s.Zone != "" {
		if !sc.KnowsZone(s.Of("zone"), s.Zone, m) {
			return
		}
	}
	switch {
	case s.Service != "" || s.Zone != "":
		if s.Service != "" && !sc.Has(s.Service) {
			sc.NoMatch(s.Of("service"), m, syntax.DidYouMean(s.Service, names), "there is no service %q", s.Service)
			return
		}
		n := s.matches(sc)
		switch most := s.roles().among(n); {
		case m.Len() > before || sc.Later(s.Service):
		case n == 0:
			sc.NoMatch(s.Of("zone"), m, "", "%s has no unit in zone %s", s.Service, s.Zone)
		case !s.roles().checkEnough(n, s.Place, s.Matching(), sc, m):
		case s.pick().Of(most, n) > most && s.Zone != "":
			sc.NoMatch(s.Of("pick"), m, "", "%s has %s; %d can't be picked", s.Matching(), syntax.Amount(n, "unit"),
				s.pick().Of(most, n))
		case s.pick().Of(most, n) > most:
			sc.NoMatch(s.Of("pick"), m, "", "%s has %s; %d can't be picked", s.Service, syntax.Amount(n, "replica"),
				s.pick().Of(most, n))
		}
	case s.Unit != "":
		checkUnit(s.Of("unit"), s.Unit, sc, m)
		if s.Has("pick") {
			m.Add(s.Of("pick"), "a unit is one already; pick goes with a service")
		}
	}
}

// checkUnit notes a mistake if a unit, service[i], does not exist.
func checkUnit(at syntax.Pos, unit string, sc chaos.Scope, m *syntax.Mistakes) {
	service, index, ok := chaos.SplitUnit(unit)
	if !ok {
		m.AddHint(at, "such as posts[1]", "%q is not a unit", unit)
		return
	}
	n, known := sc.Services[service]
	switch {
	case known && sc.Later(service), !known && sc.Has(service): // the units are found during the run
	case !known:
		sc.NoMatch(at, m, syntax.DidYouMean(service, slices.Sorted(maps.Keys(sc.Services))), "there is no service %q",
			service)
	case index >= n:
		sc.NoMatch(at, m, "", "%s has %s, counted from 0", service, syntax.Amount(n, "replica"))
	}
}

// checkFound checks a selector of containers, as far as that is possible before the run.
func (s *Selector) checkFound(sc chaos.Scope, m *syntax.Mistakes) {
	for _, other := range []struct {
		key string
		has bool
	}{
		{"unit", s.Unit != ""}, {"zone", s.Zone != ""}, {"pid", s.PID != 0}, {"service", s.Service != "" && s.Project == ""},
	} {
		if other.has {
			m.Add(s.Of(other.key),
				"`%s` names what the target is made of, and beside it are words that select containers of the engine", other.key)
		}
	}
	if s.Container != "" && s.Has("pick") {
		m.Add(s.Of("pick"), "a container is one already; pick goes with labels, project or in_network")
	}
	for name := range s.Labels {
		if name == "" {
			m.Add(s.Of("labels"), "a label has a name")
		}
	}
	s.roles().check(s.Place, 1, sc, m)
}

// Steps makes a step for each unit to hit.
func (s *Selector) Steps(
	ctx context.Context, env chaos.Env, step func(container.Target) (chaos.Step, error),
) ([]chaos.Step, error) {
	targets, err := s.Targets(ctx, env)
	if err != nil {
		return nil, err
	}
	var steps []chaos.Step
	for _, t := range targets {
		if env.Only != nil && !slices.Contains(env.Only, t.Name()) {
			continue
		}
		made, err := step(t)
		if err != nil {
			return nil, err
		}
		steps = append(steps, made)
	}
	return steps, nil
}

// Targets finds the units to hit: it picks the requested number of the matching units, with the random numbers of the
// occurrence.
func (s *Selector) Targets(ctx context.Context, env chaos.Env) ([]container.Target, error) {
	units, err := s.units(ctx, env)
	if err != nil {
		return nil, err
	}
	return container.ResolveAll(units), nil
}

func (s *Selector) units(ctx context.Context, env chaos.Env) ([]chaos.Unit, error) {
	var found []chaos.Unit
	switch {
	case s.PID != 0:
		u, err := processUnit(s.PID)
		if err != nil {
			return nil, err
		}
		found = []chaos.Unit{u}
	case !s.Query().IsZero():
		var err error
		if found, err = findContainers(ctx, env.Targets, s.Query()); err != nil {
			return nil, err
		}
	default:
		for _, u := range env.Units {
			in := s.Zone == "" || env.Zones.At(chaos.ZonePrefix+s.Zone, u.Name())
			if in && (u.Service() == s.Service || u.Name() == s.Unit || s.Zone != "" && s.Service == "") {
				found = append(found, u)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w %s", chaos.ErrNoUnit, s.Matching())
	}
	found, err := picked{s.roles(), s.pick(), s.Matching()}.of(ctx, env, found)
	if err != nil {
		return nil, err
	}
	return found, env.Bound(len(found))
}

// roles returns the settings that pick units by their role.
func (s *Selector) roles() roles { return roles{s.pick(), s.Except, s.Leader} }

// picked says which of the matching units are hit.
type picked struct {
	roles roles
	pick  Pick   // how many units with the role, by the seed of the occurrence
	what  string // describes the matching units
}

// of picks from units, and sorts the result by name.
func (p picked) of(ctx context.Context, env chaos.Env, units []chaos.Unit) ([]chaos.Unit, error) {
	if kept, again := env.Choice.Kept(p.what, units); again {
		if len(kept) == 0 {
			return nil, fmt.Errorf("%w: none of the units picked from %s exists any more", chaos.ErrNoUnit, p.what)
		}
		return kept, nil
	}
	units, err := p.first(ctx, env, units)
	if err == nil {
		env.Choice.Note(p.what, units)
	}
	return units, err
}

// first picks without regard to earlier plans.
func (p picked) first(ctx context.Context, env chaos.Env, units []chaos.Unit) ([]chaos.Unit, error) {
	total := len(units)
	switch {
	case p.roles.asks():
		var err error
		if units, err = p.roles.units(ctx, env, p.what, units); err != nil || env.Dry {
			return units, err
		}
	case p.roles.leader != nil && !env.Dry:
		p.roles.noteLeader(ctx, env, units)
	}
	switch n := p.pick.Of(len(units), total); {
	case n == 0:
		return nil, fmt.Errorf("%w: a majority of %s takes all %d of them", chaos.ErrNoUnit, p.what, total)
	case n > len(units):
		return nil, fmt.Errorf("%w: %d of %s are wanted, and there are %d", chaos.ErrNoUnit, n, p.what, len(units))
	case n < len(units):
		env.Rand.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
		units = units[:n]
		slices.SortFunc(units, func(a, b chaos.Unit) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return units, nil
}
