package run_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"brunt/scenarios"
	"brunt/scenarios/run"
)

// TestInit holds logins against the log of a server: they are in a row of their own and in no sum. If the server
// refuses them, the steps that need one are skipped, and the run fails.
func TestInit(t *testing.T) {
	t.Parallel()
	for _, refuses := range []bool{false, true} {
		var logins, reads atomic.Int64
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/login" {
				reads.Add(1)
				return
			}
			if logins.Add(1); refuses {
				w.WriteHeader(http.StatusUnauthorized)
			}
			fmt.Fprint(w, `{"token": "t"}`)
		}))
		t.Cleanup(s.Close)
		res := runOnce(t, `version: 1
name: logins
target: {url: "`+s.URL+`"}
load:
  main:
    executor: per-vu-iterations
    vus: 5
    iterations: 20
    init: [{post: /login, name: login, extract: {token: $.token}}]
    flow: [{get: /, name: read, headers: {Authorization: "${var.token}"}}, {get: /, name: again}]
slo: [errors = 0%, {metric: errors, equals: 0%, step: init login}, {metric: errors, equals: 0%, step: again}]
`, run.Options{})
		want, requests, bad := scenarios.Pass, int64(200), int64(0)
		if refuses {
			want, bad = scenarios.Fail, 200
		}
		for _, o := range res.Objectives {
			if o.Verdict != want {
				t.Errorf("refuses %v: %s: %s (%s); want %s", refuses, o.Text, o.Verdict, o.Note, want)
			}
		}
		rows := map[string][2]int64{}
		for _, c := range res.Cells {
			n := rows[c.Step]
			switch {
			case c.Phase.String() != "run" || (c.Load == "*") != (c.Step == "*"):
				continue
			case c.Outcome == "*":
				n[0] = c.Count
			case c.Outcome != "ok":
				n[1] += c.Count
			}
			rows[c.Step] = n
		}
		if rows["*"] != [2]int64{requests, bad} || rows["read"] != [2]int64{requests / 2, bad / 2} {
			t.Errorf("refuses %v: rows %v", refuses, rows)
		}
		if n := rows["init login"]; n[0] != logins.Load() || refuses != (n[1] == n[0]) || refuses != (reads.Load() == 0) {
			t.Errorf("refuses %v: rows %v; the server saw %d logins and %d reads", refuses, rows, logins.Load(), reads.Load())
		}
		for _, e := range res.Errors {
			if e.Init != (e.Step == "init login") {
				t.Errorf("an error of %s: %+v", e.Step, e)
			}
		}
	}
}
