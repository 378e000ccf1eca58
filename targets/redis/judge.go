package redis

import (
	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/template"
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

// at returns the value at a path of the answer. Below a text it is one of the JSON that the text holds. Nil is nothing.
func (a *answer) at(path jp.Expr) (any, bool) {
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

// judge records the results of the checks in the outcome, and extracts variables from the answer.
func (t *exchange) judge() {
	c, out, a := t.call, t.out, &t.answer
	if a.failed && len(c.shed) > 0 && a.holds(c.shed) {
		out.Kind = scenarios.Shed
		return
	}
	out.Checks++
	if a.failed && !a.holds(c.allow) {
		out.Failed++
		out.Kind, out.Cause = scenarios.Error, scenarios.RedisError(a.number)
		return
	}
	for i := range c.checks {
		k := &c.checks[i]
		out.Checks++
		if k.holds(a, out) {
			continue
		}
		out.Failed++
		if out.Kind != scenarios.Error {
			out.Kind, out.Cause = scenarios.Error, scenarios.Check(k.id)
		}
	}
	if out.Kind == scenarios.Error {
		return
	}
	for i := range c.extracts {
		e := &c.extracts[i]
		if !e.find(a, &t.it.Vars[e.slot]) {
			out.Kind, out.Cause = scenarios.Error, scenarios.Extraction(e.id)
			return
		}
		if e.secret {
			t.it.Offer(t.it.Vars[e.slot].Text)
		}
	}
}

func (k *condition) holds(a *answer, out *scenarios.Outcome) bool {
	if k.within > 0 {
		return out.Took() <= k.within
	}
	v, found := a.at(k.path)
	return k.Matches(v, found)
}

// find extracts the value from an answer.
func (e *extraction) find(a *answer, v *template.Value) bool {
	got, found := a.at(e.path)
	if found {
		targets.SetFound(v, got)
	}
	return found
}

// wanted describes the first check that the answer failed: what it expects, and what came.
func (t *exchange) wanted() string {
	c, a := t.call, &t.answer
	if a.failed && !a.holds(c.allow) {
		return string(a.text)
	}
	for i := range c.checks {
		if k := &c.checks[i]; !k.holds(a, t.out) {
			return k.wanted(a, t.out)
		}
	}
	for i := range c.extracts {
		if e := &c.extracts[i]; !e.find(a, &t.it.Vars[e.slot]) {
			return "nothing stands at " + e.path.String()
		}
	}
	return ""
}
