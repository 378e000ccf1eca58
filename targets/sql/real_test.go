package sql_test

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/sql"
	"brunt/targets/sql/postgres"
	"brunt/targets/targetstest"
)

// program is a program of PostgreSQL. It skips the test where there is none.
func program(t *testing.T, name string) string {
	t.Helper()
	return suite.Program(t, name, "postgresql-15", "/usr/lib/postgresql/*/bin/"+name)
}

// node is a PostgreSQL that ends with the test. It runs as postgres where the test is root, as it refuses root.
type node struct {
	t    *testing.T
	addr string
	port string
	data string
	*exec.Cmd
}

// as returns a command of a program of PostgreSQL.
func as(t *testing.T, name string, args ...string) *exec.Cmd {
	argv := append([]string{program(t, name)}, args...)
	if os.Getuid() == 0 {
		argv = append([]string{"setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"}, argv...)
	}
	return exec.Command(argv[0], argv[1:]...)
}

// must runs a command to its end and returns what it prints.
func must(t *testing.T, c *exec.Cmd) string {
	t.Helper()
	b, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", c, err, b)
	}
	return strings.TrimSpace(string(b))
}

// folder makes a folder that postgres may write to.
func folder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "brunt-sql-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if os.Getuid() == 0 {
		of, err := user.Lookup("postgres")
		if err != nil {
			t.Skip(err)
		}
		uid, _ := strconv.Atoi(of.Uid)
		gid, _ := strconv.Atoi(of.Gid)
		if err := os.Chown(dir, uid, gid); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// settings are those of all servers.
var settings = []string{
	"listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB",
	"dynamic_shared_memory_type=mmap",
	"max_prepared_transactions=0", "autovacuum=off",
}

// serve runs a server on the data in a folder.
func serve(t *testing.T, data string, more ...string) *node {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	n := &node{t: t, addr: l.Addr().String(), data: data}
	_ = l.Close()
	_, n.port, _ = net.SplitHostPort(n.addr)
	args := []string{"-D", data, "-p", n.port}
	for _, s := range append(settings, more...) {
		args = append(args, "-c", s)
	}
	n.Cmd = as(t, "postgres", args...)
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.end)
	suite.Until(t, "PostgreSQL", func() bool {
		return exec.Command(program(t, "pg_isready"), "-h", "127.0.0.1", "-p", n.port, "-d", "postgres", "-U",
			"postgres").Run() == nil
	})
	return n
}

// end ends the server and its processes at once.
func (n *node) end() {
	if n.ProcessState == nil {
		_ = n.Process.Signal(syscall.SIGQUIT)
		_ = n.Wait()
	}
}

// primary runs a server with new data: the user postgres without a password, and app with the password sesame.
func primary(t *testing.T) *node {
	t.Helper()
	data := folder(t)
	must(t, as(t, "initdb", "-D", data, "-A", "trust", "-U", "postgres", "--no-sync", "--no-locale", "-E", "UTF8"))
	rules := "host all app all scram-sha-256\nhost all all all trust\nhost replication all all trust\n"
	if err := os.WriteFile(filepath.Join(data, "pg_hba.conf"), []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	n := serve(t, data)
	n.psql("create role app login password 'sesame'")
	n.psql("grant all on schema public to app")
	return n
}

// psql runs a statement as postgres and returns what it gives.
func (n *node) psql(statement string) string {
	n.t.Helper()
	return must(n.t, exec.Command(program(n.t, "psql"), "-X", "-At", "-h", "127.0.0.1", "-p", n.port, "-U", "postgres",
		"-c", statement))
}

// TestReal sends statements to Debian's PostgreSQL: each kind of answer, a login by SCRAM, what other connections do,
// and as many statements as the server counts.
func TestReal(t *testing.T) {
	n := primary(t)
	for _, query := range []string{"", "?prepare=off"} {
		t.Run("statements"+query, func(t *testing.T) { n.statements(t, "postgres://app:sesame@"+n.addr+"/postgres"+query) })
	}
	t.Run("login", n.logins)
	t.Run("notifications", n.notifications)
	t.Run("nothing is sent twice", n.nothingTwice)
	t.Run("ended within a transaction", n.endedWithin)
	t.Run("pool", n.pool)
}

func (n *node) statements(t *testing.T, base string) {
	f := newFixture(t, targets.Options{Base: base},
		"sql: 'drop table if exists orders; create table orders (id serial primary key, who text, cents numeric, paid "+
			"bool, doc jsonb)'",
		`{sql: "insert into orders (who, cents, paid, doc) values ($1, $2, $3, $4) returning id", args: ["it's \" ${int(5,5)}", 3.98, true, '{"a": [1]}'], `+
			`extract: {id: "$[0].id"}, check: {rows: 1, affected: 1}}`,
		`{sql: "select *, 7::float8 as f, 'NaN'::float8 as nan from orders where id = $1", args: ["${var.id}"], `+
			`check: {"$[0].who": "it's \" 5", "$[0].cents": 3.98, "$[0].paid": true, "$[0].doc.a[0]": 1, "$[0].f": "> 6", "$[0].nan": NaN}}`,
		`{sql: "update orders set who = $1 where id > $2", args: [null, 0], check: {affected: "> 0"}}`,
		`{sql: "select who from orders where who is not null"}`,
		`{sql: "select nothing from orders"}`,
		`{sql: "insert into orders (id) values ($1)", args: ["${var.id}"]}`,
		`{sql: "insert into orders (id) values ($1)", args: [tea]}`,
		`{sql.tx: {isolation: serializable, steps: [{sql: "select count(*) as c from orders", extract: {c: "$[0].c"}}, `+
			`{sql: "insert into orders (id, who) values (1000, $1)", args: ["${var.c}"]}]}}`,
		`{sql.tx: {steps: [{sql: "insert into orders (id) values (2000)"}, {sql: "insert into orders (id) values (2000)"}]}}`,
		`{sql: "select who from orders where id = 1000", check: {"$[0].who": 1, rows: 1}}`,
		`{sql: "select 1 from orders where id = 2000", check: {rows: 0}}`,
		`{sql.tx: {steps: [{sql: "insert into orders (id) values (3000)"}, {sql: "insert into orders (id) values (3000)", check: {allow: "23505"}}]}}`,
		`{sql.copy: {into: orders, columns: [id, who], rows: {count: 3, values: ["${int(10000,2000000000)}", "a\tb\\c\nd"]}}, check: {affected: 3}}`,
		`{sql: "select count(*) as c from orders where who = $1", args: ["a\tb\\c\nd"], check: {"$[0].c": 3}}`,
		`{sql.copy: {into: nowhere, rows: {values: [1]}}}`,
		`{sql: "copy orders from stdin"}`,
		`{sql: "copy orders to stdout", check: {rows: "> 3"}}`,
		`{sql: "select pg_sleep(5)"}`,
		`{sql: "select generate_series(1, 100000) as n", check: {rows: 100000}}`,
		`{sql: "select generate_series(1, 100000) as n", check: {"$[0].n": 1}}`,
		"sql: 'alter table orders add extra int'",
		`{sql: "select * from orders where id = 1000", check: {rows: 1, "$[0].who": exists}}`,
		"sql: 'alter table orders drop extra'",
		"sql: 'select 1; select 1/0'",
		"sql: ';'",
	)
	u := f.User(t, 0)
	for i, want := range []string{
		"ok", "ok", "ok", "ok", "ok", "error, error 42703", "error, error 23505", "error, error 22P02",
		"ok", "error, error 23505", "ok", "ok", "error, error 40000", "ok", "ok",
		"error, error 42P01", "error, protocol", "ok", "error, timeout", "ok", "error, protocol", "ok", "ok", "ok",
		"error, error 22012", "ok",
	} {
		timeout := long
		if i == 18 {
			timeout = 300 * time.Millisecond
		}
		if got := f.Got(u.Do(i, timeout)); got != want {
			t.Errorf("call %d, %s: %s, want %s", i, f.Calls[i].Name(), got, want)
		}
	}
	for _, want := range []string{"error, error 0A000", "ok"} {
		if strings.Contains(base, "prepare=off") {
			want = "ok"
		}
		if got := f.Got(u.Do(22, long)); got != want {
			t.Errorf("a statement that was prepared with other columns: %s, want %s", got, want)
		}
	}
	if opened := f.Opened(); opened > 5 { // one more after each: a copy without rows, a timeout, more than is looked into
		t.Errorf("%d connections", opened)
	}
}

func (n *node) logins(t *testing.T) {
	for _, c := range []struct{ base, want string }{
		{"postgres://app:no@ADDR/postgres", "error, error 28P01"},
		{"postgres://app:sesame@ADDR/none", "error, error 3D000"},
		{"postgres://absent@ADDR/postgres", "error, error 28000"},
		{"postgres://postgres@ADDR/postgres?sslmode=require", "error, tls"},
		{"postgres://postgres@ADDR/postgres?application_name=x&search_path=pg_catalog", "ok"},
		{"postgres://postgres@ADDR/postgres?target_session_attrs=standby", "error, error 25006"},
		{"postgres://postgres@127.0.0.1:1/postgres?addr=ADDR&target_session_attrs=read-write", "ok"},
	} {
		f := newFixture(t, targets.Options{Base: strings.Replace(c.base, "ADDR", n.addr, 1)}, "sql: select 1")
		got := f.Got(f.User(t, 0).Do(0, long))
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.base, got, c.want)
		}
	}
}

func (n *node) notifications(t *testing.T) {
	f := newFixture(t, targets.Options{Base: "postgres://postgres@" + n.addr + "/postgres"},
		`{sql.listen: {channel: news, messages: 2}, check: {"$[1].payload": two, rows: 2}}`)
	u := f.User(t, 0)
	heard := make(chan string, 1)
	go func() { heard <- f.Got(u.Do(0, long)) }()
	suite.Until(t, "a listener",
		func() bool { return n.psql("select count(*) from pg_stat_activity where query = 'listen news'") == "1" })
	n.psql("notify news, 'one'")
	n.psql("notify news, 'two'")
	if got := <-heard; got != "ok" {
		t.Error(got)
	}
	if got := f.Got(u.Do(0, 200*time.Millisecond)); got != "error, timeout" {
		t.Errorf("without a notification: %s", got)
	}
	go func() { heard <- f.Got(u.Do(0, long)) }()
	suite.Until(t, "a listener", func() bool {
		return n.psql("select count(pg_terminate_backend(pid)) from pg_stat_activity where query = 'listen news'") == "1"
	})
	if got := <-heard; got != "error, error 57P01" {
		t.Errorf("a listener that was ended: %s", got)
	}
}

// nothingTwice: what the server counted is what was sent, while answers are cut off and connections reset.
func (n *node) nothingTwice(t *testing.T) {
	n.psql("create table hits (at int)")
	for _, reset := range []bool{false, true} {
		n.psql("truncate hits")
		r := targetstest.StartRelay(t, n.addr, reset, false)
		f := newFixture(t, targets.Options{Base: "postgres://postgres@" + r.Addr().String() + "/postgres"},
			`{sql: "insert into hits values ($1)", args: [1]}`)
		var sent, answered atomic.Int64
		var all sync.WaitGroup
		for vu := range 4 {
			u := f.User(t, vu)
			all.Go(func() {
				for range 50 {
					out := u.Do(0, 5*time.Second)
					sent.Add(out.Written())
					if out.Answered {
						answered.Add(1)
					}
				}
			})
		}
		all.Wait()
		suite.Until(t, "the last statement", func() bool {
			return n.psql("select count(*) from pg_stat_activity where state = 'active' and query like 'insert%'") == "0"
		})
		if counted := n.psql("select count(*) from hits"); counted != strconv.FormatInt(sent.Load(), 10) ||
			answered.Load() == 0 || answered.Load() == sent.Load() {
			t.Errorf("reset %v: the server counted %s, %d were sent and %d answered", reset, counted, sent.Load(),
				answered.Load())
		}
	}
}

// endedWithin: a transaction whose connection was ended between two statements is told why, and a call that finds its
// connection ended takes another.
func (n *node) endedWithin(t *testing.T) {
	o := &targets.Options{Timeout: long, T0: time.Now()}
	var err error
	if o.Network, err = network(o); err != nil {
		t.Fatal(err)
	}
	connect, err := postgres.Dialect().Connect(o,
		&sql.Location{Addresses: []string{n.addr}, User: "postgres", Database: "postgres", Prepare: true})
	if err != nil {
		t.Fatal(err)
	}
	for _, within := range []bool{true, false} {
		c, err := connect(t.Context(), 0)
		if err != nil {
			t.Fatal(err)
		}
		c.Terms().Used = true
		x := new(calls.Progress)
		x.Begin(o, nil, &template.Iter{Deadline: long}, new(scenarios.Outcome))
		if within {
			if err := c.Run(x, &sql.Statement{Text: "begin", Form: sql.Simple}, nil, &sql.Result{}); err != nil || c.Idle() ||
				!c.Usable() {
				t.Fatal(err)
			}
		}
		n.psql("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'brunt'")
		suite.Until(t, "the end", func() bool {
			return n.psql("select count(*) from pg_stat_activity where application_name = 'brunt'") == "0"
		})
		var r sql.Result
		x.Begin(o, nil, &template.Iter{Deadline: long}, new(scenarios.Outcome))
		err = c.Run(x, &sql.Statement{Text: "select 1"}, nil, &r)
		if within && (err != nil || r.Failure.Code != "57P01") || !within && !errors.Is(err, targets.ErrStale) ||
			x.Out.WasSent || c.Usable() {
			t.Errorf("within %v: %v, %+v", within, err, r)
		}
		_ = c.Close()
	}
}

// pool: users that share connections wait in line, and that is queue time.
func (n *node) pool(t *testing.T) {
	o := targets.Options{Base: "postgres://postgres@" + n.addr + "/postgres"}
	o.Connections.Max = 2
	f := newFixture(t, o, "sql: select pg_sleep(0.05)")
	var all sync.WaitGroup
	var waited atomic.Int64
	for vu := range 6 {
		u := f.User(t, vu)
		all.Go(func() {
			out := u.Do(0, long)
			if got := f.Got(out); got != "ok" {
				t.Error(got)
			}
			if out.Queue() > 25*time.Millisecond {
				waited.Add(1)
			}
		})
	}
	all.Wait()
	if f.Opened() != 2 || waited.Load() != 4 {
		t.Errorf("%d connections, %d waited", f.Opened(), waited.Load())
	}
}
