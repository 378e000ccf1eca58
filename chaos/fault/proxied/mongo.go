package proxied

import (
	"cmp"
	"context"
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
	"brunt/targets/mongo/codes"
)

// Operations says which MongoDB commands on a link a fault hits. The commands of logins are never hit.
type Operations struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"`    // share of the commands that match; nil is all
	Command       string          `yaml:"command"`    // pattern such as insert or find*; zero is all
	Collection    string          `yaml:"collection"` // pattern such as order*; zero is all
}

// MongoError is the fault mongo.error.
type MongoError struct {
	Operations `yaml:",inline"`
	// name or number of the error, such as WriteConflict or 112; zero is NotWritablePrimary, by which a replica set says
	// that its primary has moved
	Code    string `yaml:"code"`
	Message string `yaml:"message"` // the text of the error
}

// MongoDelay is the fault mongo.delay.
type MongoDelay struct {
	Operations `yaml:",inline"`
	Delay      quantity.Duration `yaml:"delay,required,positive"` // time until a command is passed on
	Jitter     quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
}

var (
	_ chaos.Fault = (*MongoError)(nil)
	_ chaos.Fault = (*MongoDelay)(nil)
)

// notPrimary is the error that is used if the scenario gives none.
const notPrimary = "NotWritablePrimary"

func (o *Operations) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	o.CheckEdge(at, sc, m)
	spoken(&o.Edge, "MongoDB", "it", formatMongo, at, sc, m)
	o.CheckPercent(o.Percent, leastShare, "commands", m)
	if strings.ContainsAny(o.Command, " \t\r\n") {
		m.AddHint(o.Of("command"), "such as insert or find*", "%q is not the name of a command", syntax.Clip(o.Command, 60))
	}
}

func (o *Operations) Traits(sc chaos.Scope) chaos.Traits { return parsed(&o.Edge, sc) }

// name returns the pattern that the name of a command must match.
func (o *Operations) name() string { return pattern(o.Command, o.Collection) }

// probe returns a command that matches: it replaces each * in its name by an empty string.
func (o *Operations) probe() proxy.ProbeRequest {
	return named(peer.Mongo, o.Command, "ping", o.Collection)
}

func (o *Operations) text() string {
	return some(o.Percent, "commands", strings.TrimSpace(o.Command+" "+o.Collection))
}

func (f *MongoError) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	if _, known := codes.Parse(cmp.Or(f.Code, notPrimary)); !known {
		m.AddHint(f.Of("code"), "such as WriteConflict or 112", "%q is no error of MongoDB", syntax.Clip(f.Code, 60))
	}
}

func (f *MongoDelay) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
}

func (f *MongoError) toxic() toxics.MongoError {
	code, _ := codes.Parse(cmp.Or(f.Code, notPrimary))
	return toxics.MongoError{
		Code: code, CodeName: codes.Name(code), Text: cmp.Or(f.Message, "an error that brunt injects"),
		Share: proof.OrAll(f.Percent), Name: f.name(),
	}
}

func (f *MongoError) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t := f.toxic()
	r := refused{&f.Edge, f.Percent, "commands", f.text(), t.CodeName, 0, f.probe, t}
	return r.plan(ctx, env)
}

func (f *MongoDelay) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return delayed{
		Edge: &f.Edge, percent: f.Percent, delay: f.Delay, jitter: f.Jitter, what: "commands", text: f.text(), probe: f.probe,
	}.ofQueries(ctx, env, query.Mongo, f.name())
}

func (*MongoError) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "mongo.error", New: func() chaos.Fault { return new(MongoError) },
		Example: "{from: web, to: store, command: insert, code: WriteConflict}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "answering errors", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Answers commands of MongoDB on a link with an error, in place of the server. Those of logins pass, and so " +
			"does abortTransaction. A client that compresses its messages is not hit.",
	}
}

func (*MongoDelay) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "mongo.delay", New: func() chaos.Fault { return new(MongoDelay) },
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Delays commands of MongoDB on a link before they are passed on, and what follows them on the same " +
			"connection.",
	}
}
