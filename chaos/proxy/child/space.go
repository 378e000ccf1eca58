package child

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"brunt/chaos/netns"
	"brunt/chaos/netns/remote"
	"brunt/chaos/rpc"
)

// The operations of the process on namespaces.
const (
	opEnter    rpc.Op[string, spaceN]          = "space.enter" // by the path of the namespace
	opLeave    rpc.Op[spaceN, rpc.None]        = "space.leave"
	opDo       rpc.Op[doArgs, json.RawMessage] = "space.do" // an operation of package remote
	opTable    rpc.Op[spaceN, tableN]          = "space.table"
	opDivert   rpc.Op[divertArgs, rpc.None]    = "space.divert"
	opStraight rpc.Op[tableN, rpc.None]        = "space.straight"
	opForeign  rpc.Op[spaceN, []string]        = "space.foreign"
	opQuiet    rpc.Op[quietArgs, []netns.End]  = "space.quiet"
	opCut      rpc.Op[cutArgs, rpc.None]       = "space.cut"
	opDrain    rpc.Op[drainArgs, int]          = "space.drain"

	leavesAfter = 5 * time.Second // time to remove everything that is held in it
)

type (
	doArgs struct {
		Space spaceN          `json:"space"`
		Op    string          `json:"op"`
		Args  json.RawMessage `json:"args,omitempty"`
	}

	divertArgs struct {
		Table  tableN      `json:"table"`
		Lease  netns.Lease `json:"lease"`
		Routes []route     `json:"routes"`
		First  bool        `json:"first,omitempty"` // see [netns.Diversion.Set]
	}

	quietArgs struct {
		Space  spaceN           `json:"space"`
		Called []netip.AddrPort `json:"called"`
		Quiet  netns.Quiet      `json:"quiet"`
	}

	cutArgs struct {
		Space spaceN      `json:"space"`
		Ends  []netns.End `json:"ends"`
	}

	drainArgs struct {
		Space   spaceN      `json:"space"`
		Proxies []proxyN    `json:"proxies"`
		Quiet   netns.Quiet `json:"quiet"`
	}
)

// A route is a diversion of connections from an address to a proxy.
type route struct{ From, To netip.AddrPort }

// space is a namespace that the process has open.
type space struct {
	n      *netns.Namespace
	server *remote.Server
	id     string
	stays  bool // the namespace is not closed here

	operations rpc.Operations // of the server
}

// leave removes everything that is held in the namespace.
func (x *space) leave() error {
	if x.stays {
		return x.server.End()
	}
	return errors.Join(x.server.End(), x.n.Close())
}

// inSpaces are the operations on namespaces.
func (s *server) inSpaces() rpc.Operations {
	return rpc.Join(
		opEnter.By(func(_ context.Context, path string) (spaceN, error) { return s.enter(path) }),
		opDivert.By(func(_ context.Context, a divertArgs) (rpc.None, error) { return rpc.None{}, s.divert(a) }),
		opStraight.By(func(_ context.Context, n tableN) (rpc.None, error) { return rpc.None{}, s.straight(n) }),
		opDo.By(func(ctx context.Context, a doArgs) (json.RawMessage, error) {
			in, err := find(s, s.spaces, a.Space)
			if err != nil {
				return nil, err
			}
			out, err := in.operations.Do(ctx, a.Op, a.Args)
			if err != nil {
				return nil, err
			}
			return json.Marshal(out)
		}),
		on(s, opTable, s.spaces, func(_ context.Context, in *space, n spaceN) (tableN, error) {
			table, err := in.n.NewDiversion()
			if err != nil {
				return 0, err
			}
			return keep(s, s.tables, &diversion{Diversion: table, in: n}), nil
		}),
		on(s, opForeign, s.spaces, func(_ context.Context, in *space, _ spaceN) ([]string, error) {
			return in.n.Redirects()
		}),
		opQuiet.By(s.endQuiet),
		opCut.By(func(_ context.Context, a cutArgs) (rpc.None, error) {
			in, err := find(s, s.spaces, a.Space)
			if err != nil {
				return rpc.None{}, err
			}
			return rpc.None{}, in.n.Cut(a.Ends)
		}),
		opDrain.By(s.drain),
		on(s, opLeave, s.spaces, func(_ context.Context, in *space, n spaceN) (rpc.None, error) {
			return rpc.None{}, s.leave(n, in)
		}),
	)
}

func (s *server) enter(path string) (spaceN, error) {
	n, err := s.only, error(nil)
	if n == nil {
		n, err = netns.Open(path)
	}
	if err != nil {
		return 0, err
	}
	in := &space{
		n: n, stays: s.only != nil, server: &remote.Server{Open: func() (*netns.Namespace, error) { return n, nil }},
	}
	if in.id, err = n.ID(); err != nil {
		return 0, errors.Join(err, in.leave())
	}
	in.server.Lease = func(l netns.Lease, off func() error) (remote.Leased, error) {
		number, err := s.effects.add(l, off)
		return remote.Leased{
			Since: func() time.Duration { ago, _ := s.effects.since(number); return ago },
			Over:  func() { s.effects.forget(number) },
		}, err
	}
	in.operations = in.server.Operations()
	return keep(s, s.spaces, in), nil
}

// leave releases a namespace, and removes the diversions in it.
func (s *server) leave(n spaceN, in *space) error {
	s.mu.Lock()
	var errs []error
	for i, t := range s.tables {
		if t.in == n {
			errs = append(errs, t.Close())
			delete(s.tables, i)
		}
	}
	s.mu.Unlock()
	drop(s, s.spaces, n)
	return errors.Join(append(errs, in.leave())...)
}

// diversion is a diversion with the number of its effect.
type diversion struct {
	*netns.Diversion
	effect int // number of its effect; zero: it is not active
	in     spaceN
	from   []netip.AddrPort
	first  bool // see [netns.Diversion.Set]
}

// claim registers the destinations of a diversion. It fails if another diversion in the same namespace has one of them
// already: the connections of each one's proxies would come to the other's proxies. A first diversion and one other do
// not meet.
func (s *server) claim(table *diversion, routes []route) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range routes {
		for _, other := range s.tables {
			if other != table && other.first == table.first && s.spaces[other.in].same(s.spaces[table.in]) &&
				slices.Contains(other.from, r.From) {
				return fmt.Errorf("another fault diverts connections to %s already, and a second one would get them from the "+
					"first one's proxy", r.From)
			}
		}
		table.from = append(table.from, r.From)
	}
	return nil
}

// same reports whether two spaces are known to be the same namespace.
func (x *space) same(o *space) bool { return x != nil && o != nil && x.id == o.id }

// straight removes a diversion. Connections that were opened through it continue until its namespace is left. It does
// nothing if the diversion is removed already.
func (s *server) straight(n tableN) error {
	table, err := find(s, s.tables, n)
	if err != nil {
		return nil
	}
	if err := table.Lift(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.effects.forget(table.effect)
	table.from = nil
	return nil
}

// divert activates a diversion.
func (s *server) divert(a divertArgs) error {
	table, err := find(s, s.tables, a.Table)
	if err != nil {
		return err
	}
	if s.effects.isCleared(a.Lease.Key) {
		return errCleared
	}
	table.first = a.First
	if err := s.claim(table, a.Routes); err != nil {
		return err
	}
	routes := map[netip.AddrPort]netip.AddrPort{}
	for _, r := range a.Routes {
		routes[r.From] = r.To
	}
	if err := table.Set(routes, a.First); err != nil {
		return err
	}
	n, err := s.effects.add(a.Lease, table.Lift)
	s.mu.Lock()
	defer s.mu.Unlock()
	table.effect = n
	return err
}

// A Space is a network namespace in which the process acts.
type Space struct {
	*remote.Namespace
	p *Process
	n spaceN
}

// Enter opens the namespace at a path such as /proc/PID/ns/net. A process on another machine has only one namespace,
// and ignores the path. Everything that is set in it ends with the process.
func (p *Process) Enter(ctx context.Context, path string) (*Space, error) {
	n, err := opEnter.Of(ctx, p.call, path)
	if err != nil {
		return nil, err
	}
	s := &Space{p: p, n: n}
	do := func(by rpc.Asks) rpc.Asks {
		return func(ctx context.Context, op string, args, result any) error {
			raw, err := json.Marshal(args)
			if err != nil {
				return err
			}
			said, err := opDo.Of(ctx, by, doArgs{s.n, op, raw})
			if err != nil {
				return err
			}
			return json.Unmarshal(said, result)
		}
	}
	s.Namespace = remote.New(do(p.client.Call), do(p.client.Ask), func() error {
		ctx, cancel := context.WithTimeout(context.Background(), leavesAfter)
		defer cancel()
		_, err := opLeave.Of(ctx, p.call, s.n)
		return unlessEnded(err)
	})
	return s, nil
}

// unlessEnded drops the error of a process that has ended: everything that it held has ended too.
func unlessEnded(err error) error {
	if errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	return err
}

// Process returns the process that acts in the namespace.
func (s *Space) Process() *Process { return s.p }

// Set is [netns.Namespace.Set], executed by the process. After an error nothing is active under the key of the lease,
// and nothing can follow: a process that does not ensure that is killed.
func (s *Space) Set(spec netns.Spec) (netns.Held, error) {
	held, err := s.Namespace.Set(spec)
	if err == nil {
		return held, nil
	}
	if spec.Lease.Key != "" {
		s.p.forget(spec.Lease.Key, err)
	}
	return nil, err
}

// Foreign lists the mechanisms, besides brunt's, that redirect connections from inside the namespace, such as a mesh.
func (s *Space) Foreign(ctx context.Context) (out []string, err error) {
	return opForeign.Of(ctx, s.p.ask, s.n)
}

// A Diversion redirects connections that are opened inside a namespace to proxies of the process there.
type Diversion struct {
	s *Space
	n tableN
}

// Divert makes a diversion that redirects nothing until [Diversion.Set].
func (s *Space) Divert(ctx context.Context) (*Diversion, error) {
	n, err := opTable.Of(ctx, s.p.call, s.n)
	if err != nil {
		return nil, err
	}
	return &Diversion{s, n}, nil
}

// Proxy starts a proxy in the namespace. Its own connections are not redirected.
func (d *Diversion) Proxy(ctx context.Context, c Config) (*Proxy, error) {
	return d.s.p.proxy(ctx, startArgs{c, d.s.n, d.n})
}

// Set redirects new TCP connections over IPv4 from the keys to the values, all at the same instant. It is called once.
// first is as of [netns.Diversion.Set].
func (d *Diversion) Set(
	ctx context.Context, l netns.Lease, routes map[netip.AddrPort]netip.AddrPort, first bool,
) error {
	a := divertArgs{Lease: l, Table: d.n, First: first}
	for from, to := range routes {
		a.Routes = append(a.Routes, route{from, to})
	}
	_, err := opDivert.Of(ctx, d.s.p.call, a)
	if err != nil {
		d.s.p.forget(l.Key, err)
	}
	return err
}

// Lift ends the redirection of new connections. Redirected connections stay redirected until the space is closed.
func (d *Diversion) Lift() error {
	_, err := opStraight.Of(context.Background(), d.s.p.call, d.n)
	return unlessEnded(err)
}
