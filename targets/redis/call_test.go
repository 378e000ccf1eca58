package redis_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/redis"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// newFixture creates a client of the endpoint of o.
func newFixture(t testing.TB, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, redis.Descriptor(), o, steps...)
}

// says answers each command with the text of its last word.
func says(words []string) string { return strings.ReplaceAll(words[len(words)-1], "~", "\r\n") }

// TestCall judges answers.
func TestCall(t *testing.T) {
	s := start(t, options{say: says})
	for _, c := range []struct{ name, step, want, message string }{
		{"text", `{redis: [GET, "+hi~"], check: {$: hi}}`, "ok", ""},
		{"another text", `{redis: [GET, "+ho~"], check: {$: hi}}`, "error, check $", `$ was "ho", and "hi" was wanted`},
		{"number", `{redis: [INCR, ":7~"], check: {$: "> 6"}}`, "ok", ""},
		{"not empty", `{redis: [GET, "$0~~"], check: {$: not empty}}`, "error, check $", "not empty was wanted"},
		{"nil is no error", `{redis: [GET, "_~"]}`, "ok", ""},
		{"nil", `{redis: [GET, "_~"], check: {$: exists}}`, "error, check $", "there was nothing at $"},
		{"list", `{redis: [LRANGE, a, "*2~+x~:3~"], check: {"$[1]": 3}}`, "ok", ""},
		{"map", `{redis: [HGETALL, "%1~+total~:3~"], check: {$.total: "> 2"}}`, "ok", ""},
		{"JSON in a text", `{redis: [GET, '+{"total": 5}~'], check: {$.total: 5}}`, "ok", ""},
		{"no JSON in a text", `{redis: [GET, "+total~"], check: {$.total: 5}}`, "error, check $.total", "nothing at $.total"},
		{"error", `{redis: [GET, "-LOADING Redis is loading~"]}`, "error, error LOADING", "LOADING Redis is loading"},
		{"unknown error", `{redis: [GET, "-MINE no~"]}`, "error, error other", "MINE no"},
		{"error within", `{redis: [GET, "*2~+a~-WRONGTYPE no~"]}`, "error, error WRONGTYPE", "WRONGTYPE no"},
		{"schema of JSON in a text", `{redis: [GET, '+{"total": 5}~'], check: {schema: testdata/total.json}}`, "ok", ""},
		{"schema of a map", `{redis: [HGETALL, "%1~+total~:3~"], check: {schema: testdata/total.json}}`, "ok", ""},
		{
			"another schema", `{redis: [GET, '+{"total": "5"}~'], check: {schema: testdata/total.json}}`,
			"error, check schema testdata/total.json", "$.total: got string, want integer",
		},
		{
			"schema of a text", `{redis: [GET, "+total~"], check: {schema: testdata/total.json}}`,
			"error, check schema testdata/total.json", "$: got string, want object",
		},
		{
			"schema of nothing", `{redis: [GET, "_~"], check: {schema: testdata/total.json}}`,
			"error, check schema testdata/total.json", "$: got null, want object",
		},
		{"absent", `{redis: [GET, "_~"], check: {$: absent, $.a: absent}}`, "ok", ""},
		{"not absent", `{redis: [GET, "+hi~"], check: {$: absent}}`, "error, check $", "absent was wanted"},
		{"contains", `{redis: [LRANGE, a, "*2~+x~:3~"], check: {$: contains x, "$[*]": not contains 4}}`, "ok", ""},
		{"allowed error", `{redis: [XGROUP, "-BUSYGROUP there~"], check: {allow: BUSYGROUP}}`, "ok", ""},
		{"another error", `{redis: [XGROUP, "-ERR no~"], check: {allow: [BUSYGROUP]}}`, "error, error ERR", "ERR no"},
		{
			"allowed error before a worse one",
			`{redis: [GET, "*2~-BUSYGROUP there~-WRONGTYPE no~"], check: {allow: BUSYGROUP}}`,
			"error, error WRONGTYPE", "WRONGTYPE no",
		},
		{
			"shed before an error", `{redis: {pipeline: [[GET, "-BUSY no~"], [GET, "-WRONGTYPE no~"]]}, check: {shed: BUSY}}`,
			"error, error WRONGTYPE", "WRONGTYPE",
		},
		{
			"allowed errors of a pipeline", `{redis: {pipeline: [[GET, "-BUSY no~"], [GET, "+a~"]]}, check: {allow: BUSY}}`,
			"ok", "",
		},
		{"shed", `{redis: [GET, "-MINE no~"], check: {shed: [BUSY, MINE]}}`, "shed", ""},
		{"late", `{redis: [GET, "+a~"], check: {within: 1ns}}`, "error, check within", "within 1ns was wanted"},
		{"extracted", `{redis: [GET, "+a~"], extract: {v: $}}`, "ok", ""},
		{"nothing to extract", `{redis: [GET, "_~"], extract: {v: $}}`, "error, extract v", "nothing stands at $"},
		{"nonsense", `{redis: [GET, "what~"]}`, "error, protocol", "begins with"},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := &targetstest.Sampler{}
			f := newFixture(t, targets.Options{Base: s.Base(), Sampler: k}, c.step, `{redis: [GET, "+well~"]}`)
			u := f.User(t, 0)
			if got := f.Got(u.Do(0, long)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if c.message != "" && (len(k.Kept) != 1 || !strings.Contains(k.Kept[0].Message, c.message)) {
				t.Errorf("samples %+v", k.Kept)
			}
			if got := f.Got(u.Do(1, long)); got != "ok" {
				t.Errorf("the next call: %s", got)
			}
		})
	}
}

// TestCall_Values: one argument an item, whatever is in it; extracted values go into later calls.
func TestCall_Values(t *testing.T) {
	var mu sync.Mutex
	var came []string
	s := start(t, options{say: func(words []string) string {
		mu.Lock()
		defer mu.Unlock()
		came = append(came, fmt.Sprintf("%q", words))
		return "$4\r\na\r\nb\r\n"
	}})
	f := newFixture(t, targets.Options{Base: s.Base()}, `{redis: [GET, "k ${int(5,5)}", 7, true, ""], extract: {v: $}}`,
		`redis: [SET, "${var.v}", "x${var.v}y"]`, `redis: {multi: [[SET, a, "${var.v}"], [INCR, b]]}`)
	u := f.User(t, 0)
	for i := range 2 {
		if got := f.Got(u.Do(i, long)); got != "ok" {
			t.Error(got)
		}
	}
	u.Do(2, long)
	want := []string{
		`["GET" "k 5" "7" "true" ""]`, `["SET" "a\r\nb" "xa\r\nby"]`, `["MULTI"]`, `["SET" "a" "a\r\nb"]`, `["INCR" "b"]`,
		`["EXEC"]`,
	}
	mu.Lock()
	defer mu.Unlock()
	if strings.Join(came, "\n") != strings.Join(want, "\n") {
		t.Errorf("came %s", came)
	}
}

// TestCall_Absent: nil says that a read of the ledger found nothing; some errors are worth another read.
func TestCall_Absent(t *testing.T) {
	d, s := redis.Descriptor(), start(t, options{say: says})
	f := newFixture(t, targets.Options{Base: s.Base()}, `redis: [GET, "_~"]`, `redis: [GET, "+a~"]`,
		`redis: [GET, "-LOADING a~"]`, `redis: [GET, "-ERR a~"]`)
	u := f.User(t, 0)
	for i, want := range []string{"true false", "false false", "false true", "false false"} {
		out := u.Do(i, long)
		if got := fmt.Sprint(d.Absent(f.Calls[i], &out), d.Retry(f.Calls[i], &out)); got != want {
			t.Errorf("%s: %s, want %s", f.Got(out), got, want)
		}
	}
}

// TestCall_ChecksAgainstValues: a check compares an answer with what an earlier step extracted.
func TestCall_ChecksAgainstValues(t *testing.T) {
	s := start(t, options{say: says})
	f := newFixture(t, targets.Options{Base: s.Base()}, `{redis: [GET, "+hi~"], extract: {v: $}}`,
		`{redis: [GET, "+hi~"], check: {$: "${var.v}"}}`, `{redis: [GET, "+ho~"], check: {$: "${var.v}"}}`)
	u := f.User(t, 0)
	for i, want := range []string{"ok", "ok", "error, check $"} {
		if got := f.Got(u.Do(i, long)); got != want {
			t.Errorf("call %d: got %s, want %s", i, got, want)
		}
	}
}

// TestPipeline: a pipeline is one request with a part for each command.
func TestPipeline(t *testing.T) {
	s := start(t, options{say: says})
	type measured struct {
		part int
		out  scenarios.Outcome
	}
	var parts []measured
	f := newFixture(t, targets.Options{
		Base: s.Base(),
		Emit: func(_ *template.Iter, _ scenarios.Call, part int, out *scenarios.Outcome) {
			parts = append(parts, measured{part, *out})
		},
	}, `{redis: {pipeline: [[GET, "+a~"], [GET, "-ERR no~"], [INCR, ":1~"]]}}`,
		`{redis: {pipeline: [[GET, "+a~"], [INCR, ":7~"]]}, check: {"$[1]": 7}, extract: {v: "$[0]"}}`,
		`{redis: {pipeline: [[GET, "+a~"], [HOLD]]}}`)
	if names := fmt.Sprint(redis.Descriptor().Parts(f.Calls[0])); names != "[GET GET 2 INCR]" {
		t.Errorf("parts are %s", names)
	}
	u := f.User(t, 0)
	out := u.Do(0, long)
	if got := f.Got(out); got != "error, error ERR" || out.Attempts != 1 || out.Bytes != 4+9+4 {
		t.Errorf("got %s, %+v", got, out)
	}
	for i, want := range []string{"ok", "error, error ERR", "ok"} {
		p := parts[i]
		ordered := out.Sent <= p.out.First && p.out.First <= p.out.End && p.out.End <= out.End
		if p.part != i || f.Got(p.out) != want || !ordered || p.out.Slot != out.Slot || !p.out.Answered {
			t.Errorf("part %d: %s %+v of %+v", i, f.Got(p.out), p.out, out)
		}
	}
	parts = nil
	if got := f.Got(u.Do(1, long)); got != "ok" || u.Var("v") != "a" || len(parts) != 2 {
		t.Errorf("%s, v is %s, %d parts", got, u.Var("v"), len(parts))
	}
	parts = nil
	if got := f.Got(u.Do(2, 100*time.Millisecond)); got != "error, timeout" || len(parts) != 2 ||
		f.Got(parts[1].out) != "error, timeout" {
		t.Errorf("%s, parts %+v", got, parts)
	}
	s.Release()
}

// TestMulti: a transaction is one request; its answer is that of EXEC.
func TestMulti(t *testing.T) {
	exec := ""
	s := start(t, options{say: func(words []string) string {
		switch words[0] {
		case "EXEC":
			return exec
		case "WRONG":
			return "-ERR unknown command\r\n"
		}
		return "+QUEUED\r\n"
	}})
	f := newFixture(t, targets.Options{Base: s.Base()}, `{redis: {multi: [[INCR, a], [INCR, b]]}, check: {"$[1]": 2}}`,
		`redis: {multi: [[INCR, a], [WRONG]]}`)
	u := f.User(t, 0)
	for _, c := range []struct {
		call       int
		exec, want string
	}{
		{0, "*2\r\n:1\r\n:2\r\n", "ok"},
		{0, "*2\r\n:1\r\n:3\r\n", "error, check $[1]"},
		{0, "*2\r\n:1\r\n-WRONGTYPE no\r\n", "error, error WRONGTYPE"},
		{0, "_\r\n", "error, check $[1]"},
		{1, "-EXECABORT no\r\n", "error, error ERR"},
	} {
		exec = c.exec
		if got := f.Got(u.Do(c.call, long)); got != c.want {
			t.Errorf("%q: %s, want %s", c.exec, got, c.want)
		}
	}
	if s.Connections() != 1 {
		t.Errorf("%d connections", s.Connections())
	}
}

// TestLogin: a connection begins with what the URL of the endpoint says, and RESP2 where the server has no RESP3.
func TestLogin(t *testing.T) {
	for _, c := range []struct {
		name, url, want, logins, version string
		o                                options
	}{
		{"nothing", "redis://ADDR", "ok", "[[HELLO 3]]", "[RESP3]", options{}},
		{"database", "redis://ADDR/7", "ok", "[[HELLO 3] [SELECT 7]]", "[RESP3]", options{}},
		{"password", "redis://:pass@ADDR", "ok", "[[HELLO 3 AUTH default pass]]", "[RESP3]", options{user: "default pass"}},
		{
			"user", "redis://ann:p%20q@ADDR/2", "ok", "[[HELLO 3 AUTH ann p q] [SELECT 2]]", "[RESP3]",
			options{user: "ann p q"},
		},
		{
			"wrong password", "redis://ann:no@ADDR", "error, error WRONGPASS", "[[HELLO 3 AUTH ann no]]", "[]",
			options{user: "ann yes"},
		},
		{
			"old server", "redis://:pass@ADDR/1", "ok", "[[HELLO 3 AUTH default pass] [SELECT 1] [AUTH pass] [SELECT 1]]",
			"[RESP2]",
			options{old: true},
		},
		{"RESP2 asked for", "redis://ann:pass@ADDR?protocol=2", "ok", "[[AUTH ann pass]]", "[RESP2]", options{}},
		{"RESP2 without login", "redis://ADDR?protocol=2", "ok", "[]", "[RESP2]", options{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, k := start(t, c.o), &targetstest.Sampler{}
			f := newFixture(t, targets.Options{Base: strings.Replace(c.url, "ADDR", s.Addr().String(), 1), Sampler: k},
				"redis: [PING]")
			out := f.User(t, 0).Do(0, long)
			if got := f.Got(out); got != c.want || s.logins() != c.logins || fmt.Sprint(f.Spoken().Versions) != c.version {
				t.Errorf("got %s, logins %s, spoken %s", got, s.logins(), f.Spoken().Versions)
			}
			if (out.Opening.Login > 0) != (c.logins != "[]") {
				t.Errorf("the login took %v", out.Opening.Login)
			}
			if c.want != "ok" && (out.WasSent || len(k.Kept) != 1 ||
				!strings.Contains(k.Kept[0].Message, "the login is refused: WRONGPASS")) {
				t.Errorf("%+v", k.Kept)
			}
			bound := redis.Descriptor().Bind(t.Context(), f.Calls[0], f.Client)
			if (bound == nil) != (c.want == "ok") {
				t.Errorf("bound: %v", bound)
			}
		})
	}
}

// TestPerUser: each user has a connection of its own, which ends with it.
func TestPerUser(t *testing.T) {
	s := start(t, options{})
	f := newFixture(t, targets.Options{Base: s.Base(), Connections: scenarios.Connections{Per: scenarios.PerUser}},
		"redis: [PING]")
	for _, name := range []string{"first", "second"} {
		t.Run(name, func(t *testing.T) { // its end closes the sessions
			for range 3 {
				users := []*targetstest.User{f.User(t, 0), f.User(t, 1)}
				for range 3 {
					for _, u := range users {
						if got := f.Got(u.Do(0, long)); got != "ok" {
							t.Error(got)
						}
					}
				}
			}
		})
	}
	if s.Connections() != 12 {
		t.Errorf("%d connections of 12 users", s.Connections())
	}
}

// TestSample: a call that failed can be sent again by redis-cli, without its secrets.
func TestSample(t *testing.T) {
	s := start(t, options{say: func([]string) string { return "-ERR no\r\n" }})
	k := &targetstest.Sampler{}
	f := newFixture(t, targets.Options{Base: "redis://ann:sesame-open@" + s.Addr().String() + "/3", Sampler: k},
		`redis: [SET, "user ${int(5,5)}", 'a"b']`, "redis: [GET, user:5]",
		"redis: {pipeline: [[INCR, a], [HSET, u, password, hunter22]]}", "redis: {multi: [[INCR, a]]}")
	u := f.User(t, 0)
	host, port, _ := strings.Cut(s.Addr().String(), ":")
	cli := "redis-cli -h '" + host + "' -p '" + port + "' -n '3' --user ann"
	auth := `REDISCLI_AUTH="${REDIS_PASSWORD:?}" `
	for i, want := range []string{
		`printf '%s\n'` + " \\\n  'SET \"user 5\" \"a\\\"b\"' | " + auth + cli,
		auth + cli + " GET 'user:5'",
		auth + cli, // below
		`printf '%s\n'` + " \\\n  MULTI \\\n  'INCR a' \\\n  EXEC | " + auth + cli,
	} {
		u.Do(i, long)
		sent := k.Kept[i].Sent
		got := sent.Conceal(nil).Curl()
		if i == 2 {
			if strings.Contains(got, "hunter22") || !strings.Contains(got, "HSET u password") ||
				!strings.Contains(got, `"${SECRET:?}"`) {
				t.Errorf("%s", got)
			}
			continue
		}
		if got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestCompile: mistakes of a step are found before anything runs.
func TestCompile(t *testing.T) {
	for _, c := range []struct{ step, want string }{
		{"redis: GET a", "a command is a list of its words; such as [GET, a]"},
		{"redis: []", "the command has no words"},
		{"redis: [[GET, a]]", "each item is one word of the command"},
		{"redis: [GET a]", `"GET a" is not the name of a command; each word is an item: [GET, a]`},
		{`redis: ["${var.x}", a]`, "the name of a command has no placeholders"},
		{"redis: [select, 1]", "SELECT changes a connection"},
		{"redis: [MULTI]", "`redis: {multi:"},
		{"redis: [CLIENT, reply, off]", "CLIENT REPLY changes a connection"},
		{"redis: {pipe: [[GET, a]]}", `unknown key "pipe"; did you mean "pipeline"?`},
		{"redis: {pipeline: [GET, a]}", "a command is a list of its words"},
		{"redis: {multi: []}", "want a list of commands"},
		{"{redis: [GET, a], check: {status: OK}}", `unknown check "status"`},
		{"{redis: [GET, a], check: {shed: 'a b'}}", `"a b" is not the first word of an error`},
		{"{redis: [GET, a], extract: {v: header x}}", `want "$" or "$.path"`},
		{"{redis: [GET, a], json: {}}", `unknown key "json"`},
	} {
		if _, err := targetstest.Try(redis.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.step, err, c.want)
		}
	}
	f, err := targetstest.Try(redis.Descriptor(), "", `redis: [get, "user:${int(1,9)}"]`,
		"redis: {multi: [[INCR, a], [GET, b]]}",
		"redis: [BLPOP, q, 1]", "redis: [EVAL, x, 1, k]")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range f.Calls {
		names = append(names, c.Name())
	}
	if got := strings.Join(names, ", "); got != "GET user:${int(1,9)}, multi INCR GET, BLPOP q, EVAL" {
		t.Errorf("names are %s", got)
	}
	d := redis.Descriptor()
	if d.Lasts(f.Calls[0]) || !d.Lasts(f.Calls[2]) {
		t.Error("BLPOP waits, and GET does not")
	}
	if f.Calls[0].Traits().Takes || !f.Calls[2].Traits().Takes {
		t.Error("BLPOP takes what it answers with, and GET does not")
	}
}

// TestURL: a URL that is wrong is refused.
func TestURL(t *testing.T) {
	for url, want := range map[string]string{
		"redis://127.0.0.1:1/x":                      "not the number of a database",
		"redis://ann@127.0.0.1:1":                    "a user without a password",
		"redis+cluster://127.0.0.1:1/2":              "a cluster has the database 0 alone",
		"redis+sentinel://127.0.0.1:1":               "the name of the primary is missing",
		"redis://127.0.0.1:1?addr=127.0.0.1:2":       "several addresses are those of a cluster",
		"redis+cluster://127.0.0.1:1?addr=localhost": "is not HOST:PORT",
		"redis://127.0.0.1:1?db=3":                   `unknown parameter "db"`,
		"redis://127.0.0.1:1?protocol=4":             "Redis has 2 and 3",
	} {
		if _, err := redis.Descriptor().Client(targets.Options{Base: url}); err == nil ||
			!strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", url, err, want)
		}
	}
}

// bind prepares the calls at the endpoint.
func bind(t testing.TB, f *targetstest.Fixture) error {
	for _, c := range f.Calls {
		if err := redis.Descriptor().Bind(t.Context(), c, f.Client); err != nil {
			return err
		}
	}
	return nil
}
