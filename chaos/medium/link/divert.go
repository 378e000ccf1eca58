package link

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"brunt/chaos"
	"brunt/chaos/agent"
	"brunt/chaos/container"
	"brunt/chaos/journal"
	"brunt/chaos/netns"
	"brunt/chaos/proc"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/child"
	"brunt/chaos/selector"
	"brunt/scenarios/syntax"
)

// diverted is a step that puts a toxic on connections between containers. brunt has no permanent proxy
// there: it would cause an outage when brunt dies. During the fault, a table in the caller's network
// sends its connections to a proxy that listens in that network, in brunt's own process for links. The kernel
// removes the table when that process ends, so no connection depends on a dead proxy.
//
//	posts -> store:8080     is     posts -> 127.0.0.1:41234 (brunt proxies) -> store:8080
//
// Connections from before the fault bypass the table, so they have to end. The tables are set before the fault is in,
// while the proxies pass all that comes, and each connection is ended while nothing is under way on it: its program
// opens another one. Only one that is never quiet within settleWithin is cut as the fault comes in, and so may be a
// request on it. After the fault, the proxies end their connections in the same way.
type diverted struct {
	*Toxic
	http    bool           // its proxies parse requests
	process *child.Process // that runs them; nil: this one
	// the caller, of which there is one, in whose network an agent's process runs them; empty: no pod
	pod   string
	run   string
	ports chaos.Ports // what is known of destinations
	from  []*divertedFrom
	ready *heldDiverted // from Prepare to Inject
}

// divertedFrom is a container whose connections are diverted.
type divertedFrom struct {
	unit    container.Target
	id      chaos.ContainerID
	process *child.Process // of its agent; nil: that of the step
	callees []chaos.Unit   // of a pod
	to      []divertedTo
}

// divertedTo is a destination of the diverted connections.
type divertedTo struct {
	unit container.Target
	id   string // of its container
	name string // of the unit, or of a service of pods
	at   netip.AddrPort
}

// heldDiverted is an injected diverted step.
type heldDiverted struct {
	*heldToxic
	step *diverted

	mu         sync.Mutex
	own        *child.Process // without a process of brunt's own
	networks   []*network
	diversions []diversion
	cut        int // connections that were never quiet
}

// network is the network of a caller, with what is made in it.
type network struct {
	space   *child.Space
	table   *child.Diversion
	proxies []*child.Proxy
	routes  map[netip.AddrPort]netip.AddrPort // from a destination to its proxy
	busy    []netns.End                       // connections from before the fault on which something was always under way
	first   bool                              // the table is before those of all faults
}

var _ chaos.Held = (*heldDiverted)(nil)

// divert makes the step of a toxic on connections between containers.
func divert(ctx context.Context, e *selector.Edge, env chaos.Env, t *Toxic, http bool) ([]chaos.Step, error) {
	from, to, err := e.Ends(ctx, env)
	if err != nil {
		return nil, err
	}
	var ofPods []chaos.Step
	s := &diverted{Toxic: t, http: http, run: env.Run, ports: env.AtPort}
	for _, f := range from {
		if f.Traits().Node != nil {
			if env.Only != nil && !slices.Contains(env.Only, f.Name()) {
				continue
			}
			own := *t
			one := &diverted{Toxic: own.lasting(env), http: http, run: env.Run, ports: env.AtPort}
			if err := one.ofPod(ctx, env, f, to); err != nil {
				return nil, err
			}
			if len(one.Links) > 0 {
				ofPods = append(ofPods, one)
			}
			continue
		}
		d := &divertedFrom{}
		for _, u := range to {
			if f.Name() == u.Name() {
				continue
			}
			l := &chaos.Link{From: f.Name(), To: u.Name()}
			t.Links = append(t.Links, l)
			if env.Dry {
				continue
			}
			to, err := destinations(ctx, f, u)
			if err != nil {
				return nil, err
			}
			for _, one := range to {
				l.Carries = append(l.Carries, env.AtPort[one.at.Port()]...)
			}
			d.to = append(d.to, to...)
		}
		if env.Dry || len(d.to) == 0 {
			continue
		}
		d.unit, d.id = f, f.Contained.ContainerID()
		s.from = append(s.from, d)
	}
	if len(ofPods) > 0 {
		return ofPods, env.Bound(len(from))
	}
	if shared := agent.Local(env.Agents); shared != nil && !env.Dry && len(s.from) > 0 {
		if s.process, err = shared.Process(ctx); err != nil {
			return nil, err
		}
	}
	t.lasting(env)
	if len(t.Links) == 0 {
		return nil, fmt.Errorf("%w: nothing goes %s", chaos.ErrNoUnit, e.Describe())
	}
	return []chaos.Step{s}, env.Bound(len(from))
}

// destinations returns what one container connects to when it calls another.
func destinations(ctx context.Context, from, to container.Target) (out []divertedTo, err error) {
	at, err := meets(ctx, from, to)
	if err != nil {
		return nil, err
	}
	called := to.Contained.ContainerID()
	for _, a := range at {
		out = append(out, divertedTo{to, called.ID, to.Name(), a})
	}
	return out, nil
}

// meets returns the addresses, with ports, by which one container reaches another.
func meets(ctx context.Context, from, to container.Target) ([]netip.AddrPort, error) {
	if from.Container == nil || to.Container == nil {
		return nil, fmt.Errorf("from %s to %s: %w", from.Name(), to.Name(), container.ErrNoContainer)
	}
	caller, err := from.Container.Running(ctx)
	if err != nil {
		return nil, err
	}
	called, err := to.Container.Running(ctx)
	if err != nil {
		return nil, err
	}
	if caller.Shares != "" {
		return nil, fmt.Errorf("%s shares the network of %s, whose connections would be hit as well",
			from.Name(), caller.Shares)
	}
	var out []netip.AddrPort
	for _, n := range called.Networks {
		for _, own := range caller.Networks {
			if n.ID != own.ID || !n.Address.Is4() {
				continue
			}
			for _, port := range called.Ports {
				out = append(out, netip.AddrPortFrom(n.Address, uint16(port)))
			}
		}
	}
	switch {
	case len(called.Ports) == 0:
		return nil, fmt.Errorf("%s says of no port that it listens there: its image or its maker EXPOSEs it", to.Name())
	case len(out) == 0:
		return nil, fmt.Errorf("%s and %s have no network in common", from.Name(), to.Name())
	}
	return out, nil
}

func (d *diverted) Via() string {
	if d.pod != "" {
		return "proxy, diverted by nft, by agent"
	}
	return "proxy, diverted by nft"
}

// Undo implements [chaos.Step]: the kernel reverts the fault when the process of the proxies ends. Where that is
// brunt, the watchdog kills a brunt that hangs.
func (d *diverted) Undo() []chaos.Undo {
	if d.pod != "" {
		return d.endAgents()
	}
	if d.process == nil {
		return []chaos.Undo{journal.EndBrunt()}
	}
	return []chaos.Undo{agent.UndoIn(d.process, d.lease.Key, chaos.ContainerID{})}
}

// Prepare opens the networks of the callers and the proxies in them. Nothing comes to those yet.
func (d *diverted) Prepare(ctx context.Context) (release func() error, err error) {
	h := &heldDiverted{step: d}
	d.ready, d.Links = h, nil
	watched := func() error { return nil }
	release = func() error { return chaos.JoinErrors(watched(), h.close()) }
	if d.process == nil && d.pod == "" {
		if h.own, err = child.Start(ctx, nil); err != nil {
			return nil, err
		}
	}
	if err = h.openAll(ctx, cmp.Or(d.process, h.own)); err != nil {
		return nil, chaos.JoinErrors(err, release())
	}
	if err := h.leaveEncrypted(ctx); err != nil {
		return nil, chaos.JoinErrors(err, release())
	}
	quiet := netns.Quiet{Within: settleWithin}
	if d.Counts == calls {
		quiet.Idle = callsIdle
	}
	of, err := d.Toxic.Prepare(ctx)
	if of != nil {
		watched = of
	}
	if err == nil {
		err = atOnce(len(h.networks), func(i int) error { return h.networks[i].divert(ctx, d.lease, quiet) })
	}
	if err != nil {
		return nil, chaos.JoinErrors(err, release())
	}
	return release, nil
}

// settleWithin is how long connections have to be quiet for a moment, before the fault and after it. Most of them are
// at once.
const settleWithin = 2 * time.Second

// callsIdle is how long a connection of gRPC is idle before it is taken to be quiet: calls share it, and a server sends
// more than answers, such as a ping when a call has come.
const callsIdle = 50 * time.Millisecond

// divert diverts new connections to the proxies, and ends those from before that are quiet.
func (n *network) divert(ctx context.Context, l netns.Lease, q netns.Quiet) (err error) {
	if err = n.table.Set(ctx, l, n.routes, n.first); err == nil {
		n.busy, err = n.space.EndQuiet(ctx, slices.Collect(maps.Keys(n.routes)), q)
	}
	return err
}

// cutBusy cuts the connections from before the fault that were never quiet.
func (n *network) cutBusy(ctx context.Context) error {
	if len(n.busy) == 0 {
		return nil
	}
	return n.space.Cut(ctx, n.busy)
}

// Inject implements [chaos.Step]. New connections come to the proxies already.
func (d *diverted) Inject(ctx context.Context) (chaos.Held, error) {
	if d.ready == nil {
		if _, err := d.Prepare(ctx); err != nil {
			return nil, err
		}
	}
	h := d.ready
	d.ready = nil
	in, err := d.Toxic.Inject(ctx)
	if held, ok := in.(*heldToxic); ok {
		h.heldToxic = held
	}
	if err == nil {
		err = atOnce(len(h.networks), func(i int) error { return h.networks[i].cutBusy(ctx) })
	}
	if err != nil {
		if h.heldToxic != nil {
			err = chaos.JoinErrors(err, h.heldToxic.out())
		}
		return nil, chaos.JoinErrors(err, h.straight(), h.close())
	}
	for _, n := range h.networks {
		h.cut += len(n.busy)
	}
	return h, nil
}

// atOnce calls do for n things at once, and joins the errors in their order.
func atOnce(n int, do func(i int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { errs[i] = do(i) })
	}
	all.Wait()
	return chaos.JoinErrors(errs...)
}

// openAll opens the networks of the callers and the proxies in them. Nothing comes to those yet.
func (h *heldDiverted) openAll(ctx context.Context, p *child.Process) error {
	d := h.step
	err := atOnce(len(d.from), func(i int) error {
		f := d.from[i]
		if err := h.open(ctx, cmp.Or(f.process, p), f, uint64(i)); err != nil {
			return fmt.Errorf("in the network of %s: %w", f.unit.Name(), err)
		}
		return nil
	})
	slices.SortStableFunc(d.Links, func(a, b *chaos.Link) int { return cmp.Compare(a.From, b.From) })
	return err
}

// open opens a container's network and the proxies in it.
func (h *heldDiverted) open(ctx context.Context, p *child.Process, f *divertedFrom, seed uint64) error {
	n, err := h.enter(ctx, p, f)
	if err != nil {
		return err
	}
	for i, to := range f.to {
		x, err := n.table.Proxy(ctx, child.Config{Upstream: to.at.String(), HTTP: h.step.http, Seed: seed<<32 | uint64(i)})
		if err != nil {
			return err
		}
		h.mu.Lock()
		n.proxies = append(n.proxies, x)
		h.mu.Unlock()
		if n.routes[to.at], err = netip.ParseAddrPort(x.Addr()); err != nil {
			return err
		}
		l := &chaos.Link{From: f.unit.Name(), To: to.name, Proxy: x, Carries: h.step.ports[to.at.Port()]}
		h.mu.Lock()
		h.step.Links, h.diversions = append(h.step.Links, l), append(h.diversions, diversion{l, x, n.space, to.at, n})
		h.mu.Unlock()
	}
	return nil
}

// enter opens a container's network with a table for diversions.
func (h *heldDiverted) enter(ctx context.Context, p *child.Process, f *divertedFrom) (n *network, err error) {
	n = &network{routes: map[netip.AddrPort]netip.AddrPort{}}
	if p.Away() {
		n.space, err = p.Enter(ctx, "")
	} else {
		n.space, err = agent.EnterBy(ctx, p, f.unit.Contained, f.id)
	}
	if err != nil {
		return nil, err
	}
	h.mu.Lock()
	h.networks = append(h.networks, n)
	h.mu.Unlock()
	n.table, err = n.space.Divert(ctx)
	return n, err
}

// leaveEncrypted does not divert what goes to a server that speaks TLS.
func (h *heldDiverted) leaveEncrypted(ctx context.Context) error {
	at := func(l *chaos.Link) string {
		i := slices.IndexFunc(h.diversions, func(d diversion) bool { return d.Link == l })
		return h.diversions[i].at.String() + ", from " + l.From
	}
	if err := h.step.leaveEncrypted(ctx, at); err != nil {
		return err
	}
	h.diversions = slices.DeleteFunc(h.diversions, func(d diversion) bool {
		left := !slices.Contains(h.step.Links, d.Link)
		if left {
			delete(d.in.routes, d.at)
		}
		return left
	})
	return nil
}

// straight lifts the tables: new connections go to their destination directly again.
func (h *heldDiverted) straight() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return atOnce(len(h.networks), func(i int) error {
		if t := h.networks[i].table; t != nil {
			return t.Lift()
		}
		return nil
	})
}

// drain ends the connections of the proxies, each while nothing is under way on it. left is how many are not over.
func (h *heldDiverted) drain(ctx context.Context) (left int, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	of := make([]int, len(h.networks))
	err = atOnce(len(of), func(i int) (err error) {
		n := h.networks[i]
		of[i], err = n.space.Drain(ctx, n.proxies, settleWithin)
		return err
	})
	for _, n := range of {
		left += n
	}
	return left, err
}

// close stops the proxies and releases the networks, with the tables.
func (h *heldDiverted) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for _, n := range h.networks {
		for _, x := range n.proxies {
			errs = append(errs, x.Close())
		}
		errs = append(errs, n.space.Close())
	}
	if h.own != nil {
		errs = append(errs, h.own.Close())
	}
	h.networks, h.diversions, h.own = nil, nil, nil
	return errors.Join(errs...)
}

// unsettled says how many connections were cut at a moment with data under way.
func unsettled(n int, what string) string {
	return fmt.Sprintf("brunt cut %s without a quiet moment while brunt ran for %s, and their requests under way",
		syntax.Amount(n, what), settleWithin)
}

// Revert implements [chaos.Held]. The proxies, without toxics, serve open connections until Gone has
// proved that the fault is over.
func (h *heldDiverted) Revert(ctx context.Context) (chaos.Outcome, error) {
	out, err := h.heldToxic.Revert(ctx)
	if err = chaos.JoinErrors(err, h.straight()); err != nil {
		return chaos.Failed, err
	}
	return out, nil
}

// Verify implements [chaos.Held]: it proves the fault on its proxies, and that connections from inside
// the callers' networks reach them.
func (h *heldDiverted) Verify(ctx context.Context) (string, error) {
	text, err := h.heldToxic.Verify(ctx)
	if err != nil {
		return "", err
	}
	err = atOnce(len(h.diversions), func(i int) error {
		l := &h.diversions[i]
		came, err := l.reaches(ctx)
		if err == nil && !came {
			err = chaos.ErrNoEffect
		}
		if err != nil {
			err = fmt.Errorf("%s: connections to %s do not reach the fault: %w", l.Name(), l.at, err)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	if h.cut > 0 {
		text += "; at the injection " + unsettled(h.cut, "older connection")
	}
	return fmt.Sprintf("%s; each of %s opened from inside reaches it", text,
		syntax.Amount(len(h.diversions), "connection")), nil
}

// diversion is a link with the destination that is diverted to it.
type diversion struct {
	*chaos.Link
	proxy counter // of the link
	n     opener  // the network of the caller
	at    netip.AddrPort
	in    *network
}

// counter counts the connections that a proxy has accepted.
type counter interface {
	Traffic(ctx context.Context) (proxy.Traffic, error)
}

// opener opens connections in a network.
type opener interface {
	Line(ctx context.Context, to netip.AddrPort) (netns.Line, error)
}

// reaches opens a connection as the caller would, and reports whether it reached the proxy.
func (d *diversion) reaches(ctx context.Context) (came bool, err error) {
	before, err := d.proxy.Traffic(ctx)
	if err != nil {
		return false, err
	}
	l, err := d.n.Line(ctx, d.at)
	if err != nil {
		return false, err
	}
	defer l.Close()
	return proc.Await(ctx, comesWithin, func() bool {
		now, err := d.proxy.Traffic(ctx)
		return err == nil && now.Connections > before.Connections
	}, "") == nil, nil
}

// comesWithin bounds the time until the proxy has accepted a connection.
const comesWithin = 500 * time.Millisecond

// Gone implements [chaos.Held]: the proxies have no effect, and connections from inside no longer
// reach them.
func (h *heldDiverted) Gone(ctx context.Context) (string, error) {
	restarted, err := h.callerRestarted(ctx)
	switch {
	case err != nil:
		return "", err
	case h.diversions == nil || restarted:
		return "a caller was started again, and its network with it", h.close()
	}
	text, err := h.heldToxic.Gone(ctx)
	if err == nil {
		err = h.goStraight(ctx)
	}
	if errors.Is(err, chaos.ErrNoAnswer) { // it is asked again
		return "", err
	}
	left, drainErr := h.drain(ctx)
	text += "; connections from inside bypass brunt again"
	for _, d := range h.diversions {
		if broken := d.Proxy.Broken(ctx); broken != nil {
			text += fmt.Sprintf("; before the fault was in or after it, on %s, %v", d.Name(), broken)
		}
	}
	if left > 0 {
		text += "; " + unsettled(left, "connection")
	}
	return text, chaos.JoinErrors(err, drainErr, h.close())
}

// goStraight proves of all diversions at once that connections from inside no longer reach their proxies.
func (h *heldDiverted) goStraight(ctx context.Context) error {
	return atOnce(len(h.diversions), func(i int) error {
		l := &h.diversions[i]
		if came, err := l.reaches(ctx); came && err == nil { // a connection is refused where no program listens any more
			return fmt.Errorf("%s: connections to %s still reach brunt", l.Name(), l.at)
		}
		return nil
	})
}

// callerRestarted reports whether a caller was started again. The error says that its engine does not answer.
func (h *heldDiverted) callerRestarted(ctx context.Context) (bool, error) {
	for _, f := range h.step.from {
		if other, err := f.unit.AwaitAnother(ctx, f.id); other || err != nil {
			return other, err
		}
	}
	return false, nil
}

func (h *heldDiverted) Traits() chaos.HeldTraits {
	t := h.heldToxic.Traits()
	t.OnRestart, t.OnNetworkChange = h.onRestart, h.onNetworkChange
	if h.step.pod != "" {
		t.Ended, t.Lost = h.endedThere, h.lostThere
	}
	return t
}

// onRestart voids the fault: a restart of a caller replaces its network, and connections to a callee
// that returns with another address are not diverted.
func (h *heldDiverted) onRestart(ctx context.Context, container string) (string, error) {
	for _, f := range h.step.from {
		if f.id.ID == container {
			return "", chaos.ErrRestarted
		}
		if err := f.moved(ctx, container, false); err != nil {
			return "", err
		}
	}
	return "", nil
}

// onNetworkChange voids the fault if a callee has other addresses: connections to those are not
// diverted.
func (h *heldDiverted) onNetworkChange(ctx context.Context, container string) (string, error) {
	for _, f := range h.step.from {
		if err := f.rejoined(ctx, container); err != nil {
			return "", err
		}
	}
	return "", nil
}

// rejoined returns an error if a callee is reached at other addresses than before, after the networks of a container
// with an id have changed.
func (f *divertedFrom) rejoined(ctx context.Context, container string) error {
	ids := []string{container}
	if f.id.ID == container { // in other networks the caller may reach callees at other addresses
		for _, to := range f.to {
			ids = append(ids, to.id)
		}
	}
	for _, id := range ids {
		if err := f.moved(ctx, id, true); err != nil {
			return err
		}
	}
	return nil
}

// moved returns an error if a callee in the container with an id is reached at other addresses than
// before, or at none. With back, none is no error: the callee may return.
func (f *divertedFrom) moved(ctx context.Context, id string, back bool) error {
	before := map[container.Target][]netip.AddrPort{}
	for _, to := range f.to {
		if to.unit.Container == nil {
			continue
		}
		is, err := to.unit.Container.Now(ctx)
		if err != nil || !is.Running { // onRestart is called once it runs
			continue
		}
		if to.id == id || is.ID == id { // a recreated container has another id
			before[to.unit] = append(before[to.unit], to.at)
		}
	}
	for u, was := range before {
		at, err := meets(ctx, f.unit, u)
		if back && (err != nil || len(at) == 0) {
			continue
		}
		if err != nil {
			return fmt.Errorf("%s was started again or is in other networks, and how %s meets it now is not known: %w", u.Name(),
				f.unit.Name(), err)
		}
		slices.SortFunc(at, netip.AddrPort.Compare)
		slices.SortFunc(was, netip.AddrPort.Compare)
		if !slices.Equal(at, was) {
			return fmt.Errorf("%s was started again or is in other networks, and is at %s now, not at %s: what goes there "+
				"meets no fault", u.Name(), at, was)
		}
	}
	return nil
}
