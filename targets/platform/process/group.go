// Package process runs the units of a group as processes of this machine.
//
//	New --> Group: one Process for each unit, on a loopback port that survives restarts
//	          |      each with a supervisor: spawn, wait, restart
//	          '----> Down: all processes ended, by group, and by the mark in their environment
//
// If the system allows it, the kernel kills the processes when brunt dies; otherwise the watchdog does.
package process

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"

	"brunt/scenarios/syntax"

	"brunt/scenarios/template"
	"brunt/targets/platform"
)

// Options configure a group of processes.
type Options struct {
	Run     string                                       // name of the run, in its processes' BRUNT_RUN; empty: random
	LogDir  string                                       // for the output of each unit; empty keeps only its end
	Secrets *template.Secrets                            // masked in those files; nil masks nothing
	Link    func(e platform.Edge) (addr string, ok bool) // the listener of an edge; known before the group starts
	// further variables of the processes of a service, which those of the scenario override; nil: none
	Env func(service string) map[string]string
	// Spawned is called right after a process was started. If it fails, the process is killed.
	Spawned func(unit string, pid int) error
	// Event is called for events of a unit: start, ready, exit, restart.
	Event func(event, unit, text string)
}

// A Group is a set of processes that brunt supervises.
type Group struct {
	*platform.Group
	driver *driver
}

// New prepares a group and reserves the port of every unit. It starts nothing.
func New(spec platform.Spec, o Options) (*Group, error) {
	if o.Run == "" {
		o.Run = rand.Text()
	}
	if o.Event == nil {
		o.Event = func(string, string, string) {}
	}
	d := &driver{spec: spec, o: o}
	d.group = platform.NewGroup(spec, d)
	for i := range spec.Services {
		svc := &spec.Services[i]
		for j := range svc.Replicas {
			port, err := platform.ReservePort(svc.Port, j)
			if err != nil {
				d.free()
				return nil, fmt.Errorf("a port for %s: %w", syntax.UnitName(svc.Name, j), err)
			}
			d.processes = append(d.processes, newProcess(d, svc, j, port))
		}
	}
	return &Group{d.group, d}, nil
}

// Processes lists the units in the order of their services.
func (g *Group) Processes() []*Process { return g.driver.processes }

// driver implements [platform.Driver].
type driver struct {
	spec      platform.Spec
	o         Options
	group     *platform.Group
	processes []*Process
	spawner   *Spawner
}

func (d *driver) Units() []*platform.Unit {
	var out []*platform.Unit
	for _, u := range d.processes {
		out = append(out, u.Unit)
	}
	return out
}

func (d *driver) Prepare(context.Context) error {
	d.spawner = NewSpawner()
	return nil
}

func (d *driver) Release(context.Context) error {
	d.free()
	if d.spawner != nil {
		d.spawner.Close()
		d.spawner = nil
	}
	return nil
}

func (d *driver) free() {
	for _, u := range d.processes {
		u.port.Free()
	}
}

// environment returns the environment of a process: the variables of brunt, overridden by those of the scenario.
func (d *driver) environment(u *Process, values map[string]string, it *template.Iter) ([]string, error) {
	env := map[string]string{
		"BRUNT_RUN": d.o.Run, "BRUNT_UNIT": u.Name(), "BRUNT_ADDR": u.Addr(), "PORT": fmt.Sprint(u.port.Number()),
	}
	if d.o.Env != nil {
		maps.Copy(env, d.o.Env(u.spec.Name))
	}
	links := func(to string) []string {
		var addrs []string
		for j := range d.spec.Service(to).Replicas {
			addrs = append(addrs, values[fmt.Sprintf("link.%s.addr", syntax.UnitName(to, j))])
		}
		return addrs
	}
	return u.spec.Environment(env, u.Index, links, it)
}

// values returns the values of ${self.…}, ${link.…} and ${unit.…} in the settings of u.
func (d *driver) values(u *Process) map[string]string {
	out := d.group.Addresses()
	platform.SetAddress(out, "self", u.Addr())
	out["self.index"], out["self.name"] = fmt.Sprint(u.Index), u.Name()
	for _, to := range u.spec.Links {
		svc := d.spec.Service(to)
		if svc == nil {
			continue
		}
		for j := range svc.Replicas {
			remote := syntax.UnitName(to, j)
			addr := d.group.Addr(remote)
			if d.o.Link != nil {
				if a, ok := d.o.Link(platform.Edge{From: u.Name(), To: remote}); ok {
					addr = a
				}
			}
			platform.SetAddress(out, "link."+remote, addr)
			if j == 0 {
				platform.SetAddress(out, "link."+to, addr)
			}
		}
	}
	return out
}
