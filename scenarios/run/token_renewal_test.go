package run_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"brunt/scenarios"
	"brunt/scenarios/result"
	"brunt/scenarios/run"
)

// tokenTarget issues tokens valid for a second, slowly, and answers requests with a valid one.
type tokenTarget struct {
	*httptest.Server
	slow   time.Duration
	refuse bool

	mu   sync.Mutex
	n    int
	sent []string // distinct tokens of the requests
	open bool     // a token request is in progress
	met  int      // requests that arrived meanwhile
}

func newTokenTarget(t *testing.T) *tokenTarget {
	s := &tokenTarget{}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

func (s *tokenTarget) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/token" {
		s.mu.Lock()
		s.open = true
		s.mu.Unlock()
		time.Sleep(s.slow) // simulates work
		s.mu.Lock()
		defer s.mu.Unlock()
		s.open = false
		w.Header().Set("Content-Type", "application/json")
		if s.refuse && s.n > 0 {
			_, given, _ := r.BasicAuth()
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprintf(w, `{"error": "invalid_client", "error_description": "it said %s"}`, given)
			return
		}
		s.n++
		fmt.Fprintf(w, `{"access_token": "opaque-%d", "expires_in": 2}`, s.n)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open {
		s.met++
	}
	if got := r.Header.Get("Authorization"); !slices.Contains(s.sent, got) {
		s.sent = append(s.sent, got)
	}
}

const withTokens = `
version: 1
target: {url: %q}
auth: {oauth2: {token_url: /token, client_id: a, client_secret: geheim-geheim}}
setup: [{get: /setup}]
load: {main: {executor: constant-arrival-rate, rate: 50/s, duration: 5s, flow: [{get: /}]}}
`

// TestTokens_Refreshed: a token is there before the first request and is renewed beside the load: no
// request waits for it, however slow its server is.
func TestTokens_Refreshed(t *testing.T) {
	t.Parallel()
	const slow = 300 * time.Millisecond
	var s *tokenTarget
	res := inTime(t, func() *result.Result {
		s = newTokenTarget(t)
		s.slow = slow
		res, err := run.Run(t.Context(), mustCompile(t, fmt.Sprintf(withTokens, s.URL)), run.Options{State: t.TempDir()})
		if err != nil {
			t.Fatal(err)
		}
		return res
	})
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.sent) < 3 || s.sent[0] != "Bearer opaque-1" || s.sent[1] != "Bearer opaque-2" || slices.Contains(s.sent, "") {
		t.Errorf("tokens %q", s.sent)
	}
	if s.met < 10 { // of 15 for each of two or three
		t.Errorf("only %d requests came while a token was asked for", s.met)
	}
	for _, e := range res.Errors {
		t.Errorf("%+v", e)
	}
}

// TestTokens_Refused: the error quotes the token server, and not the secret.
func TestTokens_Refused(t *testing.T) {
	t.Parallel()
	s := newTokenTarget(t)
	s.refuse = true
	res := runOnce(t, fmt.Sprintf(withTokens, s.URL), run.Options{})
	text, err := json.Marshal(res)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), "a token could not be refreshed") ||
		!strings.Contains(string(text), "invalid_client it said ***") {
		t.Errorf("it is not reported: %q", res.Notes)
	}
	if strings.Contains(string(text), "geheim") {
		t.Errorf("the secret is reported: %s", text)
	}

	s.mu.Lock()
	s.n = 1 // from the first on
	s.mu.Unlock()
	res = runOnce(t, fmt.Sprintf(withTokens, s.URL), run.Options{})
	if res.Verdict != scenarios.Invalid || res.ExitCode != 5 ||
		!strings.Contains(res.Reason, "no token from /token: status 401: invalid_client it said ***") {
		t.Errorf("%s (%d): %s", res.Verdict, res.ExitCode, res.Reason)
	}
}
