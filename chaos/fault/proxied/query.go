package proxied

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"strings"

	"brunt/chaos"
	"brunt/chaos/proof"
	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/query"
	"brunt/chaos/proxy/peer"
	"brunt/chaos/proxy/toxics"
	"brunt/chaos/selector"
	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/scenarios/syntax"
)

// Commands says which Redis commands on a link a fault hits.
type Commands struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the commands that match; nil is all
	Command       string          `yaml:"command"` // pattern such as GET or H*; zero is all
	Key           string          `yaml:"key"`     // pattern of the first argument, such as user:*; zero is all
}

// Statements says which PostgreSQL or MySQL statements on a link a fault hits.
type Statements struct {
	selector.Edge `yaml:",inline"`
	Percent       *quantity.Share `yaml:"percent"` // share of the statements that match; nil is all
	// pattern in one line and lower case, such as "update orders *"; zero is all
	Statement string `yaml:"statement"`
	// mysql, for a link that neither the URL of its endpoint nor the port 3306 shows to be MySQL; zero is postgres
	// there
	Protocol string `yaml:"protocol,oneof=mysql"`
}

// RedisError is the fault redis.error.
type RedisError struct {
	Commands `yaml:",inline"`
	// error reply, such as READONLY You can't write against a read only replica.; zero is LOADING Redis is loading the
	// dataset in memory
	Reply string `yaml:"reply"`
}

// RedisDelay is the fault redis.delay.
type RedisDelay struct {
	Commands `yaml:",inline"`
	Delay    quantity.Duration `yaml:"delay,required,positive"` // time until a command is passed on
	Jitter   quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
}

// SQLError is the fault sql.error.
type SQLError struct {
	Statements `yaml:",inline"`
	SQLState   string `yaml:"sqlstate"` // code such as 40001; zero is 57P03, cannot connect now, which is 08S01 for MySQL
	Message    string `yaml:"message"`  // the text of the error
}

// SQLDelay is the fault sql.delay.
type SQLDelay struct {
	Statements `yaml:",inline"`
	Delay      quantity.Duration `yaml:"delay,required,positive"` // time until a statement is passed on
	Jitter     quantity.Duration `yaml:"jitter"`                  // the delay varies by at most this much, uniformly
}

var (
	_ chaos.Fault = (*RedisError)(nil)
	_ chaos.Fault = (*RedisDelay)(nil)
	_ chaos.Fault = (*SQLError)(nil)
	_ chaos.Fault = (*SQLDelay)(nil)
)

// The replies and error codes that are used if the scenario gives none.
const (
	loading = "LOADING Redis is loading the dataset in memory"
	notNow  = "57P03"
)

func (c *Commands) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	c.CheckEdge(at, sc, m)
	spoken(&c.Edge, "Redis", "it", formatRedis, at, sc, m)
	c.CheckPercent(c.Percent, leastShare, "commands", m)
	if strings.ContainsAny(c.Command, " \t\r\n") || c.Command != strings.ToUpper(c.Command) {
		m.AddHint(c.Of("command"), "such as GET or H*", "%q is not the name of a command in capitals",
			syntax.Clip(c.Command, 60))
	}
}

func (s *Statements) check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	s.CheckEdge(at, sc, m)
	spoken(&s.Edge, "PostgreSQL or MySQL", "it", formatSQL, at, sc, m)
	s.CheckPercent(s.Percent, leastShare, "statements", m)
	if plain := strings.ToLower(strings.Join(strings.Fields(s.Statement), " ")); plain != s.Statement {
		m.AddHint(s.Of("statement"), fmt.Sprintf("such as %q", plain),
			"a statement is compared in one line and small letters")
	}
}

func (c *Commands) Traits(sc chaos.Scope) chaos.Traits { return parsed(&c.Edge, sc) }

func (s *Statements) Traits(sc chaos.Scope) chaos.Traits { return parsed(&s.Edge, sc) }

// name returns the pattern that the name of a command must match.
func (c *Commands) name() string { return pattern(c.Command, c.Key) }

// pattern returns that of a request's name: its kind and what it is about, each with * for any text; empty is any.
func pattern(kind, about string) string { return cmp.Or(kind, "*") + " " + cmp.Or(about, "*") }

// probe returns a command that matches: it replaces each * in its name by an empty string.
func (c *Commands) probe() proxy.ProbeRequest { return named(peer.Redis, c.Command, "PING", c.Key) }

// named returns a probe that matches a pattern, with no text in place of each *. Without a kind of request it is usual.
func named(form peer.Form, kind, usual, about string) proxy.ProbeRequest {
	plain := func(text string) string { return strings.ReplaceAll(text, "*", "") }
	return proxy.ProbeRequest{Form: form, Path: cmp.Or(plain(kind), usual) + " " + plain(about)}
}

// probe returns a statement that matches: it replaces each * by an empty string.
func (s *Statements) probe() proxy.ProbeRequest {
	text := strings.ReplaceAll(s.Statement, "*", "x")
	if text == "" {
		text = "select 1"
	}
	form := peer.SQL
	if s.Protocol != "" {
		form = peer.MySQL
	}
	return proxy.ProbeRequest{Form: form, Path: text}
}

func (c *Commands) text() string {
	return some(c.Percent, "commands", strings.TrimSpace(c.Command+" "+c.Key))
}

func (s *Statements) text() string { return some(s.Percent, "statements", s.Statement) }

func (f *RedisError) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	if err := f.toxic().Check(true); err != nil {
		m.Add(f.Of("reply"), "%v", err)
	}
}

func (f *RedisDelay) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
}

// state matches an SQLSTATE.
var state = regexp.MustCompile(`^[0-9A-Z]{5}$`)

func (f *SQLError) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	if f.SQLState != "" && !state.MatchString(f.SQLState) {
		m.AddHint(f.Of("sqlstate"), "such as 40001 or 57P03", "%q is no SQLSTATE", syntax.Clip(f.SQLState, 60))
	}
	if strings.ContainsRune(f.Message, 0) {
		m.Add(f.Of("message"), "a message holds no zero byte")
	}
}

func (f *SQLDelay) Check(at syntax.Pos, sc chaos.Scope, m *syntax.Mistakes) {
	f.check(at, sc, m)
	f.CheckJitter(f.Delay, f.Jitter, m)
}

func (f *RedisError) toxic() toxics.RedisError {
	t := toxics.RedisError{Reply: f.Reply, Share: proof.OrAll(f.Percent), Name: f.name()}
	if t.Reply == "" {
		t.Reply = loading
	}
	return t
}

func (f *SQLError) toxic() toxics.SQLError {
	t := toxics.SQLError{State: f.SQLState, Text: f.Message, Share: proof.OrAll(f.Percent), Name: f.Statement}
	if t.State == "" {
		t.State = notNow
	}
	if t.Text == "" {
		t.Text = "an error that brunt injects"
	}
	return t
}

func (f *RedisError) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t := f.toxic()
	word, _, _ := strings.Cut(t.Reply, " ")
	r := refused{&f.Edge, f.Percent, "commands", f.text(), word, 0, f.probe, t}
	return r.plan(ctx, env)
}

func (f *SQLError) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	t := f.toxic()
	r := refused{&f.Edge, f.Percent, "statements", f.text(), t.State, 0, f.probe, t}
	return r.plan(ctx, env)
}

func (f *RedisDelay) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return delayed{
		Edge: &f.Edge, percent: f.Percent, delay: f.Delay, jitter: f.Jitter, what: "commands", text: f.text(), probe: f.probe,
	}.ofQueries(ctx, env, query.Redis, f.name())
}

func (f *SQLDelay) Plan(ctx context.Context, env chaos.Env) ([]chaos.Step, error) {
	return delayed{
		Edge: &f.Edge, percent: f.Percent, delay: f.Delay, jitter: f.Jitter, what: "statements", text: f.text(),
		probe: f.probe,
	}.ofQueries(ctx, env, query.SQL, f.Statement)
}

func (*RedisError) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "redis.error", New: func() chaos.Fault { return new(RedisError) },
		Example: "{from: web, to: store, reply: LOADING Redis is loading the dataset in memory}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "answering errors", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Answers commands of Redis on a link with an error, in place of the server. Those between MULTI and EXEC " +
			"pass.",
	}
}

func (*RedisDelay) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "redis.delay", New: func() chaos.Fault { return new(RedisDelay) },
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Delays commands of Redis on a link before they are passed on, and what follows them on the same " +
			"connection.",
	}
}

func (*SQLError) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "sql.error", New: func() chaos.Fault { return new(SQLError) },
		Example: "{from: web, to: store, sqlstate: 40001}",
		Effect:  chaos.Errors,
		Nature:  scenarios.Nature{Verb: "answering errors", Deeds: []scenarios.Deed{scenarios.Refuses}},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Answers statements of PostgreSQL or MySQL on a link with an error, in place of the server. " +
			"A transaction of PostgreSQL that is open has failed for the client; one of MySQL stays open, and gets no 40001.",
	}
}

func (*SQLDelay) Describe() chaos.Descriptor {
	return chaos.Descriptor{
		Kind: "sql.delay", New: func() chaos.Fault { return new(SQLDelay) },
		Example: "{from: web, to: store, delay: 100ms}",
		Effect:  chaos.Slow,
		Nature:  scenarios.Nature{Verb: "slow"},
		On:      chaos.OnLinks | chaos.OnDiverted,
		Doc: "Delays statements of PostgreSQL or MySQL on a link before they are passed on, and what follows them on " +
			"the same connection.",
	}
}
