package chaos

import (
	"context"
	crand "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/chaos/cgroup"
	"brunt/chaos/netns"
	"brunt/scenarios/syntax"
	"brunt/targets/platform/containers"
)

// Scope describes the parts of a target, as far as they are known before the run.
type Scope struct {
	Services     map[string]int  // replicas of each service that brunt starts
	Unsupervised []string        // those of Services that no supervisor restarts after a crash
	Zones        Zones           // zones of the units that have one
	Found        map[string]bool // those of Services whose containers are found only during the run
	Cluster      *Cluster        // set where the services are workloads of Kubernetes; else nil
	Containers   bool            // the services run in containers
	Edges        []EdgeName      // declared links between services; one from the load begins with LoadName
	External     string          // host:port of a target that already runs
	Endpoints    []Endpoint      // ends of links from the load, besides the target's own URL
	Encrypted    bool            // connections of the load to the target begin encrypted, so no link can read them
	FromLoad     Formats         // formats of each link from the load, unless it is Encrypted
	AtPort       Ports           // formats of any link to a port

	Host func(u *url.URL) error // refuses a host that is known to lie beyond the blast radius; nil: all but loopback
	// LookUp refuses a name that brunt may not look up; nil refuses none
	LookUp func(host string, port uint16) error

	// Void is called instead of noting a mistake when a fault will match nothing: with `on_no_unit: skip` the fault is
	// then skipped. Nil means that it is a mistake.
	Void func(why string)
}

// A Cluster describes a target on Kubernetes as far as it is known before a run. Its pods are found during the run.
type Cluster struct {
	Namespace string
	// Workloads maps each service to the kind of its workload, as paths of the API spell it. The kind is empty for pods
	// that are selected by labels. Nil means that each deployment and stateful set is a service; these are found during
	// the run too.
	Workloads map[string]string
	Nodes     map[string]string // labels of the nodes that faults may hit; empty: none may be hit
	NoAgents  bool              // no agent may run on its nodes: faults are injected by the API alone
}

// Later reports whether the units of a service are known only during the run.
func (sc *Scope) Later(service string) bool { return sc.Cluster != nil || sc.Found[service] }

// Has reports whether a service of a name exists, or may exist.
func (sc *Scope) Has(service string) bool {
	_, listed := sc.Services[service]
	return listed || sc.Cluster != nil && sc.Cluster.Workloads == nil
}

// NoMatch notes that nothing matches. A name close to an existing one is always a mistake, even where
// matching nothing is allowed.
func (sc *Scope) NoMatch(at syntax.Pos, m *syntax.Mistakes, hint, format string, args ...any) {
	if sc.Void == nil || strings.HasPrefix(hint, "did you mean") {
		m.AddHint(at, hint, format, args...)
		return
	}
	if why := fmt.Sprintf(format, args...); hint != "" {
		sc.Void(why + "; " + hint)
	} else {
		sc.Void(why)
	}
}

// An Endpoint is an address that the load reaches besides the target's own URL, by its name in the scenario.
type Endpoint struct {
	Name        string
	Addr        string  // host:port, if it is known before the run
	Carries     Formats // formats of its connections
	EncryptedBy string  // the setting of its URL that encrypts a connection after it was opened; empty: none
	NoLink      string  // why no link can lead to it; empty: a link can
	Datagrams   bool    // it receives datagrams of UDP
	HTTPS       bool    // its URL begins with https://
}

// Formats name the formats that connections carry, as far as a link can read them, from the general to the special. The
// descriptor of a protocol lists the formats of its URLs; a fault names the formats that it reads.
type Formats []string

// Has reports whether f contains a format.
func (f Formats) Has(name string) bool { return slices.Contains(f, name) }

// Ports maps well-known ports to the formats that their servers are assumed to speak.
type Ports map[uint16]Formats

// of returns the formats at a host:port.
func (p Ports) of(addr string) Formats {
	_, text, _ := net.SplitHostPort(addr)
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return nil
	}
	return p[uint16(port)]
}

// Carries returns the formats that a link to an address is known to carry: the formats of the port, and for a link from
// the load also those of its endpoint and of the load.
func (sc *Scope) Carries(from, to, upstream string) Formats {
	all := slices.Clone(sc.AtPort.of(upstream))
	if from != LoadName {
		return all
	}
	for _, e := range sc.Endpoints {
		if e.Name == to || to == TargetName && e.Addr == sc.External {
			all = append(all, e.Carries...)
		}
	}
	if !sc.Encrypted {
		all = append(all, sc.FromLoad...)
	}
	return all
}

// formatHTTP3 is the format of a load that speaks HTTP/3, which is datagrams.
const formatHTTP3 = "http/3"

// Datagrams reports whether the end of a link from the load receives datagrams: an endpoint, or the target if it is at
// the address of one.
func (sc *Scope) Datagrams(to string) bool {
	quic := sc.FromLoad.Has(formatHTTP3)
	if quic && to == TargetName && sc.Encrypted {
		return true
	}
	return slices.ContainsFunc(sc.Endpoints, func(e Endpoint) bool {
		return (e.Datagrams || quic && e.HTTPS) && (e.Name == to || to == TargetName && e.Addr == sc.External)
	})
}

// EdgeName is a link from one service to another.
type EdgeName struct{ From, To string }

// LoadName names the load as the start of an edge. TargetName names a target without services as the end of an edge.
const (
	LoadName   = "load"
	TargetName = "target"
)

// Env is everything that a fault may use during a run.
type Env struct {
	Targets
	Host
	Occurrence
}

// Targets say which units and links may be hit.
type Targets struct {
	Units    []Unit
	Links    []*Link
	Zones    Zones
	AtPort   Ports // formats that servers at a port are assumed to speak
	MaxUnits int   // the most units that a fault may hit; zero is unlimited
	// Present returns the units that exist now. Nil means that Units holds for the whole run.
	Present func(ctx context.Context) (Present, error)
	// Only names the units that a plan makes steps for; nil means all units that the fault hits. Picks and limits still
	// count all units that it hits.
	Only []string
	// Find finds containers of the engine that brunt did not start. Nil means that there is no engine.
	Find func(ctx context.Context, q containers.Query) ([]Found, error)
	// Spare begins a check. The check returns an error that says why a hit is forbidden, or nil. Every fault calls it
	// when it is planned and again just before it is injected. A nil Spare protects no unit.
	Spare func(ctx context.Context, among *Targets) func(Hit) error
}

// A Found is a container that a query selected, as the engine describes it, with its unit.
type Found struct {
	containers.Container
	Unit Unit
}

// Host holds the resources of a run on this machine.
type Host struct {
	Run    string        // name of the run, set in the environment of every started process
	State  string        // directory of the journal, which faults must leave room for; empty: there is none
	Stress []string      // brunt's command line for a stress process; nil: none can start
	Groups cgroup.System // where the control groups of the units are; zero is this machine
	Agents Agents        // act where brunt itself may not; nil means that brunt does everything itself

	// AskStep runs a step of the load's language at a unit, or at the target if u is nil, and returns the text that the
	// step extracts as `value`. A [NotPassedError] says that the step was answered and did not pass; any other error
	// says that there was no answer. Nil means that there is no protocol.
	AskStep func(ctx context.Context, step *syntax.Node, u Unit, timeout time.Duration) (value string, err error)
	// Act runs a sequence and leaves its sessions in the state that the last step left: in a transaction, with their
	// streams open. Closing the result ends their connections. After an error nothing is open; a [NotPassedError] says
	// that a step was answered and did not pass. Nil means that there is no protocol.
	Act func(ctx context.Context, s Sequence) (io.Closer, error)
	// Keep encodes a sequence for the journal, with everything that another process needs to run its steps.
	Keep func(s Sequence) (json.RawMessage, error)

	Addresses map[string]string // values of ${unit.…}, by the text of the placeholder
	// Allow holds the allow-lists of call targets besides loopback and the units, such as guard.allow.chaos; a target
	// must match all of them
	Allow [][]string
}

// An Occurrence is one injection of a fault, for which a plan is made.
type Occurrence struct {
	Kind   string
	Fault  Fault                // its settings
	Rand   *rand.Rand           // seeded by the run and the occurrence
	Now    func() time.Duration // the run's clock
	Stays  time.Duration        // how long the fault is to stay injected; zero: it is a one-shot
	Dry    bool                 // only plan: nothing runs yet and nothing is injected
	Choice *Choice              // notes the picked units, and picks them again; nil does neither
	Roles  *Roles               // notes the roles of the picked units; nil notes none
	Extend func(u Undo) error   // adds an undo to the journal entry of the injected step; nil writes nothing
	At     func(point string)   // for tests: called where brunt could die; may be nil
}

// ByAgent makes an agent plan the fault for a unit. ok is false when brunt injects the fault itself. In a dry run it
// checks that the container of a unit on another machine is known, which the agent would be told.
func (e Env) ByAgent(ctx context.Context, u Unit) (s Step, ok bool, err error) {
	if node := u.Traits().Node; e.Dry && node != nil {
		if _, err := node.Life(ctx); err != nil {
			return nil, false, err
		}
	}
	if e.Agents == nil {
		return nil, false, nil
	}
	return e.Agents.Plan(ctx, e, u)
}

// leaseMargin is the time from the planned end of a fault until the process that holds it for brunt ends it by itself.
// Within that time brunt can revert the fault, and a watchdog can find that brunt does not.
const leaseMargin = 30 * time.Second

// Lease returns a lease for a fault that another process holds for the occurrence.
func (o Occurrence) Lease() netns.Lease {
	l := netns.Lease{Key: crand.Text()}
	if o.Stays > 0 {
		l.Until = o.Stays + leaseMargin
	}
	return l
}

// Point marks a point at which brunt could die, for tests.
func (o Occurrence) Point(name string) {
	if o.At != nil {
		o.At(name)
	}
}

// Present are the units of a target that changes by itself, such as the pods of a cluster.
type Present struct {
	Units []Unit
	Zones Zones
	// IDs distinguish a unit from its successor of the same name: they map the name to an id. A unit that can't be hit
	// yet has none.
	IDs map[string]string
}
