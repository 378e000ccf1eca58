package http_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	nethttp "net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios/template"
	"brunt/targets"
	"brunt/targets/http"
	"brunt/targets/http/auth"
	"brunt/targets/targetstest"
)

// tokenServer is an authorization server that parses forms by net/http.
type tokenServer struct {
	*httptest.Server
	answer string // JSON; %d is the number of the token
	code   int
	to     string // where it redirects to

	mu   sync.Mutex
	seen []*nethttp.Request
}

// asked returns the requests that came.
func (s *tokenServer) asked() []*nethttp.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

func newTokenServer(t testing.TB) *tokenServer {
	s := &tokenServer{answer: `{"access_token": "token-number-%d", "token_type": "Bearer", "expires_in": 3600}`, code: 200}
	s.Server = httptest.NewServer(nethttp.HandlerFunc(func(w nethttp.ResponseWriter, r *nethttp.Request) {
		_ = r.ParseForm()
		s.mu.Lock()
		s.seen = append(s.seen, r)
		n := len(s.seen)
		s.mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		if s.to != "" {
			w.Header().Set("Location", s.to)
		}
		w.WriteHeader(s.code)
		if strings.Contains(s.answer, "%d") {
			fmt.Fprintf(w, s.answer, n)
		} else {
			_, _ = io.WriteString(w, s.answer)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// open prepares the only token of a flow.
func open(t testing.TB, f *targetstest.Flow, o targets.Options) *auth.Tokens {
	t.Helper()
	list := targets.Share[auth.Proofs](f.Shared).Tokens()
	if len(list) != 1 {
		t.Fatalf("%d tokens", len(list))
	}
	if err := list[0].Open(o, f.Env); err != nil {
		t.Fatal(err)
	}
	return list[0]
}

// The grant is requested as RFC 6749 says, in both styles; all requests send the same token.
func TestOAuth2_Grant(t *testing.T) {
	for _, style := range []string{"basic", "body"} {
		t.Run(style, func(t *testing.T) {
			s, target := newTokenServer(t), newHeard(t)
			r := newFixtureWith(t, targets.Options{Base: target.URL},
				`auth: {oauth2: {token_url: "`+s.URL+`/token", client_id: "a:b", client_secret: "c d%", `+
					`scope: [read, write], audience: api, style: `+style+`, params: {x: y}}}`, `get: /`, `get: /b`)
			k := open(t, r.Flow, targets.Options{Base: target.URL})
			if err := k.Fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			q := s.asked()[0]
			id, secret, basic := q.BasicAuth()
			if style == "body" {
				id, secret = q.PostForm.Get("client_id"), q.PostForm.Get("client_secret")
			} else if id != "a%3Ab" || secret != "c+d%25" { // RFC 6749, section 2.3.1
				t.Errorf("%q %q", id, secret)
			} else {
				id, secret = "a:b", "c d%"
			}
			if q.Method != "POST" || basic != (style == "basic") || id != "a:b" || secret != "c d%" ||
				q.PostForm.Get("grant_type") != "client_credentials" ||
				q.PostForm.Get("scope") != "read write" || q.PostForm.Get("audience") != "api" || q.PostForm.Get("x") != "y" {
				t.Errorf("%s %v %v", q.Method, q.Header, q.PostForm)
			}
			for vu := range 2 {
				u := r.user(vu)
				for i := range 2 {
					r.want(u.Do(i, long), "ok 200")
					if got := target.last().Header.Get("Authorization"); got != "Bearer token-number-1" {
						t.Errorf("got %q", got)
					}
				}
			}
			if err := k.Fetch(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.want(r.user(0).Do(0, long), "ok 200")
			if got := target.last().Header.Get("Authorization"); got != "Bearer token-number-2" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestOAuth2_Refused(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		code         int
		want         string
	}{
		{
			"by its words", `{"error": "invalid_client", "error_description": "who are you"}`, 401,
			"status 401: invalid_client who are you",
		},
		{"by a page", `<html>no</html>`, 503, `status 503: "<html>no</html>"`},
		{"without a token", `{"token": "x"}`, 200, "missing access_token"},
		{"with what is not a header", `{"access_token": "a\r\nX-A: b"}`, 200, "can't stand in a header"},
		{"elsewhere", ``, 307, "status 307"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTokenServer(t)
			s.answer, s.code = c.answer, c.code
			other := newTokenServer(t)
			if c.code == 307 {
				s.to = other.URL
			}
			f := targetstest.Compile(t, http.Descriptor(),
				`auth: {oauth2: {token_url: "`+s.URL+`/token", client_id: a, client_secret: b}}`, `get: /`)
			err := open(t, f, targets.Options{}).Fetch(t.Context())
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), s.URL) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if len(other.asked()) > 0 {
				t.Error("the client's secret went elsewhere")
			}
		})
	}
}

// The token is fetched inside the blast radius, by the load's name settings; a relative URL is
// under the target's.
func TestOAuth2_Reach(t *testing.T) {
	s := newTokenServer(t)
	addr := strings.TrimPrefix(s.URL, "http://")
	f := targetstest.Compile(t, http.Descriptor(),
		`auth: {oauth2: {token_url: /oauth/token, client_id: a, client_secret: b}}`, `get: /`)
	k := open(t, f, targets.Options{Base: "http://shop.test/api/", Resolve: map[string]string{"shop.test": addr}})
	if err := k.Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	if q := s.asked()[0]; q.URL.Path != "/api/oauth/token" || q.Host != "shop.test" {
		t.Errorf("%s %s", q.Host, q.URL)
	}
	k = open(t, f, targets.Options{Base: s.URL, Allow: targetstest.Gate(func(a netip.Addr, hostport, _ string) error {
		if hostport != addr {
			t.Errorf("asked for %s", hostport)
		}
		return errNo
	})})
	if err := k.Fetch(t.Context()); !errors.Is(err, errNo) || len(s.asked()) != 1 {
		t.Errorf("%v, %d requests", err, len(s.asked()))
	}
	f = targetstest.Compile(t, http.Descriptor(),
		`auth: {oauth2: {token_url: "${unit.auth.url}/t", client_id: a, client_secret: b}}`, `get: /`)
	f.Env.Units["unit.auth.url"] = s.URL
	if err := open(t, f, targets.Options{}).Fetch(t.Context()); err != nil || s.asked()[1].URL.Path != "/t" {
		t.Error(err)
	}
}

// One block has one token, however many steps send it; a step's own block has another.
func TestOAuth2_Shared(t *testing.T) {
	s := newTokenServer(t)
	block := `{oauth2: {token_url: "` + s.URL + `/token", client_id: a, client_secret: b}}`
	f := targetstest.Compile(t, http.Descriptor(), "auth: "+block, `get: /`, `get: /b`, `{get: /c, auth: `+block+`}`,
		`{get: /d, auth: off}`)
	if n := len(targets.Share[auth.Proofs](f.Shared).Tokens()); n != 2 {
		t.Errorf("%d tokens", n)
	}
}

// A request before the first token has none: it does not wait.
func TestOAuth2_NoToken(t *testing.T) {
	target := newHeard(t)
	r := newFixtureWith(t, targets.Options{Base: target.URL},
		`auth: {oauth2: {token_url: "http://127.0.0.1:1/", client_id: a, client_secret: b}}`, `get: /`)
	r.want(r.user(0).Do(0, long), "ok 200")
	if _, has := target.last().Header["Authorization"]; has {
		t.Error("it has one")
	}
	_ = open(t, r.Flow, targets.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if err := targets.Share[auth.Proofs](r.Shared).Tokens()[0].Fetch(ctx); err == nil {
		t.Error("nothing listens there")
	}
}

// TestOAuth2_InUse: a token stays a secret, however many values are learned after it.
func TestOAuth2_InUse(t *testing.T) {
	s, target := newTokenServer(t), newHeard(t)
	r := newFixtureWith(t, targets.Options{Base: target.URL},
		`auth: {oauth2: {token_url: "`+s.URL+`/token", client_id: a, client_secret: b}}`, `get: /`)
	var secrets template.Secrets
	r.Env.Secrets = &secrets
	if err := open(t, r.Flow, targets.Options{Base: target.URL}).Fetch(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range 1100 {
		secrets.Learn(fmt.Sprintf("value-%d-of-a-user", i))
	}
	if got := secrets.Mask("token-number-0 token-number-1"); !strings.Contains(got, "***") {
		t.Error(got)
	}
}
