package redis

import (
	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/targets"

	"github.com/ohler55/ojg/jp"
)

// answer is the answer to a call.
type answer struct {
	reply
	doc    any    // the decoded answer, if the call needs it; for several commands, the list of their answers
	whole  [1]any // doc, as the list that JSON returns
	inner  any    // the JSON in doc, if doc is a text
	tried  bool
	held   budget.Claim // of inner
	unread error        // the bound over which inner is
}

// JSON implements [targets.Answer]. It returns the values at a path of the answer. If the answer is a text, a longer
// path refers to the JSON in the text. An answer of nil has no values.
func (a *answer) JSON(path jp.Expr) []any {
	doc := a.doc
	if _, isText := doc.(string); isText && len(path) > 1 {
		doc = a.inside()
	}
	switch {
	case doc == nil:
		return []any{}
	case len(path) == 1:
		a.whole[0] = doc
		return a.whole[:]
	}
	return check.AtPath(doc, path)
}

// inside returns the JSON in an answer that is a text; nil if there is none.
func (a *answer) inside() any {
	if !a.tried {
		a.tried = true
		text := a.doc.(string)
		err := a.held.Take(len(text))
		if err == nil {
			a.inner, err = check.Parse([]byte(text), &a.held)
		}
		a.unread = budget.Over(err)
	}
	return a.inner
}

// Document implements [targets.Answer]. It returns the JSON in an answer that is a text, else the answer itself.
func (a *answer) Document() (doc any, ok bool) {
	if _, isText := a.doc.(string); isText && a.inside() != nil {
		return a.inner, true
	}
	return a.doc, true
}

// Unread returns the bound over which the document is, for package targets; nil: it is over none.
func (a *answer) Unread() error { return a.unread }

// Header implements [targets.Answer]. An answer of Redis has no headers.
func (a *answer) Header(string) [][]byte { return nil }

func (a *answer) Body() []byte { return a.text }

// Judge implements [calls.Maker].
func (t *exchange) Judge() {
	c, out, a := t.call, t.Out, &t.answer
	if targets.JudgeStatus(out, a.failed && a.rank == shedError, !a.failed || a.rank == allowedError,
		causes.Cause(a.number)) {
		c.rest.Judge(a, t.It, out)
	}
}

// wanted describes the first check that the answer failed: the expected and the actual value.
func (t *exchange) wanted() string {
	a := &t.answer
	if a.failed && a.rank != allowedError {
		return string(a.text)
	}
	return t.call.rest.Wanted(a, t.It, t.Out)
}
