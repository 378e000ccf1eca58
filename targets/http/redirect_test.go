package http_test

import (
	"fmt"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"brunt/targets"
	"brunt/targets/targetstest"
)

func TestHTTP_Redirects(t *testing.T) {
	moved := func(code int, location string) string {
		return fmt.Sprintf("HTTP/1.1 %d Moved\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", code, location)
	}
	for _, c := range []struct {
		name      string
		step      string
		code      int
		location  string // OTHER is a second server
		want      string // the outcome
		second    string // start of the second request; empty: none
		elsewhere bool   // it goes to the second server
	}{
		{name: "301", step: `get: /a`, code: 301, location: "/b", want: "ok 200", second: "GET /b "},
		{
			name: "302 of a post", step: `{post: /a, json: {n: "${int(1,1000000)}"}}`, code: 302, location: "/b", want: "ok 200",
			second: "GET /b ",
		},
		{
			name: "303 of a put", step: `{put: /a, body: x, headers: {Content-Type: text/x}}`, code: 303, location: "/b",
			want: "ok 200", second: "GET /b ",
		},
		{name: "303 of a head", step: `head: /a`, code: 303, location: "/b", want: "ok 200", second: "HEAD /b "},
		{
			name: "307 of a post", step: `{post: /a, json: {n: "${int(1,1000000)}"}}`, code: 307, location: "/b", want: "ok 200",
			second: "POST /b ",
		},
		{
			name: "308 of a put", step: `{put: /a, body: "${uuid()}"}`, code: 308, location: "/b", want: "ok 200",
			second: "PUT /b ",
		},
		{name: "relative", step: `get: /x/y/z?q=1`, code: 301, location: "../w?r=2", want: "ok 200", second: "GET /x/w?r=2 "},
		{name: "query only", step: `get: /x?q=1`, code: 301, location: "?r=2", want: "ok 200", second: "GET /x?r=2 "},
		{name: "fragment", step: `get: /x`, code: 301, location: "/y#z", want: "ok 200", second: "GET /y "},
		{
			name: "from a path with two slashes", step: `get: "//x/y"`, code: 301, location: "z", want: "ok 200",
			second: "GET //x/z ",
		},
		{
			name: "blanks", step: `get: /x`, code: 301, location: "/a b?c d=é", want: "ok 200",
			second: "GET /a%20b?c%20d=%C3%A9 ",
		},
		{
			name: "absolute", step: `get: /x`, code: 301, location: "http://OTHER/y", want: "ok 200", second: "GET /y ",
			elsewhere: true,
		},
		{
			name: "scheme-relative", step: `get: /x`, code: 301, location: "//OTHER/y", want: "ok 200", second: "GET /y ",
			elsewhere: true,
		},
		{name: "not followed", step: `{get: /a, redirects: 0}`, code: 302, location: "/b", want: "ok 302"},
		{
			name: "checked instead", step: `{get: /a, redirects: 0, check: {status: 302, header: {Location: /b}}}`, code: 302,
			location: "/b", want: "ok 302",
		},
		{name: "nowhere", step: `get: /a`, code: 302, want: "ok 302"},
		{name: "300", step: `get: /a`, code: 300, location: "/b", want: "ok 300"},
		{name: "304", step: `get: /a`, code: 304, location: "/b", want: "ok 304"},
		{name: "to nonsense", step: `get: /a`, code: 302, location: "http://[::1", want: "other"},
		{name: "to another scheme", step: `get: /a`, code: 302, location: "ftp://a/b", want: "other"},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, other := &recorder{}, &recorder{}
			away := strings.TrimPrefix(script(t, other.serve), "http://")
			n := 0
			url := script(t, func(p *peer) {
				for {
					r := p.request()
					if r == "" {
						return
					}
					first.mu.Lock()
					first.list = append(first.list, r)
					n++
					again := n > 1
					first.mu.Unlock()
					if again && strings.HasPrefix(r, "HEAD") {
						p.say("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n")
					} else if again {
						p.say(hello)
					} else {
						p.say(moved(c.code, strings.ReplaceAll(c.location, "OTHER", away)))
					}
				}
			})
			r := newFixture(t, targets.Options{Base: url}, c.step)
			o := r.user(0).Do(0, long)
			r.want(o, c.want)
			list, went := first.take(), other.take()
			if c.elsewhere {
				list = append(list, went...)
			}
			if int(o.Attempts) != len(list) {
				t.Errorf("%d attempts; the servers were asked %d times", o.Attempts, len(list))
			}
			if c.second == "" {
				if len(list) != 1 || len(went) > 0 {
					t.Fatalf("%q", list)
				}
				return
			}
			if len(list) != 2 || !strings.HasPrefix(list[1], c.second) {
				t.Fatalf("%q, want %q", list, c.second)
			}
			body := func(request string) string {
				_, b, _ := strings.Cut(request, "\r\n\r\n")
				return b
			}
			if same := c.code >= 307; same && body(list[0]) != body(list[1]) {
				t.Errorf("the body changed from %q to %q", body(list[0]), body(list[1]))
			} else if !same && (body(list[1]) != "" || strings.Contains(list[1], "Content-")) {
				t.Errorf("the body came along: %q", list[1])
			}
			if !o.Answered || o.Status != 200 {
				t.Errorf("%+v", o)
			}
		})
	}
}

// Secrets of one host are not sent to another, nor after that to the first.
func TestHTTP_RedirectsKeepSecrets(t *testing.T) {
	first, other := &recorder{}, &recorder{}
	var back string
	away := script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			other.mu.Lock()
			other.list = append(other.list, r)
			other.mu.Unlock()
			p.say("HTTP/1.1 307 Back\r\nLocation: " + back + "/end\r\nContent-Length: 0\r\n\r\n")
		}
	})
	back = script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			first.mu.Lock()
			first.list = append(first.list, r)
			first.mu.Unlock()
			switch {
			case strings.HasPrefix(r, "GET /start "):
				p.say("HTTP/1.1 307 Within\r\nLocation: /next\r\nContent-Length: 0\r\n\r\n")
			case strings.HasPrefix(r, "GET /next "):
				p.say("HTTP/1.1 307 Away\r\nLocation: " + away + "/there\r\nContent-Length: 0\r\n\r\n")
			default:
				p.say(hello)
			}
		}
	})
	r := newFixture(t, targets.Options{Base: back},
		`{get: /start, headers: {Authorization: secret, Cookie: secret=1, Host: secret.test, X-Other: public}}`)
	r.want(r.user(0).Do(0, long), "ok 200")
	list, went := first.take(), other.take()
	if len(list) != 3 || len(went) != 1 {
		t.Fatalf("%q, %q", list, went)
	}
	if strings.Count(list[0], "secret") != 3 || strings.Count(list[1], "secret") != 3 {
		t.Errorf("within the origin: %q", list[:2])
	}
	for _, request := range []string{went[0], list[2]} {
		if strings.Contains(request, "secret") || !strings.Contains(request, "X-Other: public") {
			t.Errorf("away from the origin: %q", request)
		}
	}
}

func TestHTTP_RedirectLoop(t *testing.T) {
	var n atomic.Int64
	url := script(t, func(p *peer) {
		for p.request() != "" {
			n.Add(1)
			p.say("HTTP/1.1 302 Found\r\nLocation: /again\r\nContent-Length: 3\r\n\r\nabc")
		}
	})
	r := newFixture(t, targets.Options{Base: url}, `get: /`, `{get: /, redirects: 2}`)
	u := r.user(0)
	o := u.Do(0, long)
	r.want(o, "redirects")
	if n.Load() != 11 || !o.WasSent || r.Opened() != 1 {
		t.Errorf("%d requests, %+v", n.Load(), o)
	}
	r.want(u.Do(1, long), "redirects")
	if n.Load() != 14 {
		t.Errorf("%d requests", n.Load())
	}
}

func TestHTTP_RedirectOutOfTheBlastRadius(t *testing.T) {
	other := &recorder{}
	away := script(t, other.serve)
	url := script(t, each(func(string) string {
		return "HTTP/1.1 302 Found\r\nLocation: " + away + "\r\nContent-Length: 0\r\n\r\n"
	}))
	k := &samples{}
	gate := targetstest.Gate(func(_ netip.Addr, hostport, _ string) error {
		if "http://"+hostport == away {
			return errNo
		}
		return nil
	})
	r := newFixture(t, targets.Options{Base: url, Sampler: k, Allow: gate}, `get: /`)
	o := r.user(0).Do(0, long)
	r.want(o, "not allowed")
	if len(other.take()) > 0 {
		t.Error("it was reached")
	}
	// The first hop was answered; the whole request was not.
	if !o.WasSent || o.Answered || o.Status != 0 {
		t.Errorf("%+v", o)
	}
	if m := k.last(); !strings.Contains(m.Message, "is not allowed: no") || m.Request != "GET "+away+"/" {
		t.Errorf("%+v", m)
	}
}

// A redirect shares the deadline of its first request.
func TestHTTP_RedirectDeadline(t *testing.T) {
	url := script(t, func(p *peer) {
		if p.request() != "" {
			p.say("HTTP/1.1 302 Found\r\nLocation: /hang\r\nContent-Length: 0\r\n\r\n")
			p.request()
			p.request()
		}
	})
	r := newFixture(t, targets.Options{Base: url}, `get: /`)
	u := r.user(0)
	o := u.Do(0, 80*time.Millisecond)
	r.want(o, "timeout")
	if o.End != u.It.Deadline || o.Answered || o.Status != 0 {
		t.Errorf("%+v, the deadline was %v", o, u.It.Deadline)
	}
}
