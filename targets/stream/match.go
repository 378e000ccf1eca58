package stream

import (
	"strings"

	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/jp"
)

// match describes the message that a step waits for. All its conditions must hold.
type match struct {
	at   syntax.Pos
	list []condition
	own  bool // it uses ${message.id}, so it distinguishes the answers to different messages
}

// condition is a condition of a match: on the value at a path, or, without a path, on the whole text.
type condition struct{ check.Field }

// anyMessage matches every message.
func anyMessage() *match { return &match{list: []condition{{}}} }

func (k *match) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.at = n.Pos
	if n.Kind != syntax.Map {
		k.add(nil, "", n, m)
		return
	}
	if len(n.Fields) == 0 {
		m.AddHint(n.Pos, `such as {"$.type": welcome}, or exists for any`, "want a condition of a message")
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "text":
			k.add(nil, "", f.Value, m)
		case strings.HasPrefix(f.Key, "$"):
			path, err := jp.ParseString(f.Key)
			if err != nil {
				m.Add(f.Pos, "%q is not a JSON path: %v", f.Key, err)
			}
			k.add(path, f.Key, f.Value, m)
		default:
			hint := syntax.DidYouMean(f.Key, []string{"text"})
			if !strings.HasPrefix(hint, "did you mean") {
				hint = "a field of the message is $." + syntax.Clip(f.Key, 60) + ", and its whole text is text"
			}
			m.AddHint(f.Pos, hint, "unknown condition %q", syntax.Clip(f.Key, 60))
		}
	}
}

// add reads a condition.
func (k *match) add(path jp.Expr, name string, n *syntax.Node, m *syntax.Mistakes) {
	c := condition{check.Field{Path: path, Name: name}}
	if c.DecodeNode(n, m); path == nil {
		c.RefuseAbsent(n, m)
	}
	k.list = append(k.list, c)
}

// refs lists the placeholders of the conditions.
func (k *match) refs() (refs []*syntax.Ref) {
	for i := range k.list {
		refs = append(refs, k.list[i].Refs()...)
	}
	return refs
}

// checkRefs notes ${message.id} in a step that sends no message.
func (k *match) checkRefs(sends bool, m *syntax.Mistakes) {
	for _, r := range k.refs() {
		if r.Kind != syntax.RefMessage {
			continue
		}
		if k.own = true; !sends {
			m.Add(k.at, "%s belongs to a message that the step sends, and the step sends none", r)
		}
	}
}

// holds reports whether a message matches.
func (k *match) holds(a *Message, it *template.Iter) bool {
	for i := range k.list {
		switch c := &k.list[i]; {
		case c.IsZero():
		case c.Path != nil && !c.Holds(a.JSON(c.Path), it), c.Path == nil && !c.MatchesText(a.Body(), it):
			return false
		}
	}
	return true
}

// String describes the message that matches.
func (k *match) String() string {
	var all []string
	for i := range k.list {
		c := &k.list[i]
		name, value := c.Name, "exists"
		if name == "" {
			name = "text"
		}
		if !c.IsZero() {
			value = c.Matcher.String()
		}
		if c.Path == nil && value == "exists" { // every message has a text
			continue
		}
		all = append(all, name+" "+value)
	}
	if len(all) == 0 {
		return "a message"
	}
	return "a message with " + strings.Join(all, ", ")
}

// fits returns a function that reports whether a message is the one that a step waits for.
func (k *match) fits(it *template.Iter) func(a *Message) bool {
	return func(a *Message) bool { return k.holds(a, it) }
}
