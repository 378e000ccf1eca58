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

// Scope describes what a target is made of, as far as it is known before the run.
type Scope struct {
	Services     map[string]int  // replicas of each service that brunt starts
	Unsupervised []string        // services among them that no supervisor restarts after a crash
	Zones        Zones           // zones of the units that have one
	Found        map[string]bool // services among them whose containers are found only during the run
	Cluster      *Cluster        // the services are workloads of Kubernetes; nil: they are not
	Containers   bool            // the services run in containers
	Edges        []EdgeName      // declared links, by service; those of the load begin with LoadName
	External     string          // host:port of a target that already runs
	Endpoints    []Endpoint      // other ends of links from the load
	Encrypted    bool            // connections of the load to the target begin encrypted, so no link can read them
	FromLoad     Formats         // carried by each link from the load, unless it is Encrypted
	AtPort       Ports           // carried by any link to a port

	Host func(u *url.URL) error // refuses a host that is known to lie beyond the blast radius; nil: what is not loopback

	// Void is called instead of noting a mistake when a fault will match nothing: `on_no_unit: skip`
	// skips it. Nil makes it a mistake.
	Void func(why string)
}

// A Cluster is what is known before a run of a target on Kubernetes. Its pods are found during the run.
type Cluster struct {
	Namespace string
	// Workloads are the kinds of the services' workloads, as the API's paths have them, by service; empty for pods that
	// are selected by labels. Nil: each deployment and stateful set is a service, and they are found during the run too.
	Workloads map[string]string
	Nodes     map[string]string // labels of the nodes that faults may hit; empty: none may be hit
	NoAgents  bool              // no agent may run on its nodes: the API alone makes faults
}

// Later reports whether the units of a service are known only during the run.
func (sc *Scope) Later(service string) bool { return sc.Cluster != nil || sc.Found[service] }

// Has reports whether there is a service of a name, or may be.
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
	Carries     Formats // of its connections
	EncryptedBy string  // the setting of its URL that encrypts connections after their begin; empty: none
	NoLink      string  // why no link can lead to it; empty: one can
}

// Formats name what connections carry as far as a link can read it, from the general to the special. The descriptor of
// a protocol has those of its URLs, and a fault asks for those that it reads.
type Formats []string

// Has reports whether a format is among them.
func (f Formats) Has(name string) bool { return slices.Contains(f, name) }

// Ports are the formats that servers at well-known ports are taken to speak.
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

// Carries returns the formats that a link to an address is known to carry: those of the port, of its endpoint, and of
// the load.
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

// EdgeName is a link from one service to another.
type EdgeName struct{ From, To string }

// LoadName names the load as the start of an edge. TargetName names a target without services as the
// end of one.
const (
	LoadName   = "load"
	TargetName = "target"
)

// Env is what a fault may use during a run.
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
	AtPort   Ports // what servers at a port are taken to speak
	MaxUnits int   // the most units that a fault may hit; zero is unlimited
	// Present asks what units there are now. Nil: they are Units for the whole run.
	Present func(ctx context.Context) (Present, error)
	// Only are the units that a plan makes steps for; nil: all that the fault hits. Picks and limits are of all of them.
	Only []string
	// Find finds containers of the engine that brunt did not start. Nil means that there is no engine.
	Find func(ctx context.Context, q containers.Query) ([]Found, error)
	// Spare begins a check, which returns why a hit may not be, or nil. Every fault asks it when it is planned and again
	// just before it is injected. A nil Spare protects none.
	Spare func(ctx context.Context, among *Targets) func(Hit) error
}

// A Found is a container that a query selects, as its engine says, with its unit.
type Found struct {
	containers.Container
	Unit Unit
}

// Host is what a run has on this machine.
type Host struct {
	Run    string        // name of the run, set in the environment of every started process
	State  string        // directory of the journal, which faults must leave room for; empty is none
	Stress []string      // brunt's command line for a stress process; nil: none can start
	Groups cgroup.System // where the control groups of the units are; zero is this machine
	Agents Agents        // do what brunt may not do itself; nil means that brunt does everything itself

	// AskStep runs a step of the load's language at a unit, or at the target where u is nil, and returns what it
	// extracted as `value`. A [NotPassedError] says that it was answered and did not pass, any other error that
	// there was no answer. Nil means that there is no protocol.
	AskStep func(ctx context.Context, step *syntax.Node, u Unit, timeout time.Duration) (value string, err error)
	// Act runs a sequence and leaves its sessions as the last step does: in a transaction, with their streams open.
	// Closing them ends their connections. After an error nothing is open; a [NotPassedError] says that a step was
	// answered and did not pass. Nil means that there is no protocol.
	Act func(ctx context.Context, s Sequence) (io.Closer, error)
	// Keep returns a sequence as a journal keeps it: with all that another process needs to make its steps.
	Keep func(s Sequence) (json.RawMessage, error)

	Addresses map[string]string // values of ${unit.…}, by the text of the placeholder
	// allow-lists of call targets besides loopback and the units, as guard.allow.chaos; all must match
	Allow [][]string
}

// An Occurrence is the injection that a fault is planned for.
type Occurrence struct {
	Kind   string
	Fault  Fault                // its settings
	Rand   *rand.Rand           // seeded by the run and the occurrence
	Now    func() time.Duration // the run's clock
	Stays  time.Duration        // how long it is to stay in; zero: it is over at once
	Dry    bool                 // only plan: nothing runs yet and nothing is injected
	Choice *Choice              // notes the picked units, and picks them again; nil does neither
	Roles  *Roles               // notes the roles of the picked units; nil notes none
	Extend func(u Undo) error   // adds an undo to the journal entry of the injected step; nil writes nothing
	At     func(point string)   // for tests: called where brunt could die; may be nil
}

// ByAgent has an agent plan the fault for a unit. ok is false when brunt injects the fault itself.
func (e Env) ByAgent(ctx context.Context, u Unit) (s Step, ok bool, err error) {
	if e.Agents == nil {
		return nil, false, nil
	}
	return e.Agents.Plan(ctx, e, u)
}

// leaseMargin is how long after its planned end a process that holds a fault for brunt ends it: brunt has the time to
// do it before, and a watchdog to find that brunt does not.
const leaseMargin = 30 * time.Second

// Lease returns a lease for what another process does for the occurrence.
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
	// IDs tell one unit from the next in its place, by name. A unit that can't be hit yet has none.
	IDs map[string]string
}
