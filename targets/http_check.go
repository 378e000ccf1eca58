package targets

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"brunt/scenarios"

	"github.com/ohler55/ojg/jp"
)

// checks are what an answer must be to be ok.
type checks struct {
	status  *matcher // nil is under 400
	shed    []int
	within  time.Duration
	body    *matcher
	headers []fieldCheck
	paths   []fieldCheck
}

type fieldCheck struct {
	name string
	path jp.Expr
	matcher
}

// DecodeNode implements [scenarios.NodeDecoder].
func (c *checks) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
	if n.Kind != scenarios.Map {
		m.AddHint(n.Pos, `such as {status: 200, "$.items": not empty}`, "check wants a map")
		return
	}
	for _, f := range n.Fields {
		switch {
		case f.Key == "status":
			c.status = new(matcher)
			c.status.status(f.Value, m)
		case f.Key == "shed":
			scenarios.Decode(f.Value, &c.shed, m)
		case f.Key == "within":
			var d scenarios.Duration
			before := m.Len()
			scenarios.Decode(f.Value, &d, m)
			if c.within = d.D(); c.within == 0 && m.Len() == before {
				m.Add(f.Value.Pos, "nothing answers within no time")
			}
		case f.Key == "body":
			c.body = new(matcher)
			c.body.DecodeNode(f.Value, m)
		case f.Key == "header" || f.Key == "headers":
			if f.Value.Kind != scenarios.Map {
				m.Add(f.Value.Pos, "want a map of header names to values")
				continue
			}
			for _, h := range f.Value.Fields {
				if !isToken(h.Key) {
					m.Add(h.Pos, "%q is no name of a header", h.Key)
				}
				k := fieldCheck{name: h.Key}
				k.DecodeNode(h.Value, m)
				c.headers = append(c.headers, k)
			}
		case strings.HasPrefix(f.Key, "$"):
			path, err := jp.ParseString(f.Key)
			if err != nil {
				m.Add(f.Pos, "%q is no JSON path: %v", f.Key, err)
				continue
			}
			k := fieldCheck{name: f.Key, path: path}
			k.DecodeNode(f.Value, m)
			c.paths = append(c.paths, k)
		default:
			m.AddHint(f.Pos, scenarios.DidYouMean(f.Key, []string{"status", "shed", "within", "body", "header", "$.path"}), "unknown check %q", f.Key)
		}
	}
}

// status reads a status, a class such as 2xx, a comparison or a list of them.
func (k *matcher) status(n *scenarios.Node, m *scenarios.Mistakes) {
	if n.Kind == scenarios.List {
		k.list(n, func(one *matcher, item *scenarios.Node) { one.status(item, m) })
		return
	}
	if s, ok := n.Text(m); ok && len(s) == 3 && strings.HasSuffix(strings.ToLower(s), "xx") && s[0] >= '1' && s[0] <= '5' {
		k.op, k.number, k.isNum = "class", float64(s[0]-'0'), true
		return
	}
	before := m.Len()
	k.DecodeNode(n, m)
	if m.Len() == before && (!k.isNum || k.number < 100 || k.number > 999) {
		m.Add(n.Pos, "want a status such as 200, 2xx or < 500, not %q", k.text)
	}
}

// extraction is where the value of a variable stands in an answer.
type extraction struct{ finder }

// DecodeNode implements [scenarios.NodeDecoder].
func (e *extraction) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
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
	matcher
}

type httpExtract struct {
	id   int
	slot int
	finder
}

func (c *httpCall) compileChecks(k *checks, in Scope) {
	if k == nil {
		return
	}
	c.status, c.shed = k.status, k.shed
	if k.within > 0 {
		c.checks = append(c.checks, httpCheck{id: in.check("within"), within: k.within})
	}
	for _, h := range k.headers {
		c.checks = append(c.checks, httpCheck{id: in.check("header " + h.name), header: h.name, matcher: h.matcher})
	}
	if k.body != nil {
		c.whole = true
		c.checks = append(c.checks, httpCheck{id: in.check("body"), body: true, matcher: *k.body})
	}
	for _, p := range k.paths {
		c.whole = true
		c.checks = append(c.checks, httpCheck{id: in.check(p.name), path: p.path, matcher: p.matcher})
	}
}

// judge sets what became of an answered request.
func (c *httpCall) judge(a *answer, it *scenarios.Iter, out *scenarios.Outcome) {
	code := int(out.Status)
	if slices.Contains(c.shed, code) {
		out.Kind = scenarios.Shed
		return
	}
	out.Checks++
	if c.status == nil && code >= 400 || c.status != nil && !c.status.matches(int64(code), true) {
		out.Failed++
		out.Kind, out.Cause = scenarios.Error, scenarios.Status(code)
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
	}
}

func (k *httpCheck) holds(a *answer, out *scenarios.Outcome) bool {
	switch {
	case k.within > 0:
		if out.Closed {
			return out.End-out.Slot <= k.within
		}
		return out.End-out.Intended <= k.within
	case k.header != "":
		return slices.ContainsFunc(a.header(k.header), func(value []byte) bool { return k.matches(string(value), true) })
	case k.body:
		return k.matches(string(a.body()), true)
	}
	v, ok := a.json(k.path)
	return k.matches(v, ok)
}

// wanted says what an answer that failed should have been, and what it was.
func (c *httpCall) wanted(a *answer, it *scenarios.Iter, out *scenarios.Outcome) string {
	code := int64(out.Status)
	switch {
	case c.status == nil && code >= 400:
		if c.graphql != nil { // its answers say why
			if cause, why := c.graphql.failure(a); cause == scenarios.GraphQLErrors {
				return why
			}
		}
		return "" // the cause says it
	case c.status != nil && !c.status.matches(code, true):
		return "status " + c.status.String() + " was wanted"
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

func (k *httpCheck) wanted(a *answer, out *scenarios.Outcome) string {
	switch {
	case k.within > 0:
		took := out.End - out.Intended
		if out.Closed {
			took = out.End - out.Slot
		}
		return fmt.Sprintf("an answer within %s was wanted, and it took %s", scenarios.FormatDuration(k.within), scenarios.FormatSeconds(took.Seconds()))
	case k.header != "":
		if all := a.header(k.header); len(all) > 0 {
			return fmt.Sprintf("header %s was %s, and %s was wanted", k.header, clipped(string(all[0])), k.matcher.String())
		}
		return fmt.Sprintf("there was no header %s, and %s was wanted", k.header, k.matcher.String())
	case k.body:
		return fmt.Sprintf("a body of %s was wanted", k.matcher.String())
	}
	if v, found := a.json(k.path); found {
		return fmt.Sprintf("%s was %s, and %s was wanted", k.path, clipped(text(v)), k.matcher.String())
	}
	return fmt.Sprintf("there was nothing at %s, and %s was wanted", k.path, k.matcher.String())
}

// clipped quotes a value for people.
func clipped(s string) string {
	const most = 80
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return strconv.Quote(s)
}
