package nats

import (
	"net/url"
	"reflect"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// The kinds of steps.
const (
	kindPublish   = "nats.publish"
	kindRequest   = "nats.request"
	kindSubscribe = "nats.subscribe"
	kindConsume   = "nats.consume"
)

// The schemes of endpoint URLs.
const (
	scheme    = "nats"
	schemeTLS = "nats+tls"
)

// Descriptor describes NATS, with JetStream.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "nats", Doc: "Publishes to NATS or JetStream, makes a request, or takes messages.",
		Kinds:   []string{kindPublish, kindRequest, kindSubscribe, kindConsume},
		Schemes: []string{scheme, schemeTLS}, PerUser: true, Causes: []scenarios.CauseFamily{causes},
		Wires:    map[string]targets.Wire{scheme: {}, schemeTLS: {TLS: true}},
		Settings: reflect.TypeFor[step](),
		Compile:  compile, Absent: absent,
		Bind:  calls.Bind[frame],
		Retry: func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status > 0 },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return calls.NewClient(o, d, &protocol) }
	return d
}

// absent reports whether there was no message, or the API has no message, stream or consumer of that name.
func absent(_ scenarios.Call, out *scenarios.Outcome) bool {
	switch out.Status {
	case calls.Absent, noMessages, noConsumer, noMessage, noStream:
		return true
	}
	return false
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// publishes a message to this subject. Core NATS acknowledges nothing: the answer says that the server has read
	// it. With `ack: stream` JetStream's acknowledgement is awaited, whose JSON is the answer
	Publish template.Text `yaml:"nats.publish"`
	// sends a message to this subject and waits for a reply, which is the answer. The subjects $JS.API.… are
	// JetStream's API, whose errors are errors of the step
	Request template.Text `yaml:"nats.request"`
	// subscribes to this subject, waits for a message that is published meanwhile, which is the answer, and
	// unsubscribes. With `keep: user` the subscription stays, so that no message between two calls is missed
	Subscribe template.Text `yaml:"nats.subscribe"`
	// takes a message, which is the answer, from a consumer of this stream, which `consumer` names, and acknowledges it
	Consume template.Text `yaml:"nats.consume"`
	// of nats.publish: server, which is the default, waits until the server has read the message; stream waits until a
	// stream of JetStream has stored it. Of nats.consume: on, which is the default, waits until the server has noted
	// the acknowledgement; off acknowledges nothing, so that the messages come again
	Ack      string        `yaml:"ack,oneof=server|stream|on|off"`
	Consumer template.Text `yaml:"consumer"` // of nats.consume: the name of a pull consumer that exists
	// of nats.subscribe: the group whose members share the messages; default: none
	Queue template.Text `yaml:"queue"`
	// of nats.subscribe: step unsubscribes at the end of the step, which is the default; user keeps the subscription, and
	// a connection for it, as long as the virtual user
	Keep string `yaml:"keep,oneof=step|user"`

	calls.Settings `yaml:",inline"`
}

type call = calls.Call[frame]

// belongs says which kinds of steps a key belongs to.
var belongs = map[string][]string{
	"message":  {kindPublish, kindRequest},
	"headers":  {kindPublish, kindRequest},
	"ack":      {kindPublish, kindConsume},
	"consumer": {kindConsume},
	"queue":    {kindSubscribe},
	"keep":     {kindSubscribe},
	"messages": {kindSubscribe, kindConsume},
	"within":   {kindSubscribe, kindConsume},
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
		k.subject, c.Run, c.Command = &s.Publish, k.publish, sentCommand
		k.ackOf("server", "stream", m)
	case kindRequest:
		k.subject, c.Run, c.Command = &s.Request, k.request, sentCommand
	case kindSubscribe:
		k.subject, c.Run, c.Is.Waits = &s.Subscribe, k.subscribe, true
		if s.Keep != "user" {
			c.Is.Unfit = calls.Missing
		}
	case kindConsume:
		k.subject, c.Run, c.Is.Waits = &s.Consume, k.consume, true
		k.ackOf("on", "off", m)
		if c.Is.Replays = s.Ack == "on"; s.Ack == "off" {
			c.Is.Unfit = calls.Repeating
		}
		if s.Consumer.IsZero() {
			m.AddHint(block.Pos, "such as consumer: shop", "nats.consume wants the name of a consumer")
		}
	}
	if text, static := k.subject.Static(); static {
		if err := badSubject(text, c.Is.Waits && block.Kind == kindSubscribe); err != nil {
			m.AddHint(k.subject.At, "such as orders.created", "%v", err)
		}
	}
	c.Is.URL = k.subject.Text()
	for _, t := range []*template.Text{k.subject, &s.Consumer, &s.Queue} {
		c.Is.Refs = append(c.Is.Refs, t.Refs()...)
	}
	c.Compile(&s.Settings, block, in, m, numberOf, "503 or 10071")
	calls.CheckEndpoint(in, func(u *url.URL) ([]string, error) {
		if _, both := u.User.Password(); !both {
			in.AddSecret(u.User.Username()) // a token, or a seed
		}
		return locate(u)
	}, such, m)
	return c, m.Len() == before
}

// ackOf notes a mistake in `ack`, unless it is one of two values, of which the first is the default.
func (k *kind) ackOf(usual, other string, m *syntax.Mistakes) {
	switch a := k.step.Ack; a {
	case "":
		k.step.Ack = usual
	case usual, other:
	default:
		m.Add(k.step.Of("ack"), "`ack` of this step is %s or %s, not %s", usual, other, a)
	}
}

// badSubject returns what is wrong with a subject; nil: nothing. Wild says that it may have wildcards.
func badSubject(text string, wild bool) error {
	for token := range strings.SplitSeq(text, ".") {
		switch {
		case token == "":
			return malformed("the subject %q has an empty part", targets.Clip(text, 60))
		case strings.ContainsAny(token, " \t\r\n\x00"):
			return malformed("the subject %q has a blank", targets.Clip(text, 60))
		case !wild && (token == "*" || token == ">"):
			return malformed("the subject %q has a wildcard, and a message goes to one subject", targets.Clip(text, 60))
		}
	}
	return nil
}

// sentCommand returns a message as a command of the client nats, for a POSIX shell.
func sentCommand(s *result.Sent) string {
	kind, subject, _ := strings.Cut(s.Method, " ")
	if s.Cut > 0 || s.Base64 {
		return ""
	}
	verb := "pub"
	if kind == kindRequest {
		verb = "request"
	}
	word := func(text string) string { return result.ShellWord(text, "SECRET", false) }
	return "nats --server " + word(s.URL) + " " + verb + " " + word(subject) + " " + word(s.Body)
}
