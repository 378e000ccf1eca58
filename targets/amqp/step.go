package amqp

import (
	"maps"
	"net"
	"net/url"
	"reflect"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// The kinds of steps.
const (
	kindPublish = "amqp.publish"
	kindConsume = "amqp.consume"
	kindCall    = "amqp.call"
	kindDeclare = "amqp.declare"
	kindDepth   = "amqp.depth"
)

// The schemes of endpoint URLs.
const (
	scheme    = "amqp"
	schemeTLS = "amqps"
)

// Descriptor describes AMQP 0.9.1.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "amqp", Doc: "Publishes to RabbitMQ over AMQP 0.9.1, takes messages from a queue, or makes a call.",
		Kinds:   []string{kindPublish, kindConsume, kindCall, kindDeclare, kindDepth},
		Schemes: []string{scheme, schemeTLS}, PerUser: true, Causes: []scenarios.CauseFamily{causes},
		Wires:    map[string]targets.Wire{scheme: {Formats: []string{"amqp"}}, schemeTLS: {TLS: true, Plain: scheme}},
		Settings: reflect.TypeFor[step](),
		Compile:  compile,
		Absent: func(_ scenarios.Call, out *scenarios.Outcome) bool {
			return out.Status == calls.Absent || out.Status == notFound
		},
		Bind:  calls.Bind[frame],
		Retry: func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status > 0 },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return calls.NewClient(o, d, &protocol) }
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// publishes a message with this routing key, and waits for the server's confirm. Without `exchange` the key is the
	// name of a queue
	Publish template.Text `yaml:"amqp.publish"`
	// takes a message, which is the answer, from this queue, and acknowledges it
	Consume template.Text `yaml:"amqp.consume"`
	// sends a message with this routing key to a service that replies to it, and waits for the reply, which is the
	// answer
	Call template.Text `yaml:"amqp.call"`
	// makes this queue if it does not exist, and with `exchange` an exchange and the binding between them. The answer
	// has queue, messages and consumers
	Declare template.Text `yaml:"amqp.declare"`
	// asks how many messages are ready in this queue and how many consumers it has: $.messages and $.consumers
	Depth template.Text `yaml:"amqp.depth"`

	// of amqp.publish and amqp.call: the exchange; default: the one that knows queues by their names. Of amqp.declare:
	// the exchange that the queue is bound to
	Exchange template.Text `yaml:"exchange"`
	// of amqp.publish: waits until the server is responsible for the message, which it refuses with a nack; default: on.
	// If off, the step waits only until the server has read the message
	Confirm *bool `yaml:"confirm"`
	// of amqp.publish and amqp.call: a message that no queue takes is an error, 312; default: on
	Mandatory *bool `yaml:"mandatory"`
	// of amqp.publish: the server writes the message to disk if its queue is durable; default: on
	Persistent *bool `yaml:"persistent"`
	// of amqp.consume: acknowledges what is taken; default: on. If off, it comes again; with `keep: user` only when the
	// user ends, and the server sends no more messages than `prefetch` until then
	Ack *bool `yaml:"ack"`
	// of amqp.consume: step ends the consumer at the end of the step, which is the default; user keeps it, and a
	// connection for it, as long as the virtual user
	Keep string `yaml:"keep,oneof=step|user"`
	// of amqp.consume with `keep: user`: how many messages the server sends ahead of their acknowledgements; default:
	// 100
	Prefetch int `yaml:"prefetch,min=1,max=65535"`
	// of amqp.declare: the queue and the exchange outlive the server; default: on
	Durable *bool `yaml:"durable"`
	// of amqp.declare with `exchange`: its type; default: direct
	Type string `yaml:"type,oneof=direct|topic|fanout|headers"`
	// of amqp.declare with `exchange`: the routing key of the binding; default: the name of the queue
	Binding template.Text `yaml:"binding"`
	// of amqp.declare: arguments of the queue, such as {x-queue-type: quorum}; a whole number and on or off are sent as
	// such
	Arguments map[string]template.Text `yaml:"arguments"`

	calls.Settings `yaml:",inline"`
}

type call = calls.Call[frame]

// belongs says which kinds of steps a key belongs to.
var belongs = map[string][]string{
	"message":    {kindPublish, kindCall},
	"headers":    {kindPublish, kindCall},
	"exchange":   {kindPublish, kindCall, kindDeclare},
	"confirm":    {kindPublish},
	"mandatory":  {kindPublish, kindCall},
	"persistent": {kindPublish},
	"ack":        {kindConsume},
	"keep":       {kindConsume},
	"prefetch":   {kindConsume},
	"messages":   {kindConsume},
	"within":     {kindConsume},
	"durable":    {kindDeclare},
	"type":       {kindDeclare},
	"binding":    {kindDeclare},
	"arguments":  {kindDeclare},
}

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	calls.Refuse(&s.Place, block.Kind, belongs, m)
	k := &kind{step: s}
	c := &call{Compose: k.compose}
	switch block.Kind {
	case kindPublish:
		k.to, c.Run, c.Command = &s.Publish, k.publish, sentCommand
	case kindCall:
		k.to, c.Run = &s.Call, k.call
	case kindConsume:
		k.to, c.Run, c.Is.Waits = &s.Consume, k.consume, true
		if c.Is.Replays = isOn(s.Ack); !c.Is.Replays {
			c.Is.Unfit = calls.Repeating
		}
		if s.Has("prefetch") && s.Keep != keepUser {
			m.AddHint(s.Of("prefetch"), "such as keep: user", "`prefetch` is of a consumer that is kept")
		}
	case kindDeclare:
		k.to, c.Run = &s.Declare, k.declare
		for _, key := range []string{"type", "binding"} {
			if s.Has(key) && !s.Has("exchange") {
				m.AddHint(s.Of(key), "such as exchange: orders", "`%s` goes with `exchange`", key)
			}
		}
	case kindDepth:
		k.to, c.Run = &s.Depth, k.depth
	}
	checkNames(m, s.Of("headers"), "header", s.Headers)
	checkNames(m, s.Of("arguments"), "argument", s.Arguments)
	c.Is.URL = k.to.Text()
	for _, t := range []*template.Text{k.to, &s.Exchange, &s.Binding} {
		c.Is.Refs = append(c.Is.Refs, t.Refs()...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Arguments)) {
		t := s.Arguments[name]
		c.Is.Refs = append(c.Is.Refs, t.Refs()...)
	}
	c.Compile(&s.Settings, block, in, m, numberOf, "312, NO_ROUTE or nack")
	calls.CheckEndpoint(in, locate, such, m)
	return c, m.Len() == before
}

// checkNames notes the names of fields that a table can't hold.
func checkNames[V any](m *syntax.Mistakes, at syntax.Pos, what string, fields map[string]V) {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		if len(name) > mostName {
			m.Add(at, "the name of the %s %q has %d bytes, and AMQP has at most %d", what, syntax.Clip(name, 60), len(name),
				mostName)
		}
	}
}

// keepUser is the value of keep for a consumer that lives as long as its user.
const keepUser = "user"

// isOn returns a setting that is on unless it is off.
func isOn(b *bool) bool { return b == nil || *b }

// sentCommand returns a message as a command of rabbitmqadmin, for a POSIX shell. It goes to the server's management
// port.
func sentCommand(s *result.Sent) string {
	u, err := url.Parse(s.URL)
	if err != nil || s.Cut > 0 || s.Base64 {
		return ""
	}
	host, _, err := net.SplitHostPort(u.Host)
	if err != nil {
		return ""
	}
	word := func(text string) string { return result.ShellWord(text, "SECRET", false) }
	_, key, _ := cutWord(s.Method)
	return "rabbitmqadmin -H " + word(host) + " publish routing_key=" + word(key) + " payload=" + word(s.Body)
}

func cutWord(text string) (first, rest string, ok bool) {
	for i := range len(text) {
		if text[i] == ' ' {
			return text[:i], text[i+1:], true
		}
	}
	return text, "", false
}
