package demo

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateway_Reads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		ids := map[string]bool{}
		for n := 1; n <= 51; n++ {
			a := s.ask("GET", fmt.Sprintf("/posts?page=%d", n), "", time.Second)
			var p pageView
			if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.status != 200 || p.Page != n || len(p.Items) != 10 {
				t.Fatalf("page %d: %d %s", n, a.status, a.body)
			}
			for _, it := range p.Items {
				if it.ID == "" || it.Author.ID == "" || it.Author.Name != nameOf(it.Author.ID) || it.Text == "" {
					t.Errorf("page %d has %+v", n, it)
				}
				ids[it.ID] = true
			}
		}
		if len(ids) != seedPosts {
			t.Errorf("51 pages show %d posts, want all %d", len(ids), seedPosts)
		}

		a := s.ask("GET", "/posts/17", "", time.Second)
		var one postView
		if err := json.Unmarshal([]byte(a.body), &one); err != nil || one.ID != "17" || one.Author.Name == "" {
			t.Errorf("one post: %d %s", a.status, a.body)
		}
		a = s.ask("GET", "/users/ann", "", time.Second)
		var ann user
		if err := json.Unmarshal([]byte(a.body), &ann); err != nil || ann != (user{ID: "ann", Name: nameOf("ann")}) {
			t.Errorf("one user: %d %s", a.status, a.body)
		}
	})
}

func TestGateway_Writes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		a := s.write(`{"author":"ann","text":"Grüße \u0000 \"quoted\" <b>"}`, "Idempotency-Key", "k1")
		var made struct{ ID string }
		if err := json.Unmarshal([]byte(a.body), &made); err != nil || a.status != 201 || made.ID != "501" {
			t.Fatalf("%d %s", a.status, a.body)
		}
		for _, path := range []string{"/posts/501", "/posts"} {
			a := s.ask("GET", path, "", time.Second)
			if !strings.Contains(a.body, `"id":"501","author":{"id":"ann","name":"`+nameOf("ann")+`"}`) ||
				!strings.Contains(a.body, "Grüße") {
				t.Errorf("%s doesn't show it: %d %s", path, a.status, a.body)
			}
		}
		synctest.Wait()
		if l := s.received(); l.Count != 1 || l.Items[0] != (notice{Post: "501", Author: "ann", Key: "k1"}) {
			t.Errorf("notifications received %+v", l)
		}
	})
}

func TestGateway_BadInput(t *testing.T) {
	valid := `{"author":"ann","text":"hi"}`
	tests := []struct {
		name         string
		method, path string
		body         string
		header       []string // "token" stands for a valid token
		status       int
		says         string
	}{
		{"page zero", "GET", "/posts?page=0", "", nil, 400, "page"},
		{"page below zero", "GET", "/posts?page=-1", "", nil, 400, "page"},
		{"no page", "GET", "/posts?page=x", "", nil, 400, "page"},
		{"a huge page", "GET", "/posts?page=99999999999999999999", "", nil, 400, "page"},
		{"no such post", "GET", "/posts/501", "", nil, 404, "no such post"},
		{"no post's id", "GET", "/posts/xyz", "", nil, 404, "no such post"},
		{"an id that is a path", "GET", "/posts/a%2F..%2F..%2Fmetrics", "", nil, 404, "no such post"},
		{"no user's id", "GET", "/users/a.b", "", nil, 404, "no such user"},
		{"no such path", "GET", "/nothing", "", nil, 404, "no such path"},
		{"wrong method", "DELETE", "/posts", "", nil, 405, "DELETE"},
		{"login by GET", "GET", "/login", "", nil, 405, "GET"},
		{"login without a body", "POST", "/login", "", nil, 400, "JSON"},
		{"login without a user", "POST", "/login", `{}`, nil, 400, "user"},
		{"login with a list", "POST", "/login", `["ann"]`, nil, 400, "JSON"},
		{"login with an impossible name", "POST", "/login", `{"user":"a b"}`, nil, 400, "user"},
		{"login with much", "POST", "/login", `{"user":"` + strings.Repeat("a", maxBody) + `"}`, nil, 413, "bytes"},
		{"posting without a token", "POST", "/posts", valid, nil, 401, "token"},
		{"posting with a made-up token", "POST", "/posts", valid, []string{"Authorization", "Bearer ann.x.y"}, 401, "token"},
		{"posting with another scheme", "POST", "/posts", valid, []string{"Authorization", "Basic YW5u"}, 401, "token"},
		{"reading with a made-up token", "GET", "/posts", "", []string{"Authorization", "Bearer x"}, 401, "token"},
		{"malformed JSON", "POST", "/posts", `{"author":`, []string{"token"}, 400, "JSON"},
		{"two values", "POST", "/posts", valid + valid, []string{"token"}, 400, "JSON"},
		{"a number for a text", "POST", "/posts", `{"author":"ann","text":5}`, []string{"token"}, 400, "JSON"},
		{"no author", "POST", "/posts", `{"text":"hi"}`, []string{"token"}, 400, "author"},
		{"an author who can't be", "POST", "/posts", `{"author":"a,b","text":"hi"}`, []string{"token"}, 400, "author"},
		{"no text", "POST", "/posts", `{"author":"ann"}`, []string{"token"}, 400, "text"},
		{
			"a long text", "POST", "/posts", `{"author":"ann","text":"` + strings.Repeat("ü", maxText+1) + `"}`,
			[]string{"token"},
			400, "characters",
		},
		{
			"a huge body", "POST", "/posts", `{"author":"ann","text":"` + strings.Repeat("a", 10*maxBody) + `"}`,
			[]string{"token"},
			413, "bytes",
		},
		{
			"a long key", "POST", "/posts", valid,
			[]string{"token", "Idempotency-Key", strings.Repeat("k", maxKey+1)},
			400,
			"Idempotency-Key",
		},
	}
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Limiter: off()})
		token := "Bearer " + s.login("ann")
		for _, tt := range tests {
			header := tt.header
			if len(header) > 0 && header[0] == "token" {
				header = append([]string{"Authorization", token}, header[1:]...)
			}
			a := s.ask(tt.method, tt.path, tt.body, time.Second, header...)
			var refusal struct{ Error string }
			err := json.Unmarshal([]byte(a.body), &refusal)
			if a.status != tt.status || err != nil || !strings.Contains(refusal.Error, tt.says) ||
				a.header.Get("Content-Type") != "application/json" {
				t.Errorf("%s: %d %s, want %d and %q", tt.name, a.status, a.body, tt.status, tt.says)
			}
		}
		if a := s.ask("DELETE", "/posts", "", time.Second); !strings.Contains(a.header.Get("Allow"), "POST") {
			t.Errorf("a 405 allows %q", a.header.Get("Allow"))
		}
		if a := s.ask("GET", "/posts", "", time.Second); a.status != 200 {
			t.Errorf("after all that: %d %s", a.status, a.body)
		}
	})
}

func TestGateway_Limiter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		read := func(token string) answer {
			if token == "" {
				return s.ask("GET", "/posts/1", "", time.Second)
			}
			return s.ask("GET", "/posts/1", "", time.Second, "Authorization", "Bearer "+token)
		}
		ann, bob := s.login("ann"), s.login("bob")
		for i := range limitRequests {
			if a := read(ann); a.status != 200 {
				t.Fatalf("request %d: %d", i+1, a.status)
			}
		}
		time.Sleep(10 * time.Second)
		if a := read(ann); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "50" {
			t.Errorf("one too many: %d, Retry-After %q, want 429 and 50", a.status, a.header.Get("Retry-After"))
		}
		if a := read(bob); a.status != 200 {
			t.Errorf("another token: %d", a.status)
		}
		for range 3 * limitRequests {
			if a := read(""); a.status != 200 {
				t.Fatalf("no token: %d", a.status)
			}
		}
		if v := s.metric("gateway[0]", "socialconnect_limited_total"); v != 1 {
			t.Errorf("%v limited, want 1", v)
		}
		time.Sleep(50 * time.Second)
		if a := read(ann); a.status != 200 {
			t.Errorf("a minute later: %d", a.status)
		}
	})
}

// TestGateway_Silent: without the switch a refusal does not say when to come again.
func TestGateway_Silent(t *testing.T) {
	for _, tt := range []struct {
		name string
		with *bool
		want string
	}{{"by default", nil, "60"}, {"off", off(), ""}} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{RetryAfter: tt.with})
				ann := s.login("ann")
				var last answer
				for range limitRequests + 1 {
					last = s.ask("GET", "/posts/1", "", time.Second, "Authorization", "Bearer "+ann)
				}
				if got := last.header.Get("Retry-After"); last.status != http.StatusTooManyRequests || got != tt.want {
					t.Errorf("%d, Retry-After %q, want %q", last.status, got, tt.want)
				}
			})
		})
	}
}

// TestGateway_Broken: without names, posts come with the ids of their authors.
func TestGateway_Broken(t *testing.T) {
	for _, tt := range []struct {
		broken string
		names  int
	}{{"", 10}, {noNames, 0}} {
		t.Run(tt.broken, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Broken: tt.broken})
				a := s.ask("GET", "/posts?page=1", "", time.Second)
				if got := strings.Count(a.body, `"name"`); a.status != 200 || got != tt.names ||
					strings.Count(a.body, `"author"`) != 10 {
					t.Errorf("%d names, want %d: %d %s", got, tt.names, a.status, a.body)
				}
			})
		})
	}
}

func TestGateway_LimiterOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{Limiter: off()})
		token := s.login("ann")
		for i := range 2 * limitRequests {
			if a := s.ask("GET", "/posts/1", "", time.Second, "Authorization", "Bearer "+token); a.status != 200 {
				t.Fatalf("request %d: %d", i+1, a.status)
			}
		}
	})
}

// TestGateway_Trace follows one request through all calls that result from it.
func TestGateway_Trace(t *testing.T) {
	edges := [][2]string{
		{"gateway[0]", "posts[0]"},
		{"gateway[0]", "users[0]"},
		{"posts[0]", "store[0]"},
		{"posts[0]", "notifications[0]"},
	}
	passed := regexp.MustCompile(`(?i)traceparent: 00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})\r\n`)
	tests := []struct {
		name   string
		header []string
		id     string // "": a new one
	}{
		{"passed on", []string{"Traceparent", traceparent, "Tracestate", "a=1"}, "0af7651916cd43dd8448eb211c80319c"},
		{"begun", nil, ""},
		{"begun again instead of a broken one", []string{"Traceparent", "00-xyz", "Tracestate", "a=1"}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := start(t, Config{Posts: Scale{Replicas: 1}, Ejection: off()})
				token := s.login("ann")
				for _, e := range edges {
					s.net.edge(e[0], e[1]).record()
				}
				header := append([]string{"Authorization", "Bearer " + token}, tt.header...)
				if a := s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, time.Second, header...); a.status != 201 {
					t.Fatalf("%d %s", a.status, a.body)
				}
				synctest.Wait()
				// The users service is called on reads only.
				if a := s.ask("GET", "/users/ann", "", time.Second, header...); a.status != 200 {
					t.Fatalf("%d %s", a.status, a.body)
				}
				ids, spans := map[string]bool{}, map[string]bool{}
				for _, e := range edges {
					text := s.net.edge(e[0], e[1]).recorded()
					m := passed.FindStringSubmatch(text)
					if m == nil {
						t.Fatalf("%s to %s has no traceparent:\n%s", e[0], e[1], text)
					}
					if e[1] != "users[0]" || tt.id != "" {
						ids[m[1]] = true
					}
					spans[m[2]] = true
					if got := strings.Contains(text, "Tracestate: a=1"); got != (tt.id != "") {
						t.Errorf("%s to %s: tracestate passed on: %v", e[0], e[1], got)
					}
				}
				if len(ids) != 1 || tt.id != "" && !ids[tt.id] || len(spans) != len(edges) {
					t.Errorf("traces %v, spans %v, want one trace %s and a span a call", ids, spans, tt.id)
				}
			})
		})
	}
}

func TestGateway_Metrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		e := s.net.edge("gateway[0]", "posts[1]")
		s.ask("GET", "/posts/501", "", time.Second)
		e.kill()
		for range 20 {
			s.ask("GET", "/posts/1", "", time.Second)
		}
		for series, want := range map[string]float64{
			`socialconnect_requests_total{code="200",route="GET /posts/{id}"}`: 20,
			`socialconnect_requests_total{code="404",route="GET /posts/{id}"}`: 1,
			`socialconnect_upstream_ejected{upstream="posts[0]"}`:              0,
			`socialconnect_upstream_ejected{upstream="posts[1]"}`:              1,
			`socialconnect_retries_total{result="sent"}`:                       callFailures,
		} {
			if got := s.metric("gateway[0]", series); got != want {
				t.Errorf("%s is %v, want %v", series, got, want)
			}
		}
		e.revive()
		time.Sleep(checkEvery)
		synctest.Wait()
		if v := s.metric("gateway[0]", `socialconnect_upstream_ejected{upstream="posts[1]"}`); v != 0 {
			t.Error("still ejected after a health check")
		}
		log := s.logs["gateway[0]"].String()
		for _, msg := range []string{"started", "upstream ejected", "upstream back"} {
			if n := strings.Count(log, `"msg":"`+msg+`"`); n != 1 {
				t.Errorf("%d lines %q in the log, want 1:\n%s", n, msg, log)
			}
		}

		users := s.net.edge("gateway[0]", "users[0]")
		users.kill()
		for range breakerMin + 50 {
			s.ask("GET", "/posts/1", "", time.Second)
		}
		if v := s.metric("gateway[0]", `socialconnect_breaker_state{upstream="users[0]"}`); v != float64(open) {
			t.Errorf("the breaker of users is at %v, want open", v)
		}
		users.revive()
		time.Sleep(breakerRest)
		s.ask("GET", "/posts/1", "", time.Second)
		if v := s.metric("gateway[0]", `socialconnect_breaker_state{upstream="users[0]"}`); v != float64(closed) {
			t.Errorf("the breaker of users is at %v, want closed", v)
		}
	})
}

// TestGateway_WritesOnce checks that a post whose response is lost is not sent again, because it
// may have been written.
func TestGateway_WritesOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		token := s.login("ann")
		for _, unit := range []string{"posts[0]", "posts[1]"} {
			e := s.net.edge("gateway[0]", unit)
			e.slow(100 * time.Millisecond)
			at(350*time.Millisecond, e.kill) // the post is written, and its response is in transit
		}
		time.Sleep(200 * time.Millisecond)
		a := s.ask("POST", "/posts", `{"author":"ann","text":"hi"}`, 5*time.Second, "Authorization", "Bearer "+token,
			"Idempotency-Key", "k")
		if a.status != http.StatusBadGateway {
			t.Errorf("%d %s, want 502", a.status, a.body)
		}
		time.Sleep(time.Second)
		if n := s.received().Count; n != 1 {
			t.Errorf("it was written %d times", n)
		}
	})
}

// TestGateway_Impatience checks that clients that don't wait do not affect the health of a replica.
func TestGateway_Impatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, Config{})
		for _, unit := range []string{"posts[0]", "posts[1]"} {
			s.net.edge(unit, "store[0]").slow(100 * time.Millisecond)
		}
		for range 2 * breakerCalls {
			if a := s.ask("GET", "/posts/1", "", 50*time.Millisecond); a.status != 0 {
				t.Fatalf("%d, want no answer in time", a.status)
			}
		}
		for _, series := range []string{
			`socialconnect_breaker_state{upstream="posts[0]"}`,
			`socialconnect_upstream_ejected{upstream="posts[0]"}`,
			`socialconnect_retries_total{result="sent"}`,
			`socialconnect_requests_total{code="200",route="GET /posts/{id}"}`,
		} {
			if v := s.metric("gateway[0]", series); v != 0 {
				t.Errorf("%s is %v, want 0", series, v)
			}
		}
		if n := s.metric("gateway[0]",
			`socialconnect_requests_total{code="499",route="GET /posts/{id}"}`); n != 2*breakerCalls {
			t.Errorf("%v requests are counted as 499, want %d", n, 2*breakerCalls)
		}
		if log := s.logs["gateway[0]"].String(); strings.Contains(log, "call failed") {
			t.Errorf("the log tells of failures:\n%s", log)
		}
	})
}
