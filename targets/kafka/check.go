package kafka

import (
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/budget"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
	"brunt/targets"

	"github.com/ohler55/ojg/jp"
)

// fieldNames are the fields of a record that checks and extractions name, besides paths of its value.
var fieldNames = []string{"partition", "offset", "key"}

// headerPrefix begins the name of a record's header.
const headerPrefix = "header "

// isField reports whether a name is that of a field or of a header.
func isField(name string) bool {
	return slices.Contains(fieldNames, name) || strings.HasPrefix(name, headerPrefix)
}

// answerCheck holds the conditions that an answer must meet to be ok.
type answerCheck struct {
	check.Answer
	allow, shed []int16
	fields      []check.Field
}

func (k *answerCheck) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	k.Decode(n, m, check.Own{
		Such: `such as {partition: 0} or {"$.total": "> 0"}`,
		Keys: slices.Concat([]string{"allow", "shed", "$.path"}, fieldNames),
		Read: func(f syntax.Field) bool {
			switch {
			case f.Key == "allow":
				k.allow = codes(f.Value, m)
			case f.Key == "shed":
				k.shed = codes(f.Value, m)
			case isField(f.Key):
				c := check.Field{Name: f.Key}
				c.DecodeNode(f.Value, m)
				k.fields = append(k.fields, c)
			default:
				return false
			}
			return true
		},
	})
}

// codes reads error codes by name or number: one, or a list.
func codes(n *syntax.Node, m *syntax.Mistakes) (list []int16) {
	for _, item := range n.OneOrMore() {
		text, ok := item.Text(m)
		if !ok {
			continue
		}
		code, known := codeNamed(text)
		if !known {
			m.AddHint(item.Pos, syntax.DidYouMean(strings.ToUpper(text), []string{
				"NOT_ENOUGH_REPLICAS", "NOT_LEADER_FOR_PARTITION", "REQUEST_TIMED_OUT", "MESSAGE_TOO_LARGE",
				"THROTTLING_QUOTA_EXCEEDED", "UNKNOWN_TOPIC_OR_PARTITION",
			}), "%q is not an error code of Kafka, such as NOT_ENOUGH_REPLICAS", syntax.Clip(text, 60))
		}
		list = append(list, code)
	}
	return list
}

// extraction is the place of a variable's value: `$.path` of the value, a field or a header of the record.
type extraction struct {
	targets.Place
	name string
}

func (e *extraction) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	text, ok := n.Text(m)
	switch {
	case !ok || e.Decode(n, text, m):
	case isField(text):
		e.name = text
	default:
		m.AddHint(n.Pos, "such as $.id, key, partition, offset or header trace",
			"want a path of the value, a field or a header of the record, not %q", syntax.Clip(text, 60))
	}
}

// String returns the extraction as its author wrote it.
func (e *extraction) String() string {
	if e.name != "" {
		return e.name
	}
	return e.Place.String()
}

func (e *extraction) Find(a *answer, v *template.Value) bool {
	if e.name == "" {
		return e.Place.Find(a, v)
	}
	found := a.Header(e.name)
	if len(found) > 0 {
		v.SetText(string(found[0]))
	}
	return len(found) > 0
}

// answer is the answer to a call: the record that was written, or the last one that was read.
type answer struct {
	record
	code   int16
	reason string       // what the broker says of the code
	doc    any          // of JSON paths; nil: the value is no JSON
	parsed bool         // doc is known
	claim  budget.Claim // of doc
	unread error        // the bound over which doc is
}

// Header implements [targets.Answer]. It returns a field or a header of the record.
func (a *answer) Header(name string) [][]byte {
	switch name {
	case "partition":
		return [][]byte{strconv.AppendInt(nil, int64(a.partition), 10)}
	case "offset":
		return [][]byte{strconv.AppendInt(nil, a.offset, 10)}
	case "key":
		if a.key == nil {
			return nil
		}
		return [][]byte{a.key}
	}
	var all [][]byte
	for _, h := range a.headers {
		if h.name == strings.TrimPrefix(name, headerPrefix) {
			all = append(all, h.value)
		}
	}
	return all
}

// JSON implements [targets.Answer].
func (a *answer) JSON(path jp.Expr) []any {
	doc, ok := a.Document()
	if !ok {
		return nil
	}
	return check.AtPath(doc, path)
}

// Document implements [targets.Answer].
func (a *answer) Document() (any, bool) {
	if !a.parsed && a.doc == nil {
		a.parsed = true
		var err error
		a.doc, err = check.Parse(a.value, &a.claim)
		a.unread = budget.Over(err)
	}
	return a.doc, a.doc != nil
}

// Unread returns the bound over which the document is, for package targets; nil: it is over none.
func (a *answer) Unread() error { return a.unread }

// Body implements [targets.Answer].
func (a *answer) Body() []byte { return a.value }

// expected holds the checks of a call's answer, and the variables to extract from it.
type expected struct {
	allow, shed []int16
	rest        targets.Expected
}

func (x *expected) compileChecks(k *answerCheck, in targets.Scope, m *syntax.Mistakes) {
	if k == nil {
		return
	}
	x.allow, x.shed = k.allow, k.shed
	x.rest.Answer(&k.Answer, "the record's", k.fields, in, m)
}

// Judge implements [calls.Maker].
func (t *exchange) Judge() {
	c := t.call
	if targets.JudgeStatus(t.Out, slices.Contains(c.shed, t.code), t.code == 0 || slices.Contains(c.allow, t.code),
		causeOf(t.code)) {
		c.rest.Judge(&t.answer, t.It, t.Out)
	}
}

// wanted describes the first check that the answer failed: the expected and the actual value.
func (t *exchange) wanted() string {
	if t.code != 0 && !slices.Contains(t.call.allow, t.code) {
		text := refused("the record", t.code).Error()
		if t.reason != "" {
			text += " (" + targets.Clip(t.reason, 200) + ")"
		}
		return text
	}
	return t.call.rest.Wanted(&t.answer, t.It, t.Out)
}
