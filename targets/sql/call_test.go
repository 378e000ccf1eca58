package sql_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/targetstest"

	"github.com/jackc/pgx/v5/pgproto3"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, descriptor(), o, steps...)
}

// rows answers with two columns: the number n, and the text v, which is its argument or NULL.
func rows(q question) []pgproto3.BackendMessage {
	verb, rest, _ := strings.Cut(q.text, " ")
	switch verb {
	case "error":
		code, text, _ := strings.Cut(rest, " ")
		return []pgproto3.BackendMessage{refusal(code, text)}
	case "update":
		return []pgproto3.BackendMessage{&pgproto3.NoData{}, done("UPDATE " + rest)}
	}
	list := []pgproto3.BackendMessage{&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{
		{Name: []byte("n"), DataTypeOID: 23}, {Name: []byte("v"), DataTypeOID: 25}, {Name: []byte("doc"), DataTypeOID: 3802},
	}}}
	if verb != "none" {
		for i := range max(1, len(q.args)) {
			v := []byte(nil)
			if len(q.args) > i && q.args[i] != "<nil>" {
				v = []byte(q.args[i])
			}
			list = append(list, &pgproto3.DataRow{Values: [][]byte{fmt.Append(nil, i+7), v, []byte(`{"total": 5}`)}})
		}
	}
	return append(list, done("SELECT 1"))
}

// TestCall judges answers.
func TestCall(t *testing.T) {
	s := start(t, func(s *server) { s.say = rows })
	for _, c := range []struct{ name, step, want, message string }{
		{"text", `{sql: "select $1", args: [hi], check: {"$[0].v": hi}}`, "ok", ""},
		{
			"another text", `{sql: "select $1", args: [ho], check: {"$[0].v": hi}}`, "error, check $[0].v",
			`$[0].v was "ho", and "hi" was wanted`,
		},
		{"number", `{sql: select, check: {"$[0].n": "> 6"}}`, "ok", ""},
		{
			"NULL", `{sql: "select $1", args: [null], check: {"$[0].v": not empty}}`, "error, check $[0].v",
			"not empty was wanted",
		},
		{"document", `{sql: select, check: {"$[0].doc.total": 5}}`, "ok", ""},
		{"rows", `{sql: "select $1, $2", args: [a, b], check: {rows: 2, "$[1].v": b}}`, "ok", ""},
		{
			"other rows", `{sql: "select $1, $2", args: [a, b], check: {rows: "< 2"}}`, "error, check number of rows",
			`number of rows was "2", and < 2 was wanted`,
		},
		{"no rows", `{sql: none, check: {rows: 0}}`, "ok", ""},
		{"affected", `{sql: update 3, check: {affected: 3}}`, "ok", ""},
		{"others affected", `{sql: update 0, check: {affected: "> 0"}}`, "error, check number of affected", "> 0 was wanted"},
		{"schema", `{sql: "select $1, $2", args: [a, b], check: {schema: testdata/rows.json}}`, "ok", ""},
		{
			"another schema", `{sql: "select $1", args: [null], check: {schema: testdata/rows.json}}`,
			"error, check schema testdata/rows.json", "$[0].v: got null, want string",
		},
		{
			"schema of no rows", `{sql: none, check: {schema: testdata/rows.json}}`,
			"error, check schema testdata/rows.json", "$: minItems: got 0, want 1",
		},
		{"error", `{sql: error 40001 no luck}`, "error, error 40001", "40001: no luck"},
		{"error that ends the connection", `{sql: error 57P01 shutdown}`, "error, error 57P01", "57P01: shutdown"},
		{"unknown code", `{sql: error what no}`, "error, error XX000", "XX000: no"},
		{"allowed error", `{sql: error 23505 there, check: {allow: 23505}}`, "ok", ""},
		{"allowed class", `{sql: error 23505 there, check: {allow: ["40001", "23"]}}`, "ok", ""},
		{"another error", `{sql: error 23505 there, check: {allow: ["40001"]}}`, "error, error 23505", "there"},
		{"shed", `{sql: error 53300 full, check: {shed: ["53"]}}`, "shed", ""},
		{"late", `{sql: select, check: {within: 1ns}}`, "error, check within", "within 1ns was wanted"},
		{"extracted", `{sql: select, extract: {v: "$[0].n"}}`, "ok", ""},
		{"nothing to extract", `{sql: none, extract: {v: "$[0].n"}}`, "error, extract v", "nothing stands at $[0].n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &targetstest.Sampler{}
			f := newFixture(t, targets.Options{Base: s.Base(), Sampler: k}, c.step,
				`{sql: "select $1", args: [well], check: {"$[0].v": well}}`)
			u := f.User(t, 0)
			for range 2 { // the second time it is prepared
				k.Kept = nil
				if got := f.Got(u.Do(0, long)); got != c.want {
					t.Errorf("got %s, want %s", got, c.want)
				}
				if c.message != "" && (len(k.Kept) != 1 || !strings.Contains(k.Kept[0].Message, c.message)) {
					t.Errorf("samples %+v", k.Kept)
				}
				if got := f.Got(u.Do(1, long)); got != "ok" {
					t.Errorf("the next call: %s", got)
				}
			}
		})
	}
}

// TestCall_Prepared: a statement is prepared once a connection, or never where the endpoint forbids it; one that the
// server lost is prepared again.
func TestCall_Prepared(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	s := start(t, func(s *server) {
		s.say = func(q question) []pgproto3.BackendMessage {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, fmt.Sprintf("%s %v %v", q.text, q.args, q.parsed))
			if len(q.args) > 0 && q.args[0] == "gone" {
				return []pgproto3.BackendMessage{refusal("26000", "no such statement")}
			}
			return rows(q)
		}
	})
	for _, c := range []struct {
		query string
		want  []string
	}{
		{"", []string{"select $1 [a] true", "select $1 [gone] false", "select $1 [a] true", "select $1 [a] false"}},
		{"?prepare=off", []string{"select $1 [a] true", "select $1 [gone] true", "select $1 [a] true", "select $1 [a] true"}},
	} {
		mu.Lock()
		asked = nil
		mu.Unlock()
		f := newFixture(t, targets.Options{Base: s.Base() + c.query},
			`{sql: "select $1", args: ["${var.x}"], check: {"$[0].n": 7}}`)
		u := f.User(t, 0)
		for _, arg := range []string{"a", "gone", "a", "a"} {
			u.It.Vars[0].SetText(arg)
			u.Do(0, long)
		}
		mu.Lock()
		if !slices.Equal(asked, c.want) {
			t.Errorf("%s: asked %q", c.query, asked)
		}
		mu.Unlock()
	}
}

// TestCall_ChecksAgainstValues: a check compares rows with what an earlier statement extracted.
func TestCall_ChecksAgainstValues(t *testing.T) {
	s := start(t, func(s *server) { s.say = rows })
	f := newFixture(t, targets.Options{Base: s.Base()},
		`{sql: "select $1", args: [hi], extract: {v: "$[0].v"}, check: {"$[0].none": absent, "$[1]": absent}}`,
		`{sql: "select $1, $2", args: [ho, hi], check: {"$[1].v": "${var.v}", "$[*].v": "contains ${var.v}"}}`,
		`{sql: "select $1", args: [ho], check: {"$[0].v": "${var.v}"}}`)
	u := f.User(t, 0)
	for i, want := range []string{"ok", "ok", "error, check $[0].v"} {
		if got := f.Got(u.Do(i, long)); got != want {
			t.Errorf("statement %d: got %s, want %s", i, got, want)
		}
	}
}

// TestCall_Absent: no row says that a read of the ledger found nothing; some errors are worth another read.
func TestCall_Absent(t *testing.T) {
	d, s := descriptor(), start(t, func(s *server) { s.say = rows })
	f := newFixture(t, targets.Options{Base: s.Base()}, "sql: none", "sql: select", "sql: update 0", "sql: error 57P01 a",
		"sql: error 42601 a")
	u := f.User(t, 0)
	for i, want := range []string{"true false", "false false", "false false", "false true", "false false"} {
		out := u.Do(i, long)
		if got := fmt.Sprint(d.Absent(f.Calls[i], &out), d.Retry(f.Calls[i], &out)); got != want {
			t.Errorf("%s: %s, want %s", f.Got(out), got, want)
		}
	}
}

// TestTransaction: statements run between BEGIN and COMMIT, each as a part; a failure rolls back, and the connection
// stays.
func TestTransaction(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	s := start(t, func(s *server) {
		s.say = func(q question) []pgproto3.BackendMessage {
			mu.Lock()
			defer mu.Unlock()
			asked = append(asked, q.text+" "+strings.Join(q.args, ","))
			return rows(q)
		}
	})
	type measured struct {
		part int
		out  scenarios.Outcome
	}
	var parts []measured
	k := &targetstest.Sampler{}
	f := newFixture(t, targets.Options{
		Base: s.Base(), Sampler: k,
		Emit: func(_ *template.Iter, _ scenarios.Call, part int, out *scenarios.Outcome) {
			parts = append(parts, measured{part, *out})
		},
	},
		`{sql.tx: {isolation: serializable, steps: [{sql: "select $1", args: [x], extract: {v: "$[0].n"}}, {name: change, sql: "update 1"}, `+
			`{sql: "select $1", args: ["${var.v}"], check: {"$[0].v": 7}}]}}`,
		`{sql.tx: {steps: [{sql: update 1}, {sql: error 40001 no}, {sql: update 2}]}}`,
		`{sql.tx: {steps: [{sql: update 1}, {sql: update 0, check: {affected: 1}}]}}`,
		`{sql.tx: {steps: [{sql: update 1}, {sql: cut}]}}`,
		`{sql.tx: {steps: [{sql: update 1}, {sql: error 57P01 bye}]}}`,
	)
	if names := fmt.Sprint(descriptor().Parts(f.Calls[0])); names != "[select $1 change select $1 2 commit]" {
		t.Errorf("parts are %s", names)
	}
	u := f.User(t, 0)
	for i, want := range []struct{ got, parts, asked string }{
		{"ok", "0 ok, 1 ok, 2 ok, 3 ok", "select $1 x; update 1 ; select $1 7"},
		{"error, error 40001", "0 ok, 1 error, error 40001", "update 1 ; error 40001 no "},
		{"error, check number of affected", "0 ok, 1 error, check number of affected", "update 1 ; update 0 "},
		{"error, closed", "0 ok, 1 error, closed", "update 1 "},
		{"error, error 57P01", "0 ok, 1 error, error 57P01", "update 1 ; error 57P01 bye "},
	} {
		mu.Lock()
		asked, parts = nil, nil
		mu.Unlock()
		out := u.Do(i, long)
		var list []string
		for _, p := range parts {
			list = append(list, fmt.Sprint(p.part, " ", f.Got(p.out)))
			if p.out.Intended < out.Slot || p.out.Intended > p.out.Sent || p.out.Sent > p.out.End || p.out.End > out.End {
				t.Errorf("part %+v of %+v", p.out, out)
			}
		}
		mu.Lock()
		said := strings.Join(asked, "; ")
		mu.Unlock()
		if got := f.Got(out); got != want.got || strings.Join(list, ", ") != want.parts || said != want.asked ||
			out.Attempts != 1 {
			t.Errorf("%d: %s, parts %s, asked %s, %d attempts", i, got, strings.Join(list, ", "), said, out.Attempts)
		}
	}
	if s.Connections() != 2 { // another after the cut
		t.Errorf("%d connections", s.Connections())
	}
	if body := k.Kept[0].Sent.Body; body != "begin;\nupdate 1;\nerror 40001 no;\nrollback;" {
		t.Errorf("the sample is %s", body)
	}
}

// TestCopy: rows are texts that COPY reads, whatever is in them.
func TestCopy(t *testing.T) {
	f := newFixture(t, targets.Options{Base: "postgres://app@127.0.0.1:1/shop"},
		`{sql.copy: {into: shop.orders, columns: [a, b, c], rows: {count: 2, values: ["x${int(5,5)}", "t\ta\\b\nc", null]}}}`)
	k := &targetstest.Sampler{}
	f2 := newFixture(t, targets.Options{Base: "postgres://app@127.0.0.1:1/shop", Sampler: k},
		`{sql.copy: {into: o, rows: {count: 2, values: ["x${int(5,5)}", "t\ta\\b\nc", null]}}}`)
	f2.User(t, 0).Do(0, long)
	line := `x5` + "\t" + `t\ta\\b\nc` + "\t" + `\N` + "\n"
	if got := k.Kept[0].Sent.Body; got != "copy o from stdin;\n"+line+line+`\.` {
		t.Errorf("copied %q", got)
	}
	if name := f.Calls[0].Name(); name != "copy into shop.orders" {
		t.Error(name)
	}
}

// TestLogin: what the server says of a login is told, and its time is that of the login.
func TestLogin(t *testing.T) {
	asks := func(s *server) {
		secure(s)
		s.greet = func(b *pgproto3.Backend, _ string) error {
			b.Send(&pgproto3.AuthenticationCleartextPassword{})
			if err := b.Flush(); err != nil {
				return err
			}
			if err := b.SetAuthType(pgproto3.AuthTypeCleartextPassword); err != nil {
				return err
			}
			m, err := b.Receive()
			if err != nil {
				return err
			}
			if p, ok := m.(*pgproto3.PasswordMessage); !ok || p.Password != "sesame" {
				b.Send(refusal("28P01", "password authentication failed"))
				_ = b.Flush()
				return errEnd
			}
			return nil
		}
	}
	for _, c := range []struct {
		name, url, want, message string
		change                   func(*server)
	}{
		{"nothing", "postgres://app@ADDR/shop", "ok", "", nil},
		{"password", "postgres://app:sesame@ADDR/shop?sslmode=require", "ok", "", asks},
		{"password without TLS", "postgres://app:sesame@ADDR/shop", "error, protocol", "require_auth", func(s *server) {
			asks(s)
			s.tls = nil
		}},
		{
			"wrong password", "postgres://app:no@ADDR/shop?sslmode=require", "error, error 28P01",
			"the login is refused: 28P01: password", asks,
		},
		{"too many", "postgres://app@ADDR/shop", "error, error 53300", "the login is refused: 53300: full", func(s *server) {
			s.greet = func(b *pgproto3.Backend, _ string) error {
				b.Send(refusal("53300", "full"))
				_ = b.Flush()
				return errEnd
			}
		}},
		{"no TLS", "postgres://app@ADDR/shop?sslmode=require", "error, tls", "the server refuses TLS", nil},
		{"TLS", "postgres://app@ADDR/shop?sslmode=require", "ok", "", secure},
		{"another's certificate", "postgres://app@ADDR/shop?sslmode=verify-full", "error, tls", "certificate", secure},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, k := start(t, c.change), &targetstest.Sampler{}
			f := newFixture(t, targets.Options{Base: strings.Replace(c.url, "ADDR", s.Addr().String(), 1), Sampler: k},
				"sql: answer")
			out := f.User(t, 0).Do(0, long)
			if got := f.Got(out); got != c.want {
				t.Errorf("got %s: %+v", got, k.Kept)
			}
			if c.want == "ok" && out.Opening.Login <= 0 || strings.Contains(c.url, "sslmode") != (out.Opening.TLS > 0) {
				t.Errorf("opened in %+v", out.Opening)
			}
			if c.message != "" && (out.WasSent || len(k.Kept) != 1 || !strings.Contains(k.Kept[0].Message, c.message) ||
				strings.Contains(k.Kept[0].Message, "\n")) {
				t.Errorf("%+v", k.Kept)
			}
			bound := descriptor().Bind(t.Context(), f.Calls[0], f.Client)
			if (bound == nil) != (c.want == "ok") {
				t.Errorf("bound: %v", bound)
			}
		})
	}
}

// TestPerUser: each user has a connection of its own, which it ends in order.
func TestPerUser(t *testing.T) {
	s := start(t, nil)
	f := newFixture(t, targets.Options{Base: s.Base(), Connections: scenarios.Connections{Per: scenarios.PerUser}},
		"sql: answer")
	t.Run("users", func(t *testing.T) { // its end closes the sessions
		users := []*targetstest.User{f.User(t, 0), f.User(t, 1)}
		for range 3 {
			for _, u := range users {
				if got := f.Got(u.Do(0, long)); got != "ok" {
					t.Error(got)
				}
			}
		}
	})
	if s.Connections() != 2 || s.Requests() != 6 {
		t.Errorf("%d connections of 2 users, %d requests", s.Connections(), s.Requests())
	}
	suite.Until(t, "the farewells", func() bool { return s.logged.Load() == 2 })
}

// TestSample: a call that failed can be sent again by psql, without its password.
func TestSample(t *testing.T) {
	s := start(t, func(s *server) {
		s.say = func(question) []pgproto3.BackendMessage { return []pgproto3.BackendMessage{refusal("40001", "no")} }
	})
	k := &targetstest.Sampler{}
	address := s.Addr().String()
	f := newFixture(t, targets.Options{Base: "postgres://ann:sesame-open@" + address + "/shop", Sampler: k},
		`{sql: "select $1, $2", args: ["it's ${int(5,5)}", null]}`, "sql: select 1")
	u := f.User(t, 0)
	psql := `PGPASSWORD="${PGPASSWORD:?}" psql -X -v ON_ERROR_STOP=1 'postgres://ann@` + address + "/shop'"
	for i, want := range []string{
		`printf '%s\n' \` + "\n" + `  'prepare brunt as select $1, $2;' \` + "\n" +
			`  'execute brunt('\''it'\'''\''s 5'\'', null);' \` + "\n  'deallocate brunt;' | " + psql,
		`printf '%s\n' \` + "\n  'select 1;' | " + psql,
	} {
		u.Do(i, long)
		if got := k.Kept[i].Sent.Conceal(nil).Curl(); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestCompile: mistakes of a step are found before anything runs.
func TestCompile(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{`sql: "select ${int(1,9)}"`, "${int(1,9)} can't stand in the text of a statement: values are arguments; such as"},
		{"sql: [select, 1]", "a statement is a text"},
		{"sql: ' '", "the statement is empty"},
		{"sql: select $1", "the statement has 1 parameter and args has 0 values; a parameter is written $1"},
		{"{sql: 'select $1, $2', args: [1]}", "the statement has 2 parameters and args has 1 value"},
		{"{sql: 'select 1; select $1', args: [1]}", "several statements in one text have no arguments"},
		{"{sql: 'select $1', args: [[1]]}", "an argument is one value or null"},
		{"sql: BEGIN", "a transaction is one step"},
		{"sql: '/* a */ Begin'", "a transaction is one step"},
		{"{sql: select 1, check: {status: OK}}", `unknown check "status"`},
		{"{sql: select 1, check: {shed: busy}}", `"busy" is no error of PostgreSQL; a SQLSTATE such as 40001`},
		{"{sql: select 1, extract: {v: header x}}", `want "$[0].column"`},
		{"{sql: select 1, json: {}}", `unknown key "json"`},
		{"{sql.tx: {steps: []}}", "steps"},
		{"{sql.tx: {steps: [{sql: commit}]}}", "a transaction is one step"},
		{"{sql.tx: {isolation: chaos, steps: [{sql: select 1}]}}", "isolation"},
		{"{sql.tx: {steps: [{sql: select 1}]}, check: {rows: 1}}", "stand in the steps of a transaction"},
		{"{sql.copy: {into: 'a;b', rows: {values: [1]}}}", `"a;b" is not the name of a table`},
		{"{sql.copy: {into: a, rows: {}}}", "want either values or csv"},
		{"{sql.copy: {into: a, columns: [b], rows: {values: [1, 2]}}}", "there are 1 column and 2 values"},
		{"{sql.listen: {channel: 'a b'}}", `"a b" is not the name of a channel`},
	} {
		if _, err := targetstest.Try(descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.step, err, c.want)
		}
	}
	f, err := targetstest.Try(descriptor(), "", "{sql: \"select  a\\n from b where c = '$1' -- $2\"}",
		"{sql.listen: {channel: news}}",
		"{sql: 'create table a (); create table b ()'}", "sql: begin; select 1; commit")
	if err != nil {
		t.Fatal(err)
	}
	if name := f.Calls[0].Name(); name != "select a from b where c = '$1' -- $2" {
		t.Error(name)
	}
	d := descriptor()
	if d.Lasts(f.Calls[0]) || !d.Lasts(f.Calls[1]) {
		t.Error("listen waits, and select does not")
	}
}

// TestURL: a URL that is wrong is refused.
func TestURL(t *testing.T) {
	for url, want := range map[string]string{
		"postgres://127.0.0.1:1/x":                               "the user is missing",
		"postgres://a@127.0.0.1:1/x?sslmode=prefer":              "there are disable, require and verify-full",
		"postgres://a@127.0.0.1:1/x?addr=localhost":              "is not HOST:PORT",
		"postgres://a@127.0.0.1:1/x?db=3":                        `unknown parameter "db"`,
		"postgres://a@127.0.0.1:1/x?prepare=no":                  "there are on and off",
		"postgres://a@127.0.0.1:1/x?target_session_attrs=leader": "there are any, primary",
	} {
		if _, err := descriptor().Client(targets.Options{Base: url}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", url, err, want)
		}
	}
}
