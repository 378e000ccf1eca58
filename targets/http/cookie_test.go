package http_test

import (
	"fmt"
	"strings"
	"testing"

	"brunt/targets"
)

// cookieOf returns the Cookie headers of a request.
func cookieOf(request string) string {
	var list []string
	for line := range strings.SplitSeq(request, "\r\n") {
		if name, v, _ := strings.Cut(line, ": "); strings.EqualFold(name, "Cookie") {
			list = append(list, v)
		}
	}
	return strings.Join(list, " | ")
}

// baker sets the cookies that the query requests: ?set=a=1;Path=/x,b=2
func baker(seen *recorder) func(*peer) {
	return func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			seen.mu.Lock()
			seen.list = append(seen.list, r)
			seen.mu.Unlock()
			var set strings.Builder
			line, _, _ := strings.Cut(r, " HTTP")
			if _, wanted, ok := strings.Cut(line, "?set="); ok {
				for c := range strings.SplitSeq(wanted, ",") {
					fmt.Fprintf(&set, "Set-Cookie: %s\r\n", c)
				}
			}
			p.say("HTTP/1.1 200 OK\r\n" + set.String() + "Content-Length: 0\r\n\r\n")
		}
	}
}

func TestHTTP_Cookies(t *testing.T) {
	for _, c := range []struct {
		name string
		set  string
		path string
		want string
	}{
		{"one", "a=1", "/", "a=1"},
		{"several", "a=1,b=2,c=3", "/", "a=1; b=2; c=3"},
		{"of a path", "a=1;Path=/x,b=2;Path=/", "/y", "b=2"},
		{"within a path", "a=1;Path=/x", "/x/y", "a=1"},
		{"for the folder it came from", "a=1", "/there", "a=1"},
		{"secure over plain HTTP", "a=1;Secure,b=2", "/", "b=2"},
		{"of the parent domain", "a=1;Domain=example.test", "/", "a=1"},
		{"of another domain", "a=1;Domain=example.com,b=2", "/", "b=2"},
		{"expired", "a=1;Max-Age=0,b=2", "/", "b=2"},
		{"only for HTTP", "a=1;HttpOnly;SameSite=Strict", "/", "a=1"},
		{"nonsense", "=;;,b=2", "/", "b=2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := &recorder{}
			host := strings.TrimPrefix(script(t, baker(seen)), "http://")
			_, port, _ := strings.Cut(host, ":")
			// By name, as loopback itself counts as secure.
			r := newFixture(t, targets.Options{
				Base: "http://api.example.test:" + port, Resolve: map[string]string{"api.example.test": "127.0.0.1"},
			},
				`get: "/set?set=`+c.set+`"`, `get: `+c.path, `{get: `+c.path+`, headers: {cookie: "own=1"}}`)
			u, other := r.user(0), r.user(1)
			r.want(u.Do(1, long), "ok 200") // before there is a cookie: the ready request
			r.want(u.Do(0, long), "ok 200")
			r.want(u.Do(1, long), "ok 200")
			r.want(other.Do(1, long), "ok 200")
			r.want(u.Do(2, long), "ok 200")
			list := seen.take()
			if got := cookieOf(list[0]); got != "" {
				t.Errorf("before any was set: %q", got)
			}
			if got := cookieOf(list[2]); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := cookieOf(list[3]); got != "" {
				t.Errorf("another virtual user has %q", got)
			}
			if got := cookieOf(list[4]); got != "own=1; "+c.want {
				t.Errorf("beside the author's own: %q", got)
			}
		})
	}
}

func TestHTTP_CookieChanges(t *testing.T) {
	seen := &recorder{}
	r := newFixture(t, targets.Options{Base: script(t, baker(seen))}, `get: "/?set=a=1"`, `get: "/?set=a=2"`,
		`get: "/?set=a=;Max-Age=0"`, `get: /`)
	u := r.user(0)
	for _, i := range []int{0, 3, 1, 3, 2, 3} {
		r.want(u.Do(i, long), "ok 200")
	}
	list := seen.take()
	for place, want := range map[int]string{1: "a=1", 3: "a=2", 5: ""} {
		if got := cookieOf(list[place]); got != want {
			t.Errorf("request %d had %q, want %q", place, got, want)
		}
	}
}

// A cookie set by a redirect is sent with the redirected request.
func TestHTTP_CookieOfARedirect(t *testing.T) {
	seen := &recorder{}
	url := script(t, func(p *peer) {
		for {
			r := p.request()
			if r == "" {
				return
			}
			seen.mu.Lock()
			seen.list = append(seen.list, r)
			seen.mu.Unlock()
			if strings.HasPrefix(r, "POST /login") {
				p.say("HTTP/1.1 303 See Other\r\nSet-Cookie: sid=7; Path=/\r\nSet-Cookie: x=y; Path=/login\r\nLocation: " +
					"/home\r\nContent-Length: 0\r\n\r\n")
			} else {
				p.say(hello)
			}
		}
	})
	r := newFixture(t, targets.Options{Base: url}, `post: /login`)
	r.want(r.user(0).Do(0, long), "ok 200")
	if list := seen.take(); len(list) != 2 || cookieOf(list[0]) != "" || cookieOf(list[1]) != "sid=7" {
		t.Errorf("%q", list)
	}
}
