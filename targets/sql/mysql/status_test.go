package mysql_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/calls"
	"brunt/targets/dial"
	"brunt/targets/sql"
	"brunt/targets/sql/mysql"
)

// certificate returns a certificate for 127.0.0.1.
func certificate() tls.Certificate {
	h := httptest.NewUnstartedServer(nil)
	h.StartTLS()
	defer h.Close()
	return h.TLS.Certificates[0]
}

// progress begins a call for statements that belong to none.
func progress() *calls.Progress {
	x := new(calls.Progress)
	x.Begin(&targets.Options{T0: time.Now()}, nil, &template.Iter{Deadline: long}, new(scenarios.Outcome))
	return x
}

// connect opens a connection that is no call's.
func connect(t *testing.T, addr string, secure bool) sql.Conn {
	t.Helper()
	c, err := tryConnect(t, addr, secure)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	c.Terms().Used = true
	return c
}

// tryConnect is [connect] for a login that may fail.
func tryConnect(t *testing.T, addr string, secure bool) (sql.Conn, error) {
	t.Helper()
	o := &targets.Options{Timeout: long, T0: time.Now()}
	var err error
	if o.Network, err = dial.NewNetwork(o); err != nil {
		t.Fatal(err)
	}
	at := &sql.Location{Addresses: []string{addr}, User: "app", Password: "sesame", Database: "shop", Prepare: true}
	if secure {
		at.TLS = sql.Encrypted
	}
	open, err := mysql.Dialect().Connect(o, at)
	if err != nil {
		t.Fatal(err)
	}
	return open(t.Context(), 0)
}

// TestStatus compares what a connection knows of its transaction with what MariaDB says of it, after each kind of
// answer, in plain text and over TLS.
func TestStatus(t *testing.T) {
	dir, mine := t.TempDir(), certificate()
	key, err := x509.MarshalPKCS8PrivateKey(mine.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	for name, block := range map[string]*pem.Block{
		"cert": {Type: "CERTIFICATE", Bytes: mine.Certificate[0]}, "key": {Type: "PRIVATE KEY", Bytes: key},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	addr, client := serve(t, "--ssl-cert="+filepath.Join(dir, "cert"), "--ssl-key="+filepath.Join(dir, "key"),
		"--max-allowed-packet=64M")
	client("create table shop.a (id int primary key); insert into shop.a values (1), (2)")
	client("delimiter /\ncreate procedure shop.opens() begin select 1; select id from shop.a; start transaction; " +
		"insert into shop.a values (9); end/")
	for _, secure := range []bool{false, true} {
		t.Run(map[bool]string{false: "plain", true: "TLS"}[secure], func(t *testing.T) {
			c := connect(t, addr, secure)
			ask := func(text string) (r sql.Result) {
				t.Helper()
				if err := c.Run(progress(), &sql.Statement{Text: text, Verb: "select", Keep: true}, nil, &r); err != nil {
					t.Fatal(text, err)
				}
				return r
			}
			if has := strings.Contains(fmt.Sprint(ask("show status like 'Ssl_cipher'").Doc), "TLS"); has != secure {
				t.Fatalf("the server says that the connection is encrypted: %v", has)
			}
			for _, s := range []sql.Statement{
				{Text: "select 1", Verb: "select"},
				{Text: "start transaction", Form: sql.Simple},
				{Text: "select id from a", Verb: "select"},
				{Text: "insert into a values (1)", Verb: "insert"}, // fails
				{Text: "commit", Form: sql.Simple},
				{Text: "insert into a values (1)", Verb: "insert"}, // fails
				{Text: "call opens()", Verb: "call"},
				{Text: "rollback", Form: sql.Simple},
				{Text: "call opens()", Form: sql.Simple},
				{Text: "select no", Verb: "select"}, // fails
				{Text: "rollback", Form: sql.Simple},
				{Text: "select 1; begin; select id from a", Form: sql.Simple},
				{Text: "select repeat('\xfe', 17000000), id from a", Verb: "select"},
				{Text: "select repeat('a', 16777211)", Verb: "select"}, // a packet that is full with its length
				{Text: "rollback", Form: sql.Simple},
				{Text: "begin; select no", Form: sql.Simple},
				{Text: "commit; select no", Form: sql.Simple},
				{Text: "select seq, repeat('b', 1000) from seq_1_to_5000", Verb: "select"},
				{Text: "set autocommit = 0", Form: sql.Simple},
				{Text: "select id from a", Verb: "select"},
				{Text: "set autocommit = 1", Form: sql.Simple},
			} {
				if err := c.Run(progress(), &s, nil, &sql.Result{}); err != nil {
					t.Fatal(s.Text, err)
				}
				idle := c.Idle()
				open := fmt.Sprint(ask("select concat(@@in_transaction, @@autocommit) as s").Doc)
				if idle != strings.Contains(open, "0ON") {
					t.Errorf("after %s: idle %v, and the server says %s", s.Text, idle, open)
				}
			}
			r := sql.Result{}
			id := [][]byte{[]byte("2")}
			for _, s := range []*sql.Statement{
				{Text: "select id from a where id = ?", Verb: "select"}, {Text: "delete from a where id = ?", Verb: "delete"},
			} {
				if err := c.Run(progress(), s, id, &r); err != nil || !c.Idle() {
					t.Errorf("%s: %v, idle %v", s.Text, err, c.Idle())
				}
			}
			client("insert into shop.a values (2)")
		})
	}
}

// TestPasswordOverTLS: MySQL 8 asks for the password itself when it has no hash of it in memory. The client sends it
// over TLS alone, as a packet of the login with the right number.
func TestPasswordOverTLS(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	got := make(chan string, 1)
	go func() {
		got <- login8(l, &tls.Config{Certificates: []tls.Certificate{certificate()}}, "caching_sha2_password", "")
	}()
	c := connect(t, l.Addr().String(), true)
	if text := <-got; text != "sesame\x00" {
		t.Errorf("the server got %q", text)
	}
	if !c.Idle() {
		t.Error("the status of the login is lost")
	}
}

// TestRefused_RSAPassword: over TLS, MySQL wants the password of a method for which the driver sends none. The error
// says so for this method alone.
func TestRefused_RSAPassword(t *testing.T) {
	for _, tt := range []struct {
		name, greets, switches string
		advised                bool
	}{
		{"the account's method", "caching_sha2_password", "sha256_password", true},
		{"the server's method", "sha256_password", "", true},
		{"another method", "caching_sha2_password", "mysql_native_password", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := net.Listen("tcp4", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			got := make(chan string, 1)
			go func() {
				got <- login8(l, &tls.Config{Certificates: []tls.Certificate{certificate()}}, tt.greets, tt.switches)
			}()
			_, err = tryConnect(t, l.Addr().String(), true)
			if text := <-got; text != "refused" {
				t.Errorf("the server: %s", text)
			}
			if err == nil || !strings.Contains(err.Error(), "1045: Access denied") ||
				strings.Contains(err.Error(), "sslmode=disable") != tt.advised {
				t.Errorf("error %v, with advice: want %v", err, tt.advised)
			}
		})
	}
}

// login8 plays the login of MySQL 8 on the first connection of l, and returns the password, or what was wrong. It
// greets with a method of logging in. A server whose method is sha256_password, or that switches to another, refuses
// the login.
func login8(l net.Listener, by *tls.Config, greets, switches string) string {
	c, err := l.Accept()
	if err != nil {
		return err.Error()
	}
	defer c.Close()
	number := byte(0)
	send := func(body ...byte) {
		_, _ = c.Write(append([]byte{byte(len(body)), 0, 0, number}, body...))
		number++
	}
	wrong := ""
	read := func() []byte {
		head := make([]byte, 4)
		if _, err := io.ReadFull(c, head); err != nil {
			wrong = err.Error()
			return make([]byte, 64)
		}
		if head[3] != number {
			wrong = "a packet has a wrong number"
		}
		number = head[3] + 1
		body := make([]byte, int(head[0])|int(head[1])<<8)
		_, _ = io.ReadFull(c, body)
		return body
	}
	const flags = 0x010aaa00 | 1<<11 | 1<<9 | 1
	greeting := append([]byte("\x0a8.0.36\x00\x01\x00\x00\x00challeng\x00"),
		flags&0xff, flags>>8&0xff, 45, 2, 0, flags>>16&0xff, flags>>24, 21)
	greeting = append(append(greeting, make([]byte, 10)...), "esauthorize!\x00"+greets+"\x00"...)
	send(greeting...)
	if request := read(); len(request) != 32 || request[1]&8 == 0 {
		return "no request for TLS"
	}
	c = tls.Server(c, by)
	if response := read(); response[1]&8 == 0 || !bytes.Contains(response, []byte("app\x00")) {
		return "no login: " + wrong
	}
	if switches != "" {
		send(append([]byte{0xfe}, switches+"\x00challengesauthorize!\x00"...)...)
		read()
	}
	if switches != "" || greets == "sha256_password" {
		send(append([]byte{0xff, 0x15, 0x04}, "#28000Access denied for user 'app'"...)...)
		return cmp.Or(wrong, "refused")
	}
	send(1, 4) // the full exchange
	password := read()
	send(0, 0, 0, 2, 0, 0, 0)
	return string(password) + wrong
}
