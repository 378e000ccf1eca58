package chaos

import (
	"context"

	"brunt/chaos/proxy"
	"brunt/scenarios/slo"
)

// A Link is the connection from one unit to another, or from the load to its target, through brunt's
// proxy.
type Link struct {
	From    string  // a unit, or LoadName
	To      string  // a unit, or TargetName
	Carries Formats // nil if it is not known
	Proxy   Proxy
	Reads   bool // the proxy reads the requests on it, and counts them
	// the proxy relays datagrams of UDP on it, which are what the load sends
	Datagrams bool
}

// A Proxy is the proxy of a link, in this process or in one of its own. Its methods are those of
// [proxy.Proxy].
type Proxy interface {
	Addr() string
	Add(t proxy.Toxic) (proxy.Toxicity, error)
	Toxics() []proxy.Toxic
	Broken(ctx context.Context) error
	Traffic(ctx context.Context) (proxy.Traffic, error)
	Probe(ctx context.Context, q proxy.ProbeRequest) (proxy.ProbeResult, error)
	Established(ctx context.Context) (proxy.Line, error)
	Close() error
}

// LinkArrow stands between the ends of a link.
const LinkArrow = slo.LinkArrow

// LinkName returns the name of the link between two parts of a system, from->to.
func LinkName(from, to string) string { return from + LinkArrow + to }

// Name returns from->to.
func (l *Link) Name() string { return LinkName(l.From, l.To) }
