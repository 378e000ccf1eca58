package stream

import (
	"cmp"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/stream/websocket"
)

// absent is the status of an answer that says that what was asked for is not there.
const absent = -1

// The kinds of steps.
const (
	kindWS    = "ws"
	kindTCP   = "tcp"
	kindUDP   = "udp"
	kindSend  = "send"
	kindAwait = "await"
	kindClose = "close"
)

// Descriptor describes streams: WebSocket, TCP, UDP, and the streams of other transports.
func Descriptor(others ...Transport) *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "stream", Doc: "Opens a WebSocket, a TCP connection, a UDP socket or a call of gRPC both ways, sends " +
			"messages on it and waits for others.",
		Causes: []scenarios.CauseFamily{websocket.Causes()},
		Kinds:  []string{kindWS, kindTCP, kindUDP, kindSend, kindAwait, kindClose}, Beside: []string{kindSend},
		Schemes: schemes,
		Wires: map[string]targets.Wire{
			"wss": {TLS: true, Plain: "ws"}, "tls": {TLS: true, Plain: "tcp"}, "udp": {Datagrams: true},
		},
		Settings: reflect.TypeFor[step](),
		Bind:     bind, Parts: parts,
		EndIteration: func(s targets.Session, it *template.Iter) { s.(*session).endIteration(it) },
		Absent:       func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == absent },
		Lasts:        func(c scenarios.Call) bool { return c.(*call).pace != nil },
		OverHTTP:     true,
	}
	all := transports(others)
	for _, one := range others {
		d.Forms = append(d.Forms, targets.Form{Kind: one.Kind, Key: "as", Settings: one.Settings})
	}
	d.At, d.Compile = all.endpointOf, all.compile
	d.Client = func(o targets.Options) (targets.Client, error) { return all.newClient(o, d) }
	return d
}

// step is the YAML of a step on a stream. Exactly one of ws, tcp, udp, send, await and close is its kind. In a step
// with ws or tcp, send is the first message.
type step struct {
	syntax.Place
	// opens a WebSocket: a path under the endpoint's URL, or under the target's
	WS  template.URL `yaml:"ws"`
	TCP *framing     `yaml:"tcp"` // opens a TCP connection; the value says how messages are separated
	// opens a UDP socket and sends this datagram; without `expect` no answer is awaited, and a lost answer is a timeout
	UDP     *MessageSource `yaml:"udp"`
	Send    *MessageSource `yaml:"send"`  // sends a message on a stream; of ws and tcp: the first one
	Await   *match         `yaml:"await"` // waits for a message on a stream that meets these conditions
	Close   template.Text  `yaml:"close"` // closes a stream, given by the name in its `as`
	Keeping `yaml:",inline"`
	To      string `yaml:"to"`   // of send: the name of the stream; default: the last opened one
	From    string `yaml:"from"` // of await: the name of the stream; default: the last opened one

	Answering `yaml:",inline"`
	// of await: how long it waits; default: the load's timeout
	Within quantity.Duration `yaml:"within,positive"`
	Pace   *pace             `yaml:"pace"` // of send: sends the message repeatedly by a schedule
	// of ws: subprotocols that are offered to the server, such as graphql-transport-ws
	Subprotocols []string                   `yaml:"subprotocols"`
	Headers      map[string]template.Header `yaml:"headers"` // of ws: headers of the handshake, by name
	// of ws: time between pings, whose answers are measured; default: no pings
	Ping quantity.Duration `yaml:"ping,positive"`
	// of ws: offers the server to compress messages (permessage-deflate); default: off
	Compress bool `yaml:"compress"`
}

// Keeping is the YAML that says how a stream is kept. Every step that opens a stream has it.
type Keeping struct {
	// of a step that opens a stream: keeps it open under a name until the iteration ends; default: it is closed, or
	// left to the next such step
	As string `yaml:"as"`
	// of a step that opens a stream: how many messages a second are read, to simulate a slow consumer; default: all
	// that come
	Read quantity.Rate `yaml:"read,positive"`
	// of a step that opens a stream: opens it again after the other side ended it
	Reconnect *reconnect `yaml:"reconnect"`
	// of a step that opens a stream under a name: iteration closes it at the end of the iteration, which is the
	// default; user keeps it for all iterations of a virtual user: the step opens it in the first iteration, and
	// again in an iteration that finds it lost
	Keep string `yaml:"keep,oneof=iteration|user"`
}

// keepUser is the value of keep for a stream that lives as long as its user.
const keepUser = "user"

// Answering is the YAML on the message that a step waits for.
type Answering struct {
	// of a step that opens a stream and of send: the answer among the messages that come afterwards; default: none is
	// waited for
	Expect  *match                `yaml:"expect"`
	Check   *MessageCheck         `yaml:"check"`   // conditions for the awaited message to be ok
	Extract map[string]Extraction `yaml:"extract"` // variables, each with the place of its value in that message
	// of a ledger's read: the answer that says that the write is not there; default: every answer says that it is
	Absent *match `yaml:"absent"`
}

// reconnect says how a lost stream is opened again.
type reconnect struct {
	syntax.Place
	After quantity.Range `yaml:"after,required"` // the wait before each attempt, drawn for each user from this range
}

// call is a compiled step.
type call struct {
	kind   string
	name   string
	stream string // its name; empty: none, or for send, await and close the last opened stream

	path         *template.URL // of ws
	headers      []header
	subprotocols []string
	framing      framing       // of tcp
	opening      Opening       // of another transport; nil: none
	opener       *call         // of send, await and close: the step that opens the stream, if known
	read         float64       // messages a second; zero: all
	kept         bool          // it stays open as long as the user
	ping         time.Duration // between pings of a WebSocket; zero: none are sent
	compress     bool
	reconnect    *quantity.Range

	send    *MessageSource // nil: none
	expect  *match         // nil: none
	absent  *match         // an answer that says that nothing is there; nil: none
	within  time.Duration  // zero: the load's timeout
	pace    *pace          // nil: sent once
	timeout time.Duration  // of the load; zero: not known
	rest    targets.Expected
}

type header struct {
	name string
	template.Template
}

func (c *call) Name() string { return c.name }

// opens reports whether the step opens a stream.
func (c *call) opens() bool {
	return c.kind == kindWS || c.kind == kindTCP || c.kind == kindUDP || c.opening != nil
}

func (c *call) Traits() scenarios.CallTraits {
	t := scenarios.CallTraits{Method: c.kind, Waits: c.kind == kindAwait}
	if c.kind == kindWS {
		t.URL = c.path.Text()
		t.Refs = append(t.Refs, c.path.Refs()...)
	}
	if c.opening != nil {
		t.URL = c.opening.URL()
		t.Refs = append(t.Refs, c.opening.Refs()...)
	}
	for i := range c.headers {
		t.Refs = append(t.Refs, c.headers[i].Refs()...)
	}
	if c.pace != nil {
		t.Times, t.Paced = c.pace.messages(), until(0, c.pace.messages()-1, float64(c.pace.Rate))
	}
	if c.send != nil {
		t.Refs = append(t.Refs, c.send.Refs()...)
	}
	for _, k := range []*match{c.expect, c.absent} {
		if k != nil {
			t.Refs = append(t.Refs, k.refs()...)
		}
	}
	return t
}

// belongs says which kinds of steps a key belongs to.
var belongs = []struct {
	key   string
	kinds []string
}{
	{"as", []string{kindWS, kindTCP, kindUDP}},
	{"read", []string{kindWS, kindTCP, kindUDP}},
	{"reconnect", []string{kindWS, kindTCP, kindUDP}},
	{"headers", []string{kindWS}},
	{"keep", []string{kindWS, kindTCP, kindUDP}},
	{"ping", []string{kindWS}},
	{"compress", []string{kindWS}},
	{"subprotocols", []string{kindWS}},
	{"send", []string{kindWS, kindTCP, kindSend}},
	{"to", []string{kindSend}},
	{"pace", []string{kindSend}},
	{"from", []string{kindAwait}},
	{"within", []string{kindAwait}},
	{"expect", []string{kindWS, kindTCP, kindUDP, kindSend}},
	{"check", []string{kindWS, kindTCP, kindUDP, kindSend, kindAwait}},
	{"extract", []string{kindWS, kindTCP, kindUDP, kindSend, kindAwait}},
	{"absent", []string{kindWS, kindTCP, kindUDP, kindSend, kindAwait}},
}

// compile compiles a step.
func (all transports) compile(by syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	before := m.Len()
	if other := all.of(by.Kind); other != nil {
		c, ok := other.open(by, in, m)
		return c, ok && m.Len() == before
	}
	s, ok := syntax.Resolve(by, map[string]func() *step{by.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	for _, b := range belongs {
		if s.Has(b.key) && !slices.Contains(b.kinds, by.Kind) {
			m.Add(s.Of(b.key), "`%s` belongs to a step of %s, not of %s", b.key, strings.Join(b.kinds, ", "), by.Kind)
		}
	}
	c := &call{kind: by.Kind, send: s.Send, within: s.Within.D(), pace: s.Pace}
	switch c.kind {
	case kindSend:
		c.stream = s.To
	case kindAwait:
		c.stream, s.Expect = s.From, s.Await
	case kindClose:
		c.stream, _ = s.Close.Static()
	case kindTCP:
		c.framing = *s.TCP
	case kindUDP:
		c.framing, c.send = framing{datagrams: true}, s.UDP
	case kindWS:
		c.compileWebSocket(s, m)
	}
	c.compileShared(&shared{&s.Place, &s.Keeping, &s.Answering}, by, in, m)
	c.compilePace(s, m)
	c.name = cmp.Or(in.Name, c.defaultName())
	if c.send != nil {
		c.send.load(in, m)
	}
	if c.send != nil && (c.kind == kindTCP || c.kind == kindUDP) {
		c.send.fits(&c.framing, m)
	}
	if !c.opens() {
		targets.Share[opened](in.Shared).check(c, s, in.Flow, m)
	}
	return c, m.Len() == before
}

// shared is the YAML that steps of all transports share.
type shared struct {
	*syntax.Place
	*Keeping
	*Answering
}

// compileShared compiles the settings that steps of all transports share.
func (c *call) compileShared(s *shared, by syntax.Block, in targets.Scope, m *syntax.Mistakes) {
	c.timeout, c.expect, c.absent = in.Timeout, s.Expect, s.Absent
	if c.opens() {
		c.compileKeeping(s, in, m)
	}
	for _, k := range []*match{c.expect, c.absent} {
		if k != nil {
			k.checkRefs(c.send != nil, m)
		}
	}
	if c.absent != nil && c.pace != nil {
		m.AddHint(s.Absent.at, "a step without `pace` sends one message", "`absent` is about one answer, and `pace` sends many")
	}
	for what, on := range map[string]*syntax.Node{"auth": in.Auth, "sign": in.Sign} {
		if on != nil && on.Kind == syntax.Map && c.opens() {
			hint := "`headers: {Authorization: …}` of the step sends a token"
			if c.opening != nil {
				hint = "`metadata: {authorization: …}` of the step sends a token"
			}
			m.AddHint(on.Pos, hint, "steps of streams don't take the load's %s", what)
		}
	}
	if (s.Check != nil || len(s.Extract) > 0 || s.Absent != nil) && c.expect == nil {
		if c.kind == kindSend && c.pace != nil || c.opens() && c.send == nil {
			m.AddHint(by.Pos, "`expect: exists` waits for any message", "no message is waited for, so there is none to check")
		}
		c.expect = anyMessage()
	}
	s.Check.Compile(&c.rest, in, m)
	targets.Extract[*Message](&c.rest, s.Extract, in)
}

// compileKeeping compiles the settings that say how a stream is kept.
func (c *call) compileKeeping(s *shared, in targets.Scope, m *syntax.Mistakes) {
	if c.stream = s.As; s.Has("as") && !syntax.IsName(c.stream) {
		m.Add(s.Of("as"), "%q can't name a stream: a-z, 0-9 and -, beginning with a letter", syntax.Clip(c.stream, 60))
	}
	c.read, c.kept = float64(s.Read), s.Keep == keepUser
	if s.Keep != "" && c.stream == "" {
		m.AddHint(s.Of("keep"), "`as: NAME` keeps it open", "a stream without a name is not kept")
	}
	if s.Reconnect != nil {
		c.reconnect = &s.Reconnect.After
		if c.stream == "" {
			m.AddHint(s.Of("reconnect"), "`as: NAME` keeps it open",
				"a stream without a name is not held, and so is not opened again")
		}
	}
	if c.stream != "" {
		targets.Share[opened](in.Shared).by(c, in.Flow)
	}
}

// compileWebSocket compiles the handshake of a WebSocket.
func (c *call) compileWebSocket(s *step, m *syntax.Mistakes) {
	c.path, c.ping, c.compress = &s.WS, s.Ping.D(), s.Compress
	if c.ping > 0 && s.As == "" {
		m.AddHint(s.Of("ping"), "`as: NAME` keeps it open", "a stream without a name is not held, and so has no pings")
	}
	if !strings.HasPrefix(s.WS.Text(), "/") {
		m.AddHint(s.Of("ws"), "an endpoint gives the host: target: {endpoints: {chat: \"ws://127.0.0.1:8080\"}}",
			"want a path such as /chat, not %q",
			syntax.Clip(s.WS.Text(), 60))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		h := s.Headers[name]
		switch {
		case !check.IsToken(name):
			m.Add(h.At, "%q is not a header name", name)
		case slices.ContainsFunc(ownHeaders, func(own string) bool { return strings.EqualFold(own, name) }):
			m.Add(h.At, "header %s is brunt's to set", name)
		default:
			c.headers = append(c.headers, header{name: name, Template: h.Template})
		}
	}
	for _, p := range s.Subprotocols {
		if !check.IsToken(p) {
			m.Add(s.Of("subprotocols"), "%q is not the name of a subprotocol", syntax.Clip(p, 60))
		}
	}
	c.subprotocols = s.Subprotocols
}

// ownHeaders are the headers of a handshake that brunt sets itself.
var ownHeaders = []string{
	"Host", "Upgrade", "Connection", "Content-Length", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
	"Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions",
}

// defaultName returns the name of a step without one.
func (c *call) defaultName() string {
	switch {
	case c.opening != nil:
		return c.opening.URL()
	case c.kind == kindWS:
		return "WS " + c.path.Text()
	case c.kind == kindTCP, c.kind == kindUDP:
		return strings.TrimSpace(strings.ToUpper(c.kind) + " " + c.stream)
	}
	return strings.TrimSpace(c.kind + " " + c.stream)
}
