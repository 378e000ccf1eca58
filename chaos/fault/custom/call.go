package custom

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"brunt/chaos"
	"brunt/chaos/journal"
	"brunt/chaos/probe"
	"brunt/scenarios"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Call is the fault call. `hold` is for damage that lasts as long as a connection: the server reverts it when the
// connection ends, so it does not outlive brunt. If brunt stands still while it holds one, the watchdog ends brunt. The
// steps of `revert` take back the damage of `inject`. The journal keeps them, so that the watchdog or `brunt revert`
// can run them too.
type Call struct {
	// steps as in a flow, in a session that stays open as long as the fault, such as [{sql: begin}, {sql: "lock table
	// orders"}]. The end of the session takes them back, however brunt ends
	Hold   steps `yaml:"hold"`
	Count  int   `yaml:"count,min=1"` // of hold: number of such sessions, each with its own connections; zero is 1
	Inject steps `yaml:"inject"`      // steps as in a flow, in a session that ends after the last of them
	// of inject: steps that take the fault back, at any time and also twice, such as {redis: [CONFIG, SET, maxclients,
	// 10000]}; none if the fault ends by itself
	Revert   revertSteps `yaml:"revert"`
	Endpoint string      `yaml:"at"` // the endpoint of the steps that name none; zero is the only one of their protocol
	Custom   `yaml:",inline"`
}

// mostHeld bounds the sessions of a fault: each needs at least one file descriptor.
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

func (*steps) SchemaWith(syntax.Describer) syntax.Schema {
	step := syntax.Schema{"$ref": "#/$defs/step"}
	return syntax.Schema{"anyOf": []any{step, syntax.Schema{"type": "array", "minItems": 1, "items": step}}}
}

// revertSteps are steps, or `none`.
type revertSteps struct {
	steps
	none bool
}

func (s *revertSteps) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if s.none = n.Kind == syntax.String && n.Value == noRevert; !s.none {
		s.steps.DecodeNode(n, m)
	}
}

func (*revertSteps) SchemaWith(doc syntax.Describer) syntax.Schema {
	return syntax.Schema{"anyOf": []any{syntax.Schema{"const": noRevert}, (*steps)(nil).SchemaWith(doc)}}
}

var _ chaos.Fault = (*Call)(nil)

// sequence returns the steps of the fault; false means that it has none.
func (f *Call) sequence() (chaos.Sequence, bool) {
	s := f.Hold
	if s.node == nil {
		s = f.Inject
	}
	return chaos.Sequence{Steps: s.node, At: f.Endpoint}, s.node != nil
}

// back returns the steps that take the fault back; false means that it has none.
func (f *Call) back() (chaos.Sequence, bool) {
	return chaos.Sequence{Steps: f.Revert.node, At: f.Endpoint, Kept: true, Sessions: 1, Timeout: f.timeout()},
		f.Revert.node != nil
}

func (f *Call) Traits(sc chaos.Scope) chaos.Traits {
	t := f.Custom.Traits(sc)
	t.OneShot = f.Hold.node == nil && f.Revert.none
	if s, ok := f.sequence(); ok {
		t.Acts = append(t.Acts, s)
	}
	if s, ok := f.back(); ok {
		t.Acts, t.Kept = append(t.Acts, s), append(t.Kept, texts(s.Steps)...)
	}
	return t
}

// texts lists the texts in steps. Secrets appear by their names.
func texts(n *syntax.Node) (all []string) {
	if n.Kind == syntax.String {
		var t template.Text
		t.DecodeNode(n, new(syntax.Mistakes))
		return []string{t.Text()}
	}
	for _, f := range n.Fields {
		all = append(all, texts(f.Value)...)
	}
	for _, item := range n.Items {
		all = append(all, texts(item)...)
	}
	return all
}

func (f *Call) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	holds := f.Has("hold")
	switch {
	case holds == f.Has("inject"):
		m.AddHint(at, `such as hold: [{sql: begin}, {sql: "lock table orders"}], whose session stays open, or inject: {redis: [FLUSHALL]} with revert: none`,
			"want exactly one of hold and inject")
		return
	case holds && f.Has("revert"):
		m.AddHint(f.Of("revert"), "remove `revert`",
			"the end of a session takes back what `hold` did, so `hold` has no `revert`")
	case !holds && !f.Has("revert"):
		m.AddHint(at, "give the steps as `revert`, or `revert: none` if the effect ends by itself; the end of a session "+
			"takes back `hold`",
			"no `revert` says how to take back `inject`")
	case !holds && f.Has("count"):
		m.Add(f.Of("count"), "only `hold` has several sessions")
	case f.Count > mostHeld:
		m.Add(f.Of("count"), "a fault holds at most %d sessions, not %d", mostHeld, f.Count)
	}
	checkKept(f.Revert.node, m)
	f.check(at, f.Revert.none, sc, m)
}

// checkKept refuses placeholders in steps that the journal keeps: another process has no values for them.
func checkKept(n *syntax.Node, m *syntax.Mistakes) {
	if n == nil {
		return
	}
	for _, p := range n.Parts {
		if p.Ref == nil {
			continue
		}
		for _, r := range p.Ref.Leaves() {
			if r.Kind != syntax.RefUnit {
				m.Add(n.Pos, "${%s} has a value only while requests are made; the journal keeps these steps, which know "+
					"${unit.…}, params, env and file", r.Text)
			}
		}
	}
	for _, f := range n.Fields {
		checkKept(f.Value, m)
	}
	for _, item := range n.Items {
		checkKept(item, m)
	}
}

func (f *Call) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	if (env.Act == nil || env.Keep == nil) && !env.Dry {
		return nil, errors.New("no protocol can make its steps")
	}
	by := &sessions{act: env.Act, hold: f.Hold.node != nil}
	by.Sequence, _ = f.sequence()
	by.Sessions, by.Timeout = max(1, f.Count), f.timeout()
	s := f.step("steps", by.String(), f.name())
	if s.inject = by; by.hold {
		s.revert, s.undo = closing{by}, []chaos.Undo{journal.EndBrunt()}
	}
	if back, ok := f.back(); ok {
		if err := s.backBySteps(&sessions{act: env.Act, Sequence: back}, env); err != nil {
			return nil, fmt.Errorf("revert: %w", err)
		}
	}
	return f.ready(ctx, s, env, probe.CommandContext{})
}

// backBySteps sets the steps that revert the step, encoded for the journal.
func (s *customStep) backBySteps(by *sessions, env chaos.Env) error {
	shows := by.describe()
	s.what += ", taken back by " + shows
	s.undo, s.revert = []chaos.Undo{{Op: OpCall}}, by
	if env.Dry {
		return nil
	}
	kept, err := env.Keep(by.Sequence)
	if err != nil {
		return err
	}
	s.undo[0].Args, s.undo[0].Identity = kept, customIdentity(shows)
	return nil
}

// OpCall is the name of the undo of a fault by steps.
const OpCall = "call"

// CallOperation returns the operation that reverts a fault by steps. do runs the steps as [chaos.Host.Keep] encoded
// them.
func CallOperation(do func(ctx context.Context, kept json.RawMessage) error) chaos.Operation {
	return chaos.Operation{
		Name: OpCall, Deadline: revertTries*mostTimeout + chaos.UndoWithin,
		Do: func(ctx context.Context, u chaos.Undo) (chaos.Outcome, error) {
			return undoBy(ctx, keptSteps{u.Args, do})
		},
	}
}

// keptSteps are the steps of an undo in a journal.
type keptSteps struct {
	kept json.RawMessage
	do   func(ctx context.Context, kept json.RawMessage) error
}

// String implements act.
func (k keptSteps) String() string { return "steps of the journal" }

// Do implements act.
func (k keptSteps) Do(ctx context.Context) (said string, err error) { return "", k.do(ctx, k.kept) }

// noSteps fails: it stands for do in a process that knows no protocol.
func noSteps(context.Context, json.RawMessage) error {
	return errors.New("this process has no protocol to run the steps: use `brunt revert`")
}

// name returns the name of the hit unit if the author gives no units.
func (f *Call) name() string { return cmp.Or(f.Endpoint, chaos.TargetName) }

// sessions run steps. With hold they stay open, and with them what the steps did.
type sessions struct {
	chaos.Sequence
	act  func(context.Context, chaos.Sequence) (io.Closer, error)
	hold bool
	open io.Closer // nil: none
}

func (s *sessions) describe() string {
	var steps []string
	for _, n := range s.Steps.Items {
		steps = append(steps, quoteBack(probe.DescribeStep(n)))
	}
	return strings.Join(steps, ", ")
}

// String describes what the sessions do.
func (s *sessions) String() string {
	what := s.describe()
	switch {
	case !s.hold:
		return "make " + what
	case s.Sessions == 1:
		return "hold " + what + ", taken back by the end of the session"
	}
	return fmt.Sprintf("hold %s in %d sessions, taken back by their end", what, s.Sessions)
}

// Do implements act. After an error no session is open.
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

// closing is an act that closes sessions.
type closing struct{ *sessions }

// Do implements act.
func (c closing) Do(context.Context) (said string, err error) { return "", c.close() }

func (*Call) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "call", New: func() chaos.Fault { return new(Call) }, Undo: []chaos.Operation{CallOperation(noSteps)},
		Example: `{hold: [{get: /admin/lock}], verify: {ask: {get: /status, check: {"$.locked": true}}}}`,
		Nature:  scenarios.Nature{Deeds: []scenarios.Deed{scenarios.Own}, Check: "verify"},
		Doc: "Breaks the system by steps of any protocol, such as a lock that a transaction holds, or a command to a " +
			"database.",
	}
}
