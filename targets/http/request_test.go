package http_test

import (
	"strings"
	"sync"
	"testing"

	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/targetstest"
)

// recorder answers and records every request.
type recorder struct {
	mu   sync.Mutex
	list []string
}

func (r *recorder) serve(p *peer) {
	for r.one(p) {
	}
}

// one serves a request. It returns false at the end of the connection.
func (r *recorder) one(p *peer) bool {
	request := p.request()
	if request == "" {
		return false
	}
	r.mu.Lock()
	r.list = append(r.list, request)
	r.mu.Unlock()
	p.say(hello)
	return true
}

func (r *recorder) take() (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	list, r.list = r.list, nil
	return list
}

func TestHTTP_OnTheWire(t *testing.T) {
	on := true
	off := false
	for _, c := range []struct {
		name  string
		base  string // path after the origin
		keep  *bool
		extra string
		step  string
		want  string // HOST is host:port; without the common User-Agent
	}{
		{name: "get", step: `get: /posts?page=1`, want: "GET /posts?page=1 HTTP/1.1\nHost: HOST\n\n"},
		{name: "base path", base: "/api/v1/", step: `get: /posts`, want: "GET /api/v1/posts HTTP/1.1\nHost: HOST\n\n"},
		{
			name: "absolute", base: "/api", step: `get: "ORIGIN/other?a=b#part"`,
			want: "GET /other?a=b HTTP/1.1\nHost: HOST\n\n",
		},
		{name: "absolute without a path", step: `get: ORIGIN`, want: "GET / HTTP/1.1\nHost: HOST\n\n"},
		{name: "absolute with a query only", step: `get: "ORIGIN?a=b"`, want: "GET /?a=b HTTP/1.1\nHost: HOST\n\n"},
		{
			name: "placeholders", step: `get: "/posts/${var.id}?q=${var.q}&n=${int(7,7)}"`,
			want: "GET /posts/a%2Fb%20c?q=x%26y%3D1&n=7 HTTP/1.1\nHost: HOST\n\n",
		},
		{
			name: "origin from a placeholder", extra: `params: {at: "ORIGIN"}`, step: `get: "${at}/x/${var.id}"`,
			want: "GET /x/a%2Fb%20c HTTP/1.1\nHost: HOST\n\n",
		},
		{name: "beyond ASCII", step: `get: /straße?ö=ü`, want: "GET /stra%C3%9Fe?%C3%B6=%C3%BC HTTP/1.1\nHost: HOST\n\n"},
		{name: "post of nothing", step: `post: /`, want: "POST / HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n"},
		{name: "put of nothing", step: `put: /`, want: "PUT / HTTP/1.1\nHost: HOST\nContent-Length: 0\n\n"},
		{name: "delete", step: `delete: /x`, want: "DELETE /x HTTP/1.1\nHost: HOST\n\n"},
		{name: "options", step: `options: /`, want: "OPTIONS / HTTP/1.1\nHost: HOST\n\n"},
		{
			name: "json", step: `{post: /, json: {a: "${var.q}", n: "${int(3,3)}", list: [1, true, null]}}`,
			want: "POST / HTTP/1.1\nHost: HOST\nContent-Type: application/json\nContent-Length: 47\n\n" +
				`{"a":"x&y=1","n":3,"list":[1,true,null]}` + "       ",
		},
		{
			name: "form", step: `{post: /, form: {b: "${var.q}", a: "1 2"}}`,
			want: "POST / HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: " +
				"21\n\na=1%202&b=x%26y%3D1",
		},
		{
			name: "body", step: `{patch: /, body: "raw ${var.q}", headers: {content-type: text/csv}}`,
			want: "PATCH / HTTP/1.1\nHost: HOST\ncontent-type: text/csv\nContent-Length: 9\n\nraw x&y=1",
		},
		{
			name: "headers", step: `{get: /, headers: {X-B: "1", Accept: "*/*", Host: other.test, User-Agent: mine}}`,
			want: "GET / HTTP/1.1\nHost: other.test\nAccept: */*\nUser-Agent: mine\nX-B: 1\n\n",
		},
		{
			name: "a header can't gain a line", step: `{get: /, headers: {X-A: "${var.evil}", Host: "${var.evil}"}}`,
			want: "GET / HTTP/1.1\nHost: a  X-Evil: 1  b\nX-A: a  X-Evil: 1  b\n\n",
		},
		{
			name: "neither can a path", step: `get: "/${var.evil}?${var.evil}"`,
			want: "GET /a%0D%0AX-Evil%3A%201%0D%0Ab?a%0D%0AX-Evil%3A%201%0D%0Ab HTTP/1.1\nHost: HOST\n\n",
		},
		{
			name: "nor a form", step: `{post: /, form: {a: "${var.evil}"}}`,
			want: "POST / HTTP/1.1\nHost: HOST\nContent-Type: application/x-www-form-urlencoded\nContent-Length: " +
				"34\n\na=a%0D%0AX-Evil%3A%201%0D%0Ab",
		},
		{name: "keep-alive on", keep: &on, step: `get: /`, want: "GET / HTTP/1.1\nHost: HOST\n\n"},
		{name: "keep-alive off", keep: &off, step: `get: /`, want: "GET / HTTP/1.1\nHost: HOST\nConnection: close\n\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			seen := &recorder{}
			origin := script(t, seen.serve)
			host := strings.TrimPrefix(origin, "http://")
			o := targets.Options{Base: origin + c.base}
			o.Connections.KeepAlive = c.keep
			r := newFixtureWith(t, o, strings.ReplaceAll(c.extra, "ORIGIN", origin),
				strings.ReplaceAll(c.step, "ORIGIN", origin))
			u := r.user(0)
			for i, name := range r.Vars {
				u.It.Vars[i].SetText(map[string]string{"id": "a/b c", "q": "x&y=1", "evil": "a\r\nX-Evil: 1\r\nb"}[name])
			}
			for range 2 { // the second may be reused
				r.want(u.Do(0, long), "ok 200")
			}
			for _, got := range seen.take() {
				got = strings.ReplaceAll(strings.ReplaceAll(got, "\r\n", "\n"), host, "HOST")
				got = strings.Replace(got, "User-Agent: brunt\n", "", 1)
				if head, body, _ := strings.Cut(got, "\n\n"); body != "" { // another test checks its length
					got = head + "\n\n" + body
				}
				if want := strings.TrimRight(c.want, " "); normal(got) != normal(want) {
					t.Errorf("got\n%s\nwant\n%s", got, want)
				}
			}
			if c.keep == &off && r.Opened() != 2 || c.keep != &off && r.Opened() != 1 {
				t.Errorf("%d connections", r.Opened())
			}
		})
	}
}

// normal removes the length from a request with a body.
func normal(request string) string {
	head, body, _ := strings.Cut(request, "\n\n")
	if body == "" {
		return request
	}
	var lines []string
	for l := range strings.SplitSeq(head, "\n") {
		if !strings.HasPrefix(l, "Content-Length: ") {
			lines = append(lines, l)
		}
	}
	return strings.Join(lines, "\n") + "\n\n" + body
}

func TestHTTP_StepMistakes(t *testing.T) {
	for _, c := range []struct{ name, step, want string }{
		{"no slash", `get: posts`, `"posts" is neither a path, which begins with /, nor a URL`},
		{"no slash before a placeholder", `get: "posts/${int(1,2)}"`, "a path begins with /"},
		{"scheme", `get: "ftp://a/b"`, "the scheme is http or https"},
		{"no host", `get: "http:///b"`, "names no host"},
		{"port", `get: "http://a:99999/"`, "a port lies from 1 to 65535"},
		{"password", `get: "http://a:b@c/"`, "credentials go into an Authorization header"},
		{"header name", `{get: /, headers: {"X A": "1"}}`, `"X A" is not a header name`},
		{"length", `{get: /, headers: {Content-Length: "1"}}`, "header Content-Length is brunt's to set"},
		{"connection", `{get: /, headers: {connection: close}}`, "header connection is brunt's to set"},
		{"two bodies", `{post: /, json: {}, body: x}`, "one of json, form, multipart, body"},
		{"body of a head", `{head: /, body: x}`, "a HEAD request has no body"},
		{"redirects", `{get: /, redirects: 51}`, "redirects lies from 0 to 50"},
		{"two methods", `{get: /, post: /}`, "not both"},
		{"status", `{get: /, check: {status: fine}}`, `want a status such as 200, 2xx or < 500, not "fine"`},
		{"status out of range", `{get: /, check: {status: 20}}`, "want a status such as"},
		{"status list", `{get: /, check: {status: [200, often]}}`, "want a status such as"},
		{"within", `{get: /, check: {within: 0s}}`, "nothing answers within no time"},
		{"check", `{get: /, check: {satus: 200}}`, "unknown check"},
		{"check that is none", `{get: /, check: 200}`, "check wants a map"},
		{"path", `{get: /, check: {"$.[": 1}}`, "is not a JSON path"},
		{"comparison", `{get: /, check: {"$.n": "> many"}}`, `> compares numbers, and "many" is not a number`},
		{"pattern", `{get: /, check: {body: "~ ("}}`, "missing closing )"},
		{"checked header", `{get: /, check: {header: {"a b": 1}}}`, `"a b" is not a name of a header`},
		{"checked headers", `{get: /, check: {header: 5}}`, "want a map of header names"},
		{"extraction", `{get: /, extract: {a: id}}`, `want "$.path"`},
		{"extraction of a nameless header", `{get: /, extract: {a: "header "}}`, `want "$.path"`},
		{"extraction pattern", `{get: /, extract: {a: "~ ("}}`, "missing closing )"},
		{"extraction path", `{get: /, extract: {a: "$.["}}`, "is not a JSON path"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := targetstest.Try(http.Descriptor(), "", c.step); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// A request that cannot be rendered is never sent.
func TestHTTP_NoData(t *testing.T) {
	seen := &recorder{}
	r := newFixtureWith(t, targets.Options{Base: script(t, seen.serve)}, "data: {few: {inline: [{id: 1}], pick: unique}}",
		`get: "/${var.never}"`, `{get: /, headers: {X-A: "${var.never}"}}`, `{post: /, body: "${var.never}"}`,
		`get: "/${data.few.id}"`,
		`{get: /, headers: {Host: "${var.never}"}}`)
	u := r.user(0)
	for _, i := range []int{0, 1, 2, 4} {
		o := u.Do(i, long)
		r.want(o, "no data")
		if o.WasSent || o.Slot == 0 || o.End < o.Slot {
			t.Errorf("call %d: %+v", i, o)
		}
	}
	r.want(u.Do(3, long), "ok 200")
	u.It.Reset()
	r.want(u.Do(3, long), "no data")
	if n := len(seen.take()); n != 1 {
		t.Errorf("%d requests were sent", n)
	}
}

// A URL from an answer may be invalid.
func TestHTTP_BadURL(t *testing.T) {
	k := &samples{}
	r := newFixture(t, targets.Options{Sampler: k}, `get: "${var.at}"`, `get: /path`)
	u := r.user(0)
	for _, at := range []string{
		"", "nonsense", "ftp://x/", "http://", "http://a:0/", "http://[::1", "://", "http://a b/",
	} {
		u.It.Vars[0].SetText(at)
		o := u.Do(0, long)
		r.want(o, "other")
		if o.WasSent || k.last().Message == "" {
			t.Errorf("%q: %+v, message %q", at, o, k.last().Message)
		}
	}
	r.want(u.Do(1, long), "other") // no base URL
	if _, err := http.Descriptor().Client(targets.Options{Base: "http://a/?q=1"}); err == nil {
		t.Error("a base with a query was taken")
	}
	if _, err := http.Descriptor().Client(targets.Options{Base: "a/b"}); err == nil {
		t.Error("a base without a scheme was taken")
	}
}

// Requests without placeholders are rendered once and reused, but not for another client, and
// not after a new cookie.
func TestHTTP_ReadyRequests(t *testing.T) {
	one, two := &recorder{}, &recorder{}
	a := newFixture(t, targets.Options{Base: script(t, one.serve)}, `get: /x`)
	b := newFixture(t, targets.Options{Base: script(t, two.serve)}, `get: /x`)
	b.Flow = a.Flow // the same call
	ua, ub := a.user(0), b.user(0)
	for range 3 {
		a.want(ua.Do(0, long), "ok 200")
		b.want(ub.Do(0, long), "ok 200")
	}
	for i, s := range []*recorder{one, two} {
		list := s.take()
		if len(list) != 3 || list[0] != list[1] || list[1] != list[2] {
			t.Errorf("server %d got %q", i, list)
		}
	}
}
