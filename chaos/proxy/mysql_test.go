package proxy_test

import (
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/query"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/suite"

	"github.com/go-sql-driver/mysql"
)

// mariaDB starts a MariaDB that ends with the test. Asks makes a statement of it that no proxy sees.
func mariaDB(t *testing.T) (addr string, asks func(statement string) string) {
	t.Helper()
	const packages = "mariadb-server-core mariadb-client-core"
	server, client, dir := suite.Program(t, "mariadbd", packages), suite.Program(t, "mariadb", packages), t.TempDir()
	install := exec.Command(suite.Program(t, "mariadb-install-db", packages), "--no-defaults", "--user=root",
		"--datadir="+dir,
		"--auth-root-authentication-method=normal", "--skip-test-db")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr = l.Addr().String()
	_ = l.Close()
	_, port, _ := net.SplitHostPort(addr)
	c := exec.Command(server, "--no-defaults", "--user=root", "--datadir="+dir, "--port="+port, "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(dir, "s"), "--innodb-buffer-pool-size=16M", "--skip-log-bin", "--max-allowed-packet=64M")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = c.Process.Kill()
		_ = c.Wait()
	})
	run := func(statement string) (string, error) {
		out, err := exec.Command(client, "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", port, "-u", "root", "-N",
			"-B", "-e", statement).Output()
		return strings.TrimSpace(string(out)), err
	}
	suite.Until(t, "MariaDB", func() bool { _, err := run("select 1"); return err == nil })
	return addr, func(statement string) string {
		t.Helper()
		out, err := run(statement)
		if err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
		return out
	}
}

// numbered is the number of an error of MySQL.
func numbered(err error) int {
	if e, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return int(e.Number)
	}
	return -1
}

// TestMySQL: statements of a real client to a real MariaDB are refused and delayed by name, the server never sees those
// that are refused, and all else passes whole: several results, prepared statements, transactions, messages of several
// packets.
func TestMySQL(t *testing.T) {
	addr, asks := mariaDB(t)
	asks("create database shop; create table shop.a (id int primary key, b longtext) engine=innodb; insert into shop.a " +
		"values (1, 'x'), (2, 'y')")
	p, err := proxy.Start(proxy.Config{HTTP: true, Upstream: func() string { return addr }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	db, err := sql.Open("mysql", "root@tcp("+p.Addr()+")/shop?multiStatements=true&maxAllowedPacket=0")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	prepared, err := db.Prepare("select b from a where id = ?")
	if err != nil {
		t.Fatal(err)
	}
	all := func() {
		t.Helper()
		var b string
		for range 3 {
			if err := prepared.QueryRow(1).Scan(&b); err != nil || b != "x" {
				t.Fatalf("%q, %v", b, err)
			}
		}
		rows, err := db.Query("select id from a order by id; select 7 where false; select b, id from a where id = 2")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for more := true; more; more = rows.NextResultSet() {
			for rows.Next() {
				n++
			}
		}
		if err := rows.Err(); err != nil || n != 3 {
			t.Fatalf("%d rows, %v", n, err)
		}
		_ = rows.Close()
		long := strings.Repeat("long ", 3_600_000) // over a packet
		if err := db.QueryRow("select '" + long + "'").Scan(&b); err != nil || b != long {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
		if err := db.Ping(); err != nil {
			t.Fatal(err)
		}
		if _, err := db.Exec("select no such thing"); numbered(err) != 1064 && numbered(err) != 1054 {
			t.Fatalf("%v", err)
		}
	}
	all()
	before := asks("show global status like 'Com_update'")
	x := add(t, p, toxics.SQLError{State: "23000", Text: "no", Name: "update *"})
	all()
	change, err := db.Prepare("update a set b = ? where id = 2")
	if numbered(err) != 1062 {
		t.Fatalf("prepared %v: %v", change, err)
	}
	for range 3 {
		if _, err := db.Exec("UPDATE a\n set b = 'z' where id = 2"); numbered(err) != 1062 ||
			!strings.Contains(err.Error(), "no") {
			t.Fatalf("%v", err)
		}
	}
	tx, err := db.Begin() // which stays open
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("insert into a values (3, 'in')"); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("update a set b = 'z'"); numbered(err) != 1062 {
		t.Fatalf("%v", err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if got := asks("select count(*), max(b = 'z') from shop.a"); got != "3\t0" {
		t.Errorf("the table has %q", got)
	}
	if after := asks("show global status like 'Com_update'"); after != before {
		t.Errorf("the server saw updates: %s, then %s", before, after)
	}
	if seen := x.Seen(); seen.Hit != 5 {
		t.Errorf("%+v", seen)
	}
	remove(t, x)

	deadlock := add(t, p, toxics.SQLError{State: "40001", Name: "*"})
	if _, err := db.Exec("select 1"); numbered(err) != 1213 {
		t.Errorf("%v", err)
	}
	remove(t, deadlock)
	if tx, err = db.Begin(); err != nil {
		t.Fatal(err)
	}
	deadlock = add(t, p, toxics.SQLError{State: "40001", Name: "*"})
	if _, err := tx.Exec("insert into a values (4, 'in')"); err != nil {
		t.Errorf("an error that ends a transaction was given within one: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Error(err)
	}
	remove(t, deadlock)

	delay := add(t, p, toxics.QueryDelay{Speaks: query.SQL, Delay: 150 * time.Millisecond, Name: "select b from *"})
	began := time.Now()
	var b string
	if err := prepared.QueryRow(2).Scan(&b); err != nil || time.Since(began) < 150*time.Millisecond {
		t.Errorf("%q after %s, %v", b, time.Since(began), err)
	}
	remove(t, delay)
	asks("delete from shop.a where id = 3")
	all()
	if got := fmt.Sprint(db.Stats().OpenConnections,
		asks("show global status like 'Aborted_clients'")); got != "1Aborted_clients\t0" {
		t.Errorf("connections were lost: %s", got)
	}
}
