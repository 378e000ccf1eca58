package har_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"brunt/scenarios/convert"
	"brunt/scenarios/convert/draft"
	"brunt/scenarios/convert/har"
)

// shop is a server with a login, a redirect and a created object, whose answers lead past a proxy unless it changes
// them.
func shop(t *testing.T) *httptest.Server {
	mux := http.NewServeMux()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	mux.HandleFunc("GET /api/login", func(w http.ResponseWriter, _ *http.Request) {
		http.SetCookie(w, &http.Cookie{
			Name: "session", Value: "cookie-of-a-user-1", Domain: "127.0.0.1", Secure: true, Path: "/",
		})
		w.Header().Set("Strict-Transport-Security", "max-age=60")
		http.Redirect(w, &http.Request{URL: &url.URL{}}, s.URL+"/api/home", http.StatusFound)
	})
	mux.HandleFunc("GET /api/home", func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("session"); err != nil || c.Value != "cookie-of-a-user-1" {
			http.Error(w, "no cookie", http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"token": "token-4711-of-the-user"}`)
	})
	mux.HandleFunc("POST /api/posts", func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-Token") != "token-4711-of-the-user" || string(b) != `{"text":"hi"}` ||
			r.Header.Get("Origin") != s.URL || r.Host != strings.TrimPrefix(s.URL, "http://") {
			http.Error(w, fmt.Sprint("refused: ", r.Header, string(b)), http.StatusForbidden)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"id": "post-000815"}`)
	})
	mux.HandleFunc("GET /api/posts/post-000815", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "it") })
	return s
}

// TestRecorder: a client that uses the recorder in place of the target gets the target's answers, and never leaves it;
// the recording becomes a scenario that sends what the answers of its own run say.
func TestRecorder(t *testing.T) {
	target := shop(t)
	at, err := url.Parse(target.URL + "/api")
	if err != nil {
		t.Fatal(err)
	}
	r := har.NewRecorder(at)
	s := httptest.NewServer(r)
	defer s.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar}
	ask := func(method, path, body string, status int, header ...string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		a, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		text, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != status {
			t.Fatalf("%s %s: %s, %v: %s", method, path, a.Status, err, text)
		}
		if a.Header.Get("Strict-Transport-Security") != "" || a.Request.URL.Host != strings.TrimPrefix(s.URL, "http://") {
			t.Errorf("%s %s leads past the recorder: %s, %v", method, path, a.Request.URL, a.Header)
		}
	}
	// The redirect of /login names /api/home at the target, which is below the target's path at the recorder too.
	stays := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	login := &http.Client{Jar: jar, CheckRedirect: stays}
	a, err := login.Get(s.URL + "/login")
	if err != nil {
		t.Fatal(err)
	}
	_ = a.Body.Close()
	if to := a.Header.Get("Location"); to != s.URL+"/home" {
		t.Errorf("the redirect leads to %s", to)
	}
	ask("GET", "/home", "", 200)
	ask("POST", "/posts", `{"text":"hi"}`, 201, "X-Token", "token-4711-of-the-user", "Content-Type", "application/json",
		"Origin", s.URL)
	ask("GET", "/posts/post-000815", "", 200)
	ask("POST", "/posts", strings.Repeat("x", 1<<20+1), http.StatusRequestEntityTooLarge)

	text, n, err := r.HAR()
	if err != nil || n != 4 {
		t.Fatal(n, err)
	}
	made, err := convert.Convert(text, draft.Options{Kind: "har", File: "recording"})
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		target.URL, "/api/login", "post: /api/posts", `status: 201`, `text: hi`, "extract:", `X-Token: "${var.token}"`,
		"/api/posts/${var.id}",
	} {
		if !strings.Contains(made.Text, want) {
			t.Errorf("no %q in\n%s", want, made.Text)
		}
	}
	if strings.Contains(made.Text, s.URL) {
		t.Errorf("it names the recorder:\n%s", made.Text)
	}
}

// TestRecorder_Alone: a target that does not answer is said, and has an entry without an answer; a WebSocket has one.
func TestRecorder_Alone(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	at, err := url.Parse(gone.URL)
	if err != nil {
		t.Fatal(err)
	}
	r := har.NewRecorder(at)
	for _, upgrade := range []string{"", "websocket"} {
		q := httptest.NewRequest("GET", "http://127.0.0.1:1/x?a=b", nil)
		if upgrade != "" {
			q.Header.Set("Upgrade", upgrade)
			q.Header.Set("Connection", "Upgrade")
		}
		w := httptest.NewRecorder()
		r.ServeHTTP(w, q)
		if w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), at.Host+" does not answer") {
			t.Errorf("%d %s", w.Code, w.Body)
		}
	}
	text, n, err := r.HAR()
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	var all struct {
		Log struct {
			Entries []struct {
				Resource string `json:"_resourceType"`
				Request  struct{ Method, URL string }
				Response struct{ Status int }
			}
		}
	}
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for i, e := range all.Log.Entries {
		scheme := []string{"http", "ws"}[i]
		if e.Request.URL != scheme+"://"+at.Host+"/x?a=b" || e.Response.Status != 0 || (e.Resource != "") != (i == 1) {
			t.Errorf("%+v", e)
		}
	}
}

// TestRecorder_IPv6: a target may be an IPv6 address.
func TestRecorder_IPv6(t *testing.T) {
	l, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6 loopback: %v", err)
	}
	answer := func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "it") }
	s := httptest.NewUnstartedServer(http.HandlerFunc(answer))
	_ = s.Listener.Close()
	s.Listener = l
	s.Start()
	defer s.Close()
	at, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	har.NewRecorder(at).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "http://127.0.0.1:1/", nil))
	if w.Code != http.StatusOK || w.Body.String() != "it" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
