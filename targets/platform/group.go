package platform

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
)

// A Driver creates the objects that the units of a group share on its platform.
type Driver interface {
	// Units lists the units in the order of their services. It is empty before Prepare if the driver finds its units
	// there.
	Units() []*Unit
	// Prepare creates everything that the units need, before the first of them starts.
	Prepare(ctx context.Context) error
	// Release removes everything that Prepare created, after all units have been removed. It can be called again, and
	// after a Prepare that failed.
	Release(ctx context.Context) error
}

// A Group is the set of units of a Spec. A driver brings them up and takes them down together.
type Group struct {
	spec   Spec
	driver Driver
}

// NewGroup returns the group of a driver's units. It starts nothing.
func NewGroup(spec Spec, d Driver) *Group { return &Group{spec: spec, driver: d} }

// Units lists the units in the order of their services.
func (g *Group) Units() []*Unit { return g.driver.Units() }

// Addr returns the host:port on which a unit listens. It is empty if there is no such unit or it does not listen.
func (g *Group) Addr(unit string) string {
	for _, u := range g.Units() {
		if u.Name() == unit {
			return u.Addr()
		}
	}
	return ""
}

// Addresses returns the values of ${unit.…} in a scenario.
func (g *Group) Addresses() map[string]string {
	out := map[string]string{}
	for _, u := range g.Units() {
		addr := u.Addr()
		if addr == "" {
			continue
		}
		SetAddress(out, "unit."+u.Name(), addr)
		if u.Index == 0 {
			SetAddress(out, "unit."+u.Service, addr)
		}
	}
	return out
}

// SetAddress stores the parts of an address as values of the placeholders of name.
func SetAddress(values map[string]string, name, addr string) {
	host, port, _ := strings.Cut(addr, ":")
	values[name+".addr"], values[name+".host"], values[name+".port"], values[name+".url"] = addr, host, port,
		"http://"+addr
}

// Up starts every unit, each service before its callers, and returns when all are ready. After an error it leaves
// nothing behind.
func (g *Group) Up(ctx context.Context) error {
	err := g.driver.Prepare(ctx)
	if err == nil {
		err = g.start(ctx)
	}
	if err != nil {
		err = errors.Join(err, g.Down(context.WithoutCancel(ctx)))
	}
	return err
}

func (g *Group) start(ctx context.Context) error {
	for _, level := range g.spec.levels() {
		err := g.each(func(u *Unit) error {
			if !slices.Contains(level, u.Service) {
				return nil
			}
			if err := u.instance.Start(ctx); err != nil {
				return err
			}
			return u.AwaitReady(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Down removes every unit and the objects that they share, and returns when nothing is left. It can be called again.
func (g *Group) Down(ctx context.Context) error {
	err := g.each(func(u *Unit) error { return u.instance.Remove(ctx) })
	return errors.Join(err, g.driver.Release(ctx))
}

// each calls f for all units at the same time.
func (g *Group) each(f func(u *Unit) error) error {
	units := g.Units()
	errs := make([]error, len(units))
	var wg sync.WaitGroup
	for i, u := range units {
		wg.Go(func() { errs[i] = f(u) })
	}
	wg.Wait()
	return errors.Join(errs...)
}
