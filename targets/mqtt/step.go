package mqtt

import (
	"net"
	"net/url"
	"reflect"
	"strconv"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/result"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// The kinds of steps.
const (
	kindPublish   = "mqtt.publish"
	kindSubscribe = "mqtt.subscribe"
)

// Descriptor describes MQTT 3.1.1 and 5.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "mqtt", Doc: "Publishes to a broker of MQTT 3.1.1 or 5, or takes messages.",
		Kinds:   []string{kindPublish, kindSubscribe},
		Schemes: []string{scheme, schemeTLS}, PerUser: true, Causes: []scenarios.CauseFamily{causes},
		Wires:    map[string]targets.Wire{scheme: {}, schemeTLS: {TLS: true, Plain: scheme}},
		Settings: reflect.TypeFor[step](),
		Compile:  compile,
		Absent:   calls.IsAbsent,
		Bind:     calls.Bind[*packet],
		Retry:    func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status > 0 },
		Resumes:  func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status != subscriptionLost },
	}
	d.Client = func(o targets.Options) (targets.Client, error) {
		u, err := o.Endpoint(d)
		if err != nil {
			return nil, err
		}
		at, err := locate(u)
		if err != nil {
			return nil, err
		}
		return calls.NewClient(o, d, at.protocol())
	}
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// publishes a message to this topic, and waits until its QoS is fulfilled
	Publish template.Text `yaml:"mqtt.publish"`
	// subscribes to this filter, such as devices/+/state or $share/GROUP/orders/#, waits for a message, which is the
	// answer, and unsubscribes. With `keep: user` the subscription stays, so that no message between two calls is missed.
	// A message is acknowledged when a step takes it
	Subscribe template.Text `yaml:"mqtt.subscribe"`
	// of mqtt.publish: 0: the step waits only until the broker has read the message; 1: until it is responsible for it; 2:
	// until it has it exactly once. Of mqtt.subscribe: the highest QoS of messages: with 1 the broker may send one again
	// after it lost the connection, with 2 and a session it does not. Default: 1
	QoS *int `yaml:"qos,min=0,max=2"`
	// of mqtt.publish: the broker keeps the message for those who subscribe later; an empty one removes it; default: off
	Retain bool `yaml:"retain"`
	// of mqtt.publish by MQTT 5: whole seconds after which the broker drops the message if it has not sent it on;
	// default: never
	Expiry quantity.Duration `yaml:"expiry,positive"`
	// of mqtt.subscribe: step unsubscribes at the end of the step, which is the default; user keeps the subscription as
	// long as the virtual user
	Keep string `yaml:"keep,oneof=step|user"`

	calls.Settings `yaml:",inline"`
}

// keepUser is the value of keep for a subscription that lives as long as its user.
const keepUser = "user"

type call = calls.Call[*packet]

// belongs says which kinds of steps a key belongs to.
var belongs = map[string][]string{
	"message":  {kindPublish},
	"headers":  {kindPublish},
	"retain":   {kindPublish},
	"expiry":   {kindPublish},
	"keep":     {kindSubscribe},
	"messages": {kindSubscribe},
	"within":   {kindSubscribe},
}

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	calls.Refuse(&s.Place, block.Kind, belongs, m)
	k := &kind{step: s, topic: &s.Publish, qos: 1, check: badTopic}
	c := &call{Compose: k.compose, Run: k.publish, Command: k.command}
	if block.Kind == kindSubscribe {
		k.topic, k.check = &s.Subscribe, badFilter
		c.Run, c.Command, c.Is.Waits = k.subscribe, nil, true
		if s.Keep != keepUser {
			c.Is.Unfit = calls.Missing
		}
	}
	if s.QoS != nil {
		k.qos = byte(*s.QoS)
	}
	if text, static := k.topic.Static(); static {
		if err := k.check(text); err != nil {
			m.AddHint(k.topic.At, "such as devices/17/state", "%v", err)
		}
	}
	for name := range s.Headers {
		if err := badName("name of a header", name); err != nil {
			m.Add(s.Of("headers"), "%v", err)
		}
	}
	c.Is.URL = k.topic.Text()
	c.Is.Refs = append(c.Is.Refs, k.topic.Refs()...)
	c.Compile(&s.Settings, block, in, m, numberOf, "135 or not authorized")
	c.Is.Replays = s.Keep == keepUser && k.qos > 0 && hasSession(in)
	calls.CheckEndpoint(in, func(u *url.URL) ([]string, error) {
		l, err := locate(u)
		if err == nil && l.version == 4 {
			err = s.wants5()
		}
		return l.addresses, err
	}, such, m)
	return c, m.Len() == before
}

// hasSession reports whether the endpoint's URL asks for a session. Other parts of the URL may not be known yet.
func hasSession(in targets.Scope) bool {
	text, _ := in.EndpointURL()
	_, query, _ := strings.Cut(text, "?")
	values, err := url.ParseQuery(query)
	return err == nil && values.Get("session") != ""
}

// wants5 returns an error if the message has properties, which MQTT 3.1.1 lacks.
func (s *step) wants5() error {
	if len(s.Headers) > 0 || s.Expiry > 0 {
		return &targets.Error{Cause: scenarios.Other, Text: "MQTT 3.1.1 has no headers and no expiry", Final: true}
	}
	return nil
}

// command returns a message as a command of mosquitto_pub, for a POSIX shell.
func (k *kind) command(s *result.Sent) string {
	u, err := url.Parse(s.URL)
	if err != nil || s.Cut > 0 || s.Base64 {
		return ""
	}
	host, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		return ""
	}
	word := func(text string) string { return result.ShellWord(text, "SECRET", false) }
	_, topic, _ := strings.Cut(s.Method, " ")
	text := "mosquitto_pub -h " + word(host) + " -p " + word(port) + " -q " + strconv.Itoa(int(k.qos))
	if k.step.Retain {
		text += " -r"
	}
	if u.Scheme == schemeTLS {
		text += " --tls-use-os-certs"
	}
	return text + " -t " + word(topic) + " -m " + word(s.Body)
}
