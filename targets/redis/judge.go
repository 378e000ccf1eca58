package redis

import (
	"brunt/scenarios/check"
	"brunt/targets"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

// answer is the answer to a call.
type answer struct {
	reply
	doc   any // of a call whose answer is read; of several commands it is the list of their answers
	inner any // the JSON that the text doc holds
	tried bool
}

// JSON implements [targets.Answer]: the value at a path of the answer. Below a text it is one of the JSON that the text
// holds. Nil is nothing.
func (a *answer) JSON(path jp.Expr) (any, bool) {
	doc := a.doc
	if text, isText := doc.(string); isText && len(path) > 1 {
		if !a.tried {
			a.tried = true
			a.inner, _ = oj.ParseString(text)
		}
		doc = a.inner
	}
	if doc == nil {
		return nil, false
	}
	return check.AtPath(doc, path)
}

// Header implements [targets.Answer]: an answer of Redis has none.
func (a *answer) Header(string) [][]byte { return nil }

func (a *answer) Body() []byte { return a.text }

// judge records the results of the checks in the outcome, and extracts variables from the answer.
func (t *exchange) judge() {
	c, out, a := t.call, t.out, &t.answer
	if targets.JudgeStatus(out, a.failed && a.rank == shedError, !a.failed || a.rank == allowedError,
		causes.Cause(a.number)) {
		c.rest.Judge(a, t.it, out)
	}
}

// wanted describes the first check that the answer failed: what it expects, and what came.
func (t *exchange) wanted() string {
	a := &t.answer
	if a.failed && a.rank != allowedError {
		return string(a.text)
	}
	return t.call.rest.Wanted(a, t.it, t.out)
}
