package targets

import (
	"context"
	"embed"
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// A Descriptor describes a protocol. Fields that may be nil are for protocols that need them.
type Descriptor struct {
	Name     string       // http
	Doc      string       // one sentence that says what a step does, for the schema
	Kinds    []string     // the step keys: get, post and so on
	Beside   []string     // those of them that are a setting where another kind stands too
	Schemes  []string     // of the URLs of its endpoints
	Base     bool         // a step that names no endpoint goes to the target's own URL, and not to the only endpoint
	PerUser  bool         // its clients give each user a connection of its own where the load wants that
	Settings reflect.Type // the struct whose fields are the YAML of a step
	// Forms are steps of kinds that other protocols have, and that are this one's where they have a key. It may be nil.
	Forms []Form
	// Wires are what connections carry, by Schemes. Of a scheme that is not among them, a link can read nothing.
	Wires map[string]Wire
	// Causes are those of its answers that a step does not accept, besides a status of HTTP and a failed check.
	Causes   []scenarios.CauseFamily
	Endpoint reflect.Type // the struct whose fields are the YAML of an endpoint besides its url; nil: it has a url alone
	// Source holds the texts of the packages whose types are read from a step, by import path. The
	// comments of their fields describe the keys. It may be nil.
	Source map[string]embed.FS

	// Compile compiles a step without contact to the target. It notes mistakes in m.
	Compile func(step syntax.Block, in Scope, m *syntax.Mistakes) (scenarios.Call, bool)
	// Client creates the client of one load.
	Client func(o Options) (Client, error)

	// At returns the endpoint of a step, whose own word is named; empty: it names none. It is for a protocol whose steps
	// go where an earlier one went, or that has endpoints of several forms. It notes mistakes in m. It may be nil.
	At func(step syntax.Block, in Scope, named string, all map[string]scenarios.Endpoint, m *syntax.Mistakes) (name string,
		ok bool)
	// Bind prepares a call at the target, once it is ready and before the warm-up:
	// reflection, metadata. The client is one of the call's load, and is closed afterwards:
	// what a connection needs, such as a prepared statement, the session makes as it opens the
	// connection. An error makes the run invalid. It may be nil.
	Bind func(ctx context.Context, c scenarios.Call, by Client) error
	// Parts names the measurements of a call besides its own. The session passes each of them
	// to Options.Emit by its index. The part "first byte" of the step "read" has rows and
	// objectives as "read first byte", and counts in no sum and no rate. It may be nil.
	Parts func(c scenarios.Call) []string
	// EndIteration closes what an iteration opened in its session. It may be nil.
	EndIteration func(s Session, it *template.Iter)
	// Absent reports whether an answer says that the requested item does not exist, for ledger
	// reads. It may be nil.
	Absent func(c scenarios.Call, out *scenarios.Outcome) bool
	// Retry reports whether an answer that is an error may be followed by a good one, so that a
	// ledger read is sent again. A call without an answer is always sent again. It may be nil:
	// no answer is asked for again.
	Retry func(c scenarios.Call, out *scenarios.Outcome) bool
	// OfUnit returns the URL at which a unit with an address is reached as the endpoint of a step is, with
	// its user and its database. It may be nil: a unit is reached by a URL of a scheme and an address.
	OfUnit func(endpoint *url.URL, addr string) string
	// Encrypts returns the setting of an endpoint's URL by which its connections turn to TLS after their begin, such as
	// sslmode=require; empty: none. It may be nil.
	Encrypts func(endpoint *url.URL) string
	// Carries returns the formats that connections of a load with these settings carry besides those of Wires. It may be
	// nil: none.
	Carries func(c *scenarios.Connections) []string
	// Lasts reports whether a call ends late by its nature, such as a stream that is read for some
	// time: then no answer yet does not mean that the target hangs. It may be nil: no call does.
	Lasts func(c scenarios.Call) bool
}

// A Wire is what connections of one scheme carry, as a link sees it that they go through.
type Wire struct {
	// Formats are those that a link can read, from the general to the special, as chaos/fault/proxied names them: "http",
	// "http/2", "grpc", "redis", "sql", "mysql", or one of the protocol's own.
	Formats []string
	TLS     bool   // connections begin with TLS
	Port    uint16 // at which a server is taken to speak Formats, also where no URL says so; zero: none
}

// A Form is a step of another protocol's kind that has a key.
type Form struct {
	Kind, Key string
	Settings  reflect.Type // the struct whose fields are the YAML of the step
}

// takes reports whether a step is one of the forms of the protocol.
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
