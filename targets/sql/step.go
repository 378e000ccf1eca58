package sql

import (
	"cmp"
	"net/url"
	"reflect"
	"strings"

	"brunt/scenarios"
	"brunt/scenarios/check"
	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/calls"
)

// A family is the list of dialects of a descriptor.
type family []*Dialect

// Descriptor describes databases that speak one of several dialects.
func Descriptor(dialects ...*Dialect) *targets.Descriptor {
	f := family(dialects)
	d := &targets.Descriptor{
		Name: "sql", Doc: "Sends a statement to a database, with its arguments.",
		Kinds: []string{"sql", "sql.tx", "sql.copy", "sql.listen"}, PerUser: true, Wires: map[string]targets.Wire{},
		Settings: reflect.TypeFor[step](),
		Compile:  f.compile, Bind: bind, OfUnit: ofUnit, Encrypts: encrypts,
		Parts:  func(c scenarios.Call) []string { return c.(*call).parts },
		Absent: func(_ scenarios.Call, out *scenarios.Outcome) bool { return out.Status == absent },
		Retry: func(c scenarios.Call, out *scenarios.Outcome) bool {
			return out.Status >= failed && c.(*call).dialect.Temporary(out.Status-failed)
		},
		Lasts: func(c scenarios.Call) bool { return c.(*call).statements[0].Form == Listening },
	}
	for _, one := range dialects {
		for _, scheme := range one.Schemes {
			d.Wires[scheme] = targets.Wire{Formats: one.Formats, Port: one.Port}
		}
		d.Schemes, d.Causes = append(d.Schemes, one.Schemes...), append(d.Causes, one.Causes)
	}
	d.Client = func(o targets.Options) (targets.Client, error) { return f.newClient(o, d) }
	return d
}

// The status of an answer: 0 if it contains no error, and otherwise failed plus the number of the error's code.
const (
	absent = -1 // a statement that returns rows returned none
	failed = 1
)

// step is the YAML of a step.
type step struct {
	syntax.Place
	// a statement; its parameters are $1, $2 in PostgreSQL, and ? in MySQL
	SQL  queryText  `yaml:"sql"`
	Args []argument `yaml:"args"` // the values of its parameters, in order; null is NULL
	// statements on one connection, between BEGIN and COMMIT; after an error they are rolled back
	Transaction *transactionSource `yaml:"sql.tx"`
	Copy        *copySource        `yaml:"sql.copy"` // rows that are copied into a table of PostgreSQL, by COPY
	// a channel of PostgreSQL: waits for notifications that are sent after LISTEN
	Listen *listenSource `yaml:"sql.listen"`
	Check  *answerCheck  `yaml:"check"` // conditions for an ok answer; nil is any answer that is not an error
	// conditions that a good answer meets if it is complete; an answer that does not meet them is no error
	Want *check.PathWants `yaml:"want"`
	// variables, each with the place of its value: $[0].id is a column of the first row
	Extract map[string]extraction `yaml:"extract"`
}

// transactionSource is the YAML of a transaction.
type transactionSource struct {
	syntax.Place
	// isolation level; zero is the server's
	Isolation string `yaml:"isolation,oneof=read uncommitted|read committed|repeatable read|serializable"`
	// statements; each is a part with rows and objectives of its own
	Steps []transactionStep `yaml:"steps,required"`
}

// transactionStep is the YAML of a statement of a transaction.
type transactionStep struct {
	syntax.Place
	Name string `yaml:"name"` // name of the part; zero is the statement's text
	// a statement; its parameters are $1, $2 in PostgreSQL, and ? in MySQL
	SQL     queryText             `yaml:"sql,required"`
	Args    []argument            `yaml:"args"`    // the values of its parameters, in order; null is NULL
	Check   *answerCheck          `yaml:"check"`   // conditions for the answer, or the transaction is rolled back
	Extract map[string]extraction `yaml:"extract"` // variables with the places of their values, for later statements too
}

// listenSource is the YAML of a step that listens.
type listenSource struct {
	Channel  string `yaml:"channel,required"` // channel of NOTIFY
	Messages int    `yaml:"messages,min=1"`   // number of notifications to wait for; zero is 1
}

// call is a compiled step.
type call struct {
	name        string
	dialect     *Dialect
	statements  []statement // one, or those of a transaction
	copies      *copySource // the rows of the only statement
	transaction bool
	begin       Statement
	parts       []string // names of the parts of a transaction
}

// The statements that end a transaction.
var (
	commit   = &Statement{Text: "commit", Form: Simple}
	rollback = &Statement{Text: "rollback", Form: Simple}
)

func (c *call) Name() string { return c.name }

func (c *call) Traits() scenarios.CallTraits {
	t := scenarios.CallTraits{Method: "sql", URL: c.name}
	for i := range c.statements {
		s := &c.statements[i]
		t.Refs = append(t.Refs, refsOf(s.args)...)
		t.Sheds = t.Sheds || len(s.shed) > 0
		t.Wants = t.Wants || s.rest.Wants()
	}
	if c.copies != nil {
		t.Refs = append(t.Refs, refsOf(c.copies.Rows.Values)...)
	}
	return t
}

// compile compiles a step.
func (f family) compile(block syntax.Block, in targets.Scope, m *syntax.Mistakes) (scenarios.Call, bool) {
	s, ok := syntax.Resolve(block, map[string]func() *step{block.Kind: func() *step { return new(step) }}, m)
	if !ok {
		return nil, false
	}
	before := m.Len()
	c := &call{name: in.Name, dialect: f.compileEndpoint(in, m)}
	if block.Kind != "sql" && s.Args != nil {
		m.Add(s.Of("args"), "`args` are those of `sql`")
	}
	if c.transaction = s.Transaction != nil; c.transaction {
		c.compileTransaction(s, in, m)
	} else {
		c.compileOne(s, in, m)
	}
	in.RefuseAuth("sql", "user and password stand in the URL of the endpoint", m)
	return c, m.Len() == before
}

// compileOne compiles a step of one statement.
func (c *call) compileOne(s *step, in targets.Scope, m *syntax.Mistakes) {
	one := statement{args: s.Args}
	name := s.SQL.short()
	switch {
	case s.Copy != nil:
		c.copies = s.Copy
		one.Statement = s.Copy.compile(in, m)
		name = syntax.Clip("copy into "+s.Copy.Into, 60)
		if !c.dialect.Copies {
			m.Add(s.Of("sql.copy"), "%s has no sql.copy", c.dialect.Name)
		}
	case s.Listen != nil:
		one.Statement = Statement{Form: Listening, Channel: s.Listen.Channel, Messages: max(1, s.Listen.Messages)}
		name = syntax.Clip("listen "+s.Listen.Channel, 60)
		if !c.dialect.Listens {
			m.Add(s.Of("sql.listen"), "%s has no sql.listen", c.dialect.Name)
		}
		if !isIdentifier(s.Listen.Channel) {
			m.AddHint(s.Of("sql.listen"), "letters, digits and _", "%q is not the name of a channel",
				syntax.Clip(s.Listen.Channel, 60))
		}
	default:
		by := c.dialect.Syntax
		by.holds = in.Flow.Holds
		one.Statement = by.compileStatement(&s.SQL, s.Args, m)
	}
	c.name = cmp.Or(c.name, name)
	one.Keep = one.expected.compile(s.Check, s.Extract, c.dialect, in, m)
	if s.Want != nil {
		one.Keep = one.Keep || s.Want.ReadsBody()
		one.rest.Want("", &s.Want.Wants)
	}
	c.statements = []statement{one}
}

// compileTransaction compiles the statements of a transaction.
func (c *call) compileTransaction(s *step, in targets.Scope, m *syntax.Mistakes) {
	t := s.Transaction
	if s.Want != nil {
		m.Add(s.Of("want"), "`want` is of a single statement, and this is a transaction")
	}
	if s.Check != nil || s.Extract != nil {
		m.Add(t.At, "`check` and `extract` stand in the steps of a transaction")
	}
	if len(t.Steps) == 0 {
		m.AddHint(t.Of("steps"), "such as [{sql: \"…\"}]", "a transaction has steps")
	}
	c.begin = Statement{Text: c.dialect.Begin(t.Isolation), Form: Simple}
	var texts []string
	for i := range t.Steps {
		from := &t.Steps[i]
		one := statement{name: cmp.Or(from.Name, from.SQL.short()), args: from.Args}
		one.Statement = c.dialect.Syntax.compileStatement(&from.SQL, from.Args, m)
		one.Keep = one.expected.compile(from.Check, from.Extract, c.dialect, in, m)
		c.statements = append(c.statements, one)
		c.parts = append(c.parts, one.name)
		texts = append(texts, from.SQL.short())
	}
	c.parts = unique(append(c.parts, commit.Text))
	c.name = cmp.Or(c.name, syntax.Clip("tx "+strings.Join(texts, "; "), 60))
}

// unique adds numbers to repeated names.
func unique(names []string) []string {
	seen := map[string]int{}
	for i, name := range names {
		if seen[name]++; seen[name] > 1 {
			names[i] += " " + string(appendInt(nil, int64(seen[name])))
		}
	}
	return names
}

// compileEndpoint notes mistakes in the URL of the call's endpoint. It returns the dialect of its scheme, or the
// first dialect if there is none.
func (f family) compileEndpoint(in targets.Scope, m *syntax.Mistakes) *Dialect {
	text, _ := in.EndpointURL()
	scheme, _, _ := strings.Cut(text, "://")
	d := f.dialect(scheme)
	if d == nil {
		return f[0]
	}
	calls.CheckEndpoint(in, func(u *url.URL) ([]string, error) {
		l, err := d.locate(u)
		return l.Addresses, err
	}, d.forms(), m)
	return d
}
