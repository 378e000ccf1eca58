package kafka

import (
	"cmp"
	"maps"
	"net/url"
	"reflect"
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
)

// The kinds of steps.
const (
	kindProduce = "kafka.produce"
	kindConsume = "kafka.consume"
	kindLag     = "kafka.lag"
)

// Descriptor describes Kafka.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "kafka", Doc: "Writes a record to a topic of Kafka, reads records, or asks for the lag of a group.",
		Causes: []scenarios.CauseFamily{causes},
		Kinds:  []string{kindProduce, kindConsume, kindLag}, Schemes: []string{schemePlain, schemeTLS}, PerUser: true,
		Wires: map[string]targets.Wire{
			schemePlain: {Formats: []string{"kafka"}, Port: 9092}, schemeTLS: {TLS: true, Plain: schemePlain},
		},
		Settings: reflect.TypeFor[step](),
		Compile:  compile, Bind: bind,
		Parts: func(c scenarios.Call) []string {
			if c.(*call).kind == kindConsume {
				return []string{"message"}
			}
			return nil
		},
	}
	d.Resumes = func(_ scenarios.Call, out *scenarios.Outcome) bool {
		return (out.Answered || out.First == 0) && out.Cause != causeOf(offsetOutOfRange)
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return newClient(o, d) }
	return d
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// a topic: writes a record to it, and waits for the acknowledgement of the broker. A record is sent once, at once
	Produce template.Text `yaml:"kafka.produce"`
	// a topic: reads records of it. Exactly one of messages, until and for says how far. Each record is measured as the
	// part `message`: its time in the topic, from the record's timestamp. Records of before the load are not measured
	Consume template.Text `yaml:"kafka.consume"`
	// a topic: asks how many of its records a group has not committed, as $.lag
	Lag template.Text `yaml:"kafka.lag"`

	// of kafka.produce: the key of the record; its partition is taken of it, as Kafka's own producer takes it
	Key  *template.Text `yaml:"key"`
	JSON *template.JSON `yaml:"json"` // of kafka.produce: the value of the record, as JSON
	Text *template.Text `yaml:"text"` // of kafka.produce: the value of the record; without json and text it is null
	// of kafka.produce: headers of the record by name
	Headers map[string]template.Text `yaml:"headers"`
	// of kafka.produce: the partition; default: that of the key, or each in turn
	Partition *int `yaml:"partition,min=0"`
	// of kafka.produce: who has the record when it is acknowledged: all replicas in sync, or leader, or none, which waits
	// for no broker; default: all
	Acks string `yaml:"acks"`
	// of kafka.produce: the broker gets the number of the producer, one for each user, and of the record; default: off
	Idempotent bool `yaml:"idempotent"`

	// the group. kafka.consume joins it, by the user's first such step, reads the partitions that it is given, and leaves
	// with the user. Without a group it reads all partitions
	Group template.Text `yaml:"group"`
	// of kafka.consume: where a partition begins of which the group has committed no offset: end, or start; default: end.
	// It is Kafka's auto.offset.reset: reading goes on there as well if the records at its place were deleted, or the
	// topic was made again. The step that finds out is an error, OFFSET_OUT_OF_RANGE
	From string `yaml:"from"`
	// of kafka.consume with a group: the step commits what it has read; default: on
	Commit *bool `yaml:"commit"`
	// of kafka.consume: which records of transactions are read: uncommitted, which reads all of them, or committed, which
	// leaves out those of aborted ones, as Kafka's isolation.level does; default: uncommitted
	Read string `yaml:"read,oneof=uncommitted|committed"`
	// of kafka.consume: how many records are waited for
	Messages int `yaml:"messages,min=1"`
	// of kafka.consume: conditions on the JSON of the last record, such as {"$.state": DONE}
	Until *recordMatch `yaml:"until"`
	// of kafka.consume: how long the topic is read; at least one record must come
	For quantity.Duration `yaml:"for,positive"`

	Check *answerCheck `yaml:"check"` // conditions for an ok answer; nil is any answer that is not an error
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want *check.PathWants `yaml:"want"`
	// variables, each with the place of its value: $.path, partition, offset, key or header NAME
	Extract map[string]extraction `yaml:"extract"`
}

// belongs lists the kinds that take a key, apart from those that all take.
var belongs = map[string][]string{
	"key": {kindProduce}, "json": {kindProduce}, "text": {kindProduce}, "headers": {kindProduce},
	"partition": {kindProduce}, "acks": {kindProduce}, "idempotent": {kindProduce},
	"group": {kindConsume, kindLag},
	"from":  {kindConsume}, "commit": {kindConsume}, "read": {kindConsume},
	"messages": {kindConsume}, "until": {kindConsume},
	"for": {kindConsume},
}

// produced is the record of a call.
type produced struct {
	key, value *template.Template // nil: none
	headers    []producedHeader
	partition  *int
}

type producedHeader struct {
	name string
	text template.Text
}

// call is a compiled step.
type call struct {
	name, kind   string
	topic, group template.Text
	produced     *produced
	acks         int16
	idempotent   bool
	where        int64 // fromStart or fromEnd
	commits      bool
	settled      bool // reads only what transactions have committed
	end          end
	refs         []*syntax.Ref
	expected
}

func (c *call) Name() string { return c.name }

func (c *call) Traits() scenarios.CallTraits {
	t := scenarios.CallTraits{
		Refs: slices.Concat(c.refs, c.rest.Refs()), Sheds: len(c.shed) > 0, Wants: c.rest.Wants(), Method: c.kind,
		URL: c.topic.Text(), Waits: c.kind == kindConsume, Repeats: c.idempotent,
	}
	switch {
	case c.kind != kindConsume:
	case c.end.messages != 1:
		t.Unfit = scenarios.Unfit{
			Why: "the answer of kafka.consume is its last record, so that those before it would be lost", Remedy: "messages: 1",
		}
	default: // without a group, the reader fetches from where it has read, also after a failure
		t.Replays = c.group.IsZero()
	}
	return t
}

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &call{kind: block.Kind, idempotent: s.Idempotent, where: fromEnd, group: s.Group}
	c.topic = map[string]template.Text{kindProduce: s.Produce, kindConsume: s.Consume, kindLag: s.Lag}[c.kind]
	c.name = cmp.Or(in.Name, c.kind+" "+c.topic.Text())
	c.refs = slices.Concat(c.topic.Refs(), c.group.Refs())
	if c.topic.IsZero() {
		m.AddHint(s.Of(c.kind), "such as "+c.kind+": orders", "%s wants a topic", c.kind)
	}
	calls.Refuse(&s.Place, c.kind, belongs, m)
	switch c.kind {
	case kindProduce:
		c.compileProduce(s, m)
	case kindConsume:
		c.compileConsume(s, in, m)
	case kindLag:
		if c.group.IsZero() {
			m.AddHint(s.Of(c.kind), "such as {kafka.lag: orders, group: shop}", "kafka.lag wants a group")
		}
	}
	c.compileChecks(s.Check, in, m)
	if s.Want != nil {
		c.rest.Want("the record's", &s.Want.Wants)
	}
	targets.Extract[*answer](&c.rest, s.Extract, in)
	calls.CheckEndpoint(in, func(u *url.URL) ([]string, error) {
		l, err := locate(u)
		return l.addresses, err
	}, forms, m)
	in.RefuseAuth("kafka", "user and password stand in the URL of the endpoint, with ?sasl=", m)
	return c, m.Len() == before
}

// acknowledgements are the values of acks, as a request has them.
var acknowledgements = map[string]int16{"all": -1, "leader": 1, "none": 0}

// compileProduce compiles the record of a step.
func (c *call) compileProduce(s *step, m *syntax.Mistakes) {
	p := &produced{partition: s.Partition}
	c.produced = p
	add := func(t *template.Template) *template.Template {
		c.refs = append(c.refs, t.Refs()...)
		return t
	}
	if s.Key != nil {
		p.key = add(&s.Key.Template)
	}
	switch {
	case s.JSON != nil && s.Text != nil:
		m.Add(s.Of("text"), "a record has one value: json or text")
	case s.JSON != nil:
		p.value = add(&s.JSON.Template)
	case s.Text != nil:
		p.value = add(&s.Text.Template)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		h := producedHeader{name: name, text: s.Headers[name]}
		add(&h.text.Template)
		p.headers = append(p.headers, h)
	}
	var known bool
	if c.acks, known = acknowledgements[cmp.Or(s.Acks, "all")]; !known {
		m.AddHint(s.Of("acks"), syntax.DidYouMean(s.Acks, []string{"all", "leader", "none"}),
			"acks is all, leader or none, not %q", syntax.Clip(s.Acks, 60))
	}
	if s.Idempotent && c.acks != -1 {
		m.Add(s.Of("idempotent"), "an idempotent producer needs `acks: all`")
	}
}

// compileConsume reads how far the topic is read, and from where.
func (c *call) compileConsume(s *step, in targets.Scope, m *syntax.Mistakes) {
	var given []string
	for _, key := range []string{"messages", "until", "for"} {
		if s.Has(key) {
			given = append(given, key)
		}
	}
	switch {
	case len(given) == 0:
		m.AddHint(s.Of(c.kind), "such as messages: 100", "a topic is read by one of messages, until, for")
	case len(given) > 1:
		m.Add(s.Of(given[1]), "a topic is read by one of messages, until, for, not both %s and %s", given[0], given[1])
	}
	c.end = end{messages: s.Messages, until: s.Until, stay: s.For.D()}
	if in.Timeout > 0 && c.end.stay >= in.Timeout {
		m.AddHint(s.Of("for"), "the load's timeout is to be longer", "the topic is read for %s, and a request times out after %s",
			quantity.FormatDuration(c.end.stay), quantity.FormatDuration(in.Timeout))
	}
	if s.Until != nil {
		for _, k := range s.Until.paths {
			c.refs = append(c.refs, k.Refs()...)
		}
	}
	switch s.From {
	case "", "end":
	case "start":
		c.where = fromStart
	default:
		m.AddHint(s.Of("from"), syntax.DidYouMean(s.From, []string{"end", "start"}), "from is end or start, not %q",
			syntax.Clip(s.From, 60))
	}
	c.settled = s.Read == "committed"
	if c.commits = s.Commit == nil || *s.Commit; s.Has("commit") && c.group.IsZero() {
		m.Add(s.Of("commit"), "offsets are committed by a group, and the step has none")
	}
}
