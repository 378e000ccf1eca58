package proxied

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/query"
	"brunt/chaos/proxy/peer"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Asks says which requests of Kafka on a link a fault hits. A link leads to one broker. A load reaches a broker by a
// link if an endpoint has the address that the broker announces.
type Asks struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the requests that match; nil is all
	API           kafkaAPI        `yaml:"api"`     // kind of the requests, such as Fetch or JoinGroup; zero is Produce
	// pattern of the first topic in a request, such as orders-*; requests of groups name none. One that a client names by
	// its id is known once a broker has told the name to a client on a link with such a fault; default: all
	Topic string `yaml:"topic"`
}

// KafkaError is the fault kafka.error.
type KafkaError struct {
	Asks `yaml:",inline"`
	// error code by its name; zero is NOT_LEADER_FOR_PARTITION, which may be written NOT_LEADER_OR_FOLLOWER as well, and
	// NOT_COORDINATOR for requests of groups
	Code kafkaCode `yaml:"code"`
}

// KafkaDelay is the fault kafka.delay.
type KafkaDelay struct {
	Asks   `yaml:",inline"`
	Delay  quantity.Duration `yaml:"delay,required,positive"` // time until a request is passed on
	Jitter quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
}

// AMQPNack is the fault amqp.nack.
type AMQPNack struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the confirms; nil is all
}

var (
	_ chaos.Fault = (*KafkaError)(nil)
	_ chaos.Fault = (*KafkaDelay)(nil)
	_ chaos.Fault = (*AMQPNack)(nil)
)

// kafkaAPI is the name of a kind of requests; empty is Produce.
type kafkaAPI string

func (a *kafkaAPI) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if ok && !slices.Contains(query.KafkaAPIs(), text) {
		m.AddHint(n.Pos, syntax.DidYouMean(text, query.KafkaAPIs()), "%q is no kind of request of Kafka that a fault can hit",
			syntax.Clip(text, 60))
	}
	*a = kafkaAPI(text)
}

func (*kafkaAPI) Schema() syntax.Schema { return syntax.Enum(query.KafkaAPIs()) }

// kafkaCode is an error code of Kafka; 0 is the default of the kind of request.
type kafkaCode int16

func (c *kafkaCode) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	if !ok {
		return
	}
	names := kafkaCodes()
	code, known := names[text]
	if !known {
		m.AddHint(n.Pos, cmp.Or(syntax.DidYouMean(strings.ToUpper(text), slices.Sorted(maps.Keys(names))),
			"such as NOT_ENOUGH_REPLICAS"), "%q is no error code of Kafka", syntax.Clip(text, 60))
	}
	*c = kafkaCode(code)
}

func (*kafkaCode) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "pattern": "^[A-Z_]+$"}
}

// kafkaCodes returns the error codes by their names.
func kafkaCodes() map[string]int16 {
	const most = 200 // above all codes

	// Kafka 2.6 and later call one by another name
	out := map[string]int16{"NOT_LEADER_OR_FOLLOWER": kerr.NotLeaderForPartition.Code}
	for code := int16(-1); code < most; code++ {
		if e := kerr.TypedErrorForCode(code); e != nil && e.Code == code {
			out[e.Message] = code
		}
	}
	return out
}

func (a *Asks) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	a.CheckEdge(at, sc, m)
	spoken(&a.Edge, "Kafka", "it", formatKafka, at, sc, m)
	a.CheckPercent(a.Percent, leastShare, "requests", m)
	if strings.ContainsAny(a.Topic, " \t\r\n/") {
		m.AddHint(a.Of("topic"), "such as orders or orders-*", "%q is not the name of a topic", syntax.Clip(a.Topic, 60))
	}
	if a.Topic != "" && a.ofGroup() {
		m.Add(a.Of("topic"), "a request of kind %s names no topic", a.api())
	}
}

func (a *Asks) Traits(sc chaos.Scope) chaos.Traits { return parsed(&a.Edge, sc) }

func (a *Asks) api() string { return string(cmp.Or(a.API, "Produce")) }

// ofGroup reports whether a broker answers the requests as the coordinator of a group or of producers.
func (a *Asks) ofGroup() bool {
	return !slices.Contains([]string{"Produce", "Fetch", "ListOffsets", "OffsetCommit"}, a.api())
}

// name returns the pattern that the name of a request must match.
func (a *Asks) name() string { return pattern(a.api(), a.Topic) }

// probe returns a request that matches: it replaces each * in the topic by an x.
func (a *Asks) probe() proxy.ProbeRequest {
	return proxy.ProbeRequest{Form: peer.Kafka, Path: a.api() + " " + strings.ReplaceAll(a.Topic, "*", "x")}
}

func (a *Asks) text() string {
	return some(a.Percent, "requests", strings.TrimSpace(a.api()+" "+a.Topic))
}

func (f *KafkaError) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) { f.check(at, sc, m) }

func (f *KafkaDelay) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
}

func (f *AMQPNack) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.CheckEdge(at, sc, m)
	spoken(&f.Edge, "AMQP", "it", formatAMQP, at, sc, m)
	f.CheckPercent(f.Percent, leastShare, "confirms", m)
}

func (f *AMQPNack) Traits(sc chaos.Scope) chaos.Traits { return parsed(&f.Edge, sc) }

func (f *KafkaError) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	code := int16(f.Code)
	switch {
	case code != 0:
	case f.ofGroup():
		code = kerr.NotCoordinator.Code
	default:
		code = kerr.NotLeaderForPartition.Code
	}
	t := toxics.KafkaError{Code: code, Share: proof.OrAll(f.Percent), Name: f.name()}
	r := refused{&f.Edge, f.Percent, "requests", f.text(), kerr.TypedErrorForCode(code).Message, 0, f.probe, t}
	return r.plan(ctx, env)
}

func (f *KafkaDelay) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return delayed{
		Edge: &f.Edge, percent: f.Percent, delay: f.Delay, jitter: f.Jitter, what: "requests", text: f.text(), probe: f.probe,
	}.ofQueries(ctx, env, query.Kafka, f.name())
}

func (f *AMQPNack) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	probe := func() proxy.ProbeRequest { return proxy.ProbeRequest{Form: peer.AMQP} }
	r := refused{
		&f.Edge, f.Percent, "confirms", some(f.Percent, "confirms", ""), "a nack", 0, probe,
		toxics.AMQPNack{Share: proof.OrAll(f.Percent)},
	}
	return r.plan(ctx, env)
}

func (*KafkaError) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "kafka.error", New: func() chaos.Fault { return new(KafkaError) },
		Example: "{from: web, to: store, api: Produce, code: NOT_ENOUGH_REPLICAS}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "answering errors", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Answers requests of Kafka on a link with an error code, in place of the broker. One of more than 1 MiB " +
			"passes. A load reaches a broker by a link if an endpoint has the address that the broker announces.",
	}
}

func (*KafkaDelay) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "kafka.delay", New: func() chaos.Fault { return new(KafkaDelay) },
		Example: "{from: web, to: store, api: Fetch, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Delays requests of Kafka on a link before they are passed on, and what follows them on the same " +
			"connection.",
	}
}

func (*AMQPNack) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "amqp.nack", New: func() chaos.Fault { return new(AMQPNack) },
		Example: "{from: web, to: store, percent: 10%}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "refusing messages", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Changes confirms of a broker of AMQP 0.9.1 on a link into nacks: the broker has the message, and its " +
			"publisher is told that it has not.",
	}
}
