package targets

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

// A matcher is the right side of a check: a value, `not empty`, `exists`, `> n`,
// `~ regexp`, or a list of values of which one must match.
type matcher struct {
	op     string // =, !=, <, <=, >, >=, ~, exists, not empty, any
	text   string
	number float64
	isNum  bool
	re     *regexp.Regexp
	any    []matcher
}

var comparisons = []string{"<=", ">=", "!=", "<", ">", "="}

// DecodeNode implements [scenarios.NodeDecoder].
func (k *matcher) DecodeNode(n *scenarios.Node, m *scenarios.Mistakes) {
	if n.Kind == scenarios.List {
		k.op = "any"
		for _, item := range n.Items {
			var one matcher
			one.DecodeNode(item, m)
			k.any = append(k.any, one)
		}
		return
	}
	text, ok := n.Text(m)
	if !ok {
		return
	}
	k.op, k.text = "=", text
	switch {
	case text == "exists" || text == "not empty":
		k.op = text
		return
	case strings.HasPrefix(text, "~"):
		re, err := regexp.Compile(strings.TrimSpace(text[1:]))
		if err != nil {
			m.Add(n.Pos, "%v", err)
			return
		}
		k.op, k.re = "~", re
		return
	}
	for _, op := range comparisons {
		if rest, found := strings.CutPrefix(text, op); found {
			k.op, k.text = op, strings.TrimSpace(rest)
			break
		}
	}
	f, err := strconv.ParseFloat(k.text, 64)
	k.number, k.isNum = f, err == nil
	if !k.isNum && strings.ContainsAny(k.op, "<>") {
		m.Add(n.Pos, "%s compares numbers, and %q is none", k.op, k.text)
	}
}

// matches tells whether v, a JSON value or a text, is as asked. Found is false
// when there was nothing to look at.
func (k *matcher) matches(v any, found bool) bool {
	if !found {
		return false
	}
	switch k.op {
	case "exists":
		return true
	case "not empty":
		return !empty(v)
	case "any":
		return slices.ContainsFunc(k.any, func(one matcher) bool { return one.matches(v, true) })
	case "~":
		return k.re.MatchString(text(v))
	}
	x, isNum := number(v)
	if k.isNum && isNum {
		switch k.op {
		case "<":
			return x < k.number
		case "<=":
			return x <= k.number
		case ">":
			return x > k.number
		case ">=":
			return x >= k.number
		case "!=":
			return x != k.number
		}
		return x == k.number
	}
	switch k.op {
	case "=":
		return text(v) == k.text
	case "!=":
		return text(v) != k.text
	}
	return false
}

func empty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case []any:
		return len(v) == 0
	case map[string]any:
		return len(v) == 0
	}
	return false
}

func number(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		f, err := strconv.ParseFloat(v, 64)
		return f, err == nil
	}
	return 0, false
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return "null"
	}
	return oj.JSON(v)
}

// A finder takes a value out of an answer: `$.path`, `header NAME`, `cookie NAME`
// or `~ regexp`, whose first group it is.
type finder struct {
	path   jp.Expr
	header string
	cookie string
	re     *regexp.Regexp
}

// parseFinder reads the form that extractions are written in.
func parseFinder(s string) (finder, error) {
	switch {
	case strings.HasPrefix(s, "$"):
		path, err := jp.ParseString(s)
		if err != nil {
			return finder{}, fmt.Errorf("%q is no JSON path: %w", s, err)
		}
		return finder{path: path}, nil
	case strings.HasPrefix(s, "~"):
		re, err := regexp.Compile(strings.TrimSpace(s[1:]))
		return finder{re: re}, err
	case strings.HasPrefix(s, "header "):
		return finder{header: strings.TrimSpace(s[len("header "):])}, nil
	case strings.HasPrefix(s, "cookie "):
		return finder{cookie: strings.TrimSpace(s[len("cookie "):])}, nil
	}
	return finder{}, fmt.Errorf("want \"$.path\", \"header NAME\", \"cookie NAME\" or \"~ regexp\", not %q", s)
}

// find takes the value out of an answer.
func (f *finder) find(a *answer, v *scenarios.Value) bool {
	switch {
	case f.path != nil:
		got, ok := a.json(f.path)
		if !ok {
			return false
		}
		if s, isText := got.(string); isText {
			v.SetText(s)
		} else {
			v.SetJSON(oj.JSON(got))
		}
		return true
	case f.header != "":
		if b := a.header(f.header); b != nil {
			v.SetBytes(b)
			return true
		}
		return false
	case f.cookie != "":
		if s, ok := a.cookie(f.cookie); ok {
			v.SetText(s)
			return true
		}
		return false
	}
	m := f.re.FindSubmatch(a.body())
	if m == nil {
		return false
	}
	v.SetBytes(m[min(1, len(m)-1)])
	return true
}
