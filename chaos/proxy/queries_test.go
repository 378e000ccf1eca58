package proxy_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"brunt/chaos/proxy"
	"brunt/chaos/proxy/codec/query"
	"brunt/chaos/proxy/peer"
	"brunt/chaos/proxy/toxics"
	"brunt/scenarios/suite"
)

// pong answers each command of Redis, which is a line for it, as soon as its last line has come.
func pong(c *net.TCPConn) {
	for in := bufio.NewReader(c); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		if strings.HasPrefix(line, "~") { // the end of a command of this test
			_, _ = io.WriteString(c, "+"+strings.TrimSpace(line[1:])+"\r\n")
		}
	}
}

// command is a command of two words, of which the second ends it.
func command(verb, mark string) string {
	return "*3\r\n$" + string(rune('0'+len(verb))) + "\r\n" + verb + "\r\n$1\r\na\r\n$2\r\n~" + mark + "\r\n"
}

// TestQueries: of commands in a pipeline, those that a toxic selects are refused in their turn, and the upstream never
// sees them.
func TestQueries(t *testing.T) {
	p := start(t, serve(t, pong), proxy.Config{HTTP: true})
	c := dial(t, p)
	in := bufio.NewReader(c)
	ask := func(sent string, want ...string) {
		t.Helper()
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if got, err := in.ReadString('\n'); err != nil || strings.TrimSpace(got) != w {
				t.Fatalf("got %q, %v, want %s", got, err, w)
			}
		}
	}
	all := command("GET", "1") + command("SET", "2") + command("GET", "3") + command("SET", "4")
	ask(all, "+1", "+2", "+3", "+4")
	x := add(t, p, toxics.RedisError{Reply: "READONLY no", Name: "SET *"})
	ask(all, "+1", "-READONLY no", "+3", "-READONLY no")
	ask("*1\r\n$5\r\nMULTI\r\n"+command("SET", "5")+"*2\r\n$4\r\nEXEC\r\n$2\r\n~6\r\n", "+5", "+6")
	if seen := x.Seen(); seen.Hit != 2 || seen.Passed != 0 {
		t.Errorf("%+v", seen)
	}
	remove(t, x)
	ask(all, "+1", "+2", "+3", "+4")
	other := add(t, p, toxics.HTTPError{}) // which knows no commands
	ask(all, "+1", "+2", "+3", "+4")
	remove(t, other)
	delay := add(t, p, toxics.QueryDelay{Speaks: query.Redis, Delay: 150 * time.Millisecond, Name: "GET *"})
	began := time.Now()
	ask(command("GET", "7"), "+7")
	if took := time.Since(began); took < 150*time.Millisecond {
		t.Errorf("it took %s", took)
	}
	remove(t, delay)
	ask("*1\r\n$7\r\nMONITOR\r\n~8\r\n~9\r\n", "+8", "+9") // from here on it is another form
}

// pgMessage is a message of PostgreSQL.
func pgMessage(kind, body string) string {
	n := 4 + len(body)
	return kind + string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}) + body
}

// TestQueries_Flush: a client of PostgreSQL that waits for an answer before it ends its request gets the error then,
// and the end of the answer behind its own.
func TestQueries_Flush(t *testing.T) {
	p := start(t, serve(t, func(c *net.TCPConn) {
		b := make([]byte, 1000)
		if _, err := c.Read(b); err != nil {
			return
		}
		_, _ = io.WriteString(c, pgMessage("R", "\x00\x00\x00\x00")+pgMessage("Z", "I"))
		for n, err := c.Read(b); err == nil; n, err = c.Read(b) { // a message or more at once
			switch all := string(b[:n]); {
			case strings.HasSuffix(all, pgMessage("H", "")):
				_, _ = io.WriteString(c, pgMessage("1", ""))
			case strings.HasSuffix(all, pgMessage("S", "")):
				_, _ = io.WriteString(c, pgMessage("Z", "T"))
			}
		}
	}), proxy.Config{HTTP: true})
	c := dial(t, p)
	ask := func(sent, want string) {
		t.Helper()
		if _, err := io.WriteString(c, sent); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || string(got) != want {
			t.Fatalf("got %q, %v, want %q", got, err, want)
		}
	}
	parse := pgMessage("P", "\x00select 1\x00\x00\x00") + pgMessage("H", "")
	ask(pgMessage("", "\x00\x03\x00\x00user\x00a\x00\x00"), pgMessage("R", "\x00\x00\x00\x00")+pgMessage("Z", "I"))
	ask(parse, pgMessage("1", ""))
	ask(pgMessage("S", ""), pgMessage("Z", "T"))
	x := add(t, p, toxics.SQLError{State: "40001", Text: "no"})
	wrong := pgMessage("E", "SERROR\x00VERROR\x00C40001\x00Mno\x00\x00")
	ask(parse, wrong)
	ask(pgMessage("H", "")+pgMessage("S", ""), pgMessage("Z", "E"))
	ask(parse+pgMessage("S", ""), wrong+pgMessage("Z", "E"))
	remove(t, x)
	ask(parse, pgMessage("1", ""))
	ask(pgMessage("S", ""), pgMessage("Z", "T"))
}

// wrongCodec is a codec with a mistake.
type wrongCodec struct{ query.Codec }

func (wrongCodec) Requests(b []byte) ([]query.Part, error) { return []query.Part(nil)[:len(b)], nil }

// TestQueries_Panic: a panic of a codec ends its connection. The toxics that are active learn of it. Where there is
// none, the proxy does.
func TestQueries_Panic(t *testing.T) {
	p := start(t, serve(t, pong), proxy.Config{HTTP: true})
	breaks := func() {
		t.Helper()
		c := dial(t, p)
		ask := func() error {
			_, _ = io.WriteString(c, command("GET", "1"))
			_, err := io.ReadFull(c, make([]byte, len("+1\r\n")))
			return err
		}
		if err := ask(); err != nil {
			t.Fatal(err)
		}
		p.WithCodec(wrongCodec{})
		if ask() == nil {
			t.Error("it is answered, and not ended")
		}
		suite.Until(t, "the connection to end", func() bool { return p.Open() == 0 })
	}
	told := func(what, text string) {
		t.Helper()
		for _, want := range []string{"brunt's own codec", "slice bounds out of range", "proxy_test.wrongCodec.Requests"} {
			if !strings.Contains(text, want) {
				t.Errorf("%s: %q has no %q", what, text, want)
			}
		}
	}
	before := add(t, p, toxics.RedisError{Reply: "READONLY no", Name: "SET *"})
	remove(t, before)
	one := add(t, p, toxics.RedisError{Reply: "READONLY no", Name: "SET *"})
	other := add(t, p, toxics.Latency{Delay: time.Millisecond})
	breaks()
	told("the one", one.Status(t.Context()).Broken)
	told("the other", other.Status(t.Context()).Broken)
	remove(t, one)
	remove(t, other)
	if err := p.Broken(t.Context()); err != nil {
		t.Errorf("under toxics, the proxy says %v", err)
	}
	breaks()
	if err := p.Broken(t.Context()); err == nil {
		t.Error("the proxy does not say so")
	} else {
		told("the proxy", err.Error())
	}
	after := add(t, p, toxics.RedisError{Reply: "READONLY no", Name: "SET *"})
	for _, x := range []proxy.Toxicity{before, after} {
		if s := x.Status(t.Context()); s != (proxy.Status{}) {
			t.Errorf("%+v of a toxic that was not active", s)
		}
	}
	remove(t, after)
}

// TestQueries_Probes: a probe of either protocol sees what a client does.
func TestQueries_Probes(t *testing.T) {
	p := start(t, serve(t, pong), proxy.Config{HTTP: true})
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	probe := func(form peer.Form, path string) (own bool) {
		t.Helper()
		r, err := p.Probe(ctx, proxy.ProbeRequest{Kind: proxy.HTTP, Form: form, Path: path, N: 2})
		if err != nil || r.Outcome != proxy.Answered || len(r.Own) != 2 || r.Own[0] != r.Own[1] {
			t.Fatalf("%s: %+v, %v", path, r, err)
		}
		return r.Own[0]
	}
	for _, c := range []struct {
		form         peer.Form
		toxic        proxy.Toxic
		hit, another string
	}{
		{peer.Redis, toxics.RedisError{Reply: "BUSY no", Name: "SET user:*"}, "SET user:1", "GET user:1"},
		{
			peer.Mongo,
			toxics.MongoError{Code: 112, CodeName: "WriteConflict", Name: "insert order*"},
			"insert orders",
			"find orders",
		},
		{peer.SQL, toxics.SQLError{State: "40001", Name: "update *"}, "Update  a set b = 1", "select 1"},
		{peer.MySQL, toxics.SQLError{State: "40001", Name: "update *"}, "Update  a set b = 1", "select 1"},
	} {
		before := probe(c.form, c.hit)
		x := add(t, p, c.toxic)
		hit, another := probe(c.form, c.hit), probe(c.form, c.another)
		remove(t, x)
		if after := probe(c.form, c.hit); before || !hit || another || after {
			t.Errorf("%T: refused before %v, under it %v and another %v, after it %v", c.toxic, before, hit, another, after)
		}
	}
}
