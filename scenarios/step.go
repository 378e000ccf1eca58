package scenarios

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// A Step is one action of a virtual user: a request, or a pause. In setup and teardown it may be a command.
type Step struct {
	Pos  syntax.Pos
	Name string // zero is the request's own: METHOD path
	// the name of the target's endpoint that it goes to; nil is the only one of its protocol, or the target's own URL
	At      *syntax.Node
	Think   *quantity.Range // a pause instead of a request
	Command *syntax.Node    // the whole step, where it is a command; package plan decodes it
	With    *syntax.Node    // the request's settings; nil is a pause or a command
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

// Block finds which of kinds the step is, and returns its settings, including the value of the
// kind's key. Those of beside are kinds that are settings where another kind stands too.
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

// A Call is a step that its target has compiled. It is opaque except to the session that makes it.
type Call interface {
	Name() string // "GET /posts", unless the author named the step
	// Traits says what the plan has to know of it. It is asked before the load begins, never per request.
	Traits() CallTraits
}

// CallTraits say what a plan has to know of a call. The zero value fits a call without placeholders that goes
// to the target.
type CallTraits struct {
	Refs   []*syntax.Ref // the placeholders that it fills in
	Sheds  bool          // some of its answers count as shed
	Wants  bool          // it says what a whole answer has
	Origin string        // scheme and host of the system that it goes to; empty: the target
	Method string        // for the log of requests; empty: it has none
	URL    string        // as the author wrote it, for the log of requests; empty: it has none
	Times  int64         // outcomes that it has in an iteration, such as messages of a schedule; zero is one
	Paced  time.Duration // that the schedule takes; zero: it has none
}

// WholeCall stands for the number of a part where a session hands over one more outcome of the call itself, as each
// message of a stream that is sent at a pace is.
const WholeCall = -1

// IterationStep is the number of the pseudo-step that lasts from arrival to end.
const IterationStep = -1

// Schema implements [syntax.Schemer]. The protocol defines which keys a request has.
func (*Step) Schema() syntax.Schema { return syntax.Schema{"$ref": "#/$defs/step"} }
