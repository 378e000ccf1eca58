package targets

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"net/url"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Scope holds everything that a step may refer to.
type Scope struct {
	Symbols *template.Symbols
	Name    string // of the step; empty: the protocol's own
	// refuses a URL whose host is outside the blast radius; nil allows all hosts
	Host func(u *url.URL) error
	// reads a file beside the scenario, of at most most bytes; nil can't read files
	File    func(at syntax.Pos, path string, most int) ([]byte, error)
	Auth    *syntax.Node       // of the step's load; nil: none
	Sign    *syntax.Node       // of the step's load; nil: none
	Shared  *Shared            // shared by the steps of a plan; nil shares nothing
	Timeout time.Duration      // of the step's load; zero: not known
	Flow    Flow               // the sequence that contains the step
	Secret  func(value string) // masks a value in all output; nil masks nothing
	// collects the names of the step's checks and extractions; causes refer to them by index
	Checks *[]string

	at        *syntax.Node
	endpoints map[string]scenarios.Endpoint
	settings  *syntax.Node
	url       *scenarios.Endpoint
}

// A Flow identifies a sequence of steps in a plan. The steps of a sequence share everything that one of them opens.
type Flow struct {
	Load   int  // negative: none
	Number int  // of the sequence, in the plan
	Holds  bool // its session leaves its connection in the state in which each step left it, see [Options.Holds]
}

// To returns the scope for a step that goes to an endpoint, one of all. At holds its name; nil means the only
// endpoint of the step's protocol, or the target's own URL.
func (s Scope) To(at *syntax.Node, all map[string]scenarios.Endpoint) Scope {
	s.at, s.endpoints = at, all
	return s
}

// EndpointSettings returns the settings of the endpoint that the step goes to, or nil.
func (s Scope) EndpointSettings() *syntax.Node { return s.settings }

// EndpointURL returns the URL of the endpoint that the step goes to, with its placeholders unfilled, and the place of
// the URL. It is empty if the step goes to no endpoint.
func (s Scope) EndpointURL() (string, syntax.Pos) {
	if s.url == nil {
		return "", syntax.Pos{}
	}
	return s.url.Text(), s.url.At
}

// CheckAddresses returns an error if a value of the parameter addr of an endpoint's URL is not HOST:PORT.
func CheckAddresses(addr []string) error {
	for _, a := range addr {
		if _, _, err := net.SplitHostPort(a); err != nil {
			return fmt.Errorf("addr=%s is not HOST:PORT", a)
		}
	}
	return nil
}

// CheckHosts notes mistakes for further addresses of an endpoint that are outside the blast radius.
func (s Scope) CheckHosts(at syntax.Pos, scheme string, addresses []string, m *syntax.Mistakes) {
	if s.Host == nil {
		return
	}
	for _, a := range addresses {
		if err := s.Host(&url.URL{Scheme: scheme, Host: a}); err != nil {
			m.Add(at, "the endpoint's addr=%s: %v", a, err)
		}
	}
}

// RefuseAuth notes that steps of a kind take neither the load's auth nor its signatures. Hint says how such a step
// proves its identity instead.
func (s Scope) RefuseAuth(kind, hint string, m *syntax.Mistakes) {
	switch {
	case s.Auth != nil && s.Auth.Kind == syntax.Map:
		m.AddHint(s.Auth.Pos, hint, "%s steps don't take the load's auth", kind)
	case s.Sign != nil && s.Sign.Kind == syntax.Map:
		m.Add(s.Sign.Pos, "%s steps are not signed", kind)
	}
}

// AddCheck adds a check or an extraction, and returns its number.
func (s Scope) AddCheck(name string) int {
	*s.Checks = append(*s.Checks, name)
	return len(*s.Checks) - 1
}

// AddSecret masks value in all output if it is long enough, see [secret.IsLong].
func (s Scope) AddSecret(value string) {
	if s.Secret != nil && secret.IsLong(value) {
		s.Secret(value)
	}
}

// Options are the settings of a client.
type Options struct {
	Base        string            // URL that relative paths are appended to; known once the target runs
	Endpoints   map[string]string // URLs by name; a step uses the one that its `at` names, or the only one with its scheme
	TLS         *scenarios.TLS
	Connections scenarios.Connections
	Only        netip.AddrPort // of the addresses that a name leads to, the one to connect to; zero means any
	Resolve     map[string]string
	Proxies     Proxies // nil: connects directly
	Timeout     time.Duration
	Seed        uint64    // of the random values for connections
	T0          time.Time // of the run; deadlines count from it
	Allow       Allowlist // nil: allows all
	Network     Network   // opens connections; nil: the protocol's own
	Peers       *Peers    // counts the connections that the protocol's own network opens; nil: none
	// Emit receives the measurement of a part, in the goroutine of Do; nil drops it
	Emit    func(it *template.Iter, c scenarios.Call, part int, out *scenarios.Outcome)
	Sampler Sampler
	Agent   string  // User-Agent
	Tracing Tracing // of requests; zero: none
	Fresh   bool    // each iteration is by a new user, who has the cookies of init alone
	Holds   bool    // a session leaves its connection in the state in which a call left it, such as in a transaction
}

// KeepsAlive reports whether connections are kept for further requests.
func (o *Options) KeepsAlive() bool {
	return o.Connections.KeepAlive == nil || *o.Connections.KeepAlive
}

// Now returns the time on the run's clock: the offset from T0.
func (o *Options) Now() time.Duration { return time.Since(o.T0) }

// Expired reports whether a connection opened at born is too old to be used.
func (o *Options) Expired(born time.Duration) bool {
	age := o.Connections.MaxAge.D()
	return age > 0 && o.Now()-born >= age
}

// Reuse returns the number of requests after which the n-th connection is closed. Negative means no limit.
func (o *Options) Reuse(n int64) int {
	r := o.Connections.Reuse
	if r.Max == 0 {
		return -1
	}
	return r.Min + rand.New(rand.NewPCG(o.Seed, uint64(n))).IntN(r.Max-r.Min+1)
}

// A Sampler keeps a few informative requests: some that failed, and the slowest.
type Sampler interface {
	// Want reports whether a sample of this outcome would be kept.
	Want(o *scenarios.Outcome) bool
	Keep(o *scenarios.Outcome, s result.Sample)
}

// Tracing says how a client's requests carry a traceparent.
type Tracing struct {
	High    uint64 // the first half of every trace id; zero: no traceparent is sent
	Sampled bool   // the traces are marked for recording
}

// Proxies choose the proxy for a URL; nil: none.
type Proxies interface {
	For(u *url.URL) (*url.URL, error)
}

// A Transport holds the connections of one load to the target.
type Transport interface {
	// Abort closes every connection, so that every Do returns.
	Abort()
	// Opened returns how many connections were opened so far.
	Opened() int64
	// Spoken returns the versions of the protocol that the connections have used so far, and whether requests waited
	// for a stream.
	Spoken() Spoken
	Close() error
}

// Spoken describes the connections of a load. The zero value is for a protocol with one version and no streams.
type Spoken struct {
	Versions     []string
	Waits        int64  // requests that had to wait for a stream
	Streams      int    // streams of a connection; zero: no request had to wait
	Dropped      int64  // messages of streams that were dropped because too many waited to be read
	Elsewhere    int64  // calls that went to another node of a cluster, because theirs did not serve
	Refused      int64  // cookies that were not kept
	Untimed      int64  // messages of streams whose times were not measured, because too many came between two steps
	FirstRefused string // name of the first such cookie, and why
}

// A Client opens the sessions of one load.
type Client interface {
	Transport
	Open(vu int) (Session, error)
}

// A Session is the state of one virtual user. It is used by one goroutine at a time.
type Session interface {
	// Do makes the call and fills in out, beginning with Slot. It returns by it.Deadline.
	Do(it *template.Iter, c scenarios.Call, out *scenarios.Outcome)
	Close() error
}
