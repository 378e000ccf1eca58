package smtp

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// kindSend is the kind of steps.
const kindSend = "smtp.send"

// Descriptor describes SMTP.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "smtp", Doc: "Sends a mail by SMTP.", Kinds: []string{kindSend},
		Schemes: []string{scheme, schemeTLS}, PerUser: true, Causes: []scenarios.CauseFamily{causes},
		Wires:    map[string]targets.Wire{scheme: {}, schemeTLS: {TLS: true, Plain: scheme}},
		Settings: reflect.TypeFor[step](),
		Compile:  compile,
		Bind:     calls.Bind[reply],
		Retry: func(_ scenarios.Call, out *scenarios.Outcome) bool {
			return out.Status >= firstRefuse && out.Status < firstFinal
		},
		Encrypts: func(endpoint *url.URL) string {
			if endpoint.Query().Get("starttls") == "on" {
				return "starttls=on"
			}
			return ""
		},
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return calls.NewClient(o, d, protocol(&o)) }
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// sends a mail to this address, or to a list of addresses, and waits until the server has taken it. The answer is the
	// text of the server's last reply, such as 2.0.0 Ok: queued as 4F2A. A reply of 400 and more is an error, and the mail
	// is given up
	Send    recipients    `yaml:"smtp.send"`
	From    template.Text `yaml:"from"`    // the address that the mail is from; default: brunt@brunt.invalid
	Subject template.Text `yaml:"subject"` // the subject of the mail; default: it has none
	Body    template.Text `yaml:"body"`    // the text of the mail; default: an empty one
	// further headers of the mail by name. From, To, Subject, Date, Message-ID and those of MIME are there without it, and
	// are replaced by it
	Headers map[string]template.Header `yaml:"headers"`

	calls.Answers `yaml:",inline"`
}

// recipients are the addresses that a mail goes to.
type recipients struct{ list []template.Text }

func (r *recipients) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	for _, item := range n.OneOrMore() {
		var t template.Text
		t.DecodeNode(item, m)
		if text, static := t.Static(); static && badAddress(text) {
			m.AddHint(item.Pos, "such as ann@example.test", "%q is not an address of mail", syntax.Clip(text, 60))
		}
		r.list = append(r.list, t)
	}
	if len(r.list) == 0 {
		m.AddHint(n.Pos, "such as smtp.send: ann@example.test", "smtp.send wants an address")
	}
}

// Schema returns the JSON Schema of recipients.
func (r *recipients) Schema() syntax.Schema {
	one := syntax.TextSchema()
	return syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "minItems": 1, "items": one}}}
}

// badAddress reports whether a text can't be an address of an envelope.
func badAddress(text string) bool {
	return text == "" || len(text) > 320 || strings.ContainsAny(text, "<> \t\r\n\x00,")
}

type (
	call     = calls.Call[reply]
	exchange = calls.Exchange[reply]
)

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	if s.From.IsZero() {
		s.From = template.Literal("brunt@brunt.invalid")
	}
	if text, static := s.From.Static(); static && badAddress(text) {
		m.AddHint(s.Of("from"), "such as shop@example.test", "%q is not an address of mail", syntax.Clip(text, 60))
	}
	c := &call{Compose: s.compose, Run: s.send}
	var to []string
	for i := range s.Send.list {
		to = append(to, s.Send.list[i].Text())
		c.Is.Refs = append(c.Is.Refs, s.Send.list[i].Refs()...)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if strings.ContainsAny(name, ": \t\r\n") || name == "" {
			m.AddHint(s.Of("headers"), "such as X-Order", "%q is not the name of a header", syntax.Clip(name, 60))
		}
		h := s.Headers[name]
		c.Is.Refs = append(c.Is.Refs, h.Refs()...)
	}
	c.Is.URL = strings.Join(to, ", ")
	c.Is.Refs = slices.Concat(c.Is.Refs, s.From.Refs(), s.Subject.Refs(), s.Body.Refs())
	c.Compile(&calls.Settings{Answers: s.Answers}, block, in, m, codeOf, "450 or 550")
	calls.CheckEndpoint(in, locate, such, m)
	return c, m.Len() == before
}
