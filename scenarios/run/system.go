package run

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"time"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/proxy"
	"brunt/scenarios"
	"brunt/scenarios/plan"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/targets/platform"
	"brunt/targets/platform/process"
)

// system is the target of a run, brought up by the run or already running.
type system struct {
	*plan.Containers
	r     *runner
	stack deployed // nil for a target that already runs
	links []*chaos.Link
	entry string // host:port of the target, before a link is put in between

	journaled int                         // the journal entry that takes the target down
	sweep     func(context.Context) error // removes what is left of a target that did not come up; may be nil
	watcher   *watcher                    // reads the containers' events; may be nil
}

func newSystem(r *runner) *system { return &system{Containers: plan.NewContainers(r.Plan), r: r} }

// A deployed is a target that a run has brought up: processes or containers.
type deployed interface {
	Up(ctx context.Context) error
	Down(ctx context.Context) error
	Addresses() map[string]string // values of ${unit.…}
	// Addr is the host:port of a unit; empty if it does not listen.
	Addr(unit string) string
	// units returns its units for faults.
	units() []chaos.Unit
}

// processes is a target of processes.
type processes struct{ *process.Group }

func (p processes) units() []chaos.Unit {
	var out []chaos.Unit
	for _, u := range p.Processes() {
		out = append(out, unit{u})
	}
	return out
}

// bringUp creates the links, starts the target and waits until it is ready.
func (s *system) bringUp(ctx context.Context) error {
	r := s.r
	if r.Stack == nil {
		s.entry = r.Scope.External
		if err := s.Choose(ctx); err != nil {
			return fmt.Errorf("%w: %w", errNotReady, err)
		}
		if s.entry == "" { // a fault on a process or a container alone
			return nil
		}
		if err := s.loadLink(ctx); err != nil {
			return err
		}
		return s.ready(ctx)
	}
	var err error
	if r.Stack.Platform == platform.Docker {
		err = s.contain(ctx)
	} else {
		err = s.spawn(ctx)
	}
	if err != nil {
		return err
	}
	maps.Copy(r.env.Units, s.stack.Addresses())
	return nil
}

// spawn starts a target of processes.
func (s *system) spawn(ctx context.Context) error {
	r := s.r
	st, err := process.New(*r.Stack, process.Options{
		Run: r.o.ID, LogDir: r.o.LogDir, Secrets: r.Scenario.Secrets, Link: s.link,
		Spawned: func(unit string, pid int) error {
			undo, err := journal.ProcessUndo(pid)
			if err != nil { // the target has already ended
				return nil
			}
			return r.journal.Extend(s.journaled, undo)
		},
		Event: func(event, unit, text string) { r.Event(result.Event{Event: event, Unit: unit, Text: text}) },
	})
	if err != nil {
		return err
	}
	s.stack = processes{st}
	s.entry = st.Addr(platform.UnitName(r.Stack.Entry, 0))
	for _, e := range r.Stack.Edges() {
		if err := s.addLink(e.From, e.To, st.Addr(e.To)); err != nil {
			return err
		}
	}
	if err := s.loadLink(ctx); err != nil {
		return err
	}
	if s.journaled, err = r.journal.Intent(chaos.Intent{What: "the processes of the stack", Undo: []chaos.Undo{journal.StackUndo(r.o.ID)}}); err != nil {
		return err
	}
	if err := st.Up(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", errNotReady, err)
	}
	return nil
}

// loadLink puts a link between the load and its target when a fault needs one. The control run has
// it as well, so that both runs differ only by the faults.
func (s *system) loadLink(ctx context.Context) error {
	to, upstream := chaos.TargetName, s.entry
	if s.stack != nil {
		to = platform.UnitName(s.r.Stack.Entry, 0)
	}
	if hit, _ := s.r.NeedsLink(chaos.LoadName, to); !hit {
		return nil
	}
	if s.stack == nil {
		var err error
		if upstream, err = s.reach(ctx, s.r.Upstream); err != nil {
			return fmt.Errorf("%w: %w", errNotReady, err)
		}
		if upstream != s.r.Upstream {
			s.r.Note("the link to the target leads to %s, an address that %s had when the run began", upstream, s.r.Upstream)
		}
	}
	return s.addLink(chaos.LoadName, to, upstream)
}

// reach returns the address of a running target, for links that connect to it for the load and must
// keep to the same blast radius.
func (s *system) reach(ctx context.Context, hostport string) (string, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", err
	}
	ips, err := s.r.Lookup(ctx, host)
	if err != nil {
		return "", err
	}
	for _, ip := range ips {
		addr := net.JoinHostPort(ip.Unmap().String(), port)
		if err = s.r.LoadAllowlist.Check(ip.Unmap(), addr, host); err == nil {
			return addr, nil
		}
	}
	return "", err
}

func (s *system) addLink(from, to, upstream string) error {
	_, http := s.r.NeedsLink(from, to)
	listen := ""
	if from == chaos.LoadName {
		listen = s.r.Listen
	}
	p, err := proxy.Start(proxy.Config{
		Listen:   listen,
		Upstream: func() string { return upstream },
		Seed:     s.r.Scenario.Seed ^ hashOf(from+"->"+to),
		HTTP:     http,
	})
	if err != nil {
		return fmt.Errorf("the link %s -> %s: %w", from, to, err)
	}
	s.links = append(s.links, &chaos.Link{From: from, To: to, Proxy: p})
	return nil
}

func (s *system) link(e platform.Edge) (string, bool) {
	for _, l := range s.links {
		if l.From == e.From && l.To == e.To {
			return l.Proxy.Addr(), true
		}
	}
	return "", false
}

// ready waits for a running target: until it answers as its ready block says, or accepts connections
// if it has none.
func (s *system) ready(ctx context.Context) error {
	ready := s.r.Scenario.Target.Ready
	if ready == nil {
		ready = new(scenarios.Ready)
	}
	within := ready.WithinOr()
	switch err := platform.Await(ctx, within, errors.New("it did not answer"), s.asks); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return fmt.Errorf("%w: %s not within %s: %w", errNotReady, s.entry, quantity.FormatDuration(within), err)
	}
}

// asks checks once whether the target is ready.
func (s *system) asks(ctx context.Context) error {
	if len(s.r.Plan.Ready) > 0 {
		return s.r.once(ctx, "ready", s.r.Plan.Ready)
	}
	addr, err := s.reach(ctx, s.r.FirstHop())
	if err != nil {
		return err
	}
	return platform.Check(ctx, addr, scenarios.Ready{TCP: true})
}

// base returns the URL of relative paths, and the resolve that leads connections through a link.
func (s *system) base() (base string, resolve map[string]string) {
	if s.stack == nil {
		base, _ = s.r.Scenario.Target.URL.Static()
	} else {
		base = "http://" + s.entry
	}
	for _, l := range s.links {
		if l.From == chaos.LoadName {
			resolve = map[string]string{s.entry: l.Proxy.Addr()}
		}
	}
	return base, resolve
}

// units returns the units for faults.
func (s *system) units() []chaos.Unit {
	if s.stack == nil {
		return s.Units()
	}
	return s.stack.units()
}

// unit is a unit of processes for faults.
type unit struct{ *process.Process }

func (u unit) Service() string  { return u.Unit.Service }
func (u unit) Supervised() bool { return u.Restarts() }

// takeDown ends the target and the links, and removes everything that they left.
func (s *system) takeDown(ctx context.Context) error {
	var errs []error
	s.watcher.stop()
	if s.stack != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := s.stack.Down(ctx)
		if s.sweep != nil && s.sweep(ctx) == nil {
			err = nil // what was left over is gone
		}
		errs = append(errs, err)
		if s.journaled != 0 && errors.Join(errs...) == nil {
			errs = append(errs, s.r.journal.Done(s.journaled, chaos.Reverted))
		}
	}
	for _, l := range s.links {
		errs = append(errs, l.Proxy.Close())
	}
	return errors.Join(append(errs, s.Close())...)
}

// hashOf hashes a name to 64 bits (FNV-1a).
func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
