package http

import (
	"slices"

	"brunt/scenarios"
	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"
)

// An extraction is the place of a variable's value in an answer.
type extraction struct{ finder }

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	s, ok := n.Text(m)
	if !ok {
		return
	}
	f, err := parseFinder(s)
	if err != nil {
		m.Add(n.Pos, "%v", err)
		return
	}
	e.finder = f
}

func (c *Call) compileChecks(k *check.Response, in targets.Scope, m *syntax.Mistakes) {
	if k == nil {
		return
	}
	c.status, c.shed, c.most = k.Status, k.Shed, int(k.MaxBody)
	budget.Raise(8 * int64(k.MaxBody))
	c.whole = c.whole || k.Body != nil || len(k.Paths) > 0 || k.Valid != nil
	c.rest.Within(k.Within, in)
	c.rest.Fields("header", k.Headers, in)
	c.rest.Body(k.Body, in)
	c.rest.Schema(k.Valid, in, m)
	c.rest.Fields("header", k.Paths, in)
}

func (c *Call) compileWants(w *check.Wants) {
	c.whole = c.whole || w.ReadsBody()
	c.rest.Want("header", w)
}

// Judge records the results of the checks in out, and extracts variables from the answer into
// it.
func (c *Call) Judge(a *h1.Answer, it *template.Iter, out *scenarios.Outcome) {
	code := int(out.Status)
	good := c.status == nil && code < 400 || c.status != nil && c.status.Matches(int64(code), true, it)
	if !targets.JudgeStatus(out, slices.Contains(c.shed, code), good, scenarios.Status(code)) {
		return
	}
	if c.whole {
		if err := a.Inflate(c.MaxBody()); err != nil {
			out.Kind, out.Cause = scenarios.Error, targets.Oversized(err)
			return
		}
	}
	if c.graphql != nil {
		out.Checks++
		if cause, _ := c.graphql.failure(a); cause != scenarios.NoCause {
			out.Failed++
			out.Kind, out.Cause = scenarios.Error, targets.AnswerCause(a, cause)
			return
		}
	}
	c.rest.Judge(a, it, out)
}

// Wanted describes the first check that an answer failed: the expected and the actual value.
func (c *Call) Wanted(a *h1.Answer, it *template.Iter, out *scenarios.Outcome) string {
	code := int64(out.Status)
	switch {
	case c.status == nil && code >= 400:
		if c.graphql != nil { // the errors in the answer explain it
			if cause, why := c.graphql.failure(a); cause == scenarios.GraphQLErrors {
				return why
			}
		}
		return "" // the cause explains it
	case c.status != nil && !c.status.Matches(code, true, it):
		return "status " + c.status.String() + " was wanted"
	}
	if c.whole {
		if err := a.Inflate(c.MaxBody()); err != nil {
			return err.Error()
		}
	}
	if c.graphql != nil {
		if _, why := c.graphql.failure(a); why != "" {
			if over := a.Unread(); over != nil {
				return over.Error()
			}
			return why
		}
	}
	return c.rest.Wanted(a, it, out)
}
