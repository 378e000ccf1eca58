package mysql_test

import (
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/sql"
	"brunt/targets/sql/mysql"
	"brunt/targets/targetstest"
)

// long is a timeout that passes only if something is wrong.
const long = 30 * time.Second

// program is a program of MariaDB. It skips the test where there is none.
func program(t *testing.T, name string) string {
	t.Helper()
	return suite.Program(t, name, "mariadb-server-core mariadb-client-core")
}

// serve starts a MariaDB that ends with the test, with the user app whose password is sesame.
func serve(t *testing.T, options ...string) (addr string, client func(statement string) string) {
	t.Helper()
	dir := t.TempDir()
	account := "--user=root"
	install := exec.Command(program(t, "mariadb-install-db"), "--no-defaults", account, "--datadir="+dir,
		"--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	_, port, _ := net.SplitHostPort(addr)
	_ = l.Close()
	c := exec.Command(program(t, "mariadbd"), "--no-defaults", account, "--datadir="+dir, "--port="+port,
		"--bind-address=127.0.0.1",
		"--socket="+filepath.Join(dir, "s"), "--innodb-buffer-pool-size=16M", "--innodb-flush-log-at-trx-commit=0",
		"--skip-log-bin")
	c.Args = append(c.Args, options...)
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		t.Fatal(err)
	}
	c.Stdout, c.Stderr = log, log
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
		_ = log.Close()
	})
	run := func(statement string) (string, error) {
		out, err := exec.Command(program(t, "mariadb"), "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", port,
			"-u", "root", "-N", "-B",
			"-e", statement).CombinedOutput()
		return strings.TrimSpace(string(out)), err
	}
	client = func(statement string) string {
		t.Helper()
		out, err := run(statement)
		if err != nil {
			t.Fatalf("%s: %v: %s", statement, err, out)
		}
		return out
	}
	suite.Until(t, "MariaDB", func() bool { _, err := run("select 1"); return err == nil })
	client("create database shop; create user app identified by 'sesame'; grant all on shop.* to app")
	return addr, client
}

func newFixture(t *testing.T, o targets.Options, steps ...string) *targetstest.Fixture {
	t.Helper()
	return targetstest.NewFixture(t, sql.Descriptor(mysql.Dialect()), o, steps...)
}

// TestReal sends statements to Debian's MariaDB: each kind of answer, logins, and as many statements as the server
// counts.
func TestReal(t *testing.T) {
	addr, client := serve(t)
	for _, query := range []string{"", "?prepare=off"} {
		t.Run("statements"+query, func(t *testing.T) { statements(t, "mysql://app:sesame@"+addr+"/shop"+query) })
	}
	t.Run("login", func(t *testing.T) {
		for base, want := range map[string]string{
			"mysql://app:no@ADDR/shop": "error, error 1045", "mysql://app:sesame@ADDR/none": "error, error 1044",
			"mysql://app:sesame@ADDR/shop?target_session_attrs=read-write": "ok",
			"mysql://app:sesame@127.0.0.1:1/shop?addr=ADDR":                "ok",
			"mysql://app:sesame@127.0.0.1:1/shop":                          "error, refused",
			"mysql://app:sesame@ADDR/shop?sslmode=require":                 "error, tls",
		} {
			f := newFixture(t, targets.Options{Base: strings.Replace(base, "ADDR", addr, 1)}, "sql: select 1")
			if got := f.Got(f.User(t, 0).Do(0, long)); got != want {
				t.Errorf("%s: %s, want %s", base, got, want)
			}
		}
	})
	t.Run("killed", func(t *testing.T) {
		f := newFixture(t, targets.Options{Base: "mysql://app:sesame@" + addr + "/shop"}, "sql: select 1",
			"sql: select sleep(9)")
		u := f.User(t, 0)
		if got := f.Got(u.Do(0, long)); got != "ok" {
			t.Error(got)
		}
		of := "select group_concat(id) from information_schema.processlist where user = 'app'"
		client("kill " + client(of))
		suite.Until(t, "the end", func() bool { return client(of) == "NULL" })
		if out := u.Do(0, long); f.Got(out) != "ok" || out.Attempts != 1 { // another connection, before anything was written
			t.Errorf("%s, %d attempts", f.Got(out), out.Attempts)
		}
		if got := f.Got(u.Do(1, 300*time.Millisecond)); got != "error, timeout" {
			t.Error(got)
		}
	})
	t.Run("nothing is sent twice", func(t *testing.T) {
		client("create table shop.hits (at int)")
		for _, reset := range []bool{false, true} {
			client("truncate shop.hits")
			r := targetstest.StartRelay(t, addr, reset, true)
			f := newFixture(t, targets.Options{Base: "mysql://app:sesame@" + r.Addr().String() + "/shop"},
				`{sql: insert into hits values (?), args: [1]}`)
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
			counted := func() string { return client("select count(*) from shop.hits") }
			if !suite.Within(5*time.Second, func() bool { return counted() == strconv.FormatInt(sent.Load(), 10) }) ||
				answered.Load() == sent.Load() {
				t.Errorf("reset %v: the server counted %s, %d were sent and %d answered", reset, counted(), sent.Load(),
					answered.Load())
			}
		}
	})
}

func statements(t *testing.T, base string) {
	f := newFixture(t, targets.Options{Base: base},
		"sql: 'drop table if exists orders; create table orders (id int primary key auto_increment, who varchar(50), "+
			"cents decimal(9,2), n double)'",
		`{sql: "insert into orders (who, cents, n) values (?, ?, ?)", args: ["it's \\ ${int(5,5)}", 3.98, 1.5], check: {affected: 1}}`,
		`{sql: "select * from orders where who = ?", args: ["it's \\ 5"], `+
			`check: {rows: 1, "$[0].cents": 3.98, "$[0].n": "> 1", "$[0].id": 1}, extract: {id: "$[0].id"}}`,
		`{sql: "select * from orders where id = 1", check: {rows: 1, "$[0].cents": 3.98, "$[0].n": "> 1", "$[0].id": 1}}`,
		`{sql: "update orders set who = ? where id = ?", args: [null, "${var.id}"], check: {affected: 1}}`,
		`{sql: "select who from orders where who is not null", check: {rows: 0}}`,
		`{sql: "select nothing from orders where id = ?", args: [1]}`,
		`{sql: "insert into orders (id) values (?)", args: ["${var.id}"]}`,
		`{sql.tx: {isolation: serializable, steps: [{sql: "select count(*) as c from orders", extract: {c: "$[0].c"}}, `+
			`{sql: "insert into orders (id) values (?)", args: [1000]}]}}`,
		`{sql.tx: {steps: [{sql: "insert into orders (id) values (2000)"}, {sql: "insert into orders (id) values (2000)"}]}}`,
		`{sql: "select id from orders where id >= 1000", check: {rows: 1}}`,
	)
	u := f.User(t, 0)
	for i, want := range []string{
		"ok", "ok", "ok", "ok", "ok", "ok", "error, error 1054", "error, error 1062", "ok", "error, error 1062", "ok",
	} {
		if got := f.Got(u.Do(i, long)); got != want {
			t.Errorf("call %d, %s: %s, want %s", i, f.Calls[i].Name(), got, want)
		}
	}
	if f.Opened() != 1 {
		t.Errorf("%d connections", f.Opened())
	}
}

// TestReal_Sessions: what a statement leaves on its connection, and what follows its rows.
func TestReal_Sessions(t *testing.T) {
	addr, client := serve(t)
	client("create table shop.o (id int primary key, who varchar(20))")
	client("delimiter //\ncreate procedure shop.fails() begin select 1 as n; signal sqlstate '45000' set mysql_errno = " +
		"5001; end//")
	client("delimiter //\ncreate procedure shop.opens() begin start transaction; insert into shop.o values (77, 'a'); " +
		"end//")
	base := "mysql://app:sesame@" + addr + "/shop"
	t.Run("answers", func(t *testing.T) {
		f := newFixture(t, targets.Options{Base: base},
			`{sql: "/* app: shop */ select 1 as n", check: {rows: 1, "$[0].n": 1}}`,
			`{sql: "insert into o values (1, 'returning')", check: {affected: 1}}`,
			`{sql: "insert into o values (2, 'b') returning id", check: {rows: 1, "$[0].id": 2}}`,
			"sql: call fails()",
			"{sql: 'with a as (select 1 as n) select n from a', check: {rows: 1}}",
		)
		u := f.User(t, 0)
		for i, want := range []string{"ok", "ok", "ok", "error, error 5001", "ok"} {
			if got := f.Got(u.Do(i, long)); got != want {
				t.Errorf("%s: %s, want %s", f.Calls[i].Name(), got, want)
			}
		}
		if f.Opened() != 1 {
			t.Errorf("%d connections", f.Opened())
		}
	})
	t.Run("open transactions", func(t *testing.T) {
		f := newFixture(t, targets.Options{Base: base},
			"sql: 'begin; insert into o values (10, null); insert into o values (10, null); commit'",
			"sql: call opens()", "sql: set autocommit = 0", `{sql: "insert into o values (?, null)", args: ["${var.id}"]}`)
		u := f.User(t, 0)
		for i, want := range []string{"error, error 1062", "ok", "ok"} {
			if got := f.Got(u.Do(i, long)); got != want {
				t.Errorf("%s: %s, want %s", f.Calls[i].Name(), got, want)
			}
			u.It.Vars[0].SetText(strconv.Itoa(20 + i))
			if got := f.Got(u.Do(3, long)); got != "ok" {
				t.Errorf("after %s: %s", f.Calls[i].Name(), got)
			}
		}
		if ids := client("select group_concat(id order by id) from shop.o where id >= 10"); ids != "20,21,22" {
			t.Errorf("the table has %s", ids)
		}
	})
	t.Run("times of a statement that is prepared each time", func(t *testing.T) {
		f := newFixture(t, targets.Options{Base: base + "?prepare=off"}, `{sql: "select sleep(?)", args: [0.1]}`)
		u := f.User(t, 0)
		for range 2 {
			if out := u.Do(0, long); f.Got(out) != "ok" || out.First-out.Sent < 90*time.Millisecond || out.End < out.First {
				t.Errorf("%s: sent %s, first %s, end %s", f.Got(out), out.Sent, out.First, out.End)
			}
		}
	})
	t.Run("demoted", func(t *testing.T) {
		f := newFixture(t, targets.Options{Base: base + "?target_session_attrs=read-write"},
			"sql: insert into o values (40, null)")
		u := f.User(t, 0)
		if got := f.Got(u.Do(0, long)); got != "ok" {
			t.Fatal(got)
		}
		client("set global read_only = 1")
		defer client("set global read_only = 0")
		for range 2 {
			if got := f.Got(u.Do(0, long)); got != "error, error 1290" {
				t.Error(got)
			}
		}
		if f.Opened() != 1 { // the second found no server that takes writes
			t.Errorf("%d connections", f.Opened())
		}
	})
	t.Run("servers that never answer", func(t *testing.T) {
		mute := muted(t, addr, "read_only")
		f := newFixture(t, targets.Options{
			Base: "mysql://app:sesame@" + mute + "/shop?target_session_attrs=read-write&addr=" + addr,
		}, "sql: select 1")
		if got := f.Got(f.User(t, 0).Do(0, time.Second)); got != "ok" {
			t.Error(got)
		}
		f = newFixture(t, targets.Options{Base: "mysql://app:sesame@" + mute + "/shop?target_session_attrs=read-write"},
			"sql: select 1")
		began := time.Now()
		if got := f.Got(f.User(t, 0).Do(0, 300*time.Millisecond)); got != "error, timeout" ||
			time.Since(began) > 5*time.Second {
			t.Errorf("%s after %s", got, time.Since(began))
		}
	})
}

// muted starts a relay to a server that says nothing more on a connection from what asks for something on.
func muted(t *testing.T, to, about string) string {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", to)
			if err != nil {
				_ = c.Close()
				return
			}
			all.Go(func() {
				_, _ = io.Copy(c, s)
				_ = c.Close()
			})
			all.Go(func() {
				defer s.Close()
				for b := make([]byte, 4<<10); ; {
					n, err := c.Read(b)
					if err != nil {
						return
					}
					if strings.Contains(string(b[:n]), about) {
						_, _ = io.Copy(io.Discard, c)
						return
					}
					_, _ = s.Write(b[:n])
				}
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		all.Wait()
	})
	return l.Addr().String()
}
