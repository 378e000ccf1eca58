package http_test

import (
	"net"
	"strings"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/suite"
	"brunt/targets"
	"brunt/targets/targetstest"
)

// mute answers every request without parsing or allocating.
func mute(answer string) func(*peer) {
	b := []byte(answer)
	return func(p *peer) {
		buf := make([]byte, 4096)
		c := p.Conn.(*net.TCPConn)
		for {
			if _, err := c.Read(buf); err != nil {
				return
			}
			if _, err := c.Write(b); err != nil {
				return
			}
		}
	}
}

const small = "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Fri, 20 Nov 2026 09:22:25 GMT\r\nContent-Type: " +
	"text/plain\r\nContent-Length: 64\r\nConnection: " +
	"keep-alive\r\n\r\n" +
	"0123456789012345678901234567890123456789012345678901234567890123"

// again repeats a call without allocations of its own.
func again(u *targetstest.User, call scenarios.Call, t0 time.Time, out *scenarios.Outcome) {
	u.It.Intended = time.Since(t0)
	u.It.Deadline = u.It.Intended + long
	*out = scenarios.Outcome{Intended: u.It.Intended, Ready: u.It.Intended}
	u.Session.Do(&u.It, call, out)
}

func TestHTTP_DoesNotAllocate(t *testing.T) {
	if suite.Race {
		t.Skip("the race detector allocates")
	}
	for _, c := range []struct {
		name, step string
		most       float64
	}{
		{"fixed", `get: /`, 0},
		{"filled in", `{post: "/x?n=${int(1,9)}", headers: {X-A: "${uuid(seeded)}"}, json: {a: "${int(1,9)}"}, check: {status: 200}}`, 0},
		{"header looked into", `{get: /, check: {header: {Server: x}}}`, 1},
	} {
		r := newFixture(t, targets.Options{Base: script(t, mute(small)), Tracing: targets.Tracing{High: 1, Sampled: true}},
			c.step)
		u := r.user(0)
		var out scenarios.Outcome
		if n := testing.AllocsPerRun(2000, func() { again(u, r.Calls[0], r.t0, &out) }); n > c.most {
			t.Errorf("%s: %v allocations a call", c.name, n)
		}
		r.want(out, "ok 200")
	}
}

func BenchmarkHTTP_Do(b *testing.B) {
	const items = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 80\r\n\r\n" +
		`{"items":[{"id":17,"name":"a post about something"},{"id":18,"name":"another"}]}`
	for _, c := range []struct{ name, step, answer string }{
		{"fixed", `get: /`, small},
		{"fixed+trace", `get: /`, small},
		{"template", `get: "/posts?page=${int(1,50)}"`, small},
		{"template+trace", `get: "/posts?page=${int(1,50)}"`, small},
		{"check+extract", `{get: "/posts?page=${int(1,50)}", check: {status: 200, "$.items": not empty}, extract: {id: "$.items[0].id"}}`, items},
	} {
		b.Run("call="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			o := targets.Options{Base: script(b, mute(c.answer))}
			if strings.HasSuffix(c.name, "trace") {
				o.Tracing.High = 1
			}
			r := newFixture(b, o, c.step)
			u := r.user(0)
			var out scenarios.Outcome
			for b.Loop() {
				again(u, r.Calls[0], r.t0, &out)
			}
			r.want(out, "ok 200")
		})
	}
}
