package stream

import (
	"bytes"
	"slices"
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

// condition is a condition of a match: on the value at a path, or on the whole text.
type condition struct {
	path jp.Expr // nil: the whole text
	name string  // of the path, as written
	check.Matcher
	text *template.Text // a value with placeholders, instead of the matcher
}

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
	c := condition{path: path, name: name}
	if slices.ContainsFunc(n.Parts, func(p syntax.Part) bool { return p.Ref != nil }) {
		c.text = new(template.Text)
		c.text.DecodeNode(n, m)
	} else {
		c.Matcher.DecodeNode(n, m)
	}
	k.list = append(k.list, c)
}

// refs lists the placeholders of the conditions.
func (k *match) refs() (refs []*syntax.Ref) {
	for i := range k.list {
		if t := k.list[i].text; t != nil {
			refs = append(refs, t.Refs()...)
		}
	}
	return refs
}

// checkRefs notes placeholders whose value would change with each comparison.
func (k *match) checkRefs(sends bool, m *syntax.Mistakes) {
	for _, r := range k.refs() {
		switch r.Kind {
		case syntax.RefMessage:
			if k.own = true; !sends {
				m.Add(k.at, "%s belongs to a message that the step sends, and the step sends none", r)
			}
		case syntax.RefInt, syntax.RefUUID, syntax.RefNow:
			m.AddHint(k.at, "${message.id} is the same in a message and in its expected answer",
				"%s is another value each time", r)
		}
	}
}

// holds reports whether a message matches. It may use the memory scratch, and returns it.
func (k *match) holds(a *Message, it *template.Iter, scratch []byte) ([]byte, bool) {
	for i := range k.list {
		c := &k.list[i]
		var v any
		if c.path != nil {
			var found bool
			if v, found = a.JSON(c.path); !found {
				return scratch, false
			}
		}
		if c.text == nil {
			if c.path != nil && !c.Matches(v, true) || c.path == nil && !c.IsZero() && !c.MatchesText(a.Body()) {
				return scratch, false
			}
			continue
		}
		var err error
		if scratch, err = c.text.Append(scratch[:0], it); err != nil {
			return scratch, false
		}
		if c.path != nil && check.ValueText(v) != string(scratch) || c.path == nil && !bytes.Equal(a.Body(), scratch) {
			return scratch, false
		}
	}
	return scratch, true
}

// String describes the message that matches.
func (k *match) String() string {
	var all []string
	for i := range k.list {
		c := &k.list[i]
		name, value := c.name, "exists"
		if name == "" {
			name = "text"
		}
		switch {
		case c.text != nil:
			value = c.text.Text()
		case !c.IsZero():
			value = c.Matcher.String()
		}
		if c.path == nil && value == "exists" { // every message has a text
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
func (k *match) fits(it *template.Iter, scratch *[]byte) func(a *Message) bool {
	return func(a *Message) (ok bool) {
		*scratch, ok = k.holds(a, it, *scratch)
		return ok
	}
}
