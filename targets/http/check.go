package http

import (
	"fmt"
	"slices"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/quantity"
	"brunt/scenarios/secret"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http/h1"

	"github.com/ohler55/ojg/jp"
)

// extraction is where the value of a variable stands in an answer.
type extraction struct{ finder }

// DecodeNode implements [syntax.NodeDecoder].
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

type httpCheck struct {
	id     int // number in the plan
	header string
	path   jp.Expr
	body   bool
	within time.Duration
	check.Matcher
}

type httpExtract struct {
	id   int
	slot int
	finder
	secret bool // by the name of the variable, or of the place
}

func (c *Call) compileChecks(k *check.Response, in targets.Scope) {
	if k == nil {
		return
	}
	c.status, c.shed, c.most = k.Status, k.Shed, int(k.MaxBody)
	if k.Within > 0 {
		c.checks = append(c.checks, httpCheck{id: in.AddCheck("within"), within: k.Within})
	}
	for _, h := range k.Headers {
		c.checks = append(c.checks, httpCheck{id: in.AddCheck("header " + h.Name), header: h.Name, Matcher: h.Matcher})
	}
	if k.Body != nil {
		c.whole = true
		c.checks = append(c.checks, httpCheck{id: in.AddCheck("body"), body: true, Matcher: *k.Body})
	}
	for _, p := range k.Paths {
		c.whole = true
		c.checks = append(c.checks, httpCheck{id: in.AddCheck(p.Name), path: p.Path, Matcher: p.Matcher})
	}
}

// Judge records the results of the checks in out, and extracts variables from the answer into
// it.
func (c *Call) Judge(a *h1.Answer, it *template.Iter, out *scenarios.Outcome) {
	code := int(out.Status)
	if slices.Contains(c.shed, code) {
		out.Kind = scenarios.Shed
		return
	}
	out.Checks++
	if c.status == nil && code >= 400 || c.status != nil && !c.status.Matches(int64(code), true) {
		out.Failed++
		out.Kind, out.Cause = scenarios.Error, scenarios.Status(code)
		return
	}
	if c.whole && a.Inflate(c.MaxBody()) != nil {
		out.Kind, out.Cause = scenarios.Error, scenarios.Other
		return
	}
	if c.graphql != nil {
		out.Checks++
		if cause, _ := c.graphql.failure(a); cause != scenarios.NoCause {
			out.Failed++
			out.Kind, out.Cause = scenarios.Error, cause
			return
		}
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
		if !e.find(a, &it.Vars[e.slot]) {
			out.Kind, out.Cause = scenarios.Error, scenarios.Extraction(e.id)
			return
		}
		if e.secret || e.cookie != "" && secret.IsToken(it.Vars[e.slot].Text) {
			it.Offer(it.Vars[e.slot].Text)
		}
	}
}

func (k *httpCheck) holds(a *h1.Answer, out *scenarios.Outcome) bool {
	switch {
	case k.within > 0:
		return out.Took() <= k.within
	case k.header != "":
		return slices.ContainsFunc(a.Header(k.header), func(value []byte) bool { return k.Matches(string(value), true) })
	case k.body:
		return k.Matches(string(a.Body()), true)
	}
	v, ok := a.JSON(k.path)
	return k.Matches(v, ok)
}

// Wanted describes the first check that an answer failed: what it expects, and what came.
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
	case c.status != nil && !c.status.Matches(code, true):
		return "status " + c.status.String() + " was wanted"
	}
	if c.whole {
		if err := a.Inflate(c.MaxBody()); err != nil {
			return err.Error()
		}
	}
	if c.graphql != nil {
		if _, why := c.graphql.failure(a); why != "" {
			return why
		}
	}
	for i := range c.checks {
		if k := &c.checks[i]; !k.holds(a, out) {
			return k.wanted(a, out)
		}
	}
	for i := range c.extracts {
		if e := &c.extracts[i]; !e.find(a, &it.Vars[e.slot]) {
			return "nothing stands at " + e.String()
		}
	}
	return ""
}

func (k *httpCheck) wanted(a *h1.Answer, out *scenarios.Outcome) string {
	switch {
	case k.within > 0:
		return fmt.Sprintf("an answer within %s was wanted, and it took %s", quantity.FormatDuration(k.within), quantity.FormatSeconds(out.Took().Seconds()))
	case k.header != "":
		if all := a.Header(k.header); len(all) > 0 {
			return fmt.Sprintf("header %s was %s, and %s was wanted", k.header, targets.Quote(string(all[0])), k.Matcher.String())
		}
		return fmt.Sprintf("there was no header %s, and %s was wanted", k.header, k.Matcher.String())
	case k.body:
		return fmt.Sprintf("a body of %s was wanted", k.Matcher.String())
	}
	if v, found := a.JSON(k.path); found {
		return fmt.Sprintf("%s was %s, and %s was wanted", k.path, targets.Quote(check.ValueText(v)), k.Matcher.String())
	}
	return fmt.Sprintf("there was nothing at %s, and %s was wanted", k.path, k.Matcher.String())
}
