package platform

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"brunt/scenarios/syntax"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// A Spec describes a group of units: its services and their needs.
type Spec struct {
	Services []Service
	Entry    string       // the service to which relative paths of a scenario go
	Compose  *ComposeFile // file that the machine's Compose command starts; nil if brunt starts the stack itself
	Platform string       // platform of its units: processes (the zero value), Docker or Kubernetes
}

// Platforms of stacks whose units are containers or pods.
const (
	Docker     = "docker"
	Kubernetes = scenarios.OnKubernetes
)

// A ComposeFile holds the settings of the machine's Compose command.
type ComposeFile struct {
	Path     string // absolute
	Profiles []string
	Env      []string // values of the file's placeholders
	Build    bool
}

// A Service is a command that runs in one or more replicas.
type Service struct {
	Name     string
	Replicas int
	Zones    []string // zones of its replicas, in turn; empty: no zones
	Command  Command
	Env      map[string]template.Text
	Dir      string
	User     string   // user of its processes; empty: brunt's own, or the image's
	Links    []string // services that it calls
	Port     int      // of replica 0, ascending by one from there; zero: a free port
	Ready    scenarios.Ready
	Restart  string        // always, on-failure or never
	Delay    time.Duration // before a restart
	Grace    time.Duration // between SIGTERM and SIGKILL

	Container *Container // settings of a container service
	Liveness  bool       // a pod whose readiness check fails for long is restarted
}

// A Builder is a kind of stack. Its exported fields are its YAML.
type Builder interface {
	// Spec returns the description of the stack. self is the command line of brunt itself, for stacks that run it.
	Spec(self []string) Spec
}

// Kinds lists the built-in stacks.
func Kinds() map[string]func() Builder {
	return map[string]func() Builder{
		"demo": func() Builder { return new(socialConnect) },
	}
}

// OnPods reports whether the units are pods. It is false for a nil spec.
func (s *Spec) OnPods() bool { return s != nil && s.Platform == Kubernetes }

// Service finds a service by name.
func (s *Spec) Service(name string) *Service {
	for i := range s.Services {
		if s.Services[i].Name == name {
			return &s.Services[i]
		}
	}
	return nil
}

// Names lists the names of the services.
func (s *Spec) Names() []string {
	var out []string
	for _, v := range s.Services {
		out = append(out, v.Name)
	}
	return out
}

// An Edge is a declared link between two units.
type Edge struct{ From, To string } // unit names

// Edges lists the declared links, one for each pair of units. A service that links to itself has them between its
// replicas; no unit has a link to itself.
func (s *Spec) Edges() []Edge {
	var out []Edge
	for _, from := range s.Services {
		for _, to := range from.Links {
			target := s.Service(to)
			if target == nil {
				continue
			}
			for i := range from.Replicas {
				for j := range target.Replicas {
					if e := (Edge{syntax.UnitName(from.Name, i), syntax.UnitName(to, j)}); e.From != e.To {
						out = append(out, e)
					}
				}
			}
		}
	}
	return out
}

// Zone returns the zone of replica i. It is empty if there is none.
func (s *Service) Zone(i int) string {
	if len(s.Zones) == 0 {
		return ""
	}
	return s.Zones[i%len(s.Zones)]
}

// Zones returns the zone of each unit that has one.
func (s *Spec) Zones() map[string]string {
	out := map[string]string{}
	for i := range s.Services {
		svc := &s.Services[i]
		for j := range svc.Replicas {
			if zone := svc.Zone(j); zone != "" {
				out[syntax.UnitName(svc.Name, j)] = zone
			}
		}
	}
	return out
}

// levels orders the services so that each comes before its callers. Services in a cycle share a level.
func (s *Spec) levels() [][]string {
	done := map[string]bool{}
	var out [][]string
	rest := s.Names()
	for len(rest) > 0 {
		var now, later []string
		for _, name := range rest {
			waits := slices.ContainsFunc(s.Service(name).Links,
				func(l string) bool { return !done[l] && l != name && s.Service(l) != nil })
			if waits {
				later = append(later, name)
			} else {
				now = append(now, name)
			}
		}
		if len(now) == 0 {
			now, later = later, nil
		}
		for _, name := range now {
			done[name] = true
		}
		out = append(out, now)
		rest = later
	}
	return out
}

// Environment extends env with the variables of a replica: its zone, the addresses of its links, and the variables of
// the scenario, which override the others.
func (s *Service) Environment(
	env map[string]string, index int, links func(to string) []string, it *template.Iter,
) ([]string, error) {
	if zone := s.Zone(index); zone != "" {
		env["BRUNT_ZONE"] = zone
	}
	for _, to := range s.Links {
		env["LINK_"+strings.ToUpper(strings.ReplaceAll(to, "-", "_"))] = strings.Join(links(to), ",")
	}
	for name, t := range s.Env {
		v, err := t.Append(nil, it)
		if err != nil {
			return nil, fmt.Errorf("env %s: %w", name, err)
		}
		env[name] = string(v)
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, name+"="+env[name])
	}
	return out, nil
}
