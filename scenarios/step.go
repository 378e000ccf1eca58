package scenarios

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Step is one action of a virtual user: a request or a pause. In setup and teardown it may also be a command.
type Step struct {
	Pos  syntax.Pos
	Name string // zero is the name of the request: METHOD path
	// the name of the target's endpoint that the step sends to; nil is the only endpoint of its protocol, or the
	// target's own URL
	At      *syntax.Node
	Think   *quantity.Range // a pause instead of a request
	Command *syntax.Node    // the whole step, where it is a command; package plan decodes it
	With    *syntax.Node    // the request's settings; nil for a pause or a command
}

func (s *Step) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s.Pos = n.Pos
	if n.Kind != syntax.Map || len(n.Fields) == 0 {
		m.AddHint(n.Pos, "such as {get: /posts}", "want a step, not %s", n.Describe())
		return
	}
	if n.Get("command") != nil {
		s.Command = n
		return
	}
	if think := n.Get("think"); think != nil {
		s.Think = new(quantity.Range)
		syntax.Decode(think, s.Think, m)
		for _, f := range n.Fields {
			if f.Key != "think" {
				m.AddHint(f.Pos, "a pause is a step of its own", "%q can't stand beside think", syntax.Clip(f.Key, 60))
			}
		}
		return
	}
	if name := n.Get("name"); name != nil {
		s.Name, _ = name.Text(m)
		switch {
		case name.Bad:
		case s.Name == "iteration" || s.Name == "*":
			m.Add(name.Pos, "the step name %q is taken", s.Name)
		case strings.Contains(s.Name, `"`):
			m.Add(name.Pos, "a step's name holds no double quotes, as objectives quote it")
		case strings.ContainsFunc(s.Name, unicode.IsControl):
			m.Add(name.Pos, "a step's name is one line")
		}
	}
	s.At = n.Get("at")
	s.With = n.Without(func(k string) bool { return slices.Contains(ofStep, k) })
}

// ofStep are the keys that steps of every protocol have.
var ofStep = []string{"name", "at"}

// ofLoad are settings of a load that users tend to write in its steps.
var ofLoad = []string{"timeout", "grace", "connections", "resolve", "max_in_flight"}

// Block finds which of kinds the step is, and returns its settings, including the value of the kind's key. A kind in
// beside counts as a setting if the step has another kind as well.
func (s *Step) Block(kinds []string, m *syntax.Mistakes, beside ...string) (syntax.Block, bool) {
	var found []syntax.Field
	for _, f := range s.With.Fields {
		if slices.Contains(kinds, f.Key) {
			found = append(found, f)
		}
	}
	if len(found) > 1 {
		found = slices.DeleteFunc(found, func(f syntax.Field) bool { return slices.Contains(beside, f.Key) })
	}
	switch len(found) {
	case 1:
		for _, f := range s.With.Fields {
			if slices.Contains(ofLoad, f.Key) {
				m.Add(f.Pos, "`%s` belongs to the load, not to a step", f.Key)
			}
		}
		with := s.With.Without(func(k string) bool { return slices.Contains(ofLoad, k) })
		return syntax.Block{Kind: found[0].Key, Pos: found[0].Pos, With: with, Also: ofStep}, true
	case 0:
		for _, f := range s.With.Fields {
			if noun, yes := syntax.NotYet(f.Key); yes {
				m.Add(f.Pos, "%s %q is not available yet", noun, f.Key)
				return syntax.Block{}, false
			}
		}
		at, hint := s.Pos, "it wants one of "+strings.Join(append(slices.Clone(kinds), "think"), ", ")
		for _, f := range s.With.Fields {
			if f.Key == "sleep" {
				at, hint = f.Pos, syntax.Elsewhere(f.Key)
				break
			}
			if near := syntax.Nearest(f.Key, kinds); near != "" {
				at, hint = f.Pos, syntax.Suggestion(near)
				break
			}
		}
		m.AddHint(at, hint, "this step makes no request")
	default:
		m.Add(found[1].Pos, "a step makes one request, not both %s and %s", found[0].Key, found[1].Key)
	}
	return syntax.Block{}, false
}

// Steps are steps that follow one another. A single step needs no list.
type Steps []Step

func (s *Steps) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind != syntax.List {
		n = &syntax.Node{Kind: syntax.List, Pos: n.Pos, Items: []*syntax.Node{n}}
	}
	list := make([]Step, len(n.Items))
	for i, item := range n.Items {
		list[i].DecodeNode(item, m)
	}
	*s = list
}

// Schema implements [syntax.Schemer].
func (*Steps) Schema() syntax.Schema {
	one := (*Step)(nil).Schema()
	return syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "minItems": 1, "items": one}}}
}

// A Call is a step that its target has compiled. Only the session that executes it knows its content.
type Call interface {
	Name() string // "GET /posts", unless the author named the step
	// Traits returns what the plan has to know about the call. It is called before the load begins, never per
	// request.
	Traits() CallTraits
}

// CallTraits describe a call to the plan. The zero value describes a call to the target without placeholders.
type CallTraits struct {
	Refs   []*syntax.Ref // the placeholders that the call fills in
	Sheds  bool          // some of its answers count as shed
	Wants  bool          // the step says what a complete answer contains
	Origin string        // scheme and host of the system that the call goes to; empty means the target
	Method string        // the method for the log of requests; may be empty
	URL    string        // the URL as the author wrote it, for the log of requests; may be empty
	// number of outcomes of the call in one iteration, such as the messages of a schedule; zero is one
	Times int64
	Paced time.Duration // duration of the call's schedule; zero means that it has no schedule
	Waits bool          // the call waits for a message: if there is no answer by its deadline, none came
	// the call acknowledges what it takes, so that what it was given before it failed is given again. Only if it has no
	// answer although messages came, which First tells, the server may have noted some of its acknowledgements
	Replays bool
	// sent twice the call does what it does once, so that it may be sent again if its connection ends before an answer
	// begins
	Repeats bool
	Takes   bool // the call removes what it answers with, so that the next message comes with the next call
	Unfit   Unfit
}

// Cut is [CallTraits.Unfit] of a call with these placeholders that ends a stream before the other side does. It is zero
// if the call says by ${var.after} where its stream begins, as in the header Last-Event-ID.
func Cut(refs []*syntax.Ref) Unfit {
	if slices.ContainsFunc(refs, func(r *syntax.Ref) bool { return r.Kind == syntax.RefVar && r.Name == VarAfter }) {
		return Unfit{}
	}
	return Unfit{
		Why: "a stream that is closed after each question misses messages",
		Remedy: "begin it behind the last message, by ${var.after} and `after` of `seen`, or send the messages to " +
			`http: ":9099/hook"`,
	}
}

// Unfit says why the call must not ask for the messages of a delivery: it would miss some, or get the same ones again
// and again. The zero value is a call that may.
type Unfit struct{ Why, Remedy string }

// WholeCall takes the place of a part's number when a session hands over an additional outcome of the call itself,
// such as one message of a stream that is sent at a pace.
const WholeCall = -1

// IterationStep is the number of the pseudo-step that stands for a whole iteration, from its arrival to its end.
const IterationStep = -1

// Schema implements [syntax.Schemer]. The protocol defines which keys a request has.
func (*Step) Schema() syntax.Schema { return syntax.Schema{"$ref": "#/$defs/step"} }
