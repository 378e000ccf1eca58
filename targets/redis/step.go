package redis

import (
	"cmp"
	"net/url"
	"reflect"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/calls"
)

// Descriptor describes Redis: a server, a cluster, or the primary that sentinels name.
func Descriptor() *targets.Descriptor {
	d := &targets.Descriptor{
		Name: "redis", Doc: "Sends a command to Redis.", Causes: []scenarios.CauseFamily{causes},
		Kinds: []string{"redis"}, Schemes: schemes, Wires: wires, PerUser: true, Settings: reflect.TypeFor[step](),
		Compile: compile, Bind: bind, OfUnit: ofUnit,
		Parts:  func(c scenarios.Call) []string { return c.(*call).source.parts() },
		Absent: func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == absent },
		Retry:  func(_ scenarios.Call, out *scenarios.Outcome) bool { return temporary(out.Status) },
		Lasts:  func(c scenarios.Call) bool { return c.(*call).waits },
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return newClient(o, d) }
	return d
}

// The status of an answer: 0 if it contains no error, and otherwise failed plus the number of the error's first word.
const (
	absent = -1 // the answer is nil
	failed = 1
)

// temporary reports whether a later call may get a better answer than the error with a status.
func temporary(status int32) bool {
	for _, word := range []string{
		"LOADING", "BUSY", "TRYAGAIN", "CLUSTERDOWN", "MASTERDOWN", "READONLY", "MOVED", "ASK", "NOREPLICAS", "MISCONF",
	} {
		if status == failed+numbers[word] {
			return true
		}
	}
	return false
}

// step is the YAML of a step.
type step struct {
	syntax.Place
	// a command, each word an item: [GET, "user:${int(1,9)}"]; {pipeline: [[INCR, a], [EXPIRE, a, 60]]} sends several at
	// once, {multi: […]} as a transaction
	Redis commandSource `yaml:"redis"`
	Check *answerCheck  `yaml:"check"` // conditions for an ok answer; nil is any answer that is not an error
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want *check.PathWants `yaml:"want"`
	// variables, each with the place of its value: $ is the answer, $[0] the first item of a list
	Extract map[string]extraction `yaml:"extract"`
}

// call is a compiled step.
type call struct {
	name    string
	source  commandSource
	waits   bool // it waits for an event
	takes   bool // it removes what it answers with
	repeats bool // it only reads
	encoded
	expected
}

func (c *call) Name() string { return c.name }

func (c *call) Traits() scenarios.CallTraits {
	return scenarios.CallTraits{
		Refs: c.source.Refs(), Sheds: len(c.shed) > 0, Wants: c.rest.Wants(), Method: "redis", URL: c.source.name(),
		Takes: c.takes, Repeats: c.repeats,
	}
}

// compile compiles a step.
func compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &call{name: cmp.Or(in.Name, s.Redis.name()), source: s.Redis, repeats: true}
	for i := range c.source.commands {
		args := c.source.commands[i].words()
		c.waits, c.takes = c.waits || waits(args), c.takes || taking[args[0]]
		c.repeats = c.repeats && reading[args[0]]
	}
	c.encoded = c.source.encode()
	c.compileChecks(s.Check, in, m)
	if s.Want != nil {
		c.rest.Want("", &s.Want.Wants)
	}
	c.decodes = c.decodes || len(s.Extract) > 0 || s.Want != nil && s.Want.ReadsBody()
	targets.Extract[targets.Answer](&c.rest, s.Extract, in)
	c.compileEndpoint(in, m)
	in.RefuseAuth("redis", "user and password stand in the URL of the endpoint", m)
	return c, m.Len() == before
}

// compileEndpoint notes mistakes of the call that depend on its endpoint, and mistakes in the endpoint's URL.
func (c *call) compileEndpoint(in targets.Scope, m *syntax.Mistakes) {
	var l location
	known := calls.CheckEndpoint(in, func(u *url.URL) (_ []string, err error) {
		l, err = locate(u)
		return l.addresses, err
	}, forms, m)
	if !known || !l.cluster || c.source.form == single {
		return
	}
	slot, keyed := uint16(0), false
	for i := range c.source.commands {
		words := c.source.commands[i].words()
		key := keyOf(words)
		if key == 0 || words[key] == "" {
			continue
		}
		if at := slotOf([]byte(words[key])); !keyed {
			slot, keyed = at, true
		} else if at != slot {
			m.AddHint(c.source.commands[i].at, "{braces} in keys name what their slot is taken of: {user1}.name, {user1}.cart",
				"the commands of a %s have keys of one slot of a cluster",
				[...]string{pipeline: "pipeline", multi: "transaction"}[c.source.form])
			return
		}
	}
}
