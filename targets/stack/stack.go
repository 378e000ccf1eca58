// Package stack starts the system that a scenario loads and breaks, and stops it
// afterwards in every case: the processes of the built-in system, or an author's own
// commands.
//
//	Spec --New--> Stack --Up--> units on loopback ports that stay over restarts
//	                 |            each with a supervisor: spawn, wait, restart
//	                 '--Down----> all processes ended, by group, and by the mark in their environment
//
// A unit is one replica of a service; its name is service[i]. A service reaches
// another only through declared links: brunt puts a proxy between each pair of units,
// so that the link can be slowed or cut.
//
// A stack of containers has the same services and units: a [Fleet] makes them through the
// engine's API, and a [Project] through the machine's Compose command. The engine
// supervises them, and they have real networks without a proxy.
//
// To add a kind of stack, write a file with a struct whose exported fields are its YAML
// and its Spec method, and add a line to [Kinds].
package stack

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
)

// A Spec describes a stack.
type Spec struct {
	Services []Service
	Entry    string       // the service to which relative paths of a scenario go
	Compose  *ComposeFile // file that the machine's Compose command starts; nil if brunt starts the stack itself
	Platform string       // platform of its units: processes (the zero value) or Docker
}

// Docker is the platform of stacks whose units are containers.
const Docker = "docker"

// A Service is a command that runs in one or more replicas.
type Service struct {
	Name     string
	Replicas int
	Zones    []string // zones of its replicas, in turn; empty is no zone
	Command  []template.TextTemplate
	Env      map[string]template.TextTemplate
	Dir      string
	Links    []string // services that it calls
	Port     int      // of replica 0, then ascending by one; zero is a free one
	Ready    scenarios.Ready
	Restart  string        // always, on-failure or never
	Delay    time.Duration // before a restart
	Grace    time.Duration // between SIGTERM and SIGKILL

	Container *Container // settings of a container service
}

// A Builder is a kind of stack. Its exported fields are its YAML.
type Builder interface {
	// Spec returns the description of the stack. self is the command line of brunt itself, for
	// stacks that run it.
	Spec(self []string) Spec
}

// Kinds lists the built-in stacks.
func Kinds() map[string]func() Builder {
	return map[string]func() Builder{
		"demo": func() Builder { return new(Demo) },
	}
}

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

// Edges lists the declared links, one for each pair of units.
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
					out = append(out, Edge{UnitName(from.Name, i), UnitName(to, j)})
				}
			}
		}
	}
	return out
}

// Zone returns the zone of replica i; empty is no zone.
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
				out[UnitName(svc.Name, j)] = zone
			}
		}
	}
	return out
}

// UnitName returns the name of a replica.
func UnitName(service string, i int) string { return fmt.Sprintf("%s[%d]", service, i) }

// Options configure a stack.
type Options struct {
	Run     string                              // name of the run, in its processes' BRUNT_RUN; empty is random
	LogDir  string                              // for the output of each unit; empty keeps only its end
	Secrets *template.Secrets                   // masked in those files; nil masks nothing
	Link    func(e Edge) (addr string, ok bool) // the listener of an edge; known before the stack starts
	Log     *slog.Logger
	// Spawned is called right after a process was started; if it fails, the process is killed.
	Spawned func(unit string, pid int) error
	// Event is called for events of a unit: start, ready, exit, restart.
	Event func(event, unit, text string)
}

// A Stack is a set of processes that brunt supervises.
type Stack struct {
	spec    Spec
	o       Options
	units   []*Unit
	spawner *spawner
}

// New prepares a stack and reserves the port of every unit. It starts nothing.
func New(spec Spec, o Options) (*Stack, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Run == "" {
		o.Run = rand.Text()
	}
	if o.Event == nil {
		o.Event = func(string, string, string) {}
	}
	s := &Stack{spec: spec, o: o}
	for i := range spec.Services {
		svc := &spec.Services[i]
		for j := range svc.Replicas {
			port, err := reserve(svc.Port, j)
			if err != nil {
				s.free()
				return nil, fmt.Errorf("a port for %s: %w", UnitName(svc.Name, j), err)
			}
			s.units = append(s.units, newUnit(s, svc, j, port))
		}
	}
	return s, nil
}

func (s *Stack) free() {
	for _, u := range s.units {
		u.port.free()
	}
}

// Units lists the units in the order of their services.
func (s *Stack) Units() []*Unit { return s.units }

// Unit finds a unit by name.
func (s *Stack) Unit(name string) *Unit {
	for _, u := range s.units {
		if u.Name() == name {
			return u
		}
	}
	return nil
}

// Addresses returns the values of ${unit.…} in a scenario.
func (s *Stack) Addresses() map[string]string {
	out := map[string]string{}
	for _, u := range s.units {
		addresses(out, "unit."+u.Name(), u.Addr())
		if u.Index == 0 {
			addresses(out, "unit."+u.Service, u.Addr())
		}
	}
	return out
}

// addresses stores the properties of an address under a name.
func addresses(out map[string]string, name, addr string) {
	host, port, _ := strings.Cut(addr, ":")
	out[name+".addr"], out[name+".host"], out[name+".port"], out[name+".url"] = addr, host, port, "http://"+addr
}

// Up starts every unit, services before those that call them, and returns when all are ready. After
// an error it leaves nothing running.
func (s *Stack) Up(ctx context.Context) error {
	s.spawner = newSpawner()
	for _, level := range s.spec.levels() {
		var wg sync.WaitGroup
		errs := make([]error, len(s.units))
		for i, u := range s.units {
			if !slices.Contains(level, u.Service) {
				continue
			}
			wg.Go(func() {
				if errs[i] = u.Start(ctx); errs[i] == nil {
					errs[i] = u.AwaitReady(ctx)
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return errors.Join(err, s.Down(context.WithoutCancel(ctx)))
		}
	}
	return nil
}

// levels orders the services so that a service comes before its callers; services in a cycle share
// a level.
func (s *Spec) levels() [][]string {
	done := map[string]bool{}
	var out [][]string
	rest := s.Names()
	for len(rest) > 0 {
		var now, later []string
		for _, name := range rest {
			waits := slices.ContainsFunc(s.Service(name).Links, func(l string) bool { return !done[l] && l != name && s.Service(l) != nil })
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

// Down ends every process, and returns when none is left. It can be called again.
func (s *Stack) Down(ctx context.Context) error {
	var wg sync.WaitGroup
	errs := make([]error, len(s.units))
	for i, u := range s.units {
		wg.Go(func() { errs[i] = u.end(ctx) })
	}
	wg.Wait()
	s.free()
	if s.spawner != nil {
		s.spawner.close()
		s.spawner = nil
	}
	return errors.Join(errs...)
}

// environment returns the environment of a process: brunt's own, then brunt's variables, then those
// of the scenario. Later ones override earlier ones.
func (s *Stack) environment(u *Unit, values map[string]string) ([]string, error) {
	env := map[string]string{"BRUNT_RUN": s.o.Run, "BRUNT_UNIT": u.Name(), "BRUNT_ADDR": u.Addr(), "PORT": fmt.Sprint(u.port.number)}
	links := func(to string) []string {
		var addrs []string
		for j := range s.spec.Service(to).Replicas {
			addrs = append(addrs, values[fmt.Sprintf("link.%s.addr", UnitName(to, j))])
		}
		return addrs
	}
	return u.spec.environment(env, u.Index, links, &template.Iter{Env: &template.Env{Units: values}})
}

// environment extends env with the variables of a replica: its zone, the addresses of its links,
// and the variables of the scenario, which override the others.
func (s *Service) environment(env map[string]string, index int, links func(to string) []string, it *template.Iter) ([]string, error) {
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

// values returns the values of ${self.…}, ${link.…} and ${unit.…} in the settings of u.
func (s *Stack) values(u *Unit) map[string]string {
	out := s.Addresses()
	addresses(out, "self", u.Addr())
	out["self.index"], out["self.name"] = fmt.Sprint(u.Index), u.Name()
	for _, to := range u.spec.Links {
		svc := s.spec.Service(to)
		if svc == nil {
			continue
		}
		for j := range svc.Replicas {
			far := UnitName(to, j)
			addr := s.Unit(far).Addr()
			if s.o.Link != nil {
				if a, ok := s.o.Link(Edge{u.Name(), far}); ok {
					addr = a
				}
			}
			addresses(out, "link."+far, addr)
			if j == 0 {
				addresses(out, "link."+to, addr)
			}
		}
	}
	return out
}
