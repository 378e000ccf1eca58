package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"brunt/scenarios/run"
)

// TestCookies_OfAUser: an arrival of an open load is a new user, with the cookies of init alone, and a virtual user of
// a closed load comes back with its own. `cookies` chooses otherwise.
func TestCookies_OfAUser(t *testing.T) {
	const (
		open   = "executor: constant-arrival-rate, rate: 20/s, duration: 1s"
		closed = "executor: per-vu-iterations, vus: 2, iterations: 5"
	)
	for _, c := range []struct {
		load  string
		first string // of the cookies with which most iterations begin
		again bool   // iterations begin with cookies of earlier ones
	}{
		{open, "", false},
		{open + ", cookies: user", "", true},
		{open + `, init: [{get: /init}]`, "init=1", false},
		{open + `, init: [{get: /init}], cookies: user`, "init=1", true},
		{closed, "", true},
		{closed + ", cookies: iteration", "", false},
		{closed + `, init: [{get: /init}], cookies: iteration`, "init=1", false},
	} {
		t.Run(c.load, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			begun, wrong, again := 0, []string{}, 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				got := r.Header.Get("Cookie")
				switch path := r.URL.Path; {
				case path == "/init":
					w.Header().Add("Set-Cookie", "init=1; Path=/")
				case strings.HasPrefix(path, "/begin/"):
					begun++
					if strings.Contains(got, "of=") {
						again++
					} else if got != c.first {
						wrong = append(wrong, got)
					}
					w.Header().Add("Set-Cookie", "of="+strings.TrimPrefix(path, "/begin/")+"; Path=/")
				case strings.HasPrefix(path, "/end/"):
					if want := "of=" + strings.TrimPrefix(path, "/end/"); !strings.HasSuffix(got, want) {
						wrong = append(wrong, fmt.Sprintf("%s instead of %s", got, want))
					}
				}
			}))
			defer s.Close()
			p := mustCompile(t, `version: 1
target: {url: "`+s.URL+`"}
data: {n: {range: 1..100000, pick: next}}
load:
  main: {`+c.load+`, flow: [{get: "/begin/${data.n.value}"}, {get: "/end/${data.n.value}"}]}
slo: [errors = 0%]
`)
			if _, err := run.Run(t.Context(), p, run.Options{State: t.TempDir()}); err != nil {
				t.Fatal(err)
			}
			if begun < 10 || len(wrong) > 0 || (again > 0) != c.again {
				t.Errorf("%d iterations, %d of them with cookies of earlier ones, wrong %q", begun, again, wrong)
			}
		})
	}
}
