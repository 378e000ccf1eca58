package chaos

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"
)

// Selector says which units a fault hits: exactly one of service, unit and pid.
type Selector struct {
	scenarios.Place
	Service string `yaml:"service"`   // whose units are hit, as many as pick says
	Unit    string `yaml:"unit"`      // service[i]
	PID     int    `yaml:"pid,min=2"` // a process that brunt did not start
	Pick    Pick   `yaml:"pick"`      // one (the default), all, a number or a share
}

// Pick says how many of the matching units are hit. The zero value is one.
type Pick struct {
	all   bool
	n     int
	share float64
}

// DecodeNode implements [scenarios.NodeDecoder].
func (p *Pick) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	switch {
	case s == "one":
		p.n = 1
	case s == "all":
		p.all = true
	case s == "leader":
		m.Add(n.Pos, "pick: leader is not available yet")
	case strings.HasSuffix(s, "%"):
		f, err := scenarios.ParseShare(s)
		if err != nil || f == 0 {
			m.Add(n.Pos, "want a share of the units such as 50%%, not %q", s)
		}
		p.share = f
	default:
		k, err := strconv.Atoi(s)
		if err != nil || k < 1 {
			m.Add(n.Pos, "pick is one, all, a number or a share such as 50%%, not %q", s)
		}
		p.n = k
	}
}

// of is how many of total units are hit. A share is rounded up: it hits at least
// one.
func (p Pick) of(total int) int {
	switch {
	case p.all:
		return total
	case p.share > 0:
		return int(math.Ceil(p.share*float64(total) - 1e-9))
	}
	return max(1, p.n)
}

// check holds the selector against the services there are.
func (s *Selector) check(at scenarios.Pos, sc Scope, m *scenarios.Mistakes) {
	given := 0
	for _, has := range []bool{s.Service != "", s.Unit != "", s.PID != 0} {
		if has {
			given++
		}
	}
	if given != 1 {
		m.AddHint(at, "such as {service: posts, pick: one}", "want exactly one of service, unit, pid")
		return
	}
	names := slices.Sorted(maps.Keys(sc.Services))
	switch {
	case s.Service != "":
		n, ok := sc.Services[s.Service]
		if !ok {
			m.AddHint(s.Of("service"), scenarios.DidYouMean(s.Service, names), "there is no service %q", s.Service)
		} else if want := s.Pick.of(n); want > n {
			m.Add(s.Of("pick"), "%s has %d replicas; %d can't be picked", s.Service, n, want)
		}
	case s.Unit != "":
		checkUnit(s.Of("unit"), s.Unit, sc, m)
		if s.Has("pick") {
			m.Add(s.Of("pick"), "a unit is one already; pick goes with a service")
		}
	}
}

// checkUnit checks that a unit, service[i], exists.
func checkUnit(at scenarios.Pos, unit string, sc Scope, m *scenarios.Mistakes) {
	service, index, ok := splitUnit(unit)
	if !ok {
		m.AddHint(at, "such as posts[1]", "%q is no unit", unit)
		return
	}
	n, known := sc.Services[service]
	switch {
	case !known:
		m.AddHint(at, scenarios.DidYouMean(service, slices.Sorted(maps.Keys(sc.Services))), "there is no service %q", service)
	case index >= n:
		m.Add(at, "%s has %d replicas, counted from 0", service, n)
	}
}

// Hits implements [Hits].
func (s *Selector) Hits(sc Scope) int {
	if s.Service == "" {
		return 1
	}
	return s.Pick.of(sc.Services[s.Service])
}

// splitUnit takes service[i] apart.
func splitUnit(s string) (service string, index int, ok bool) {
	service, rest, found := strings.Cut(s, "[")
	num, closed := strings.CutSuffix(rest, "]")
	i, err := strconv.Atoi(num)
	return service, i, found && closed && err == nil && i >= 0
}

// units finds who is hit: the matching units, of which as many as asked for are
// picked by the run's seed.
func (s *Selector) units(env Env) ([]Unit, error) {
	var found []Unit
	switch {
	case s.PID != 0:
		u, err := processUnit(s.PID)
		if err != nil {
			return nil, err
		}
		found = []Unit{u}
	default:
		for _, u := range env.Units {
			if u.Service() == s.Service || u.Name() == s.Unit {
				found = append(found, u)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%w %s%s", ErrNoUnit, s.Service, s.Unit)
	}
	n := s.Pick.of(len(found))
	if n > len(found) {
		return nil, fmt.Errorf("%w: %d of %s are wanted, and there are %d", ErrNoUnit, n, s.Service, len(found))
	}
	if n < len(found) {
		env.Rand.Shuffle(len(found), func(i, j int) { found[i], found[j] = found[j], found[i] })
		found = found[:n]
		slices.SortFunc(found, func(a, b Unit) int { return strings.Compare(a.Name(), b.Name()) })
	}
	return found, env.bound(len(found))
}

// bound refuses to hit more units than the guard allows.
func (e Env) bound(n int) error {
	if e.MaxUnits > 0 && n > e.MaxUnits {
		return fmt.Errorf("it would hit %d units, and max_units is %d", n, e.MaxUnits)
	}
	return nil
}
