package check

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

// A Matcher is the right side of a check: a value, `not empty`, `exists`, `> n`, `~ regexp`, or a list of values, one
// of which must match.
type Matcher struct {
	op     string // =, !=, <, <=, >, >=, ~, exists, not empty, any, class
	text   string
	number float64
	isNum  bool
	re     *regexp.Regexp
	any    []Matcher
}

var comparisons = []string{"<=", ">=", "!=", "<", ">", "="}

func (k *Matcher) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.List {
		k.list(n, func(one *Matcher, item *syntax.Node) { one.DecodeNode(item, m) })
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
		m.Add(n.Pos, "%s compares numbers, and %q is not a number", k.op, k.text)
	}
}

// list reads a list, one item of which must match. Read parses an item.
func (k *Matcher) list(n *syntax.Node, read func(one *Matcher, item *syntax.Node)) {
	k.op, k.any = "any", make([]Matcher, len(n.Items))
	for i, item := range n.Items {
		read(&k.any[i], item)
	}
}

// String writes the matcher as its author did.
func (k *Matcher) String() string {
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

// AtPath returns the first value at a JSON path of a document.
func AtPath(doc any, path jp.Expr) (any, bool) {
	if len(path) == 1 { // $ is the document itself
		return doc, true
	}
	if found := path.Get(doc); len(found) > 0 {
		return found[0], true
	}
	return nil, false
}

// NameAt returns the name of the value at a JSON path: total of $.items[0].total.
func NameAt(path jp.Expr) string {
	name := path.String()
	return strings.Trim(name[strings.LastIndexAny(name, ".[")+1:], `]'"`)
}

// Forms returns texts that parse to the matcher; one of them must match.
func (k *Matcher) Forms() []string {
	switch k.op {
	case "any":
		var all []string
		for i := range k.any {
			all = append(all, k.any[i].Forms()...)
		}
		return all
	case "=":
		return []string{"=" + k.text}
	}
	return []string{k.String()}
}

// Matches reports whether v, a JSON value or a text, matches. Found is false if there is no value.
func (k *Matcher) Matches(v any, found bool) bool {
	if !found {
		return false
	}
	switch k.op {
	case "exists":
		return true
	case "not empty":
		return !isEmpty(v)
	case "any":
		return slices.ContainsFunc(k.any, func(one Matcher) bool { return one.Matches(v, true) })
	case "~":
		return k.re.MatchString(ValueText(v))
	case "class":
		code, _ := v.(int64)
		return code/100 == int64(k.number)
	}
	equality := k.op == "=" || k.op == "!="
	if s, isText := v.(string); isText && equality { // as texts, 1.10 and 1.1 differ
		return (s == k.text) == (k.op == "=")
	}
	if x, isNum := numberOf(v); isNum && k.isNum {
		return compare(x, k.op, k.number)
	}
	return equality && (ValueText(v) == k.text) == (k.op == "=")
}

// MatchesText is Matches for a text. It allocates nothing for the usual forms.
func (k *Matcher) MatchesText(text []byte) bool {
	switch k.op {
	case "=", "!=":
		return (string(text) == k.text) == (k.op == "=")
	case "~":
		return k.re.Match(text)
	}
	return k.Matches(string(text), true)
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

// isEmpty reports whether a JSON value is empty.
func isEmpty(v any) bool {
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

// numberOf parses a number, or a text that is a number.
func numberOf(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case json.Number: // too large for the other types
		return parseNumber(string(v))
	case string:
		return parseNumber(v)
	}
	return 0, false
}

// parseNumber parses a number that can be compared.
func parseNumber(s string) (float64, bool) {
	f, err := strconv.ParseFloat(s, 64)
	return f, err == nil && !math.IsNaN(f)
}

// ValueText returns a JSON value as text: a text unchanged, everything else as JSON.
func ValueText(v any) string {
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

// DecodeStatus reads a status, a class such as 2xx, a comparison or a list of them.
func (k *Matcher) DecodeStatus(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.List {
		k.list(n, func(one *Matcher, item *syntax.Node) { one.DecodeStatus(item, m) })
		return
	}
	if s, ok := n.Text(m); ok && k.status(s) {
		return
	}
	before := m.Len()
	k.DecodeNode(n, m)
	if m.Len() == before && (!k.isNum || k.number < 100 || k.number > 999) {
		m.Add(n.Pos, "want a status such as 200, 2xx or < 500, not %q", k.text)
	}
}

// Statuses reads statuses such as 201, or classes of statuses such as 2xx. One of them must match. Ok is false if a
// word is neither.
func Statuses(words []string) (k Matcher, ok bool) {
	k = Matcher{op: "any", any: make([]Matcher, len(words))}
	for i, word := range words {
		if !k.any[i].status(word) {
			return Matcher{}, false
		}
	}
	return k, true
}

// IsZero reports whether there is nothing to match.
func (k *Matcher) IsZero() bool { return k.op == "" }

// status reads a status such as 201, or a class of statuses such as 2xx.
func (k *Matcher) status(s string) bool {
	if len(s) != 3 || s[0] < '1' || s[0] > '5' {
		return false
	}
	if strings.EqualFold(s[1:], "xx") {
		k.op, k.number, k.isNum = "class", float64(s[0]-'0'), true
		return true
	}
	code, err := strconv.Atoi(s)
	if err != nil {
		return false
	}
	k.op, k.text, k.number, k.isNum = "=", s, float64(code), true
	return true
}

func (*Matcher) Schema() syntax.Schema {
	one := syntax.TextSchema()
	return syntax.Schema{"anyOf": []any{one, syntax.Schema{"type": "array", "items": one}}}
}
