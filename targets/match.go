package targets

import (
	"encoding/json"
	"fmt"
	"math"
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
	op     string // =, !=, <, <=, >, >=, ~, exists, not empty, any, class
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
		k.list(n, func(one *matcher, item *scenarios.Node) { one.DecodeNode(item, m) })
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
	k.number, k.isNum = parseNumber(k.text)
	if !k.isNum && strings.ContainsAny(k.op, "<>") {
		m.Add(n.Pos, "%s compares numbers, and %q is none", k.op, k.text)
	}
}

// list reads a list of which one must match, each item of it by read.
func (k *matcher) list(n *scenarios.Node, read func(one *matcher, item *scenarios.Node)) {
	k.op, k.any = "any", make([]matcher, len(n.Items))
	for i, item := range n.Items {
		read(&k.any[i], item)
	}
}

// String writes the matcher as its author did.
func (k *matcher) String() string {
	switch k.op {
	case "exists", "not empty":
		return k.op
	case "~":
		return "~ " + k.re.String()
	case "class":
		return fmt.Sprintf("%gxx", k.number)
	case "any":
		var all []string
		for i := range k.any {
			all = append(all, k.any[i].String())
		}
		return strings.Join(all, " or ")
	case "=":
		return strconv.Quote(k.text)
	}
	return k.op + " " + k.text
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
	case "class":
		code, _ := v.(int64)
		return code/100 == int64(k.number)
	}
	equality := k.op == "=" || k.op == "!="
	if s, isText := v.(string); isText && equality { // of texts 1.10 and 1.1 are two
		return (s == k.text) == (k.op == "=")
	}
	if x, isNum := number(v); isNum && k.isNum {
		return compare(x, k.op, k.number)
	}
	return equality && (text(v) == k.text) == (k.op == "=")
}

func compare(x float64, op string, y float64) bool {
	switch op {
	case "<":
		return x < y
	case "<=":
		return x <= y
	case ">":
		return x > y
	case ">=":
		return x >= y
	case "!=":
		return x != y
	}
	return x == y
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
	case json.Number: // too large for the others
		return parseNumber(string(v))
	case string:
		return parseNumber(v)
	}
	return 0, false
}

// parseNumber reads a number that can be compared.
func parseNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f)
}

func text(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case nil:
		return "null"
	case json.Number:
		return string(v)
	}
	return oj.JSON(v)
}

// A finder takes a value out of an answer: `$.path`, `header NAME`, `cookie NAME`
// or `~ regexp`, whose first group it is.
type finder struct {
	path   jp.Expr
	header string
	cookie string
	event  string // id or type of a stream's last event
	re     *regexp.Regexp
}

// String writes the finder as its author did.
func (f *finder) String() string {
	switch {
	case f.path != nil:
		return f.path.String()
	case f.header != "":
		return "header " + f.header
	case f.cookie != "":
		return "cookie " + f.cookie
	case f.event != "":
		return "event " + f.event
	}
	return "~ " + f.re.String()
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
	}
	kind, name, _ := strings.Cut(s, " ")
	if name = strings.TrimSpace(name); isToken(name) {
		switch kind {
		case "header":
			return finder{header: name}, nil
		case "cookie":
			return finder{cookie: name}, nil
		case "event":
			if name == "id" || name == "type" {
				return finder{event: name}, nil
			}
		}
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
			v.SetJSON(text(got))
		}
		return true
	case f.header != "":
		if all := a.header(f.header); len(all) > 0 {
			v.SetBytes(all[0])
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
	if f.event != "" {
		found := a.eventKind
		if f.event == "id" {
			found = a.eventID
		}
		v.SetText(found)
		return found != ""
	}
	m := f.re.FindSubmatch(a.body())
	if m == nil {
		return false
	}
	found := m[min(1, len(m)-1)]
	v.SetBytes(found)
	return found != nil // a group that took no part found nothing
}
