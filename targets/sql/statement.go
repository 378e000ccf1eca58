package sql

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"brunt/scenarios/syntax"
	"brunt/scenarios/template"
)

// Form says how a statement is sent.
type Form uint8

// The forms of statements.
const (
	Prepared  Form = iota // with arguments; prepared once per connection, unless the endpoint forbids it
	Simple                // unchanged; it may consist of several statements
	Copying               // copies rows to a table; the rows are the only argument
	Listening             // waits for notifications
)

// A Statement is the text for a server, without arguments. Its address identifies the prepared statement.
type Statement struct {
	Text     string
	Form     Form
	Keep     bool   // the rows of the answer are kept
	Channel  string // of Listening
	Messages int    // of Listening: number of messages to wait for

	Verb      string // the word, in lower case, that names its action, such as select or insert
	Returning bool   // it has the word returning
}

// queryText is the text of a statement, without placeholders.
type queryText struct {
	text string
	at   syntax.Pos
}

func (q *queryText) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	q.at = n.Pos
	var t template.Text
	before := m.Len()
	if n.Kind != syntax.String {
		m.AddHint(n.Pos, "such as \"select 1\"", "a statement is a text, and not %s", n.Describe())
		return
	}
	if t.DecodeNode(n, m); m.Len() > before {
		return
	}
	text, static := t.Static()
	switch {
	case !static:
		m.AddHint(n.Pos, "such as {sql: \"select total from orders where id = $1\", args: [\""+t.Refs()[0].String()+
			"\"]}; MySQL writes ? for $1",
			"%s can't stand in the text of a statement: values are arguments", t.Refs()[0])
	case strings.TrimSpace(text) == "":
		m.AddHint(n.Pos, "such as \"select 1\"", "the statement is empty")
	case strings.Contains(text, "\x00"):
		m.Add(n.Pos, "a statement holds no zero byte")
	}
	q.text = strings.TrimSpace(text)
}

func (*queryText) Schema() syntax.Schema {
	return syntax.Schema{"type": "string", "minLength": 1, "examples": []any{"select total from orders where id = $1"}}
}

// short returns the text in one line, for a name.
func (q *queryText) short() string {
	const most = 60
	return syntax.Clip(strings.Join(strings.Fields(q.text), " "), most)
}

// argument is the value of one parameter.
type argument struct {
	template.Text
	null bool
}

func (a *argument) DecodeNode(n *syntax.Node, m *syntax.Mistakes) {
	switch n.Kind {
	case syntax.Null:
		a.null = true
	case syntax.List, syntax.Map:
		m.AddHint(n.Pos, `a document is a text: '{"a": 1}'; an array of PostgreSQL is '{1,2}'`,
			"an argument is one value or null, and not %s", n.Describe())
	default:
		a.Text.DecodeNode(n, m)
	}
}

func (*argument) Schema() syntax.Schema {
	return syntax.Schema{"type": []any{"string", "number", "boolean", "null"}}
}

// appendArguments appends the values of arguments for it to mem, and their ends in mem to ends.
func appendArguments(mem []byte, list []argument, ends []int, it *template.Iter) (_ []byte, _ []int, err error) {
	for i := range list {
		if mem, err = list[i].Append(mem, it); err != nil {
			return mem, ends, err
		}
		ends = append(ends, len(mem))
	}
	return mem, ends, nil
}

// refsOf lists the placeholders of arguments.
func refsOf(list []argument) (refs []*syntax.Ref) {
	for i := range list {
		refs = append(refs, list[i].Refs()...)
	}
	return refs
}

// statement is one statement of a call.
type statement struct {
	Statement
	name string // of the part of the call
	args []argument
	expected
}

// compileStatement checks a statement against its arguments.
func (x Syntax) compileStatement(q *queryText, args []argument, m *syntax.Mistakes) (s Statement) {
	s.Text = q.text
	found := x.scan(q.text)
	s.Verb, s.Returning = found.verb, found.returning
	example := "?"
	if x.Dollar {
		example = "$1"
	}
	switch {
	case q.text == "":
	case !found.several && slices.Contains(controls, found.verb) && len(args) == 0 && x.holds:
		s.Form = Simple
	case !found.several && slices.Contains(controls, found.verb):
		m.AddHint(q.at, "sql.tx: {steps: [{sql: \"…\"}, {sql: \"…\"}]}, which begins and ends it",
			"calls share connections: a transaction is one step")
	case found.several && len(args) > 0:
		m.AddHint(q.at, "a step each, or the steps of sql.tx", "several statements in one text have no arguments")
	case found.params == 0 && len(args) > 0 && foreign(q.text, x.Dollar) != "":
		m.AddHint(q.at, "a parameter is written "+example, "%s is no parameter here: the statement has none and args has %s",
			foreign(q.text, x.Dollar),
			syntax.Amount(len(args), "value"))
	case found.params != len(args):
		m.AddHint(q.at, "a parameter is written "+example, "the statement has %s and args has %s",
			syntax.Amount(found.params, "parameter"), syntax.Amount(len(args), "value"))
	case found.several:
		s.Form = Simple
	}
	return s
}

// placeholders matches parameters in the notations of other databases and clients.
var placeholders = regexp.MustCompile(`(?:^|[\s=<>(,])(\?|\$[0-9]+|%s|%\([a-z_]+\)s|[:@][A-Za-z_][A-Za-z0-9_]*|\{\{[^}]*\}\})`)

// foreign returns the first text in a statement that looks like a parameter but is not one in this dialect. It is
// empty if there is none.
func foreign(text string, dollar bool) string {
	for _, found := range placeholders.FindAllStringSubmatch(text, -1) {
		if own := strings.HasPrefix(found[1], "$") && dollar || found[1] == "?" && !dollar; !own {
			return found[1]
		}
	}
	return ""
}

// controls are the first words of statements that begin or end a transaction.
var controls = []string{"begin", "start", "commit", "end", "rollback", "abort", "savepoint", "release"}

// appendInt appends a number.
func appendInt(dst []byte, n int64) []byte { return strconv.AppendInt(dst, n, 10) }
