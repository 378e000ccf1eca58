package custom

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/probe"
	"brunt/scenarios/syntax"
)

// Call is the fault call. `hold` is for damage that ends with a connection: what a server does at the end of one takes it back, so that
// it does not outlive brunt. A brunt that stands still with it is ended by its watchdog.
type Call struct {
	// steps as in a flow, in a session that stays open as long as the fault, such as [{sql: begin}, {sql: "lock table orders"}]: its end
	// takes them back, however brunt ends
	Hold     steps  `yaml:"hold"`
	Count    int    `yaml:"count,min=1"`       // of hold: how many such sessions, each with connections of its own; zero is 1
	Inject   steps  `yaml:"inject"`            // steps as in a flow, in a session that ends with the last of them
	Revert   string `yaml:"revert,oneof=none"` // of inject: none, as the fault ends by itself
	Endpoint string `yaml:"at"`                // the endpoint of the steps that name none; zero is the only one of their protocol
	Custom   `yaml:",inline"`
}

// mostHeld bounds the sessions of a fault: each has a descriptor at least.
const mostHeld = 10_000

// steps are a list of steps of the load's language.
type steps struct{ node *syntax.Node }

// DecodeNode implements [syntax.NodeDecoder]: a step, or a list of them.
func (s *steps) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	switch {
	case n.Kind == syntax.Map:
		n = &syntax.Node{Kind: syntax.List, Pos: n.Pos, Items: []*syntax.Node{n}}
	case n.Kind != syntax.List || len(n.Items) == 0:
		m.AddHint(n.Pos, `such as [{sql: begin}, {sql: "lock table orders"}]`, "want steps, not %s", n.Describe())
		return
	}
	s.node = n
}

// SchemaWith implements [syntax.DescribedSchemer].
func (*steps) SchemaWith(syntax.Describer) syntax.Schema {
	step := syntax.Schema{"$ref": "#/$defs/step"}
	return syntax.Schema{"anyOf": []any{step, syntax.Schema{"type": "array", "minItems": 1, "items": step}}}
}

var _ chaos.Fault = (*Call)(nil)

// sequence returns the steps of the fault; false: it has none.
func (f *Call) sequence() (chaos.Sequence, bool) {
	s := f.Hold
	if s.node == nil {
		s = f.Inject
	}
	return chaos.Sequence{Steps: s.node, At: f.Endpoint}, s.node != nil
}

// Traits implements [chaos.Fault].
func (f *Call) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Custom.Traits(sc)
	t.OneShot = f.Hold.node == nil && f.Revert == noRevert
	if s, ok := f.sequence(); ok {
		t.Acts = append(t.Acts, s)
	}
	return t
}

// Check implements [chaos.Fault].
func (f *Call) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	holds := f.Has("hold")
	switch {
	case holds == f.Has("inject"):
		m.AddHint(at, `such as hold: [{sql: begin}, {sql: "lock table orders"}], whose session stays open, or inject: {redis: [FLUSHALL]} with revert: none`,
			"want exactly one of hold and inject")
		return
	case holds && f.Has("revert"):
		m.AddHint(f.Of("revert"), "its end takes the steps back", "what a session holds ends with it; it has no `revert`")
	case !holds && !f.Has("revert"):
		m.AddHint(at, "revert: none if it ends by itself. `hold` is taken back by the end of its session, `webhook` and `exec` by a call or a command",
			"nothing says how `inject` is taken back")
	case !holds && f.Has("count"):
		m.Add(f.Of("count"), "only `hold` has several sessions")
	case f.Count > mostHeld:
		m.Add(f.Of("count"), "a fault holds at most %d sessions, not %d", mostHeld, f.Count)
	}
	f.check(at, !holds, sc, m)
}

// Plan implements [chaos.Fault].
func (f *Call) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	if env.Act == nil && !env.Dry {
		return nil, errors.New("no protocol can make its steps")
	}
	by := &sessions{act: env.Act, hold: f.Hold.node != nil}
	by.Sequence, _ = f.sequence()
	by.Sessions, by.Timeout = max(1, f.Count), f.timeout()
	s := f.step("steps", by.String(), f.name())
	if s.inject = by; by.hold {
		s.revert, s.undo = closing{by}, []chaos.Undo{journal.EndBrunt()}
		s.ended = func(ctx context.Context) error { return stillThere(ctx, s.verify) }
	}
	return f.ready(ctx, s, env, probe.CommandContext{})
}

// name names what is hit if the author gives no units.
func (f *Call) name() string { return cmp.Or(f.Endpoint, chaos.TargetName) }

// stillThere returns an error if a question that the effect answers with yes is answered with no.
func stillThere(ctx context.Context, q probe.Question) error {
	if holds, said, err := q.Ask(ctx); err == nil && !holds {
		return fmt.Errorf("verify held, and does not any more: %s", said)
	}
	return nil
}

// sessions run steps, and stay open if they hold what the steps did.
type sessions struct {
	chaos.Sequence
	act  func(context.Context, chaos.Sequence) (io.Closer, error)
	hold bool
	open io.Closer // nil: none
}

// String describes what the sessions do.
func (s *sessions) String() string {
	var steps []string
	for _, n := range s.Steps.Items {
		steps = append(steps, quoteBack(probe.DescribeStep(n)))
	}
	what := strings.Join(steps, ", ")
	switch {
	case !s.hold:
		return "make " + what
	case s.Sessions == 1:
		return "hold " + what + ", taken back by the end of the session"
	}
	return fmt.Sprintf("hold %s in %d sessions, taken back by their end", what, s.Sessions)
}

// Do implements act. After an error nothing is open.
func (s *sessions) Do(ctx context.Context) (said string, err error) {
	if s.open, err = s.act(ctx, s.Sequence); err == nil && !s.hold {
		err = s.close()
	}
	return "", err
}

// close ends the sessions.
func (s *sessions) close() error {
	if s.open == nil {
		return nil
	}
	open := s.open
	s.open = nil
	return open.Close()
}

// closing ends sessions as an act.
type closing struct{ *sessions }

// Do implements act.
func (c closing) Do(context.Context) (said string, err error) { return "", c.close() }

// Describe implements [chaos.Described].
func (*Call) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "call", New: func() chaos.Fault { return new(Call) },
		Example: `{hold: [{get: /admin/lock}], verify: {ask: {get: /status, check: {"$.locked": true}}}}`,
		Doc:     "Breaks the system by steps of any protocol, such as a lock that a transaction holds, or a command to a database.",
	}
}
