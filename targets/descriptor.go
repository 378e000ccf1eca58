package targets

import (
	"context"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Descriptor describes a protocol. A field that may be nil is for protocols that need it.
type Descriptor struct {
	Name     string       // http
	Doc      string       // one sentence on what a step does, for the schema
	Kinds    []string     // the step keys: get, post and so on
	Beside   []string     // step keys among Kinds that become a setting if the step has another kind too
	Schemes  []string     // URL schemes of its endpoints
	Base     bool         // a step that names no endpoint goes to the target's own URL instead of the only endpoint
	OverHTTP bool         // a step without an endpoint goes to the target's own URL: to the host and port of its HTTP
	PerUser  bool         // its clients give each user a connection of its own if the load wants that
	Settings reflect.Type // the struct whose fields are the YAML of a step
	// Forms are steps with a kind of another protocol that belong to this one if they have a key. It may be nil.
	Forms []Form
	// Wires describes what the connections of each scheme carry. A link can't read connections of a scheme that is
	// missing.
	Wires map[string]Wire
	// Causes are the causes of answers that a step does not accept, apart from HTTP statuses and failed checks.
	Causes   []scenarios.CauseFamily
	Endpoint reflect.Type // the struct whose fields are the YAML of an endpoint besides its url; nil: only a url
	Runs     bool         // the command in the settings of an endpoint is started

	// Compile compiles a step without contact to the target. It notes mistakes in m.
	Compile func(step syntax.Block, in Scope, m *syntax.Mistakes) (scenarios.Call, bool)
	// Client creates the client of one load.
	Client func(o Options) (Client, error)

	// At returns the name of the endpoint of a step. Named is the endpoint that the step itself names, or empty. At
	// is for a protocol whose steps go where an earlier step went, or that has several forms of endpoints. It notes
	// mistakes in m. It may be nil.
	At func(step syntax.Block, in Scope, named string, all map[string]scenarios.Endpoint, m *syntax.Mistakes) (name string,
		ok bool)
	// Bind prepares a call at the target, for example by reflection or metadata. It is called when the target is
	// ready, before the warm-up. The client belongs to the load of the call, and is closed afterwards. So anything
	// that each connection needs, such as a prepared statement, is made by the session when it opens a connection. An
	// error makes the run invalid. It may be nil.
	Bind func(ctx context.Context, c scenarios.Call, by Client) error
	// Parts names the further measurements of a call. The session passes each of them to Options.Emit by its index.
	// The part "first byte" of the step "read" has rows and objectives as "read first byte", and does not count in
	// any sum or rate. It may be nil.
	Parts func(c scenarios.Call) []string
	// EndIteration closes everything that an iteration opened in its session. It may be nil.
	EndIteration func(s Session, it *template.Iter)
	// Absent reports whether an answer says that the requested item does not exist, for ledger
	// reads. It may be nil: then no ledger reads by the protocol.
	Absent func(c scenarios.Call, out *scenarios.Outcome) bool
	// Resumes reports whether a call that replays, by its traits, missed no message although it ended with an error: a
	// later call has them. It may be nil, which means that it missed none if it has an answer, or if nothing came.
	Resumes func(c scenarios.Call, out *scenarios.Outcome) bool
	// Retry reports whether a good answer may follow an answer that is an error, so that a ledger read is sent again.
	// A call without an answer is always sent again. It may be nil, which means that no answer leads to another try.
	Retry func(c scenarios.Call, out *scenarios.Outcome) bool
	// OfUnit returns the URL of a unit at an address, with the user and the database of the URL of the step's
	// endpoint. It may be nil: the URL of a unit then consists of a scheme and an address.
	OfUnit func(endpoint *url.URL, addr string) string
	// Encrypts returns the setting in an endpoint's URL that makes its connections switch to TLS after they begin,
	// such as sslmode=require. It is empty if there is none. It may be nil.
	Encrypts func(endpoint *url.URL) string
	// Carries returns further formats, besides those in Wires, that connections of a load with these settings carry.
	// It may be nil, which means none.
	Carries func(c *scenarios.Connections) []string
	// Lasts reports whether a call normally takes long, such as a stream that is read for some time. The lack of an
	// answer then does not mean that the target hangs. A call whose traits say that it waits for a message needs no
	// such report. It may be nil, which means that no other call takes long.
	Lasts func(c scenarios.Call) bool
}

// A Wire describes what connections of one scheme carry, for a link between the two ends.
type Wire struct {
	// Formats are the formats that a link can read, from the general to the special, with the names of
	// chaos/fault/proxied: "http", "http/2", "grpc", "redis", "sql", "mysql", "kafka", "amqp", or a
	// format of the protocol's own.
	Formats []string
	TLS     bool   // connections begin with TLS
	Plain   string // the scheme without TLS, if TLS has the field's own scheme: redis of rediss, which redis+tls means too
	// a server listens for datagrams of UDP, besides connections of TCP at the same port
	Datagrams bool
	// URLs have addresses of a directory that names the server, such as Redis's sentinels, and none of a server
	Directory bool
	Port      uint16 // port on which a server probably speaks Formats, even if no URL says so; zero: none
}

// A Form is a step with a kind of another protocol that has a key.
type Form struct {
	Kind, Key string
	Settings  reflect.Type // the struct whose fields are the YAML of the step
}

// takes reports whether a step is one of the protocol's Forms.
func (d *Descriptor) takes(step syntax.Block) bool {
	return slices.ContainsFunc(d.Forms, func(f Form) bool { return f.Kind == step.Kind && step.With.Get(f.Key) != nil })
}

// endpoints returns the names of the endpoints that speak the protocol, sorted.
func (d *Descriptor) endpoints(all map[string]scenarios.Endpoint) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(all)) {
		e := all[name]
		if scheme, _, _ := strings.Cut(e.Text(), "://"); slices.Contains(d.Schemes, scheme) {
			names = append(names, name)
		}
	}
	return names
}
