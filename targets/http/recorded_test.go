package http_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"brunt/scenarios/syntax"
	"brunt/targets"
	"brunt/targets/http"
)

// TestRecordings_Secrets: each different token of recorded requests becomes a secret, up to a bound that the author
// learns of.
func TestRecordings_Secrets(t *testing.T) {
	token := func(i int) string { return fmt.Sprintf("token-number-%d", i) }
	for _, c := range []struct {
		name     string
		of       func(i int) string
		requests int
		want     []string
		unhidden bool
	}{
		{"repeated", func(i int) string { return token(i / 600) }, 601, []string{token(0), token(1)}, false},
		{"different", token, 600, []string{token(0), token(599)}, false},
		{"very many", token, 5000, []string{token(0), token(4095)}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var secrets []string
			var m syntax.Mistakes
			r := http.NewRecordings(nil, targets.Scope{Secret: func(v string) { secrets = append(secrets, v) }}, &m)
			for i := range c.requests {
				q := http.Recorded{
					Method: "GET", URL: "/", Header: []http.Field{{Name: "Authorization", Value: "Bearer " + c.of(i)}},
				}
				if _, ok := r.Call(&q, "request", &m); !ok {
					t.Fatal(m.Err())
				}
			}
			for _, want := range c.want {
				if n := len(slices.DeleteFunc(slices.Clone(secrets), func(v string) bool { return v != want })); n != 1 {
					t.Errorf("%s is made a secret %d times", want, n)
				}
			}
			if got := r.Unhidden(); strings.Contains(got, "more than 4096") != c.unhidden {
				t.Errorf("%q", got)
			}
		})
	}
}
