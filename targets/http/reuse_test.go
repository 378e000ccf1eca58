package http_test

import (
	"bufio"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/quantity"
	"brunt/targets"
)

// TestHTTP_ClosedAsSent: a server closes idle connections just as requests come, and has not read them. A request that
// may be sent twice is sent again on a new connection, once, and any other is an error that names the cause.
func TestHTTP_ClosedAsSent(t *testing.T) {
	for _, c := range []struct {
		step, want string
		again      bool
	}{
		{"get: /", "ok 200", true},
		{"{put: /, body: x}", "ok 200", true},
		{"{delete: /}", "ok 200", true},
		{`{post: /, body: x, headers: {idempotency-key: "${uuid()}"}}`, "ok 200", true},
		{"{post: /, body: x}", "closed while idle", false},
		{"{patch: /, body: x}", "closed while idle", false},
	} {
		for _, end := range []struct {
			name string
			do   func(*peer)
		}{{"closed", func(*peer) {}}, {"reset", (*peer).reset}} {
			t.Run(c.step+" "+end.name, func(t *testing.T) {
				t.Parallel()
				seen := &recorder{}
				url := script(t, func(p *peer) {
					seen.one(p)
					if _, err := p.br.Peek(1); err == nil {
						end.do(p)
					}
				})
				kept := &samples{}
				r := newFixture(t, targets.Options{Base: url, Sampler: kept}, "get: /first", c.step)
				u := r.user(0)
				var out scenarios.Outcome
				for late := true; late; late = !c.again && out.End-out.Sent > 8*time.Millisecond { // by a busy machine
					r.want(u.Do(0, long), "ok 200")
					seen.take()
					time.Sleep(600 * time.Millisecond) // simulates a user who thinks
					out = u.Do(1, long)
				}
				r.want(out, c.want)
				if got := len(seen.take()); (got == 1) != c.again || (out.Attempts == 2) != c.again || !out.WasSent {
					t.Errorf("the server read it %d times: %+v", got, out)
				}
				if !c.again && !strings.Contains(kept.last().Message, "max_idle") {
					t.Errorf("it says %q", kept.last().Message)
				}
			})
		}
	}
}

// TestHTTP_SentAgainOnce: the end of a new connection is an error, and so is the second end of a request; a server that
// is gone refuses the second attempt. Only the end of a connection that was idle for long is called that.
func TestHTTP_SentAgainOnce(t *testing.T) {
	var requests atomic.Int64
	url := script(t, func(p *peer) {
		for n := 0; p.request() != ""; n++ {
			requests.Add(1)
			if n == 1 || p.n == 1 {
				return
			}
			p.say(hello)
		}
	})
	r := newFixture(t, targets.Options{Base: url}, "get: /", "post: /")
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	if out := u.Do(0, long); r.says(out) != "closed" || out.Attempts != 2 {
		t.Errorf("%s: %+v", r.says(out), out)
	}
	r.want(u.Do(0, long), "ok 200")
	if out := u.Do(1, long); r.says(out) != "closed" || out.Attempts != 1 {
		t.Errorf("%s: %+v", r.says(out), out)
	}
	if requests.Load() != 5 || r.Opened() != 3 {
		t.Errorf("%d requests on %d connections", requests.Load(), r.Opened())
	}
}

// TestHTTP_GoneAsSent: a server that dies with a request in hand refuses the second attempt, which is the outcome.
func TestHTTP_GoneAsSent(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan bool)
	go func() {
		defer close(done)
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		p := &peer{Conn: c, br: bufio.NewReader(c)}
		p.request()
		p.say(hello)
		p.request()
		_ = l.Close()
	}()
	r := newFixture(t, targets.Options{Base: "http://" + l.Addr().String()}, "get: /")
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	out := u.Do(0, long)
	<-done
	r.want(out, "refused")
	if out.Attempts != 1 || !out.WasSent {
		t.Errorf("%+v", out)
	}
}

// TestHTTP_MaxIdle: a connection that was idle for too long is not used.
func TestHTTP_MaxIdle(t *testing.T) {
	url := script(t, each(func(string) string { return hello }))
	o := targets.Options{Base: url}
	o.Connections.MaxIdle = quantity.Duration(50 * time.Millisecond)
	r := newFixture(t, o, "get: /")
	u := r.user(0)
	r.want(u.Do(0, long), "ok 200")
	time.Sleep(60 * time.Millisecond) // simulates a user who thinks
	r.want(u.Do(0, long), "ok 200")
	if r.Opened() != 2 {
		t.Errorf("%d connections", r.Opened())
	}
	o.Connections.MaxIdle = quantity.Duration(time.Minute)
	r = newFixture(t, o, "get: /")
	u = r.user(0)
	for range 3 {
		r.want(u.Do(0, long), "ok 200")
	}
	if r.Opened() != 1 {
		t.Errorf("%d connections", r.Opened())
	}
}
