package stream

import (
	"regexp"
	"strings"
	"sync"
	"time"

	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/ohler55/ojg/jp"
)

// A Message is a received message.
type Message struct {
	Data  []byte
	First time.Duration // when the first bytes were read
	End   time.Duration // when the message was complete

	None bool // there is no message: no path has a value

	Claim budget.Claim // of the message, its text and its document

	// Decode converts Data to text, whose memory it claims before. Nil means that Data is text.
	Decode func(data []byte, by *budget.Claim) (text []byte, err error)

	reused bool  // its memory is reused after it was judged
	seq    int64 // its number on the connection
	text   []byte
	broken error // why Data can't be converted to text
	doc    any   // the text as JSON
	tried  bool
	unread error // the bound over which the text or its document is
}

// messages is the pool of messages that sockets read into.
var messages = sync.Pool{New: func() any { return &Message{reused: true} }}

// release gives back the memory of a message that is no longer used. A nil message is ignored.
func (a *Message) release() {
	if a == nil {
		return
	}
	if a.Forget(); !a.reused || cap(a.Data) > mostBuffer {
		return
	}
	*a = Message{Data: a.Data[:0], reused: true}
	messages.Put(a)
}

// Forget gives the memory of a message back to the budget when it is no longer used.
func (a *Message) Forget() { a.Claim.Release() }

// Unread returns the bound over which the document is, for package targets; nil: it is over none.
func (a *Message) Unread() error { return a.unread }

// JSON implements [targets.Answer]. It returns the values at a path. If the message is not JSON, $ is its text.
func (a *Message) JSON(path jp.Expr) []any {
	if a.None {
		return []any{}
	}
	if !a.tried {
		a.tried = true
		var err error
		if a.doc, err = check.Parse(a.Body(), &a.Claim); err != nil {
			a.doc = string(a.Body())
			a.note(err)
		}
	}
	return check.AtPath(a.doc, path)
}

// Document implements [targets.Answer]. A message that is not JSON is a text.
func (a *Message) Document() (doc any, ok bool) { return check.First(a.JSON(jp.R())) }

// Header implements [targets.Answer]. A message has no headers.
func (a *Message) Header(string) [][]byte { return nil }

func (a *Message) Body() []byte {
	if a.Decode == nil {
		return a.Data
	}
	if a.text == nil && a.broken == nil {
		a.text, a.broken = a.Decode(a.Data, &a.Claim)
		a.note(a.broken)
	}
	return a.text
}

// note notes an error if it says that the message is over a bound.
func (a *Message) note(err error) {
	if a.unread == nil {
		a.unread = budget.Over(err)
	}
}

// A MessageCheck holds the conditions that a message must meet to be ok.
type MessageCheck struct {
	check.Answer
	text *check.Matcher
}

func (k *MessageCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.Decode(n, m, check.Own{
		Such: `such as {"$.ok": true}`,
		Keys: []string{"text", "$", "$.path"},
		Read: func(f syntax.Field) bool {
			if f.Key != "text" {
				return false
			}
			k.text = new(check.Matcher)
			k.text.DecodeText(f.Value, m)
			return true
		},
	})
}

// Compile adds the conditions to the checks of a call; a nil check has none.
func (k *MessageCheck) Compile(rest *targets.Expected, in targets.Scope, m *syntax.Mistakes) {
	if k == nil {
		return
	}
	rest.Within(k.Within, in)
	rest.Fields("", k.Paths, in)
	rest.Body(k.text, in)
	rest.Schema(k.Valid, in, m)
}

// An Extraction is the place of a variable's value in a message: `$.path`, `text`, or `~ regexp`, which returns its
// first group.
type Extraction struct {
	targets.Place
	re *regexp.Regexp
}

func (e *Extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	switch {
	case !ok || text == "text" || e.Decode(n, text, m):
	case strings.HasPrefix(text, "~"):
		var err error
		if e.re, err = regexp.Compile(strings.TrimSpace(text[1:])); err != nil {
			m.Add(n.Pos, "%v", err)
		}
	default:
		m.Add(n.Pos, `want "$.path", "text" or "~ regexp", not %q`, syntax.Clip(text, 60))
	}
}

// String returns the Extraction as its author wrote it.
func (e *Extraction) String() string {
	switch {
	case e.Path != nil:
		return e.Place.String()
	case e.re != nil:
		return "~ " + e.re.String()
	}
	return "text"
}

func (e *Extraction) Find(a *Message, v *template.Value) bool {
	switch {
	case e.Path != nil:
		return e.Place.Find(a, v)
	case e.re != nil:
		m := e.re.FindSubmatch(a.Body())
		if m == nil {
			return false
		}
		v.SetBytes(m[min(1, len(m)-1)])
		return true
	}
	v.SetBytes(a.Body())
	return true
}
