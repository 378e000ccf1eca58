package run

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"maps"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/proxy"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/platform/docker"
	"brunt/targets/stack"
)

// system reads what is loaded: a stack that brunt starts, or a URL of one that
// runs.
func (c *compiler) system() {
	t := &c.sc.Target
	c.plan.Scope = chaos.Scope{Services: map[string]int{}, Host: c.plan.calls.by(nil)}
	switch {
	case t.Processes != nil:
		spec := stack.Processes(t.Processes, t.Entry, c.m)
		c.plan.Stack = &spec
	case t.Containers != nil:
		spec := stack.Containers(t.Containers, t.Entry, c.m)
		c.plan.Stack = &spec
	case t.Compose != nil:
		spec := stack.Compose(t.Compose, t.Entry, c.m)
		c.plan.Stack = &spec
	case t.Stack != "":
		c.builtin(t)
	case !t.URL.IsZero():
		c.external(t)
	}
	if c.plan.Stack == nil {
		return
	}
	if t.Entry != "" {
		c.plan.Stack.Entry = t.Entry
	}
	if c.plan.Stack.Service(c.plan.Stack.Entry) == nil && c.plan.Stack.Entry != "" {
		c.m.AddHint(t.Of("entry"), syntax.DidYouMean(t.Entry, c.plan.Stack.Names()), "there is no service %q", t.Entry)
	}
	c.plan.Scope.Zones = c.plan.Stack.Zones()
	c.plan.Scope.Containers = c.plan.Stack.Platform == stack.Docker
	for i := range c.plan.Stack.Services {
		s := &c.plan.Stack.Services[i]
		c.plan.Scope.Services[s.Name] = s.Replicas
		if s.Restart == "never" {
			c.plan.Scope.Mortal = append(c.plan.Scope.Mortal, s.Name)
		}
		for _, to := range s.Links {
			if c.plan.Scope.Containers {
				continue // no proxy of brunt's stands between containers
			}
			c.plan.Scope.Edges = append(c.plan.Scope.Edges, chaos.EdgeName{From: s.Name, To: to})
		}
		if t.Ready != nil && s.Name == c.plan.Stack.Entry {
			s.Ready = *t.Ready
		}
	}
	c.plan.Scope.Edges = append(c.plan.Scope.Edges, chaos.EdgeName{From: chaos.LoadName, To: c.plan.Stack.Entry})
}

func (c *compiler) builtin(t *scenarios.Target) {
	kinds := stack.Kinds()
	if kinds[t.Stack] == nil {
		c.m.AddHint(t.Of("stack"), syntax.DidYouMean(t.Stack, slices.Sorted(maps.Keys(kinds))), "there is no built-in stack %q", t.Stack)
		return
	}
	b, ok := syntax.Resolve(syntax.Block{Kind: t.Stack, Pos: t.Of("with"), With: t.With}, kinds, c.m)
	if !ok {
		return
	}
	spec := b.Spec(c.o.Self)
	if t.Platform == stack.Docker {
		spec = b.Spec(nil).Contained()
	}
	for _, zone := range spec.Zones() {
		if !syntax.IsName(zone) {
			c.m.Add(t.Of("with"), "%q can't name a zone: a-z, 0-9 and -, beginning with a letter", zone)
			break
		}
	}
	c.plan.Stack = &spec
}

func (c *compiler) external(t *scenarios.Target) {
	c.plan.Scope.Edges = []chaos.EdgeName{{From: chaos.LoadName, To: chaos.TargetName}}
	text, static := t.URL.Static()
	if !static {
		for _, r := range t.URL.Refs() {
			c.m.Add(t.Of("url"), "${%s} is not known for a target that runs already", r.Text)
		}
		return
	}
	u, err := targets.ParseBase(text)
	if err != nil {
		c.m.AddHint(t.Of("url"), "such as http://127.0.0.1:8080", "%v", err)
		return
	}
	if err := c.target(u); err != nil {
		c.m.Add(t.Of("url"), "%v", err)
	}
	c.plan.Scope.External, c.plan.Scope.TLS = targets.HostPort(u), u.Scheme == "https"
	c.chosen(t)
}

// upstream finds where a link from the load to a target that runs already leads: where
// the loads' own resolve would.
func (c *compiler) upstream() {
	c.plan.upstream = c.plan.Scope.External
	if hit, _ := c.plan.needsLink(chaos.LoadName, chaos.TargetName); !hit || c.plan.Stack != nil || c.plan.upstream == "" {
		return
	}
	for i := range c.plan.Loads {
		lp := &c.plan.Loads[i]
		to := resolved(c.plan.Scope.External, lp.Resolve)
		if i > 0 && to != c.plan.upstream {
			c.m.Add(lp.Of("resolve"), "load %q reaches the target at %s and load %q at %s, and a fault is on the one link between load and target", lp.Name, to, c.plan.Loads[0].Name, c.plan.upstream)
		}
		c.plan.upstream = to
	}
}

// resolved gives where a connection to host:port is made under a load's resolve.
func resolved(hostport string, resolve map[string]string) string {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return hostport
	}
	host, port, _ = targets.Resolved(host, port, resolve)
	return net.JoinHostPort(host, port)
}

// system is what a run has brought up, or found running.
type system struct {
	r     *runner
	stack deployed // nil for a target that runs already
	links []*chaos.Link
	entry string // host:port that the load goes to, before a link stands between

	journaled int                         // the entry of the journal that takes the stack down
	sweep     func(context.Context) error // removes what is left of a stack that did not come up; nil is nothing
	engine    *docker.Engine              // of the containers; nil until it is needed
	watcher   *watcher                    // of their events; nil is nobody
	zones     chaos.Zones                 // with theirs; nil is that of the plan
	mu        sync.Mutex                  // over engine and found
	found     []string                    // names of containers that faults have asked for
	chosen    []chaos.Unit                // containers that run already, by the names that the target gives them
}

// A deployed is a stack that a run has brought up: processes or containers.
type deployed interface {
	Up(ctx context.Context) error
	Down(ctx context.Context) error
	Addresses() map[string]string // what ${unit.…} stands for
	// addr is the host:port of a unit; empty is that it listens nowhere.
	addr(unit string) string
	// units are its units as faults see them.
	units() []chaos.Unit
}

// processes are a stack of processes.
type processes struct{ *stack.Stack }

func (p processes) addr(unit string) string { return p.Unit(unit).Addr() }

func (p processes) units() []chaos.Unit {
	var out []chaos.Unit
	for _, u := range p.Units() {
		out = append(out, unit{u})
	}
	return out
}

// bringUp puts the links in place, starts the stack and waits until it is ready.
func (s *system) bringUp(ctx context.Context) error {
	r := s.r
	if r.Stack == nil {
		s.entry = r.Scope.External
		if s.entry == "" { // of a fault on a process or a container alone
			return s.choose(ctx)
		}
		if err := s.choose(ctx); err != nil {
			return err
		}
		if err := s.loadLink(ctx); err != nil {
			return err
		}
		return s.ready(ctx)
	}
	var err error
	if r.Stack.Platform == stack.Docker {
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

// spawn starts a stack of processes.
func (s *system) spawn(ctx context.Context) error {
	r := s.r
	st, err := stack.New(*r.Stack, stack.Options{
		Run: r.o.ID, LogDir: r.o.LogDir, Secrets: r.Scenario.Secrets, Log: r.log, Link: s.link,
		Spawned: func(unit string, pid int) error {
			undo, err := chaos.ProcessUndo(pid)
			if err != nil { // it has ended already
				return nil
			}
			return r.journal.Extend(s.journaled, undo)
		},
		Event: func(event, unit, text string) { r.event(result.Event{Event: event, Unit: unit, Text: text}) },
	})
	if err != nil {
		return err
	}
	s.stack = processes{st}
	s.entry = st.Unit(stack.UnitName(r.Stack.Entry, 0)).Addr()
	for _, e := range r.Stack.Edges() {
		if err := s.addLink(e.From, e.To, st.Unit(e.To).Addr()); err != nil {
			return err
		}
	}
	if err := s.loadLink(ctx); err != nil {
		return err
	}
	if s.journaled, err = r.journal.Intent("", "the processes of the stack", []chaos.Undo{chaos.StackUndo(r.o.ID)}); err != nil {
		return err
	}
	if err := st.Up(ctx); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return fmt.Errorf("%w: %w", ErrNotReady, err)
	}
	return nil
}

// loadLink puts a link between the load and its target when a fault needs one. The
// control run has it as well, so that both differ by the faults alone.
func (s *system) loadLink(ctx context.Context) error {
	to, upstream := chaos.TargetName, s.entry
	if s.stack != nil {
		to = stack.UnitName(s.r.Stack.Entry, 0)
	}
	if hit, _ := s.r.needsLink(chaos.LoadName, to); !hit {
		return nil
	}
	if s.stack == nil {
		var err error
		if upstream, err = s.reach(ctx, s.r.upstream); err != nil {
			return fmt.Errorf("%w: %w", ErrNotReady, err)
		}
		if upstream != s.r.upstream {
			s.r.note("the link to the target leads to %s, an address that %s had when the run began", upstream, s.r.upstream)
		}
	}
	return s.addLink(chaos.LoadName, to, upstream)
}

// lookup asks for a name as the first load would.
func (p *Plan) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	o := targets.Options{Gate: p.gate.check}
	if len(p.Loads) > 0 {
		o.Connections = p.Loads[0].Connections
	}
	return targets.Lookup(ctx, o, host)
}

// reach finds the address of a target that runs already, for what connects to it in
// the load's stead and must keep to the same blast radius.
func (s *system) reach(ctx context.Context, hostport string) (string, error) {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return "", err
	}
	ips, err := s.r.lookup(ctx, host)
	if err != nil {
		return "", err
	}
	for _, ip := range ips {
		addr := net.JoinHostPort(ip.Unmap().String(), port)
		if err = s.r.gate.check(ip.Unmap(), addr, host); err == nil {
			return addr, nil
		}
	}
	return "", err
}

func (s *system) addLink(from, to, upstream string) error {
	_, http := s.r.needsLink(from, to)
	listen := ""
	if from == chaos.LoadName {
		listen = s.r.listen
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

func (s *system) link(e stack.Edge) (string, bool) {
	for _, l := range s.links {
		if l.From == e.From && l.To == e.To {
			return l.Proxy.Addr(), true
		}
	}
	return "", false
}

// readySteps are the requests by which a target that runs already is asked whether
// it is ready. They go the load's own way: TLS, names and blast radius are the same.
func readySteps(t *scenarios.Target) []scenarios.Step {
	if t.Ready == nil || t.Ready.Get == "" || t.URL.IsZero() {
		return nil
	}
	at := t.Ready.Of("get")
	url := &syntax.Node{Kind: syntax.String, Value: t.Ready.Get, Pos: at}
	with := &syntax.Node{Kind: syntax.Map, Pos: at, Fields: []syntax.Field{{Key: "get", Pos: at, Value: url}}}
	return []scenarios.Step{{Pos: at, With: with}}
}

// ready waits for a target that runs already: until it answers as its ready block
// says, or takes connections where there is none.
func (s *system) ready(ctx context.Context) error {
	ready := s.r.Scenario.Target.Ready
	if ready == nil {
		ready = new(scenarios.Ready)
	}
	within := ready.WithinOr()
	switch err := stack.Await(ctx, within, errors.New("it did not answer"), s.asks); {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	default:
		return fmt.Errorf("%w: %s not within %s: %w", ErrNotReady, s.entry, quantity.FormatDuration(within), err)
	}
}

// asks the target once whether it is ready.
func (s *system) asks(ctx context.Context) error {
	if len(s.r.Plan.ready) > 0 {
		return s.r.once(ctx, "ready", s.r.Plan.ready)
	}
	addr, err := s.reach(ctx, s.r.front())
	if err != nil {
		return err
	}
	return stack.Check(ctx, addr, scenarios.Ready{TCP: true})
}

// base is the URL that relative paths go to, and where the load is to connect
// instead when a link stands between.
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

// units gives the units as faults see them.
func (s *system) units() []chaos.Unit {
	if s.stack == nil {
		return s.chosen
	}
	return s.stack.units()
}

// unit is a unit of a stack as faults see it.
type unit struct{ *stack.Unit }

func (u unit) Service() string  { return u.Unit.Service }
func (u unit) Supervised() bool { return u.Restarts() }

// takeDown ends the stack and the links. Nothing of them is left then.
func (s *system) takeDown(ctx context.Context) error {
	var errs []error
	s.watcher.stop()
	if s.stack != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Minute)
		defer cancel()
		err := s.stack.Down(ctx)
		if s.sweep != nil && s.sweep(ctx) == nil {
			err = nil // what it had left is gone
		}
		errs = append(errs, err)
		if s.journaled != 0 && errors.Join(errs...) == nil {
			errs = append(errs, s.r.journal.Done(s.journaled, chaos.Reverted))
		}
	}
	for _, l := range s.links {
		errs = append(errs, l.Proxy.Close())
	}
	if s.engine != nil {
		errs = append(errs, s.engine.Close())
	}
	return errors.Join(errs...)
}

// hashOf spreads a name over 64 bits (FNV-1a).
func hashOf(s string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(s))
	return h.Sum64()
}
