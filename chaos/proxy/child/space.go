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

// What brunt asks of the process about namespaces: all begin with opSpace.
const (
	opSpace     = "space."
	opEnter     = opSpace + "enter"
	opLeave     = opSpace + "leave"
	opDo        = opSpace + "do" // what package remote asks
	opTable     = opSpace + "table"
	opDivert    = opSpace + "divert"
	opStraight  = opSpace + "straight"
	opForeign   = opSpace + "foreign"
	opTLS       = opSpace + "tls"
	opQuiet     = opSpace + "quiet"
	opCut       = opSpace + "cut"
	opDrain     = opSpace + "drain"
	leavesAfter = 5 * time.Second // for what is held in it to be removed
)

// spaceArguments are those of the operations on namespaces.
type spaceArguments struct {
	N      int             `json:"n,omitempty"`
	Path   string          `json:"path,omitempty"`
	Op     string          `json:"op,omitempty"` // of package remote
	Args   json.RawMessage `json:"args,omitempty"`
	Table  int             `json:"table,omitempty"`
	Routes []route         `json:"routes,omitempty"`
	To     netip.AddrPort  `json:"to,omitzero"`

	Called  []netip.AddrPort `json:"called,omitempty"`
	Ends    []netns.End      `json:"ends,omitempty"`
	Proxies []int            `json:"proxies,omitempty"`
	Quiet   netns.Quiet      `json:"quiet,omitzero"`
}

// route is where connections to an address are diverted to.
type route struct{ From, To netip.AddrPort }

// space is a namespace that the process has open.
type space struct {
	n      *netns.Namespace
	server *remote.Server
	id     string
	stays  bool // the namespace is another's to close
}

// leave removes what is held in the namespace.
func (x *space) leave() error {
	if x.stays {
		return x.server.End()
	}
	return errors.Join(x.server.End(), x.n.Close())
}

// inSpace does what is asked about namespaces.
func (s *server) inSpace(ctx context.Context, op string, l netns.Lease, a spaceArguments) (any, error) {
	switch op {
	case opEnter:
		return s.enter(a.Path)
	case opDivert:
		return nil, s.divert(l, a)
	case opStraight:
		return nil, s.straight(a.Table)
	}
	in, err := find(s, s.spaces, a.N)
	if err != nil {
		return nil, err
	}
	switch op {
	case opDo:
		return in.server.Answer(ctx, a.Op, a.Args)
	case opTable:
		table, err := in.n.NewDiversion()
		if err != nil {
			return nil, err
		}
		return made{N: keep(s, s.tables, &diversion{Diversion: table, in: a.N})}, nil
	case opForeign:
		return in.n.Redirects()
	case opTLS:
		return s.speaksTLS(ctx, in, a)
	case opQuiet:
		return endQuiet(ctx, in, a)
	case opCut:
		return nil, in.n.Cut(a.Ends)
	case opDrain:
		return s.drain(ctx, in, a)
	case opLeave:
		return nil, s.leave(a.N, in)
	}
	return nil, fmt.Errorf("no operation %q", op)
}

func (s *server) enter(path string) (any, error) {
	n, err := s.only, error(nil)
	if n == nil {
		n, err = netns.Open(path)
	}
	if err != nil {
		return nil, err
	}
	in := &space{
		n: n, stays: s.only != nil, server: &remote.Server{Open: func() (*netns.Namespace, error) { return n, nil }},
	}
	if in.id, err = n.ID(); err != nil {
		return nil, errors.Join(err, in.leave())
	}
	in.server.Lease = func(l netns.Lease, off func() error) (remote.Leased, error) {
		number, err := s.effects.add(l, off)
		return remote.Leased{
			Since: func() time.Duration { ago, _ := s.effects.since(number); return ago },
			Over:  func() { s.effects.forget(number) },
		}, err
	}
	return made{N: keep(s, s.spaces, in)}, nil
}

// leave gives a namespace up, with the diversions in it.
func (s *server) leave(n int, in *space) error {
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
	effect int // zero: it is not in force
	in     int // the space
	from   []netip.AddrPort
}

// claim notes what a diversion diverts, unless another one in the same namespace does already: the connections of
// either's proxies would come to the other's.
func (s *server) claim(table *diversion, routes []route) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range routes {
		for _, other := range s.tables {
			if other != table && s.spaces[other.in].same(s.spaces[table.in]) && slices.Contains(other.from, r.From) {
				return fmt.Errorf("another fault diverts connections to %s already, and a second one would get them from the "+
					"first one's proxy", r.From)
			}
		}
		table.from = append(table.from, r.From)
	}
	return nil
}

// same reports whether two spaces are known to be of one namespace.
func (x *space) same(o *space) bool { return x != nil && o != nil && x.id == o.id }

// straight lifts a diversion: what was opened through it goes on until its namespace is left. One that is lifted
// already stays so.
func (s *server) straight(n int) error {
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

// divert puts a diversion in force.
func (s *server) divert(l netns.Lease, a spaceArguments) error {
	table, err := find(s, s.tables, a.Table)
	if err != nil {
		return err
	}
	if s.effects.isCleared(l.Key) {
		return errCleared
	}
	if err := s.claim(table, a.Routes); err != nil {
		return err
	}
	routes := map[netip.AddrPort]netip.AddrPort{}
	for _, r := range a.Routes {
		routes[r.From] = r.To
	}
	if err := table.Set(routes); err != nil {
		return err
	}
	n, err := s.effects.add(l, table.Lift)
	s.mu.Lock()
	defer s.mu.Unlock()
	table.effect = n
	return err
}

// A Space is a network namespace in which the process acts.
type Space struct {
	*remote.Namespace
	p *Process
	n int
}

// Enter opens the namespace at a path such as /proc/PID/ns/net. A process on another machine has one alone, and ignores
// the path. What is set in it ends with the process.
func (p *Process) Enter(ctx context.Context, path string) (*Space, error) {
	var is made
	if err := p.call(ctx, opEnter, arguments{Space: spaceArguments{Path: path}}, &is); err != nil {
		return nil, err
	}
	s := &Space{p: p, n: is.N}
	s.Namespace = remote.New(func(ctx context.Context, op string, args, result any) error {
		raw, err := json.Marshal(args)
		if err != nil {
			return err
		}
		return p.client.Call(ctx, opDo, arguments{Space: spaceArguments{N: s.n, Op: op, Args: raw}}, result)
	}, func() error {
		ctx, cancel := context.WithTimeout(context.Background(), leavesAfter)
		defer cancel()
		return unlessEnded(p.call(ctx, opLeave, arguments{Space: spaceArguments{N: s.n}}, nil))
	})
	return s, nil
}

// unlessEnded drops the error of a process that has ended: with it, all that it held has.
func unlessEnded(err error) error {
	if errors.Is(err, rpc.ErrEnded) {
		return nil
	}
	return err
}

// Process is the process that acts in the namespace.
func (s *Space) Process() *Process { return s.p }

// Set is [netns.Namespace.Set], executed by the process. After an error nothing is in force under the key of the lease,
// and nothing can come: a process that does not see to that is ended.
func (s *Space) Set(spec netns.Spec) (netns.Held, error) {
	held, err := s.Namespace.Set(spec)
	if err != nil && spec.Lease.Key != "" {
		s.p.forget(spec.Lease.Key, err)
	}
	return held, err
}

// Foreign lists what redirects connections from inside the namespace besides brunt, such as a mesh.
func (s *Space) Foreign(ctx context.Context) (out []string, err error) {
	err = s.p.ask(ctx, opForeign, arguments{Space: spaceArguments{N: s.n}}, &out)
	return out, err
}

// A Diversion redirects connections that are opened inside a namespace to proxies of the process there.
type Diversion struct {
	s *Space
	n int
}

// Divert makes a diversion that redirects nothing until [Diversion.Set].
func (s *Space) Divert(ctx context.Context) (*Diversion, error) {
	var is made
	if err := s.p.call(ctx, opTable, arguments{Space: spaceArguments{N: s.n}}, &is); err != nil {
		return nil, err
	}
	return &Diversion{s, is.N}, nil
}

// Proxy starts a proxy in the namespace. Its own connections are not redirected.
func (d *Diversion) Proxy(ctx context.Context, c Config) (*Proxy, error) {
	return d.s.p.proxy(ctx, arguments{Config: c, Space: spaceArguments{N: d.s.n, Table: d.n}})
}

// SpeaksTLS opens a connection, which is not redirected, and tells whether TLS answers there.
func (d *Diversion) SpeaksTLS(ctx context.Context, at netip.AddrPort) (yes bool, err error) {
	err = d.s.p.ask(ctx, opTLS, arguments{Space: spaceArguments{N: d.s.n, Table: d.n, To: at}}, &yes)
	return yes, err
}

// Set redirects new TCP connections over IPv4 from the keys to the values, all at the same instant. It is called once.
func (d *Diversion) Set(ctx context.Context, l netns.Lease, routes map[netip.AddrPort]netip.AddrPort) error {
	a := arguments{Lease: l, Space: spaceArguments{Table: d.n}}
	for from, to := range routes {
		a.Space.Routes = append(a.Space.Routes, route{from, to})
	}
	err := d.s.p.call(ctx, opDivert, a, nil)
	if err != nil {
		d.s.p.forget(l.Key, err)
	}
	return err
}

// Lift ends the redirection of new connections. Those that were redirected stay so until the space is closed.
func (d *Diversion) Lift() error {
	return unlessEnded(d.s.p.call(context.Background(), opStraight, arguments{Space: spaceArguments{Table: d.n}}, nil))
}
