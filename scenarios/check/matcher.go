package check

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"

	"github.com/ohler55/ojg/jp"
	"github.com/ohler55/ojg/oj"
)

// A Matcher is the right side of a check: a value, `not empty`, `exists`, `absent`, `> n`, `contains text`, `~ regexp`,
// or a list of values, one of which must match. Its value may have placeholders.
type Matcher struct {
	op     string // =, !=, <, <=, >, >=, ~, !~, contains, not contains, exists, absent, not empty, any, class
	text   []byte
	fill   *template.Text // the text, if it is known only while requests are made
	number float64
	isNum  bool
	re     *regexp.Regexp
	any    []Matcher
}

const (
	absent      = "absent"
	contains    = "contains"
	notContains = "not contains"
	notLike     = "!~"
)

// comparisons are the operators that a value follows. An operator comes before those that it begins with.
var comparisons = []string{"<=", ">=", "!=", "<", ">", "=", notLike, "~"}

// cutOperator splits a text into its operator and the value that follows. Without an operator the text is the value.
func cutOperator(text string) (op, value string) {
	for _, op := range []string{contains, notContains, "not ~"} {
		if rest, found := strings.CutPrefix(text, op); found && (op == "not ~" || strings.HasPrefix(rest, " ")) {
			return strings.Replace(op, "not ~", notLike, 1), strings.TrimLeft(rest, " ")
		}
	}
	for _, op := range comparisons {
		if rest, found := strings.CutPrefix(text, op); found {
			return op, strings.TrimLeft(rest, " ")
		}
	}
	return "=", text
}

func (k *Matcher) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	if n.Kind == syntax.List {
		k.list(n, func(one *Matcher, item *syntax.Node) { one.DecodeNode(item, m) })
		return
	}
	if !n.Bad && n.Dynamic() != nil {
		k.decodeFilled(n, m)
		return
	}
	text, ok := n.Text(m)
	if !ok {
		return
	}
	switch text {
	case "exists", "not empty", absent:
		k.op = text
		return
	case "not exists":
		k.op = absent
		return
	}
	value := text
	if k.op, value = cutOperator(text); value != text {
		value = strings.TrimSpace(value)
	}
	switch k.op {
	case "~", notLike:
		var err error
		if k.re, err = regexp.Compile(value); err != nil {
			m.Add(n.Pos, "%v", err)
		}
		return
	case contains, notContains:
		if quoted, err := strconv.Unquote(value); err == nil && value[0] == '"' {
			value = quoted
		}
		if value == "" {
			m.AddHint(n.Pos, "such as "+k.op+" ok", "every text contains an empty one")
		}
	case "=":
		if rest, negated := strings.CutPrefix(text, "not "); negated && oj.ValidateString(rest) == nil {
			m.AddHint(n.Pos, fmt.Sprintf("`!= %s` is its negation; the text itself is `= %s`", rest, text),
				"%q is no condition", syntax.Clip(text, 60))
		} else if meant := misspelled(text); meant != "" && value == text {
			m.AddHint(n.Pos, fmt.Sprintf("did you mean `%s`? The text itself is `= %s`", meant, text),
				"%q is no condition", syntax.Clip(text, 60))
		}
	}
	k.text = []byte(value)
	k.number, k.isNum = parseNumber(value)
	if !k.isNum && strings.ContainsAny(k.op, "<>") {
		m.Add(n.Pos, "%s compares numbers, and %q is not a number", k.op, value)
	}
}

// misspelled returns the condition that a text is likely meant as: all but a letter of it, or `contain` for `contains`.
// It is empty for another text.
func misspelled(text string) string {
	for _, op := range []string{contains, notContains} {
		if rest, found := strings.CutPrefix(text, strings.TrimSuffix(op, "s")+" "); found {
			return op + " " + rest
		}
	}
	near := syntax.Nearest(text, []string{"exists", "not exists", absent, "not empty"})
	if longer := len(near) - len(text); near == "" || longer < -1 || longer > 1 {
		return ""
	}
	return near
}

// decodeFilled reads a value with placeholders. The operator comes from the text that the author wrote, never from
// the value of a placeholder.
func (k *Matcher) decodeFilled(n *syntax.Node, m *syntax.Mistakes) {
	parts := slices.Clone(n.Parts)
	k.op = "="
	if first := &parts[0]; first.Ref == nil {
		var value string
		if k.op, value = cutOperator(first.Text); value != first.Text {
			first.Text = value
			if last := &parts[len(parts)-1]; last.Ref == nil {
				last.Text = strings.TrimRight(last.Text, " ")
			}
		}
	}
	if k.op == "~" || k.op == notLike {
		m.AddHint(n.Pos, "such as \"contains "+n.Dynamic().String()+"\"",
			"a regular expression is fixed, and the value of %s is not", n.Dynamic())
		return
	}
	if first, last := &parts[0], &parts[len(parts)-1]; len(parts) > 2 && strings.HasSuffix(k.op, contains) &&
		strings.HasPrefix(first.Text, `"`) && strings.HasSuffix(last.Text, `"`) && first.Ref == nil && last.Ref == nil {
		first.Text, last.Text = strings.TrimPrefix(first.Text, `"`), strings.TrimSuffix(last.Text, `"`)
	}
	filled := *n
	filled.SetParts(slices.DeleteFunc(parts, func(p syntax.Part) bool { return p.Ref == nil && p.Text == "" }))
	k.fill = new(template.Text)
	k.fill.DecodeNode(&filled, m)
	for _, r := range k.fill.Refs() {
		switch r.Kind {
		case syntax.RefInt, syntax.RefUUID, syntax.RefNow:
			m.AddHint(n.Pos, "compare with a value that an earlier step extracts, or with ${data.NAME.COLUMN}",
				"%s is another value each time", r)
		}
	}
}

// Refs lists the placeholders of the value that are filled in for each answer.
func (k *Matcher) Refs() (refs []*syntax.Ref) {
	if k.fill != nil {
		refs = k.fill.Refs()
	}
	for i := range k.any {
		refs = append(refs, k.any[i].Refs()...)
	}
	return refs
}

// DecodeText is DecodeNode for a text that an answer always has.
func (k *Matcher) DecodeText(n *syntax.Node, m *syntax.Mistakes) {
	k.DecodeNode(n, m)
	k.RefuseAbsent(n, m)
}

// RefuseAbsent notes a mistake if the condition asks for a value that is absent.
func (k *Matcher) RefuseAbsent(n *syntax.Node, m *syntax.Mistakes) {
	if k.op == absent {
		m.AddHint(n.Pos, "an empty text is \"\"; the text itself is `= "+n.Shown()+"`", "the text of an answer is never absent")
	}
}

// The forms of a condition, for the descriptions of keys.
const (
	// Forms are those of a text.
	Forms = "a value, not empty, contains text, not contains text, ~ regexp, !~ regexp"
	// PathForms are those of the value at a path.
	PathForms = "a value, exists, absent, not empty, > n, contains text, not contains text, ~ regexp, !~ regexp"
)

// list reads a list, one item of which must match. Read parses an item.
func (k *Matcher) list(n *syntax.Node, read func(one *Matcher, item *syntax.Node)) {
	k.op, k.any = "any", make([]Matcher, len(n.Items))
	for i, item := range n.Items {
		read(&k.any[i], item)
	}
}

// String writes the matcher as its author did.
func (k *Matcher) String() string {
	text := string(k.text)
	if k.fill != nil {
		text = k.fill.Text()
	}
	switch k.op {
	case "exists", "not empty", absent:
		return k.op
	case "~", notLike:
		return k.op + " " + k.re.String()
	case "class":
		return fmt.Sprintf("%gxx", k.number)
	case "any":
		var all []string
		for i := range k.any {
			all = append(all, k.any[i].String())
		}
		return strings.Join(all, " or ")
	case "=":
		return strconv.Quote(text)
	case contains, notContains:
		return k.op + " " + strconv.Quote(text)
	}
	return k.op + " " + text
}

// Describe writes the matcher with the values that its placeholders have for it.
func (k *Matcher) Describe(it *template.Iter) string {
	if k.op == "any" {
		all := make([]string, len(k.any))
		for i := range k.any {
			all[i] = k.any[i].Describe(it)
		}
		return strings.Join(all, " or ")
	}
	if k.fill == nil {
		return k.String()
	}
	filled, err := k.filled(it)
	if err != nil {
		return fmt.Sprintf("%s (%v)", k, err)
	}
	return fmt.Sprintf("%s (%s)", filled.String(), k.fill.Text())
}

// AtPath returns the values at a JSON path of a document. It never returns nil, which means that there is no document.
func AtPath(doc any, path jp.Expr) []any {
	if len(path) == 1 { // $ is the document itself
		return []any{doc}
	}
	if found := path.Get(doc); found != nil {
		return found
	}
	return []any{}
}

// First returns the first of the values at a path.
func First(found []any) (v any, ok bool) {
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
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
		return []string{"=" + string(k.text)}
	}
	return []string{k.String()}
}

// filled returns the matcher with the values that its placeholders have for it. It is valid until it is filled again.
func (k *Matcher) filled(it *template.Iter) (Matcher, error) {
	text, err := it.Fill(&k.fill.Template)
	if err != nil {
		return Matcher{}, err
	}
	out := Matcher{op: k.op, text: text}
	if out.number, out.isNum = parseNumber(string(text)); !out.isNum && strings.ContainsAny(k.op, "<>") {
		return out, fmt.Errorf("%q is not a number", syntax.Clip(string(text), 60))
	}
	return out, nil
}

// Matches reports whether v, a JSON value or a text, matches. Found is false if there is no value. Placeholders have
// the values of it, which may be nil if there are none.
func (k *Matcher) Matches(v any, found bool, it *template.Iter) bool {
	switch {
	case k.op == "any":
		for i := range k.any {
			if k.any[i].Matches(v, found, it) {
				return true
			}
		}
		return false
	case k.op == absent || !found:
		return k.op == absent && !found
	case k.fill != nil:
		filled, err := k.filled(it)
		return err == nil && filled.matches(v)
	}
	return k.matches(v)
}

// matches is Matches for a value that was found, by a single form that needs no filling.
func (k *Matcher) matches(v any) bool {
	switch k.op {
	case "exists":
		return true
	case "not empty":
		return !isEmpty(v)
	case "~":
		return k.re.MatchString(ValueText(v))
	case notLike:
		return !k.re.MatchString(ValueText(v))
	case contains:
		return k.within(v)
	case notContains:
		return !k.within(v)
	case "class":
		code, _ := v.(int64)
		return code/100 == int64(k.number)
	}
	return k.compares(v, k.op)
}

// compares compares a value with the matcher's.
func (k *Matcher) compares(v any, op string) bool {
	equality := op == "=" || op == "!="
	if s, isText := v.(string); isText && equality { // as texts, 1.10 and 1.1 differ
		return (s == string(k.text)) == (op == "=")
	}
	if x, isNum := numberOf(v); isNum && k.isNum {
		return compare(x, op, k.number)
	}
	return equality && (ValueText(v) == string(k.text)) == (op == "=")
}

// within reports whether a list has an item that equals the matcher's text, or whether the text of another value
// contains it.
func (k *Matcher) within(v any) bool {
	if list, isList := v.([]any); isList {
		return slices.ContainsFunc(list, func(item any) bool { return k.compares(item, "=") })
	}
	return strings.Contains(ValueText(v), string(k.text))
}

// MatchesOne reports whether one of several values matches. No value is what none has, for a form that is negated.
func (k *Matcher) MatchesOne(values [][]byte, it *template.Iter) bool {
	matches := func(v []byte) bool { return k.Matches(string(v), true, it) }
	switch {
	case len(values) == 0:
		return k.Matches(nil, false, it)
	case k.op == notContains || k.op == notLike:
		return !slices.ContainsFunc(values, func(v []byte) bool { return !matches(v) })
	}
	return slices.ContainsFunc(values, matches)
}

// MatchesText is Matches for a text. It allocates nothing for the usual forms.
func (k *Matcher) MatchesText(text []byte, it *template.Iter) bool {
	if k.fill != nil {
		filled, err := k.filled(it)
		return err == nil && filled.MatchesText(text, nil)
	}
	switch k.op {
	case "=", "!=":
		return bytes.Equal(text, k.text) == (k.op == "=")
	case "~":
		return k.re.Match(text)
	case contains:
		return bytes.Contains(text, k.text)
	}
	return k.Matches(string(text), true, it)
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
	s, ok := n.Text(m)
	if !ok || k.status(s) {
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
	k.op, k.text, k.number, k.isNum = "=", []byte(s), float64(code), true
	return true
}

func (*Matcher) Schema() syntax.Schema {
	return syntax.OneOrList(syntax.TextSchema())
}
