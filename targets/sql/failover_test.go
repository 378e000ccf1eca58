package sql_test

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/targetstest"

	"github.com/jackc/pgx/v5/pgproto3"
)

// silent starts a server that takes connections and never says anything. It returns its address and counts them.
func silent(t *testing.T) (addr string, count *atomic.Int64) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	count = new(atomic.Int64)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			count.Add(1)
			t.Cleanup(func() { _ = c.Close() })
		}
	}()
	return l.Addr().String(), count
}

// roles answers the question for its role as a primary does, and to all else by say.
func roles(say func(question) []pgproto3.BackendMessage) func(question) []pgproto3.BackendMessage {
	return func(q question) []pgproto3.BackendMessage {
		if q.simple {
			return []pgproto3.BackendMessage{
				&pgproto3.RowDescription{Fields: []pgproto3.FieldDescription{{Name: []byte("a")}, {Name: []byte("b")}}},
				&pgproto3.DataRow{Values: [][]byte{[]byte("f"), []byte("off")}}, done("SELECT 1"),
			}
		}
		return say(q)
	}
}

// TestServers_Silent: a server that never answers does not hide the next one, and is not tried again where any server
// of the same role is as good.
func TestServers_Silent(t *testing.T) {
	s := start(t, func(s *server) { s.say = roles(rows) })
	dead, tried := silent(t)
	base := "postgres://app@" + dead + "/shop?addr=" + s.Addr().String()
	for _, c := range []struct {
		query string
		tried int64
	}{{"", 2}, {"&target_session_attrs=read-write", 1}} {
		before := tried.Load()
		f := newFixture(t, targets.Options{Base: base + c.query, Connections: scenarios.Connections{Per: scenarios.PerUser}},
			"sql: select")
		for vu := range 2 {
			if out := f.User(t, vu).Do(0, time.Second); f.Got(out) != "ok" {
				t.Errorf("%q: %s", c.query, f.Got(out))
			}
		}
		if n := tried.Load() - before; n != c.tried {
			t.Errorf("%q: the silent server was tried %d times, want %d", c.query, n, c.tried)
		}
	}
	f := newFixture(t, targets.Options{Base: "postgres://app@" + dead + "/shop?addr=127.0.0.1:1"}, "sql: select")
	u := f.User(t, 0)
	if out := u.Do(0, time.Second); f.Got(out) != "error, unreachable" || out.End >= u.It.Deadline {
		t.Errorf("one silent and one closed: %s", f.Got(out))
	}
	other, _ := silent(t)
	f = newFixture(t, targets.Options{Base: "postgres://app@" + dead + "/shop?addr=" + other}, "sql: select")
	if got := f.Got(f.User(t, 0).Do(0, 300*time.Millisecond)); got != "error, timeout" {
		t.Errorf("two silent: %s", got)
	}
}

// TestServers_Demoted: where the endpoint wants a server that takes writes, a connection to one that takes none any
// more is left.
func TestServers_Demoted(t *testing.T) {
	s := start(t, func(s *server) { s.say = roles(rows) })
	for query, connections := range map[string]int64{"": 1, "?target_session_attrs=read-write": 2} {
		before := s.Connections()
		f := newFixture(t, targets.Options{Base: s.Base() + query}, "sql: error 25006 no writes", "sql: select")
		u := f.User(t, 0)
		if got := f.Got(u.Do(0, long)); got != "error, error 25006" {
			t.Error(got)
		}
		if got := f.Got(u.Do(1, long)); got != "ok" || s.Connections()-before != connections {
			t.Errorf("%q: %s, %d connections", query, got, s.Connections()-before)
		}
	}
}

// TestListen_Unlisten: a connection whose UNLISTEN has no answer yet is not used again.
func TestListen_Unlisten(t *testing.T) {
	s, end := start(t, nil), make(chan struct{})
	defer close(end)
	s.say = func(q question) []pgproto3.BackendMessage {
		switch q.text {
		case "listen news":
			return []pgproto3.BackendMessage{done("LISTEN"), &pgproto3.NotificationResponse{Channel: "news", Payload: "a"}}
		case "unlisten news":
			<-end
		}
		return rows(q)
	}
	f := newFixture(t, targets.Options{Base: s.Base()}, "{sql.listen: {channel: news}, check: {rows: 1}}",
		"{sql: select, check: {rows: 1}}")
	u := f.User(t, 0)
	if got := f.Got(u.Do(0, 300*time.Millisecond)); got != "ok" {
		t.Fatal(got)
	}
	if got := f.Got(u.Do(1, 2*time.Second)); got != "ok" || s.Connections() != 2 {
		t.Errorf("%s, %d connections", got, s.Connections())
	}
}

// TestTransaction_Sample: the sample of a transaction shows the values that were sent.
func TestTransaction_Sample(t *testing.T) {
	var mu sync.Mutex
	var sent []string
	s := start(t, func(s *server) {
		s.say = func(q question) []pgproto3.BackendMessage {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, q.args...)
			return rows(q)
		}
	})
	k := &targetstest.Sampler{}
	f := newFixture(t, targets.Options{Base: s.Base(), Sampler: k},
		`{sql.tx: {steps: [{sql: "select $1, $2", args: ["${int(1,1000000000)}", null]}, {sql: select 1}, {sql: "error 40001 $1", args: ["${int(1,1000000000)}"]}]}}`)
	f.User(t, 0).Do(0, long)
	mu.Lock()
	defer mu.Unlock()
	want := fmt.Sprintf("begin;\nprepare brunt as select $1, $2;\nexecute brunt('%s', null);\ndeallocate "+
		"brunt;\nselect 1;\n"+
		"prepare brunt as error 40001 $1;\nexecute brunt('%s');\ndeallocate brunt;\nrollback;", sent[0], sent[2])
	if got := k.Kept[0].Sent.Body; got != want {
		t.Errorf("the sample is\n%s\nand was\n%s", got, want)
	}
}

// TestSample_Secret: the value of a hidden variable is masked in all output once a sample has it.
func TestSample_Secret(t *testing.T) {
	s := start(t, func(s *server) { s.say = rows })
	k := &targetstest.Sampler{}
	f := newFixture(t, targets.Options{Base: s.Base(), Sampler: k}, `{sql: "error 40001 $1", args: ["${var.pin}"]}`)
	u := f.User(t, 0)
	u.It.Env = &template.Env{Secrets: new(template.Secrets), Hidden: []int{0}}
	u.It.Vars[0].SetText("open-sesame-47")
	u.Do(0, long)
	if got := u.It.Env.Secrets.Mask(k.Kept[0].Sent.Body); strings.Contains(got, "sesame") {
		t.Errorf("the sample shows %s", got)
	}
}
